/* SPDX-License-Identifier: MIT
 * Invents worlds. Anchors first, each unlike the others; then each anchor's links. */
#include "tests/sandbox/links.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/day.h"
#include "tests/sandbox/dice.h"
#include "tests/sandbox/letters.h"
#include "tests/sandbox/site.h"
#include "tests/sandbox/words.h"

enum {
    SHAPE_ORDINARY = 0,
    SHAPE_FIRST_LIVES = 1 << 0, /* the first link of each anchor is live: all anchors are */
    SHAPE_ALL_LIVE = 1 << 1,
    SHAPE_ALL_LOST = 1 << 2,
    SHAPE_HOME_ONLY = 1 << 3, /* all links go to https://ROOT/ */
    SHAPE_LOWER = 1 << 4,     /* no upper-case letter */
    SHAPE_ODD = 1 << 5,       /* the odd anchors, in their order */
    SHAPE_UNKNOWN = 1 << 6,
    SHAPE_TWINS = 1 << 7, /* the twin anchors, in their order */
    SHAPE_HALVES = 1 << 8,
    SHAPE_NULLS = 1 << 9,
    SHAPE_DUPES = 1 << 10, /* several links between the same two pages */
};

enum { ALL_ODD = UINT32_MAX, ALL_TWINS = UINT32_MAX - 1, MAX_WORLD_BYTES = 256 << 20, DOMAINS = 200000 };

static const struct site {
    struct slice root;
    uint32_t anchors, shape;
} sites[] = {
    { SLICE("one.example"), 1, SHAPE_ALL_LIVE | SHAPE_HOME_ONLY | SHAPE_LOWER },
    { SLICE("small.example"), 12, SHAPE_FIRST_LIVES },
    { SLICE("tricky.example"), ALL_ODD, SHAPE_FIRST_LIVES | SHAPE_ODD },
    { SLICE("twins.example"), ALL_TWINS, SHAPE_FIRST_LIVES | SHAPE_TWINS },
    { SLICE("lower.example"), 200, SHAPE_FIRST_LIVES | SHAPE_LOWER },
    { SLICE("lost.example"), 40, SHAPE_ALL_LOST },
    { SLICE("big.example"), 20000, SHAPE_FIRST_LIVES },
    { SLICE("empty.example"), 0, SHAPE_ORDINARY },
    { SLICE("unknown.example"), 0, SHAPE_UNKNOWN },
    { SLICE("ratings.example"), 60, SHAPE_ALL_LIVE | SHAPE_HALVES },
    { SLICE("nulls.example"), 40, SHAPE_FIRST_LIVES | SHAPE_NULLS },
    { SLICE("dupes.example"), 60, SHAPE_ALL_LIVE | SHAPE_DUPES },
};

/* What is made when it is asked for. */
struct later {
    const struct link **by_anchor, **by_domain, **outward;
    size_t n_outward;
    struct slice *texts[2];
};

static uint32_t throw_size(uint64_t *dice)
{
    uint32_t bits = 1 + dice_throw(dice, 12);
    return 1 + dice_throw(dice, 1u << bits);
}

/* Texts seen so far: open addressing over indexes into world.anchors, 0 is free, else index + 1. */
struct seen {
    uint32_t *slots;
    size_t mask;
};

/* The slot where `text` is or would be. */
static uint32_t *seen_slot(const struct seen *seen, const struct world *w, struct slice text)
{
    size_t at = dice_text(7, text) & seen->mask;
    while (seen->slots[at] && !slice_eq(w->anchors[seen->slots[at] - 1], text))
        at = (at + 1) & seen->mask;
    return &seen->slots[at];
}

/* The anchor of a name: its first label with a capital, the domain, its URL. */
static bool brand_anchor(const struct world *w, uint32_t i, struct buffer *text)
{
    struct slice rest;
    if (i > 3)
        return false;
    if (i == 0)
        letters_title(text, slice_split(w->root, '.', &rest));
    else if (i == 1)
        buffer_append(text, w->root);
    else if (i == 2)
        buffer_printf(text, "https://%.*s/", SLICE_ARGS(w->root));
    return true; /* the fourth is the empty anchor */
}

static void long_anchor(struct buffer *text, uint64_t *dice)
{
    for (uint32_t n = 20 + dice_throw(dice, 60); n; n--) {
        words_phrase(text, dice);
        buffer_put(text, ' ');
    }
}

static void change_case(struct buffer *text, struct slice of, uint64_t *dice)
{
    if (dice_throw(dice, 2))
        letters_upper(text, of);
    else
        letters_title(text, of);
}

