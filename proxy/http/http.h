/* SPDX-License-Identifier: MIT
 *
 * HTTP in front: accepts connections, reads requests strictly, hands each one out once, writes the
 * answer. Knows nothing of v2, keys or rows. All of it runs on the thread of the event base.
 *
 * The life of a request: on_request(call) -> [gone(call)] -> http_answer(call). A call stays valid until
 * it is answered, also when its client has left meanwhile (the answer is then dropped). A client that closes
 * only its sending side has left too, as for nginx. docs/http.md has the rules, limits and deadlines.
 */
#ifndef ANCHORAGE_PROXY_HTTP_HTTP_H
#define ANCHORAGE_PROXY_HTTP_HTTP_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

struct event_base;
struct http_server;
struct http_call;

/* Sockets of clients that are being turned away, at most; they are open besides those that max_connections counts. */
enum { HTTP_MOST_LEAVING = 128 };

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST };

/* What browsers say of themselves, as sent; empty when absent. Of several lines of one name the first counts. */
struct http_browser {
    struct slice origin, fetch_site, cookie, if_none_match, forwarded_proto;
};

/* What came in. All slices live until the call is answered. */
struct http_request {
    enum http_method method;
    struct slice path;          /* as sent, not decoded; empty path becomes "/" */
    struct slice query;         /* bytes behind the first '?', not decoded; p NULL when there was none */
    struct slice body;          /* POST only */
    struct slice content_type;  /* as sent; empty when absent */
    struct slice user_agent;    /* as sent, perhaps no UTF-8; empty when absent */
    struct slice host;          /* with its port: of an absolute target, else of Host; empty when absent (HTTP/1.0) */
    struct slice authorization; /* as sent; empty when absent, or given twice */
    struct http_browser browser;
    bool asks_fresh;     /* X-Anchorage-Fresh: yes */
    struct slice client; /* "192.0.2.7", "2001:db8::1" (v4-mapped is shown as v4), "unix" */
    /* Set when the bytes were not a request that we take: nothing else above but `client` can be relied
     * on. The status that has to be answered, and why in words. The connection is closed afterwards. */
    int fault_status;
    struct slice fault_why;
    /* So many connections are open that no new work is to be taken on: answer 503 with Retry-After. */
    bool is_overload;
};

struct http_header {
    struct slice name, value;
};

struct http_options {
    int max_connections;
    int max_connections_per_address;
    /* Over a cap, let the newcomer in and close the one that has waited longest for its client instead: to send a
     * request, or to take an answer. Of its own address if that is over its cap; else of the address with most. For a
     * side that few ask, and that has to be open to all of them. */
    bool makes_room;
    /* Refuse a bare LF as line end and raw blanks in the query, which old programs send. */
    bool is_strict;
    /* The mode of the files of unix sockets that are listened on; 0: as the umask says. */
    unsigned unix_mode;
    /* What OPTIONS, and a 405 whose owner does not, say in Allow; empty: all that the server reads. Not copied. */
    struct slice allow;
    /* Stand in every answer. Not copied. */
    const struct http_header *headers;
    size_t n_headers;
    /* Deadlines in milliseconds; 0 takes the default in docs/http.md. For tests. */
    int64_t header_ms, body_ms, idle_ms, drain_ms, write_floor_ms, handshake_ms;
    /* Called once for each request, framing faults included. May answer before it returns. */
    void (*on_request)(void *context, struct http_call *call, const struct http_request *request);
    /* A new connection is turned away since there are too many: those over a cap, and, unless this is NULL, those that
     * have asked already when request.is_overload would be set. May append header lines, each with its CRLF and 128
     * bytes in all, to the 503 that they get. */
    void (*on_turned_away)(void *context, struct buffer *head);
    /* A client spoke plain HTTP where TLS is spoken; may append header lines likewise, to the 400 that it gets, unless
     * NULL. */
    void (*on_plain_http)(void *context, struct buffer *head);
    /* One line for the log, rate-limited by the server; may be NULL. */
    void (*on_trouble)(void *context, const char *line);
    void *context;
};

