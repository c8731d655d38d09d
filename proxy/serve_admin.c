/* SPDX-License-Identifier: MIT
 * The admin side of the daemon: HTTP in front of proxy/admin, and the service behind it. */
#include "proxy/serve_admin.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "proxy/admin/admin.h"
#include "proxy/admin/process.h"
#include "proxy/exchange.h"

/* Few people ask here, and a question of usage has a thread of its own. */
enum { MAX_CONNECTIONS = 64, MAX_ASKING = 4 };

/* A question of usage that the books are working on. */
struct asking {
    struct serve_admin *admin;
    struct asking *next;
    struct http_call *call;
    bool is_csv;
};

struct serve_admin {
    struct service *service;
    struct http_server *http;
    int64_t began_ms;
    struct asking *asking;
    int n_asking;
};

/* ---- what proxy/admin asks of us ---- */

static bool is_ready(void *context, struct buffer *why)
{
    const struct serve_admin *a = context;
    if (a->service->draining)
        buffer_str(why, "draining: the daemon is being stopped");
    else if (!ledger_serves(a->service->ledger))
        buffer_str(why, "ledger_down: the ledger cannot write; it is opened again every few seconds");
    return why->n == 0;
}

static void explain(void *context, struct slice call, struct buffer *out)
{
    const struct serve_admin *a = context;
    struct explain_options options = settings_explain_options(a->service->settings, a->service->learnt_page_rows);
    (void)explain_json(call, &options, out); /* a refusal stands in the answer */
}

static void answer(struct http_call *call, struct admin_answer *a)
{
    struct http_header headers[5] = {
        { S("Content-Type"), a->content_type },
        { S("Cache-Control"), S("no-store") },
        { S("X-Content-Type-Options"), S("nosniff") },
    };
    size_t n = 3;
    if (a->says_allow)
        headers[n++] = (struct http_header){ S("Allow"), S(ADMIN_ALLOW) };
    if (a->says_retry)
        headers[n++] = (struct http_header){ S("Retry-After"), S("1") };
    http_answer(call, a->status, headers, n, &a->body);
}

static void on_usage_done(void *context, int status, struct slice out, struct slice err)
{
    struct asking *asking = context;
    struct serve_admin *a = asking->admin;
    struct asking **at = &a->asking;
    while (*at != asking)
        at = &(*at)->next;
    *at = asking->next;
    a->n_asking--;
    struct admin_answer result = admin_usage_answer(asking->is_csv, status, out, err);
    answer(asking->call, &result);
    free(asking);
}

static bool usage(void *context, void *asker, bool is_csv, int argc, const char *const *argv)
{
    struct serve_admin *a = context;
    struct asking *asking = a->n_asking < MAX_ASKING ? calloc(1, sizeof *asking) : NULL;
    if (!asking)
        return false;
    *asking = (struct asking){ .admin = a, .next = a->asking, .call = asker, .is_csv = is_csv };
    a->asking = asking;
    a->n_asking++;
    ledger_command_start(a->service->ledger, argc, argv, S(""), on_usage_done, asking);
    return true;
}

/* ---- the numbers ---- */

static void gather_state(const struct serve_admin *a, struct metrics *m)
{
    const struct service *s = a->service;
    bool serves = ledger_serves(s->ledger);
    metric_add_labelled(m, METRIC_BUILD_INFO, S(ANCHORAGE_VERSION), 1);
    metric_add_ms(m, METRIC_UPTIME, clock_monotonic_ms() - a->began_ms);
    metric_add(m, METRIC_READY, serves && !s->draining);
    metric_add(m, METRIC_DRAINING, s->draining);
    metric_add(m, METRIC_LEDGER_SERVING, serves);
}

static void gather_counters(const struct counters *c, struct metrics *m)
{
    metric_add(m, METRIC_CALLS, (int64_t)c->calls);
    for (enum fault f = FAULT_NONE; f < FAULT_COUNT; f++)
        metric_add_labelled(m, METRIC_ANSWERS, f ? fault_word(f) : S("none"), (int64_t)c->faults[f]);
    metric_add_ms(m, METRIC_CALL_SECONDS, (int64_t)(c->call_us / 1000));
    metric_add(m, METRIC_APPROXIMATE, (int64_t)c->approximate);
    metric_add(m, METRIC_CACHE_HITS, (int64_t)c->hits);
    metric_add(m, METRIC_ROWS, (int64_t)c->rows);
    metric_add(m, METRIC_UNITS, (int64_t)c->units);
    metric_add(m, METRIC_UNITS_PREDICTED, (int64_t)c->units_predicted);
    metric_add(m, METRIC_V3_REQUESTS, (int64_t)c->v3_requests);
    metric_add(m, METRIC_LOG_LOST, (int64_t)c->log_lines_lost);
}

