/* SPDX-License-Identifier: MIT
 * The desk for target records, with a v3 of a few lines and a clock that is set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/text.h"
#include "proxy/account/records.h"

#define FIELD(NAME) (1u << RECORD_##NAME)
#define RATING (FIELD(DOMAIN_RATING) | FIELD(AHREFS_RANK))

enum { MEMBERS = 400, POSTS = 4000, GATHER_MS = 10 };

struct member {
    struct record_seat seat;
    char id[24], v3[32], host[32];
    struct record_key key;
    bool is_in, has_left;
    int told, holds; /* holds: asked for and not answered */
    int64_t held, to_hold[8];
    struct record_news news;
    struct record record;
    char payer[24];
};

/* What the way to v3 has been asked for. */
struct sent {
    struct records_post *post;
    enum { FREE, LINE, TURNED, AT_V3 } state;
    bool is_free;
    struct buffer body;
};

struct world {
    struct records *records;
    struct member members[MEMBERS];
    struct sent sent[POSTS];
    int n_sent, n_bodies; /* of all time */
    int64_t now_ms, wakes_ms, taken;
    int kept;
    bool no_memory;
};

static struct world *w;

/* ---- the way ---- */

static void *way_start(void *context, struct records_post *post, struct slice team, bool is_free)
{
    (void)context;
    assert_true(slice_eq(team, S("seo")));
    if (w->no_memory)
        return NULL;
    assert_true(w->n_sent < POSTS);
    struct sent *s = &w->sent[w->n_sent++];
    *s = (struct sent){ .post = post, .state = LINE, .is_free = is_free };
    return s;
}

static void way_hurry(void *context, void *handle, struct slice team)
{
    (void)context, (void)team;
    assert_in_range(((struct sent *)handle)->state, LINE, TURNED);
}

static bool way_send(void *context, void *handle, struct slice body)
{
    (void)context;
    struct sent *s = handle;
    assert_int_equal(s->state, TURNED);
    s->state = AT_V3;
    buffer_append(&s->body, body);
    w->n_bodies++;
    return true;
}

static void way_cancel(void *context, void *handle)
{
    (void)context;
    struct sent *s = handle;
    assert_int_not_equal(s->state, FREE);
    s->state = FREE;
    buffer_clear(&s->body);
}

static void way_wake(void *context, int64_t at_ms)
{
    (void)context;
    w->wakes_ms = at_ms;
}

static void way_keep(void *context, const struct record_key *key, const struct record *record, struct slice payer)
{
    (void)context, (void)key;
    assert_true(record->known && payer.n);
    w->kept++;
}

/* ---- members ---- */

static void on_hold(void *context, int64_t units)
{
    struct member *m = context;
    assert_true(m->is_in && m->holds < 8);
    m->to_hold[m->holds++] = units;
}

static void on_told(void *context, const struct record_news *news)
{
    struct member *m = context;
    assert_true(m->is_in && !m->has_left);
    assert_null(m->seat.ask);
    m->told++;
    m->is_in = false;
    m->news = *news;
    m->news.record = NULL;
    if (news->record)
        m->record = *news->record;
    snprintf(m->payer, sizeof m->payer, "%.*s", SLICE_ARGS(news->payer));
    if (!news->failing.refusal.fault) {
        assert_int_equal(news->record->known & m->seat.need, m->seat.need);
        if (news->pays && news->predicted)
            assert_int_equal(m->held, news->predicted); /* on the disk before the POST left */
    }
    if (news->pays && news->units > 0)
        w->taken -= news->units;
}

static const char *names[] = { "a.example", "b.example", "c.example", "d.example" };

static struct member *join(int i, const char *v3, enum mode mode, const char *country, uint32_t need)
{
    struct member *m = &w->members[i];
    *m = (struct member){ .held = 50, .is_in = true };
    snprintf(m->id, sizeof m->id, "call-%d", i);
    snprintf(m->v3, sizeof m->v3, "%s", v3);
    const char *start = strstr(v3, "://") ? strstr(v3, "://") + 3 : v3;
    snprintf(m->host, sizeof m->host, "%.*s", (int)strcspn(start, "/"), start);
    m->key = (struct record_key){ .host = slice_str(m->host),
                                  .v3 = slice_str(m->v3),
                                  .mode = mode,
                                  .country = slice_str(country),
                                  .is_free = strcmp(m->host, "ahrefs.com") == 0 };
    m->seat = (struct record_seat){
        .id = slice_str(m->id), .team = S("seo"), .hold = on_hold, .told = on_told, .context = m
    };
    assert_true(records_join(w->records, &m->seat, &m->key, need, w->now_ms));
    return m;
}

