/* SPDX-License-Identifier: MIT
 * The way of one v3 request: journal, script, key, rate, endpoint, wire. */
#include "tests/sandbox/server.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tests/sandbox/answer.h"
#include "tests/sandbox/control.h"
#include "tests/sandbox/wire.h"

enum { MAX_CALL_BYTES = 4 << 20 };

struct server {
    struct event_base *base;
    const struct options *options;
    struct account account;
    struct store *store;
    struct script *script;
    struct journal *journal;
    struct control *control;
    struct http_server *http;
};

static const struct endpoint {
    struct slice path;
    void (*answer)(struct call *call);
    const struct report *report;
    bool is_post;
} endpoints[] = {
    { SLICE("/v3/site-explorer/anchors"), answer_rows, &report_anchors, false },
    { SLICE("/v3/site-explorer/refdomains"), answer_rows, &report_refdomains, false },
    { SLICE("/v3/site-explorer/all-backlinks"), answer_rows, &report_all_backlinks, false },
    { SLICE("/v3/site-explorer/broken-backlinks"), answer_rows, &report_broken_backlinks, false },
    { SLICE("/v3/site-explorer/linkeddomains"), answer_rows, &report_linkeddomains, false },
    { SLICE("/v3/site-explorer/crawled-pages"), answer_rows, &report_crawled_pages, false },
    { SLICE("/v3/site-explorer/backlinks-stats"), answer_backlinks_stats, NULL, false },
    { SLICE("/v3/batch-analysis/batch-analysis"), answer_batch, NULL, true },
    { SLICE("/v3/subscription-info/limits-and-usage"), answer_limits_and_usage, NULL, false },
};

/* What the layer in front of the API says: a JSON array. */
static void refuse_in_front(struct answer *a, int status, const char *word)
{
    a->status = status;
    buffer_printf(&a->body, "[\"Error\",\"%s\"]", word);
}

static void refuse_rate(struct call *call, int64_t retry_ms)
{
    struct answer *a = call->answer;
    a->retry_ms = (uint64_t)retry_ms;
    switch (call->options->too_many_body) {
    case TOO_MANY_JSON:
        (void)answer_error(call, 429, S("Too Many Requests"));
        return;
    case TOO_MANY_HTML:
        a->status = 429;
        a->content_type = "text/html";
        buffer_str(&a->body, "<html><head><title>429 Too Many Requests</title></head></html>\n");
        return;
    case TOO_MANY_EMPTY:
        a->status = 429;
        return;
    }
}

static const struct endpoint *find_endpoint(struct slice path)
{
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++)
        if (slice_eq(endpoints[i].path, path))
            return &endpoints[i];
    return NULL;
}

/* The answer as it would be without a script. */
static void answer_honestly(struct call *call, const struct http_request *request, bool query_is_good)
{
    const struct endpoint *endpoint = find_endpoint(request->path);
    int64_t retry_ms = 0;
    call->key = account_key(call->account, http_request_header(request, "Authorization"));
    if (!http_request_header(request, "User-Agent").n || call->key == KEY_DENIED)
        refuse_in_front(call->answer, 403, "Forbidden");
    else if (call->key == KEY_UNKNOWN)
        refuse_in_front(call->answer, 401, "Unauthorized");
    else if (!endpoint)
        (void)answer_error(call, 404, S("Not Found"));
    else if (!slice_eq(request->method, endpoint->is_post ? S("POST") : S("GET")))
        (void)answer_error(call, 405, S("Method Not Allowed"));
    else if (!call->options->plan->has_api)
        (void)answer_error(call, 403, S("Insufficient plan"));
    else if (!account_admit(call->account, call->key, call->now_ms, &retry_ms))
        refuse_rate(call, retry_ms);
    else if (!query_is_good)
        (void)answer_error(call, 400, S("bad query string"));
    else {
        call->report = endpoint->report;
        endpoint->answer(call);
    }
}

static struct slice last_part(struct slice path)
{
    while (slice_find(path, '/') < path.n)
        path = slice_from(path, slice_find(path, '/') + 1);
    return path;
}

static void note(struct server *s, uint64_t number, const struct call *call, const struct fault *fault)
{
    struct journal_entry *e = journal_entry(s->journal, number);
    const struct answer *a = call->answer;
    if (!e)
        return;
    e->key = call->key;
    e->status = fault && fault->has_raw ? 0 : fault && fault->status ? fault->status : a->status;
    e->is_scripted = fault;
    e->rows = a->rows;
    e->units = a->spent;
    e->cache = wire_cache(s->options, a);
}

