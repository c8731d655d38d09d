/* SPDX-License-Identifier: MIT
 * One request: what its attempts brought, in the words of our faults. */
#include "proxy/upstream/get.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "proxy/upstream/multi.h"

/* What libcurl's codes mean. A request that was not sent whole cannot have been charged. */
static const struct {
    CURLcode code;
    enum fault fault;
    bool unsent;   /* surely not charged */
    bool may_help; /* to try again */
    const char *why;
} troubles[] = {
    /* clang-format off */
    { CURLE_COULDNT_RESOLVE_PROXY,    FAULT_UPSTREAM_DOWN, true,  true,  "the proxy's name is not known" },
    { CURLE_COULDNT_RESOLVE_HOST,     FAULT_UPSTREAM_DOWN, true,  true,  "its name is not known" },
    { CURLE_COULDNT_CONNECT,          FAULT_UPSTREAM_DOWN, true,  true,  "it cannot be reached" },
    { CURLE_PROXY,                    FAULT_UPSTREAM_DOWN, true,  false, "the proxy refused" },
    { CURLE_SSL_CONNECT_ERROR,        FAULT_UPSTREAM_DOWN, true,  true,  "no TLS connection" },
    { CURLE_PEER_FAILED_VERIFICATION, FAULT_UPSTREAM_DOWN, true,  false, "its certificate is not trusted" },
    { CURLE_SSL_CACERT_BADFILE,       FAULT_UPSTREAM_DOWN, true,  false, "ca_file cannot be read" },
    { CURLE_SEND_ERROR,               FAULT_UPSTREAM_DOWN, true,  true,  "the connection was lost before the request was sent" },
    { CURLE_GOT_NOTHING,              FAULT_UPSTREAM_DOWN, false, false, "it closed the connection without an answer" },
    { CURLE_RECV_ERROR,               FAULT_UPSTREAM_DOWN, false, false, "the connection was lost" },
    { CURLE_ABORTED_BY_CALLBACK,      FAULT_UPSTREAM_DOWN, false, false, "it closed the connection without an answer" },
    { CURLE_OPERATION_TIMEDOUT,       FAULT_UPSTREAM_LATE, false, false, "no answer in time" },
    { CURLE_PARTIAL_FILE,             FAULT_UPSTREAM_ODD,  false, false, "the answer ended before its announced end" },
    { CURLE_WEIRD_SERVER_REPLY,       FAULT_UPSTREAM_ODD,  false, false, "the answer is not HTTP" },
    { CURLE_UNSUPPORTED_PROTOCOL,     FAULT_UPSTREAM_ODD,  false, false, "the answer is not HTTP" },
    { CURLE_BAD_CONTENT_ENCODING,     FAULT_UPSTREAM_ODD,  false, false, "the answer's compression is broken" },
    { CURLE_URL_MALFORMAT,            FAULT_UPSTREAM_ODD,  true,  false, "the url of [upstream] is not one" },
    { CURLE_OUT_OF_MEMORY,            FAULT_TOO_BUSY,      false, false, "out of memory" },
    /* clang-format on */
};

/* What our own callbacks refused. */
static const char *const stops[] = {
    [WIRE_REFUSED] = "the answer was refused",
    [WIRE_TOO_LONG] = "the answer is too long",
    [WIRE_HEADERS] = "the answer's headers are too long",
};

struct upstream_get *get_new(struct upstream *u, struct slice path_and_query, struct slice team)
{
    struct slice path = wires_path(u->wires);
    size_t target = path.n + path_and_query.n;
    struct upstream_get *g = calloc(1, sizeof(*g) + target + 1 + team.n);
    if (!g) {
        return NULL;
    }
    char *p = (char *)(g + 1);
    g->upstream = u;
    g->target = p;
    memcpy(p, path.p, path.n);
    memcpy(p + path.n, path_and_query.p, path_and_query.n);
    g->team = slice_of(p + target + 1, team.n);
    if (team.n) {
        memcpy(p + target + 1, team.p, team.n);
    }
    link_init(&g->all);
    link_init(&g->line);
    return g;
}

void get_free(struct upstream_get *g)
{
    free(g->last_why);
    free(g);
}

bool get_may_have_cost(const struct upstream_get *g)
{
    const struct wire *w = g->wire;
    return w && w->sent && (w->reply.status == 0 || reply_judge(&w->reply).may_have_cost);
}

