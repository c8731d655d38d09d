/* SPDX-License-Identifier: MIT
 * Calls on the books, as the daemon makes them: 16 in flight, held once or twice, at times lowered, then settled,
 * released or unknown. load DIRECTORY CALLS [keep]: what was acknowledged goes to DIRECTORY/acks, a line each, the
 * moment it was. Half way the books are closed and opened again; at the end they are left as they are. With "keep" the
 * first half is a hundred days old, its acknowledgements are called old, and its entries are removed during the second.
 */
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "proxy/ledger/ledger.h"

enum { IN_FLIGHT = 16 };

static const int64_t age_ms = 100LL * 86400000;

struct flight {
    struct load *load;
    struct ledger_call call;
    char id[LEDGER_ID_SIZE], target[32];
    struct event *later;
    int holds, wanted;
};

struct load {
    struct event_base *base;
    struct ledger *ledger;
    struct flight flights[IN_FLIGHT];
    long left;
    int flying, acks, keep_months;
    const char *age; /* before the kind of an acknowledgement */
};

static void ack(struct load *l, const char *kind, const struct flight *f)
{
    char line[96];
    int n = snprintf(line, sizeof line, "%s%s %s\n", l->age, kind, f->id);
    if (write(l->acks, line, (size_t)n) != n)
        abort();
}

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "load: %s\n", what);
    exit(1);
}

static void hold(struct flight *f);

static void start(struct flight *f)
{
    struct load *l = f->load;
    static const char *const teams[] = { "seo", "sales", "lab" };
    if (l->left == 0) {
        if (--l->flying == 0)
            event_base_loopbreak(l->base);
        return;
    }
    l->left--;
    ledger_new_id(f->id);
    snprintf(f->target, sizeof f->target, "t%d.example", rand() % 50);
    f->call = (struct ledger_call){ .id = slice_str(f->id),
                                    .team = slice_str(teams[rand() % 3]),
                                    .key = S("k3y5d9a1"),
                                    .client = S("10.1.2.7"),
                                    .table = S("anchors"),
                                    .target = slice_str(f->target),
                                    .shape = rand() % 8 ? S("from=anchors&limit=?") : slice_str(f->target) };
    f->holds = 0;
    f->wanted = 1 + rand() % 2;
    hold(f);
}

static void on_settled(void *context, enum ledger_outcome outcome)
{
    must(outcome == LEDGER_DONE, "not settled");
    ack(((struct flight *)context)->load, "settle", context);
    start(context);
}

static void on_ended(void *context, enum ledger_outcome outcome)
{
    must(outcome == LEDGER_DONE, "not ended");
    ack(((struct flight *)context)->load, "end", context);
    start(context);
}

static void end(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct flight *f = context;
    static const struct ledger_settlement s = { .rows = { 7 }, .units = 150, .units_alone = 150, .via = "upstream" };
    int dice = rand() % 10;
    if (dice > 1)
        ledger_settle(f->load->ledger, &f->call, &s, on_settled, f);
    else if (dice)
        ledger_release(f->load->ledger, &f->call, S("upstream_late"), on_ended, f);
    else
        ledger_unknown(f->load->ledger, &f->call, (struct units){ 90 }, S("upstream_late"), on_ended, f);
}

static void on_held(void *context, enum ledger_outcome outcome)
{
    struct flight *f = context;
    must(outcome == LEDGER_DONE, "not held");
    ack(f->load, "hold", f);
    if (++f->holds < f->wanted)
        hold(f);
    else if (f->holds == f->wanted && rand() % 3 == 0)
        ledger_lower(f->load->ledger, &f->call, (struct units){ rand() % 90 }, on_held, f);
    else if (rand() % 4)
        end(-1, 0, f);
    else
        evtimer_add(f->later, &(struct timeval){ .tv_usec = rand() % 3000 });
}

static void hold(struct flight *f)
{
    ledger_hold(f->load->ledger, &f->call, (struct rows){ 4 }, (struct units){ 100 }, on_held, f);
}

static void run(struct load *l, const char *directory, long calls)
{
    struct ledger_team teams[] = { { "seo", 1000000, 100000000 }, { "sales", 1000000, LEDGER_NO_LIMIT } };
    struct ledger_options options = { .state_directory = directory,
                                      .units_per_month = LEDGER_NO_LIMIT,
                                      .billing_day = 1,
                                      .keep_months = l->keep_months,
                                      .teams = teams,
                                      .n_teams = 2 };
    struct buffer why = { 0 };
    if (ledger_open(l->base, &options, &l->ledger, &why) != LEDGER_OPENED) {
        fprintf(stderr, "load: %.*s\n", SLICE_ARGS(buffer_slice(&why)));
        exit(1);
    }
    l->left = calls;
    l->flying = IN_FLIGHT;
    for (int i = 0; i < IN_FLIGHT; i++) {
        struct flight *f = &l->flights[i];
        f->load = l;
        if (!f->later)
            f->later = evtimer_new(l->base, end, f);
        start(f);
    }
    event_base_dispatch(l->base);
}

int main(int argc, char **argv)
{
    static struct load l;
    char path[512];
    must(argc == 3 || argc == 4, "load DIRECTORY CALLS [keep]");
    bool keep = argc == 4;
    l.age = keep ? "o-" : "";
    clock_shift_wall(keep ? -age_ms : 0);
    snprintf(path, sizeof path, "%s/acks", argv[1]);
    l.acks = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    l.base = event_base_new();
    must(l.acks >= 0 && l.base, "cannot start");
    run(&l, argv[1], atol(argv[2]) / 2);
    ledger_close(l.ledger);
    clock_shift_wall(keep ? age_ms : 0);
    l.age = "";
    if (keep) {
        /* The newest entry must be of today, or nothing is removed. */
        run(&l, argv[1], IN_FLIGHT);
        ledger_close(l.ledger);
        l.keep_months = 1;
    }
    run(&l, argv[1], atol(argv[2]) / 2);
    _exit(0);
}
