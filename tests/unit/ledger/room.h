/* SPDX-License-Identifier: MIT
 *
 * What the tests of the ledger share: books in a directory of their own, calls, commands.
 */
#ifndef ANCHORAGE_TESTS_UNIT_LEDGER_ROOM_H
#define ANCHORAGE_TESTS_UNIT_LEDGER_ROOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/day.h"
#include "proxy/ledger/ledger.h"

struct room {
    char directory[256];
    struct ledger_team teams[4];
    struct ledger_options options;
    struct ledger *ledger;
    struct buffer out, err;
};

static inline void room_init(struct room *r)
{
    memset(r, 0, sizeof *r);
    const char *temporary = getenv("TMPDIR");
    snprintf(r->directory, sizeof r->directory, "%s/ledger-test-XXXXXX", temporary ? temporary : "/tmp");
    assert_non_null(mkdtemp(r->directory));
    r->teams[0] = (struct ledger_team){ "seo", 100, 1000 };
    r->teams[1] = (struct ledger_team){ "sales", LEDGER_NO_LIMIT, LEDGER_NO_LIMIT };
    r->options = (struct ledger_options){ .state_directory = r->directory,
                                          .units_per_month = LEDGER_NO_LIMIT,
                                          .billing_day = 1,
                                          .teams = r->teams,
                                          .n_teams = 2 };
}

static inline enum ledger_open_result room_try_open(struct room *r, struct event_base *base)
{
    struct buffer why = { 0 };
    enum ledger_open_result result = ledger_open(base, &r->options, &r->ledger, &why);
    if (result != LEDGER_OPENED) {
        buffer_clear(&r->err);
        r->err = why;
    } else {
        buffer_clear(&why);
    }
    return result;
}

static inline void room_open(struct room *r, struct event_base *base)
{
    if (room_try_open(r, base) != LEDGER_OPENED)
        fail_msg("%.*s", SLICE_ARGS(buffer_slice(&r->err)));
}

static inline void room_close(struct room *r)
{
    ledger_close(r->ledger);
    r->ledger = NULL;
}

static inline int room_remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline void room_end(struct room *r)
{
    room_close(r);
    nftw(r->directory, room_remove_one, 8, FTW_DEPTH | FTW_PHYS);
    buffer_clear(&r->out);
    buffer_clear(&r->err);
}

/* Set the wall clock to a moment of this text. */
static inline void set_clock(const char *text)
{
    int64_t s;
    assert_true(timestamp_parse(slice_str(text), &s));
    clock_shift_wall(s * 1000 - clock_wall_ms());
}

/* Run a command line of words without spaces; what it says is left in out and err. */
static inline int room_run_input(struct room *r, const char *line, struct slice input)
{
    char words[512];
    const char *argv[32];
    int argc = 0;
    snprintf(words, sizeof words, "%s", line);
    for (char *save, *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
        argv[argc++] = word;
    r->out.n = r->err.n = 0;
    int64_t at = 0;
    int status;
    do
        status = ledger_command(r->ledger, argc, argv, input, &at, &r->out, &r->err);
    while (at);
    buffer_put(&r->out, '\0');
    buffer_put(&r->err, '\0');
    r->out.n--;
    r->err.n--;
    return status;
}

static inline int room_run(struct room *r, const char *line)
{
    return room_run_input(r, line, S(""));
}

#define assert_runs(r, line)                                                                                           \
    do {                                                                                                               \
        if (room_run((r), (line)) != 0)                                                                                \
            fail_msg("%s: %s", (line), (r)->err.p);                                                                    \
    } while (0)

static inline void take_outcome(void *context, enum ledger_outcome outcome)
{
    *(int *)context = (int)outcome;
}

static inline struct ledger_call call_of(const char *id, const char *team)
{
    return (struct ledger_call){ .id = slice_str(id),
                                 .team = slice_str(team),
                                 .key = S("key1"),
                                 .client = S("10.1.2.7"),
                                 .table = S("anchors"),
                                 .target = S("example.com"),
                                 .shape = S("from=anchors&mode=?"),
                                 .where = true };
}

/* The outcome of a hold on books without a base. */
static inline int hold_now(struct room *r, const char *id, const char *team, int64_t rows, int64_t units)
{
    struct ledger_call call = call_of(id, team);
    int outcome = -1;
    ledger_hold(r->ledger, &call, (struct rows){ rows }, (struct units){ units }, take_outcome, &outcome);
    return outcome;
}

static inline int lower_now(struct room *r, const char *id, const char *team, int64_t less)
{
    struct ledger_call call = call_of(id, team);
    int outcome = -1;
    ledger_lower(r->ledger, &call, (struct units){ less }, take_outcome, &outcome);
    return outcome;
}

static inline int settle_now(struct room *r, const char *id, const char *team, int64_t rows, int64_t units)
{
    struct ledger_call call = call_of(id, team);
    struct ledger_settlement s = { .rows = { rows },
                                   .units = units,
                                   .units_predicted = units < 0 ? 150 : units,
                                   .units_alone = 150,
                                   .results = 2,
                                   .via = "upstream",
                                   .approximate = S("last_visited,stats.refpages"),
                                   .duration_ms = 412 };
    int outcome = -1;
    ledger_settle(r->ledger, &call, &s, take_outcome, &outcome);
    return outcome;
}

static inline int release_now(struct room *r, const char *id, const char *team)
{
    struct ledger_call call = call_of(id, team);
    int outcome = -1;
    ledger_release(r->ledger, &call, S("upstream_down"), take_outcome, &outcome);
    return outcome;
}

static inline int unknown_now(struct room *r, const char *id, const char *team, int64_t units)
{
    struct ledger_call call = call_of(id, team);
    int outcome = -1;
    ledger_unknown(r->ledger, &call, (struct units){ units }, S("upstream_late"), take_outcome, &outcome);
    return outcome;
}

/* For cmocka's setup and teardown: fresh books without a base, the clock at noon of 2026-11-23. */
static inline int room_setup(void **state)
{
    struct room *r = malloc(sizeof *r);
    assert_non_null(r);
    room_init(r);
    set_clock("2026-11-23T12:00:00Z");
    room_open(r, NULL);
    *state = r;
    return 0;
}

static inline int room_teardown(void **state)
{
    room_end(*state);
    free(*state);
    return 0;
}

#define room_test(f) cmocka_unit_test_setup_teardown(f, room_setup, room_teardown)

#endif
