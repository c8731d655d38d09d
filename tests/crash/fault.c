/* SPDX-License-Identifier: MIT
 * Preloaded into a process: its calls on the ledger's files in FAULT_DIRECTORY are counted, and fail when the plan in
 * FAULT_PLAN says so. Opening, reading, writing, syncing, truncating and removing count; nothing is done of what fails,
 * but half of a write that meets a full disk is. */
#include "tests/crash/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/crash/preload.h"

static struct fault_plan *plan;
static const char *directory;

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
    return is_watched(fd) && fails();
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

static int truncate_file(__typeof__(ftruncate) *real, int fd, off_t length)
{
    return fd_fails(fd) ? -1 : real(fd, length);
}

static int sync_file(__typeof__(fsync) *real, int fd)
{
    return fd_fails(fd) ? -1 : real(fd);
}

int unlink(const char *path)
{
    REAL(unlink);
    return is_ours(path) && fails() ? -1 : real(path);
}
