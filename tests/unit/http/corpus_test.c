/* SPDX-License-Identifier: MIT
 * Every sample over a real connection: the status, how many requests ran, whether the server closes. */
#include "kit.h"
#include "sample.h"

static struct kit kit;

/* Bad requests end with the fault's status; a reset would mean that a client may not see it. */
static void must_be_as_said(const struct sample *sample, const struct got *got, const char *how)
{
    int status = 0;
    for (const char *at = got->p; (at = got_next(at)); at++)
        status = atoi(at + 9);
    if (status != sample->status)
        fail_msg("%s, %s: status %d instead of %d\n%s", sample->name, how, status, sample->status, got->p);
    if (kit.n_requests != sample->requests)
        fail_msg("%s, %s: %d requests ran instead of %d\n%s", sample->name, how, kit.n_requests, sample->requests,
                 kit.seen);
    if (got->is_closed != sample->closes || got->is_reset)
        fail_msg("%s, %s: closed %d, reset %d", sample->name, how, got->is_closed, got->is_reset);
    if (sample->seen.n && !slice_eq(buffer_slice(&sample->seen), slice_of(kit.seen, kit.n_seen)))
        fail_msg("%s, %s: came as\n%s", sample->name, how, kit.seen);
}

static void drive(const struct sample *sample, size_t piece, const char *how)
{
    static struct got got;
    got.n = 0;
    got.is_closed = got.is_reset = false;
    kit.n_requests = kit.n_faults = 0;
    kit.n_seen = 0;
    int fd = kit_connect(&kit);
    for (size_t at = 0; at < sample->bytes.n; at += piece) {
        size_t n = sample->bytes.n - at < piece ? sample->bytes.n - at : piece;
        kit_send(fd, sample->bytes.p + at, n);
        event_base_loop(kit.base, EVLOOP_NONBLOCK);
    }
    int answers = sample->requests + (sample->status != 200);
    GOT_UNTIL(&kit, &got, fd, got.is_closed || (!sample->closes && got_answers(&got) >= answers));
    must_be_as_said(sample, &got, how);
    close(fd);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == 0);
}

static void drive_both_ways(const struct sample *sample)
{
    drive(sample, sample->bytes.n, "whole");
    drive(sample, sample->bytes.n > 1000 ? 333 : 1, "in pieces");
}

static void corpus(const char *folder, int least)
{
    memset(&kit, 0, sizeof kit);
    kit.options.header_ms = kit.options.body_ms = 400;
    kit_start(&kit, "127.0.0.1:0");
    assert_true(sample_each(folder, drive_both_ways) >= least);
    kit_stop(&kit);
}

static void malformed(void **state)
{
    (void)state;
    corpus("malformed", 80);
}

static void wellformed(void **state)
{
    (void)state;
    corpus("wellformed", 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(malformed), cmocka_unit_test(wellformed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
