/* SPDX-License-Identifier: MIT
 * One request: what its attempts brought, in the words of our faults. */
#include "proxy/upstream/get.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "proxy/upstream/leak.h"
#include "proxy/upstream/multi.h"

/* Whose doing it is when a transfer fails. */
enum blame {
    OURS,      /* memory, a limit, the configuration: says nothing of v3 */
    UNREACHED, /* there is no way to v3 just now: nothing was sent */
    UNSENT,    /* the connection was lost before the request was out: it cannot have been charged */
    LOST,      /* v3 had the request, and no answer came */
    ODD,       /* v3 lives and answers, but not as it should */
};

/* All that libcurl 7.88 may say of a transfer over HTTP/1.1; its codes for other protocols, for uploads and for
 * options that are not used here are not among them, and count as LOST once something has left, as OURS before. */
static const struct trouble {
    CURLcode code;
    enum blame blame;
    enum fault fault;
    bool may_help; /* to try again, when nothing was charged */
    const char *why;
} troubles[] = {
    /* clang-format off */
    { CURLE_FAILED_INIT,              OURS,      FAULT_TOO_BUSY,      false, "libcurl does not start" },
    { CURLE_URL_MALFORMAT,            OURS,      FAULT_UPSTREAM_ODD,  false, "the url of [upstream] is not one" },
    { CURLE_NOT_BUILT_IN,             OURS,      FAULT_UPSTREAM_ODD,  false, "libcurl lacks what the url of [upstream] needs" },
    { CURLE_WRITE_ERROR,              OURS,      FAULT_UPSTREAM_ODD,  false, "the answer was refused" },
    { CURLE_READ_ERROR,               OURS,      FAULT_TOO_BUSY,      false, "the request could not be made" },
    { CURLE_OUT_OF_MEMORY,            OURS,      FAULT_TOO_BUSY,      false, "memory is out" },
    { CURLE_FUNCTION_NOT_FOUND,       OURS,      FAULT_TOO_BUSY,      false, "a library is not as it should be" },
    { CURLE_BAD_FUNCTION_ARGUMENT,    OURS,      FAULT_TOO_BUSY,      false, "libcurl refused the request" },
    { CURLE_INTERFACE_FAILED,         OURS,      FAULT_TOO_BUSY,      false, "no address of this machine can be used" },
    { CURLE_UNKNOWN_OPTION,           OURS,      FAULT_TOO_BUSY,      false, "libcurl refused the request" },
    { CURLE_SETOPT_OPTION_SYNTAX,     OURS,      FAULT_TOO_BUSY,      false, "libcurl refused the request" },
    { CURLE_SSL_ENGINE_NOTFOUND,      OURS,      FAULT_UPSTREAM_DOWN, false, "TLS is not to be had on this machine" },
    { CURLE_SSL_ENGINE_SETFAILED,     OURS,      FAULT_UPSTREAM_DOWN, false, "TLS is not to be had on this machine" },
    { CURLE_SSL_ENGINE_INITFAILED,    OURS,      FAULT_UPSTREAM_DOWN, false, "TLS is not to be had on this machine" },
    { CURLE_SSL_CERTPROBLEM,          OURS,      FAULT_UPSTREAM_DOWN, false, "a certificate of ours cannot be used" },
    { CURLE_SSL_CIPHER,               OURS,      FAULT_UPSTREAM_DOWN, false, "TLS is not to be had on this machine" },
    { CURLE_SSL_CACERT_BADFILE,       OURS,      FAULT_UPSTREAM_DOWN, false, "ca_file cannot be read" },
    { CURLE_SSL_CRL_BADFILE,          OURS,      FAULT_UPSTREAM_DOWN, false, "a list of revoked certificates cannot be read" },
    { CURLE_SSL_CLIENTCERT,           OURS,      FAULT_UPSTREAM_DOWN, false, "it wants a certificate of ours" },
    { CURLE_FILESIZE_EXCEEDED,        OURS,      FAULT_UPSTREAM_ODD,  false, "the answer is too long" },
    { CURLE_SEND_FAIL_REWIND,         OURS,      FAULT_TOO_BUSY,      false, "the request could not be made again" },
    { CURLE_AGAIN,                    OURS,      FAULT_TOO_BUSY,      false, "the socket was not ready" },
    { CURLE_NO_CONNECTION_AVAILABLE,  OURS,      FAULT_TOO_BUSY,      true,  "no more connections can be had" },
    { CURLE_RECURSIVE_API_CALL,       OURS,      FAULT_TOO_BUSY,      false, "libcurl was asked from inside of itself" },
    { CURLE_AUTH_ERROR,               OURS,      FAULT_TOO_BUSY,      false, "libcurl refused the request" },
    { CURLE_UNRECOVERABLE_POLL,       OURS,      FAULT_TOO_BUSY,      false, "the sockets cannot be watched" },
    { CURLE_COULDNT_RESOLVE_PROXY,    UNREACHED, FAULT_UPSTREAM_DOWN, true,  "the proxy's name is not known" },
    { CURLE_COULDNT_RESOLVE_HOST,     UNREACHED, FAULT_UPSTREAM_DOWN, true,  "its name is not known" },
    { CURLE_COULDNT_CONNECT,          UNREACHED, FAULT_UPSTREAM_DOWN, true,  "it cannot be reached" },
    { CURLE_PROXY,                    UNREACHED, FAULT_UPSTREAM_DOWN, false, "the proxy refused" },
    { CURLE_SSL_CONNECT_ERROR,        UNREACHED, FAULT_UPSTREAM_DOWN, true,  "no TLS connection" },
    { CURLE_PEER_FAILED_VERIFICATION, UNREACHED, FAULT_UPSTREAM_DOWN, false, "its certificate is not trusted" },
    { CURLE_SSL_ISSUER_ERROR,         UNREACHED, FAULT_UPSTREAM_DOWN, false, "its certificate is not trusted" },
    { CURLE_SSL_INVALIDCERTSTATUS,    UNREACHED, FAULT_UPSTREAM_DOWN, false, "its certificate is not trusted" },
    { CURLE_SSL_PINNEDPUBKEYNOTMATCH, UNREACHED, FAULT_UPSTREAM_DOWN, false, "its certificate is not trusted" },
    { CURLE_SEND_ERROR,               UNSENT,    FAULT_UPSTREAM_DOWN, true,  "the connection was lost before the request was sent" },
    { CURLE_GOT_NOTHING,              LOST,      FAULT_UPSTREAM_DOWN, false, "it closed the connection without an answer" },
    { CURLE_RECV_ERROR,               LOST,      FAULT_UPSTREAM_DOWN, false, "the connection was lost" },
    { CURLE_ABORTED_BY_CALLBACK,      LOST,      FAULT_UPSTREAM_DOWN, false, "it closed the connection without an answer" },
    { CURLE_OPERATION_TIMEDOUT,       LOST,      FAULT_UPSTREAM_LATE, false, "no answer in time" },
    { CURLE_SSL_SHUTDOWN_FAILED,      LOST,      FAULT_UPSTREAM_DOWN, false, "the connection was lost" },
    { CURLE_PARTIAL_FILE,             ODD,       FAULT_UPSTREAM_ODD,  false, "the answer ended before its announced end" },
    { CURLE_WEIRD_SERVER_REPLY,       ODD,       FAULT_UPSTREAM_ODD,  false, "the answer is not HTTP" },
    { CURLE_UNSUPPORTED_PROTOCOL,     ODD,       FAULT_UPSTREAM_ODD,  false, "the answer is not HTTP" },
    { CURLE_HTTP_RETURNED_ERROR,      ODD,       FAULT_UPSTREAM_ODD,  false, "the answer is an error" },
    { CURLE_RANGE_ERROR,              ODD,       FAULT_UPSTREAM_ODD,  false, "the answer is a part of one" },
    { CURLE_TOO_MANY_REDIRECTS,       ODD,       FAULT_UPSTREAM_ODD,  false, "it sends us elsewhere" },
    { CURLE_BAD_CONTENT_ENCODING,     ODD,       FAULT_UPSTREAM_ODD,  false, "the answer's compression is broken" },
#if LIBCURL_VERSION_NUM >= 0x080600
    { CURLE_TOO_LARGE,                ODD,       FAULT_UPSTREAM_ODD,  false, "the answer's head is too long" },
#endif
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
    g->target_bytes = target;
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
    free((void *)(uintptr_t)g->body.p);
    free(g);
}

