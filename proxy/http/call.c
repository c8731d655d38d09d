/* SPDX-License-Identifier: MIT
 * A call: one request handed out, with everything its slices point to in the same piece of memory, so that
 * it outlives the connection. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/http/server.h"

static struct http_call *call_alloc(struct connection *c, size_t n_bytes)
{
    struct http_server *s = c->server;
    struct http_call *call = malloc(sizeof *call + n_bytes);
    if (!call)
        return NULL;
    *call = (struct http_call){ .server = s, .connection = c };
    link_after(&s->calls, &call->in_server);
    return call;
}

/* Copy `from` to *at and move *at behind it. */
static struct slice keep(char **at, struct slice from)
{
    struct slice kept = slice_of(*at, from.n);
    if (from.n)
        memcpy(*at, from.p, from.n);
    *at += from.n;
    return kept;
}

struct http_call *call_new(struct connection *c, const char *bytes)
{
    static const enum http_method methods[] = {
        [READER_GET] = HTTP_GET, [READER_HEAD] = HTTP_HEAD, [READER_POST] = HTTP_POST, [READER_OPTIONS] = HTTP_GET
    };
    const struct reader *r = &c->reader;
    struct reader_span host = r->authority.n ? r->authority : r->host;
    size_t body_bytes = r->method == READER_POST ? r->body_bytes : 0;
    struct slice client = slice_str(c->peer->text);
    const struct reader_browser *b = &r->browser;
    size_t browser_bytes =
        (size_t)b->origin.n + b->fetch_site.n + b->cookie.n + b->if_none_match.n + b->forwarded_proto.n;
    struct http_call *call =
        call_alloc(c, (size_t)client.n + r->path.n + r->query.n + r->content_type.n + r->user_agent.n + host.n +
                          r->authorization.n + browser_bytes + body_bytes);
    if (!call)
        return NULL;
    char *at = call->bytes;
    struct http_request *q = &call->request;
    q->method = methods[r->method];
    q->client = keep(&at, client);
    q->path = r->path.n ? keep(&at, reader_slice(bytes, r->path)) : S("/");
    if (r->has_query)
        q->query = keep(&at, reader_slice(bytes, r->query));
    q->content_type = keep(&at, reader_slice(bytes, r->content_type));
    q->user_agent = keep(&at, reader_slice(bytes, r->user_agent));
    q->host = keep(&at, reader_slice(bytes, host));
    q->authorization = keep(&at, reader_slice(bytes, r->authorization));
    if (browser_bytes)
        q->browser = (struct http_browser){ .origin = keep(&at, reader_slice(bytes, b->origin)),
                                            .fetch_site = keep(&at, reader_slice(bytes, b->fetch_site)),
                                            .cookie = keep(&at, reader_slice(bytes, b->cookie)),
                                            .if_none_match = keep(&at, reader_slice(bytes, b->if_none_match)),
                                            .forwarded_proto = keep(&at, reader_slice(bytes, b->forwarded_proto)) };
    q->asks_fresh = r->asks_fresh;
    q->body = slice_of(at, body_bytes);
    call->body = at;
    call->is_head = r->method == READER_HEAD;
    call->is_minor = r->minor;
    call->keeps_alive = r->keep_alive;
    return call;
}

struct http_call *call_new_fault(struct connection *c, int status, const char *why)
{
    struct slice client = slice_str(c->peer->text);
    struct http_call *call = call_alloc(c, client.n);
    if (!call)
        return NULL;
    char *at = call->bytes;
    call->request.client = keep(&at, client);
    call->request.path = S("/");
    call->request.fault_status = status;
    call->request.fault_why = slice_str(why);
    call->is_head = c->reader.method == READER_HEAD;
    call->is_minor = c->reader.minor;
    return call;
}

void call_free(struct http_call *call)
{
    link_out(&call->in_server);
    explicit_bzero(call, malloc_usable_size(call)); /* tokens stand in it */
    free(call);
}

const struct http_request *http_call_request(const struct http_call *call)
{
    return &call->request;
}

void http_call_on_gone(struct http_call *call, void (*gone)(void *context), void *context)
{
    call->gone = gone;
    call->gone_context = context;
    call->tell_gone = !call->connection && gone;
    if (call->tell_gone) {
        call->server->tells_gone = true;
        server_schedule_turn(call->server);
    }
}

void calls_tell_gone(struct http_server *s)
{
    if (!s->tells_gone)
        return;
    s->tells_gone = false;
    /* `gone` may end any call, so begin again after each */
    for (struct link *at = s->calls.next; at != &s->calls;) {
        struct http_call *call = LINKED(at, struct http_call, in_server);
        if (!call->tell_gone) {
            at = at->next;
            continue;
        }
        call->tell_gone = false;
        call->gone(call->gone_context);
        at = s->calls.next;
    }
}
