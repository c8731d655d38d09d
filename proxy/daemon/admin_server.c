/* SPDX-License-Identifier: MIT
 * The admin side of the daemon has HTTP in front of proxy/admin, and the service behind it. */
#include "proxy/daemon/admin_server.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/day.h"
#include "base/list.h"
#include "proxy/account/secret_file.h"
#include "proxy/admin/admin.h"
#include "proxy/admin/process.h"
#include "proxy/admin/sign_in.h"
#include "proxy/daemon/admin_metrics.h"
#include "proxy/daemon/front.h"
#include "proxy/upstream/secret.h"

/* Few people ask here, and a question of usage has a thread of its own. No client shuts the others out: over a
 * cap the connection that has waited longest for its client goes. */
enum { MAX_CONNECTIONS = 128, MAX_CONNECTIONS_PER_ADDRESS = 32, MAX_ASKING = 4, REQUEST_MS = 5000 };

/* For browsers, in every answer: nothing of another place is loaded, asked, framed by or read from there. */
static const struct http_header guards[] = {
    { SLICE("Content-Security-Policy"),
      SLICE("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
            "trusted-types 'none'") },
    { SLICE("X-Content-Type-Options"), SLICE("nosniff") },
    { SLICE("Referrer-Policy"), SLICE("same-origin") },
    { SLICE("X-Frame-Options"), SLICE("DENY") },
    { SLICE("Cross-Origin-Resource-Policy"), SLICE("same-origin") },
    { SLICE("Cross-Origin-Opener-Policy"), SLICE("same-origin") },
};

/* A question of usage that the ledger works on. */
struct asking {
    struct admin_server *admin;
    struct link link;
    struct http_call *call;
    bool is_csv, is_overview;
};

struct admin_server {
    struct service *service;
    struct http_server *http;
    struct secret token; /* p is NULL when none is asked for */
    struct sign_in sign_in;
    int64_t began_us;
    int64_t denied;
    struct link asking;
    int n_asking;
};

/* ---- what proxy/admin asks of us ---- */

static bool is_ready(void *context, struct buffer *why)
{
    const struct admin_server *a = context;
    if (a->service->draining)
        buffer_str(why, "draining: the daemon is being stopped");
    else if (!ledger_serves(a->service->ledger))
        buffer_str(why, "ledger_down: the ledger cannot write; it is opened again every few seconds");
    return why->n == 0;
}

static void explain(void *context, struct slice call, struct buffer *out)
{
    const struct admin_server *a = context;
    struct explain_options options =
        settings_explain_options(a->service->settings, account_page_rows(service_main_account(a->service)));
    options.plan.none_is_free = &service_main_account(a->service)->charges_free;
    (void)explain_json(call, &options, out); /* a refusal stands in the answer */
}

static void calls(void *context, const struct admin_calls *choice, struct buffer *out)
{
    static const enum recent_only only[] = { [ADMIN_ALL] = RECENT_ALL,
                                             [ADMIN_FAULTS] = RECENT_FAULTS,
                                             [ADMIN_INEXACT] = RECENT_INEXACT,
                                             [ADMIN_PAID] = RECENT_PAID,
                                             [ADMIN_UNKNOWN] = RECENT_UNKNOWN };
    const struct recent *recent = &((const struct admin_server *)context)->service->recent;
    const struct recent_choice chosen = { choice->team, choice->key, choice->fault, only[choice->only], choice->limit };
    char now[25];
    timestamp_format_ms(clock_wall_ms(), now);
    buffer_printf(out, "{\"now\":\"%s\",\"kept\":%zu,\"items\":", now, recent->n);
    recent_write(recent, &chosen, out);
    buffer_str(out, "}\n");
}

