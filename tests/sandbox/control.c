/* SPDX-License-Identifier: MIT
 * The control side. Those who wait for requests hang in a list until enough have come. */
#include "tests/sandbox/control.h"

#include <event2/event.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "base/text.h"
#include "tests/sandbox/json.h"

enum { DEFAULT_WAIT_MS = 10000 };

struct waiter {
    struct control *control;
    struct http_exchange *exchange;
    struct event *deadline;
    uint64_t seen, over; /* wanted */
    struct waiter *next;
};

struct control {
    struct event_base *base;
    struct account *account;
    struct script *script;
    struct journal *journal;
    struct waiter *waiters;
};

static void answer(struct http_exchange *exchange, int status, struct buffer *body)
{
    struct buffer head = buffer_with_cap(0);
    struct http_delivery now = { 0 };
    buffer_printf(&head, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", status,
                  status == 200 ? "OK" : "No", body->n);
    http_answer(exchange, buffer_slice(&head), buffer_slice(body), &now);
    buffer_clear(&head);
    buffer_clear(body);
}

static void refuse(struct http_exchange *exchange, int status, struct slice why)
{
    struct buffer b = buffer_with_cap(0);
    buffer_str(&b, "{\"error\":");
    buffer_json_string(&b, why);
    buffer_put(&b, '}');
    answer(exchange, status, &b);
}

static void answer_state(struct control *c, struct http_exchange *exchange)
{
    struct buffer b = buffer_with_cap(0);
    buffer_printf(&b, "{\"seen\":%" PRIu64 ",\"over\":%" PRIu64 ",\"spent\":%" PRIu64 ",\"script_left\":%zu}",
                  c->journal->seen, c->journal->over, c->account->spent, script_left(c->script));
    answer(exchange, 200, &b);
}

static void post_script(struct control *c, struct http_exchange *exchange, const struct http_request *request)
{
    struct arena *memory = arena_new(1 << 16);
    struct slice why = S("out of memory");
    if (memory && script_add(c->script, memory, request->body, &why))
        answer_state(c, exchange);
    else
        refuse(exchange, 400, why);
    arena_free(memory);
}

static void get_log(struct control *c, struct http_exchange *exchange)
{
    struct buffer b = buffer_with_cap(0);
    journal_write(c->journal, &b);
    answer(exchange, 200, &b);
}

/* A limit from the body of a reset: a number, null for none; as it is when not named. */
static uint64_t limit_of(struct json_object *json, const char *name, uint64_t otherwise)
{
    struct json_object *value;
    if (!json_object_object_get_ex(json, name, &value))
        return otherwise;
    return value ? (uint64_t)json_object_get_int64(value) : NO_LIMIT;
}

static void post_reset(struct control *c, struct http_exchange *exchange, const struct http_request *request)
{
    struct json_object *json = json_read(request->body);
    uint64_t rate = limit_of(json, "rate", c->account->rate);
    bool good = (json_object_is_type(json, json_type_object) || !request->body.n) && rate <= 1000000 &&
                account_reset(c->account, limit_of(json, "units", c->account->units),
                              limit_of(json, "key_units", c->account->key_units), rate);
    json_object_put(json);
    if (!good) {
        refuse(exchange, 400, S("the body must be like {\"units\":1000,\"key_units\":null,\"rate\":60}"));
        return;
    }
    script_clear(c->script);
    journal_reset(c->journal);
    answer_state(c, exchange);
}

static void forget(struct waiter **link)
{
    struct waiter *w = *link;
    *link = w->next;
    event_free(w->deadline);
    free(w);
}

static struct waiter **find(struct control *c, const struct http_exchange *exchange)
{
    struct waiter **link = &c->waiters;
    while (*link && (*link)->exchange != exchange)
        link = &(*link)->next;
    return link;
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
    struct waiter *w = ctx;
    struct control *c = w->control;
    struct http_exchange *exchange = w->exchange;
    (void)fd;
    (void)what;
    forget(find(c, exchange));
    refuse(exchange, 408, S("not so many requests have come in time"));
}

void control_wake(struct control *c)
{
    for (struct waiter **link = &c->waiters; *link;) {
        struct http_exchange *exchange = (*link)->exchange;
        if (c->journal->seen < (*link)->seen || c->journal->over < (*link)->over) {
            link = &(*link)->next;
            continue;
        }
        forget(link);
        answer_state(c, exchange);
    }
}

static uint64_t number_of(const struct query *query, const char *name, uint64_t otherwise)
{
    uint64_t n;
    struct slice text = query_get(query, name);
    return text.p && parse_u64(text, &n) ? n : otherwise;
}

static void get_wait(struct control *c, struct http_exchange *exchange, const struct http_request *request)
{
    struct arena *memory = arena_new(1 << 16);
    struct query query = { 0 };
    struct waiter *w = calloc(1, sizeof *w);
    if (!memory || !w || !query_read(memory, request->query, &query)) {
        refuse(exchange, 400, S("ask like /_sandbox/wait?requests=3&finished=2&timeout_ms=5000"));
        free(w);
        arena_free(memory);
        return;
    }
    uint64_t ms = number_of(&query, "timeout_ms", DEFAULT_WAIT_MS);
    struct timeval t = { .tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
    *w = (struct waiter){ .control = c,
                          .exchange = exchange,
                          .deadline = evtimer_new(c->base, on_deadline, w),
                          .seen = number_of(&query, "requests", 0),
                          .over = number_of(&query, "finished", 0),
                          .next = c->waiters };
    c->waiters = w;
    event_add(w->deadline, &t);
    arena_free(memory);
    control_wake(c);
}

struct control *control_new(struct event_base *base, struct account *account, struct script *script,
                            struct journal *journal)
{
    struct control *c = calloc(1, sizeof *c);
    if (c)
        *c = (struct control){ .base = base, .account = account, .script = script, .journal = journal };
    return c;
}

void control_free(struct control *control)
{
    while (control && control->waiters)
        forget(&control->waiters);
    free(control);
}

void control_done(struct control *control, struct http_exchange *exchange)
{
    struct waiter **link = find(control, exchange);
    if (*link)
        forget(link);
}

void control_request(struct control *c, struct http_exchange *exchange, const struct http_request *request)
{
    bool is_post = slice_eq(request->method, S("POST"));
    struct slice path = slice_from(request->path, sizeof "/_sandbox/" - 1);
    if (is_post && slice_eq(path, S("script")))
        post_script(c, exchange, request);
    else if (is_post && slice_eq(path, S("reset")))
        post_reset(c, exchange, request);
    else if (!is_post && slice_eq(path, S("log")))
        get_log(c, exchange);
    else if (!is_post && slice_eq(path, S("wait")))
        get_wait(c, exchange, request);
    else if (!is_post && slice_eq(path, S("state")))
        answer_state(c, exchange);
    else
        refuse(exchange, 404, S("there are POST script, POST reset, GET log, GET wait, GET state"));
}
