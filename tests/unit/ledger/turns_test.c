/* SPDX-License-Identifier: MIT
 * Who is told first when many entries come back from the disk, and that the loop has its turns meanwhile. */
#include "room.h"

#include <event2/event.h>

#include "proxy/ledger/completion.h"

/* ---- completions ---- */

struct listener {
    char text[256];
    size_t n;
};

struct message {
    struct listener *listener;
    int number;
};

static void hear(void *context, enum ledger_outcome outcome)
{
    struct message *m = context;
    struct listener *to = m->listener;
    to->n += (size_t)snprintf(to->text + to->n, sizeof to->text - to->n, "%d:%d ", m->number, (int)outcome);
    free(m);
}

static void add(struct completions *t, struct listener *listener, int team, int number)
{
    struct completion *told = malloc(sizeof *told);
    struct message *m = malloc(sizeof *m);
    assert_true(told && m);
    *m = (struct message){ listener, number };
    *told = (struct completion){ .done = hear, .context = m, .outcome = LEDGER_DOWN, .team = team };
    completions_add(t, told);
}

static void teams_take_turns(void **state)
{
    (void)state;
    struct listener heard = { 0 };
    struct event_base *base = event_base_new();
    struct completions *t = completions_new(base);
    for (int i = 10; i < 14; i++)
        add(t, &heard, 0, i);
    add(t, &heard, 1, 20);
    add(t, &heard, 1, 21);
    add(t, &heard, -1, 30);
    add(t, &heard, 63, 15); /* shares a lane with the first */
    assert_string_equal(heard.text, "");
    assert_int_equal(completions_waiting(t), 8);
    while (completions_waiting(t))
        event_base_loop(base, EVLOOP_ONCE);
    assert_string_equal(heard.text, "10:4 20:4 30:4 11:4 21:4 12:4 13:4 15:4 ");
    heard = (struct listener){ 0 };
    add(t, &heard, 1, 22);
    completions_tell_all(t);
    assert_string_equal(heard.text, "22:4 ");
    event_base_loop(base, EVLOOP_NONBLOCK);
    add(t, &heard, 1, 23);
    event_base_loop(base, EVLOOP_NONBLOCK);
    assert_string_equal(heard.text, "22:4 23:4 ");
    completions_free(t);
    event_base_free(base);
}

static bool no_memory;

static void *realloc_or_not(void *p, size_t n)
{
    return no_memory ? NULL : realloc(p, n);
}

static void hear_slowly(void *context, enum ledger_outcome outcome)
{
    (void)outcome;
    ++*(int *)context;
    for (int64_t until_us = clock_monotonic_us() + 600; clock_monotonic_us() < until_us;) {
    }
}

/* The loop has no memory for the timer of the next round. */
static void all_are_told_without_memory(void **state)
{
    (void)state;
    int n_told = 0;
    struct event_base *base = event_base_new();
    struct completions *t = completions_new(base);
    no_memory = true;
    for (int i = 0; i < 5; i++) {
        struct completion *told = malloc(sizeof *told);
        assert_non_null(told);
        *told = (struct completion){ .done = hear_slowly, .context = &n_told };
        completions_add(t, told);
    }
    event_base_loop(base, EVLOOP_NONBLOCK);
    no_memory = false;
    assert_int_equal(n_told, 5);
    completions_free(t);
    event_base_free(base);
}

/* ---- the books ---- */

struct scene {
    struct event_base *base;
    struct event *other; /* what else the loop has to do: made ready by the first that comes back */
    int64_t slow_us;     /* that being told takes */
    int n_done, n_before_other, at[2];
};

struct caller {
    struct scene *scene;
    int team;
};

static void one_is_done(void *context, enum ledger_outcome outcome)
{
    static const struct timeval now = { 0 };
    const struct caller *caller = context;
    struct scene *s = caller->scene;
    assert_int_equal(outcome, LEDGER_DONE);
    if (!s->n_done)
        event_add(s->other, &now);
    s->at[caller->team] = ++s->n_done;
    for (int64_t until_us = clock_monotonic_us() + s->slow_us; clock_monotonic_us() < until_us;) {
    }
}

static void on_other(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct scene *s = context;
    s->n_before_other = s->n_done;
}

static void begin(struct scene *s, struct room *r)
{
    room_close(r);
    s->base = event_base_new();
    s->other = event_new(s->base, -1, 0, on_other, s);
    room_open(r, s->base);
}