static int64_t leave(struct member *m)
{
    m->has_left = true;
    m->is_in = false;
    m->holds = 0;
    return records_leave(w->records, &m->seat, w->now_ms);
}

static void clock_to(int64_t now_ms)
{
    w->now_ms = now_ms;
    while (w->wakes_ms <= now_ms) {
        w->wakes_ms = INT64_MAX;
        records_clock(w->records, now_ms);
    }
}

/* The oldest hold that a member was asked for is on disk. */
static void hold_one(struct member *m, bool good)
{
    if (good)
        m->held = m->to_hold[0];
    memmove(m->to_hold, m->to_hold + 1, sizeof m->to_hold - sizeof m->to_hold[0]);
    m->holds--;
    records_held(w->records, &m->seat, good, w->now_ms);
}

static void hold_all(void)
{
    for (int i = 0; i < MEMBERS; i++)
        while (w->members[i].holds)
            hold_one(&w->members[i], true);
}

static struct sent *in_state(int state, int from)
{
    for (int i = 0; i < w->n_sent; i++)
        if ((int)w->sent[(i + from) % w->n_sent].state == state)
            return &w->sent[(i + from) % w->n_sent];
    return NULL;
}

static int count(int state)
{
    int n = 0;
    for (int i = 0; i < w->n_sent; i++)
        n += (int)w->sent[i].state == state;
    return n;
}

/* ---- v3 ---- */

struct asked {
    size_t n;
    uint32_t fields;
    struct slice urls[RECORD_MAX_TARGETS];
    struct slice country;
};

static struct slice unquoted(struct slice s)
{
    return slice_of(s.p + 1, s.n - 2);
}

static struct asked read_body(struct slice body)
{
    struct asked a = { 0 };
    struct json_walk walk;
    struct slice name, value, list;
    bool has_index = false;
    assert_true(json_member(body, S("select"), &list));
    for (json_walk_begin(&walk, list); json_walk_next(&walk, &name, &value);) {
        enum record_field f = record_field_find(unquoted(value));
        if (f == RECORD_FIELDS)
            has_index = true;
        else
            a.fields |= 1u << f;
    }
    assert_true(json_member(body, S("targets"), &list));
    for (json_walk_begin(&walk, list); json_walk_next(&walk, &name, &value);) {
        struct slice url = { 0 };
        assert_true(a.n < RECORD_MAX_TARGETS);
        assert_true(json_member(value, S("url"), &url));
        a.urls[a.n++] = unquoted(url);
    }
    assert_int_equal(has_index, a.n > 1);
    if (json_member(body, S("country"), &value))
        a.country = unquoted(value);
    return a;
}

static void write_rows(struct buffer *b, const struct asked *a)
{
    buffer_str(b, "{\"targets\":[");
    for (size_t i = 0; i < a->n; i++) {
        buffer_printf(b, "%s{\"index\":%zu", i ? "," : "", i);
        for (int f = 0; f < RECORD_FIELDS; f++)
            if (a->fields & 1u << f)
                buffer_printf(b, ",\"%.*s\":%d", SLICE_ARGS(record_field_name((enum record_field)f)), f);
        buffer_str(b, "}");
    }
    buffer_str(b, "]}");
}

static void end_with(struct sent *s, const struct records_answer *answer)
{
    struct records_post *post = s->post;
    s->state = FREE;
    records_answered(w->records, post, answer, w->now_ms);
    buffer_clear(&s->body);
}

static void answer_well(struct sent *s, bool says_price)
{
    struct asked a = read_body(buffer_slice(&s->body));
    struct buffer rows = { 0 };
    int64_t units = s->is_free ? 0 : record_price(a.fields, a.n);
    write_rows(&rows, &a);
    w->taken += says_price ? units : 0;
    end_with(s,
             &(struct records_answer){
                 .status = 200, .may_have_cost = true, .units = says_price ? units : -1, .body = buffer_slice(&rows) });
    buffer_clear(&rows);
}

