/* SPDX-License-Identifier: MIT
 * The inside of the row scanner, shared by scan.c (the machine) and scan_row.c (whole rows at once). */
#ifndef ANCHORAGE_MAPPING_SCAN_INSIDE_H
#define ANCHORAGE_MAPPING_SCAN_INSIDE_H

#include "mapping/scan.h"

enum scan_lexing { LEX_BETWEEN, LEX_STRING, LEX_BARE };

enum scan_expect {
    EXPECT_VALUE,
    EXPECT_VALUE_OR_END, /* just behind [ */
    EXPECT_KEY,
    EXPECT_KEY_OR_END, /* just behind { */
    EXPECT_COLON,
    EXPECT_COMMA_OR_END_OBJECT,
    EXPECT_COMMA_OR_END_ARRAY,
    EXPECT_NOTHING /* the document is whole */
};

struct scanner {
    struct scan_options o;
    enum scan_lexing lexing;
    enum scan_expect expect;
    bool failed;
    const char *why;

    /* A token that the last bytes ended in the middle of. */
    struct buffer carry;
    bool escaped, after_backslash;

    bool is_object[SCAN_MAX_DEPTH];
    int depth;
    int skip_depth; /* the depth of the container that is skipped, 0: none */
    bool in_list, list_done, key_is_list;

    /* Of the object that is being read. */
    uint64_t seen;
    int field; /* of the key just read, -1: not asked for */
    struct scan_unknown {
        int n;
        struct buffer keys; /* each: its length as uint32_t, its bytes */
    } unknown[2];           /* of the document, of the row */

    bool in_texts; /* of a VALUE_LIST; its first text is the value */
    bool has_first;
    bool has_stand_ins; /* of fields that may be null */

    struct scan_value values[REPORT_MAX_FIELDS];
    struct buffer kept[REPORT_MAX_FIELDS]; /* values[].text of a row that came in pieces */
    char dates[REPORT_MAX_FIELDS][20];     /* values[].text of a date whose fraction was cut */
    struct buffer decoded;
    int64_t rows;

    /* The order in which the first row had its fields; later rows are tried with it first. */
    int order[REPORT_MAX_FIELDS];
    int n_order;
    struct slice leads[REPORT_MAX_FIELDS]; /* what stands before each value then: {"name": or ,"name": */
    struct buffer lead_texts;
    bool order_unusable; /* it had keys that nobody asked for */
};

bool scan_fail(struct scanner *s, const char *why);

/* Check and hand out what `values` and `seen` hold. */
bool scan_give_row(struct scanner *s);

/* Fails where a scalar may not stand as the value it would be. */
bool scan_may_be_scalar(struct scanner *s);

/* Null where the field allows it. */
bool scan_null(struct scanner *s, int field);

/* Bring a date into the form YYYY-MM-DDTHH:MM:SSZ (the fraction cut), or fail. */
bool scan_date(struct scanner *s, struct scan_value *v);

/* A key of the first row was seen: field index, or -1. */
void scan_learn_order(struct scanner *s, int field);

/* Try the whole row that begins at in.p[0] == '{': its length when it was there and handed out; 0 when it has to be
 * read token by token (or, with s->failed, when it was refused). */
size_t scan_whole_row(struct scanner *s, struct slice in);

#endif