static void end(struct scene *s, struct room *r)
{
    room_close(r);
    event_free(s->other);
    event_base_free(s->base);
}

static void hold(struct room *r, struct caller *caller, const char *team, int first, int n)
{
    for (int i = first; i < first + n; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        struct ledger_call call = call_of(id, team);
        ledger_hold(r->ledger, &call, (struct rows){ 1 }, (struct units){ 1 }, one_is_done, caller);
    }
}

static void a_team_does_not_wait_behind_all_of_another(void **state)
{
    enum { FLOOD = 200 };
    struct room *r = *state;
    struct scene s = { 0 };
    struct caller flood = { &s, 0 }, one = { &s, 1 };
    begin(&s, r);
    hold(r, &flood, "sales", 0, FLOOD);
    hold(r, &one, "seo", FLOOD, 2);
    while (s.n_done < FLOOD + 2)
        event_base_loop(s.base, EVLOOP_ONCE);
    if (s.at[1] > 8)
        fail_msg("both were told after %d others", s.at[1] - 2);
    assert_int_equal(s.at[0], FLOOD + 2);
    end(&s, r);
}

static void the_loop_has_turns_between(void **state)
{
    enum { MANY = 60 };
    struct room *r = *state;
    struct scene s = { .slow_us = 200 };
    struct caller caller = { &s, 0 };
    begin(&s, r);
    hold(r, &caller, "sales", 0, MANY);
    while (!s.n_before_other)
        event_base_loop(s.base, EVLOOP_ONCE);
    if (s.n_before_other > MANY / 2)
        fail_msg("%d were told in one turn of the loop", s.n_before_other);
    while (s.n_done < MANY)
        event_base_loop(s.base, EVLOOP_ONCE);
    end(&s, r);
}

/* The shortest time of a few in a storm, from a hold to its being told. */
static int64_t hold_takes_us(struct room *r, struct caller *caller, int first)
{
    enum { TRIES = 5 };
    struct scene *s = caller->scene;
    int64_t least_us = INT64_MAX;
    for (int i = first; i < first + TRIES; i++) {
        int64_t began_us = clock_monotonic_us();
        int n = s->n_done;
        ledger_storm(r->ledger);
        hold(r, caller, "sales", i, 1);
        while (s->n_done == n)
            event_base_loop(s->base, EVLOOP_ONCE);
        int64_t us = clock_monotonic_us() - began_us;
        least_us = us < least_us ? us : least_us;
    }
    return least_us;
}

static void batches_gather_while_clients_are_turned_away(void **state)
{
    enum { MANY = 40, STORM_US = 4000 };
    struct room *r = *state;
    struct scene s = { 0 };
    struct caller caller = { &s, 0 };
    begin(&s, r);
    int64_t few_us = hold_takes_us(r, &caller, 0); /* with few calls open nothing is to be waited for */
    int before = s.n_done;
    hold(r, &caller, "sales", 100, MANY);
    while (s.n_done < before + MANY)
        event_base_loop(s.base, EVLOOP_ONCE);
    int64_t many_us = hold_takes_us(r, &caller, 200);
    if (many_us < STORM_US || many_us < few_us + STORM_US / 2)
        fail_msg("%lld us with many calls open, %lld us with few", (long long)many_us, (long long)few_us);
    end(&s, r);
}

static void books_are_closed_while_some_are_not_told_yet(void **state)
{
    enum { MANY = 60 };
    struct room *r = *state;
    struct scene s = { .slow_us = 1000 };
    struct caller caller = { &s, 0 };
    begin(&s, r);
    hold(r, &caller, "sales", 0, MANY);
    while (!s.n_done)
        event_base_loop(s.base, EVLOOP_ONCE);
    int told = s.n_done;
    assert_in_range(told, 1, MANY - 1);
    room_close(r);
    event_base_loop(s.base, EVLOOP_NONBLOCK);
    assert_int_equal(s.n_done, told);
    end(&s, r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(teams_take_turns),
        cmocka_unit_test(all_are_told_without_memory),
        room_test(a_team_does_not_wait_behind_all_of_another),
        room_test(the_loop_has_turns_between),
        room_test(batches_gather_while_clients_are_turned_away),
        room_test(books_are_closed_while_some_are_not_told_yet),
    };
    event_set_mem_functions(malloc, realloc_or_not, free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
