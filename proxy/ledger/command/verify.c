/* SPDX-License-Identifier: MIT
 * The command ledger verify: every entry is read, its sum made anew, calls followed from their holds to their end, and
 * the hourly sums added up again. */
#include <stdlib.h>

#include "base/clock.h"
#include "proxy/ledger/command/command.h"
#include "proxy/ledger/entries/bounds.h"
#include "proxy/ledger/entries/chain.h"
#include "proxy/ledger/entries/names.h"
#include "proxy/ledger/entries/open_calls.h"

enum { PAGE = 1024, MAX_COMPLAINTS = 20, RECENT_HOURS = 2 };

/* Which calls have ended, as 64 bits of each id. */
struct ended {
    uint64_t *slots; /* 0: free */
    size_t n, n_slots;
};

/* What is counted beside the entries, by them and by the books. */
struct traces {
    struct names texts;       /* faults, marks, and all marks of a call in one text */
    struct trace_set entries; /* as the store counts them in memory */
    struct trace_set words;   /* by `what` in place of the fault, and the word: all 0 when good */
    int64_t since;            /* hours before it are not looked at: their counts were removed */
    int64_t recent;           /* from this hour on counts were read together with the entries */
};

struct verify {
    struct command *c;
    struct traces traces;
    struct digester *digester;
    struct buffer scratch;
    struct open_calls open;
    struct ended ended;
    struct rollup_set sums;   /* by hours, of the entries that are there */
    struct rollup_set months; /* the hourly sums, less the entries, less what was removed: all 0 when good */
    struct cut cut;
    uint64_t sum;
    int64_t entries, calls, last_seq, complaints;
    size_t rollups_seen;
    bool failed; /* memory ran out */
};

