/* SPDX-License-Identifier: MIT
 * How we speak to v3: one configured handle per request in flight, kept for the next one.
 *
 * The URL never changes, so it is parsed once for all handles; each request only sets its target, the words in
 * the request line. */
#include "proxy/upstream/wire.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/round.h"
#include "proxy/upstream/forbidden.h"
#include "proxy/upstream/multi.h"
#include "proxy/upstream/secret.h"

/* libcurl takes the buffer anew for each request: larger ones cost page faults (256 KiB: 3 to 4 times the CPU). */
enum { MAX_IDLE = 256, BUFFER_BYTES = 64 * 1024, IDLE_SECONDS = 30 };

/* libcurl reads up to a hundred buffers in one go while more keep coming, and each may unpack to a thousand times its
 * size: after so many bytes the others of the loop are let in. What has rested goes on for about so long a round. */
enum { TURN_BYTES = 256 * 1024, ROUND_US = 1000 };

/* Those of a POST go over into those of any request. */
enum { OF_POST = 0, OF_ALL = 2 };

struct wires {
    struct multi *multi;
    char *url, *ca_file, *proxy;
    CURLU *parsed;     /* libcurl reads it for every request */
    struct slice path; /* within url */
    bool has_tls;
    struct secret authorization;
    struct curl_slist headers[4]; /* ours: libcurl only reads them */
    struct link idle, resting;
    size_t n_idle;
};

static size_t on_header(char *p, size_t size, size_t n, void *context)
{
    struct wire *w = context;
    struct slice line = slice_of(p, size * n);
    bool has_time = line.n && (line.p[0] | 0x20) == 'r';
    if (reply_header(&w->reply, line, has_time ? clock_wall_ms() : 0)) {
        return size * n;
    }
    w->stop = WIRE_HEADERS;
    return 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *context)
{
    struct wire *w = context;
    struct slice bytes = slice_of(p, size * n);
    if (w->bytes_of_turn >= TURN_BYTES || multi_is_to_rest(w->wires->multi)) {
        if (link_is_alone(&w->resting)) {
            link_before(&w->wires->resting, &w->resting);
        }
        multi_rest(w->wires->multi);
        return CURL_WRITEFUNC_PAUSE; /* libcurl keeps them and shows them again */
    }
    w->bytes_of_turn += bytes.n;
    w->bytes += bytes.n;
    if (!w->owner || w->bytes > w->max_bytes) {
        w->stop = w->owner ? WIRE_TOO_LONG : WIRE_REFUSED;
        return 0;
    }
    if (!reply_is_good(&w->reply)) {
        if (reply_error_bytes(&w->reply, bytes)) {
            return bytes.n;
        }
        w->stop = WIRE_ENOUGH;
        return 0;
    }
    (void)reply_error_bytes(&w->reply, bytes); /* a good answer may be an error, too */
    if (!w->on_bytes(w->owner, bytes)) {
        w->stop = WIRE_REFUSED;
        return 0;
    }
    return bytes.n;
}

void wires_go_on(struct wires *all, void (*failed)(struct wire *w, int code))
{
    struct round share = { 0 };
    while (!link_is_alone(&all->resting) && !round_is_over(&share, ROUND_US)) {
        struct wire *w = LINKED(all->resting.next, struct wire, resting);
        link_out(&w->resting);
        w->bytes_of_turn = 0;
        int code = multi_go_on(all->multi, w->easy); /* what it shows may make it rest again, behind the others */
        if (code && w->owner) {
            failed(w, code);
        }
    }
    if (!link_is_alone(&all->resting)) {
        multi_rest(all->multi);
    }
}

/* libcurl repeats a request by itself when a kept connection turns out to be closed. v3 may have seen the
 * first one, and the second would pass by the rate: we decide about repeating, not libcurl. */
