/* SPDX-License-Identifier: MIT
 * The writing thread. What the loop pushes in one turn is handed over in one piece at the end of the turn; the thread
 * takes what it finds, commits, and wakes the loop once for all of it. While it waits for the disk the next batch
 * gathers by itself. */
#include "proxy/ledger/writer.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "proxy/ledger/store/trim.h"

enum {
    BATCH = 256,
    WORTH_IT = 64,        /* entries that no more need to gather for */
    GATHER_US = 500,      /* that a batch may wait for more */
    BUSY_US = 2000,       /* likewise, while the loop has yet to take what was written before */
    STORM_US = 4000,      /* likewise, while clients are turned away: more answers count for more than soon ones */
    STORM_LASTS_MS = 100, /* after the last of these */
    GATHER_CALLS = 16,    /* open calls from which on it does: fewer would only lose time */
    FIRST_RETRY_MS = 500, /* until the first try to open the books again; doubled up to the last */
    LAST_RETRY_MS = 4000,
    PAUSE_MS = 5, /* between two pieces of what stands beside the entries */
};

struct writer {
    struct store *store;
    struct refusals *refusals;
    writer_finished *finished;
    void *context;
    int wake_fd;
    struct event *woken, *turn_ends;
    struct op_list gathered; /* pushed in this turn; the loop's own */
    uint32_t calls;          /* open at the last push; likewise */
    size_t n_out;            /* pushed and not back yet; likewise */
    int64_t storm_until_ms;  /* likewise */

    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t work;
    /* Below: under the mutex. */
    struct op_list queue, back;
    struct recovery *fresh;
    bool stop, failed;
    bool waits;      /* the thread sleeps until something is queued */
    bool gathers;    /* or until it is worth a commit */
    size_t enough;   /* entries that are worth a commit, by the calls that are open */
    bool in_storm;   /* clients are turned away: see STORM_US */
    size_t together; /* so many at the front of the queue are one transaction */
    struct ledger_stats stats;

    /* The thread's own. */
    int64_t sure_seq;              /* all up to here was reported as written */
    int64_t next_try_ms, retry_ms; /* the loop's while a fresh state is with it */
    struct trim *trim;             /* NULL: all entries stay */
    int64_t traces_ms;             /* the next look for what was counted beside the entries */
};

struct op *op_new(const struct entry *e)
{
    struct op *op = malloc(sizeof *op + entry_text_bytes(e));
    if (!op)
        return NULL;
    *op = (struct op){ 0 };
    entry_copy_to(&op->entry, (char *)(op + 1), e);
    return op;
}

void op_list_add(struct op_list *list, struct op *op)
{
    op->next = NULL;
    *(list->last ? &list->last->next : &list->first) = op;
    list->last = op;
    list->n++;
}

static void op_list_join(struct op_list *to, struct op_list *from)
{
    if (!from->n)
        return;
    *(to->last ? &to->last->next : &to->first) = from->first;
    to->last = from->last;
    to->n += from->n;
    *from = (struct op_list){ 0 };
}

void op_list_free(struct op_list *list)
{
    for (struct op *op = list->first, *next; op; op = next) {
        next = op->next;
        free(op);
    }
    *list = (struct op_list){ 0 };
}

/* Up to `max` from the front. */
static struct op_list op_list_take(struct op_list *from, size_t max)
{
    if (from->n <= max) {
        struct op_list all = *from;
        *from = (struct op_list){ 0 };
        return all;
    }
    struct op_list some = { .first = from->first, .last = from->first, .n = max };
    for (size_t i = 1; i < max; i++)
        some.last = some.last->next;
    from->first = some.last->next;
    from->n -= max;
    some.last->next = NULL;
    return some;
}

