/* SPDX-License-Identifier: MIT
 * How long it takes to open books of the version before: migration_bench [ENTRIES], ten million when nothing is said.
 * The bar: 3 us of processor time an entry, half a minute for ten million.
 * The books lie in $TMPDIR, a gigabyte and a half for ten million entries. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "proxy/ledger/store/store.h"
#include "tests/old_books.h"

enum { BAR_US = 3, MEMORY_BAR_MIB = 128 };

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void count(void *context, const struct trace_row *row)
{
    if (row->what == TRACE_MARKED)
        *(int64_t *)context += row->calls;
}

int main(int argc, char **argv)
{
    long long entries = argc > 1 ? atoll(argv[1]) : 10000000;
    const char *temporary = getenv("TMPDIR");
    char directory[256], file[300];
    struct buffer why = { 0 };
    snprintf(directory, sizeof directory, "%s/migration-bench-XXXXXX", temporary ? temporary : "/tmp");
    if (entries < 1 || !mkdtemp(directory))
        return 2;
    snprintf(file, sizeof file, "%s/ledger.db", directory);
    struct store *s = store_new(directory, false);
    bool good = old_books_make(file, entries);
    double cpu = cpu_s();
    int64_t began_us = clock_monotonic_us(), marked = 0;
    good = good && store_open(s, &why) == STORE_OPENED;
    double took_s = (double)(clock_monotonic_us() - began_us) / 1e6;
    cpu = cpu_s() - cpu;
    good = good && store_traces(s, INT64_MIN, INT64_MAX, count, &marked, &why);
    store_free(s);
    struct rusage most;
    getrusage(RUSAGE_SELF, &most);
    double each_us = cpu / (double)entries * 1e6;
    printf("%lld entries: %.1f s, %.1f s of processor time, %.2f us an entry (at most %d); %ld MiB of memory (at most "
           "%d)\n",
           entries, took_s, cpu, each_us, BAR_US, most.ru_maxrss / 1024, MEMORY_BAR_MIB);
    if (!good || marked != entries * 4 / 10)
        fprintf(stderr, "migration_bench: %.*s (%lld calls with marks)\n", SLICE_ARGS(buffer_slice(&why)),
                (long long)marked);
    good = good && marked == entries * 4 / 10 && each_us <= BAR_US && most.ru_maxrss / 1024 <= MEMORY_BAR_MIB;
    const char *const names[] = { "ledger.db", "ledger.db-wal", "ledger.db-shm", "lock" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(file, sizeof file, "%s/%s", directory, names[i]);
        unlink(file);
    }
    rmdir(directory);
    buffer_clear(&why);
    return good ? 0 : 1;
}
