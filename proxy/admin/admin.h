/* SPDX-License-Identifier: MIT
 *
 * The admin side without its sockets: a path and a query in, an answer out. It knows what may be asked and in which
 * form it is answered; the numbers come from its owner. docs/admin.md says what each answer means.
 */
#ifndef ANCHORAGE_PROXY_ADMIN_ADMIN_H
#define ANCHORAGE_PROXY_ADMIN_ADMIN_H

#include "base/buffer.h"
#include "base/slice.h"
#include "proxy/admin/answer.h"
#include "proxy/admin/metrics.h"

struct sign_in;

/* Which of the latest calls; empty: any. */
struct admin_calls {
    struct slice team, key, fault;
    enum admin_only { ADMIN_ALL, ADMIN_FAULTS, ADMIN_INEXACT, ADMIN_PAID, ADMIN_UNKNOWN } only;
    int64_t limit;
};

/* What the owner of the numbers does. */
struct admin_owner {
    /* Whether a call would be served now; if not, `why` gets the reason. */
    bool (*is_ready)(void *context, struct buffer *why);
    void (*gather)(void *context, struct metrics *m);
    /* What a v2 URL or query becomes, as JSON. */
    void (*explain)(void *context, struct slice call, struct buffer *out);
    /* Run a command on the books that reads (usage, overview, key list), which ends in admin_usage_answer, perhaps
     * before this returns. argv lives during the call.
     * False when too many are under way: then it never ends. */
    bool (*usage)(void *context, void *asker, bool is_csv, int argc, const char *const *argv);
    /* The latest calls as JSON, whole. */
    void (*calls)(void *context, const struct admin_calls *choice, struct buffer *out);
    void *context;
    /* Asked for by all paths but those a load balancer asks. Empty: none is; then only names of this machine are
     * answered to. */
    struct slice token;
    struct sign_in *sign_in; /* begun with the token; NULL without one */
};

/* Answer a question. False when the answer comes later or has come: the owner's `usage` was given `asker`, and
 * `answer` is untouched. It is the caller's to clear. */
[[nodiscard]] bool admin_ask(const struct admin_owner *owner, const struct admin_question *q, void *asker,
                             struct admin_answer *answer);

/* The answer to a question of usage: the command's exit status, output and messages. The bytes of a good output are
 * taken over, for they may be many. */
struct admin_answer admin_usage_answer(bool is_csv, int status, struct buffer *out, struct slice err);

#endif
