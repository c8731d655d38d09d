/* SPDX-License-Identifier: MIT
 * The entries of a call. Limits are checked and counted here, on the loop, in the same step that sends the entry to the
 * writing thread: no two calls can both take the last row. */
#include "proxy/ledger/ledger.h"

#include <stdlib.h>

#include "base/clock.h"
#include "proxy/ledger/entries/ids.h"
#include "proxy/ledger/inside.h"
#include "proxy/ledger/job.h"
#include "proxy/ledger/ledger_strangers.h"
#include "proxy/ledger/operations.h"
#include "proxy/ledger/resume.h"

static void on_finished(void *context, struct op_list *ops, struct recovery *fresh)
{
    struct ledger *l = context;
    operations_finished(l, *ops);
    if (!fresh)
        return;
    /* A completion may queue new operations, until the first says that the books are down. */
    do {
        completions_tell_all(l->completions);
        operations_finished(l, writer_left(l->writer));
    } while (completions_waiting(l->completions));
    struct buffer why = buffer_with_cap(4096);
    size_t together = 0;
    l->serves = resume_take(l, fresh, &together, &why);
    if (l->serves)
        writer_resume(l->writer, together);
    else
        writer_retry(l->writer);
    buffer_clear(&why);
    recovery_free(fresh);
}

/* Without a thread, every call tries for itself to open failed books again. */
static bool serves_now(struct ledger *l)
{
    if (l->serves || l->writer)
        return l->serves;
    struct buffer why = buffer_with_cap(4096);
    struct recovery *fresh = NULL;
    if (store_open(l->store, &why) == STORE_OPENED)
        fresh = recovery_read(l->store, l->acknowledged, day_of_ms(clock_wall_ms()), &why);
    size_t together;
    l->serves = true; /* until a write fails */
    bool good = fresh && resume_take(l, fresh, &together, &why);
    l->serves = l->serves && good;
    recovery_free(fresh);
    buffer_clear(&why);
    return l->serves;
}

/* ---- holds ---- */

void ledger_new_id(char id[LEDGER_ID_SIZE])
{
    call_id_make(id);
}

static struct entry entry_of_call(const struct ledger_call *call, enum entry_kind kind, int64_t now_ms)
{
    return (struct entry){
        .time_ms = now_ms,
        .kind = kind,
        .id = call->id,
        .team = call->team,
        .key = call->key,
        .client = call->client,
        .table = call->table,
        .target = call->target,
        .shape = call->shape,
        .where = call->where,
        .having = call->having,
    };
}

/* Put the operation of `e` on its way. When durability is relaxed its answer does not wait for it. */
static void dispatch(struct ledger *l, struct op *op, struct open_call *call, ledger_done *done, void *context)
{
    call->pending++;
    op->call = call;
    if (l->relaxed) {
        operation_answer(l, op->entry.team, done, context, LEDGER_DONE);
    } else {
        op->completion.done = done;
        op->completion.context = context;
    }
    operation_push(l, op);
}

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Limits count what is set aside for a call as if it were held. */
static int64_t rows_counted(const struct open_call *call)
{
    return call ? greater(call->rows, call->aside_rows) : 0;
}

static int64_t units_counted(const struct open_call *call)
{
    return call ? greater(call->units, call->aside_units) : 0;
}

/* Whether a call may hold `rows` and `units` in all. */
static enum ledger_outcome check_all(const struct ledger *l, const struct open_call *open, int32_t team, int64_t rows,
                                     int64_t units)
{
    struct rows own_rows = { rows_counted(open) };
    struct units own_units = { units_counted(open) }, more = { units - own_units.n };
    enum ledger_outcome outcome =
        tally_check(&l->tally, team, (struct rows){ rows - own_rows.n }, more, own_rows, own_units);
    bool may_have_paid = open && open->units;
    if (outcome == LEDGER_DONE && !may_have_paid && !tally_fits_share(&l->tally, team, more, own_units))
        return LEDGER_WAIT;
    return outcome;
}

static enum ledger_way way(const struct ledger *l, const struct open_call *open, struct slice team, int64_t rows,
                           int64_t units)
{
    int32_t number = open ? open->team : tally_find(&l->tally, team);
    if (!l->serves || number < 0 || check_all(l, open, number, rows, units) != LEDGER_WAIT)
        return LEDGER_WAY_FREE;
    struct rows own_rows = { rows_counted(open) };
    struct units own_units = { units_counted(open) };
    return tally_way(&l->tally, number, (struct rows){ rows - own_rows.n }, (struct units){ units - own_units.n },
                     own_rows, own_units);
}

