/* SPDX-License-Identifier: MIT
 * The directory of the books, their lock and their names. */
#include "proxy/ledger/store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

char *files_path(const char *directory, const char *name)
{
    struct buffer b = { 0 };
    buffer_printf(&b, "%s/%s", directory, name);
    buffer_put(&b, '\0');
    if (b.failed)
        buffer_clear(&b);
    return b.p;
}

/* Always false. */
static bool system_broken(const char *path, struct buffer *why)
{
    buffer_printf(why, "ledger: %s: %s", path, strerror(errno));
    return false;
}

static bool sync_directory(const char *path, struct buffer *why)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (!synced)
        system_broken(path, why);
    if (fd >= 0)
        close(fd);
    return synced;
}

/* A new one is a name in the directory above. */
static bool make_directory(const char *directory, struct buffer *why)
{
    if (mkdir(directory, 0700) != 0)
        return errno == EEXIST || system_broken(directory, why);
    char *above = files_path(directory, "..");
    bool good = above ? sync_directory(above, why) : system_broken(directory, why);
    free(above);
    return good;
}

enum store_result files_lock(const char *directory, int *ret, struct buffer *why)
{
    if (*ret >= 0)
        return STORE_OPENED;
    if (!make_directory(directory, why))
        return STORE_BROKEN;
    char *path = files_path(directory, "ledger.lock");
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd < 0) {
        system_broken(path ? path : directory, why);
        free(path);
        return STORE_BROKEN;
    }
    free(path);
    char pid[24] = "";
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t n = read(fd, pid, sizeof pid - 1);
        pid[n > 0 ? n : 0] = '\0';
        buffer_printf(why, "ledger: %s is in use by another anchorage, process %.*s", directory,
                      (int)strcspn(pid, "\n"), pid);
        close(fd);
        return STORE_TAKEN;
    }
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)n, 0) != n) {
        /* The number only helps people; the lock is what counts. */
    }
    *ret = fd;
    return STORE_OPENED;
}

bool files_create(const char *file, const char *directory, struct buffer *why)
{
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return system_broken(file, why);
    fchmod(fd, 0600);
    close(fd);
    return sync_directory(directory, why);
}

bool files_create_new(const char *file, struct buffer *why)
{
    int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return system_broken(file, why);
    close(fd);
    return true;
}
