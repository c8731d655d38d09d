/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

bool thread_start(pthread_t *thread, void *(*run)(void *context), void *context)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* a new thread takes its mask over */
    bool ok = pthread_create(thread, NULL, run, context) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

static void *run_free(void *p)
{
    free(p);
    return NULL;
}

void thread_free(void *p, size_t n)
{
    enum { LARGE = 4 * 1024 * 1024 };
    pthread_t thread;
    if (n >= LARGE && thread_start(&thread, run_free, p))
        pthread_detach(thread);
    else
        free(p);
}

/* As in linux/sched/types.h, which cannot stand beside sched.h. */
struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

static bool get(struct scheduling *s)
{
    *s = (struct scheduling){ 0 };
    return syscall(SYS_sched_getattr, 0, s, sizeof *s, 0) == 0;
}

bool thread_set_turn_us(int us)
{
    struct scheduling s;
    if (!get(&s))
        return false;
    s.runtime_ns = (uint64_t)us * 1000;
    return syscall(SYS_sched_setattr, 0, &s, 0) == 0;
}

int64_t thread_turn_us(void)
{
    struct scheduling s;
    return get(&s) ? (int64_t)(s.runtime_ns / 1000) : 0;
}
