/* SPDX-License-Identifier: MIT
 * What the ledger costs a call: 64 calls in flight, each held and settled, the CPU of all threads divided by calls.
 * With --spread every call waits 1 to 8 ms between the two, as calls do that go upstream: then batches are as large as
 * chance makes them. Beside it how long settlements took, and what the disk takes for one fdatasync in the same run,
 * measured before and after. The bars: 12 us CPU a call, and with --spread a settlement within 2 fdatasyncs and 3 ms in
 * the median. The books lie in $TMPDIR: let it be the disk that you mean. */
#include <event2/event.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "proxy/ledger/ledger.h"

enum { IN_FLIGHT = 64, SYNCS = 200, SYNC_BYTES = 16384, CPU_BAR_US = 12, SETTLE_BAR_US = 3000 };

struct bench {
    struct event_base *base;
    struct ledger *ledger;
    long left, done;
    int flying;
    bool spread;
    int64_t *settle_us;
};

struct flight {
    struct bench *bench;
    struct event *later;
    char id[LEDGER_ID_SIZE];
    struct ledger_call call;
    int64_t since_us;
};

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void on_held(void *context, enum ledger_outcome outcome);

static void start(struct flight *f)
{
    struct bench *b = f->bench;
    if (b->left == 0) {
        if (--b->flying == 0)
            event_base_loopbreak(b->base);
        return;
    }
    b->left--;
    ledger_new_id(f->id);
    f->call.id = slice_str(f->id);
    ledger_hold(b->ledger, &f->call, (struct rows){ 8 }, (struct units){ 150 }, on_held, f);
}

static void must(enum ledger_outcome outcome)
{
    if (outcome != LEDGER_DONE) {
        fprintf(stderr, "ledger_bench: outcome %d\n", (int)outcome);
        exit(1);
    }
}

static void on_settled(void *context, enum ledger_outcome outcome)
{
    struct flight *f = context;
    must(outcome);
    f->bench->settle_us[f->bench->done++] = clock_monotonic_us() - f->since_us;
    start(f);
}

static void settle(struct flight *f)
{
    static const struct ledger_settlement settlement = { .rows = { 8 },
                                                         .units = 150,
                                                         .units_predicted = 150,
                                                         .units_alone = 150,
                                                         .results = 2,
                                                         .via = "upstream",
                                                         .approximate = SLICE("last_visited,stats.refpages"),
                                                         .duration_ms = 412 };
    f->since_us = clock_monotonic_us();
    ledger_settle(f->bench->ledger, &f->call, &settlement, on_settled, f);
}

static void on_later(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    settle(context);
}

static void on_held(void *context, enum ledger_outcome outcome)
{
    struct flight *f = context;
    must(outcome);
    if (f->bench->spread)
        evtimer_add(f->later, &(struct timeval){ .tv_usec = 1000 + rand() % 7000 });
    else
        settle(f);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void run(struct bench *b, long calls)
{
    static struct flight flights[IN_FLIGHT];
    b->left = calls;
    b->done = 0;
    b->flying = IN_FLIGHT;
    for (int i = 0; i < IN_FLIGHT; i++) {
        struct flight *f = &flights[i];
        f->bench = b;
        if (!f->later)
            f->later = evtimer_new(b->base, on_later, f);
        f->call = (struct ledger_call){ .team = S("seo"),
                                        .key = S("k3y5d9a1"),
                                        .client = S("10.1.2.7"),
                                        .table = S("anchors"),
                                        .target = S("example.com"),
                                        .shape = S("from=anchors&mode=subdomains&where=?&limit=?"),
                                        .where = true };
        start(f);
    }
    event_base_dispatch(b->base);
    if (b->left == 0 && b->done == calls) {
        for (int i = 0; i < IN_FLIGHT; i++) {
            event_free(flights[i].later);
            flights[i].later = NULL;
        }
    }
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t median(int64_t *values, long n)
{
    qsort(values, (size_t)n, sizeof *values, by_size);
    return values[n / 2];
}

/* What the disk takes for some pages and a sync, as the log of the books gets them. */
static void measure_disk(const char *directory, int64_t us[SYNCS])
{
    static char bytes[SYNC_BYTES];
    char path[300];
    snprintf(path, sizeof path, "%s/sync", directory);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (int i = 0; i < SYNCS; i++) {
        int64_t since = clock_monotonic_us();
        if (write(fd, bytes, sizeof bytes) != (ssize_t)sizeof bytes || fdatasync(fd) != 0) {
            perror(path);
            exit(1);
        }
        us[i] = clock_monotonic_us() - since;
    }
    close(fd);
}

int main(int argc, char **argv)
{
    struct bench b = { 0 };
    struct ledger_team team = { "seo", LEDGER_NO_LIMIT, LEDGER_NO_LIMIT };
    struct ledger_options options = {
        .units_per_month = LEDGER_NO_LIMIT, .billing_day = 1, .teams = &team, .n_teams = 1
    };
    long calls = 50000;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--relaxed") == 0)
            options.relaxed = true;
        else if (strcmp(argv[i], "--spread") == 0)
            b.spread = true;
        else
            calls = atol(argv[i]);
    }
    char directory[256];
    const char *temporary = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/ledger-bench-XXXXXX", temporary ? temporary : "/tmp");
    struct buffer why = { 0 };
    options.state_directory = mkdtemp(directory);
    b.base = event_base_new();
    b.settle_us = malloc((size_t)(calls < 1 ? 1 : calls) * sizeof *b.settle_us);
    if (!options.state_directory || !b.base || !b.settle_us || calls < IN_FLIGHT ||
        ledger_open(b.base, &options, &b.ledger, &why) != LEDGER_OPENED) {
        fprintf(stderr, "ledger_bench: %.*s\n", SLICE_ARGS(buffer_slice(&why)));
        return 1;
    }
    static int64_t sync_us[2 * SYNCS];
    measure_disk(directory, sync_us);
    run(&b, calls / 10 > IN_FLIGHT ? calls / 10 : IN_FLIGHT);
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
    run(&b, calls);
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    wall = seconds(CLOCK_MONOTONIC) - wall;
    measure_disk(directory, sync_us + SYNCS);
    long long sync = median(sync_us, 2L * SYNCS), settle = median(b.settle_us, calls);
    printf("%ld calls, %d in flight, %s%s: %.2f us CPU a call (hold and settle; bar %d), %.0f calls a second\n", calls,
           IN_FLIGHT, options.relaxed ? "relaxed" : "full", b.spread ? ", spread" : "", cpu * 1e6 / (double)calls,
           CPU_BAR_US, (double)calls / wall);
    printf("settle p50 %lld us; fdatasync p50 %lld us; bar %lld us\n", settle, sync, 2 * sync + SETTLE_BAR_US);
    free(b.settle_us);
    ledger_close(b.ledger);
    event_base_free(b.base);
    nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}
