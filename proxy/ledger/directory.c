/* SPDX-License-Identifier: MIT
 * The state directory: one process at a time has it. */
#include "proxy/ledger/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

char *directory_path(const char *directory, const char *name)
{
    struct buffer b = { 0 };
    buffer_printf(&b, "%s/%s", directory, name);
    buffer_put(&b, '\0');
    if (b.failed)
        buffer_clear(&b);
    return b.p;
}

/* Always false. */
static bool broken(const char *path, struct buffer *why)
{
    buffer_printf(why, "ledger: %s: %s", path, strerror(errno));
    return false;
}

static void write_pid(int fd)
{
    char pid[24];
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)n, 0) != n) {
        /* The number only helps people; the lock is what counts. */
    }
}

enum directory_lock directory_take_lock(const char *directory, int *ret, struct buffer *why)
{
    if (mkdir(directory, 0700) != 0 && errno != EEXIST) {
        broken(directory, why);
        return DIRECTORY_BROKEN;
    }
    char *path = directory_path(directory, "ledger.lock");
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        broken(path ? path : directory, why);
    free(path);
    if (fd < 0)
        return DIRECTORY_BROKEN;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        char pid[24] = "";
        ssize_t n = read(fd, pid, sizeof pid - 1);
        pid[n > 0 ? n : 0] = '\0';
        buffer_printf(why, "ledger: %s is in use by another anchorage, process %.*s", directory,
                      (int)strcspn(pid, "\n"), pid);
        close(fd);
        return DIRECTORY_TAKEN;
    }
    write_pid(fd);
    *ret = fd;
    return DIRECTORY_LOCKED;
}

bool directory_create_file(const char *directory, const char *path, struct buffer *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return broken(path, why);
    fchmod(fd, 0600);
    close(fd);
    int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = folder >= 0 && fsync(folder) == 0;
    if (!synced)
        broken(directory, why);
    if (folder >= 0)
        close(folder);
    return synced;
}
