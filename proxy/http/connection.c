/* SPDX-License-Identifier: MIT
 * One client connection: bytes in, calls out, answers back, and the end of it. What carries
 * the bytes is the transport's business. */
#include "proxy/http/connection.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "proxy/http/server.h"

enum {
    MAX_PIPELINED = 32768,   /* bytes behind a waiting call before reading stops */
    MAX_THROWN_AWAY = 65536, /* bytes behind the last request before the connection is cut */
    MAX_REQUESTS_A_TURN = 16,
    WRITE_BYTES_PER_MS = 4, /* 4 KiB/s, a little less */
};

void connection_move(struct connection *c, enum place to)
{
    struct place_list *list = &c->server->places[to];
    link_out(&c->in_place);
    link_before(&list->connections, &c->in_place);
    c->place = to;
    if (list->lasts_ms) {
        c->deadline_ms = clock_monotonic_ms() + list->lasts_ms;
        server_deadline_set(c->server, c->deadline_ms);
    }
}

/* What waits for its reader is counted when it is queued and when all of it is gone: until then its memory is held. */
static void count_unsent(struct connection *c, size_t bytes)
{
    c->server->unsent_bytes = c->server->unsent_bytes - c->unsent_bytes + bytes;
    c->unsent_bytes = bytes;
}

void connection_kill(struct connection *c)
{
    if (c->place == PLACE_DEAD)
        return;
    transport_mute(&c->transport);
    count_unsent(c, 0);
    if (c->call)
        c->call->connection = NULL;
    c->call = NULL;
    peer_put(&c->server->peers, c->peer);
    c->peer = NULL;
    connection_move(c, PLACE_DEAD);
    c->server->n_dead++;
    server_schedule_turn(c->server);
}

void connection_free(struct connection *c)
{
    link_out(&c->in_place);
    transport_close(&c->transport);
    if (c->peer)
        peer_put(&c->server->peers, c->peer);
    c->server->n_connections--;
    c->server->n_dead -= c->place == PLACE_DEAD;
    free(c);
}

/* Throw away what lies in the input. False when there was too much of it in all. */
static bool throw_away(struct connection *c)
{
    struct evbuffer *input = c->transport.input;
    c->thrown_away += (uint32_t)evbuffer_get_length(input);
    evbuffer_drain(input, evbuffer_get_length(input));
    return c->thrown_away <= MAX_THROWN_AWAY;
}

static void pause_reading(struct connection *c)
{
    c->is_paused = true;
    transport_pause(&c->transport);
}

/* It sends more than the requests before it let us look at. */
static bool is_too_far_ahead(const struct connection *c)
{
    return evbuffer_get_length(c->transport.input) > MAX_PIPELINED;
}

static void resume_reading(struct connection *c)
{
    if (!c->is_paused)
        return;
    c->is_paused = false;
    transport_resume(&c->transport);
}

/* All is said. A close with unread bytes would reset the connection and could take the answer with it, so
 * listen until the client closes too. */
void connection_linger(struct connection *c)
{
    if (c->has_left || !throw_away(c) || !transport_finish(&c->transport)) {
        connection_kill(c);
        return;
    }
    connection_move(c, PLACE_LINGER);
    resume_reading(c);
}

/* The whole answer has left. */
static void connection_sent(struct connection *c)
{
    count_unsent(c, 0);
    if (c->has_left) {
        connection_kill(c);
    } else if (c->is_last) {
        connection_linger(c);
    } else if (evbuffer_get_length(c->transport.input)) {
        connection_move(c, PLACE_NEXT);
        if (!c->is_reading)
            server_schedule_turn(c->server);
    } else {
        connection_move(c, PLACE_IDLE);
        resume_reading(c);
    }
}

