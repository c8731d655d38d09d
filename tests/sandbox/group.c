/* SPDX-License-Identifier: MIT
 * Groups links. They come in an order in which those of a row stand together, so one walk is enough. */
#include "tests/sandbox/group.h"

#include <stdlib.h>

enum { DOMAIN_NUMBERS = 1 << 18 };

/* The counts of one walk. */
struct walk {
    const struct world *world;
    const struct scope *scope;
    const struct options *options;
    const struct sieve *sieve;
    enum rows kind;
    uint64_t *pages; /* of the row at hand */
    uint64_t *domains_seen;
};

struct link_subject {
    const struct world *world;
    const struct link *link;
    int64_t as_of;
    struct scratch scratch;
};

static struct value value_of_link(void *ctx, enum column column)
{
    struct link_subject *s = ctx;
    return attribute_value(s->world, s->link, s->as_of, column, &s->scratch);
}

static bool link_passes(const struct walk *w, const struct link *link)
{
    struct link_subject at;
    at.world = w->world;
    at.link = link;
    at.as_of = w->scope->as_of;
    struct filter_subject subject = { .value = value_of_link, .ctx = &at };
    for (size_t i = 0; i < w->sieve->n_links; i++)
        if (!filter_holds(w->sieve->on_links[i], w->options, &subject))
            return false;
    return true;
}

/* Rows that are one link each, or show one. */
static bool shows_links(enum rows kind)
{
    return kind == ROWS_LINKS || kind == ROWS_SIMILAR || kind == ROWS_ONE_PER_DOMAIN;
}

/* Add filter parts, those of an AND one by one. */
static bool sift(const struct filter *f, const struct options *options, enum rows kind, struct sieve *sieve,
                 struct slice *why)
{
    if (f->joint == JOINT_AND) {
        for (size_t i = 0; i < f->n_parts; i++)
            if (!sift(&f->parts[i], options, kind, sieve, why))
                return false;
        return true;
    }
    bool is_early = f->levels == LEVEL_LINK && kind != ROWS_LINKS &&
                    !(shows_links(kind) && options->group_filters == GROUP_FILTERS_AFTER);
    if (!shows_links(kind) && f->levels == (LEVEL_LINK | LEVEL_ROW) && options->mixed_levels == MIXED_LEVELS_REFUSE) {
        *why = S("bad where: a condition on links and one on anchors in the same or, not");
        return false;
    }
    if (sieve->n_links + sieve->n_rows == MAX_FILTER_PARTS) {
        *why = S("bad where: too long");
        return false;
    }
    if (is_early)
        sieve->on_links[sieve->n_links++] = f;
    else
        sieve->on_rows[sieve->n_rows++] = f;
    return true;
}

bool sieve_make(const struct filter *filter, const struct options *options, enum rows kind, struct sieve *sieve,
                struct slice *why)
{
    sieve->n_links = sieve->n_rows = 0;
    return !filter || sift(filter, options, kind, sieve, why);
}

static void count_link(struct walk *w, struct row *row, const struct link *link)
{
    const struct scope *scope = w->scope;
    bool live = link_is_live(link, scope->as_of);
    double rating = attribute_domain_rating(w->world, link);
    w->pages[row->links_to_target++] = link_page(link);
    w->domains_seen[link->domain / 64] |= (uint64_t)1 << link->domain % 64;
    row->dofollow_links += link->is_dofollow;
    row->new_links += scope->lost_too && link->first_seen >= scope->since;
    row->lost_links += !live;
    if (live)
        row->is_lost = false;
    else if (link->last_seen > row->last_seen)
        row->last_seen = link->last_seen;
    if (link->first_seen < row->first_seen)
        row->first_seen = link->first_seen;
    if (rating > row->top_domain_rating)
        row->top_domain_rating = rating;
    row->is_spam |= attribute_is_spam(w->world, link);
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void count_pages(uint64_t *pages, struct row *row)
{
    size_t n = (size_t)row->links_to_target;
    if (n > 1)
        qsort(pages, n, sizeof *pages, by_number);
    for (size_t i = 0; i < n; i++) {
        row->refpages += i == 0 || pages[i] != pages[i - 1];
        row->refdomains += i == 0 || pages[i] >> 8 != pages[i - 1] >> 8;
    }
}

/* Whether `link` rather than `other` stands for a row; `other` NULL: none yet. */
static bool shows_better(const struct walk *w, const struct link *link, const struct link *other)
{
    if (!other)
        return true;
    double a = attribute_url_rating(w->world, link), b = attribute_url_rating(w->world, other);
    if (w->options->shown_link == SHOWN_LINK_OLDEST && link->first_seen != other->first_seen)
        return link->first_seen < other->first_seen;
    return w->options->shown_link == SHOWN_LINK_RATING && a != b ? a > b : link->dice < other->dice;
}

/* The row of the links first to end; false when none counts. */
static bool count_row(struct walk *w, const struct link *const *first, const struct link *const *end, struct row *row)
{
    bool some_pass = !w->sieve || !w->sieve->n_links;
    bool narrow = !some_pass && (shows_links(w->kind) || w->options->link_filters == LINK_FILTERS_NARROW);
    *row = (struct row){ .first = first, .end = end, .is_lost = true, .first_seen = INT64_MAX };
    for (const struct link *const *at = first; at < end; at++) {
        if (!scope_has(w->scope, *at) || (narrow && !link_passes(w, *at)))
            continue;
        some_pass = some_pass || narrow || link_passes(w, *at);
        count_link(w, row, *at);
        if (shows_links(w->kind) ? shows_better(w, *at, row->shown) : !row->shown)
            row->shown = *at;
    }
    count_pages(w->pages, row);
    return some_pass && row->links_to_target;
}

static bool same_row(enum rows kind, const struct link *a, const struct link *b)
{
    switch (kind) {
    case ROWS_ANCHORS:
        return a->anchor == b->anchor;
    case ROWS_DOMAINS:
    case ROWS_ONE_PER_DOMAIN:
    case ROWS_LINKED:
        return a->domain == b->domain;
    case ROWS_SIMILAR:
        return a->domain == b->domain && a->anchor == b->anchor;
    case ROWS_LINKS:
    case ROWS_PAGES:
        break;
    }
    return false;
}

static struct link_list links_for(const struct world *world, enum rows kind)
{
    return kind == ROWS_LINKED                          ? world_outward(world)
           : kind == ROWS_ANCHORS || kind == ROWS_LINKS ? world_by_anchor(world)
                                                        : world_by_domain(world);
}

/* How many rows the links make at most. */
static size_t count_rows(enum rows kind, const struct link_list *list)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        n += i == 0 || !same_row(kind, list->links[i - 1], list->links[i]);
    return n;
}