static void refuse(struct sent *s, int status, const char *why)
{
    end_with(s, &(struct records_answer){
                    .failing = { { status == 400 ? FAULT_BAD_TARGET : FAULT_UPSTREAM_DOWN, slice_str(why) }, 0 },
                    .status = status,
                    .units = -1 });
}

/* Answer as v3 would where `bad` is a target that it refuses. */
static void answer(struct sent *s, const char *bad, bool names_it)
{
    struct asked a = read_body(buffer_slice(&s->body));
    char why[64];
    bool has_bad = false;
    for (size_t i = 0; i < a.n; i++)
        has_bad |= slice_eq(a.urls[i], slice_str(bad));
    snprintf(why, sizeof why, "API v3 answered 400: bad target%s%s", names_it ? ": " : "", names_it ? bad : "");
    if (has_bad)
        refuse(s, 400, why);
    else
        answer_well(s, true);
}

static void turn(struct sent *s)
{
    assert_int_equal(s->state, LINE);
    s->state = TURNED;
    records_turn(w->records, s->post, w->now_ms);
}

/* The way of the POSTs that are there, all at once and well. */
static void run_all(void)
{
    for (int guard = 0; guard < 1000; guard++) {
        clock_to(w->now_ms + GATHER_MS);
        hold_all();
        struct sent *s = in_state(AT_V3, 0);
        if (s)
            answer_well(s, true);
        else if ((s = in_state(LINE, 0)))
            turn(s);
        else if (!records_waiting(w->records))
            return;
    }
    fail_msg("it does not come to an end");
}

/* ---- by hand ---- */

static int setup(void **state)
{
    (void)state;
    w = calloc(1, sizeof *w);
    static const struct records_way way = { way_start, way_hurry, way_send, way_cancel, way_wake, way_keep, NULL };
    w->wakes_ms = INT64_MAX;
    w->records = records_new(&way, GATHER_MS);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    records_free(w->records);
    for (int i = 0; i < w->n_sent; i++)
        buffer_clear(&w->sent[i].body);
    free(w);
    return 0;
}

static void one_call_alone(void **state)
{
    (void)state;
    struct member *m = join(0, names[0], MODE_DOMAIN, "", RATING);
    clock_to(9);
    assert_int_equal(w->n_sent, 0);
    clock_to(10);
    assert_int_equal(count(LINE), 1);
    assert_false(records_is_closed(&m->seat));
    turn(&w->sent[0]);
    assert_true(records_is_closed(&m->seat));
    assert_int_equal(m->holds, 1);
    assert_int_equal(m->to_hold[0], 50);
    assert_int_equal(count(AT_V3), 0);
    hold_all();
    struct asked a = read_body(buffer_slice(&w->sent[0].body));
    assert_int_equal(a.fields, RECORD_ALL);
    answer_well(&w->sent[0], true);
    assert_int_equal(m->told, 1);
    assert_true(m->news.pays);
    assert_int_equal(m->news.units, 50);
    assert_int_equal(m->news.predicted, 50);
    assert_string_equal(m->payer, "call-0");
    assert_int_equal(m->record.known, RECORD_ALL);
    assert_int_equal(w->kept, 1);
}

static void they_gather_for_a_while(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        char host[32];
        snprintf(host, sizeof host, "t%d.example", i);
        clock_to(i * 9);
        if (w->n_sent)
            break;
        join(i, host, MODE_DOMAIN, "", RATING);
    }
    assert_int_equal(w->now_ms, 54); /* five times ten, and the call after that */
    turn(&w->sent[0]);
    hold_all();
    assert_int_equal(read_body(buffer_slice(&w->sent[0].body)).n, 6);
    records_set_gather(w->records, 0);
    join(30, "z.example", MODE_DOMAIN, "", RATING);
    clock_to(w->now_ms);
    assert_int_equal(count(LINE), 1);
}