static enum ledger_outcome hold(struct ledger *l, const struct ledger_call *call, struct rows rows, struct units units,
                                ledger_done *done, void *context)
{
    if (!serves_now(l))
        return LEDGER_DOWN;
    int64_t now_ms = clock_wall_ms();
    tally_turn(&l->tally, day_of_ms(now_ms));
    struct open_call *open = open_calls_find(&l->calls, call->id);
    int32_t team = open ? open->team : tally_team(&l->tally, call->team);
    if (team < 0 || (open && open->ended))
        return LEDGER_DOWN;
    enum ledger_outcome outcome =
        check_all(l, open, team, (open ? open->rows : 0) + rows.n, (open ? open->units : 0) + units.n);
    if (outcome != LEDGER_DONE)
        return outcome;
    struct entry e = entry_of_call(call, ENTRY_HOLD, now_ms);
    e.rows = rows.n;
    e.units = e.units_predicted = units.n;
    struct op *op = op_new(&e);
    if (op && !open)
        open = open_calls_add(&l->calls, call->id, team);
    if (!op || !open) {
        free(op);
        return LEDGER_DOWN;
    }
    int64_t rows_before = rows_counted(open), units_before = units_counted(open);
    open->rows += rows.n;
    open->units += units.n;
    if (now_ms > open->held_ms)
        open->held_ms = now_ms;
    tally_hold(&l->tally, team, rows_counted(open) - rows_before, units_counted(open) - units_before);
    dispatch(l, op, open, done, context);
    return LEDGER_DONE;
}

void ledger_hold(struct ledger *l, const struct ledger_call *call, struct rows rows, struct units units,
                 ledger_done *done, void *context)
{
    if (call->free_of_rows)
        rows.n = 0;
    enum ledger_outcome outcome = hold(l, call, rows, units, done, context);
    if (outcome != LEDGER_DONE)
        operation_answer(l, call->team, done, context, outcome);
}

static bool lower(struct ledger *l, const struct ledger_call *call, struct units less, ledger_done *done, void *context)
{
    struct open_call *open = serves_now(l) ? open_calls_find(&l->calls, call->id) : NULL;
    if (!open || open->ended || less.n < 0 || less.n > open->units)
        return false;
    int64_t now_ms = clock_wall_ms();
    struct entry e = entry_of_call(call, ENTRY_HOLD, now_ms > open->held_ms ? now_ms : open->held_ms);
    e.ref = call->id;
    e.rows = open->rows;
    e.units = e.units_predicted = open->units - less.n;
    struct op *op = op_new(&e);
    if (!op)
        return false;
    open->aside_rows = rows_counted(open);
    open->aside_units = units_counted(open);
    open->units = e.units;
    open->held_ms = e.time_ms;
    dispatch(l, op, open, done, context);
    return true;
}

void ledger_lower(struct ledger *l, const struct ledger_call *call, struct units less, ledger_done *done, void *context)
{
    if (!lower(l, call, less, done, context))
        operation_answer(l, call->team, done, context, LEDGER_DOWN);
}

enum ledger_way ledger_way(const struct ledger *l, struct slice id, struct slice team, struct rows rows,
                           struct units units)
{
    const struct open_call *open = open_calls_find(&l->calls, id);
    return way(l, open, team, (open ? open->rows : 0) + rows.n, (open ? open->units : 0) + units.n);
}

/* ---- what is set aside ---- */

enum ledger_way ledger_way_aside(const struct ledger *l, struct slice id, struct slice team, struct rows rows,
                                 struct units units)
{
    return way(l, open_calls_find(&l->calls, id), team, rows.n, units.n);
}

struct ledger_room ledger_room(const struct ledger *l, struct slice id, struct slice team)
{
    const struct open_call *open = open_calls_find(&l->calls, id);
    int32_t number = open ? open->team : tally_find(&l->tally, team);
    if (number < 0) /* it has used nothing yet, and has no limit; what the whole has is checked when it holds */
        return (struct ledger_room){ LEDGER_NO_LIMIT, LEDGER_NO_LIMIT, LEDGER_NO_LIMIT,
                                     LEDGER_NO_LIMIT, LEDGER_NO_LIMIT, LEDGER_NO_LIMIT };
    return tally_room(&l->tally, number, (struct rows){ rows_counted(open) }, (struct units){ units_counted(open) });
}

/* Change what is set aside for an open call. */
static void put_aside(struct ledger *l, struct open_call *open, int64_t rows, int64_t units)
{
    int64_t rows_before = rows_counted(open), units_before = units_counted(open);
    open->aside_rows = rows;
    open->aside_units = units;
    tally_hold(&l->tally, open->team, rows_counted(open) - rows_before, units_counted(open) - units_before);
}

