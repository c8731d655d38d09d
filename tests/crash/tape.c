/* SPDX-License-Identifier: MIT
 * Preloaded into a process: records on TAPE_FILE what it does to the files in TAPE_DIRECTORY. With TAPE_NORMAL set,
 * SQLite is told synchronous = NORMAL where it should hear FULL, for the simulator must find that out. */
#include "tests/crash/tape.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/crash/preload.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int tape = -1;
static const char *directory;

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

/* What was written while the disk was at it is not known to be safe: the mark stands where the call began, and the
 * mutex keeps others out until it has returned. */
static int sync_file(__typeof__(fsync) *real, int fd)
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
