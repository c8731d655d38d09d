/* SPDX-License-Identifier: MIT
 * Work on the thread beside the loop: who runs it, in what order, and what is left of it at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/event.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proxy/service/worker.h"

enum { PIECES = 500 };

struct piece {
    struct worker_item item;
    int number;
    pthread_t ran_on; /* written by the thread, read by the loop when it is done */
    bool ran;
    int place; /* how many had run before */
};

static struct {
    struct event_base *base;
    struct worker *worker;
    struct piece pieces[PIECES];
    int n_ran;  /* the thread's */
    int n_done; /* the loop's */
    int n_more; /* pieces that are started from inside of `done` */
    sem_t began, goes_on;
} scene;

static void run(void *context)
{
    struct piece *p = context;
    p->ran_on = pthread_self();
    p->ran = true;
    p->place = scene.n_ran++;
}

static void start(int i);

static void done(void *context)
{
    struct piece *p = context;
    assert_true(p->ran);
    assert_false(pthread_equal(p->ran_on, pthread_self()));
    assert_int_equal(p->place, p->number); /* first come, first served */
    assert_int_equal(p->number, scene.n_done);
    scene.n_done++;
    if (scene.n_more && scene.n_more--)
        start(p->number + 1);
}

static void start(int i)
{
    scene.pieces[i] = (struct piece){ .item = { .run = run, .done = done, .context = &scene.pieces[i] }, .number = i };
    worker_start(scene.worker, &scene.pieces[i].item);
}

static void loop_until_done(int n)
{
    while (scene.n_done < n)
        assert_int_equal(event_base_loop(scene.base, EVLOOP_ONCE), 0);
}

static int begin(void **state)
{
    (void)state;
    memset(&scene, 0, sizeof scene);
    sem_init(&scene.began, 0, 0);
    sem_init(&scene.goes_on, 0, 0);
    scene.base = event_base_new();
    scene.worker = scene.base ? worker_new(scene.base) : NULL;
    return scene.worker ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    worker_free(scene.worker);
    event_base_free(scene.base);
    sem_destroy(&scene.began);
    sem_destroy(&scene.goes_on);
    return 0;
}

static void all_are_done_in_their_order(void **state)
{
    (void)state;
    for (int i = 0; i < PIECES; i++) {
        start(i);
        if (i % 50 == 0)
            event_base_loop(scene.base, EVLOOP_NONBLOCK);
    }
    loop_until_done(PIECES);
    assert_int_equal(scene.n_done, PIECES);
}

static void one_that_is_done_may_start_another(void **state)
{
    (void)state;
    scene.n_more = 20;
    start(0);
    loop_until_done(21);
    assert_int_equal(scene.n_more, 0);
}

/* ---- while one runs ---- */

static void run_until_it_may_go_on(void *context)
{
    sem_post(&scene.began);
    sem_wait(&scene.goes_on);
    run(context);
}

static void count(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    ++*(int *)context;
}

static void the_loop_goes_on_meanwhile(void **state)
{
    (void)state;
    int n = 0;
    struct event *timer = event_new(scene.base, -1, EV_PERSIST, count, &n);
    event_add(timer, &(struct timeval){ .tv_usec = 100 });
    scene.pieces[0] =
        (struct piece){ .item = { .run = run_until_it_may_go_on, .done = done, .context = &scene.pieces[0] } };
    worker_start(scene.worker, &scene.pieces[0].item);
    sem_wait(&scene.began);
    start(1);
    while (n < 5)
        event_base_loop(scene.base, EVLOOP_ONCE);
    assert_int_equal(scene.n_done, 0);
    sem_post(&scene.goes_on);
    loop_until_done(2);
    event_free(timer);
}

static void *let_go_on_later(void *context)
{
    nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
    sem_post(context);
    return NULL;
}

/* The end waits for what runs; what has not begun does not, and none is told. */
static void nobody_is_told_after_the_end(void **state)
{
    (void)state;
    pthread_t other;
    scene.pieces[0] =
        (struct piece){ .item = { .run = run_until_it_may_go_on, .done = done, .context = &scene.pieces[0] } };
    worker_start(scene.worker, &scene.pieces[0].item);
    start(1);
    sem_wait(&scene.began);
    assert_int_equal(pthread_create(&other, NULL, let_go_on_later, &scene.goes_on), 0);
    worker_free(scene.worker);
    scene.worker = NULL;
    assert_true(scene.pieces[0].ran);
    assert_false(scene.pieces[1].ran);
    event_base_loop(scene.base, EVLOOP_NONBLOCK);
    assert_int_equal(scene.n_done, 0);
    pthread_join(other, NULL);
    worker_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_are_done_in_their_order, begin, end),
        cmocka_unit_test_setup_teardown(one_that_is_done_may_start_another, begin, end),
        cmocka_unit_test_setup_teardown(the_loop_goes_on_meanwhile, begin, end),
        cmocka_unit_test_setup_teardown(nobody_is_told_after_the_end, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
