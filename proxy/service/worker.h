/* SPDX-License-Identifier: MIT
 *
 * The worker is a thread beside the loop. It does what would stop the loop for too long: ordering and writing a large
 * answer.
 */
#ifndef ANCHORAGE_PROXY_SERVICE_WORKER_H
#define ANCHORAGE_PROXY_SERVICE_WORKER_H

#include "base/list.h"

struct event_base;
struct worker;

/* Bytes that are ordered, written or copied without leaving the loop: a millisecond or two, whatever they are. */
enum { WORKER_BYTES = 512 * 1024 };

/* A piece of work; it stands inside the struct of its owner. */
struct worker_item {
    struct link link;
    void (*run)(void *context);  /* runs on the thread; touches only what belongs to `context` */
    void (*done)(void *context); /* is called from the loop afterwards */
    void *context;
};

/* NULL when no thread can be started. */
struct worker *worker_new(struct event_base *base);

/* Wait for the piece that runs, then end the thread. No `done` is called any more. NULL is allowed. */
void worker_free(struct worker *w);

/* Add a piece; pieces run in the order they came. `item` must live until it is done. */
void worker_start(struct worker *w, struct worker_item *item);

#endif
