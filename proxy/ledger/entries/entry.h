/* SPDX-License-Identifier: MIT
 *
 * One entry of the books, as it is written, read back and exported.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_ENTRIES_ENTRY_H
#define ANCHORAGE_PROXY_LEDGER_ENTRIES_ENTRY_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

/* The numbers stand in the database: never change one. */
enum entry_kind {
    ENTRY_HOLD = 1,
    ENTRY_SETTLE = 2,
    ENTRY_RELEASE = 3,
    ENTRY_UNKNOWN = 4,
    ENTRY_CORRECT = 5,
    ENTRY_NOTE = 6
};

enum entry_via { VIA_NONE = 0, VIA_UPSTREAM = 1, VIA_SHARED = 2, VIA_CACHE = 3 };

/* An amount that is null in the export. */
#define ENTRY_NULL INT64_MIN

/* Empty slices are null in the export. */
struct entry {
    int64_t seq, time_ms;
    enum entry_kind kind;
    enum entry_via via;
    struct slice id, ref, team, key, client, table, target;
    struct slice shape;      /* to be written: the text; read back: the id */
    struct slice shape_text; /* read back: the text, which lives as long as the store is open */
    int64_t rows;            /* or ENTRY_NULL (notes) */
    int64_t units;           /* or ENTRY_NULL */
    int64_t units_predicted, units_alone, results;
    struct slice paid_by, approximate, fault;
    bool where, having;
    int64_t duration_ms;
    struct slice call;  /* of an end that is to be written: the call as it came, without its token. Never read back. */
    int64_t call_bytes; /* of it, also when it was too long to be brought; 0: it is not known */

    /* Filled by the store when it writes or reads. */
    int32_t team_id, key_id, table_id;
    uint64_t sum; /* of this entry and all before it */
};

/* "hold"; NULL for a number that is no kind. */
const char *entry_kind_word(enum entry_kind kind);
/* "upstream"; NULL for VIA_NONE. */
const char *entry_via_word(enum entry_via via);
enum entry_via entry_via_of_word(const char *word);

/* Whether it ends the holds of its call. */
static inline bool entry_is_end(const struct entry *e)
{
    return e->kind == ENTRY_SETTLE || e->kind == ENTRY_RELEASE || e->kind == ENTRY_UNKNOWN;
}

/* Whether it is a hold that stands in place of all holds of its call before it: then its ref is the call's own id. */
static inline bool entry_is_rehold(const struct entry *e)
{
    return e->kind == ENTRY_HOLD && e->ref.n > 0;
}

/* What counts as used of a month's rows and units: nothing for holds, releases and notes; the prediction where the
 * price is not known. */
int64_t entry_rows_used(const struct entry *e);
int64_t entry_units_used(const struct entry *e);

/* A copy in one allocation, its text included; free() it. NULL when memory is out. */
struct entry *entry_copy(const struct entry *e);

/* The same in two steps: `text` has room for entry_text_bytes(e). */
size_t entry_text_bytes(const struct entry *e);
void entry_copy_to(struct entry *to, char *text, const struct entry *e);

/* One line of the export with its end of line. */
void entry_json(struct buffer *b, const struct entry *e);
void entry_csv_header(struct buffer *b);
void entry_csv(struct buffer *b, const struct entry *e);

/* A JSON string, whatever the bytes; what a terminal acts on is escaped. */
void entry_json_text(struct buffer *b, struct slice s);

/* A CSV field of text, quoted when it must be. One that a spreadsheet would take for a formula gets a ' before it; what
 * a terminal acts on is replaced. */
void csv_field(struct buffer *b, struct slice s);

/* Bring all numbers of an entry but its seq within their bounds (bounds.h): they were read from a file that may have
 * been changed. */
void entry_keep_bounds(struct entry *e);

#endif
