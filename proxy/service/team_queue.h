/* SPDX-License-Identifier: MIT
 *
 * Whose turn it is: of a team's calls as many run as its concurrency allows. Where the machine is behind with those
 * that run, what is begun comes first: few others begin, and the teams take turns with that.
 */
#ifndef ANCHORAGE_PROXY_SERVICE_TEAM_QUEUE_H
#define ANCHORAGE_PROXY_SERVICE_TEAM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct account;
struct config_team;
struct event;
struct exchange;
struct service;
struct settings;

/* Calls that wait, first come, first served; each is in one line at most. */
struct line {
    struct exchange *first, *last;
    size_t n;
};

void line_add(struct line *l, struct exchange *x);
void line_remove(struct line *l, struct exchange *x);

/* How many of a team's calls run, and who waits for a turn. A reload finds them again by the team's name; those of a
 * team that is gone go when its last call has. */
struct turns {
    const struct config_team *team; /* of the present configuration, or of the last that had it */
    struct settings *settings;      /* whose `team` is */
    struct account *account;        /* the v3 key that its calls are made with */
    int32_t running;
    struct line waiting;
    bool is_in_gate;
    struct turns *after; /* in the gate */
    struct turns *next;  /* all of the service */
};

/* Teams with calls that wait though their concurrency would let them run. */
struct gate {
    struct turns *first, *last;
    struct event *due;   /* set, if only for another day: to move it needs no memory */
    bool is_due;         /* it is set for those who wait */
    bool is_open_to_all; /* it could not be set again */
    int64_t begun_us;    /* when the last call began while the machine was behind, or should have */
    bool is_open;        /* it is being gone through */
};

/* False when memory is out; turns_end may be called either way. */
[[nodiscard]] bool turns_begin(struct service *s);
void turns_end(struct service *s);

/* Take a turn. False when it has to wait for it: it is in its team's line then, and turn_came is called. */
[[nodiscard]] bool turn_take(struct exchange *x);

/* Give back what turn_take took, or leave the line; others may run before this returns. */
void turn_leave(struct exchange *x);

/* The team's concurrency may have grown. */
void turns_look(struct service *s, struct turns *t);

/* None of the team's calls is left, and it is going to be freed. */
void turns_forget(struct service *s, struct turns *t);

/* In admit.c: the call has its turn and goes on. */
void turn_came(struct exchange *x);

#endif