static void answer(struct http_call *call, struct admin_answer *a)
{
    char etag[64], retry[16];
    snprintf(etag, sizeof etag, "\"%.*s\"", SLICE_ARGS(a->etag));
    snprintf(retry, sizeof retry, "%d", a->retry_s);
    const struct {
        bool stands;
        struct http_header header;
    } all[] = {
        { a->status != 304, { S("Content-Type"), a->content_type } },
        { true, { S("Cache-Control"), a->cache } },
        { a->etag.n, { S("ETag"), slice_str(etag) } },
        { a->allow.n, { S("Allow"), a->allow } },
        { a->retry_s, { S("Retry-After"), slice_str(retry) } },
        { a->says_who, { S("WWW-Authenticate"), S(ADMIN_AUTHENTICATE) } },
        { a->location.n, { S("Location"), buffer_slice(&a->location) } },
        { a->cookie.n, { S("Set-Cookie"), buffer_slice(&a->cookie) } },
    };
    struct http_header headers[sizeof all / sizeof all[0]];
    size_t n = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].stands)
            headers[n++] = all[i].header;
    http_answer(call, a->status, headers, n, &a->body);
    admin_answer_clear(a);
}

/* The end of the overview: what the daemon knows of itself. */
static void write_health(const struct admin_server *a, struct buffer *out)
{
    struct buffer why = { 0 };
    char since[25];
    bool ready = is_ready((void *)(uintptr_t)a, &why);
    timestamp_format_ms(clock_wall_ms() - (clock_monotonic_us() - a->began_us) / 1000, since);
    buffer_printf(out, ",\"version\":\"%s\",\"health\":{\"ready\":%s,\"why\":", ANCHORAGE_VERSION,
                  ready ? "true" : "false");
    if (ready)
        buffer_str(out, "null");
    else
        buffer_json_string(out, buffer_slice(&why));
    buffer_printf(out, ",\"since\":\"%s\",", since);
    admin_health_write(a->service, out);
    buffer_str(out, "}}\n");
    buffer_clear(&why);
}

static void on_usage_done(void *context, const struct ledger_answer *usage)
{
    struct asking *asking = context;
    struct admin_server *a = asking->admin;
    link_out(&asking->link);
    a->n_asking--;
    struct buffer copy = { 0 }, *out = usage->whole ? usage->whole : &copy;
    if (!usage->whole)
        buffer_append(&copy, usage->out);
    if (asking->is_overview && usage->status == 0)
        write_health(a, out);
    struct admin_answer result = admin_usage_answer(asking->is_csv, usage->status, out, usage->err);
    buffer_clear(&copy);
    answer(asking->call, &result);
    free(asking);
}

static bool usage(void *context, void *asker, bool is_csv, int argc, const char *const *argv)
{
    struct admin_server *a = context;
    struct asking *asking = a->n_asking < MAX_ASKING ? calloc(1, sizeof *asking) : NULL;
    if (!asking)
        return false;
    *asking =
        (struct asking){ .admin = a, .call = asker, .is_csv = is_csv, .is_overview = strcmp(argv[0], "overview") == 0 };
    link_before(&a->asking, &asking->link);
    a->n_asking++;
    ledger_command_start(a->service->ledger, argc, argv, S(""), 0, on_usage_done, asking);
    return true;
}

/* ---- the numbers ---- */

static void gather_state(const struct admin_server *a, struct metrics *m)
{
    const struct service *s = a->service;
    bool serves = ledger_serves(s->ledger);
    metric_add_labelled(m, METRIC_BUILD_INFO, S(ANCHORAGE_VERSION), 1);
    metric_add_seconds(m, METRIC_UPTIME, clock_monotonic_us() - a->began_us);
    metric_add(m, METRIC_READY, serves && !s->draining);
    metric_add(m, METRIC_DRAINING, s->draining);
    metric_add(m, METRIC_LEDGER_SERVING, serves);
}

static void gather(void *context, struct metrics *m)
{
    const struct admin_server *a = context;
    gather_state(a, m);
    metric_add_labelled(m, METRIC_CONNECTIONS, S("client"), (int64_t)http_server_connections(a->service->http));
    metric_add_labelled(m, METRIC_CONNECTIONS, S("admin"), (int64_t)http_server_connections(a->http));
    metric_add_labelled(m, METRIC_CONNECTIONS_TURNED_AWAY, S("client"), http_server_turned_away(a->service->http));
    metric_add_labelled(m, METRIC_CONNECTIONS_TURNED_AWAY, S("admin"), http_server_turned_away(a->http));
    metric_add(m, METRIC_ADMIN_DENIED, a->denied);
    admin_metrics_gather(a->service, m);
    process_gather(m);
}

/* ---- HTTP ---- */

