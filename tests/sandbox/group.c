/* SPDX-License-Identifier: MIT
 * Groups links by anchor. A world's links lie by anchor, so one walk is enough. */
#include "tests/sandbox/group.h"

#include <stdlib.h>

#include "tests/sandbox/attribute.h"
#include "tests/sandbox/dice.h"

enum { DOMAIN_NUMBERS = 1 << 18 };

/* The counts of one walk. */
struct walk {
    const struct world *world;
    const struct scope *scope;
    const struct options *options;
    const struct sieve *sieve;
    uint64_t *pages; /* of the anchor at hand */
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

/* Add filter parts, those of an AND one by one. */
static bool sift(const struct filter *f, const struct options *options, struct sieve *sieve, struct slice *why)
{
    if (f->joint == JOINT_AND) {
        for (size_t i = 0; i < f->n_parts; i++)
            if (!sift(&f->parts[i], options, sieve, why))
                return false;
        return true;
    }
    if (f->levels == (LEVEL_LINK | LEVEL_ROW) && options->mixed_levels == MIXED_LEVELS_REFUSE) {
        *why = S("bad where: a condition on links and one on anchors in the same or, not");
        return false;
    }
    if (sieve->n_links + sieve->n_rows == MAX_FILTER_PARTS) {
        *why = S("bad where: too long");
        return false;
    }
    if (f->levels == LEVEL_LINK)
        sieve->on_links[sieve->n_links++] = f;
    else
        sieve->on_rows[sieve->n_rows++] = f;
    return true;
}

bool sieve_make(const struct filter *filter, const struct options *options, struct sieve *sieve, struct slice *why)
{
    sieve->n_links = sieve->n_rows = 0;
    return !filter || sift(filter, options, sieve, why);
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

/* The row of the links first to end, all of one anchor; false when none counts. */
static bool count_anchor(struct walk *w, const struct link *first, const struct link *end, struct row *row)
{
    bool some_pass = !w->sieve || !w->sieve->n_links;
    bool narrow = !some_pass && w->options->link_filters == LINK_FILTERS_NARROW;
    *row =
        (struct row){ .first = first, .end = end, .anchor = first->anchor, .is_lost = true, .first_seen = INT64_MAX };
    for (const struct link *link = first; link < end; link++) {
        if (!scope_has(w->scope, link) || (narrow && !link_passes(w, link)))
            continue;
        some_pass = some_pass || narrow || link_passes(w, link);
        count_link(w, row, link);
    }
    count_pages(w->pages, row);
    return some_pass && row->links_to_target;
}

bool grouping_make(const struct world *world, const struct scope *scope, const struct options *options,
                   const struct sieve *sieve, struct grouping *grouping)
{
    struct walk w = { .world = world, .scope = scope, .options = options, .sieve = sieve };
    struct grouping g = { .scope = *scope, .rows = calloc(world->n_anchors + 1, sizeof *g.rows) };
    w.pages = calloc(world->n_links + 1, sizeof *w.pages);
    w.domains_seen = calloc(DOMAIN_NUMBERS / 64, sizeof *w.domains_seen);
    bool good = g.rows && w.pages && w.domains_seen;
    const struct link *end = world->links + world->n_links;
    for (const struct link *first = world->links, *next; good && first < end; first = next) {
        for (next = first; next < end && next->anchor == first->anchor; next++)
            ;
        if (count_anchor(&w, first, next, &g.rows[g.n_rows]))
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

void grouping_clear(struct grouping *grouping)
{
    free(grouping->rows);
    *grouping = (struct grouping){ 0 };
}

struct value row_value(const struct world *world, const struct row *row, enum column column)
{
    struct value v = { 0 };
    switch ((int)column) {
    case COLUMN_anchor:
        v.text = world->anchors[row->anchor];
        break;
    case COLUMN_links_to_target:
        v.whole = row->links_to_target;
        break;
    case COLUMN_dofollow_links:
        v.whole = row->dofollow_links;
        break;
    case COLUMN_new_links:
        v.whole = row->new_links;
        break;
    case COLUMN_lost_links:
        v.whole = row->lost_links;
        break;
    case COLUMN_refdomains:
        v.whole = row->refdomains;
        break;
    case COLUMN_refpages:
        v.whole = row->refpages;
        break;
    case COLUMN_first_seen:
        v.whole = row->first_seen;
        break;
    case COLUMN_last_seen:
        v.is_null = !row->is_lost;
        v.whole = row->last_seen;
        break;
    case COLUMN_top_domain_rating:
        v.real = row->top_domain_rating;
        break;
    case COLUMN_is_spam:
        v.truth = row->is_spam;
        break;
    }
    return v;
}

struct row_subject {
    struct walk walk;
    const struct row *row;
};

static struct value value_of_row(void *ctx, enum column column)
{
    struct row_subject *s = ctx;
    return row_value(s->walk.world, s->row, column);
}

static bool any_link_of_row(void *ctx, const struct filter *leaf)
{
    struct row_subject *s = ctx;
    struct sieve alone = { .on_links = { leaf }, .n_links = 1 };
    struct walk walk = s->walk;
    walk.sieve = &alone;
    for (const struct link *link = s->row->first; link < s->row->end; link++)
        if (scope_has(walk.scope, link) && link_passes(&walk, link))
            return true;
    return false;
}

bool row_passes(const struct world *world, const struct scope *scope, const struct options *options,
                const struct sieve *sieve, const struct row *row)
{
    struct row_subject at = { .walk = { .world = world, .scope = scope, .options = options }, .row = row };
    struct filter_subject subject = { .value = value_of_row, .any_link = any_link_of_row, .ctx = &at };
    for (size_t i = 0; i < sieve->n_rows; i++)
        if (!filter_holds(sieve->on_rows[i], options, &subject))
            return false;
    return true;
}

struct sorting {
    const struct world *world;
    const struct order *order;
};

static int compare_anchors(const struct world *world, uint32_t a, uint32_t b)
{
    int c = world->keys ? slice_cmp(world->keys[a], world->keys[b]) : 0;
    return c ? c : slice_cmp(world->anchors[a], world->anchors[b]);
}

/* Nulls are the greatest, so that they come first when descending. */
static int compare_values(enum type type, const struct value *a, const struct value *b)
{
    if (a->is_null || b->is_null)
        return a->is_null - b->is_null;
    if (type == TYPE_REAL)
        return (a->real > b->real) - (a->real < b->real);
    if (type == TYPE_TRUTH)
        return a->truth - b->truth;
    return (a->whole > b->whole) - (a->whole < b->whole);
}

static int compare_rows(const void *a, const void *b, void *ctx)
{
    const struct sorting *s = ctx;
    const struct row *x = *(const struct row *const *)a, *y = *(const struct row *const *)b;
    for (size_t i = 0; i < s->order->n; i++) {
        enum column column = s->order->terms[i].column;
        struct value left = row_value(s->world, x, column), right = row_value(s->world, y, column);
        int c = column == COLUMN_anchor ? compare_anchors(s->world, x->anchor, y->anchor)
                                        : compare_values(columns[column].type, &left, &right);
        if (c)
            return s->order->terms[i].descending ? -c : c;
    }
    uint64_t p = dice_mix(x->anchor), q = dice_mix(y->anchor);
    return (p > q) - (p < q);
}

const struct row **rows_sorted(const struct world *world, const struct grouping *grouping, const struct order *order)
{
    struct sorting s = { world, order };
    const struct row **rows = calloc(grouping->n_rows + 1, sizeof *rows);
    for (size_t i = 0; rows && i < grouping->n_rows; i++)
        rows[i] = &grouping->rows[i];
    if (rows)
        qsort_r(rows, grouping->n_rows, sizeof *rows, compare_rows, &s);
    return rows;
}
