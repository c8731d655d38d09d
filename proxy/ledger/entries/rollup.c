/* SPDX-License-Identifier: MIT
 * The arithmetic of the hourly sums, and a hash table of them. */
#include "proxy/ledger/entries/rollup.h"

#include <stdlib.h>

#include "base/day.h"
#include "proxy/ledger/entries/bounds.h"

void sums_add_entry(struct sums *s, const struct entry *e)
{
    if (entry_is_end(e)) {
        s->calls++;
        s->faults += e->fault.n > 0;
        s->results = bounds_sum(s->results, e->results);
        s->units_alone = bounds_sum(s->units_alone, e->units_alone);
        s->units_predicted = bounds_sum(s->units_predicted, e->units_predicted);
    }
    int64_t units = entry_units_used(e);
    s->rows = bounds_sum(s->rows, entry_rows_used(e));
    s->units = bounds_sum(s->units, units);
    if (e->kind == ENTRY_UNKNOWN || (e->kind == ENTRY_SETTLE && e->units == ENTRY_NULL))
        s->units_unknown = bounds_sum(s->units_unknown, units);
}

void sums_add(struct sums *s, const struct sums *more)
{
    s->calls = bounds_sum(s->calls, more->calls);
    s->results = bounds_sum(s->results, more->results);
    s->rows = bounds_sum(s->rows, more->rows);
    s->units = bounds_sum(s->units, more->units);
    s->units_predicted = bounds_sum(s->units_predicted, more->units_predicted);
    s->units_alone = bounds_sum(s->units_alone, more->units_alone);
    s->units_unknown = bounds_sum(s->units_unknown, more->units_unknown);
    s->faults = bounds_sum(s->faults, more->faults);
}

static uint32_t hash(const struct rollup_key *k)
{
    uint64_t h = (uint64_t)k->hour * 0x9E3779B97F4A7C15u;
    h = (h ^ (uint32_t)k->team) * 0xFF51AFD7ED558CCDu;
    h = (h ^ h >> 32 ^ (uint32_t)k->key) * 0xC4CEB9FE1A85EC53u;
    h = (h ^ h >> 32 ^ (uint32_t)k->table) * 0xFF51AFD7ED558CCDu;
    return (uint32_t)(h >> 32);
}

static bool same(const struct rollup_key *a, const struct rollup_key *b)
{
    return a->hour == b->hour && a->team == b->team && a->key == b->key && a->table == b->table;
}

/* The slot it is in or would go to. */
static uint32_t slot_of(const struct rollup_set *set, const struct rollup_key *at)
{
    uint32_t i = hash(at) & (set->n_slots - 1);
    while (set->slots[i] && !same(&set->rows[set->slots[i] - 1].at, at))
        i = (i + 1) & (set->n_slots - 1);
    return i;
}

static bool grow(struct rollup_set *set)
{
    uint32_t room = set->room ? set->room * 2 : 64;
    struct rollup *rows = realloc(set->rows, room * sizeof *rows);
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

/* The one with this key, made if need be; NULL when memory is out. */
static struct rollup *rollup_at(struct rollup_set *set, const struct rollup_key *at)
{
    if (set->n == set->room && !grow(set))
        return NULL;
    uint32_t slot = slot_of(set, at);
    if (!set->slots[slot]) {
        set->rows[set->n] = (struct rollup){ .at = *at };
        set->slots[slot] = ++set->n;
    }
    return &set->rows[set->slots[slot] - 1];
}

bool rollup_set_add_at(struct rollup_set *set, const struct rollup_key *at, const struct entry *e)
{
    struct rollup *r = rollup_at(set, at);
    if (!r)
        return false;
    sums_add_entry(&r->sums, e);
    if (!r->first_seq)
        r->first_seq = e->seq;
    r->last_seq = e->seq;
    return true;
}

bool rollup_set_add_sums(struct rollup_set *set, const struct rollup_key *at, const struct sums *sums)
{
    struct rollup *r = rollup_at(set, at);
    if (r)
        sums_add(&r->sums, sums);
    return r;
}

bool rollup_set_add(struct rollup_set *set, const struct entry *e)
{
    struct rollup_key at = {
        .hour = hour_of_ms(e->time_ms), .team = e->team_id, .key = e->key_id, .table = e->table_id
    };
    return rollup_set_add_at(set, &at, e);
}

int64_t month_of_ms(int64_t ms)
{
    struct civil c = day_to_civil(day_of_ms(ms));
    return (int64_t)c.year * 12 + c.month - 1;
}

const struct rollup *rollup_set_find(const struct rollup_set *set, const struct rollup_key *at)
{
    if (!set->n_slots)
        return NULL;
    uint32_t index = set->slots[slot_of(set, at)];
    return index ? &set->rows[index - 1] : NULL;
}

void rollup_set_reset(struct rollup_set *set)
{
    if (set->n)
        memset(set->slots, 0, set->n_slots * sizeof *set->slots);
    set->n = 0;
}

void rollup_set_clear(struct rollup_set *set)
{
    free(set->rows);
    free(set->slots);
    *set = (struct rollup_set){ 0 };
}

void rollup_keep_bounds(struct rollup *r)
{
    static const struct sums nothing;
    struct sums sums = nothing;
    r->at.hour = bounds_hour(r->at.hour);
    sums_add(&sums, &r->sums);
    r->sums = sums;
}