static void what_waits_for_the_rate_goes_on_gathering(void **state)
{
    (void)state;
    join(0, names[0], MODE_DOMAIN, "", RATING);
    clock_to(10);
    assert_int_equal(count(LINE), 1);
    clock_to(500);
    join(1, names[1], MODE_DOMAIN, "", RATING);
    clock_to(600);
    assert_int_equal(count(LINE), 1);
    turn(&w->sent[0]);
    hold_all();
    assert_int_equal(read_body(buffer_slice(&w->sent[0].body)).n, 2);
    assert_int_equal(count(LINE), 0);
}

static void a_hundred_go_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < 250; i++) {
        char host[32];
        snprintf(host, sizeof host, "t%d.example", i);
        join(i, host, MODE_DOMAIN, "", RATING);
    }
    clock_to(0);
    assert_int_equal(count(LINE), 2);
    clock_to(10);
    assert_int_equal(count(LINE), 3);
    run_all();
    assert_int_equal(w->n_bodies, 3);
    assert_int_equal(w->taken, 0);
    for (int i = 0; i < 250; i++)
        assert_int_equal(w->members[i].news.units, 3);
}

static void calls_share_a_target(void **state)
{
    (void)state;
    struct member *a = join(0, names[0], MODE_DOMAIN, "", RATING);
    struct member *b = join(1, names[0], MODE_DOMAIN, "", FIELD(REFDOMAINS));
    join(2, "https://a.example", MODE_DOMAIN, "", RATING);          /* the scheme makes no other */
    struct member *d = join(3, names[0], MODE_EXACT, "us", RATING); /* the rating is the host's */
    struct member *other = join(4, names[0], MODE_EXACT, "", FIELD(BACKLINKS));
    clock_to(10);
    turn(in_state(LINE, 0));
    hold_all();
    struct member *late = join(5, names[0], MODE_DOMAIN, "", FIELD(REFDOMAINS));
    hold_all();
    assert_int_equal(late->held, 0);
    run_all();
    assert_int_equal(w->n_bodies, 1);
    assert_int_equal(a->news.units + other->news.units, 50);
    for (struct member *m = b; m <= d; m++) {
        assert_int_equal(m->told, 1);
        assert_false(m->news.pays);
        assert_int_equal(m->held, 0);
        assert_string_equal(m->payer, "call-0");
    }
    assert_string_equal(late->payer, "call-0");
    assert_int_equal(w->taken, 0);
}

static void some_never_share(void **state)
{
    (void)state;
    join(0, names[0], MODE_DOMAIN, "", FIELD(ORG_TRAFFIC));
    join(1, names[0], MODE_DOMAIN, "us", FIELD(ORG_TRAFFIC));
    join(2, names[1], MODE_DOMAIN, "de", FIELD(ORG_TRAFFIC));
    struct member *free_one = join(3, "ahrefs.com", MODE_DOMAIN, "", RATING);
    clock_to(10);
    assert_int_equal(count(LINE), 4);
    run_all();
    assert_int_equal(w->n_bodies, 4);
    assert_int_equal(free_one->news.units, 0);
    assert_int_equal(free_one->held, 0);
    struct member *old = join(4, names[0], MODE_DOMAIN, "", RATING);
    clock_to(w->now_ms + 10);
    turn(in_state(LINE, 0));
    hold_all();
    struct member *m = &w->members[5];
    struct member *fresh = join(5, names[1], MODE_DOMAIN, "", RATING);
    (void)leave(fresh);
    *m = *old;
    m->seat.ask = NULL;
    m->seat.is_fresh = m->is_in = true;
    m->seat.context = m;
    assert_true(records_join(w->records, &m->seat, &old->key, RATING, w->now_ms));
    run_all();
    assert_true(m->news.pays); /* what was sent before it came was too old for it */
}

