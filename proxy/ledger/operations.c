/* SPDX-License-Identifier: MIT
 * Operations on their way to the disk, and what becomes of their calls when they come back. */
#include "proxy/ledger/operations.h"

#include <stdlib.h>

#include "proxy/ledger/inside.h"

enum { FLOOR_STEP = 512 /* entries until the open calls are looked through again */ };

/* ---- answers that must not come before the function returns ---- */

void operation_answer(struct ledger *l, struct slice team, ledger_done *done, void *context,
                      enum ledger_outcome outcome)
{
    if (!done)
        return;
    struct completion *completion = l->completions ? malloc(sizeof *completion) : NULL;
    if (!completion) {
        done(context, outcome);
        return;
    }
    *completion = (struct completion){
        .done = done, .context = context, .outcome = outcome, .team = tally_find(&l->tally, team)
    };
    completions_add(l->completions, completion);
}

/* ---- operations, out and back ---- */

/* No hold before this is open: the first of all open calls, or the next to be written. */
static int64_t floor_of(struct ledger *l)
{
    if (l->calls.n && l->acknowledged < l->floor_looked_at + FLOOR_STEP)
        return l->floor; /* an old one is as true, only lower */
    l->floor_looked_at = l->acknowledged;
    l->floor = l->acknowledged + 1;
    for (const struct open_call *call = open_calls_oldest(&l->calls); call; call = open_calls_newer(&l->calls, call)) {
        if (call->first_seq && call->first_seq < l->floor)
            l->floor = call->first_seq;
    }
    return l->floor;
}

void operation_push(struct ledger *l, struct op *op)
{
    op->floor = floor_of(l);
    if (l->writer) {
        writer_push(l->writer, op, l->calls.n);
        return;
    }
    struct buffer why = buffer_with_cap(4096);
    struct op_list one = { 0 };
    op_list_add(&one, op);
    write_ops(l->store, &one, &why);
    buffer_clear(&why);
    operation_finished(l, op);
}

static void written(struct ledger *l, const struct op *op)
{
    struct open_call *call = op->call;
    if (op->entry.seq > l->acknowledged)
        l->acknowledged = op->entry.seq;
    if (!call)
        return;
    call->pending--;
    if (!call->first_seq)
        call->first_seq = op->entry.seq;
    sums_add_entry(&l->tally.teams[call->team].all_time, &op->entry);
    if (entry_is_end(&op->entry) || op->entry.kind == ENTRY_CORRECT)
        open_calls_remove(&l->calls, call);
}

/* Whether it reached the disk is not known before the books are open again. Remember what was told. */
static void not_written(struct ledger *l, const struct op *op)
{
    struct open_call *call = op->call;
    l->serves = false;
    if (!call)
        return;
    call->pending--;
    bool was_told = op->completion.done || !l->relaxed;
    if (entry_is_end(&op->entry)) {
        call->lost = call->ended = true;
        call->lost_kind = op->entry.kind == ENTRY_RELEASE ? ENTRY_RELEASE : ENTRY_UNKNOWN;
        call->lost_units = entry_units_used(&op->entry);
        call->given = l->relaxed && op->entry.kind == ENTRY_SETTLE;
    } else if (op->entry.kind == ENTRY_HOLD && was_told && !call->first_seq && !call->pending) {
        call->lost = call->ended = true;
        call->lost_kind = ENTRY_RELEASE;
    }
}

void operation_finished(struct ledger *l, struct op *op)
{
    struct completion *completion = &op->completion;
    if (op->call)
        completion->team = op->call->team;
    completion->outcome = op->written ? LEDGER_DONE : LEDGER_DOWN;
    if (op->written)
        written(l, op);
    else
        not_written(l, op);
    if (completion->done && l->completions) {
        completions_add(l->completions, completion);
        return;
    }
    if (completion->done)
        completion->done(completion->context, completion->outcome);
    free(op);
}

void operations_finished(struct ledger *l, struct op_list ops)
{
    for (struct op *op = ops.first, *next; op; op = next) {
        next = op->next;
        operation_finished(l, op);
    }
}
