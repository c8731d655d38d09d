/* SPDX-License-Identifier: MIT
 *
 * The calls on files that a preloaded library stands in for, in both names that they have. Included once by each, which
 * says in the four functions below what becomes of the call; real is the C library's.
 */
#ifndef ANCHORAGE_TESTS_CRASH_PRELOAD_H
#define ANCHORAGE_TESTS_CRASH_PRELOAD_H

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <unistd.h>

enum { MAX_FD = 1024 };

static bool watched[MAX_FD]; /* set by open_file */

static int open_file(__typeof__(open) *real, const char *path, int flags, mode_t mode);
static ssize_t pwrite_file(__typeof__(pwrite) *real, int fd, const void *p, size_t n, off_t at);
static int truncate_file(__typeof__(ftruncate) *real, int fd, off_t length);
static int sync_file(__typeof__(fsync) *real, int fd);

#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static bool is_watched(int fd)
{
    return fd >= 0 && fd < MAX_FD && watched[fd];
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

int ftruncate(int fd, off_t length)
{
    REAL(ftruncate);
    return truncate_file(real, fd, length);
}

int ftruncate64(int fd, off_t length)
{
    REAL(ftruncate64);
    return truncate_file(real, fd, length);
}

int fsync(int fd)
{
    REAL(fsync);
    return sync_file(real, fd);
}

int fdatasync(int fd)
{
    REAL(fdatasync);
    return sync_file(real, fd);
}

#endif