static int before_request(void *context, char *ip, char *own_ip, int port, int own_port)
{
    (void)own_ip, (void)port;
    struct wire *w = context;
    if (w->sent) {
        w->stop = WIRE_LOST;
        return CURL_PREREQFUNC_ABORT;
    }
    /* Over TLS the other side of a new connection may have more to say before it is asked. */
    if (!multi_is_connected(w->wires->multi, w->easy, ip, own_port, !w->wires->has_tls)) {
        w->stop = WIRE_EARLY;
        return CURL_PREREQFUNC_ABORT;
    }
    w->sent = true;
    curl_easy_getinfo(w->easy, CURLINFO_REQUEST_SIZE, &w->before_bytes);
    return CURL_PREREQFUNC_OK;
}

static void configure_transport(const struct wires *all, CURL *c)
{
    curl_easy_setopt(c, CURLOPT_CURLU, all->parsed);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(c, CURLOPT_PROXY, all->proxy ? all->proxy : "");
    curl_easy_setopt(c, CURLOPT_NOPROXY, "");
    curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(c, CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
    curl_easy_setopt(c, CURLOPT_MAXAGE_CONN, (long)IDLE_SECONDS);
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    /* Debian's libcurl trusts this folder beside the file; without it the parsed file is also kept. */
    curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
    if (all->ca_file) {
        curl_easy_setopt(c, CURLOPT_CAINFO, all->ca_file);
    }
    /* On loopback compressing costs more than it saves. */
    if (all->has_tls) {
        curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "gzip");
    }
}

static void configure(struct wires *all, struct wire *w)
{
    CURL *c = w->easy;
    configure_transport(all, c);
    multi_adopt(all->multi, c);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, &all->headers[OF_ALL]);
    curl_easy_setopt(c, CURLOPT_PRIVATE, w);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, w->trouble);
    curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(c, CURLOPT_PREREQDATA, w);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, w);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, w);
}

static bool can_stand_in_header(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] > '~') {
            return false;
        }
    }
    return true;
}

/* The part of the url behind the authority; all of it where a proxy has to be told the whole. */
static struct slice path_of(const struct wires *all)
{
    struct slice url = slice_str(all->url);
    if (all->proxy && slice_starts(url, S("http:"))) {
        return url;
    }
    const char *scheme = strstr(url.p, "://");
    size_t at = scheme ? (size_t)(scheme - url.p) + 3 : 0;
    struct slice rest = slice_from(url, at);
    return slice_from(rest, slice_find(rest, '/'));
}

struct wires *wires_new(struct multi *multi, const struct wires_options *options)
{
    struct slice key = slice_trim(options->api_key);
    struct wires *all = can_stand_in_header(key) ? calloc(1, sizeof(*all)) : NULL;
    if (!all) {
        return NULL;
    }
    all->multi = multi;
    link_init(&all->idle);
    link_init(&all->resting);
    all->url = strdup(options->url);
    all->ca_file = options->ca_file ? strdup(options->ca_file) : NULL;
    all->proxy = options->proxy ? strdup(options->proxy) : NULL;
    all->parsed = curl_url();
    if (!all->url || !all->parsed || curl_url_set(all->parsed, CURLUPART_URL, all->url, 0) ||
        (options->ca_file && !all->ca_file) || (options->proxy && !all->proxy) ||
        !secret_init(&all->authorization, S("Authorization: Bearer "), key)) {
        wires_free(all);
        return NULL;
    }
    all->path = path_of(all);
    all->has_tls = slice_starts(slice_str(all->url), S("https:")) ||
                   (all->proxy && slice_starts(slice_str(all->proxy), S("https:")));
    /* Here rather than as an option of its own, which libcurl would format anew for each request. */
    static char agent[] = "User-Agent: anchorage/" ANCHORAGE_VERSION;
    /* libcurl would ask leave to send a large body. */
    static char type[] = "Content-Type: application/json", leave[] = "Expect:";
    all->headers[OF_POST] = (struct curl_slist){ .data = type, .next = &all->headers[OF_POST + 1] };
    all->headers[OF_POST + 1] = (struct curl_slist){ .data = leave, .next = &all->headers[OF_ALL] };
    all->headers[OF_ALL] = (struct curl_slist){ .data = agent, .next = key.n ? &all->headers[OF_ALL + 1] : NULL };
    all->headers[OF_ALL + 1] = (struct curl_slist){ .data = all->authorization.p };
    return all;
}