enum ledger_outcome ledger_set_aside(struct ledger *l, struct slice id, struct slice team, struct rows rows,
                                     struct units units, struct units *allowance)
{
    if (!serves_now(l))
        return LEDGER_DOWN;
    tally_turn(&l->tally, day_of_ms(clock_wall_ms()));
    struct open_call *open = open_calls_find(&l->calls, id);
    int32_t number = open ? open->team : tally_team(&l->tally, team);
    if (number < 0 || (open && open->ended))
        return LEDGER_DOWN;
    enum ledger_outcome outcome = check_all(l, open, number, rows.n, units.n);
    if (outcome != LEDGER_DONE)
        return outcome;
    if (!open)
        open = open_calls_add(&l->calls, id, number);
    if (!open)
        return LEDGER_DOWN;
    struct ledger_room room =
        tally_room(&l->tally, number, (struct rows){ rows_counted(open) }, (struct units){ units_counted(open) });
    const int64_t left[] = { room.team_units_now, room.whole_units_now };
    for (int i = 0; i < 2; i++)
        if (left[i] != LEDGER_NO_LIMIT && allowance->n > left[i] - units.n)
            allowance->n = greater(left[i] - units.n, 0);
    put_aside(l, open, rows.n, units.n + allowance->n);
    return LEDGER_DONE;
}

void ledger_put_back(struct ledger *l, struct slice id)
{
    struct open_call *open = open_calls_find(&l->calls, id);
    if (!open || open->ended)
        return;
    put_aside(l, open, 0, 0);
    if (!open->rows && !open->units && !open->pending && !open->first_seq)
        open_calls_remove(&l->calls, open);
}

/* ---- refusals ---- */

void ledger_saw_refusal(struct ledger *l, const struct ledger_refusal *call)
{
    refusals_see(l->refusals, call, clock_wall_ms());
}

/* ---- ends ---- */

/* The books cannot take the end of a call now: remember what to write when they can. */
static void lose(struct open_call *call, const struct entry *e)
{
    call->ended = call->lost = true;
    call->lost_kind = e->kind == ENTRY_RELEASE ? ENTRY_RELEASE : ENTRY_UNKNOWN;
    call->lost_units = entry_units_used(e);
}

/* False when the books cannot take it. The clock may have stepped back since the hold: an end is not dated before it,
 * or it would fall into a month that the hold was not checked against. */
static bool end(struct ledger *l, struct entry *e, struct open_call *open, ledger_done *done, void *context)
{
    tally_turn(&l->tally, day_of_ms(e->time_ms));
    if (open && open->held_ms > e->time_ms)
        e->time_ms = open->held_ms;
    struct op *op = op_new(e);
    int32_t team = open ? open->team : tally_team(&l->tally, e->team);
    bool is_new = op && !open && team >= 0;
    if (is_new)
        open = open_calls_add(&l->calls, e->id, team);
    if (!op || !open || !tally_use(&l->tally, team, day_of_ms(e->time_ms), entry_rows_used(e), entry_units_used(e))) {
        if (is_new && open)
            open_calls_remove(&l->calls, open);
        free(op);
        return false;
    }
    open->ended = true;
    tally_hold(&l->tally, team, -rows_counted(open), -units_counted(open));
    dispatch(l, op, open, done, context);
    return true;
}

/* Memory was out for the end of a call whose hold is on the disk, and would stay there: the hold is found and ended
 * when the state of the books is read anew. */
static void read_again(struct ledger *l)
{
    l->serves = false;
    if (l->writer)
        writer_read_again(l->writer);
}

static void end_and_answer(struct ledger *l, const struct ledger_call *call, struct entry *e, ledger_done *done,
                           void *context)
{
    e->call = call->text;
    e->call_bytes = call->text_bytes;
    bool serves = serves_now(l);
    struct open_call *open = open_calls_find(&l->calls, e->id);
    if (open && open->ended) {
        /* A second end of one call changes nothing; the first is on its way, or lost. */
        operation_answer(l, e->team, done, context, open->lost ? LEDGER_DOWN : LEDGER_DONE);
    } else if (!serves || !end(l, e, open, done, context)) {
        if (open)
            lose(open, e);
        if (open && serves)
            read_again(l);
        operation_answer(l, e->team, done, context, LEDGER_DOWN);
    }
}

