/* SPDX-License-Identifier: MIT
 *
 * What the tests of the steps share: a service with one team, books in a directory of their own that answer at once, an
 * account without a way to v3, and calls made from a query. No process, no socket.
 */
#ifndef ANCHORAGE_TESTS_UNIT_CALL_KIT_H
#define ANCHORAGE_TESTS_UNIT_CALL_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/event.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "proxy/call/exchange.h"

enum { KIT_CACHE_BYTES = 4 * 1024 * 1024 };

struct kit {
    struct service service;
    struct config config;
    struct config_team team;
    struct team_queue turns;
    struct account account;
    struct ledger_team ledger_team;
    char directory[256];
    bool is_behind;
};

static struct kit kit;

static inline bool kit_is_behind(void *context)
{
    (void)context;
    return kit.is_behind;
}

static inline void kit_on_bottom(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what, (void)context;
}

static inline int kit_remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

/* The team may use `rows` v2 rows a month, or LEDGER_NO_LIMIT. With a base the books answer from its loop once the
 * entry is on the disk; without one at once. */
static inline void kit_open_books_on(struct event_base *base, int64_t rows)
{
    struct buffer why = { 0 };
    kit.ledger_team = (struct ledger_team){ "seo", rows, LEDGER_NO_LIMIT };
    struct ledger_options o = { .state_directory = kit.directory,
                                .units_per_month = LEDGER_NO_LIMIT,
                                .billing_day = 1,
                                .teams = &kit.ledger_team,
                                .n_teams = 1 };
    ledger_close(kit.service.ledger);
    kit.service.ledger = NULL;
    if (ledger_open(base, &o, &kit.service.ledger, &why) != LEDGER_OPENED)
        fail_msg("%.*s", SLICE_ARGS(buffer_slice(&why)));
    buffer_clear(&why);
}

static inline void kit_open_books(int64_t rows)
{
    kit_open_books_on(NULL, rows);
}

static inline int kit_begin(void **state)
{
    (void)state;
    struct service *s = &kit.service;
    const char *temporary = getenv("TMPDIR");
    kit = (struct kit){ .team = { .name = "seo", .concurrency = 2, .subscription = "Enterprise" } };
    snprintf(kit.directory, sizeof kit.directory, "%s/call-test-XXXXXX", temporary ? temporary : "/tmp");
    assert_non_null(mkdtemp(kit.directory));
    kit.config = (struct config){ .file = "test.conf",
                                  .state_directory = kit.directory,
                                  .default_mode = DEFAULT_MODE_DOMAIN,
                                  .call_timeout_ms = 60000,
                                  .queue_timeout_ms = 20000,
                                  .units_per_call = 100000,
                                  .stats_ttl_ms = 3600000,
                                  .answer_ttl_ms = 3600000,
                                  .url = "http://127.0.0.1:1/v3",
                                  .max_rows_per_request = CONFIG_AUTO,
                                  .teams = &kit.team,
                                  .n_teams = 1 };
    s->base = event_base_new();
    s->config = &kit.config;
    s->settings = settings_new(&kit.config, NULL);
    s->memory.max = 64 * 1024 * 1024;
    s->bottom = event_new(s->base, -1, 0, kit_on_bottom, NULL);
    link_init(&s->running);
    link_init(&s->finished);
    s->counters.calls_took.scale = &histogram_waits;
    kit.account.subscription = subscription_unknown();
    kit.account.cache = cache_new(KIT_CACHE_BYTES);
    kit.account.flights = flights_new(s->base);
    struct record_desk_options desk = { .cache = kit.account.cache };
    kit.account.desk = record_desk_new(s->base, &desk);
    team_queue_init(&kit.turns);
    kit.turns.team = &kit.team;
    kit.turns.memory.whole = &s->memory;
    kit.turns.account = &kit.account;
    kit.turns.settings = s->settings;
    kit.turns.n_calls = 1; /* never the last one */
    assert_true(waitlist_begin(&s->waitlist, s->base) && pacer_begin(&s->pacer, s->base, kit_is_behind, NULL));
    kit_open_books(LEDGER_NO_LIMIT);
    return 0;
}

static inline void kit_told(void *context, enum flight_kind kind, const struct flight_news *news)
{
    (void)context, (void)kind, (void)news;
}