bool grouping_make(const struct world *world, enum rows kind, const struct scope *scope, const struct options *options,
                   const struct sieve *sieve, struct grouping *grouping)
{
    struct walk w = { .world = world, .scope = scope, .options = options, .sieve = sieve, .kind = kind };
    struct link_list list = links_for(world, kind);
    struct grouping g = { .kind = kind, .scope = *scope, .rows = calloc(count_rows(kind, &list) + 1, sizeof *g.rows) };
    w.pages = calloc(list.n + 1, sizeof *w.pages);
    w.domains_seen = calloc(DOMAIN_NUMBERS / 64, sizeof *w.domains_seen);
    bool good = list.links && g.rows && w.pages && w.domains_seen;
    const struct link *const *end = list.links + list.n;
    for (const struct link *const *first = list.links, *const *next; good && first < end; first = next) {
        for (next = first + 1; next < end && same_row(kind, *first, *next); next++)
            ;
        if (count_row(&w, first, next, &g.rows[g.n_rows]))
            g.links += (uint64_t)g.rows[g.n_rows++].links_to_target;
    }
    for (size_t i = 0; good && i < DOMAIN_NUMBERS / 64; i++)
        g.refdomains += (uint64_t)__builtin_popcountll(w.domains_seen[i]);
    free(w.pages);
    free(w.domains_seen);
    if (good)
        *grouping = g;
    else
        free(g.rows);
    return good;
}

bool grouping_make_pages(const struct world *world, const struct target *target, enum mode mode,
                         const struct scope *scope, struct grouping *grouping)
{
    struct page *pages = calloc(site_pages_max(world) + 1, sizeof *pages);
    size_t n = pages ? site_pages(world, target, mode, scope, pages) : 0;
    struct row *rows = calloc(n + 1, sizeof *rows);
    for (size_t i = 0; rows && i < n; i++)
        rows[i].page = pages[i];
    free(pages);
    if (!pages || !rows) {
        free(rows);
        return false;
    }
    *grouping = (struct grouping){ .kind = ROWS_PAGES, .scope = *scope, .rows = rows, .n_rows = n };
    return true;
}

void grouping_clear(struct grouping *grouping)
{
    free(grouping->rows);
    *grouping = (struct grouping){ 0 };
}

struct row_subject {
    struct walk walk;
    const struct grouping *grouping;
    const struct row *row;
    struct scratch scratch;
};

static struct value value_of_row(void *ctx, enum column column)
{
    struct row_subject *s = ctx;
    return row_value(s->walk.world, s->grouping, s->row, column, &s->scratch);
}

static bool any_link_of_row(void *ctx, const struct filter *leaf)
{
    struct row_subject *s = ctx;
    struct sieve alone = { .on_links = { leaf }, .n_links = 1 };
    struct walk walk = s->walk;
    walk.sieve = &alone;
    for (const struct link *const *at = s->row->first; at < s->row->end; at++)
        if (scope_has(walk.scope, *at) && link_passes(&walk, *at))
            return true;
    return false;
}

bool row_passes(const struct world *world, const struct grouping *grouping, const struct options *options,
                const struct sieve *sieve, const struct row *row)
{
    struct row_subject at;
    if (!sieve->n_rows)
        return true;
    at.walk = (struct walk){ .world = world, .scope = &grouping->scope, .options = options, .kind = grouping->kind };
    at.grouping = grouping;
    at.row = row;
    struct filter_subject subject = { .value = value_of_row, .ctx = &at };
    if (!shows_links(grouping->kind) && grouping->kind != ROWS_PAGES)
        subject.any_link = any_link_of_row;
    for (size_t i = 0; i < sieve->n_rows; i++)
        if (!filter_holds(sieve->on_rows[i], options, &subject))
            return false;
    return true;
}
