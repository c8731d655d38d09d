/* SPDX-License-Identifier: MIT
 *
 * One v3 call and its answer, before anybody has broken it. */
#ifndef SANDBOX_ANSWER_H
#define SANDBOX_ANSWER_H

#include "tests/sandbox/account.h"
#include "tests/sandbox/query.h"
#include "tests/sandbox/store.h"
#include "tests/sandbox/target.h"

enum cache { CACHE_NONE, CACHE_MISS, CACHE_HIT };

struct answer {
    int status;
    struct buffer body;
    const char *content_type;
    bool has_cost; /* the five headers: */
    uint64_t rows, cost_row, cost_total, cost_actual;
    enum cache cache;
    uint64_t spent;      /* what it really took */
    uint64_t retry_ms;   /* 429: when there is room */
    uint64_t timeout_ms; /* the parameter timeout, 0: none */
};

/* Everything an endpoint needs. */
struct call {
    const struct options *options;
    struct store *store;
    struct account *account;
    struct arena *memory; /* of the call */
    const struct query *query;
    const struct report *report; /* of an endpoint that lists rows */
    struct slice body;           /* of a POST */
    struct slice request;        /* as it came: what makes two calls the same */
    int key;
    int64_t now_ms;    /* monotonic */
    uint64_t delay_ms; /* that the answer will take */
    struct answer *answer;
};

/* Endpoints; they always leave an answer. */
void answer_rows(struct call *call);
void answer_batch(struct call *call);
void answer_backlinks_stats(struct call *call);
void answer_limits_and_usage(struct call *call);

/* An answer {"error": text}; returns false, for the caller to return. */
bool answer_error(struct call *call, int status, struct slice text);

/* Append a JSON string to the body, written as --json wants it. */
void answer_string(struct call *call, struct slice text);

/* Say what the answer costs, and spend it. per_row: units of a row's columns. */
void answer_cost(struct call *call, uint64_t rows, uint64_t per_row, bool is_free, bool is_hit);

/* Refuse with 403 when fewer than `units` are left. */
[[nodiscard]] bool answer_affords(struct call *call, uint64_t units);

#endif