static void invent_anchor(const struct world *w, uint32_t i, struct buffer *text, uint64_t *dice)
{
    uint64_t of_root = dice_text(1, w->root);
    uint32_t kind = dice_throw(dice, 100);
    if (w->shape & SHAPE_ODD)
        buffer_append(text, odd_anchors[i]);
    else if (w->shape & SHAPE_TWINS)
        buffer_append(text, twin_anchors[i]);
    else if (w->shape & SHAPE_LOWER && i == 0)
        words_plain(text, &of_root, 2, ' ');
    else if (w->shape & SHAPE_LOWER)
        words_phrase(text, dice);
    else if (brand_anchor(w, i, text))
        return;
    else if (kind < 12)
        buffer_append(text, odd_anchors[dice_throw(dice, (uint32_t)n_odd_anchors)]);
    else if (kind < 26)
        change_case(text, w->anchors[dice_throw(dice, i < w->n_anchors ? i : (uint32_t)w->n_anchors)], dice);
    else if (kind < 27)
        long_anchor(text, dice);
    else
        words_phrase(text, dice);
}

/* Add the i-th anchor unless folding makes it one that is there; its index comes back. */
static uint32_t add_anchor(struct world *w, const struct options *o, const struct seen *seen, uint32_t i,
                           uint64_t *dice)
{
    struct buffer text = buffer_with_cap(0), folded = buffer_with_cap(0);
    invent_anchor(w, i, &text, dice);
    for (bool fold = o->anchor_case == ANCHOR_CASE_FOLD;;) {
        if (fold) {
            folded.n = 0;
            letters_lower(&folded, buffer_slice(&text));
        }
        struct slice final = buffer_slice(fold ? &folded : &text);
        uint32_t *slot = seen_slot(seen, w, final);
        if (!*slot) {
            w->anchors[w->n_anchors] = arena_dup(w->memory, final);
            *slot = (uint32_t)++w->n_anchors;
        } else if (!fold) {
            buffer_printf(&text, " %u", i);
            continue;
        }
        uint32_t index = *slot - 1;
        buffer_clear(&text);
        buffer_clear(&folded);
        return index;
    }
}

static uint32_t links_of_anchor(const struct world *w, uint32_t i, uint64_t *dice)
{
    if (w->shape & SHAPE_HOME_ONLY)
        return 3;
    return 1 + dice_throw(dice, i < 4 ? 40 : i < 30 ? 12 : 5);
}

static int64_t second_of(int year, int month, int day)
{
    return (int64_t)day_from_civil((struct civil){ year, month, day }).n * 86400;
}

static bool throw_lost(const struct world *w, bool is_first, uint64_t *dice)
{
    uint32_t fate = dice_throw(dice, 100);
    if (w->shape & SHAPE_ALL_LIVE || (w->shape & SHAPE_FIRST_LIVES && is_first))
        return false;
    return w->shape & SHAPE_ALL_LOST || fate < 30;
}

static void invent_link(const struct world *w, struct link *l, uint32_t n_domains, bool is_first, uint64_t *dice)
{
    static const uint8_t host_odds[] = { 0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 0 };
    const int64_t begin = second_of(2012, 1, 1), end = second_of(2026, 5, 1), last = second_of(2026, 7, 1);
    l->first_seen = begin + dice_throw(dice, (uint32_t)(end - begin));
    bool lost = throw_lost(w, is_first, dice);
    int64_t lost_at = l->first_seen + 3600 + dice_throw(dice, (uint32_t)(last - l->first_seen - 3600));
    l->last_seen = lost ? lost_at : 0;
    l->domain = (uint32_t)(dice_join(dice_text(w->seed, w->root), dice_throw(dice, n_domains)) % DOMAINS);
    l->page = (uint8_t)dice_throw(dice, 4);
    l->host = host_odds[dice_throw(dice, sizeof host_odds)];
    l->path = dice_throw(dice, 2) ? 0 : (uint8_t)dice_throw(dice, N_PATHS);
    l->https = dice_throw(dice, 5) > 0;
    l->is_dofollow = dice_throw(dice, 4) > 0;
    l->dice = dice_mix(*dice);
    if (w->shape & SHAPE_HOME_ONLY) {
        l->host = l->path = 0;
        l->https = true;
    }
    if (w->shape & SHAPE_DUPES) {
        l->domain = l->domain % 60 * 1000;
        l->page %= 2;
        l->host = 0;
        l->path %= 3;
        l->https = true;
    }
    l->to_broken = site_is_broken(site_code(w, l->host, l->path));
}

