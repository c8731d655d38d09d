/* SPDX-License-Identifier: MIT
 *
 * What a call becomes, what it may cost and what cannot be kept, for people (text), programs (JSON) and a shell (curl
 * lines). Nothing is sent.
 */
#ifndef ANCHORAGE_MAPPING_EXPLAIN_H
#define ANCHORAGE_MAPPING_EXPLAIN_H

#include "mapping/plan.h"

enum { EXPLAIN_WIDTH = 100, EXPLAIN_LEAST_WIDTH = 40 };

struct explain_options {
    struct plan_options plan;
    enum mode default_mode;
    int64_t units_per_call; /* 0: no ceiling */
    bool too_long_refuse;   /* too_long = refuse */
    struct slice v3_url;    /* what stands before the paths */
    size_t width;           /* of a line of text, in characters; 0: EXPLAIN_WIDTH */
    int64_t line;           /* of several calls, where this one stands: its verdict alone is said; 0: the only one */
};

/* Explain `call`: a v2 URL, its query alone, or a curl command. Appends to `out`; FAULT_NONE, or why the call would be
 * refused (which is appended as well). The call's token is not shown. */
enum fault explain_text(struct slice call, const struct explain_options *options, struct buffer *out);
enum fault explain_json(struct slice call, const struct explain_options *options, struct buffer *out);

/* The requests to v3 as commands, the key in $AHREFS_V3_KEY. */
enum fault explain_curl(struct slice call, const struct explain_options *options, struct buffer *out);

#endif
