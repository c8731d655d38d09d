/* SPDX-License-Identifier: MIT
 *
 * What v3 says in its HTTP: the headers we read, and what a status and an error body mean. Pure but for
 * the wall clock that Retry-After's dates are held against, which is passed in.
 */
#ifndef ANCHORAGE_PROXY_UPSTREAM_REPLY_H
#define ANCHORAGE_PROXY_UPSTREAM_REPLY_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "mapping/fault.h"

enum {
    REPLY_MAX_HEADER_BYTES = 65536,
    REPLY_MAX_ERROR_BYTES = 8192, /* of an error body; the rest is not looked at */
    REPLY_MAX_WORDS = 200,        /* characters of it that we pass on */
    REPLY_MAX_WHY = 1024,
};

enum reply_type { REPLY_TYPE_NONE, REPLY_TYPE_JSON, REPLY_TYPE_OTHER };

struct reply {
    int status; /* 0: none yet */
    enum reply_type type;
    int64_t units, units_nominal, rows; /* -1: no such header */
    int64_t retry_after_ms;             /* -1: no such header */
    bool cache_hit;
    bool has_head; /* the status and all headers; what came before the body counts, not what comes behind it */
    size_t header_bytes;
    size_t n_error;                    /* bytes in `error` */
    char error[REPLY_MAX_ERROR_BYTES]; /* how the body begins */
};

/* What a whole answer means. */
struct verdict {
    enum fault fault;
    bool may_have_cost;
    bool may_retry; /* nothing was charged, and asking again may help */
    bool is_down;   /* v3 is in trouble: the breaker counts it */
};

void reply_init(struct reply *r);

/* One header line or status line as it came, line end included. False when the headers are too long. */
[[nodiscard]] bool reply_header(struct reply *r, struct slice line, int64_t wall_ms);

/* Whether the body is what was asked for, and not an error to be read for its words. */
static inline bool reply_is_good(const struct reply *r)
{
    return r->status == 200 && r->type != REPLY_TYPE_OTHER;
}

/* Bytes of a body; keeps the first ones. False when it has enough. */
bool reply_error_bytes(struct reply *r, struct slice bytes);

/* Whether the body of a good answer that has come to its end is an error all the same: an object with "error" in it. */
[[nodiscard]] bool reply_hides_error(const struct reply *r);

/* Append v3's words: the text of {"error":...}, {"message":...}, ["Error", ...] or the body itself without
 * markup; valid UTF-8, no controls, at most 200 characters. Nothing when there are none, or when they tell of `secret`
 * (leak.h). */
void reply_words(const struct reply *r, struct slice secret, struct buffer *out);

struct verdict reply_judge(const struct reply *r);

/* Retry-After in either form, in ms from now; -1 when it is neither. */
int64_t reply_retry_after(struct slice value, int64_t wall_ms);

#endif
