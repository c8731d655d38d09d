/* SPDX-License-Identifier: MIT
 *
 * Work that would stop the loop for too long (ordering and writing a large answer) on a thread beside it.
 */
#ifndef ANCHORAGE_PROXY_SERVICE_WORKER_H
#define ANCHORAGE_PROXY_SERVICE_WORKER_H

#include "base/list.h"

struct event_base;
struct worker;

/* A piece of work, inside the struct of whoever wants it done. */
struct worker_item {
    struct link link;
    void (*run)(void *context);  /* on the thread; touches nothing but what `context` alone uses */
    void (*done)(void *context); /* from the loop, afterwards */
    void *context;
};

/* NULL when there is no thread to be had. */
struct worker *worker_new(struct event_base *base);

/* Waits for the piece that runs; nobody is told any more. NULL is allowed. */
void worker_free(struct worker *w);

/* First come, first served. `item` must live until it is done. */
void worker_start(struct worker *w, struct worker_item *item);

#endif
