/* SPDX-License-Identifier: MIT
 *
 * Work that would stop the loop for too long (ordering and writing a large answer) on a thread beside it.
 */
#ifndef ANCHORAGE_PROXY_SERVICE_WORKER_H
#define ANCHORAGE_PROXY_SERVICE_WORKER_H

struct event_base;
struct aside;

/* A piece of work, inside the struct of whoever wants it done. */
struct aside_item {
    struct aside_item *next;
    void (*run)(void *context);  /* on the thread; touches nothing but what `context` alone uses */
    void (*done)(void *context); /* from the loop, afterwards */
    void *context;
};

/* NULL when there is no thread to be had. */
struct aside *aside_new(struct event_base *base);

/* Waits for the piece that runs; nobody is told any more. NULL is allowed. */
void aside_free(struct aside *w);

/* First come, first served. `item` must live until it is done. */
void aside_start(struct aside *w, struct aside_item *item);

#endif