/* Leave to the transport what the socket did not take. */
static bool queue(struct connection *c, struct slice head, struct buffer *body, size_t sent)
{
    size_t rest = head.n + body->n - sent;
    connection_move(c, PLACE_WRITING);
    c->deadline_ms += (int64_t)(rest / WRITE_BYTES_PER_MS) > c->server->places[PLACE_WRITING].lasts_ms
                          ? (int64_t)(rest / WRITE_BYTES_PER_MS) - c->server->places[PLACE_WRITING].lasts_ms
                          : 0;
    count_unsent(c, head.n + body->room);
    if (sent < head.n && !transport_queue(&c->transport, slice_from(head, sent)))
        return false;
    size_t from = sent > head.n ? sent - head.n : 0;
    return from == body->n || transport_queue_body(&c->transport, body, from);
}

void connection_send(struct connection *c, struct slice head, struct buffer *body)
{
    struct http_server *s = c->server;
    ssize_t sent = 0;
    if (!transport_queued(&c->transport))
        sent = transport_send(&c->transport, head, buffer_slice(body));
    bool is_whole = sent >= 0 && (size_t)sent == head.n + body->n;
    if (is_whole)
        connection_sent(c);
    else if (sent < 0 || !queue(c, head, body, (size_t)sent))
        connection_kill(c);
    buffer_clear(body);
    if (!is_whole)
        server_shed_answers(s);
}

static void send_continue(struct connection *c)
{
    static const struct slice line = SLICE("HTTP/1.1 100 Continue\r\n\r\n");
    c->has_continued = true;
    ssize_t sent = transport_send(&c->transport, line, S(""));
    if (sent < 0 || ((size_t)sent < line.n && !transport_queue(&c->transport, slice_from(line, (size_t)sent))))
        connection_kill(c);
}

static void hand_out(struct connection *c, struct http_call *call)
{
    struct http_server *s = c->server;
    bool is_options = !call->request.fault_status && c->reader.method == READER_OPTIONS;
    c->call = call;
    c->is_last = c->is_last || !call->keeps_alive;
    reader_start(&c->reader);
    c->has_continued = false;
    if (c->is_last)
        (void)throw_away(c);
    connection_move(c, PLACE_CALL);
    call->request.is_overload = server_is_full(s);
    if (is_options)
        answer_options(call);
    else
        s->options.on_request(s->options.context, call, &call->request);
}

/* Hand out a fault; nothing behind it is looked at. */
static void hand_out_fault(struct connection *c, int status, const char *why)
{
    struct http_call *call = call_new_fault(c, status, why);
    c->is_last = true;
    (void)throw_away(c);
    if (call)
        hand_out(c, call);
    else
        connection_kill(c);
}

/* The request is complete and lies at the front of the input. */
static void hand_out_request(struct connection *c)
{
    struct evbuffer *input = c->transport.input;
    const char *bytes = (const char *)evbuffer_pullup(input, (ev_ssize_t)c->reader.head_bytes);
    struct http_call *call = bytes ? call_new(c, bytes) : NULL;
    if (!call) {
        connection_kill(c);
        return;
    }
    evbuffer_drain(input, c->reader.head_bytes);
    if (call->request.body.n)
        evbuffer_remove(input, call->body, call->request.body.n);
    else
        evbuffer_drain(input, c->reader.body_bytes); /* only that of POST means something */
    hand_out(c, call);
}

/* Let the reader see what has come. False when memory is out. */
static bool read_head(struct reader *r, struct evbuffer *input, size_t n, bool is_strict)
{
    size_t first = evbuffer_get_contiguous_space(input);
    size_t most = n < READER_MAX_HEAD + 1 ? n : READER_MAX_HEAD + 1;
    /* mostly the whole head lies in one piece; making one piece of all that came would copy again and again */
    for (size_t have = first < most ? first : most; r->verdict == READER_MORE; have = most) {
        const char *bytes = (const char *)evbuffer_pullup(input, (ev_ssize_t)have);
        if (!bytes)
            return false;
        (void)reader_read(r, bytes, have);
        if (have == most)
            break;
    }
    if (is_strict)
        reader_be_strict(r);
    return true;
}

/* In the order that requests came, and no more in a round of the loop than lets it come around. Who is turned away need
 * not wait behind those who are not. */
static bool has_to_wait(struct connection *c)
{
    struct http_server *s = c->server;
    if (c->place == PLACE_NEXT || server_turns_away(s) ||
        (link_is_alone(&s->places[PLACE_NEXT].connections) && !server_round_is_over(s)))
        return false;
    connection_move(c, PLACE_NEXT);
    return true;
}