/* What makes two requests the same. */
static struct slice request_name(struct arena *memory, const struct http_request *request)
{
    if (!request->body.n)
        return request->target;
    struct buffer b = buffer_with_cap(0);
    buffer_append(&b, request->target);
    buffer_put(&b, '\n');
    buffer_append(&b, request->body);
    struct slice name = arena_dup(memory, buffer_slice(&b));
    buffer_clear(&b);
    return name;
}

static void answer_call(struct server *s, struct http_exchange *exchange, const struct http_request *request,
                        struct arena *memory)
{
    struct query query = { 0 };
    struct answer answer = { .status = 200, .content_type = "application/json" };
    bool query_is_good = query_read(memory, request->query, &query);
    uint64_t number = journal_begin(s->journal, request, &query);
    const struct fault *fault = script_take(s->script, last_part(request->path), &query, request->body);
    struct call call = { .options = s->options,
                         .store = s->store,
                         .account = &s->account,
                         .memory = memory,
                         .query = &query,
                         .body = request->body,
                         .request = request_name(memory, request),
                         .key = KEY_UNKNOWN,
                         .now_ms = clock_monotonic_ms(),
                         .delay_ms = s->options->latency_ms + (fault ? fault->delivery.delay_ms : 0),
                         .answer = &answer };
    /* A request that the script fails has not been worked on, and costs nothing. */
    if (!fault || fault->status < 400)
        answer_honestly(&call, request, query_is_good);
    if (answer.timeout_ms && call.delay_ms > answer.timeout_ms)
        call.delay_ms = answer.timeout_ms;
    note(s, number, &call, fault);
    http_exchange_set(exchange, number);
    struct slice accepted = http_request_header(request, "Accept-Encoding");
    wire_send(exchange, s->options, &answer, fault, call.delay_ms,
              accepted.n && memmem(accepted.p, accepted.n, "gzip", 4));
    buffer_clear(&answer.body);
    control_wake(s->control);
}

static void on_request(void *ctx, struct http_exchange *exchange, const struct http_request *request)
{
    struct server *s = ctx;
    if (slice_starts(request->path, S("/_sandbox/"))) {
        control_request(s->control, exchange, request);
        return;
    }
    struct arena *memory = arena_new(MAX_CALL_BYTES);
    if (memory)
        answer_call(s, exchange, request, memory);
    else
        http_answer(exchange, S("HTTP/1.1 500 Out Of Memory\r\nContent-Length: 0\r\n\r\n"), S(""),
                    &(struct http_delivery){ 0 });
    arena_free(memory);
}

static void on_done(void *ctx, struct http_exchange *exchange, bool client_left)
{
    struct server *s = ctx;
    uint64_t number = http_exchange_tag(exchange);
    if (!number) {
        control_done(s->control, exchange);
        return;
    }
    journal_end(s->journal, number, client_left);
    control_wake(s->control);
}

struct server *server_new(struct event_base *base, const struct options *options)
{
    struct server *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    struct http_handler handler = { on_request, on_done, s };
    s->base = base;
    s->options = options;
    s->store = store_new(options);
    s->script = script_new();
    s->journal = calloc(1, sizeof *s->journal);
    bool good = account_init(&s->account, options) && s->store && s->script && s->journal;
    s->control = good ? control_new(base, &s->account, s->script, s->journal) : NULL;
    if (options->log_file && good && !(s->journal->file = fopen(options->log_file, "ae"))) {
        fprintf(stderr, "anchorage-sandbox: %s: %s\n", options->log_file, strerror(errno));
        good = false;
    }
    s->http = good && s->control ? http_server_new(base, options->address, options->port, &handler) : NULL;
    if (good && !s->http)
        fprintf(stderr, "anchorage-sandbox: cannot listen on %s port %u: %s\n", options->address, options->port,
                strerror(errno));
    if (s->http)
        return s;
    server_free(s);
    return NULL;
}

uint16_t server_port(const struct server *server)
{
    return http_server_port(server->http);
}

void server_free(struct server *server)
{
    if (!server)
        return;
    http_server_free(server->http);
    control_free(server->control);
    script_free(server->script);
    store_free(server->store);
    account_clear(&server->account);
    if (server->journal)
        journal_close(server->journal);
    free(server->journal);
    free(server);
}