/* POSTs until each of `n` targets has its end, where the one in the middle is bad. */
static int posts_with_one_bad(int n, bool names_it)
{
    char bad[32] = "";
    int before = w->n_bodies;
    for (int i = 0; i < n; i++) {
        char host[32];
        snprintf(host, sizeof host, "t%d.example", i);
        join(i, host, MODE_DOMAIN, "", RATING);
        if (i == n / 2)
            snprintf(bad, sizeof bad, "%s", host);
    }
    for (int guard = 0; guard < 100; guard++) {
        clock_to(w->now_ms + GATHER_MS);
        hold_all();
        struct sent *s = in_state(AT_V3, 0);
        if (s)
            answer(s, bad, names_it);
        else if ((s = in_state(LINE, 0)))
            turn(s);
    }
    for (int i = 0; i < n; i++) {
        assert_int_equal(w->members[i].told, 1);
        assert_int_equal(w->members[i].news.failing.refusal.fault, i == n / 2 ? FAULT_BAD_TARGET : FAULT_NONE);
    }
    assert_int_equal(w->members[n / 2].news.units, 0);
    assert_int_equal(w->taken, 0);
    assert_int_equal(count(LINE) + count(TURNED) + count(AT_V3), 0);
    return w->n_bodies - before;
}

static void a_bad_target_spoils_only_itself(void **state)
{
    (void)state;
    assert_int_equal(posts_with_one_bad(1, false), 1);
    assert_int_equal(posts_with_one_bad(2, false), 3);
    assert_int_equal(posts_with_one_bad(2, true), 2);
    assert_int_equal(posts_with_one_bad(100, true), 2);
    assert_true(posts_with_one_bad(100, false) <= 15);
}

static void v3s_other_refusals_reach_all(void **state)
{
    (void)state;
    struct member *a = join(0, names[0], MODE_DOMAIN, "", RATING), *b = join(1, names[1], MODE_DOMAIN, "", RATING);
    clock_to(10);
    turn(in_state(LINE, 0));
    hold_all();
    refuse(in_state(AT_V3, 0), 503, "API v3 answered 503");
    assert_int_equal(a->news.failing.refusal.fault, FAULT_UPSTREAM_DOWN);
    assert_int_equal(b->news.failing.refusal.fault, FAULT_UPSTREAM_DOWN);
    assert_int_equal(a->news.predicted, 0);
    /* One that never had its turn fails all that wait. */
    a = join(0, names[0], MODE_DOMAIN, "", RATING);
    clock_to(20);
    refuse(in_state(LINE, 0), 0, "shut");
    assert_int_equal(a->news.failing.refusal.fault, FAULT_UPSTREAM_DOWN);
    /* An odd answer cost what it cost. */
    a = join(0, names[0], MODE_DOMAIN, "", RATING);
    b = join(1, names[1], MODE_DOMAIN, "", RATING);
    clock_to(30);
    turn(in_state(LINE, 0));
    hold_all();
    end_with(in_state(AT_V3, 0),
             &(struct records_answer){ .status = 200, .may_have_cost = true, .units = 51, .body = S("{}") });
    assert_int_equal(a->news.failing.refusal.fault, FAULT_UPSTREAM_ODD);
    assert_int_equal(a->news.units, 26);
    assert_int_equal(b->news.units, 25);
    /* Without a price its share of ours stands in. */
    a = join(0, names[0], MODE_DOMAIN, "", RATING);
    clock_to(40);
    turn(in_state(LINE, 0));
    hold_all();
    answer_well(in_state(AT_V3, 0), false);
    assert_int_equal(a->news.units, -1);
    assert_int_equal(a->news.predicted, 50);
}

static void members_may_leave(void **state)
{
    (void)state;
    struct member *a = join(0, names[0], MODE_DOMAIN, "", RATING), *b = join(1, names[0], MODE_DOMAIN, "", RATING);
    struct member *c = join(2, names[1], MODE_DOMAIN, "", RATING), *d = join(3, names[2], MODE_DOMAIN, "", RATING);
    assert_int_equal(leave(c), 0); /* before anything */
    clock_to(10);
    assert_int_equal(leave(d), 0);
    turn(in_state(LINE, 0));
    assert_int_equal(leave(a), 0); /* closed, but not sent: the next one pays */
    hold_all();
    assert_int_equal(b->held, 50);
    assert_int_equal(read_body(buffer_slice(&in_state(AT_V3, 0)->body)).n, 1);
    a = join(0, names[0], MODE_DOMAIN, "", RATING);
    hold_all();
    assert_int_equal(leave(b), 50); /* it pays all the same */
    answer_well(in_state(AT_V3, 0), true);
    assert_int_equal(w->taken, 50);
    assert_int_equal(a->told, 1);
    assert_false(a->news.pays);
    assert_string_equal(a->payer, "call-1");
    w->taken = 0;
    /* When all have left, nothing is asked. */
    a = join(0, names[0], MODE_DOMAIN, "", RATING);
    clock_to(30);
    assert_int_equal(count(LINE), 1);
    assert_int_equal(leave(a), 0);
    assert_int_equal(count(LINE), 0);
    a = join(0, names[0], MODE_DOMAIN, "", RATING);
    clock_to(40);
    turn(in_state(LINE, 0));
    assert_int_equal(leave(a), 0);
    clock_to(41);
    assert_int_equal(count(LINE) + count(TURNED) + count(AT_V3), 0);
    assert_int_equal(w->n_bodies, 1);
}

