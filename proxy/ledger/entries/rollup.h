/* SPDX-License-Identifier: MIT
 *
 * Sums of entries by hour, team, key and table: kept by the store beside the entries, and added up again by verify.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_ENTRIES_ROLLUP_H
#define ANCHORAGE_PROXY_LEDGER_ENTRIES_ROLLUP_H

#include "proxy/ledger/entries/entry.h"

struct rollup_key {
    int64_t hour; /* since 1970 */
    int32_t team, key, table;
};

struct sums {
    int64_t calls, results, rows, units, units_predicted, units_alone, units_unknown, faults;
};

struct rollup {
    struct rollup_key at;
    struct sums sums;
    int64_t first_seq, last_seq;
};

struct rollup_set {
    struct rollup *rows;
    uint32_t n, room;
    uint32_t *slots; /* index + 1, or 0 */
    uint32_t n_slots;
};

/* Add what the entry counts for; every entry widens first_seq and last_seq. */
void sums_add_entry(struct sums *s, const struct entry *e);
void sums_add(struct sums *s, const struct sums *more);

static inline int64_t hour_of_ms(int64_t ms)
{
    return ms >= 0 ? ms / 3600000 : -((-ms + 3599999) / 3600000);
}

[[nodiscard]] bool rollup_set_add(struct rollup_set *set, const struct entry *e);

/* The same under a key of the caller's choice. */
[[nodiscard]] bool rollup_set_add_at(struct rollup_set *set, const struct rollup_key *at, const struct entry *e);
/* Add sums instead of an entry. */
[[nodiscard]] bool rollup_set_add_sums(struct rollup_set *set, const struct rollup_key *at, const struct sums *sums);

/* The calendar month of a time, as years * 12 + months from 0: stands in place of the hour where months are added up.
 */
int64_t month_of_ms(int64_t ms);
const struct rollup *rollup_set_find(const struct rollup_set *set, const struct rollup_key *at);

/* Empty it, keeping its memory. */
void rollup_set_reset(struct rollup_set *set);
void rollup_set_clear(struct rollup_set *set);

/* Likewise of a row of sums. */
void rollup_keep_bounds(struct rollup *r);

#endif
