/* SPDX-License-Identifier: MIT
 * The desk for target records on the loop: POSTs that leave, records that are remembered. */
#include "tests/unit/upstream/play.h"

#include "proxy/account/record_desk.h"

#define ROW "{\"targets\":[{"
#define ALL_BUT_RATING                                                                                                 \
    "\"ahrefs_rank\":7,\"backlinks\":9,\"backlinks_dofollow\":1,\"backlinks_nofollow\":1,\"backlinks_redirect\":1,"    \
    "\"backlinks_internal\":1,\"refips\":1,\"refips_subnets\":1,\"linked_domains\":1,\"outgoing_links\":1,"            \
    "\"org_keywords\":1,\"org_keywords_1_3\":1,\"org_keywords_4_10\":1,\"url_rating\":0.5,\"refdomains\":1,"           \
    "\"refdomains_dofollow\":1,\"refdomains_nofollow\":1,\"org_traffic\":1,\"org_cost\":null}]}"
#define ANSWER(head, length, rating)                                                                                   \
    JSON_HEAD head "Content-Length: " length "\r\n\r\n" ROW "\"domain_rating\":" rating "," ALL_BUT_RATING

#define RATING (1u << RECORD_DOMAIN_RATING | 1u << RECORD_AHREFS_RANK)

static const struct record_manner manner = { 5, 60000, 10000, -1 };

struct client {
    struct record_seat seat;
    struct record_desk *desk;
    int holds, told;
    int64_t held;
    enum fault fault;
    char why[200];
    int64_t units;
    bool pays;
    struct record record;
};

static void on_hold(void *context, int64_t units)
{
    struct client *c = context;
    c->holds++;
    c->held = units;
    record_desk_held(c->desk, &c->seat, true);
}

static void on_told(void *context, const struct record_news *news)
{
    struct client *c = context;
    c->told++;
    c->fault = news->failing.refusal.fault;
    snprintf(c->why, sizeof c->why, "%.*s", SLICE_ARGS(news->failing.refusal.why));
    c->units = news->units;
    c->pays = news->pays;
    if (news->record)
        c->record = *news->record;
}

static int64_t taken(void *context, const struct upstream_result *r, int64_t price, bool is_free, int64_t whole)
{
    (void)context, (void)is_free;
    assert_int_equal(price, 50);
    assert_int_equal(whole, -1);
    return r->units;
}

static const struct record_key key = { .host = SLICE("a.example"), .v3 = SLICE("a.example"), .mode = MODE_DOMAIN };

struct stage {
    struct play *play;
    struct side *side;
    struct cache *cache;
    struct record_desk *desk;
};

static struct stage begin(const struct scene *scenes, size_t n)
{
    struct stage s = { .play = play_start(scenes, n), .cache = cache_new(1 << 20) };
    s.side = side_new(&quick, "http://127.0.0.1:%d/v3", s.play->port);
    struct record_desk_options o = { .upstream = s.side->upstream, .cache = s.cache, .taken = taken };
    s.desk = record_desk_new(s.side->base, &o);
    assert_non_null(s.desk);
    return s;
}

static void end(struct stage *s)
{
    record_desk_free(s->desk);
    side_free(s->side);
    cache_free(s->cache);
    play_end(s->play);
}

static void join(struct stage *s, struct client *c, const char *id)
{
    *c = (struct client){ .desk = s->desk };
    c->seat =
        (struct record_seat){ .id = slice_str(id), .team = S("seo"), .hold = on_hold, .told = on_told, .context = c };
    assert_true(record_desk_join(s->desk, &c->seat, &key, RATING, &manner));
}

static void wait_for(struct stage *s, const struct client *c)
{
    while (!c->told)
        assert_int_equal(event_base_loop(s->side->base, EVLOOP_ONCE), 0);
}

static void a_record_is_asked_for_once(void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        { .path = "/v3/batch-analysis/batch-analysis",
          .bytes = SLICE(ANSWER("x-api-units-cost-total-actual: 50\r\n", "398", "61.5")) },
    };
    struct stage s = begin(scenes, 1);
    struct client one, other;
    struct record known;
    char payer[CACHE_PAYER_SIZE];
    assert_false(record_desk_recall(s.desk, &key, RATING, &known, payer));
    join(&s, &one, "call-1");
    join(&s, &other, "call-2");
    wait_for(&s, &other);
    assert_int_equal(one.told, 1);
    assert_int_equal(one.fault, FAULT_NONE);
    assert_true(one.pays && !other.pays);
    assert_int_equal(one.held, 50);
    assert_int_equal(other.held, 0);
    assert_int_equal(one.units, 50);
    assert_int_equal(one.record.value[RECORD_DOMAIN_RATING], 62);
    assert_int_equal(s.play->requests, 1);
    assert_int_equal(record_desk_sent(s.desk), 1);
    assert_ptr_equal(strstr(s.play->last, "POST /v3/batch-analysis/batch-analysis HTTP/1.1\r\n"), s.play->last);
    assert_non_null(
        strstr(s.play->last, "\"targets\":[{\"url\":\"a.example\",\"mode\":\"domain\",\"protocol\":\"both\"}]}"));
    /* It is remembered whole; the rating for whatever is of that host. */
    assert_true(record_desk_recall(s.desk, &key, RECORD_ALL, &known, payer));
    assert_string_equal(payer, "call-1");
    assert_int_equal(known.nulls, 1u << RECORD_ORG_COST);
    struct record_key elsewhere = { S("a.example"), S("https://a.example/x"), MODE_EXACT, S("us"), false };
    assert_true(record_desk_recall(s.desk, &elsewhere, RATING, &known, payer));
    assert_int_equal(known.known, RATING);
    assert_false(record_desk_recall(s.desk, &elsewhere, 1u << RECORD_BACKLINKS, &known, payer));
    end(&s);
}

static void a_bad_target_has_v3s_words(void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        { .path = "/v3",
          .bytes = SLICE("HTTP/1.1 400 Bad\r\nContent-Length: 31\r\n\r\n{\"error\":\"bad target: no such\"}") },
    };
    struct stage s = begin(scenes, 1);
    struct client c;
    join(&s, &c, "call-1");
    wait_for(&s, &c);
    assert_int_equal(c.fault, FAULT_BAD_TARGET);
    assert_non_null(strstr(c.why, "bad target"));
    assert_int_equal(c.units, 0);
    end(&s);
}

static void it_may_end_at_any_moment(void **state)
{
    (void)state;
    static const struct scene scenes[] = { { .path = "/v3", .bytes = SLICE(""), .after = STALL } };
    struct stage s = begin(scenes, 1);
    struct client one, other;
    join(&s, &one, "call-1");
    side_wait_for(s.side, &s.play->requests, 1);
    assert_int_equal(record_desk_leave(s.desk, &one.seat), 50);
    join(&s, &other, "call-2");
    end(&s);
    assert_null(other.seat.ask);
    assert_int_equal(one.told + other.told, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_asked_for_once),
        cmocka_unit_test(a_bad_target_has_v3s_words),
        cmocka_unit_test(it_may_end_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
