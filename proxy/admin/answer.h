/* SPDX-License-Identifier: MIT
 *
 * A question to the admin side, and its answer, without sockets.
 */
#ifndef ANCHORAGE_PROXY_ADMIN_ANSWER_H
#define ANCHORAGE_PROXY_ADMIN_ANSWER_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

/* What was asked; all as sent, not decoded; empty: not sent. Borrowed during admin_ask only. */
struct admin_question {
    bool is_read;               /* GET or HEAD; otherwise POST */
    struct slice host;          /* of the header Host, with its port */
    struct slice authorization; /* of the header of that name, as are the five below */
    struct slice origin, fetch_site, cookie, if_none_match, forwarded_proto;
    struct slice path;
    struct slice query; /* p NULL: none */
    struct slice body;
    int64_t now_ms; /* Unix time */
};

struct admin_answer {
    int status;
    struct slice content_type; /* a literal, as the two below */
    struct slice cache;        /* Cache-Control */
    struct slice allow;        /* with Allow; empty: without */
    struct slice etag;         /* its text without the quotes, lives for ever; empty: without */
    int retry_s;               /* with Retry-After; 0: without */
    bool says_who;             /* with WWW-Authenticate: ADMIN_AUTHENTICATE */
    struct buffer location;    /* with Location; empty: without */
    struct buffer cookie;      /* with Set-Cookie; empty: without */
    struct buffer body;
};

#define ADMIN_ALLOW "GET, HEAD"
#define ADMIN_READ_ONLY "the admin side is read only: GET or HEAD"
#define ADMIN_AUTHENTICATE "Bearer realm=\"anchorage\""

/* An answer whose body is still to be written; not to be kept by anybody. */
struct admin_answer admin_begin(int status, struct slice content_type);

/* What cannot be answered: {"error": why}. */
struct admin_answer admin_error(int status, struct slice why);

void admin_answer_clear(struct admin_answer *a);

#endif
