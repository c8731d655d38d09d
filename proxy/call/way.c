/* SPDX-License-Identifier: MIT
 * The way of a call: the one place that names the steps. exchange.h has the drawing. */
#include "proxy/call/way.h"

#include "proxy/call/answer.h"
#include "proxy/call/fetch.h"
#include "proxy/call/hold.h"
#include "proxy/call/read.h"
#include "proxy/call/recall.h"
#include "proxy/call/render.h"
#include "proxy/call/round.h"
#include "proxy/call/settle.h"
#include "proxy/call/turn.h"

enum { NOWHERE, READ, PLAN, TURN, RECALL, ROUND, HOLD, FETCH, RENDER, SETTLE, ANSWER };

/* clang-format off */
static const struct step steps[] = {
    [READ]   = { "read",   ROOM_READ,   read_enter,   NULL,        NULL,        { [ONWARD] = PLAN, [REFUSE] = SETTLE } },
    [PLAN]   = { "plan",   ROOM_PLAN,   plan_enter,   NULL,        NULL,        { [ONWARD] = TURN, [SKIP] = RENDER, [DONE] = SETTLE, [REFUSE] = SETTLE } },
    [TURN]   = { "turn",   ROOM_ADMIT,  turn_enter,   turn_late,   turn_gone,   { [ONWARD] = RECALL, [REFUSE] = SETTLE } },
    [RECALL] = { "recall", ROOM_ADMIT,  recall_enter, recall_late, recall_gone, { [ONWARD] = ROUND, [SKIP] = HOLD, [REFUSE] = SETTLE } },
    [ROUND]  = { "round",  ROOM_ADMIT,  round_enter,  NULL,        NULL,        { [ONWARD] = HOLD, [REFUSE] = SETTLE } },
    [HOLD]   = { "hold",   ROOM_ADMIT,  hold_enter,   hold_late,   hold_gone,   { [ONWARD] = FETCH, [ANEW] = RECALL, [REFUSE] = SETTLE } },
    [FETCH]  = { "fetch",  ROOM_FETCH,  fetch_enter,  fetch_late,  fetch_gone,  { [ONWARD] = RENDER, [AGAIN] = ROUND, [ANEW] = RECALL, [REFUSE] = SETTLE } },
    [RENDER] = { "render", ROOM_RENDER, render_enter, NULL,        NULL,        { [ONWARD] = SETTLE, [REFUSE] = SETTLE } },
    [SETTLE] = { "settle", ROOM_SETTLE, settle_enter, NULL,        NULL,        { [ONWARD] = ANSWER } },
    [ANSWER] = { "answer", ROOM_ANSWER, answer_enter, NULL,        NULL,        { [ONWARD] = STEP_END } },
};
/* clang-format on */

/* ---- what a call shares ---- */

static void on_told(void *context, enum flight_kind kind, const struct flight_news *news)
{
    struct exchange *x = context;
    if (news->end == FLIGHT_FAILED) {
        x->retry_after_ms = news->failing.retry_after_ms;
        exchange_refuse(x, news->failing.refusal.fault, arena_dup(x->memory, news->failing.refusal.why));
    } else if (kind == FLIGHT_CALL || kind == FLIGHT_PAGES) {
        recall_told(x, kind, news);
    } else {
        round_told(x, kind, news);
    }
    exchange_wake(x);
}

static void on_hurry(void *context, enum flight_kind kind, struct slice team)
{
    fetch_hurry(context, kind, team);
}

/* ---- the beginning ---- */

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

void call_turned_away(struct service *s, struct buffer *head)
{
    ledger_storm(s->ledger);
    refuse_unheard(s, FAULT_TOO_BUSY, head);
}

void call_refused_plain(struct service *s, struct buffer *head)
{
    refuse_unheard(s, FAULT_BAD_REQUEST, head);
}

void call_begin(struct service *s, struct http_call *http)
{
    struct exchange *x = exchange_new(s, http);
    s->counters.calls++;
    if (!x) {
        answer_without_memory(s, http);
        return;
    }
    ticket_init(&x->ticket, turn_came, x);
    seats_init(&x->seats, slice_of(x->id, LEDGER_ID_SIZE - 1), on_told, on_hurry, x);
    http_call_on_gone(http, exchange_on_gone, x);
    exchange_start(x, steps, READ);
}

/* ---- the end ---- */

static struct exchange *first(const struct link *list)
{
    return link_is_alone(list) ? NULL : LINKED(list->next, struct exchange, link);
}

void calls_give_up(struct service *s)
{
    for (struct exchange *x; (x = first(&s->running));) {
        fetch_cancel(x);
        flight_leave_all(&x->seats);
        flight_give_up(&x->seats);
        x->n_under_way = 0;
        ticket_forget(&x->ticket);
        link_out(&x->link);
        link_before(&s->finished, &x->link);
    }
    calls_free_finished(s);
}

void calls_free_finished(struct service *s)
{
    for (struct exchange *x; (x = first(&s->finished));) {
        link_out(&x->link);
        exchange_free(x);
    }
}