static void a_hold_that_fails_takes_its_target_out(void **state)
{
    (void)state;
    struct member *a = join(0, names[0], MODE_DOMAIN, "", RATING), *b = join(1, names[1], MODE_DOMAIN, "", RATING);
    clock_to(10);
    turn(in_state(LINE, 0));
    hold_one(a, false);
    assert_int_equal(a->news.failing.refusal.fault, FAULT_LEDGER_DOWN);
    hold_all();
    assert_int_equal(read_body(buffer_slice(&in_state(AT_V3, 0)->body)).n, 1);
    end_with(in_state(AT_V3, 0), &(struct records_answer){ .status = 500,
                                                           .may_have_cost = true,
                                                           .units = -1,
                                                           .failing = { { FAULT_UPSTREAM_DOWN, S("x") }, 0 } });
    assert_int_equal(b->news.units, -1);
    assert_int_equal(b->news.predicted, 25);
    w->no_memory = true;
    a = join(0, names[0], MODE_DOMAIN, "", RATING);
    clock_to(20);
    assert_int_equal(a->news.failing.refusal.fault, FAULT_TOO_BUSY);
}

static void unknown_targets_are_found_until_it_is_the_path(void **state)
{
    (void)state;
    struct member *a = join(0, names[0], MODE_DOMAIN, "", RATING), *b = join(1, names[1], MODE_DOMAIN, "", RATING);
    clock_to(10);
    turn(in_state(LINE, 0));
    hold_all();
    const struct records_answer gone = { .failing = { { FAULT_BAD_TARGET, S("API v3 answered 404: no") }, 0 },
                                         .status = 404,
                                         .units = -1 };
    end_with(in_state(AT_V3, 0), &gone); /* in two halves now */
    for (int i = 0; i < 2; i++) {
        turn(in_state(LINE, 0));
        hold_all();
    }
    end_with(in_state(AT_V3, 0), &gone);
    answer_well(in_state(AT_V3, 0), true);
    assert_int_equal(
        (a->news.failing.refusal.fault == FAULT_BAD_TARGET) + (b->news.failing.refusal.fault == FAULT_BAD_TARGET), 1);
    for (int i = 0; i < 12; i++) {
        a = join(0, names[0], MODE_DOMAIN, "", RATING);
        clock_to(w->now_ms + 10);
        turn(in_state(LINE, 0));
        hold_all();
        end_with(in_state(AT_V3, 0), &gone);
        assert_int_equal(a->news.failing.refusal.fault, i < 10 ? FAULT_BAD_TARGET : FAULT_UPSTREAM_ODD);
    }
}

static void others_on_their_way_are_awaited(void **state)
{
    (void)state;
    records_coming(w->records, true, 0);
    join(0, names[0], MODE_DOMAIN, "", RATING);
    clock_to(30);
    assert_int_equal(w->n_sent, 0);
    join(1, names[1], MODE_DOMAIN, "", RATING);
    records_coming(w->records, false, 35);
    clock_to(40); /* ten after the last */
    assert_int_equal(w->n_sent, 1);
    turn(&w->sent[0]);
    hold_all();
    /* While they are asked for, the next ones wait for them: they come back. */
    join(2, names[2], MODE_DOMAIN, "", RATING);
    clock_to(60);
    assert_int_equal(w->n_sent, 1);
    answer_well(&w->sent[0], true);
    clock_to(61);
    assert_int_equal(w->n_sent, 2);
    records_coming(w->records, true, 61); /* but not for ever */
    turn(&w->sent[1]);
    hold_all();
    answer_well(&w->sent[1], true);
    join(3, names[3], MODE_DOMAIN, "", RATING);
    clock_to(61 + 249);
    assert_int_equal(w->n_sent, 2);
    clock_to(61 + 250);
    assert_int_equal(w->n_sent, 3);
}

