/* SPDX-License-Identifier: MIT
 * What has been asked comes to its end while there is no memory. Linked so that our own realloc can fail. */
#include "play.h"

void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);

static bool no_memory;

void *__wrap_realloc(void *p, size_t n)
{
    return no_memory ? NULL : __real_realloc(p, n);
}

static bool last_bytes(void *context, struct slice bytes)
{
    (void)context, (void)bytes;
    no_memory = true;
    return true;
}

static void whole_answer(void *context, const struct upstream_result *result)
{
    (void)context;
    assert_int_equal(result->fault, FAULT_NONE);
    asking_side->pending--;
}

static void a_whole_answer_is_handed_out(void **state)
{
    (void)state;
    static const struct upstream_callbacks callbacks = { NULL, last_bytes, whole_answer, NULL };
    const struct scene scenes[] = { { .path = "/v3/", .bytes = SLICE(JSON_HEAD "Content-Length: 2\r\n\r\n{}") } };
    struct play *p = play_start(scenes, 1);
    struct side *s = side_new(&quick, "http://127.0.0.1:%d/v3", p->port);
    int64_t now_ms = clock_monotonic_ms();
    assert_non_null(upstream_start(s->upstream, S("/"), S("seo"), 100, now_ms + 60000, &callbacks, NULL));
    s->pending++;
    while (s->pending > 0 && clock_monotonic_ms() < now_ms + 4000)
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    assert_true(no_memory);
    no_memory = false;
    assert_int_equal(s->pending, 0);
    side_free(s);
    play_end(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_answer_is_handed_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
