/* SPDX-License-Identifier: MIT
 * The worlds made so far, in rings: the oldest gives its place to the newest. */
#include "tests/sandbox/store.h"

#include <stdlib.h>

enum { MAX_WORLDS = 64, MAX_GROUPINGS = 16, MAX_SORTINGS = 4 };

struct kept_sorting {
    struct order order;
    const struct row **rows;
};

struct kept_grouping {
    struct grouping grouping; /* first: callers hold this */
    const struct world *world;
    struct kept_sorting sortings[MAX_SORTINGS];
    size_t next_sorting;
};

struct kept_world {
    struct world *world;
    struct kept_grouping groupings[MAX_GROUPINGS];
    size_t next_grouping;
};

struct store {
    const struct options *options;
    struct kept_world worlds[MAX_WORLDS];
    size_t next_world;
};

struct store *store_new(const struct options *options)
{
    struct store *s = calloc(1, sizeof *s);
    if (s)
        s->options = options;
    return s;
}

static void forget_grouping(struct kept_grouping *kept)
{
    for (size_t i = 0; i < MAX_SORTINGS; i++)
        free(kept->sortings[i].rows);
    grouping_clear(&kept->grouping);
    *kept = (struct kept_grouping){ 0 };
}

static void forget_world(struct kept_world *kept)
{
    for (size_t i = 0; i < MAX_GROUPINGS; i++)
        forget_grouping(&kept->groupings[i]);
    world_free(kept->world);
    *kept = (struct kept_world){ 0 };
}

void store_free(struct store *store)
{
    for (size_t i = 0; store && i < MAX_WORLDS; i++)
        forget_world(&store->worlds[i]);
    free(store);
}

const struct world *store_world(struct store *store, struct slice root)
{
    for (size_t i = 0; i < MAX_WORLDS; i++)
        if (store->worlds[i].world && slice_eq(store->worlds[i].world->root, root))
            return store->worlds[i].world;
    struct kept_world *kept = &store->worlds[store->next_world++ % MAX_WORLDS];
    forget_world(kept);
    kept->world = world_new(store->options, root);
    return kept->world;
}

static bool same_scope(const struct scope *a, const struct scope *b)
{
    return a->hosts == b->hosts && a->paths == b->paths && a->protocol == b->protocol && a->as_of == b->as_of &&
           a->lost_too == b->lost_too && a->since == b->since && a->only_broken == b->only_broken;
}

const struct grouping *store_grouping(struct store *store, const struct world *world, enum rows kind,
                                      const struct scope *scope)
{
    struct kept_world *home = store->worlds;
    while (home->world != world)
        home++;
    for (size_t i = 0; i < MAX_GROUPINGS; i++)
        if (home->groupings[i].world && home->groupings[i].grouping.kind == kind &&
            same_scope(&home->groupings[i].grouping.scope, scope))
            return &home->groupings[i].grouping;
    struct kept_grouping *kept = &home->groupings[home->next_grouping++ % MAX_GROUPINGS];
    forget_grouping(kept);
    if (!grouping_make(world, kind, scope, store->options, NULL, &kept->grouping))
        return NULL;
    kept->world = world;
    return &kept->grouping;
}

static bool same_order(const struct order *a, const struct order *b)
{
    for (size_t i = 0; i < a->n && a->n == b->n; i++)
        if (a->terms[i].column != b->terms[i].column || a->terms[i].descending != b->terms[i].descending)
            return false;
    return a->n == b->n;
}

const struct row *const *store_sorted(struct store *store, const struct grouping *grouping, const struct order *order)
{
    for (size_t w = 0; w < MAX_WORLDS; w++) {
        for (size_t g = 0; g < MAX_GROUPINGS; g++) {
            struct kept_grouping *kept = &store->worlds[w].groupings[g];
            if (&kept->grouping != grouping)
                continue;
            for (size_t i = 0; i < MAX_SORTINGS; i++)
                if (kept->sortings[i].rows && same_order(&kept->sortings[i].order, order))
                    return kept->sortings[i].rows;
            struct kept_sorting *sorting = &kept->sortings[kept->next_sorting++ % MAX_SORTINGS];
            free(sorting->rows);
            sorting->order = *order;
            sorting->rows = rows_sorted(kept->world, store->options, grouping, order);
            return sorting->rows;
        }
    }
    return NULL;
}