/* ---- a walk ---- */

static uint32_t dice;

static int roll(int sides)
{
    dice = dice * 1664525 + 1013904223;
    return (int)(dice >> 8) % sides;
}

static void join_any(int i)
{
    static const uint32_t needs[] = { RATING, FIELD(BACKLINKS) | FIELD(REFDOMAINS), FIELD(ORG_TRAFFIC), RECORD_ALL,
                                      FIELD(DOMAIN_RATING) };
    static const char *const countries[] = { "", "", "", "us" };
    char host[32];
    snprintf(host, sizeof host, "t%d.example", roll(120));
    join(i, roll(20) ? host : "ahrefs.com", roll(3) ? MODE_DOMAIN : MODE_SUBDOMAINS, countries[roll(4)],
         needs[roll(5)]);
}

/* What v3 does with the POST; with `kindly` it never refuses, so that those who have left owe what was taken. */
static void answer_any(struct sent *s, bool kindly)
{
    int how = kindly ? 9 : roll(10);
    char bad[32];
    snprintf(bad, sizeof bad, "t%d.example", roll(120));
    if (how == 0)
        refuse(s, 503, "busy");
    else if (how <= 4)
        answer(s, bad, how % 2);
    else
        answer_well(s, true);
}

static void walk(bool kindly)
{
    static int64_t owed;
    owed = 0;
    for (int step = 0; step < 30000; step++) {
        struct member *m = &w->members[roll(MEMBERS)];
        struct sent *s;
        switch (roll(8)) {
        case 0:
        case 1:
        case 2:
            if (!m->is_in && w->n_sent < POSTS - 200)
                join_any((int)(m - w->members));
            break;
        case 3:
            if (m->is_in && (kindly || !m->seat.ask || !records_is_closed(&m->seat)) && !roll(3))
                owed += leave(m);
            break;
        case 4:
            clock_to(w->now_ms + roll(5));
            break;
        case 5:
            if (m->holds)
                hold_one(m, true);
            if (!roll(20))
                hold_all();
            break;
        case 6:
            if (w->n_sent && (s = in_state(LINE, roll(w->n_sent))))
                turn(s);
            break;
        default:
            if (w->n_sent && (s = in_state(AT_V3, roll(w->n_sent))))
                answer_any(s, kindly);
        }
    }
    run_all();
    assert_int_equal(w->taken, owed); /* what is told is taken off */
    for (int i = 0; i < MEMBERS; i++)
        assert_false(w->members[i].is_in);
    assert_int_equal(count(LINE) + count(TURNED) + count(AT_V3), 0);
}

static void nobody_is_lost_and_units_add_up(void **state)
{
    (void)state;
    for (dice = 1; dice < 3; dice++) {
        uint32_t seed = dice;
        walk(false);
        dice = seed;
        teardown(NULL);
        setup(NULL);
    }
}

static void those_who_leave_owe_their_share(void **state)
{
    (void)state;
    dice = 5;
    walk(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_call_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(they_gather_for_a_while, setup, teardown),
        cmocka_unit_test_setup_teardown(what_waits_for_the_rate_goes_on_gathering, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hundred_go_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(calls_share_a_target, setup, teardown),
        cmocka_unit_test_setup_teardown(some_never_share, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bad_target_spoils_only_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(v3s_other_refusals_reach_all, setup, teardown),
        cmocka_unit_test_setup_teardown(members_may_leave, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hold_that_fails_takes_its_target_out, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_targets_are_found_until_it_is_the_path, setup, teardown),
        cmocka_unit_test_setup_teardown(others_on_their_way_are_awaited, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_is_lost_and_units_add_up, setup, teardown),
        cmocka_unit_test_setup_teardown(those_who_leave_owe_their_share, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
