/* SPDX-License-Identifier: MIT
 * The doctor's way through its questions, before a stand-in for v3 that speaks bytes and with real books. What the
 * questions find on a whole v3 is looked at end to end. */
#include "tests/unit/kit.h"

#include "proxy/account/own_request.h"
#include "proxy/doctor/doctor.h"
#include "tests/unit/ledger/room.h"
#include "tests/unit/upstream/play.h"

#define ANSWER(head, body)                                                                                             \
    SLICE("HTTP/1.1 " head "\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" body)
#define LIMITS                                                                                                         \
    {                                                                                                                  \
        .path = "/v3/subscription-info/limits-and-usage",                                                              \
        .bytes = ANSWER("200 OK", "{\"limits_and_usage\":{\"subscription\":\"Lite, billed monthly\","                  \
                                  "\"units_limit_workspace\":1000,\"units_usage_workspace\":990,"                      \
                                  "\"usage_reset_date\":\"2027-01-09T00:00:00Z\","                                     \
                                  "\"api_key_expiration_date\":\"2001-01-01T00:00:00Z\"}}"),                           \
        .after = CLOSE                                                                                                 \
    }

static struct {
    struct event_base *base;
    struct play *v3;
    struct config *config;
    struct room room;
    struct accounts accounts;
    struct doctor *doctor;
    struct buffer text, json;
    int n_over;
} scene;

static void on_over(void *context)
{
    assert_ptr_equal(context, &scene);
    scene.n_over++;
}

/* What the doctor says of a v3 that plays these scenes. */
static bool examine(const struct scene *scenes, size_t n)
{
    struct buffer why = { 0 };
    memset(&scene, 0, sizeof scene);
    kit_begin();
    kit_write("main.key", S("first"));
    scene.base = event_base_new();
    scene.v3 = play_start(scenes, n);
    scene.config = kit_config(
        "[upstream]\nurl = http://127.0.0.1:%d/v3\napi_key_file = main.key\n"
        "requests_per_minute = 600000\nmax_rows_per_request = 250\nunits_per_month = 5000\nbilling_day = 3\n",
        scene.v3->port);
    assert_true(accounts_open(&scene.accounts, scene.base, scene.config, 1 << 20, &why));
    room_init(&scene.room);
    room_open(&scene.room, scene.base);
    const struct doctor_place place = {
        .config = scene.config, .account = &scene.accounts.list[0], .ledger = scene.room.ledger, .is_main = true
    };
    scene.doctor = doctor_new(&place, on_over, &scene);
    assert_non_null(scene.doctor);
    assert_false(doctor_is_over(scene.doctor));
    while (!scene.n_over)
        event_base_loop(scene.base, EVLOOP_ONCE);
    assert_int_equal(scene.n_over, 1);
    assert_true(doctor_is_over(scene.doctor));
    bool good = doctor_report(scene.doctor, &scene.text, &scene.json);
    buffer_put(&scene.text, '\0');
    buffer_put(&scene.json, '\0');
    return good;
}

static int end(void **state)
{
    (void)state;
    room_end(&scene.room); /* the order of the daemon */
    doctor_free(scene.doctor);
    accounts_close(&scene.accounts);
    config_free(scene.config);
    play_end(scene.v3);
    event_base_free(scene.base);
    buffer_clear(&scene.text);
    buffer_clear(&scene.json);
    kit_end();
    return 0;
}

static void expect(const char *part)
{
    if (!strstr(scene.text.p, part))
        fail_msg("\"%s\" is not in: %s", part, scene.text.p);
}

static void a_key_that_v3_does_not_take_ends_it(void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        { .path = "/", .bytes = ANSWER("401 No", "{\"error\":\"no such key\"}"), .after = CLOSE }
    };
    assert_false(examine(scenes, 1));
    expect("wrong  key: v3 does not take the key: ");
    expect("0 requests on ahrefs.com, 0 units\n");
    assert_int_equal(scene.v3->requests, 1);
    assert_null(strstr(scene.text.p, "first")); /* the key itself is in neither form */
    assert_null(strstr(scene.json.p, "first"));
}

static void what_limits_say_is_held_against_the_configuration(void **state)
{
    (void)state;
    static const struct scene scenes[] = { LIMITS, { .path = "/", .bytes = ANSWER("200 OK", "{}"), .after = CLOSE } };
    assert_false(examine(scenes, 2));
    expect("fine   key: v3 takes the key\n");
    expect("wrong  plan: \"Lite, billed monthly\" gives 100 rows in one answer, max_rows_per_request says 250\n");
    expect("wrong  units: 10 are left: fewer than any request costs\n");
    expect("wrong  month: units begin anew on day 9, billing_day says 3\n");
    expect("wrong  key_ends: it ended on 2001-01-01\n");
    expect("note   units_per_month: 5000 here, 1000 at Ahrefs\n");
    assert_string_equal(scene.accounts.list[0].subscription.plan, "Lite, billed monthly"); /* what it learns counts */
    assert_true(scene.accounts.list[0].looked_ms > 0);
}

static void answers_of_another_form_do_not_end_it(void **state)
{
    (void)state;
    static const struct scene scenes[] = { LIMITS, { .path = "/", .bytes = ANSWER("200 OK", "[]"), .after = CLOSE } };
    assert_false(examine(scenes, 2));
    expect("wrong  anchor_order: v3's rows have another form than expected: ");
    expect("wrong  link_filters: v3's rows have another form than expected: ");
    int requests = scene.v3->requests - 1;
    assert_in_range(requests, 3, DOCTOR_MAX_REQUESTS);
    char last[64];
    snprintf(last, sizeof last, "%d requests on ahrefs.com, 0 units\n", requests);
    expect(last);
}

static void a_target_that_costs_ends_it(void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        LIMITS, { .path = "/", .bytes = ANSWER("200 OK\r\nx-api-units-cost-total-actual: 60", "{}"), .after = CLOSE }
    };
    assert_false(examine(scenes, 2));
    expect("wrong  free_target: v3 took 60 units for a request on ahrefs.com\n");
    expect("1 requests on ahrefs.com, 60 units\n");
    assert_int_equal(scene.v3->requests, 2);
    assert_int_equal(ledger_totals(scene.room.ledger, S(OWN_TEAM)).units, 60);
    assert_int_equal(scene.accounts.list[0].units_booked, 60);
}

static void the_json_says_the_same(void **state)
{
    (void)state;
    static const struct scene scenes[] = { LIMITS, { .path = "/", .bytes = ANSWER("200 OK", "[]"), .after = CLOSE } };
    (void)examine(scenes, 2);
    assert_non_null(strstr(scene.json.p, "\"key\":\"main\""));
    assert_non_null(strstr(scene.json.p,
                           "{\"name\":\"month\",\"verdict\":\"wrong\",\"found\":\"units begin anew on day 9, "
                           "billing_day says 3\",\"do\":\"set billing_day = auto\"}"));
    assert_string_equal(scene.json.p + strlen(scene.json.p) - 4, "}]}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_key_that_v3_does_not_take_ends_it, end),
        cmocka_unit_test_teardown(what_limits_say_is_held_against_the_configuration, end),
        cmocka_unit_test_teardown(answers_of_another_form_do_not_end_it, end),
        cmocka_unit_test_teardown(a_target_that_costs_ends_it, end),
        cmocka_unit_test_teardown(the_json_says_the_same, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
