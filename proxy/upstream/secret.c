/* SPDX-License-Identifier: MIT
 * Pages of their own for a secret. */
#include "proxy/upstream/secret.h"

#include <sys/mman.h>
#include <unistd.h>

bool secret_init(struct secret *s, struct slice prefix, struct slice value)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t n = prefix.n + value.n, room = (n + 1 + page - 1) / page * page;
    void *p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        return false;
    }
    madvise(p, room, MADV_DONTDUMP);
    (void)!mlock(p, room); /* RLIMIT_MEMLOCK may forbid it */
    *s = (struct secret){ .p = p, .n = n, .prefix = prefix.n, .room = room };
    memcpy(s->p, prefix.p, prefix.n);
    if (value.n) {
        memcpy(s->p + prefix.n, value.p, value.n);
    }
    return true;
}

void secret_clear(struct secret *s)
{
    if (s->p) {
        explicit_bzero(s->p, s->room);
        munmap(s->p, s->room);
        *s = (struct secret){ 0 };
    }
}
