/* SPDX-License-Identifier: MIT
 *
 * An own request asks v3 something for ourselves, not for a client, and is free of charge as far as is known. It goes
 * through the key's rate like any other, and what it costs after all is booked to the team (anchorage).
 */
#ifndef ANCHORAGE_PROXY_ACCOUNT_OWN_REQUEST_H
#define ANCHORAGE_PROXY_ACCOUNT_OWN_REQUEST_H

#include "base/buffer.h"
#include "proxy/account/account.h"
#include "proxy/ledger/ledger.h"

#define OWN_TEAM "(anchorage)"

/* V3 answers it with what it says of the key, free of charge. */
#define LIMITS_PATH "/subscription-info/limits-and-usage?output=json"

/* How it ended. `result` and `body` are valid during the callback. */
struct own_answer {
    const struct upstream_result *result;
    struct slice body;
    bool ledger_down; /* the request was not sent, or its price could not be written down */
};

typedef void own_request_done(void *context, const struct own_answer *answer);

struct own_request {
    struct account *account;
    struct ledger *ledger;
    struct upstream_get *get; /* NULL: not under way */
    bool is_busy, is_held;
    char id[LEDGER_ID_SIZE];
    struct slice purpose, target;
    struct buffer path, body, why;
    int64_t within_ms, began_ms;
    struct upstream_result result;
    own_request_done *done;
    void *context;
};

struct own_question {
    struct slice path;    /* with the query */
    struct slice purpose; /* it stands in the books as the table; a literal */
    struct slice target;  /* a literal */
    bool hold;            /* write an entry in the books before it is sent; else only when it did cost */
    size_t max_bytes;
    int64_t within_ms;
};

/* Start a request. `r` is the caller's; it must not be busy, and must stay until `done` was called or the ledger is
 * closed. `done` is called once, from the loop. False when memory is out. */
[[nodiscard]] bool own_request_start(struct own_request *r, struct account *account, struct ledger *ledger,
                                     const struct own_question *question, own_request_done *done, void *context);

/* Free what the request holds, and end what is under way without a callback. Call it after ledger_close and before
 * accounts_close. */
void own_request_clear(struct own_request *r);

#endif
