/* SPDX-License-Identifier: MIT
 *
 * Reports of v3: what can be asked of it, and the fields of what it answers.
 */
#ifndef ANCHORAGE_MAPPING_REPORT_H
#define ANCHORAGE_MAPPING_REPORT_H

#include <stdint.h>

#include "base/slice.h"

enum { REPORT_MAX_FIELDS = 60 };

/* A set of fields, columns or stats: bit i is number i. */
static inline uint64_t bit(int i)
{
    return (uint64_t)1 << i;
}
#define BIT(i) ((uint64_t)1 << (i))

enum value_type {
    VALUE_TEXT,
    VALUE_WHOLE,
    VALUE_DATE,   /* a moment, to the second */
    VALUE_BOOL,   /* 0 or 1 */
    VALUE_RATING, /* v3 has a fraction, v2 had a whole number: rounded half up */
    VALUE_NUMBER, /* with a fraction */
    VALUE_DAY,    /* v2 alone: the day of a moment */
    VALUE_LIST,   /* v3 alone: a list of texts, of which the first is shown */
};

/* A value in memory. */
union cell {
    struct slice text; /* VALUE_TEXT, VALUE_DATE, VALUE_LIST */
    struct {
        int64_t whole; /* VALUE_WHOLE, VALUE_BOOL, VALUE_RATING */
        double number; /* VALUE_RATING, VALUE_NUMBER: as it came */
    };
};

/* v3's word and v2's for it. Several of v3 may be one of v2. */
struct word {
    struct slice v3, v2;
};

/* A v3 column as rows bring it. */
struct field {
    struct slice v3;
    enum value_type type;
    int units;                /* a row */
    bool nullable;            /* null stands for 0, false or no text */
    int stand_in;             /* the field that stands in for null instead, and 1 */
    const struct word *words; /* v2 had other words; up to one without v3 */
};

/* v2's word for v3's; the same where there is none. */
struct slice field_word(const struct field *f, struct slice v3);

enum report_shape {
    REPORT_ROWS,   /* {"KEY":[{row},…]} */
    REPORT_OBJECT, /* {"KEY":{…}} */
    REPORT_RECORD, /* the target record, which many calls share (mapping/record.h) */
};

struct report {
    enum report_shape shape;
    struct slice path; /* behind the URL of v3 */
    struct slice key;
    const struct field *fields;
    size_t n_fields;
    struct slice parameters; /* of every request, as in a query: "history=live" */
    bool dated;              /* with date= the day of the call */
    bool sorts_by_one;       /* order_by takes one column */
    int most_rows;           /* of one answer, whatever the plan; 0: none is known */
};

/* One order of a list: a field and a direction. */
struct field_order {
    int field;
    bool descending;
};

/* Numbers of a part as they are handed on, shared and remembered. */
enum { PART_MAX_FIELDS = 24 };
struct part_values {
    int64_t rows; /* that were added up; 1 of an object */
    uint64_t known, nulls;
    union cell of[PART_MAX_FIELDS]; /* by field; never a text */
};

/* v3's least price of a request, in units. */
enum { REPORT_LEAST_UNITS = 50 };

#endif