/* Look at the input; whether a request was handed out and another may follow now. */
static bool read_one(struct connection *c)
{
    struct evbuffer *input = c->transport.input;
    size_t n = evbuffer_get_length(input);
    if (!n) {
        if (c->place == PLACE_NEXT)
            connection_move(c, PLACE_IDLE);
        return false;
    }
    struct reader *r = &c->reader;
    if (!read_head(r, input, n, c->server->options.is_strict)) {
        connection_kill(c);
        return false;
    }
    switch ((enum reader_verdict)r->verdict) {
    case READER_MORE:
        if (c->place != PLACE_HEADER)
            connection_move(c, PLACE_HEADER);
        return false;
    case READER_FAULT:
        if (!has_to_wait(c))
            hand_out_fault(c, r->fault_status, r->fault_why);
        return false;
    case READER_READY:
        if (n >= (size_t)r->head_bytes + r->body_bytes) {
            if (has_to_wait(c))
                return false;
            hand_out_request(c);
            return c->place == PLACE_IDLE || c->place == PLACE_NEXT;
        }
        if (c->place != PLACE_BODY)
            connection_move(c, PLACE_BODY);
        if (r->expects_continue && !c->has_continued && n == r->head_bytes)
            send_continue(c);
        return false;
    }
    return false;
}

static bool may_read(const struct connection *c)
{
    return c->place <= PLACE_BODY || c->place == PLACE_NEXT;
}

void connection_read(struct connection *c)
{
    if (c->is_reading || !may_read(c))
        return;
    c->is_reading = true;
    int left = MAX_REQUESTS_A_TURN;
    while (read_one(c) && --left)
        ;
    if (!left && may_read(c))
        connection_move(c, PLACE_NEXT);
    c->is_reading = false;
    if (c->place == PLACE_NEXT)
        server_schedule_turn(c->server);
    else if (c->place <= PLACE_BODY || (c->place == PLACE_CALL && !is_too_far_ahead(c)))
        resume_reading(c);
}

void connection_expired(struct connection *c)
{
    bool is_begun = c->place == PLACE_BODY || (c->place == PLACE_HEADER && c->reader.started);
    if (is_begun)
        hand_out_fault(c, 408, "the request did not come in time");
    else
        connection_kill(c);
}

static void on_read(void *context)
{
    struct connection *c = context;
    if (may_read(c) && c->place != PLACE_NEXT) {
        connection_read(c);
    } else if (c->is_last) {
        if (throw_away(c))
            return;
        if (c->place == PLACE_LINGER)
            connection_kill(c);
        else
            pause_reading(c);
    } else if (is_too_far_ahead(c)) {
        pause_reading(c);
    }
}

static void on_written(void *context)
{
    struct connection *c = context;
    if (c->place == PLACE_WRITING)
        connection_sent(c);
}

static void on_ended(void *context, bool left)
{
    struct connection *c = context;
    if (left && c->place == PLACE_WRITING) {
        c->has_left = true;
        return;
    }
    struct http_call *call = c->call;
    connection_kill(c);
    if (call && call->gone)
        call->gone(call->gone_context);
}

static void on_shake(void *context)
{
    connection_shake(context);
}

bool connection_new(struct http_server *s, int fd, struct peer *peer, bool is_tls)
{
    static const struct transport_owner owner = { on_read, on_written, on_ended, on_shake };
    struct connection *c = calloc(1, sizeof *c);
    if (c) {
        c->server = s;
        c->peer = peer;
        reader_start(&c->reader);
    }
    if (!c || !transport_open(&c->transport, s->base, fd, is_tls, &owner, c)) {
        free(c);
        close(fd);
        return false;
    }
    c->place = is_tls ? PLACE_HANDSHAKE : PLACE_IDLE;
    struct place_list *list = &s->places[c->place];
    link_before(&list->connections, &c->in_place);
    c->deadline_ms = clock_monotonic_ms() + list->lasts_ms;
    server_deadline_set(s, c->deadline_ms);
    s->n_connections++;
    return true;
}
