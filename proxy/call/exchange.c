/* SPDX-License-Identifier: MIT
 * The way of a call through the rooms: the loop, the beginning and the end of an exchange. */
#include "proxy/call/exchange.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"
#include "mapping/fault.h"

enum { OVERLOAD_RETRY_MS = 5000 };

static enum step (*const rooms[ROOM_COUNT])(struct exchange *x) = {
    [ROOM_READ] = room_read,     [ROOM_PLAN] = room_plan,     [ROOM_ADMIT] = room_admit,   [ROOM_FETCH] = room_fetch,
    [ROOM_RENDER] = room_render, [ROOM_SETTLE] = room_settle, [ROOM_ANSWER] = room_answer,
};

void exchange_enter(struct exchange *x, enum room next)
{
    int64_t now = clock_monotonic_us();
    x->room_us[x->room] += now - x->entered_us;
    x->entered_us = now;
    x->room = next;
}

static void finish(struct exchange *x)
{
    struct service *s = x->service;
    *(x->previous ? &x->previous->next : &s->running) = x->next;
    if (x->next)
        x->next->previous = x->previous;
    x->next = s->finished;
    s->finished = x;
    service_wake_bottom(s);
}

bool exchange_count(struct exchange *x)
{
    struct budget *b = &x->service->memory;
    if (x->making)
        return true;
    size_t n =
        sizeof *x + arena_used(x->memory) + x->body.room + (x->translation ? translation_bytes(x->translation) : 0);
    if (n > x->counted)
        budget_add(b, n - x->counted);
    else
        budget_give(b, x->counted - n);
    x->counted = n;
    return !budget_is_over(b, b->max);
}

void exchange_run(struct exchange *x)
{
    for (;;) {
        switch (rooms[x->room](x)) {
        case WAIT:
            (void)exchange_count(x);
            return;
        case REFUSE:
            assert(x->room < ROOM_SETTLE);
            exchange_enter(x, ROOM_SETTLE);
            break;
        case ONWARD:
            if (x->room == ROOM_ANSWER) {
                finish(x);
                return;
            }
            exchange_enter(x, x->room + 1);
            break;
        }
    }
}

enum step exchange_refuse(struct exchange *x, enum fault fault, struct slice why)
{
    if (!x->refusal.fault)
        x->refusal = (struct refusal){ fault, why };
    return REFUSE;
}

/* The client has left. What v3 is working on is finished, so that its price is known; what was not sent is dropped. */
static void on_gone(void *context)
{
    struct exchange *x = context;
    x->client_gone = true;
    bool waits =
        x->room == ROOM_ADMIT ? x->waits_for_turn || x->waits_for_room : x->waits_for_room && !share_is_awaited(x);
    if (waits) {
        admit_leave(x);
        exchange_refuse(x, FAULT_TOO_BUSY, S("the client left before its turn came"));
        exchange_enter(x, ROOM_SETTLE);
        exchange_run(x);
    } else if ((x->room == ROOM_ADMIT || x->room == ROOM_FETCH) && !x->any_sent && !x->waits_for_hold &&
               (x->n_under_way || x->n_awaited)) {
        fetch_cancel(x);
        exchange_refuse(x, FAULT_TOO_BUSY, S("the client left before anything was sent to API v3"));
        exchange_enter(x, ROOM_SETTLE);
        exchange_run(x);
    }
}

static void answer_without_memory(struct service *s, struct http_call *http)
{
    struct buffer body = { 0 };
    char id[LEDGER_ID_SIZE];
    ledger_new_id(id);
    struct http_header headers[] = {
        { S("X-Anchorage-Id"), slice_of(id, LEDGER_ID_SIZE - 1) },
        { S("X-Status"), S("error") },
        { S("x-results-count"), S("0") },
        { S("X-Anchorage-Fault"), S("too_busy") },
        { S("X-Anchorage-Rows"), S("0") },
        { S("X-Anchorage-Units"), S("0") },
        { S("Retry-After"), S("1") },
        { S("Content-Type"), S("application/json; charset=utf-8") },
    };
    s->counters.faults[FAULT_TOO_BUSY]++;
    buffer_str(&body, "{\"error\":\"memory is out; try again later\"}");
    http_answer(http, 503, headers, sizeof headers / sizeof headers[0], &body);
}

