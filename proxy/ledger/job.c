/* SPDX-License-Identifier: MIT
 * Running commands: at once, or on a thread of their own so that a long answer does not stop the loop. What a command
 * changed of the keys is taken over on the loop. */
#include "proxy/ledger/job.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/thread.h"
#include "proxy/ledger/command/command.h"
#include "proxy/ledger/inside.h"
#include "proxy/ledger/ledger.h"

struct job {
    struct job *next;
    struct ledger *ledger;
    struct command command;
    struct limits limits;
    struct buffer out, err, input;
    int argc;
    char **argv;
    int status;
    struct keys *keys; /* when the command changed them */
    pthread_t thread;
    int fd;
    struct event *ready;
    ledger_command_done *done;
    void *context;
};

static struct keys *changed_keys(const struct command *c)
{
    struct buffer why = buffer_with_cap(4096);
    struct keys *keys = c->keys_changed ? keys_read(c->store, &why) : NULL;
    buffer_clear(&why);
    return keys;
}

/* Two commands may end in another order than they wrote: the newer keys stay. A token that has become a key leaves the
 * strangers. */
static void take_keys(struct ledger *l, bool changed, struct keys *keys)
{
    if (!keys) {
        l->keys_stale |= changed;
        return;
    }
    struct keys *older = keys->seq >= l->keys->seq ? l->keys : keys;
    if (older != keys)
        l->keys = keys;
    keys_free(older);
    strangers_drop_keys(l->strangers, l->keys);
}

/* Limits are checked with it from now on. When memory is out, after the next start. */
static void take_correction(struct ledger *l, struct entry *e)
{
    int32_t team = e ? tally_team(&l->tally, e->team) : -1;
    if (team >= 0) {
        sums_add_entry(&l->tally.teams[team].all_time, e);
        (void)!tally_use(&l->tally, team, day_of_ms(e->time_ms), entry_rows_used(e), entry_units_used(e));
    }
    free(e);
}

int ledger_command(struct ledger *l, int argc, const char *const *argv, struct slice input, int64_t *at,
                   struct buffer *out, struct buffer *err)
{
    struct command c = { .input = input, .at = *at, .out = out, .err = err };
    if (l) {
        c.store = l->store;
        c.limits = &l->limits;
        c.strangers = l->strangers;
        c.refusals = l->refusals;
        c.alone = !l->base;
    }
    int status = command_run(&c, argc, argv);
    if (l) {
        take_keys(l, c.keys_changed, changed_keys(&c));
        take_correction(l, c.corrected);
    }
    *at = status == COMMAND_DONE ? c.at : 0;
    return status;
}

enum words_result ledger_command_words(int argc, const char *const *argv, struct words *ret, struct buffer *out,
                                       struct buffer *err)
{
    return command_words(argc, argv, ret, out, err);
}

void jobs_refresh_keys(struct ledger *l)
{
    struct buffer why = buffer_with_cap(4096);
    struct keys *keys = keys_read(l->store, &why);
    buffer_clear(&why);
    l->keys_stale = !keys;
    take_keys(l, true, keys);
}

static void job_free(struct job *j)
{
    if (j->ready)
        event_free(j->ready);
    if (j->fd >= 0)
        close(j->fd);
    for (int i = 0; i < j->argc; i++)
        free(j->argv[i]);
    free(j->argv);
    limits_clear(&j->limits);
    /* The input may have been a token. */
    if (j->input.p)
        explicit_bzero(j->input.p, j->input.room);
    buffer_clear(&j->input);
    buffer_clear(&j->out);
    buffer_clear(&j->err);
    keys_free(j->keys);
    free(j);
}

static void *run_job(void *context)
{
    struct job *j = context;
    if (j->argc) {
        j->status = command_run(&j->command, j->argc, (const char *const *)j->argv);
        j->keys = changed_keys(&j->command);
    } else if (!strangers_write(j->command.strangers, j->command.store, &j->err)) {
        j->status = COMMAND_WRONG;
    }
    eventfd_write(j->fd, 1);
    return NULL;
}

