/* SPDX-License-Identifier: MIT
 * The worker has one thread, a list of pieces to do and a list of pieces that are done. */
#include "proxy/service/worker.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/thread.h"

struct worker {
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t more;
    struct link to_do, ready;
    bool ends;
    int fd;
    struct event *wake;
};

/* The first of the list, or NULL. */
static struct worker_item *take(struct link *list)
{
    if (link_is_alone(list))
        return NULL;
    struct worker_item *item = LINKED(list->next, struct worker_item, link);
    link_out(&item->link);
    return item;
}

static void *work(void *context)
{
    struct worker *w = context;
    const uint64_t one = 1;
    pthread_mutex_lock(&w->lock);
    while (!w->ends) {
        struct worker_item *item = take(&w->to_do);
        if (!item) {
            pthread_cond_wait(&w->more, &w->lock);
            continue;
        }
        pthread_mutex_unlock(&w->lock);
        item->run(item->context);
        pthread_mutex_lock(&w->lock);
        link_before(&w->ready, &item->link);
        while (write(w->fd, &one, sizeof one) < 0)
            ;
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void on_ready(evutil_socket_t fd, short what, void *context)
{
    struct worker *w = context;
    uint64_t ignored;
    (void)what;
    if (read(fd, &ignored, sizeof ignored) < 0)
        return;
    for (;;) {
        pthread_mutex_lock(&w->lock);
        struct worker_item *item = take(&w->ready);
        pthread_mutex_unlock(&w->lock);
        if (!item)
            return;
        item->done(item->context);
    }
}

struct worker *worker_new(struct event_base *base)
{
    struct worker *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    link_init(&w->to_do);
    link_init(&w->ready);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->more, NULL);
    w->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    w->wake = w->fd >= 0 ? event_new(base, w->fd, EV_READ | EV_PERSIST, on_ready, w) : NULL;
    if (w->wake && event_add(w->wake, NULL) == 0 && thread_start(&w->thread, work, w))
        return w;
    if (w->wake)
        event_free(w->wake);
    if (w->fd >= 0)
        close(w->fd);
    free(w);
    return NULL;
}

void worker_free(struct worker *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->ends = true;
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    event_free(w->wake);
    close(w->fd);
    pthread_cond_destroy(&w->more);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

void worker_start(struct worker *w, struct worker_item *item)
{
    pthread_mutex_lock(&w->lock);
    link_before(&w->to_do, &item->link);
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->lock);
}