/* A call as it is after the step plan; "&token=…" is not needed. */
static inline struct exchange *kit_call(const char *query)
{
    struct exchange *x = exchange_new(&kit.service, NULL);
    struct asked *a = &x->asked;
    struct call_options options = { .default_mode = MODE_DOMAIN };
    assert_true(params_add(&a->params, slice_str(query), x->memory));
    struct refusal refusal = call_parse(&a->params, &options, x->memory, &a->call);
    struct plan_options plan = settings_plan_options(x->settings, 0);
    if (!refusal.fault)
        refusal = plan_make(&a->call, &plan, x->memory, &a->plan);
    if (refusal.fault)
        fail_msg("%s: %.*s", query, SLICE_ARGS(refusal.why));
    a->client = S("127.0.0.1");
    a->shown_target = a->call.target.v3;
    a->shape = S("anchors");
    a->key = S("k1");
    a->team = &kit.team;
    a->team_name = S("seo");
    a->account = &kit.account;
    ticket_set_team(&x->ticket, &kit.turns);
    kit.turns.n_calls++;
    seats_init(&x->seats, slice_of(x->id, LEDGER_ID_SIZE - 1), kit_told, NULL, x);
    return x;
}

/* End a call wherever it is. */
static inline void kit_drop(struct exchange *x)
{
    flight_leave_all(&x->seats);
    flight_give_up(&x->seats);
    team_queue_leave(&kit.service.pacer, &x->ticket);
    x->n_under_way = 0;
    link_out(&x->link);
    exchange_free(x);
}

/* v3's answer to the list of `x`: rows `first` to `first` + `n`, in its default order. */
static inline void kit_write_rows(struct buffer *body, const struct exchange *x, int64_t first, int64_t n)
{
    const struct plan *plan = &x->asked.plan;
    const struct table *t = plan->call->table;
    buffer_printf(body, "{\"%.*s\":[", SLICE_ARGS(t->list->key));
    for (int64_t i = first; i < first + n; i++) {
        const char *comma = "";
        buffer_str(body, i > first ? ",{" : "{");
        for (size_t f = 0; f < t->list->n_fields; f++) {
            if (!(plan->fields & bit((int)f)))
                continue;
            buffer_printf(body, "%s\"%.*s\":", comma, SLICE_ARGS(t->list->fields[f].v3));
            if (t->list->fields[f].type == VALUE_WHOLE)
                buffer_printf(body, "%lld", (long long)(1000000 - i));
            else if (t->list->fields[f].type == VALUE_DATE)
                buffer_str(body, "\"2024-01-02T03:04:05Z\"");
            else
                buffer_printf(body, "\"anchor %06lld\"", (long long)i);
            comma = ",";
        }
        buffer_str(body, "}");
    }
    buffer_str(body, "]}");
}

/* The same rows as they are remembered. */
static inline void kit_pack_rows(struct buffer *rows, const struct exchange *x, struct slice body)
{
    struct v3_request request;
    bool whole;
    struct translation *t = translation_new(&x->asked.plan, (struct translation_seen){ 0 }, SIZE_MAX / 2, x->memory);
    translation_keep_rows(t, SIZE_MAX / 2);
    do
        assert_true(translation_next(t, &request));
    while (request.ask != ASK_LIST);
    assert_true(translation_feed(t, ASK_LIST, body) && translation_end(t, ASK_LIST, -1));
    assert_true(translation_take_rows(t, rows, &whole));
    translation_free(t);
}

/* One turn of the loop. */
static inline void kit_turn(void)
{
    event_base_loop(kit.service.base, EVLOOP_NONBLOCK);
}

static inline int kit_end(void **state)
{
    (void)state;
    struct service *s = &kit.service;
    while (!link_is_alone(&s->finished))
        kit_drop(LINKED(s->finished.next, struct exchange, link));
    assert_true(link_is_alone(&s->running));
    ledger_close(s->ledger);
    waitlist_end(&s->waitlist);
    pacer_end(&s->pacer);
    record_desk_free(kit.account.desk);
    cache_free(kit.account.cache);
    flights_free(kit.account.flights);
    settings_put(s->settings);
    event_free(s->bottom);
    event_base_free(s->base);
    return nftw(kit.directory, kit_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#define kit_test(f) cmocka_unit_test_setup_teardown(f, kit_begin, kit_end)

#endif
