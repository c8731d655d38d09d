/* SPDX-License-Identifier: MIT
 * Preloaded into a process: allocations are counted, and fail when the plan in FAULT_PLAN says so. What the dynamic
 * linker and the C library need before the plan is there is given from a small heap of our own. */
#include "tests/crash/fault.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { EARLY_BYTES = 65536, ALIGN = 16 };

static struct fault_plan *plan;
static void *(*real_malloc)(size_t n);
static void *(*real_calloc)(size_t n, size_t size);
static void *(*real_realloc)(void *p, size_t n);
static void (*real_free)(void *p);
static _Alignas(ALIGN) char early[EARLY_BYTES];
static size_t early_used;
static bool starting;

static bool is_early(const void *p)
{
    return (const char *)p >= early && (const char *)p < early + EARLY_BYTES;
}

/* The size stands before the piece. */
static void *early_malloc(size_t n)
{
    size_t need = (n + 2 * ALIGN - 1) & ~(size_t)(ALIGN - 1);
    need += ALIGN;
    if (need > EARLY_BYTES - early_used)
        return NULL;
    char *p = early + early_used + ALIGN;
    early_used += need;
    memcpy(p - sizeof n, &n, sizeof n);
    return p;
}

static void start(void)
{
    starting = true;
    real_calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
    real_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
    real_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
    real_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    starting = false;
}

/* Not before the C library has an environment. */
__attribute__((constructor)) static void take_plan(void)
{
    const char *file = getenv("FAULT_PLAN");
    int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *p = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (p != MAP_FAILED)
        plan = p;
}

static bool fails(void)
{
    if (!plan)
        return false;
    uint64_t number = __atomic_add_fetch(&plan->calls, 1, __ATOMIC_SEQ_CST);
    if (number < __atomic_load_n(&plan->first, __ATOMIC_SEQ_CST) ||
        number >= __atomic_load_n(&plan->last, __ATOMIC_SEQ_CST))
        return false;
    __atomic_add_fetch(&plan->failed, 1, __ATOMIC_SEQ_CST);
    errno = ENOMEM;
    return true;
}

void *malloc(size_t n)
{
    if (!real_malloc) {
        if (starting)
            return early_malloc(n);
        start();
    }
    return fails() ? NULL : real_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    if (!real_malloc) {
        if (starting)
            return early_malloc(n * size); /* zeros: it is never given twice */
        start();
    }
    return fails() ? NULL : real_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    if (!real_malloc && !starting)
        start();
    if (!p)
        return malloc(n);
    if (is_early(p)) {
        size_t before;
        memcpy(&before, (char *)p - sizeof before, sizeof before);
        void *more = malloc(n);
        return more ? memcpy(more, p, before < n ? before : n) : NULL;
    }
    return fails() ? NULL : real_realloc(p, n);
}

void free(void *p)
{
    if (!p || is_early(p))
        return;
    if (!real_free)
        start();
    real_free(p);
}
