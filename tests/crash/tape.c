/* SPDX-License-Identifier: MIT
 * Preloaded into a process: records on TAPE_FILE what it does to the files in TAPE_DIRECTORY. With TAPE_NORMAL set,
 * SQLite is told synchronous = NORMAL where it should hear FULL, for the simulator must find that out. */
#include "tests/crash/tape.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FD = 1024 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int tape = -1;
static const char *directory;
static bool watched[MAX_FD];

#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static ssize_t put(const void *p, size_t n)
{
    static __typeof__(write) *real;
    if (!real)
        real = (__typeof__(write) *)dlsym(RTLD_NEXT, "write");
    return real(tape, p, n);
}

/* Under the mutex. */
static void record(enum tape_kind kind, int fd, int64_t at, const void *data, size_t n)
{
    struct tape_record r = { .kind = (int32_t)kind, .fd = fd, .at = at, .n = n };
    if (put(&r, sizeof r) != (ssize_t)sizeof r || (n && put(data, n) != (ssize_t)n))
        abort();
}

/* The name of a path in the directory, "" for itself; NULL for others. */
static const char *name_of(const char *path)
{
    if (!directory) {
        directory = getenv("TAPE_DIRECTORY");
        const char *file = getenv("TAPE_FILE");
        if (!directory || !file)
            directory = "";
        else
            tape = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    size_t n = strlen(directory);
    if (tape < 0 || !n || strncmp(path, directory, n) != 0)
        return NULL;
    return !path[n] ? "" : path[n] == '/' ? path + n + 1 : NULL;
}

static bool is_watched(int fd)
{
    return fd >= 0 && fd < MAX_FD && watched[fd];
}

static int open_file(__typeof__(open) *real, const char *path, int flags, mode_t mode)
{
    const char *name = name_of(path);
    if (!name)
        return real(path, flags, mode);
    pthread_mutex_lock(&mutex);
    bool made = (flags & O_CREAT) && access(path, F_OK) != 0;
    int fd = real(path, flags, mode);
    if (fd >= 0 && fd < MAX_FD) {
        watched[fd] = true;
        record(TAPE_OPEN, fd, made, name, strlen(name));
    }
    pthread_mutex_unlock(&mutex);
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
    if (!is_watched(fd))
        return real(fd, p, n);
    pthread_mutex_lock(&mutex);
    off_t at = lseek(fd, 0, SEEK_CUR);
    struct stat st;
    if ((fcntl(fd, F_GETFL) & O_APPEND) && fstat(fd, &st) == 0)
        at = st.st_size;
    ssize_t written = real(fd, p, n);
    if (written > 0)
        record(TAPE_WRITE, fd, at, p, (size_t)written);
    pthread_mutex_unlock(&mutex);
    return written;
}

static ssize_t pwrite_file(__typeof__(pwrite) *real, int fd, const void *p, size_t n, off_t at)
{
    if (!is_watched(fd))
        return real(fd, p, n, at);
    pthread_mutex_lock(&mutex);
    ssize_t written = real(fd, p, n, at);
    if (written > 0)
        record(TAPE_WRITE, fd, at, p, (size_t)written);
    pthread_mutex_unlock(&mutex);
    return written;
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

static int truncate_file(__typeof__(ftruncate) *real, int fd, off_t length)
{
    if (!is_watched(fd))
        return real(fd, length);
    pthread_mutex_lock(&mutex);
    int result = real(fd, length);
    if (result == 0)
        record(TAPE_TRUNCATE, fd, length, NULL, 0);
    pthread_mutex_unlock(&mutex);
    return result;
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

/* What was written while the disk was at it is not known to be safe: the mark stands where the call began, and the
 * mutex keeps others out until it has returned. */
static int sync_file(int (*real)(int fd), int fd)
{
    if (!is_watched(fd))
        return real(fd);
    pthread_mutex_lock(&mutex);
    int result = real(fd);
    if (result == 0)
        record(TAPE_SYNC, fd, 0, NULL, 0);
    pthread_mutex_unlock(&mutex);
    return result;
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

int unlink(const char *path)
{
    REAL(unlink);
    const char *name = name_of(path);
    pthread_mutex_lock(&mutex);
    int result = real(path);
    if (name && result == 0)
        record(TAPE_UNLINK, -1, 0, name, strlen(name));
    pthread_mutex_unlock(&mutex);
    return result;
}

int rename(const char *from, const char *to)
{
    REAL(rename);
    const char *a = name_of(from), *b = name_of(to);
    char names[512];
    pthread_mutex_lock(&mutex);
    int result = real(from, to);
    if (a && b && result == 0)
        record(TAPE_RENAME, -1, 0, names, (size_t)snprintf(names, sizeof names, "%s%c%s", a, 0, b));
    pthread_mutex_unlock(&mutex);
    return result;
}

struct sqlite3;
int sqlite3_exec(struct sqlite3 *db, const char *sql, void *callback, void *context, char **error);

int sqlite3_exec(struct sqlite3 *db, const char *sql, void *callback, void *context, char **error)
{
    REAL(sqlite3_exec);
    if (getenv("TAPE_NORMAL") && strcmp(sql, "PRAGMA synchronous = FULL") == 0)
        sql = "PRAGMA synchronous = NORMAL";
    return real(db, sql, callback, context, error);
}