static bool write_batch(struct store *store, struct op *first, struct entry **entries, struct limit_row *limits,
                        struct buffer *why)
{
    struct store_batch batch = { .entries = entries, .limits = limits };
    for (struct op *op = first; op; op = op->next) {
        entries[batch.n_entries++] = &op->entry;
        if (op->has_limit)
            limits[batch.n_limits++] = op->limit;
        if (op->floor > batch.floor)
            batch.floor = op->floor;
    }
    return store_write(store, &batch, why);
}

bool write_ops(struct store *store, struct op_list *ops, struct buffer *why)
{
    struct entry *few_entries[BATCH];
    struct limit_row few_limits[BATCH];
    struct entry **entries = few_entries;
    struct limit_row *limits = few_limits;
    if (ops->n > BATCH) {
        entries = malloc(ops->n * sizeof(struct entry *));
        limits = malloc(ops->n * sizeof *limits);
    }
    bool good = entries && limits && write_batch(store, ops->first, entries, limits, why);
    for (struct op *op = ops->first; op; op = op->next)
        op->written = good;
    if (entries != few_entries)
        free(entries);
    if (limits != few_limits)
        free(limits);
    return good;
}

/* ---- the thread ---- */

/* Under the mutex. */
static void send_back(struct writer *w, struct op_list *ops)
{
    bool wake = !w->back.n && !w->fresh;
    op_list_join(&w->back, ops);
    if (wake)
        eventfd_write(w->wake_fd, 1);
}

static void wait_until(struct writer *w, int64_t monotonic_us)
{
    struct timespec until = { .tv_sec = monotonic_us / 1000000, .tv_nsec = monotonic_us % 1000000 * 1000 };
    pthread_cond_timedwait(&w->work, &w->mutex, &until);
}

/* Try to open the books again; the mutex is let go meanwhile. */
static void try_again(struct writer *w)
{
    pthread_mutex_unlock(&w->mutex);
    struct buffer why = buffer_with_cap(4096);
    struct recovery *fresh = NULL;
    if (store_open(w->store, &why) == STORE_OPENED)
        fresh = recovery_read(w->store, w->sure_seq, day_of_ms(clock_wall_ms()), &why);
    buffer_clear(&why);
    pthread_mutex_lock(&w->mutex);
    if (fresh) {
        bool wake = !w->back.n;
        w->fresh = fresh;
        w->retry_ms = FIRST_RETRY_MS;
        if (wake)
            eventfd_write(w->wake_fd, 1);
    } else {
        w->retry_ms = w->retry_ms * 2 < LAST_RETRY_MS ? w->retry_ms * 2 : LAST_RETRY_MS;
        w->next_try_ms = clock_monotonic_ms() + w->retry_ms;
    }
}

/* Nothing is written until the loop has taken over the state of the reopened books. */
static void failed_step(struct writer *w)
{
    if (w->queue.n)
        send_back(w, &w->queue);
    if (w->fresh)
        pthread_cond_wait(&w->work, &w->mutex);
    else if (clock_monotonic_ms() < w->next_try_ms)
        wait_until(w, w->next_try_ms * 1000);
    else
        try_again(w);
}

/* Half of the open calls at the disk make a good batch; then the other half makes the next. */
static bool is_worth_it(const struct writer *w)
{
    return w->queue.n >= w->enough && !w->back.n;
}

static void gather_until(struct writer *w, int64_t until_us)
{
    w->gathers = true;
    while (!is_worth_it(w) && !w->stop && clock_monotonic_us() < until_us)
        wait_until(w, until_us);
    w->gathers = false;
}

/* A loop that is too busy to take what the last one wrote would only find this one behind it. */
static void gather(struct writer *w)
{
    int64_t began_us = clock_monotonic_us();
    gather_until(w, began_us + (w->in_storm ? STORM_US : GATHER_US));
    if (w->back.n)
        gather_until(w, began_us + BUSY_US);
}

