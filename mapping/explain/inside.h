/* SPDX-License-Identifier: MIT
 *
 * A call, explained, between the file that finds out (explain.c) and those that write it (text.c, json.c).
 */
#ifndef ANCHORAGE_MAPPING_EXPLAIN_INSIDE_H
#define ANCHORAGE_MAPPING_EXPLAIN_INSIDE_H

#include "mapping/explain.h"
#include "mapping/translation.h"

enum { MAX_PARTS = 320, MAX_NOTES = 160, MAX_LINES = 8 };

enum how { HOW_EXACT, HOW_NEAR, HOW_IGNORED, HOW_UNREAD };

/* What is to be said of a part: a mark, or a name that is ignored. */
struct note {
    struct slice name, say;
    bool ignored;
};

/* A part of the call beside what it becomes, both without the token and as they can be shown. */
struct piece {
    struct slice v2, v3; /* v3 empty: nothing */
    struct slice raw;    /* where it stands in the text that was read; p NULL: nowhere */
    enum how how;
    int notes[TABLE_MAX_COLUMNS], n_notes; /* indices */
};

/* One line of a sum. */
struct line {
    struct slice what;
    int64_t milli; /* thousandths */
};

struct sum {
    struct line lines[MAX_LINES];
    int n;
};

/* The part of a value that a refusal is about. */
struct spot {
    struct slice parameter, value; /* parameter empty: not known */
    size_t at, length;             /* characters of the value */
};

struct explained {
    struct arena *memory;
    struct slice text, query; /* as given; the parameters of it */
    const struct explain_options *options;
    struct params params;
    struct call call;
    struct plan plan;
    struct refusal refusal;
    struct spot spot;
    struct v3_request requests[ASK_COUNT];
    const char *purposes[ASK_COUNT];
    int n;
    bool planned, parsed;
    int64_t rows, units;
    struct sum rows_sum, units_sum;
    int64_t rows_paid_for; /* results that units_per_call pays for, when these are fewer than limit; else 0 */
    struct slice marks;
    struct slice ignored; /* parameters that v2 did not have */
    struct piece *parts;
    int n_parts;
    struct note *notes;
    int n_notes, n_near; /* of these, marks */
};

/* Read, plan and take apart; explained_end gives back what it holds. `text` and `o` must live until then. */
void explained_make(struct slice text, const struct explain_options *o, struct explained *e);
enum fault explained_end(struct explained *e);

/* How many characters valid UTF-8 has. */
size_t explained_characters(struct slice s);

/* Percent-decoded where that is possible. */
struct slice explained_decoded(struct slice raw, struct arena *memory);

/* Append the request as a command, the key in $AHREFS_V3_KEY. */
void explained_curl(const struct explained *e, const struct v3_request *r, struct buffer *out);

#endif
