/* SPDX-License-Identifier: MIT
 *
 * What a call becomes, what it may cost and what cannot be kept, for people (text) and programs (JSON). Nothing is
 * sent.
 */
#ifndef ANCHORAGE_MAPPING_EXPLAIN_H
#define ANCHORAGE_MAPPING_EXPLAIN_H

#include "mapping/plan.h"

struct explain_options {
    struct plan_options plan;
    enum mode default_mode;
    int64_t units_per_call; /* 0: no ceiling */
    bool too_long_refuse;   /* too_long = refuse */
    struct slice v3_url;    /* what stands before the paths */
};

/* Explain `call`: a v2 URL, or its query alone. Appends to `out`; FAULT_NONE, or why the call would be refused (which
 * is appended as well). */
enum fault explain_text(struct slice call, const struct explain_options *options, struct buffer *out);
enum fault explain_json(struct slice call, const struct explain_options *options, struct buffer *out);

#endif