static void write_step(struct writer *w)
{
    if (!is_worth_it(w))
        gather(w);
    struct op_list batch = op_list_take(&w->queue, w->together > BATCH ? w->together : BATCH);
    w->together = 0;
    pthread_mutex_unlock(&w->mutex);
    struct buffer why = buffer_with_cap(4096);
    int64_t began_us = clock_monotonic_us();
    bool good = write_ops(w->store, &batch, &why);
    int64_t now_us = clock_monotonic_us();
    buffer_clear(&why);
    if (good)
        w->sure_seq = batch.last->entry.seq;
    pthread_mutex_lock(&w->mutex);
    if (good) {
        histogram_add(&w->stats.commits, now_us - began_us, now_us);
        w->stats.entries += batch.n;
    } else {
        w->stats.failures++;
        w->failed = true;
        w->next_try_ms = clock_monotonic_ms() + w->retry_ms;
    }
    send_back(w, &batch);
}

/* Something beside the calls, which are not kept up by the mutex meanwhile. */
static void side_step(struct writer *w, bool (*step)(struct writer *, struct buffer *why))
{
    pthread_mutex_unlock(&w->mutex);
    struct buffer why = buffer_with_cap(4096);
    bool good = step(w, &why);
    buffer_clear(&why);
    pthread_mutex_lock(&w->mutex);
    if (!good) {
        w->failed = true;
        w->next_try_ms = clock_monotonic_ms() + w->retry_ms;
    }
}

static bool trim_step(struct writer *w, struct buffer *why)
{
    return trim_some(w->trim, why);
}

static bool traces_step(struct writer *w, struct buffer *why)
{
    bool more = false;
    bool good = refusals_write(w->refusals, w->store, &more, why);
    w->traces_ms = clock_monotonic_ms() + (more ? PAUSE_MS : LEDGER_TRACES_MS);
    return good;
}

static void wait_for_work(struct writer *w)
{
    int64_t until_ms = w->traces_ms;
    if (w->trim && trim_due_ms(w->trim) < until_ms)
        until_ms = trim_due_ms(w->trim);
    w->waits = true;
    wait_until(w, until_ms * 1000);
    w->waits = false;
}

static void *write_all_day(void *context)
{
    struct writer *w = context;
    pthread_mutex_lock(&w->mutex);
    while (!w->stop || (w->queue.n && !w->failed)) {
        int64_t now_ms = clock_monotonic_ms();
        if (w->failed)
            failed_step(w);
        else if (w->trim && !w->stop && now_ms >= trim_due_ms(w->trim))
            side_step(w, trim_step);
        else if (!w->stop && now_ms >= w->traces_ms)
            side_step(w, traces_step);
        else if (w->queue.n)
            write_step(w);
        else
            wait_for_work(w);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

/* ---- the loop ---- */

static void on_woken(evutil_socket_t fd, short what, void *context)
{
    (void)what;
    struct writer *w = context;
    eventfd_t count;
    if (eventfd_read(fd, &count) != 0)
        return;
    pthread_mutex_lock(&w->mutex);
    struct op_list back = op_list_take(&w->back, SIZE_MAX);
    struct recovery *fresh = w->fresh;
    bool wake = w->gathers && is_worth_it(w);
    pthread_mutex_unlock(&w->mutex);
    if (wake)
        pthread_cond_signal(&w->work);
    w->n_out -= back.n;
    w->finished(w->context, &back, fresh);
}

static void hand_over(struct writer *w)
{
    pthread_mutex_lock(&w->mutex);
    op_list_join(&w->queue, &w->gathered);
    size_t half = w->calls < GATHER_CALLS ? 1 : w->calls / 2;
    w->enough = half < WORTH_IT ? half : WORTH_IT;
    w->in_storm = clock_monotonic_ms() < w->storm_until_ms;
    bool wake = (w->waits && w->queue.n) || (w->gathers && is_worth_it(w)) || w->failed;
    pthread_mutex_unlock(&w->mutex);
    if (wake)
        pthread_cond_signal(&w->work);
}

static void on_turn_ends(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    hand_over(context);
}

void writer_stats(struct writer *w, struct ledger_stats *ret)
{
    pthread_mutex_lock(&w->mutex);
    *ret = w->stats;
    ret->waiting = w->gathered.n + w->queue.n + w->back.n;
    pthread_mutex_unlock(&w->mutex);
}

void writer_push(struct writer *w, struct op *op, uint32_t calls)
{
    w->calls = calls;
    if (!w->gathered.n)
        event_active(w->turn_ends, EV_TIMEOUT, 0);
    op_list_add(&w->gathered, op);
    w->n_out++;
}

void writer_storm(struct writer *w)
{
    w->storm_until_ms = clock_monotonic_ms() + STORM_LASTS_MS;
}

bool writer_is_behind(const struct writer *w)
{
    return w->n_out > BATCH;
}

struct op_list writer_left(struct writer *w)
{
    pthread_mutex_lock(&w->mutex);
    struct op_list left = op_list_take(&w->back, SIZE_MAX);
    op_list_join(&left, &w->queue);
    op_list_join(&left, &w->gathered);
    pthread_mutex_unlock(&w->mutex);
    w->n_out = 0;
    return left;
}

void writer_resume(struct writer *w, size_t together)
{
    pthread_mutex_lock(&w->mutex);
    w->fresh = NULL;
    w->failed = false;
    w->together = together;
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->mutex);
}

void writer_read_again(struct writer *w)
{
    pthread_mutex_lock(&w->mutex);
    w->failed = true;
    w->next_try_ms = 0;
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->mutex);
}

