/* SPDX-License-Identifier: MIT
 * A hash table of counts, and what marks say. */
#include "proxy/ledger/entries/trace.h"

#include <stdlib.h>

static uint32_t hash(const struct trace_key *k)
{
    uint64_t h = (uint64_t)k->hour * 0x9E3779B97F4A7C15u;
    h = (h ^ (uint32_t)k->team ^ (uint64_t)(uint32_t)k->fault << 32) * 0xFF51AFD7ED558CCDu;
    h = (h ^ h >> 32 ^ (uint32_t)k->key ^ (uint64_t)(uint32_t)k->via << 32) * 0xC4CEB9FE1A85EC53u;
    h = (h ^ h >> 32 ^ (uint32_t)k->table ^ (uint64_t)(uint32_t)k->more << 32) * 0xFF51AFD7ED558CCDu;
    return (uint32_t)(h >> 32);
}

static bool same(const struct trace_key *a, const struct trace_key *b)
{
    return a->hour == b->hour && a->team == b->team && a->key == b->key && a->table == b->table &&
           a->fault == b->fault && a->more == b->more && a->via == b->via;
}

/* The slot it is in or would go to. */
static uint32_t slot_of(const struct trace_set *set, const struct trace_key *at)
{
    uint32_t i = hash(at) & (set->n_slots - 1);
    while (set->slots[i] && !same(&set->rows[set->slots[i] - 1].at, at))
        i = (i + 1) & (set->n_slots - 1);
    return i;
}

static bool grow(struct trace_set *set)
{
    uint32_t room = set->room ? set->room * 2 : 64;
    struct trace *rows = realloc(set->rows, room * sizeof *rows);
    if (!rows)
        return false;
    set->rows = rows;
    uint32_t *slots = calloc((size_t)room * 2, sizeof *slots);
    if (!slots)
        return false;
    free(set->slots);
    set->slots = slots;
    set->n_slots = room * 2;
    set->room = room;
    for (uint32_t i = 0; i < set->n; i++)
        set->slots[slot_of(set, &set->rows[i].at)] = i + 1;
    return true;
}

bool trace_set_add(struct trace_set *set, const struct trace_key *at, int64_t calls, int64_t last_ms)
{
    if (set->n == set->room && !grow(set))
        return false;
    uint32_t slot = slot_of(set, at);
    if (!set->slots[slot]) {
        set->rows[set->n] = (struct trace){ .at = *at };
        set->slots[slot] = ++set->n;
    }
    struct trace *row = &set->rows[set->slots[slot] - 1];
    row->calls += calls;
    if (last_ms > row->last_ms)
        row->last_ms = last_ms;
    return true;
}

bool trace_set_has(const struct trace_set *set, const struct trace_key *at)
{
    return set->n_slots && set->slots[slot_of(set, at)];
}

void trace_set_reset(struct trace_set *set)
{
    if (set->n)
        memset(set->slots, 0, set->n_slots * sizeof *set->slots);
    set->n = 0;
}

void trace_set_clear(struct trace_set *set)
{
    free(set->rows);
    free(set->slots);
    *set = (struct trace_set){ 0 };
}

bool trace_is_of_rows(struct slice mark)
{
    static const struct slice whole[] = { SLICE("anchor.case"), SLICE("mode"), SLICE("rows") };
    static const struct slice clauses[] = { SLICE("where."), SLICE("having."), SLICE("order_by."), SLICE("twice.") };
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        if (slice_eq(mark, whole[i]))
            return true;
    for (size_t i = 0; i < sizeof clauses / sizeof clauses[0]; i++)
        if (slice_starts(mark, clauses[i]))
            return true;
    return false;
}