static struct attempt attempt_of(const struct upstream_get *g, struct verdict verdict)
{
    const struct reply *r = &g->wire->reply;
    return (struct attempt){ .verdict = verdict,
                             .result = { .fault = verdict.fault,
                                         .status = r->status,
                                         .units = r->units,
                                         .units_nominal = r->units_nominal,
                                         .rows = r->rows,
                                         .cache_hit = r->cache_hit,
                                         .may_have_cost = verdict.may_have_cost,
                                         .retry_after_ms = r->retry_after_ms > 0 ? r->retry_after_ms : 0 } };
}

static struct attempt answered(const struct upstream_get *g, struct buffer *why)
{
    const struct reply *r = &g->wire->reply;
    struct attempt a = attempt_of(g, reply_judge(r));
    if (a.verdict.fault != FAULT_NONE) {
        buffer_printf(why, "API v3 answered %d", r->status);
        if (r->status == 200) {
            buffer_str(why, ", but not with JSON");
        }
        size_t before = why->n;
        buffer_str(why, ": ");
        reply_words(r, wires_secret(g->upstream->wires), why);
        if (why->n == before + 2) {
            why->n = before;
        }
    }
    a.result.why = buffer_slice(why);
    return a;
}

static void say_trouble(const struct wire *w, const char *what, struct buffer *why)
{
    buffer_str(why, "API v3: ");
    buffer_str(why, what);
    if (w->stop == WIRE_RUNS && w->trouble[0]) {
        buffer_str(why, " (");
        reply_append_without(slice_str(w->trouble), wires_secret(w->wires), why);
        buffer_put(why, ')');
    }
}

static struct attempt stopped(const struct upstream_get *g, struct buffer *why)
{
    const struct wire *w = g->wire;
    say_trouble(w, stops[w->stop], why);
    struct attempt a = attempt_of(g, (struct verdict){ FAULT_UPSTREAM_ODD, get_may_have_cost(g), false, false });
    a.result.why = buffer_slice(why);
    return a;
}

/* Some words of an error are enough: how its body ended does not matter. */
static bool has_told(const struct wire *w)
{
    return w->reply.n_error && !reply_is_good(&w->reply);
}

struct attempt get_attempt(const struct upstream_get *g, int code, struct buffer *why)
{
    const struct wire *w = g->wire;
    if (code == CURLE_OK || has_told(w)) {
        return answered(g, why);
    }
    if (w->stop < sizeof(stops) / sizeof(stops[0]) && stops[w->stop]) {
        return stopped(g, why);
    }
    struct verdict v = { FAULT_UPSTREAM_DOWN, w->sent, false, true };
    const char *what = "the request failed";
    for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
        if ((int)troubles[i].code == code) {
            bool sure = troubles[i].unsent || !w->sent;
            v = (struct verdict){ troubles[i].fault, !sure, sure && troubles[i].may_help,
                                  troubles[i].fault != FAULT_UPSTREAM_ODD };
            what = troubles[i].why;
            break;
        }
    }
    if (code == CURLE_COULDNT_CONNECT && multi_met_own(g->upstream->multi)) {
        v.may_retry = false;
        what = "its address is one that this proxy listens on itself: the url of [upstream] leads back here";
    }
    /* libcurl has one code for a lost connection and for chunks that are none. */
    if (code == CURLE_RECV_ERROR && strstr(w->trouble, "chunked")) {
        v = (struct verdict){ FAULT_UPSTREAM_ODD, true, false, false };
        what = "the answer's chunks are broken";
    }
    say_trouble(w, what, why);
    struct attempt a = attempt_of(g, v);
    a.result.why = buffer_slice(why);
    return a;
}

struct attempt get_attempt_late(const struct upstream_get *g, struct buffer *why)
{
    const struct wire *w = g->wire;
    if (has_told(w)) {
        return answered(g, why);
    }
    bool call_is_over = g->upstream->now_ms >= g->deadline_ms;
    bool no_connection = !w->sent && !call_is_over;
    struct verdict v = { .fault = no_connection ? FAULT_UPSTREAM_DOWN : FAULT_UPSTREAM_LATE,
                         .may_have_cost = get_may_have_cost(g),
                         .may_retry = no_connection,
                         .is_down = !call_is_over };
    buffer_printf(why, "API v3: %s within %lld ms", w->sent ? "no whole answer" : "no connection",
                  (long long)(g->upstream->now_ms - g->attempt_ms));
    struct attempt a = attempt_of(g, v);
    a.result.why = buffer_slice(why);
    return a;
}
