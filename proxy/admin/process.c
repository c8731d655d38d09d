/* SPDX-License-Identifier: MIT
 * The process's own numbers, from /proc and getrusage. */
#include "proxy/admin/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

/* The second number of /proc/self/statm, in pages; -1 when it is not there. */
static int64_t resident_pages(void)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : -1;
    if (fd >= 0)
        close(fd);
    struct slice rest = slice_of(text, n > 0 ? (size_t)n : 0);
    int64_t pages;
    slice_split(rest, ' ', &rest);
    return parse_i64(slice_split(rest, ' ', &rest), &pages) ? pages : -1;
}

/* Since Linux 6.2 the folder's size is the number of descriptors; before, it is 0 and they have to be counted. */
static int64_t open_fds(void)
{
    struct stat st;
    if (stat("/proc/self/fd", &st) == 0 && st.st_size > 0)
        return st.st_size;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return -1;
    int64_t n = 0;
    for (const struct dirent *entry; (entry = readdir(folder));)
        n += entry->d_name[0] != '.';
    closedir(folder);
    return n - 1; /* without the folder's own */
}

static int64_t us_of(struct timeval t)
{
    return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

/* Field `number` of /proc/self/stat, counted from 1 as in proc(5), of those behind the program's name; -1 when it is
 * not there. */
static int64_t stat_field(int number)
{
    char text[1024];
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : -1;
    if (fd >= 0)
        close(fd);
    struct slice rest = slice_of(text, n > 0 ? (size_t)n : 0);
    for (size_t i = rest.n; i > 0; i--) {
        if (rest.p[i - 1] == ')') {
            rest = slice_from(rest, i);
            break;
        }
    }
    int64_t value;
    struct slice word = S("");
    for (int i = 2; i <= number; i++)
        word = slice_split(rest, ' ', &rest);
    return parse_i64(word, &value) ? value : -1;
}

void process_gather(struct metrics *m)
{
    enum { NUM_THREADS = 20 };
    int64_t pages = resident_pages(), fds = open_fds(), threads = stat_field(NUM_THREADS);
    struct rusage used;
    struct rlimit limit;
    if (pages >= 0)
        metric_add(m, METRIC_PROCESS_RSS, pages * sysconf(_SC_PAGESIZE));
    if (getrusage(RUSAGE_SELF, &used) == 0)
        metric_add_seconds(m, METRIC_PROCESS_CPU, us_of(used.ru_utime) + us_of(used.ru_stime));
    if (threads >= 0)
        metric_add(m, METRIC_PROCESS_THREADS, threads);
    if (fds >= 0)
        metric_add(m, METRIC_PROCESS_FDS, fds);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        metric_add(m, METRIC_PROCESS_MAX_FDS, (int64_t)limit.rlim_cur);
}