void ledger_settle(struct ledger *l, const struct ledger_call *call, const struct ledger_settlement *s,
                   ledger_done *done, void *context)
{
    struct entry e = entry_of_call(call, ENTRY_SETTLE, clock_wall_ms());
    e.rows = call->free_of_rows ? 0 : s->rows.n;
    e.units = s->units < 0 ? ENTRY_NULL : s->units;
    e.units_predicted = s->units_predicted;
    e.units_alone = s->units_alone;
    e.results = s->results;
    e.via = entry_via_of_word(s->via);
    e.paid_by = s->paid_by;
    e.approximate = s->approximate;
    e.fault = s->fault;
    e.duration_ms = s->duration_ms;
    end_and_answer(l, call, &e, done, context);
}

void ledger_release(struct ledger *l, const struct ledger_call *call, struct slice fault, ledger_done *done,
                    void *context)
{
    struct entry e = entry_of_call(call, ENTRY_RELEASE, clock_wall_ms());
    e.fault = fault;
    end_and_answer(l, call, &e, done, context);
}

void ledger_unknown(struct ledger *l, const struct ledger_call *call, struct units units, struct slice fault,
                    ledger_done *done, void *context)
{
    struct entry e = entry_of_call(call, ENTRY_UNKNOWN, clock_wall_ms());
    e.units = e.units_predicted = units.n;
    e.fault = fault;
    end_and_answer(l, call, &e, done, context);
}

/* ---- what is left ---- */

static int64_t left_of(int64_t limit, int64_t used, int64_t held)
{
    if (limit == LEDGER_NO_LIMIT)
        return LEDGER_NO_LIMIT;
    return limit - used - held > 0 ? limit - used - held : 0;
}

struct ledger_left ledger_left(const struct ledger *l, struct slice name)
{
    const struct tally *t = &l->tally;
    int32_t number = tally_find(t, name);
    struct tally_used used = tally_used(t, number, day_of_ms(clock_wall_ms()));
    struct ledger_left left = {
        .rows_used = used.rows,
        .units_used = used.units,
        .rows_limit = LEDGER_NO_LIMIT,
        .rows_left = LEDGER_NO_LIMIT,
        .units_limit = LEDGER_NO_LIMIT,
        .units_left = LEDGER_NO_LIMIT,
        .whole_units_left = left_of(t->units_limit, used.whole_units, t->units_held),
    };
    if (number >= 0) {
        const struct team *team = &t->teams[number];
        left.rows_limit = team->rows_limit;
        left.rows_left = left_of(team->rows_limit, used.rows, team->rows_held);
        left.units_limit = team->units_limit;
        left.units_left = left_of(team->units_limit, used.units, team->units_held);
    }
    return left;
}

struct ledger_totals ledger_totals(const struct ledger *l, struct slice team)
{
    int32_t number = tally_find(&l->tally, team);
    const struct sums none = { 0 }, *s = number >= 0 ? &l->tally.teams[number].all_time : &none;
    return (struct ledger_totals){ .calls = s->calls, .rows = s->rows, .units = s->units, .faults = s->faults };
}

void ledger_storm(struct ledger *l)
{
    if (l->writer)
        writer_storm(l->writer);
}

bool ledger_is_behind(const struct ledger *l)
{
    return l->writer && (completions_are_behind(l->completions) || (!l->relaxed && writer_is_behind(l->writer)));
}

void ledger_stats(const struct ledger *l, struct ledger_stats *ret)
{
    *ret = (struct ledger_stats){ .commits.scale = &histogram_moments };
    if (l->writer)
        writer_stats(l->writer, ret);
}

static int64_t ends_in_ms(int first_day)
{
    int64_t now_ms = clock_wall_ms();
    return day_start_ms(month_of_day(day_of_ms(now_ms), first_day).until) - now_ms;
}

int64_t ledger_month_ends_in_ms(const struct ledger *l)
{
    (void)l;
    return ends_in_ms(1);
}

int64_t ledger_billing_month_ends_in_ms(const struct ledger *l)
{
    return ends_in_ms(l->limits.billing_day);
}

bool ledger_serves(const struct ledger *l)
{
    return l->serves;
}

/* ---- open, change, close ---- */

/* What the books hold of a team by now. */
static void take_all_time(void *context, const struct rollup *r)
{
    struct ledger *l = context;
    int32_t team = tally_team(&l->tally, store_name(l->store, r->at.team));
    if (team >= 0)
        sums_add(&l->tally.teams[team].all_time, &r->sums);
}

