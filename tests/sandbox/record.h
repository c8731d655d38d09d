/* SPDX-License-Identifier: MIT
 *
 * All that batch-analysis tells of one target, counted from the same links as everything else. */
#ifndef SANDBOX_RECORD_H
#define SANDBOX_RECORD_H

#include <assert.h>

#include "tests/sandbox/site.h"

enum field {
#define FIELD(name, type, units) FIELD_##name,
#include "tests/sandbox/batch.def"
#undef FIELD
    N_FIELDS
};

static_assert(N_FIELDS <= 64, "a set of fields is a 64-bit mask");

enum field_type { FIELD_TYPE_TEXT, FIELD_TYPE_WHOLE, FIELD_TYPE_REAL, FIELD_TYPE_PAIRS };

struct field_info {
    struct slice name;
    enum field_type type; /* PAIRS: a list of country and number, with the country in the value's text */
    unsigned units;
};

extern const struct field_info fields_of_record[N_FIELDS];

static inline uint64_t field_bit(enum field f)
{
    return (uint64_t)1 << f;
}

struct record {
    struct value values[N_FIELDS];
};

/* The field of that name, or -1. */
int field_find(struct slice name);

/* What a target costs. */
unsigned fields_units(uint64_t set);

/* Whether a country has search results of its own: two lower-case letters. */
bool country_is_known(struct slice country);

/* Fill the fields of `wanted` but for index, mode, protocol and url; all are 0 when `world` is NULL: nothing is known.
 * The scope is aimed; country p NULL: all countries. False when memory is out. */
[[nodiscard]] bool record_fill(struct record *record, struct arena *memory, const struct world *world,
                               const struct target *target, const struct scope *scope, struct slice country,
                               uint64_t wanted);

#endif