void writer_retry(struct writer *w)
{
    w->n_out -= w->gathered.n;
    op_list_free(&w->gathered);
    pthread_mutex_lock(&w->mutex);
    w->fresh = NULL;
    w->next_try_ms = clock_monotonic_ms() + w->retry_ms;
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->mutex);
}

static bool start_thread(struct writer *w)
{
    bool started = thread_start(&w->thread, write_all_day, w);
    if (started)
        pthread_setname_np(w->thread, "ledger");
    return started;
}

struct writer *writer_new(struct store *store, struct refusals *refusals, struct event_base *base, int keep_months,
                          writer_finished *finished, void *context)
{
    struct writer *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    *w = (struct writer){ .store = store,
                          .refusals = refusals,
                          .finished = finished,
                          .context = context,
                          .retry_ms = FIRST_RETRY_MS,
                          .traces_ms = clock_monotonic_ms() + LEDGER_TRACES_MS };
    w->stats.commits.scale = &histogram_moments;
    w->sure_seq = store_last_seq(store);
    pthread_mutex_init(&w->mutex, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&w->work, &monotonic);
    pthread_condattr_destroy(&monotonic);
    w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->wake_fd >= 0)
        w->woken = event_new(base, w->wake_fd, EV_READ | EV_PERSIST, on_woken, w);
    w->turn_ends = event_new(base, -1, 0, on_turn_ends, w);
    w->trim = keep_months ? trim_new(store, keep_months) : NULL;
    bool good = w->woken && w->turn_ends && (w->trim || !keep_months) && event_add(w->woken, NULL) == 0;
    if (!good || !start_thread(w)) {
        w->stop = true;
        writer_free(w);
        return NULL;
    }
    return w;
}

void writer_free(struct writer *w)
{
    if (!w)
        return;
    if (!w->stop) {
        hand_over(w);
        pthread_mutex_lock(&w->mutex);
        w->stop = true;
        pthread_cond_signal(&w->work);
        pthread_mutex_unlock(&w->mutex);
        pthread_join(w->thread, NULL);
    }
    if (w->woken)
        event_free(w->woken);
    if (w->turn_ends)
        event_free(w->turn_ends);
    if (w->wake_fd >= 0)
        close(w->wake_fd);
    op_list_free(&w->gathered);
    op_list_free(&w->queue);
    op_list_free(&w->back);
    recovery_free(w->fresh);
    free(w->trim);
    pthread_cond_destroy(&w->work);
    pthread_mutex_destroy(&w->mutex);
    free(w);
}