static void complain(struct verify *v, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void complain(struct verify *v, const char *format, ...)
{
    if (v->complaints++ >= MAX_COMPLAINTS)
        return;
    va_list args;
    va_start(args, format);
    buffer_vprintf(v->c->err, format, args);
    buffer_put(v->c->err, '\n');
    va_end(args);
}

static size_t slot_of(const struct ended *ended, uint64_t mark)
{
    size_t i = mark & (ended->n_slots - 1);
    while (ended->slots[i] && ended->slots[i] != mark)
        i = (i + 1) & (ended->n_slots - 1);
    return i;
}

static bool ended_grow(struct ended *ended)
{
    struct ended more = { .n = ended->n, .n_slots = ended->n_slots ? ended->n_slots * 2 : 4096 };
    more.slots = calloc(more.n_slots, sizeof *more.slots);
    if (!more.slots)
        return false;
    for (size_t i = 0; i < ended->n_slots; i++) {
        if (ended->slots[i])
            more.slots[slot_of(&more, ended->slots[i])] = ended->slots[i];
    }
    free(ended->slots);
    *ended = more;
    return true;
}

/* False when it had ended already. The hashes alone are kept, for a ledger may have many millions of calls: two of ten
 * million have the same one with a chance of some in a million, and nobody can choose them. */
static bool mark_ended(struct verify *v, struct slice id)
{
    uint64_t mark = slice_hash(id) | 1;
    if (v->ended.n * 2 >= v->ended.n_slots && !ended_grow(&v->ended)) {
        v->failed = true;
        return true;
    }
    size_t slot = slot_of(&v->ended, mark);
    if (v->ended.slots[slot])
        return false;
    v->ended.slots[slot] = mark;
    v->ended.n++;
    return true;
}

static bool has_ended(const struct verify *v, struct slice id)
{
    return v->ended.n_slots && v->ended.slots[slot_of(&v->ended, slice_hash(id) | 1)];
}

/* What the call holds from this hold on. Where entries were removed, those it stands in place of may be among them. */
static void follow_amounts(struct verify *v, const struct entry *e, struct open_call *call)
{
    bool instead = entry_is_rehold(e);
    if (instead && !slice_eq(e->ref, e->id))
        complain(v, "seq %lld: a hold that refers to %.*s, which is another call", (long long)e->seq,
                 SLICE_ARGS(e->ref));
    else if (instead && !call && !v->cut.seq)
        complain(v, "seq %lld: a hold in place of none", (long long)e->seq);
    else if (instead && call && !v->cut.seq && (e->rows > call->rows || e->units > call->units))
        complain(v, "seq %lld: a hold in place of less", (long long)e->seq);
    if (!call && !(call = open_calls_add(&v->open, e->id, 0))) {
        v->failed = true;
        return;
    }
    call->rows = instead ? e->rows : bounds_sum(call->rows, e->rows);
    call->units = instead ? e->units : bounds_sum(call->units, e->units);
}

static void follow_call(struct verify *v, const struct entry *e)
{
    struct open_call *call = open_calls_find(&v->open, e->id);
    if (e->kind == ENTRY_HOLD) {
        if (has_ended(v, e->id))
            complain(v, "seq %lld: a hold after the end of its call %.*s", (long long)e->seq, SLICE_ARGS(e->id));
        if (e->rows < 0 || e->units < 0)
            complain(v, "seq %lld: a hold of less than nothing", (long long)e->seq);
        follow_amounts(v, e, call);
    } else if (entry_is_end(e)) {
        v->calls++;
        if (!mark_ended(v, e->id))
            complain(v, "seq %lld: a second end of call %.*s", (long long)e->seq, SLICE_ARGS(e->id));
        if (call)
            open_calls_remove(&v->open, call);
    }
}

/* Where entries were removed, the end of the call may be among them. */
static void follow_correction(struct verify *v, const struct entry *e)
{
    if (e->kind == ENTRY_CORRECT && !v->cut.seq && !has_ended(v, e->ref))
        complain(v, "seq %lld: a correction of %.*s, which has not ended before it", (long long)e->seq,
                 SLICE_ARGS(e->ref));
}

/* ---- what is counted beside the entries ---- */

/* Of a text, from 1 on; 0: empty, or memory is out. */
static int32_t text_number(struct verify *v, struct slice text)
{
    int32_t number = text.n ? names_add(&v->traces.texts, text) + 1 : 0;
    v->failed = v->failed || (text.n && !number);
    return number;
}

static void trace_entry(struct verify *v, const struct entry *e)
{
    struct trace_key at = {
        .hour = hour_of_ms(e->time_ms), .team = e->team_id, .key = e->key_id, .table = e->table_id, .via = trace_via(e)
    };
    if (!entry_is_end(e) || at.hour < v->traces.since || (!e->fault.n && !e->approximate.n && !at.via))
        return;
    at.fault = text_number(v, e->fault);
    at.more = text_number(v, e->approximate);
    v->failed = v->failed || !trace_set_add(&v->traces.entries, &at, 1, 0);
}

static void add_word(struct verify *v, const struct trace *t, enum trace_what what, int32_t word)
{
    struct trace_key at = t->at;
    at.fault = (int32_t)what;
    at.more = word;
    at.via = 0;
    v->failed = v->failed || !trace_set_add(&v->traces.words, &at, t->calls, 0);
}

static void add_words(struct verify *v, const struct trace *t)
{
    struct slice rest = names_text(&v->traces.texts, t->at.more - 1LL);
    bool of_rows = false;
    if (t->at.fault)
        add_word(v, t, TRACE_FAULT, t->at.fault);
    if (t->at.via)
        add_word(v, t, trace_of_via(t->at.via), 0);
    if (rest.n)
        add_word(v, t, TRACE_MARKED, 0);
    while (rest.n) {
        struct slice word = slice_split(rest, ',', &rest);
        of_rows = of_rows || trace_is_of_rows(word);
        add_word(v, t, TRACE_MARK, text_number(v, word));
    }
    if (of_rows)
        add_word(v, t, TRACE_MARKED_ROWS, 0);
}

static void take_trace(void *context, const struct trace_row *row)
{
    struct verify *v = context;
    struct trace t = { .at = { .hour = row->hour, .team = row->team_id, .key = row->key_id, .table = row->table_id },
                       .calls = -row->calls };
    if (row->what == TRACE_REFUSED || row->what == TRACE_SHAPE)
        return; /* these have no entries */
    add_word(v, &t, row->what, text_number(v, row->word));
}

/* Of hours that may still get entries, with the entries under one lock. */
static bool take_recent_traces(struct verify *v, struct buffer *why)
{
    v->traces.recent = hour_of_ms(clock_wall_ms()) - RECENT_HOURS;
    return store_traces(v->c->store, v->traces.recent, INT64_MAX, take_trace, v, why);
}

/* Of the others, a day at a time, for they are many and calls wait meanwhile. */
static bool take_old_traces(struct verify *v, struct buffer *why)
{
    struct store *store = v->c->store;
    int64_t hour = v->traces.since, until = v->traces.recent;
    bool good = store_next_trace(store, hour, &hour, why);
    while (good && hour < until) {
        int64_t end = hour + 24 < until ? hour + 24 : until;
        good = store_traces(store, hour, end, take_trace, v, why) && store_next_trace(store, end, &hour, why);
    }
    return good;
}

static bool verify_traces(struct verify *v, struct buffer *why)
{
    for (uint32_t i = 0; i < v->traces.entries.n; i++)
        add_words(v, &v->traces.entries.rows[i]);
    if (!take_old_traces(v, why))
        return false;
    int64_t since = store_traces_since(v->c->store); /* some may have been removed meanwhile */
    for (uint32_t i = 0; i < v->traces.words.n; i++) {
        const struct trace *t = &v->traces.words.rows[i];
        if (t->calls && t->at.hour >= since)
            complain(v, "the counts of faults and marks of hour %lld, team \"%.*s\", do not agree with the entries",
                     (long long)t->at.hour, SLICE_ARGS(store_name(v->c->store, t->at.team)));
    }
    return true;
}

static void traces_clear(struct traces *t)
{
    names_clear(&t->texts);
    trace_set_clear(&t->entries);
    trace_set_clear(&t->words);
}

/* ---- entries and sums ---- */

static void verify_entry(void *context, const struct entry *e)
{
    struct verify *v = context;
    if (v->failed)
        return;
    if (e->seq != v->last_seq + 1)
        complain(v, "seq %lld: the entries before it are missing", (long long)e->seq);
    if (!entry_kind_word(e->kind))
        complain(v, "seq %lld: %d is no kind of entry", (long long)e->seq, (int)e->kind);
    uint64_t sum = 0;
    v->failed = !chain_sum(v->digester, &v->scratch, v->sum, e, &sum);
    if (sum != e->sum)
        complain(v, "seq %lld: this entry, or the one before it, is not as it was written", (long long)e->seq);
    /* Go on from what stands there, so that one change is one complaint. */
    v->sum = e->sum;
    v->last_seq = e->seq;
    v->entries++;
    follow_call(v, e);
    follow_correction(v, e);
    trace_entry(v, e);
    v->failed = v->failed || !rollup_set_add(&v->sums, e);
}

static struct sums negative(const struct sums *s)
{
    return (struct sums){ -s->calls,           -s->results,     -s->rows,          -s->units,
                          -s->units_predicted, -s->units_alone, -s->units_unknown, -s->faults };
}

static void take_away(struct verify *v, const struct rollup_key *at, const struct sums *sums)
{
    struct sums less = negative(sums);
    if (!rollup_set_add_sums(&v->months, at, &less))
        v->failed = true;
}

/* Hours whose entries were removed, in part or whole, are looked at by months: with what the removed ones summed to
 * they must add up. */
static void verify_cut_hour(struct verify *v, const struct rollup *r, const struct rollup *ours)
{
    struct rollup_key month = r->at;
    month.hour = month_of_ms(r->at.hour * 3600000);
    if (!rollup_set_add_sums(&v->months, &month, &r->sums))
        v->failed = true;
    if (ours)
        take_away(v, &month, &ours->sums);
    v->rollups_seen -= !ours;
}

static void verify_closed(void *context, const struct rollup *r)
{
    take_away(context, &r->at, &r->sums);
}

static void verify_rollup(void *context, const struct rollup *r)
{
    struct verify *v = context;
    const struct rollup *ours = rollup_set_find(&v->sums, &r->at);
    v->rollups_seen++;
    if (r->first_seq <= v->cut.seq)
        verify_cut_hour(v, r, ours);
    else if (!ours || memcmp(&ours->sums, &r->sums, sizeof r->sums) != 0 || ours->first_seq != r->first_seq ||
             ours->last_seq != r->last_seq)
        complain(v, "the sum of hour %lld, team \"%.*s\", does not agree with the entries", (long long)r->at.hour,
                 SLICE_ARGS(store_name(v->c->store, r->at.team)));
}

static void verify_months(struct verify *v)
{
    static const struct sums nothing;
    for (uint32_t i = 0; i < v->months.n; i++) {
        const struct rollup *r = &v->months.rows[i];
        if (memcmp(&r->sums, &nothing, sizeof nothing) != 0)
            complain(v, "the sums of %lld-%02lld, team \"%.*s\", do not agree with what was removed and the entries",
                     (long long)(r->at.hour / 12), (long long)(r->at.hour % 12 + 1),
                     SLICE_ARGS(store_name(v->c->store, r->at.team)));
    }
}

/* The last page and the sums are read under one lock: what is written meanwhile waits. */
static bool verify_all(struct verify *v, struct buffer *why)
{
    struct store *store = v->c->store;
    v->cut = store_cut(store);
    v->sum = v->cut.sum;
    v->last_seq = v->cut.seq;
    v->traces.since = store_traces_since(store);
    int64_t seq = v->cut.seq + 1;
    bool good = true;
    while (good && seq && seq + PAGE < store_last_seq(store))
        good = store_entries(store, seq, PAGE, verify_entry, v, &seq, why);
    store_lock(store);
    while (good && seq)
        good = store_entries(store, seq, PAGE, verify_entry, v, &seq, why);
    good = good && store_rollups(store, INT64_MIN, INT64_MAX, verify_rollup, v, why) &&
           store_closed(store, verify_closed, v, why) && take_recent_traces(v, why);
    if (good)
        verify_months(v);
    if (good && v->last_seq != store_last_seq(store))
        complain(v, "the last entries are missing");
    /* An entry below the floor is not looked at when the books are opened. */
    if (good && v->open.n > 0 && store_floor(store) > store_last_seq(store))
        complain(v, "there are open holds where none should be");
    store_unlock(store);
    good = good && verify_traces(v, why);
    if (good && v->rollups_seen < v->sums.n)
        complain(v, "%zu hourly sums are missing", v->sums.n - v->rollups_seen);
    if (good && v->c->alone) {
        size_t before = v->c->err->n;
        good = store_check(store, v->c->err, why);
        v->complaints += v->c->err->n > before;
    }
    return good;
}

int ledger_verify(struct command *c)
{
    struct verify v = { .c = c, .digester = digester_new() };
    open_calls_init(&v.open);
    struct buffer why = { 0 };
    int status = COMMAND_DONE;
    if (!v.digester) {
        status = command_wrong(c, "out of memory");
    } else if (!verify_all(&v, &why)) {
        status = command_failed(c, &why);
    } else if (v.failed) {
        status = command_wrong(c, "out of memory");
    } else if (v.complaints) {
        if (v.complaints > MAX_COMPLAINTS)
            buffer_printf(c->err, "and %lld more\n", (long long)(v.complaints - MAX_COMPLAINTS));
        status = command_wrong(c, "the books do not agree with themselves");
    } else {
        buffer_printf(c->out, "%sgood%s: %lld entries, %lld calls ended, %u open; sum %016llx\n",
                      c->has_colour ? "\033[1;32m" : "", c->has_colour ? "\033[0m" : "", (long long)v.entries,
                      (long long)v.calls, v.open.n, (unsigned long long)v.sum);
        if (v.cut.seq)
            buffer_printf(c->out, "before them %lld entries were removed (keep), sum %016llx\n", (long long)v.cut.seq,
                          (unsigned long long)v.cut.sum);
    }
    traces_clear(&v.traces);
    digester_free(v.digester);
    buffer_clear(&v.scratch);
    open_calls_clear(&v.open);
    free(v.ended.slots);
    rollup_set_clear(&v.sums);
    rollup_set_clear(&v.months);
    return status;
}
