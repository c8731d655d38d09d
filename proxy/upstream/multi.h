/* SPDX-License-Identifier: MIT
 *
 * libcurl's multi interface on the event base. Knows sockets, timers and transfers; nothing of HTTP or v3.
 * Handles are `void *` here: the library's header stays inside the .c files.
 *
 * One turn: finished transfers are handed out, then on_turn may start new ones, then those get going. A turn
 * follows whatever happened in one round of the loop, once.
 */
#ifndef ANCHORAGE_PROXY_UPSTREAM_MULTI_H
#define ANCHORAGE_PROXY_UPSTREAM_MULTI_H

#include <stdbool.h>

struct event_base;
struct multi;
struct forbidden;

struct multi_callbacks {
    /* A transfer ended with this CURLcode; the handle is out of the multi again. */
    void (*on_finished)(void *context, void *easy, int code);
    void (*on_turn)(void *context);
    void (*on_rested)(void *context); /* asked for with multi_rest */
};

/* NULL when memory is out or libcurl does not start. Connects nowhere that `own` names, which must live as long. */
struct multi *multi_new(struct event_base *base, const struct multi_callbacks *callbacks,
                        const struct forbidden *forbidden, void *context);

/* All handles must be out. Closes the pool. NULL is allowed. */
void multi_free(struct multi *m);

/* Ask for a turn; nothing is called before returning. Any number of wakes make one turn. */
void multi_wake(struct multi *m);

/* Ask for on_rested in the next round of the loop, when it has looked at everything else. */
void multi_rest(struct multi *m);

/* Whether the bytes that libcurl shows now are to wait for multi_rest. What is ready on a socket waits there instead,
 * but beside that libcurl goes through all transfers whose time has come. */
bool multi_is_to_rest(struct multi *m);

/* Give a new handle the options without which its sockets would not be seen here. */
void multi_adopt(struct multi *m, void *easy);

/* Start the transfer in this turn. Only from on_turn and on_finished. */
[[nodiscard]] bool multi_add(struct multi *m, void *easy);

/* Take a transfer out and close its connection. Not from inside a callback of libcurl. */
void multi_remove(struct multi *m, void *easy);

/* Whether it has ended and waits to be handed out: then it is taken instead, and out of the multi. */
bool multi_take_ended(struct multi *m, void *easy, int *code);

/* Let a transfer that paused go on; its callbacks may be called before this returns. The CURLcode. */
int multi_go_on(struct multi *m, void *easy);

/* Whether libcurl is on the stack: then multi_remove must wait for the turn. */
bool multi_is_inside(const struct multi *m);

/* To be called by the handle's pre-request callback: its connection stands, to the address `ip`, from `own_port` of
 * ours. False: it must not be used. It was kept from an earlier request, and bytes wait on it that nobody has asked
 * for, or it is closed; with `is_fresh_watched` also a new one on which bytes came first. */
[[nodiscard]] bool multi_is_connected(struct multi *m, void *easy, const char *ip, int own_port, bool is_fresh_watched);

/* Whether the last try to connect would have led to ourselves. */
bool multi_met_own(const struct multi *m);

/* The last round was not enough for what was ready, or had ended. */
bool multi_is_behind(const struct multi *m);

/* Connections opened so far. */
unsigned long multi_connects(const struct multi *m);

#endif
