/* SPDX-License-Identifier: MIT
 * Taking over the books after they were opened: at the start, and when they are open again after a failure. */
#include "proxy/ledger/resume.h"

#include <stdlib.h>

#include "base/clock.h"
#include "proxy/ledger/entries/ids.h"
#include "proxy/ledger/inside.h"
#include "proxy/ledger/operations.h"

/* ---- notes of limits ---- */

static struct limit_row *noted_of(struct ledger *l, struct slice team)
{
    for (size_t i = 0; i < l->n_noted; i++) {
        if (slice_eq(l->noted[i].team, team))
            return &l->noted[i];
    }
    return NULL;
}

static struct limit_row *noted_add(struct ledger *l, struct slice team)
{
    struct limit_row *more = realloc(l->noted, (l->n_noted + 1) * sizeof *more);
    if (!more)
        return NULL;
    l->noted = more;
    char *name = malloc(team.n + 1);
    if (!name)
        return NULL;
    if (team.n)
        memcpy(name, team.p, team.n);
    name[team.n] = '\0';
    more[l->n_noted] =
        (struct limit_row){ .team = slice_of(name, team.n), .rows = LEDGER_NO_LIMIT, .units = LEDGER_NO_LIMIT };
    return &more[l->n_noted++];
}

/* The whole, team "": its rows are the billing day, 1 when nothing is remembered. */
static struct op *limit_op(const struct limit_row *row, int64_t now_ms)
{
    char id[LEDGER_ID_SIZE], day[32];
    call_id_make(id);
    struct entry e = { .time_ms = now_ms, .kind = ENTRY_NOTE, .id = slice_str(id), .table = S("limits") };
    e.team = row->team;
    e.rows = row->rows == LEDGER_NO_LIMIT || !row->team.n ? ENTRY_NULL : row->rows;
    e.units = row->units == LEDGER_NO_LIMIT ? ENTRY_NULL : row->units;
    if (!row->team.n) {
        struct buffer text = { .p = day, .room = sizeof day, .max_bytes = sizeof day };
        buffer_str(&text, "billing_day=");
        buffer_i64(&text, row->rows);
        e.target = buffer_slice(&text);
    }
    struct op *op = op_new(&e);
    if (op) {
        op->has_limit = true;
        op->limit = *row;
        op->limit.team = op->entry.team;
    }
    return op;
}

static bool note_limit(struct ledger *l, struct slice team, int64_t rows, int64_t units)
{
    struct limit_row *row = noted_of(l, team);
    int64_t rows_before = row ? row->rows : team.n ? LEDGER_NO_LIMIT : 1;
    int64_t units_before = row ? row->units : LEDGER_NO_LIMIT;
    if (rows == rows_before && units == units_before)
        return true;
    if (!row)
        row = noted_add(l, team);
    struct limit_row new = { .team = team, .rows = rows, .units = units };
    struct op *op = row ? limit_op(&new, clock_wall_ms()) : NULL;
    if (!op)
        return false;
    row->rows = rows;
    row->units = units;
    operation_push(l, op);
    return true;
}

bool resume_note_limits(struct ledger *l, struct buffer *why)
{
    const struct limits *limits = &l->limits;
    bool good = note_limit(l, S(""), limits->billing_day, limits->units_per_month);
    for (size_t i = 0; good && i < limits->n_teams; i++)
        good = note_limit(l, slice_str(limits->teams[i].name), limits->teams[i].rows_per_month,
                          limits->teams[i].units_per_month);
    for (size_t i = 0; good && i < l->n_noted; i++) {
        if (l->noted[i].team.n && !limits_team(limits, l->noted[i].team))
            good = note_limit(l, l->noted[i].team, LEDGER_NO_LIMIT, LEDGER_NO_LIMIT);
    }
    if (!good)
        buffer_str(why, "ledger: out of memory");
    return good;
}

static bool remember_limits(struct ledger *l, const struct recovery *fresh)
{
    for (size_t i = 0; i < l->n_noted; i++)
        free((void *)(uintptr_t)l->noted[i].team.p);
    l->n_noted = 0;
    for (size_t i = 0; i < fresh->n_limits; i++) {
        struct limit_row *row = noted_add(l, fresh->limits[i].team);
        if (!row)
            return false;
        row->rows = fresh->limits[i].rows;
        row->units = fresh->limits[i].units;
    }
    return true;
}

/* Count from the day that the books remember, when no other was told since they were opened first. */
static bool keep_billing_day(struct ledger *l)
{
    struct limit_row *whole = noted_of(l, S(""));
    if (!l->limits.keeps_day || l->limits.knows_day)
        return true;
    l->limits.knows_day = true;
    if (whole && whole->rows >= 1 && whole->rows <= 28)
        l->limits.billing_day = (int)whole->rows;
    return tally_limit(&l->tally, &l->limits, day_of_ms(clock_wall_ms()));
}

/* ---- what was used and held ---- */

static bool take_used(struct ledger *l, const struct recovery *fresh)
{
    tally_zero(&l->tally);
    for (struct open_call *call = open_calls_oldest(&l->calls); call; call = open_calls_newer(&l->calls, call))
        call->rows = call->units = 0; /* what was set aside for calls that go on stays so */
    for (size_t i = 0; i < fresh->n_days; i++) {
        const struct used_day *d = &fresh->days[i];
        int32_t team = tally_team(&l->tally, d->team);
        if (team < 0 || !tally_use(&l->tally, team, d->day, d->rows, d->units))
            return false;
    }
    return true;
}

