/* SPDX-License-Identifier: MIT
 * What all answers have in common: errors, strings and prices. */
#include "tests/sandbox/answer.h"

#include "base/text.h"

enum { LEAST_COST = 50 };

static void put_escaped(struct buffer *b, struct slice text)
{
    for (size_t at = 0, n; at < text.n; at += n) {
        uint32_t c = utf8_decode(text.p + at, &n);
        if (c == '/')
            buffer_str(b, "\\/");
        else if (c < 0x7f)
            buffer_json_text(b, slice_of(text.p + at, 1));
        else if (c < 0x10000)
            buffer_printf(b, "\\u%04x", c);
        else
            buffer_printf(b, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + ((c - 0x10000) & 0x3ff));
    }
}

void answer_string(struct call *call, struct slice text)
{
    struct buffer *b = &call->answer->body;
    if (call->options->json == JSON_PLAIN) {
        buffer_json_string(b, text);
        return;
    }
    buffer_put(b, '"');
    put_escaped(b, text);
    buffer_put(b, '"');
}

bool answer_error(struct call *call, int status, struct slice text)
{
    struct answer *a = call->answer;
    a->status = status;
    a->has_cost = false;
    a->body.n = 0;
    buffer_str(&a->body, "{\"error\":");
    answer_string(call, text);
    buffer_put(&a->body, '}');
    return false;
}

void answer_cost(struct call *call, uint64_t rows, uint64_t per_row, bool is_free, bool is_hit)
{
    struct answer *a = call->answer;
    uint64_t cost = rows * per_row;
    a->has_cost = true;
    a->rows = rows;
    a->cost_row = cost < LEAST_COST ? LEAST_COST / (rows ? rows : 1) : per_row;
    a->cost_total = cost < LEAST_COST ? LEAST_COST : cost;
    a->spent = is_free || is_hit ? 0 : a->cost_total;
    a->cost_actual = call->options->cost_miss == COST_MISS_ZERO ? 0 : a->spent;
    a->cache = is_hit ? CACHE_HIT : CACHE_MISS;
    account_spend(call->account, call->key, a->spent);
    if (!is_hit)
        account_remember(call->account, call->key, call->request, call->now_ms);
}

bool answer_affords(struct call *call, uint64_t units)
{
    uint64_t left = account_left(call->account, call->key);
    if (units < LEAST_COST)
        units = LEAST_COST;
    if (units <= left)
        return true;
    return answer_error(call, 403,
                        arena_printf(call->memory,
                                     "API units limit reached. Expected usage: %llu, API units left: %llu.",
                                     (unsigned long long)units, (unsigned long long)left));
}