/* A call that nothing was heard of. */
static void refuse_unheard(struct service *s, enum fault fault, struct buffer *head)
{
    char id[LEDGER_ID_SIZE];
    ledger_new_id(id);
    s->counters.calls++;
    s->counters.faults[fault]++;
    buffer_printf(head,
                  "X-Anchorage-Id: %s\r\nX-Anchorage-Rows: 0\r\nX-Anchorage-Units: 0\r\n"
                  "X-Status: error\r\nx-results-count: 0\r\n",
                  id);
}

void exchange_turned_away(struct service *s, struct buffer *head)
{
    ledger_storm(s->ledger);
    refuse_unheard(s, FAULT_TOO_BUSY, head);
}

void exchange_refused_plain(struct service *s, struct buffer *head)
{
    refuse_unheard(s, FAULT_BAD_REQUEST, head);
}

void exchange_begin(struct service *s, struct http_call *http, const struct http_request *request)
{
    struct exchange *x = calloc(1, sizeof *x);
    struct arena *memory = arena_new(CALL_MEMORY);
    s->counters.calls++;
    if (!x || !memory) {
        arena_free(memory);
        free(x);
        answer_without_memory(s, http);
        return;
    }
    x->service = s;
    x->settings = settings_hold(s->settings);
    x->config = x->settings->config;
    x->memory = memory;
    x->http = http;
    x->next = s->running;
    if (s->running)
        s->running->previous = x;
    s->running = x;
    x->began_us = x->entered_us = clock_monotonic_us();
    x->deadline_ms = x->began_us / 1000 + x->config->call_timeout_ms;
    ledger_new_id(x->id);
    bool full = budget_is_over(&s->memory, s->memory.max - s->memory.max / 4); /* the rest is for those under way */
    if (full && !request->fault_status) {
        x->retry_after_ms = service_wait_ms(s, 1, 1);
        exchange_refuse(x, FAULT_TOO_BUSY, S("the calls under way hold all the memory that calls may have"));
        x->room = ROOM_SETTLE;
    } else if (request->fault_status) {
        x->http_status = request->fault_status;
        exchange_refuse(x, FAULT_BAD_REQUEST, request->fault_why);
        x->room = ROOM_SETTLE;
    } else if (request->is_overload) {
        x->retry_after_ms = OVERLOAD_RETRY_MS;
        exchange_refuse(x, FAULT_TOO_BUSY, S("too many connections are open; try again in a moment"));
        x->room = ROOM_SETTLE;
    } else {
        http_call_on_gone(http, on_gone, x);
    }
    exchange_run(x);
}

struct ledger_call exchange_ledger_call(const struct exchange *x)
{
    return (struct ledger_call){
        .id = slice_of(x->id, LEDGER_ID_SIZE - 1),
        .team = x->team_name,
        .key = x->key,
        .client = http_call_request(x->http)->client,
        .table = x->call.table->from,
        .target = params_without_token(&x->params, x->call.target_given, x->memory),
        .shape = call_shape(&x->call, x->memory),
        .where = x->call.where.n > 0,
        .having = x->call.having.n > 0,
        .free_of_rows = x->plan.free_of_rows,
    };
}

void exchange_free_finished(struct service *s)
{
    while (s->finished) {
        struct exchange *x = s->finished;
        s->finished = x->next;
        assert(!x->has_turn && !x->n_under_way && !x->has_hold && !x->n_awaited && !x->given);
        if (x->timer)
            event_free(x->timer);
        if (x->deadline)
            event_free(x->deadline);
        if (x->pause)
            event_free(x->pause);
        translation_free(x->translation);
        buffer_clear(&x->body);
        budget_give(&s->memory, x->counted);
        s->promised -= x->promised;
        arena_free(x->memory);
        settings_put(x->settings);
        free(x);
    }
}