bool get_may_have_cost(const struct upstream_get *g)
{
    const struct wire *w = g->wire;
    return w && wire_has_left(w) && (w->reply.status == 0 || reply_judge(&w->reply).may_have_cost);
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

/* v3 says of a target that it does not know it, until it says so of every target. */
static bool is_about_path(const struct upstream_get *g, const struct verdict *v)
{
    struct slice request = slice_of(g->target, g->target_bytes);
    int status = g->wire->reply.status;
    if (g->is_post) {
        return false; /* it is about many targets: whoever sent it finds out which */
    }
    if (status == 404) {
        return v->fault == FAULT_BAD_TARGET && gone_note_404(&g->upstream->gone, request);
    }
    if (status == 200 || status == 400) {
        gone_note_answer(&g->upstream->gone, request);
    }
    return false;
}

static struct attempt answered(const struct upstream_get *g, struct buffer *why)
{
    const struct reply *r = &g->wire->reply;
    struct verdict v = reply_judge(r);
    bool hides_error = v.fault == FAULT_NONE && reply_hides_error(r), about_path = is_about_path(g, &v);
    if (hides_error || about_path) {
        v.fault = FAULT_UPSTREAM_ODD;
    }
    struct attempt a = attempt_of(g, v);
    if (v.fault != FAULT_NONE) {
        buffer_printf(why, "API v3 answered %d", r->status);
        if (r->status == 200) {
            buffer_str(why, hides_error ? ", but with an error" : ", but not with JSON");
        } else if (about_path) {
            buffer_str(why, " again and again, whatever is asked for: see that the url of [upstream] is right");
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
    struct slice words = slice_str(w->trouble); /* libcurl's, but it quotes v3 */
    if (w->stop == WIRE_RUNS && words.n && !text_leaks(words, wires_secret(w->wires))) {
        buffer_str(why, " (");
        buffer_append(why, words);
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

static struct trouble trouble_of(int code, bool has_left)
{
    for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
        if ((int)troubles[i].code == code) {
            return troubles[i];
        }
    }
    return (
        struct trouble){ .blame = has_left ? LOST : OURS, .fault = FAULT_UPSTREAM_DOWN, .why = "the request failed" };
}

/* libcurl has one code for different things. */
static void look_closer(const struct upstream_get *g, int code, struct trouble *t)
{
    const struct wire *w = g->wire;
    if (code == CURLE_COULDNT_CONNECT && multi_met_own(g->upstream->multi)) {
        t->may_help = false;
        t->why = "its address is one that this proxy listens on itself: the url of [upstream] leads back here";
    } else if (code == CURLE_RECV_ERROR && strstr(w->trouble, "chunked")) {
        t->blame = ODD;
        t->fault = FAULT_UPSTREAM_ODD;
        t->why = "the answer's chunks are broken";
    } else if (code == CURLE_BAD_FUNCTION_ARGUMENT && wire_has_left(w)) {
        t->blame = ODD;
        t->fault = FAULT_UPSTREAM_ODD;
        t->why = "a line of the answer's head is none";
    } else if (code == CURLE_OUT_OF_MEMORY && wire_has_left(w) && !w->reply.has_head) {
        t->blame = ODD; /* of both it is the likelier; neither tells of v3 as a whole */
        t->fault = FAULT_UPSTREAM_ODD;
        t->why = "a line of the answer's head is too long, or memory is out";
    } else if (w->stop == WIRE_EARLY) {
        t->blame = UNSENT;
        t->may_help = true;
        t->why = "it spoke, or closed the connection, before it was asked";
    }
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
    bool has_left = wire_has_left(w);
    struct trouble t = trouble_of(code, has_left);
    look_closer(g, code, &t);
    bool sure = !has_left || t.blame == UNREACHED || t.blame == UNSENT;
    struct verdict v = { .fault = t.fault,
                         .may_have_cost = !sure,
                         .may_retry = sure && t.may_help,
                         .is_down = t.blame == UNREACHED || (has_left && (t.blame == UNSENT || t.blame == LOST)) };
    say_trouble(w, t.why, why);
    struct attempt a = attempt_of(g, v);
    a.result.why = buffer_slice(why);
    a.was_cut_off = v.is_down && v.fault == FAULT_UPSTREAM_DOWN && t.blame != UNREACHED && !a.result.status;
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