static bool open_books(struct ledger *l, struct buffer *why)
{
    int64_t now_ms = clock_wall_ms();
    if (l->base && !store_rollups(l->store, INT64_MIN, INT64_MAX, take_all_time, l, why))
        return false;
    l->acknowledged = store_last_seq(l->store);
    l->serves = true;
    struct recovery *fresh = recovery_read(l->store, l->acknowledged, day_of_ms(now_ms), why);
    size_t together;
    bool good = fresh && resume_take(l, fresh, &together, why);
    recovery_free(fresh);
    if (!good || !l->serves) {
        if (!why->n)
            buffer_str(why, "ledger: the books cannot be written");
        return false;
    }
    l->keys = keys_read(l->store, why);
    if (!l->keys || !ledger_strangers_open(l, why))
        return false;
    if (l->base) {
        l->completions = completions_new(l->base);
        l->writer = l->completions ? writer_new(l->store, l->refusals, l->base, l->keep_months, on_finished, l) : NULL;
        if (!l->writer) {
            buffer_str(why, "ledger: its thread cannot start");
            return false;
        }
    }
    return true;
}

enum ledger_open_result ledger_open(struct event_base *base, const struct ledger_options *options, struct ledger **ret,
                                    struct buffer *why)
{
    struct ledger *l = calloc(1, sizeof *l);
    if (l) {
        *l = (struct ledger){ .base = base, .relaxed = options->relaxed, .keep_months = options->keep_months };
        open_calls_init(&l->calls);
        l->store = store_new(options->state_directory, options->relaxed);
        l->digester = digester_new();
        l->refusals = refusals_new();
    }
    if (!l || !l->store || !l->digester || !l->refusals || !limits_copy(&l->limits, options) ||
        !tally_limit(&l->tally, &l->limits, day_of_ms(clock_wall_ms()))) {
        ledger_close(l);
        buffer_str(why, "ledger: out of memory");
        return LEDGER_BROKEN;
    }
    enum store_result opened = store_open(l->store, why);
    if (opened == STORE_OPENED && open_books(l, why)) {
        *ret = l;
        return LEDGER_OPENED;
    }
    ledger_close(l);
    return opened == STORE_TAKEN ? LEDGER_HELD_BY_ANOTHER : LEDGER_BROKEN;
}

uint32_t ledger_keys_count(const struct ledger *l)
{
    return l->keys ? l->keys->n : 0;
}

static void note_limits(struct ledger *l)
{
    struct buffer why = buffer_with_cap(4096);
    if (serves_now(l))
        (void)!resume_note_limits(l, &why);
    buffer_clear(&why);
}

void ledger_set_limits(struct ledger *l, const struct ledger_options *options)
{
    struct limits limits;
    if (!limits_copy(&limits, options))
        return;
    if (limits.keeps_day)
        limits.billing_day = l->limits.billing_day;
    if (!tally_limit(&l->tally, &limits, day_of_ms(clock_wall_ms()))) {
        limits_clear(&limits);
        return; /* the old ones stay */
    }
    limits_clear(&l->limits);
    l->limits = limits;
    note_limits(l);
}

int ledger_billing_day(const struct ledger *l)
{
    return l->limits.billing_day;
}

bool ledger_set_billing_day(struct ledger *l, int day)
{
    int before = l->limits.billing_day;
    if (!l->limits.keeps_day || day == before || day < 1 || day > 28)
        return false;
    l->limits.billing_day = day;
    if (!tally_limit(&l->tally, &l->limits, day_of_ms(clock_wall_ms()))) {
        l->limits.billing_day = before;
        return false;
    }
    note_limits(l);
    return true;
}

static void write_refusals(struct ledger *l)
{
    struct buffer why = buffer_with_cap(4096);
    bool more = l->refusals && l->store;
    while (more && refusals_write(l->refusals, l->store, &more, &why))
        continue;
    refusals_free(l->refusals);
    buffer_clear(&why);
}

void ledger_close(struct ledger *l)
{
    if (!l)
        return;
    jobs_end(l);
    writer_free(l->writer);
    ledger_strangers_close(l);
    write_refusals(l);
    completions_free(l->completions);
    open_calls_clear(&l->calls);
    tally_clear(&l->tally);
    limits_clear(&l->limits);
    for (size_t i = 0; i < l->n_noted; i++)
        free((void *)(uintptr_t)l->noted[i].team.p);
    free(l->noted);
    keys_free(l->keys);
    digester_free(l->digester);
    store_free(l->store);
    free(l);
}

const struct ledger_key *ledger_key_of_token(struct ledger *l, struct slice token)
{
    if (l->keys_stale)
        jobs_refresh_keys(l);
    struct digest digest = digest_of(l->digester, token);
    const struct stored_key *key = keys_of_digest(l->keys, &digest);
    return key ? &key->key : NULL;
}