/* The end of a hold whose call is dead or was told that the ledger is down. */
static bool end_hold(struct ledger *l, const struct entry *hold, struct open_call *call, struct op_list *ops)
{
    struct entry e = *hold;
    int64_t now_ms = clock_wall_ms();
    e.time_ms = now_ms > hold->time_ms ? now_ms : hold->time_ms;
    e.kind = call ? call->lost_kind : ENTRY_UNKNOWN;
    e.rows = 0;
    e.units = e.kind == ENTRY_RELEASE ? 0 : call ? call->lost_units : hold->units;
    e.units_predicted = e.kind == ENTRY_RELEASE ? 0 : hold->units;
    e.fault = call ? S("ledger_down") : S("crash");
    int32_t team = tally_team(&l->tally, e.team);
    if (!call)
        call = team < 0 ? NULL : open_calls_add(&l->calls, e.id, team);
    struct op *op = call ? op_new(&e) : NULL;
    if (!op)
        return false;
    call->first_seq = hold->seq;
    call->ended = call->lost = true;
    call->lost_kind = e.kind;
    call->lost_units = e.units;
    call->pending++;
    op->call = call;
    op_list_add(ops, op);
    return tally_use(&l->tally, team, day_of_ms(e.time_ms), 0, e.units);
}

static bool take_holds(struct ledger *l, const struct recovery *fresh, struct op_list *ops)
{
    for (size_t i = 0; i < fresh->open.n; i++) {
        const struct entry *hold = fresh->open.entries[i];
        struct open_call *call = open_calls_find(&l->calls, hold->id);
        if (!call || call->lost) {
            if (!end_hold(l, hold, call, ops))
                return false;
        } else {
            call->first_seq = hold->seq;
            call->held_ms = hold->time_ms;
            call->rows = hold->rows;
            call->units = hold->units;
        }
    }
    return true;
}

static void count_holds(struct ledger *l)
{
    for (struct open_call *call = open_calls_oldest(&l->calls); call; call = open_calls_newer(&l->calls, call)) {
        if (call->ended)
            call->aside_rows = call->aside_units = 0;
        tally_hold(&l->tally, call->team, call->rows > call->aside_rows ? call->rows : call->aside_rows,
                   call->units > call->aside_units ? call->units : call->aside_units);
    }
}

/* A settlement that reached the disk though its call was told it did not: no answer left, so no rows are owed. */
static bool take_back(struct ledger *l, const struct entry *settled, struct op_list *ops)
{
    struct open_call *call = open_calls_find(&l->calls, settled->id);
    if (!call || !call->lost || call->given || !settled->rows || settled->rows == ENTRY_NULL)
        return true;
    char id[LEDGER_ID_SIZE];
    call_id_make(id);
    struct entry e = *settled;
    e.time_ms = clock_wall_ms();
    e.kind = ENTRY_CORRECT;
    e.via = VIA_NONE;
    e.id = slice_str(id);
    e.ref = settled->id;
    e.rows = -settled->rows;
    e.units = e.units_predicted = e.units_alone = e.results = e.duration_ms = 0;
    e.paid_by = e.approximate = S("");
    e.fault = S("ledger_down");
    struct op *op = op_new(&e);
    if (!op)
        return false;
    op->call = call;
    call->pending++;
    op_list_add(ops, op);
    return tally_use(&l->tally, call->team, day_of_ms(e.time_ms), e.rows, 0);
}

/* Lost calls for which nothing is to be written are done with. */
static void drop_lost(struct ledger *l)
{
    for (struct open_call *call = open_calls_oldest(&l->calls), *newer; call; call = newer) {
        newer = open_calls_newer(&l->calls, call);
        if (call->lost && !call->pending)
            open_calls_remove(&l->calls, call);
    }
}

/* The calls stay lost. */
static void drop_ops(struct op_list *ops)
{
    for (struct op *op = ops->first; op; op = op->next)
        op->call->pending--;
    op_list_free(ops);
}

/* With a thread the operations come back later; without one they are written here and must succeed. */
static bool send_all(struct ledger *l, struct op_list *ops, struct buffer *why)
{
    bool good = l->writer || !ops->n || write_ops(l->store, ops, why);
    for (struct op *op = ops->first, *next; op; op = next) {
        next = op->next;
        if (l->writer)
            operation_push(l, op);
        else
            operation_finished(l, op);
    }
    return good;
}

bool resume_take(struct ledger *l, const struct recovery *fresh, size_t *together, struct buffer *why)
{
    struct op_list ops = { 0 };
    bool good = remember_limits(l, fresh) && keep_billing_day(l) && take_used(l, fresh) && take_holds(l, fresh, &ops);
    for (size_t i = 0; good && i < fresh->settled.n; i++)
        good = take_back(l, fresh->settled.entries[i], &ops);
    if (!good) {
        drop_ops(&ops);
        buffer_str(why, "ledger: out of memory");
        return false;
    }
    drop_lost(l);
    count_holds(l);
    tally_turn(&l->tally, day_of_ms(clock_wall_ms()));
    *together = ops.n;
    if (!send_all(l, &ops, why))
        return false;
    /* A note that finds no memory is written at the next start: no reason to refuse calls. */
    struct buffer no_matter = buffer_with_cap(4096);
    (void)!resume_note_limits(l, &no_matter);
    buffer_clear(&no_matter);
    return true;
}