static void gather_calls(const struct serve_admin *a, struct metrics *m)
{
    const struct service *s = a->service;
    int64_t running = 0, for_turn = 0, for_room = 0;
    for (const struct exchange *x = s->running; x; x = x->next) {
        for_turn += x->waits_for_turn;
        for_room += x->waits_for_room;
        running += !x->waits_for_turn && !x->waits_for_room;
    }
    metric_add(m, METRIC_CALLS_RUNNING, running);
    metric_add_labelled(m, METRIC_CALLS_WAITING, S("turn"), for_turn);
    metric_add_labelled(m, METRIC_CALLS_WAITING, S("room"), for_room);
    metric_add_labelled(m, METRIC_CONNECTIONS, S("client"), (int64_t)http_server_connections(s->http));
    metric_add_labelled(m, METRIC_CONNECTIONS, S("admin"), (int64_t)http_server_connections(a->http));
}

static void gather_books(const struct service *s, struct metrics *m)
{
    static const struct {
        enum metric metric;
        size_t at;
    } of_team[] = {
        { METRIC_TEAM_ROWS, offsetof(struct ledger_left, rows_used) },
        { METRIC_TEAM_ROWS_LIMIT, offsetof(struct ledger_left, rows_limit) },
        { METRIC_TEAM_ROWS_LEFT, offsetof(struct ledger_left, rows_left) },
        { METRIC_TEAM_UNITS, offsetof(struct ledger_left, units_used) },
        { METRIC_TEAM_UNITS_LIMIT, offsetof(struct ledger_left, units_limit) },
        { METRIC_TEAM_UNITS_LEFT, offsetof(struct ledger_left, units_left) },
    };
    int64_t value = ledger_left(s->ledger, S("")).whole_units_left;
    if (value != LEDGER_NO_LIMIT)
        metric_add(m, METRIC_UNITS_LEFT, value);
    for (size_t k = 0; k < sizeof of_team / sizeof of_team[0]; k++) {
        for (size_t i = 0; i < s->config->n_teams; i++) {
            struct slice team = slice_str(s->config->teams[i].name);
            struct ledger_left left = ledger_left(s->ledger, team);
            memcpy(&value, (const char *)&left + of_team[k].at, sizeof value);
            if (value != LEDGER_NO_LIMIT)
                metric_add_labelled(m, of_team[k].metric, team, value);
        }
    }
    for (size_t i = 0; i < s->config->n_teams; i++)
        metric_add_labelled(m, METRIC_TEAM_RUNNING, slice_str(s->config->teams[i].name), s->turns[i]->running);
}

static void gather(void *context, struct metrics *m)
{
    const struct serve_admin *a = context;
    gather_state(a, m);
    gather_counters(&a->service->counters, m);
    gather_calls(a, m);
    gather_books(a->service, m);
    process_gather(m);
}

/* ---- HTTP ---- */

static void on_request(void *context, struct http_call *call, const struct http_request *request)
{
    const struct admin_owner owner = { is_ready, gather, explain, usage, context };
    struct admin_question q = {
        .is_read = request->method != HTTP_POST, .host = request->host, .path = request->path, .query = request->query
    };
    struct admin_answer result;
    if (request->fault_status) {
        result = admin_error(request->fault_status, request->fault_why);
        result.says_allow = request->fault_status == 405;
        answer(call, &result);
    } else if (admin_ask(&owner, &q, call, &result)) {
        answer(call, &result);
    }
}

static void on_trouble(void *context, const char *line)
{
    const struct serve_admin *a = context;
    service_say(a->service, "admin: %s", line);
}

struct serve_admin *serve_admin_new(struct service *s, struct buffer *why)
{
    struct serve_admin *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->service = s;
    a->began_ms = clock_monotonic_ms();
    struct http_options options = { .max_connections = MAX_CONNECTIONS,
                                    .max_connections_per_address = MAX_CONNECTIONS,
                                    .on_request = on_request,
                                    .on_trouble = on_trouble,
                                    .context = a };
    a->http = http_server_new(s->base, &options);
    if (a->http && service_listen(s, a->http, &s->config->admin, "admin", why))
        return a;
    serve_admin_free(a);
    return NULL;
}

void serve_admin_announce(struct serve_admin *a)
{
    struct buffer address = { 0 };
    for (size_t i = 0; http_server_address(a->http, i, &address); i++) {
        service_say(a->service, "admin on %.*s", SLICE_ARGS(buffer_slice(&address)));
        address.n = 0;
    }
    buffer_clear(&address);
}

void serve_admin_free(struct serve_admin *a)
{
    if (!a)
        return;
    http_server_free(a->http);
    while (a->asking) {
        struct asking *next = a->asking->next;
        free(a->asking);
        a->asking = next;
    }
    free(a);
}
