/* SPDX-License-Identifier: MIT
 *
 * The inside of the server: between the .c files of this room only.
 */
#ifndef ANCHORAGE_PROXY_HTTP_SERVER_H
#define ANCHORAGE_PROXY_HTTP_SERVER_H

#include <sys/stat.h>

#include "base/round.h"
#include "proxy/http/connection.h"

struct doorman;
struct event;
struct tls;

/* Connections in the order they came in. */
struct place_list {
    struct link connections;
    int64_t lasts_ms; /* 0: no deadline. All that are here have the same, so the first is due first, but in WRITING */
};

struct listener {
    struct listener *next;
    struct http_server *server;
    int fd;
    bool is_tls;
    struct event *accepts;
    bool is_kept;    /* somebody else has the socket too, and serves who is in its backlog */
    char *unix_path; /* NULL for TCP */
    dev_t unix_device;
    ino_t unix_inode; /* so that only our own socket file is removed */
};

struct http_server {
    struct event_base *base;
    struct http_options options;
    struct listener *listeners; /* in the order they were asked for */
    struct place_list places[PLACE_COUNT];
    struct link calls;            /* the newest first */
    size_t n_connections, n_dead; /* the dead are counted in both */
    size_t unsent_bytes;          /* of answers that wait for their readers */
    struct peers peers;
    struct doorman *doorman;
    int64_t n_turned_away;
    struct tls *tls;   /* the certificates; NULL without TLS */
    int64_t shaken_us; /* spent on handshakes in this turn of the loop */

    struct event *alarm; /* at the earliest deadline */
    int64_t alarm_ms;    /* when it is set for; INT64_MAX: not */
    struct event *turn;  /* at the next turn of the loop: frees the dead, reads on, tells what is to be told */
    bool turn_is_set;
    struct event *round_ends; /* when all that was ready in this round has had its turn */
    struct round hands_out;   /* requests to the owner */
    struct round turns_away;  /* those that are refused as overload */
    struct event *reopen;     /* when accepting may go on */
    bool lacks_descriptors;

    bool is_draining, drain_is_told, tells_gone;
    void (*drained)(void *context);
    void *drained_context;

    int64_t trouble_ms; /* when the last line went to the log */
    int troubles_held;  /* lines not said since */

    struct buffer head; /* scratch for answers */
    int64_t date_s;     /* the second that `date` was written for */
    char date[128];
};

/* The connection of a link in a place; NULL for the head of the list. */
static inline struct connection *place_at(const struct place_list *list, struct link *link)
{
    return link == &list->connections ? NULL : LINKED(link, struct connection, in_place);
}

static inline struct connection *place_first(const struct place_list *list)
{
    return place_at(list, list->connections.next);
}

static inline struct connection *place_last(const struct place_list *list)
{
    return place_at(list, list->connections.before);
}

static inline struct connection *place_next(const struct place_list *list, const struct connection *c)
{
    return place_at(list, c->in_place.next);
}

/* Call `turn` soon. */
void server_schedule_turn(struct http_server *s);

/* Whether enough requests were handed out in this round of the loop. */
bool server_round_is_over(struct http_server *s);

/* Whether a request that comes now is refused as overload, and need not stand in line for that. */
bool server_turns_away(struct http_server *s);

/* A deadline has been set. */
void server_deadline_set(struct http_server *s, int64_t deadline_ms);

/* One line a second at most. */
void server_trouble(struct http_server *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* shed.c: when there are many. Over four fifths of max_connections those that have been idle longest make room for new
 * ones, and answers close their connections; over nineteen twentieths no new call is taken on. */
bool server_is_crowded(const struct http_server *s);
bool server_is_full(const struct http_server *s);

/* Close the connection that has waited longest for its client: of this peer, or (NULL) of the one with most. Its peer
 * may go with it. False when each has a whole request under way. */
[[nodiscard]] bool server_make_room(struct http_server *s, const struct peer *peer);

/* Close up to `n` connections that have been idle for a while, the longest idle first. */
void server_shed_idle(struct http_server *s, int n);

/* When the answers that wait for their readers are too many bytes in all, cut those that wait longest. */
void server_shed_answers(struct http_server *s);

/* A descriptor has come free: who waits for one need not wait longer. */
void listeners_resume(struct http_server *s);

/* Take in who waits in the backlogs that end with us. */
void listeners_empty(struct http_server *s);

/* Listen no more. */
void listeners_close(struct http_server *s);

/* Answer OPTIONS: nobody else needs to know. */
void answer_options(struct http_call *call);

#endif