static void job_finish(struct job *j)
{
    struct job **at = &j->ledger->jobs;
    while (*at != j)
        at = &(*at)->next;
    *at = j->next;
    pthread_join(j->thread, NULL);
    take_keys(j->ledger, j->command.keys_changed, j->keys);
    take_correction(j->ledger, j->command.corrected);
    j->keys = NULL;
}

static void on_ready(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct job *j = context;
    job_finish(j);
    const struct ledger_answer answer = { .status = j->status,
                                          .out = buffer_slice(&j->out),
                                          .err = buffer_slice(&j->err),
                                          .whole = &j->out,
                                          .next = j->status == COMMAND_DONE ? j->command.at : 0 };
    j->done(j->context, &answer);
    job_free(j);
}

static bool copy_words(struct job *j, int argc, const char *const *argv)
{
    j->argv = calloc((size_t)argc + 1, sizeof(char *));
    for (; j->argv && j->argc < argc; j->argc++) {
        j->argv[j->argc] = strdup(argv[j->argc]);
        if (!j->argv[j->argc])
            return false;
    }
    return j->argv;
}

static struct job *job_new(struct ledger *l, int argc, const char *const *argv, struct slice input)
{
    struct job *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    j->ledger = l;
    j->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    buffer_append(&j->input, input);
    struct ledger_options limits = { .units_per_month = l->limits.units_per_month,
                                     .billing_day = l->limits.billing_day,
                                     .teams = l->limits.teams,
                                     .n_teams = l->limits.n_teams };
    bool good = j->fd >= 0 && !j->input.failed && copy_words(j, argc, argv) && limits_copy(&j->limits, &limits);
    if (good)
        j->ready = event_new(l->base, j->fd, EV_READ, on_ready, j);
    if (!j->ready || event_add(j->ready, NULL) != 0) {
        job_free(j);
        return NULL;
    }
    j->command = (struct command){
        .store = l->store,
        .limits = &j->limits,
        .strangers = l->strangers,
        .refusals = l->refusals,
        .input = buffer_slice(&j->input),
        .out = &j->out,
        .err = &j->err,
    };
    return j;
}

/* NULL when it cannot start. No words: the strangers are written. */
static struct job *start(struct ledger *l, int argc, const char *const *argv, struct slice input, int64_t at,
                         ledger_command_done *done, void *context)
{
    struct job *j = l->base ? job_new(l, argc, argv, input) : NULL;
    if (j)
        j->command.at = at;
    if (!j || !thread_start(&j->thread, run_job, j)) {
        if (j)
            job_free(j);
        return NULL;
    }
    j->done = done;
    j->context = context;
    j->next = l->jobs;
    l->jobs = j;
    return j;
}

bool jobs_write_strangers(struct ledger *l, ledger_command_done *done, void *context)
{
    return start(l, 0, NULL, S(""), 0, done, context);
}

void ledger_command_start(struct ledger *l, int argc, const char *const *argv, struct slice input, int64_t at,
                          ledger_command_done *done, void *context)
{
    struct ledger_answer answer = { .status = COMMAND_WRONG,
                                    .err =
                                        S("anchorage: the daemon has no memory or descriptors for a command now\n") };
    if (argc && start(l, argc, argv, input, at, done, context))
        return;
    if (l->base) { /* here it would stop the loop */
        done(context, &answer);
        return;
    }
    struct buffer out = { 0 }, err = { 0 };
    answer.next = at;
    answer.status = ledger_command(l, argc, argv, input, &answer.next, &out, &err);
    answer.out = buffer_slice(&out);
    answer.err = buffer_slice(&err);
    done(context, &answer);
    buffer_clear(&out);
    buffer_clear(&err);
}

void jobs_end(struct ledger *l)
{
    if (l->jobs)
        store_end_commands(l->store);
    while (l->jobs) {
        struct job *j = l->jobs;
        job_finish(j);
        job_free(j);
    }
}