static int by_anchor(const void *a, const void *b)
{
    const struct link *x = a, *y = b;
    if (x->anchor != y->anchor)
        return x->anchor < y->anchor ? -1 : 1;
    return x->dice < y->dice ? -1 : x->dice > y->dice;
}

static bool invent(struct world *w, const struct options *o, uint32_t n_anchors)
{
    size_t slots = 16, room = (size_t)n_anchors * 6 + 512;
    while (slots < (size_t)n_anchors * 2)
        slots *= 2;
    struct seen seen = { arena_array(w->memory, uint32_t, slots), slots - 1 };
    w->anchors = arena_array(w->memory, struct slice, n_anchors + 1);
    w->links = arena_array(w->memory, struct link, room);
    if (!seen.slots || !w->anchors || !w->links)
        return false;
    uint64_t dice = dice_text(w->seed, w->root);
    uint32_t n_domains = n_anchors * 2 + 2;
    for (uint32_t i = 0; i < n_anchors; i++) {
        uint32_t anchor = add_anchor(w, o, &seen, i, &dice);
        uint32_t count = links_of_anchor(w, i, &dice);
        for (uint32_t k = 0; k < count; k++) {
            assert(w->n_links < room);
            struct link *l = &w->links[w->n_links++];
            l->anchor = anchor;
            invent_link(w, l, n_domains, k == 0, &dice);
        }
    }
    qsort(w->links, w->n_links, sizeof *w->links, by_anchor);
    return !arena_failed(w->memory);
}

static bool make_keys(struct world *w, enum collation collation)
{
    struct buffer key = buffer_with_cap(0);
    if (collation == COLLATION_BYTES)
        return true;
    w->keys = arena_array(w->memory, struct slice, w->n_anchors + 1);
    for (size_t i = 0; w->keys && i < w->n_anchors; i++) {
        key.n = 0;
        letters_key(&key, collation, w->anchors[i]);
        w->keys[i] = arena_dup(w->memory, buffer_slice(&key));
    }
    buffer_clear(&key);
    return !arena_failed(w->memory);
}

struct world *world_new(const struct options *options, struct slice root)
{
    struct arena *memory = arena_new(MAX_WORLD_BYTES);
    struct world *w = memory ? arena_zalloc(memory, sizeof *w) : NULL;
    if (!w) {
        arena_free(memory);
        return NULL;
    }
    w->memory = memory;
    w->root = arena_dup(memory, root);
    w->seed = options->seed;
    uint64_t size_dice = dice_text(options->seed + 1, root);
    uint32_t n_anchors = throw_size(&size_dice);
    for (size_t i = 0; i < sizeof sites / sizeof sites[0]; i++) {
        if (slice_eq(root, sites[i].root)) {
            n_anchors = sites[i].anchors == ALL_ODD     ? (uint32_t)n_odd_anchors
                        : sites[i].anchors == ALL_TWINS ? (uint32_t)n_twin_anchors
                                                        : sites[i].anchors;
            w->shape = sites[i].shape;
        }
    }
    w->is_known = !(w->shape & SHAPE_UNKNOWN);
    w->has_halves = w->shape & SHAPE_HALVES;
    w->has_nulls = w->shape & SHAPE_NULLS;
    w->later = arena_zalloc(memory, sizeof *w->later);
    if (!w->root.p || !w->later || !invent(w, options, n_anchors) || !make_keys(w, options->collation)) {
        arena_free(memory);
        return NULL;
    }
    return w;
}

bool world_is_known(struct slice root)
{
    for (size_t i = 0; i < sizeof sites / sizeof sites[0]; i++)
        if (slice_eq(root, sites[i].root))
            return !(sites[i].shape & SHAPE_UNKNOWN);
    return true;
}

void world_free(struct world *world)
{
    if (world)
        arena_free(world->memory);
}

static int by_domain(const void *a, const void *b)
{
    const struct link *x = *(const struct link *const *)a, *y = *(const struct link *const *)b;
    if (x->domain != y->domain)
        return x->domain < y->domain ? -1 : 1;
    return by_anchor(x, y);
}

static const struct link **point_to(const struct world *w, const struct link *links, size_t n)
{
    const struct link **list = arena_array(w->memory, const struct link *, n + 1);
    for (size_t i = 0; list && i < n; i++)
        list[i] = &links[i];
    return list;
}

struct link_list world_by_anchor(const struct world *world)
{
    struct later *later = world->later;
    if (!later->by_anchor)
        later->by_anchor = point_to(world, world->links, world->n_links);
    return (struct link_list){ later->by_anchor, world->n_links };
}

