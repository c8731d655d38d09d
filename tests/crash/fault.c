/* SPDX-License-Identifier: MIT
 * Preloaded into a process: its calls on the ledger's files in FAULT_DIRECTORY are counted, and fail when the plan in
 * FAULT_PLAN says so. Opening, reading, writing, syncing, truncating and removing count; nothing is done of what fails,
 * but half of a write that meets a full disk is. */
#include "tests/crash/fault.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_FD = 1024 };

static struct fault_plan *plan;
static const char *directory;
static bool watched[MAX_FD];

#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static void begin(void)
{
    REAL(open);
    const char *file = getenv("FAULT_PLAN");
    const char *where = getenv("FAULT_DIRECTORY");
    directory = "";
    int fd = file && where ? real(file, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *p = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (p != MAP_FAILED) {
        plan = p;
        directory = where;
    }
}

static bool is_ours(const char *path)
{
    if (!directory)
        begin();
    size_t n = strlen(directory);
    return plan && strncmp(path, directory, n) == 0 && (!path[n] || strncmp(path + n, "/ledger.db", 10) == 0);
}

/* Whether the call that is made now fails; errno is set. */
static bool fails(void)
{
    uint64_t number = __atomic_add_fetch(&plan->calls, 1, __ATOMIC_SEQ_CST);
    if (number < __atomic_load_n(&plan->first, __ATOMIC_SEQ_CST) ||
        number >= __atomic_load_n(&plan->last, __ATOMIC_SEQ_CST))
        return false;
    __atomic_add_fetch(&plan->failed, 1, __ATOMIC_SEQ_CST);
    errno = (int)plan->error;
    return true;
}

static bool fd_fails(int fd)
{
    return fd >= 0 && fd < MAX_FD && watched[fd] && fails();
}

static int open_file(__typeof__(open) *real, const char *path, int flags, mode_t mode)
{
    bool ours = is_ours(path);
    if (ours && fails())
        return -1;
    int fd = real(path, flags, mode);
    if (fd >= 0 && fd < MAX_FD)
        watched[fd] = ours;
    return fd;
}

#define MODE_OF(flags, mode)                                                                                           \
    if ((flags)&O_CREAT) {                                                                                             \
        va_list args;                                                                                                  \
        va_start(args, flags);                                                                                         \
        mode = va_arg(args, mode_t);                                                                                   \
        va_end(args);                                                                                                  \
    }

int open(const char *path, int flags, ...)
{
    REAL(open);
    mode_t mode = 0;
    MODE_OF(flags, mode)
    return open_file(real, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    REAL(open64);
    mode_t mode = 0;
    MODE_OF(flags, mode)
    return open_file(real, path, flags, mode);
}

int close(int fd)
{
    REAL(close);
    if (fd >= 0 && fd < MAX_FD)
        watched[fd] = false;
    return real(fd);
}

ssize_t write(int fd, const void *p, size_t n)
{
    REAL(write);
    return fd_fails(fd) ? -1 : real(fd, p, n);
}

static ssize_t pwrite_file(__typeof__(pwrite) *real, int fd, const void *p, size_t n, off_t at)
{
    if (!fd_fails(fd))
        return real(fd, p, n, at);
    return errno == ENOSPC && n > 1 ? real(fd, p, n / 2, at) : -1;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    REAL(pwrite);
    return pwrite_file(real, fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at)
{
    REAL(pwrite64);
    return pwrite_file(real, fd, p, n, at);
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
    REAL(pread);
    return fd_fails(fd) ? -1 : real(fd, p, n, at);
}

ssize_t pread64(int fd, void *p, size_t n, off_t at)
{
    REAL(pread64);
    return fd_fails(fd) ? -1 : real(fd, p, n, at);
}

int ftruncate(int fd, off_t length)
{
    REAL(ftruncate);
    return fd_fails(fd) ? -1 : real(fd, length);
}

int ftruncate64(int fd, off_t length)
{
    REAL(ftruncate64);
    return fd_fails(fd) ? -1 : real(fd, length);
}

int fsync(int fd)
{
    REAL(fsync);
    return fd_fails(fd) ? -1 : real(fd);
}

int fdatasync(int fd)
{
    REAL(fdatasync);
    return fd_fails(fd) ? -1 : real(fd);
}

int unlink(const char *path)
{
    REAL(unlink);
    return is_ours(path) && fails() ? -1 : real(path);
}