/* NULL when memory is out. Copies `options`. Where `base` has priorities, accepting has the highest. SIGPIPE is ignored
 * from now on, unless something else than its default was chosen. */
struct http_server *http_server_new(struct event_base *base, const struct http_options *options);

/* Listen on "127.0.0.1:8080", "[::1]:8080", "*:80" or "unix:/run/x.sock". Port 0 is chosen by the kernel.
 * On failure false, and `why` gets one line without a newline. */
[[nodiscard]] bool http_server_listen(struct http_server *s, const char *address, struct buffer *why);

/* A certificate with its chain, and its private key: two PEM files. */
struct http_tls_pair {
    const char *certificate, *private_key;
};

/* One thing about the n-th pair: wrong, or only worth a warning. `about_key`: it is the key's file that the line
 * names, not the certificate's. */
typedef void http_tls_say(void *context, size_t n, bool about_key, bool is_warning, const char *line);

/* Read the pairs, for new connections from now on; those that are open keep what they have. The names in a certificate
 * (wildcards too) choose it; the first pair is for all other names. When anything is wrong: false, all of it is told
 * to `say`, and what was loaded before stays. May be called again at any time. */
[[nodiscard]] bool http_server_load_tls(struct http_server *s, const struct http_tls_pair *pairs, size_t n,
                                        http_tls_say *say, void *context);

/* http_server_listen for TLS; http_server_load_tls comes first. */
[[nodiscard]] bool http_server_listen_tls(struct http_server *s, const char *address, struct buffer *why);

/* Whether the n-th listener speaks TLS. */
bool http_server_is_tls(const struct http_server *s, size_t n);

/* Listen on a socket that somebody else has made and keeps too: bound, listening or not; for TLS or plain. Takes `fd`
 * over, also on failure, and never removes its file. On failure false, and `why` gets one line. */
[[nodiscard]] bool http_server_inherit(struct http_server *s, int fd, bool is_tls, struct buffer *why);

/* Append where the n-th listener listens, as host:port (with the port that the kernel chose), or
 * unix:PATH; false when there are fewer. */
bool http_server_address(const struct http_server *s, size_t n, struct buffer *out);

/* Take in who has already connected, and close the listeners (who connects to one that somebody else keeps waits for a
 * successor). Each connection closes after its next answer, which says so; one that is idle has drain_ms to send one
 * more request. `done` is called from the loop when no connection is left (at the earliest on the next turn). */
void http_server_drain(struct http_server *s, void (*done)(void *context), void *context);

/* Close everything at once; calls still open become invalid. NULL is allowed. Not from inside on_request, gone or
 * on_trouble. */
void http_server_free(struct http_server *s);

/* Let a kept connection be idle so long from now on, those that are idle already included. */
void http_server_set_idle(struct http_server *s, int64_t idle_ms);

/* How many are open. */
size_t http_server_connections(const struct http_server *s);

/* Connections that were closed when they came, since there were too many. */
int64_t http_server_turned_away(const struct http_server *s);

/* The most bytes that all connections together can make this room hold, and (in *each, unless NULL) a single one before
 * its answer; answers that wait for their readers are bounded together. */
uint64_t http_server_most_bytes(const struct http_server *s, uint64_t *each);

const struct http_request *http_call_request(const struct http_call *call);

/* Ask to be told once, from the loop, when the client has left before the answer; also when it had left already.
 * `gone` may answer the call. */
void http_call_on_gone(struct http_call *call, void (*gone)(void *context), void *context);

/* Answer and end the call. Adds Date, Content-Length, Connection and what HEAD and HTTP/1.0 ask for;
 * `headers` are the rest (copied); a 405 without Allow gets one. The bytes of `body` are taken over (freed with
 * free(3)) and `body` is left empty; NULL is an empty one, or to HEAD one whose length is not known. `status` 204
 * and 304 have no body. */
void http_answer(struct http_call *call, int status, const struct http_header *headers, size_t n_headers,
                 struct buffer *body);

#endif
