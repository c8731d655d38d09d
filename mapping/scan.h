/* SPDX-License-Identifier: MIT
 *
 * The row scanner: reads {"KEY":[{row},{row},…]} as its bytes come and hands out each row's values; never builds a
 * tree. Strict RFC 8259, but that a text may be broken: any split of the input gives the same rows and the same
 * verdict. What is not asked for is checked and skipped.
 */
#ifndef ANCHORAGE_MAPPING_SCAN_H
#define ANCHORAGE_MAPPING_SCAN_H

#include <stdint.h>

#include "base/buffer.h"
#include "mapping/report.h"

enum {
    SCAN_MAX_DEPTH = 32,
    SCAN_MAX_TOKEN = 64 * 1024,         /* bytes of one string or number */
    SCAN_MAX_TEXT = 3 * SCAN_MAX_TOKEN, /* of a decoded text: each of its bytes may have become U+FFFD */
    SCAN_MAX_UNKNOWN = 32               /* keys of one object that are not asked for */
};

/* One value of a row. What stands for null is a 0 or an empty text. */
struct scan_value {
    struct slice
        text;      /* VALUE_TEXT, VALUE_LIST: decoded UTF-8; VALUE_DATE: YYYY-MM-DDTHH:MM:SSZ. Valid during on_row. */
    int64_t whole; /* VALUE_WHOLE, VALUE_BOOL; VALUE_RATING: rounded */
    double number; /* VALUE_RATING, VALUE_NUMBER */
    bool plain;    /* text needs no escape in JSON */
    bool broken;   /* VALUE_TEXT: what was no UTF-8 in it, or half of a surrogate pair, became U+FFFD */
    bool null;
    struct slice raw; /* VALUE_DATE: as it came, when a fraction was cut; else empty. Valid during on_row. */
};

struct scan_options {
    struct slice key; /* of the list */
    const struct field *fields;
    size_t n_fields;
    uint64_t wanted; /* bit i: fields[i] must be in each row */
    /* A whole row; values of fields not wanted are unset. Return false to stop: the scanner fails with `why` NULL. */
    bool (*on_row)(void *context, const struct scan_value *values);
    void *context;
};

struct scanner;

/* NULL when memory is out. Copies `options`; the names must live as long as the scanner. */
struct scanner *scanner_new(const struct scan_options *options);

/* NULL is allowed. */
void scanner_free(struct scanner *s);

/* The next bytes. False when they cannot be what was asked for; then and from then on scanner_why says why. */
[[nodiscard]] bool scanner_feed(struct scanner *s, struct slice bytes);

/* No more bytes come. False when the document is not whole. */
[[nodiscard]] bool scanner_end(struct scanner *s);

/* Rows handed out so far. */
int64_t scanner_rows(const struct scanner *s);

/* What was wrong, a literal; NULL when nothing was, or when on_row stopped it. */
const char *scanner_why(const struct scanner *s);

#endif
