/* SPDX-License-Identifier: MIT
 * When there are many: who goes so that others can stay, and the arithmetic of memory. */
#include "base/clock.h"
#include "proxy/http/server.h"

enum {
    IDLE_MS = 1000, /* who has been idle for less may be about to ask */
    MAX_UNSENT_BYTES = 256 * 1024 * 1024,
    /* What the connection itself takes, and then its TLS, with a record coming and one going. docs/http.md has what was
     * measured. */
    CONNECTION_BYTES = 2048,
    TLS_BYTES = 3 * 16384 + 1024,
    /* A request that is being read, with the last portion behind it, in buffers that may be half empty. The call is a
     * copy of it, and the bytes behind a call go on from there: both are never at their most at once. */
    REQUEST_BYTES = 2 * (READER_MAX_HEAD + READER_MAX_BODY + 16384),
};

static bool is_over(const struct http_server *s, int share_left)
{
    int most = s->options.max_connections;
    return http_server_connections(s) > (size_t)(most - most / share_left);
}

bool server_is_crowded(const struct http_server *s)
{
    return is_over(s, 5);
}

bool server_is_full(const struct http_server *s)
{
    return is_over(s, 20);
}

void server_shed_idle(struct http_server *s, int n)
{
    struct place_list *idle = &s->places[PLACE_IDLE];
    int64_t now_ms = clock_monotonic_ms();
    for (struct connection *c; n-- && (c = place_first(idle)) && now_ms - (c->deadline_ms - idle->lasts_ms) >= IDLE_MS;)
        connection_kill(c);
}

/* In the order of what is least missed when all have waited as long. An answer that is being taken is broken off only
 * where nothing else can go. */
static const enum place waits[] = { PLACE_LINGER, PLACE_HANDSHAKE, PLACE_BODY, PLACE_HEADER, PLACE_IDLE };

static struct connection *first_of(const struct place_list *list, const struct peer *peer)
{
    struct connection *c = place_first(list);
    while (c && peer && c->peer != peer)
        c = place_next(list, c);
    return c;
}

static struct connection *longest_waiting(const struct http_server *s, const struct peer *peer)
{
    struct connection *longest = NULL;
    int64_t since_ms = INT64_MAX;
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        const struct place_list *list = &s->places[waits[i]];
        struct connection *c = first_of(list, peer);
        if (!c || c->deadline_ms - list->lasts_ms >= since_ms)
            continue;
        longest = c;
        since_ms = c->deadline_ms - list->lasts_ms;
    }
    return longest ? longest : first_of(&s->places[PLACE_WRITING], peer);
}

static const struct peer *busiest(const struct http_server *s)
{
    const struct peer *most = NULL;
    for (enum place place = 0; place < PLACE_DEAD; place++)
        for (const struct connection *c = place_first(&s->places[place]); c; c = place_next(&s->places[place], c))
            if (!most || c->peer->connections > most->connections)
                most = c->peer;
    return most;
}

bool server_make_room(struct http_server *s, const struct peer *peer)
{
    struct connection *c = longest_waiting(s, peer ? peer : busiest(s));
    if (!c && !peer)
        c = longest_waiting(s, NULL);
    if (c)
        connection_kill(c);
    return c != NULL;
}

void server_shed_answers(struct http_server *s)
{
    const struct place_list *writing = &s->places[PLACE_WRITING];
    while (s->unsent_bytes > MAX_UNSENT_BYTES && place_first(writing) != place_last(writing)) {
        server_trouble(s, "answers that wait for slow clients are over %d MiB: one was cut",
                       MAX_UNSENT_BYTES / 1024 / 1024);
        connection_kill(place_first(writing));
    }
}

uint64_t http_server_most_bytes(const struct http_server *s, uint64_t *each)
{
    uint64_t one = CONNECTION_BYTES + REQUEST_BYTES + (s->tls ? TLS_BYTES : 0);
    if (each)
        *each = one;
    return one * (uint64_t)s->options.max_connections + MAX_UNSENT_BYTES;
}
