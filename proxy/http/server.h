/* SPDX-License-Identifier: MIT
 *
 * The inside of the server: between the .c files of this room only.
 */
#ifndef ANCHORAGE_PROXY_HTTP_SERVER_H
#define ANCHORAGE_PROXY_HTTP_SERVER_H

#include <sys/stat.h>

#include "proxy/http/connection.h"

struct event;

/* Connections in the order they came in. */
struct place_list {
    struct connection *first, *last;
    int64_t lasts_ms; /* 0: no deadline. All that are here have the same, so the first is due first, but in WRITING */
};

struct listener {
    struct listener *next;
    struct http_server *server;
    int fd;
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
    struct http_call *calls;
    size_t n_connections;
    struct peers peers;

    struct event *alarm; /* at the earliest deadline */
    int64_t alarm_ms;    /* when it is set for; INT64_MAX: not */
    struct event *turn;  /* at the next turn of the loop: frees the dead, reads on, tells what is to be told */
    bool turn_is_set;
    struct event *reopen; /* when accepting may go on */

    bool is_draining, drain_is_told, tells_gone;
    void (*drained)(void *context);
    void *drained_context;

    int64_t trouble_ms; /* when the last line went to the log */
    int troubles_held;  /* lines not said since */

    struct buffer head; /* scratch for answers */
    int64_t date_s;     /* the second that `date` was written for */
    char date[128];
};

/* Call `turn` soon. */
void server_schedule_turn(struct http_server *s);

/* A deadline has been set. */
void server_deadline_set(struct http_server *s, int64_t deadline_ms);

/* One line a second at most. */
void server_trouble(struct http_server *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Take in who waits in the backlogs that end with us. */
void listeners_empty(struct http_server *s);

/* Listen no more. */
void listeners_close(struct http_server *s);

/* Answer OPTIONS: nobody else needs to know. */
void answer_options(struct http_call *call);

#endif