static void wire_free(struct wire *w)
{
    curl_easy_cleanup(w->easy);
    free(w);
}

void wires_free(struct wires *all)
{
    if (!all) {
        return;
    }
    while (!link_is_alone(&all->idle)) {
        struct wire *w = LINKED(all->idle.next, struct wire, link);
        link_out(&w->link);
        wire_free(w);
    }
    secret_clear(&all->authorization);
    curl_url_cleanup(all->parsed);
    free(all->url);
    free(all->ca_file);
    free(all->proxy);
    free(all);
}

struct slice wires_secret(const struct wires *all)
{
    return secret_value(&all->authorization);
}

struct slice wires_path(const struct wires *all)
{
    return all->path;
}

bool wires_leads_to(const struct wires *all, const struct forbidden *forbidden)
{
    CURLU *url = curl_url();
    char *host = NULL, *port = NULL;
    const char *text = all->proxy ? all->proxy : all->url;
    bool leads = url && !curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) &&
                 !curl_url_get(url, CURLUPART_HOST, &host, 0) &&
                 !curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) &&
                 forbidden_has_host(forbidden, host, port);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
    return leads;
}

static struct wire *wire_new(struct wires *all)
{
    struct wire *w = malloc(sizeof(*w));
    if (!w) {
        return NULL;
    }
    w->easy = curl_easy_init();
    if (!w->easy) {
        free(w);
        return NULL;
    }
    w->wires = all;
    w->body_bytes = 0;
    link_init(&w->link);
    link_init(&w->resting);
    configure(all, w);
    return w;
}

/* What differs between the requests of one handle. */
static bool aim(struct wire *w, const char *target, struct slice body)
{
    CURL *c = w->easy;
    struct wires *all = w->wires;
    if (body.n != w->body_bytes || body.n) {
        w->body_bytes = body.n;
        if (curl_easy_setopt(c, CURLOPT_HTTPHEADER, &all->headers[body.n ? OF_POST : OF_ALL]) ||
            curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)body.n) ||
            curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.n ? body.p : NULL) ||
            curl_easy_setopt(c, body.n ? CURLOPT_POST : CURLOPT_HTTPGET, 1L)) {
            return false;
        }
    }
    return !curl_easy_setopt(c, CURLOPT_REQUEST_TARGET, target);
}

struct wire *wire_take(struct wires *all, const char *target, struct slice body)
{
    struct wire *w;
    if (link_is_alone(&all->idle)) {
        w = wire_new(all);
    } else {
        w = LINKED(all->idle.next, struct wire, link);
        link_out(&w->link);
        all->n_idle--;
    }
    if (!w) {
        return NULL;
    }
    if (!aim(w, target, body)) {
        wire_free(w);
        return NULL;
    }
    w->bytes = w->bytes_of_turn = 0;
    w->sent = false;
    w->before_bytes = 0;
    w->stop = WIRE_RUNS;
    w->trouble[0] = '\0';
    reply_init(&w->reply);
    return w;
}

struct wire *wire_of(void *easy)
{
    char *w = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &w);
    return (void *)w;
}

bool wire_has_left(const struct wire *w)
{
    long bytes = 0;
    curl_off_t later = 0; /* of a request that did not go out at once, libcurl counts the rest as an upload */
    curl_easy_getinfo(w->easy, CURLINFO_REQUEST_SIZE, &bytes);
    curl_easy_getinfo(w->easy, CURLINFO_SIZE_UPLOAD_T, &later);
    return w->sent && (bytes > w->before_bytes || later > 0 || w->reply.header_bytes > 0);
}

void wire_put(struct wire *w)
{
    struct wires *all = w->wires;
    w->owner = NULL;
    link_out(&w->resting);
    if (all->n_idle >= MAX_IDLE) {
        wire_free(w);
        return;
    }
    /* The one used last comes first: its memory is warm. */
    link_after(&all->idle, &w->link);
    all->n_idle++;
}