struct link_list world_by_domain(const struct world *world)
{
    struct later *later = world->later;
    if (!later->by_domain) {
        later->by_domain = point_to(world, world->links, world->n_links);
        if (later->by_domain)
            qsort(later->by_domain, world->n_links, sizeof *later->by_domain, by_domain);
    }
    return (struct link_list){ later->by_domain, world->n_links };
}

/* A link from one of the site's pages to another domain. */
static struct link invent_outward(const struct world *w, uint32_t n_domains, uint64_t *dice)
{
    const int64_t begin = second_of(2012, 1, 1), end = second_of(2026, 5, 1);
    struct link l = { .first_seen = begin + dice_throw(dice, (uint32_t)(end - begin)) };
    l.anchor = dice_throw(dice, (uint32_t)w->n_anchors);
    l.domain = (uint32_t)(dice_join(dice_text(w->seed + 2, w->root), dice_throw(dice, n_domains)) % DOMAINS);
    l.page = (uint8_t)dice_throw(dice, 4);
    l.host = dice_throw(dice, 3) ? 0 : (uint8_t)dice_throw(dice, N_HOSTS);
    l.path = (uint8_t)dice_throw(dice, N_PATHS);
    l.https = dice_throw(dice, 5) > 0;
    l.is_dofollow = dice_throw(dice, 4) > 0;
    l.dice = dice_mix(*dice);
    if (w->shape & SHAPE_HOME_ONLY) {
        l.host = l.path = 0;
        l.https = true;
    }
    return l;
}

static void invent_all_outward(const struct world *w)
{
    uint64_t dice = dice_text(w->seed + 2, w->root);
    size_t n = w->n_anchors ? 2 + w->n_links / 3 : 0;
    struct link *links = arena_array(w->memory, struct link, n + 1);
    for (size_t i = 0; links && i < n; i++)
        links[i] = invent_outward(w, (uint32_t)(n / 3 + 2), &dice);
    w->later->outward = links ? point_to(w, links, n) : NULL;
    w->later->n_outward = n;
    if (w->later->outward)
        qsort(w->later->outward, n, sizeof *w->later->outward, by_domain);
}

struct link_list world_outward(const struct world *world)
{
    if (!world->later->outward)
        invent_all_outward(world);
    return (struct link_list){ world->later->outward, world->later->n_outward };
}

const struct slice *world_texts(const struct world *world, unsigned which,
                                void (*make)(struct buffer *to, const struct world *world, const struct link *link))
{
    struct slice *made = world->later->texts[which];
    struct buffer text = buffer_with_cap(0);
    if (made)
        return made;
    made = arena_array(world->memory, struct slice, world->n_links + 1);
    for (size_t i = 0; made && i < world->n_links; i++) {
        text.n = 0;
        make(&text, world, &world->links[i]);
        made[i] = arena_dup(world->memory, buffer_slice(&text));
    }
    buffer_clear(&text);
    if (arena_failed(world->memory))
        return NULL;
    world->later->texts[which] = made;
    return made;
}

/* Whether `host`, a full name, is the i-th known host of the site, or above it. */
static bool host_fits(const struct world *w, size_t i, struct slice host, bool or_above)
{
    struct slice sub = slice_of(host.p, host.n - w->root.n);
    struct slice known = site_hosts[i];
    return or_above ? slice_ends(known, sub) && (!sub.n || sub.n == known.n || known.p[known.n - sub.n - 1] == '.')
                    : slice_eq(known, sub);
}

void scope_aim(struct scope *scope, const struct world *world, const struct target *target, enum mode mode)
{
    /* A prefix without a path is taken for the home page alone. */
    bool whole_url = mode == MODE_EXACT || (mode == MODE_PREFIX && target->is_home);
    scope->hosts = scope->paths = 0;
    for (size_t i = 0; i < N_HOSTS; i++)
        if (host_fits(world, i, target->host, mode == MODE_SUBDOMAINS))
            scope->hosts |= 1u << i;
    for (size_t i = 0; i < N_PATHS; i++)
        if (whole_url ? slice_eq(site_paths[i], target->path)
                      : mode != MODE_PREFIX || slice_starts(site_paths[i], target->path))
            scope->paths |= 1u << i;
}

void link_url_to(struct buffer *to, const struct world *world, const struct link *link)
{
    buffer_str(to, link->https ? "https://" : "http://");
    buffer_append(to, site_hosts[link->host]);
    buffer_append(to, world->root);
    buffer_append(to, site_paths[link->path]);
}