static void on_request(void *context, struct http_call *call, const struct http_request *request)
{
    struct admin_server *a = context;
    const struct admin_owner owner = { .is_ready = is_ready,
                                       .gather = gather,
                                       .explain = explain,
                                       .usage = usage,
                                       .calls = calls,
                                       .context = context,
                                       .token = a->token.p ? secret_value(&a->token) : S(""),
                                       .sign_in = a->token.p ? &a->sign_in : NULL };
    const struct http_browser *browser = &request->browser;
    struct admin_question q = { .is_read = request->method != HTTP_POST,
                                .host = request->host,
                                .authorization = request->authorization,
                                .path = request->path,
                                .query = request->query,
                                .origin = browser->origin,
                                .fetch_site = browser->fetch_site,
                                .cookie = browser->cookie,
                                .if_none_match = browser->if_none_match,
                                .forwarded_proto = browser->forwarded_proto,
                                .body = request->body,
                                .now_ms = clock_wall_ms() };
    struct admin_answer result;
    if (request->fault_status) {
        bool is_method = request->fault_status == 405;
        result = admin_error(request->fault_status, is_method ? S(ADMIN_READ_ONLY) : request->fault_why);
        result.allow = is_method ? S(ADMIN_ALLOW) : S("");
        answer(call, &result);
    } else if (admin_ask(&owner, &q, call, &result)) {
        a->denied += result.says_who;
        answer(call, &result);
    }
}

static void on_trouble(void *context, const char *line)
{
    const struct admin_server *a = context;
    service_warn(a->service, "admin: %s", line);
}

static bool read_token(struct admin_server *a, const struct config *c, struct buffer *why)
{
    struct buffer token = { 0 };
    bool ok = !c->admin_token_file || secret_file_read_token(c->admin_token_file, &token, why);
    if (ok && token.n)
        ok = secret_init(&a->token, S(""), buffer_slice(&token)) && sign_in_begin(&a->sign_in, buffer_slice(&token));
    if (token.p)
        explicit_bzero(token.p, token.n);
    buffer_clear(&token);
    return ok;
}

struct admin_server *admin_server_new(struct service *s, struct socket_activation *handed_in, struct buffer *why)
{
    struct admin_server *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->service = s;
    link_init(&a->asking);
    a->began_us = clock_monotonic_us();
    struct http_options options = { .max_connections = MAX_CONNECTIONS,
                                    .max_connections_per_address = MAX_CONNECTIONS_PER_ADDRESS,
                                    .makes_room = true,
                                    .is_strict = true,
                                    .allow = S(ADMIN_ALLOW ", OPTIONS"),
                                    .headers = guards,
                                    .n_headers = sizeof guards / sizeof guards[0],
                                    .header_ms = REQUEST_MS,
                                    .body_ms = REQUEST_MS,
                                    .idle_ms = s->config->idle_timeout_ms,
                                    .on_request = on_request,
                                    .on_trouble = on_trouble,
                                    .context = a };
    a->http = http_server_new(s->base, &options);
    if (a->http && read_token(a, s->config, why) &&
        front_listen(s->config, handed_in, a->http, &s->config->admin, "admin", why))
        return a;
    admin_server_free(a);
    return NULL;
}

const struct http_server *admin_server_http(const struct admin_server *a)
{
    return a->http;
}

void admin_server_take_settings(struct admin_server *a)
{
    http_server_set_idle(a->http, a->service->config->idle_timeout_ms);
}

void admin_server_announce(struct admin_server *a)
{
    struct buffer address = { 0 };
    for (size_t i = 0; http_server_address(a->http, i, &address); i++) {
        service_say(a->service, "admin on %.*s", SLICE_ARGS(buffer_slice(&address)));
        address.n = 0;
    }
    buffer_clear(&address);
}

void admin_server_free(struct admin_server *a)
{
    if (!a)
        return;
    http_server_free(a->http);
    while (!link_is_alone(&a->asking)) {
        struct asking *asking = LINKED(a->asking.next, struct asking, link);
        link_out(&asking->link);
        free(asking);
    }
    secret_clear(&a->token);
    explicit_bzero(&a->sign_in, sizeof a->sign_in);
    free(a);
}
