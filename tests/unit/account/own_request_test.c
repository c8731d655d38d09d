/* SPDX-License-Identifier: MIT
 * Requests of our own: what they cost is booked, and nothing is when they cost nothing. V3 is a stand-in that speaks
 * bytes; the books are real. */
#include "tests/unit/kit.h"

#include "proxy/account/own_request.h"
#include "tests/unit/ledger/room.h"
#include "tests/unit/upstream/play.h"

#define PRICE "x-api-units-cost-total-actual: 60\r\n"

static const struct scene scenes[] = {
    { .path = "/v3/free", .bytes = SLICE(JSON_HEAD "Content-Length: 4\r\n\r\nfree") },
    { .path = "/v3/paid", .bytes = SLICE(JSON_HEAD PRICE "Content-Length: 4\r\n\r\npaid") },
    { .path = "/v3/long", .bytes = SLICE(JSON_HEAD "Content-Length: 15\r\n\r\nmore than eight") },
    { .path = "/v3/denied", .bytes = SLICE("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n") },
    { .path = "/v3/slow", .bytes = SLICE(""), .after = STALL },
};

static struct {
    struct event_base *base;
    struct play *v3;
    struct room room;
    struct accounts accounts;
    struct own_request request;
    int n_done;
    enum fault fault;
    char body[16];
    bool ledger_down;
} scene;

static int begin(void **state)
{
    (void)state;
    struct buffer why = { 0 };
    memset(&scene, 0, sizeof scene);
    kit_begin();
    kit_write("main.key", S("first"));
    scene.base = event_base_new();
    scene.v3 = play_start(scenes, sizeof scenes / sizeof scenes[0]);
    struct config *c = kit_config(
        "[upstream]\nurl = http://127.0.0.1:%d/v3\napi_key_file = main.key\nrequests_per_minute = 600000\n[team seo]\n",
        scene.v3->port);
    assert_true(accounts_open(&scene.accounts, scene.base, c, 1 << 20, &why));
    config_free(c);
    room_init(&scene.room);
    room_open(&scene.room, scene.base);
    return 0;
}

static int end(void **state)
{
    (void)state;
    room_end(&scene.room); /* the order of the daemon */
    own_request_clear(&scene.request);
    accounts_close(&scene.accounts);
    play_end(scene.v3);
    event_base_free(scene.base);
    kit_end();
    return 0;
}

static void on_answer(void *context, const struct own_answer *answer)
{
    assert_ptr_equal(context, &scene);
    assert_false(scene.request.is_busy); /* it may be started again from here */
    scene.n_done++;
    scene.fault = answer->result->fault;
    scene.ledger_down = answer->ledger_down;
    assert_true(answer->body.n < sizeof scene.body);
    snprintf(scene.body, sizeof scene.body, "%.*s", SLICE_ARGS(answer->body));
}

static void start(const char *path, bool hold)
{
    const struct own_question q = { .path = slice_str(path),
                                    .purpose = S("limits"),
                                    .target = S("ahrefs.com"),
                                    .hold = hold,
                                    .max_bytes = 8,
                                    .within_ms = 20000 };
    assert_true(own_request_start(&scene.request, &scene.accounts.list[0], scene.room.ledger, &q, on_answer, &scene));
    assert_true(scene.request.is_busy);
}

static void ask_v3(const char *path, bool hold)
{
    scene.n_done = 0;
    start(path, hold);
    assert_int_equal(scene.n_done, 0); /* from the loop only */
    while (!scene.n_done)
        event_base_loop(scene.base, EVLOOP_ONCE);
    assert_int_equal(scene.n_done, 1);
}

/* Lines of the books of our own team, and its units. */
static void books_say(int64_t calls, int64_t units)
{
    struct ledger_totals t = ledger_totals(scene.room.ledger, S(OWN_TEAM));
    assert_int_equal(t.calls, calls);
    assert_int_equal(t.units, units);
    assert_int_equal(t.rows, 0);
    assert_int_equal(scene.accounts.list[0].units_booked, units);
}

static void what_is_free_leaves_no_trace(void **state)
{
    (void)state;
    ask_v3("/free", false);
    assert_int_equal(scene.fault, FAULT_NONE);
    assert_string_equal(scene.body, "free");
    assert_false(scene.ledger_down);
    books_say(0, 0);
    ask_v3("/denied", false);
    assert_int_equal(scene.fault, FAULT_UPSTREAM_DENIED);
    books_say(0, 0);
}

static void what_costs_after_all_is_booked(void **state)
{
    (void)state;
    ask_v3("/paid", false);
    assert_string_equal(scene.body, "paid");
    books_say(1, 60);
    ask_v3("/paid", true);
    books_say(2, 120);
}

/* How often it stands in what the books say. */
static int entries(const char *word)
{
    int n = 0;
    for (const char *at = scene.room.out.p; (at = strstr(at, word)); at++)
        n++;
    return n;
}

static void what_is_held_is_ended(void **state)
{
    (void)state;
    ask_v3("/free", true);
    assert_int_equal(scene.fault, FAULT_NONE);
    books_say(1, 0);
    ask_v3("/denied", true);
    assert_int_equal(scene.fault, FAULT_UPSTREAM_DENIED);
    ask_v3("/long", true); /* more than was asked for */
    assert_int_equal(scene.fault, FAULT_UPSTREAM_ODD);
    assert_string_equal(scene.body, "");
    assert_int_equal(ledger_left(scene.room.ledger, S(OWN_TEAM)).units_used, 0);
    room_close(&scene.room);
    room_open(&scene.room, NULL); /* holds that are open yet become `unknown` */
    assert_runs(&scene.room, "ledger verify");
    assert_runs(&scene.room, "ledger export --format csv");
    assert_int_equal(entries(",hold,"), 3);
    assert_int_equal(entries(",settle,"), 1);
    assert_int_equal(entries(",release,"), 1);
    assert_int_equal(entries(",unknown,"), 1);
}

static void it_may_be_started_again(void **state)
{
    (void)state;
    char first[LEDGER_ID_SIZE];
    ask_v3("/paid", false);
    strcpy(first, scene.request.id);
    ask_v3("/free", false);
    assert_string_equal(scene.body, "free");
    assert_string_not_equal(scene.request.id, first);
    books_say(1, 60);
}

static void what_is_cleared_is_not_told(void **state)
{
    (void)state;
    start("/slow", false);
    while (scene.v3->requests == 0)
        event_base_loop(scene.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    own_request_clear(&scene.request);
    assert_false(scene.request.is_busy);
    own_request_clear(&scene.request); /* as often as one likes */
    ask_v3("/free", false);
    assert_int_equal(scene.n_done, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_free_leaves_no_trace, begin, end),
        cmocka_unit_test_setup_teardown(what_costs_after_all_is_booked, begin, end),
        cmocka_unit_test_setup_teardown(what_is_held_is_ended, begin, end),
        cmocka_unit_test_setup_teardown(it_may_be_started_again, begin, end),
        cmocka_unit_test_setup_teardown(what_is_cleared_is_not_told, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
