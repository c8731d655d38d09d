/* SPDX-License-Identifier: MIT
 * Refused calls in two sets: one that is counted in, and one that is being written, a piece at a time so that calls
 * that wait for the disk do not wait for all. A piece whose writing failed may be on disk all the same: each has a
 * turn, and the store knows the last one that is there. */
#include "proxy/ledger/store/refusals.h"

#include <pthread.h>
#include <stdlib.h>

#include "proxy/ledger/entries/names.h"

enum {
    SPARE = 128, /* counts beyond REFUSALS, of others */
    PIECE = 256,
    HOURS_A_PIECE = 24,
};

struct kept_call {
    int64_t time_ms, bytes;
    int32_t team, key; /* numbers in the names */
    size_t n;
    char text[LEDGER_CALL_BYTES];
};

struct set {
    struct names names, shapes; /* numbers of counts are one more than here */
    struct trace_set counts;
    struct kept_call *calls; /* by the numbers of shapes; NULL: none yet */
};

struct refusals {
    pthread_mutex_t mutex;
    struct set in, out;
    uint32_t written, piece; /* of `out`: on disk, and behind it those that may be */
    int64_t turn;            /* of the piece */
};

struct refusals *refusals_new(void)
{
    struct refusals *all = calloc(1, sizeof *all);
    if (all)
        pthread_mutex_init(&all->mutex, NULL);
    return all;
}

static void set_clear(struct set *set)
{
    names_clear(&set->names);
    names_clear(&set->shapes);
    trace_set_clear(&set->counts);
    free(set->calls);
    *set = (struct set){ 0 };
}

void refusals_free(struct refusals *all)
{
    if (!all)
        return;
    set_clear(&all->in);
    set_clear(&all->out);
    pthread_mutex_destroy(&all->mutex);
    free(all);
}

/* ---- counting ---- */

/* 0 when memory is out. */
static int32_t number_of(struct names *names, struct slice text)
{
    return text.n ? names_add(names, text) + 1 : 0;
}

static int32_t shape_of(struct set *set, struct slice text)
{
    bool is_full = set->shapes.n >= REFUSALS_CALLS - 1 && names_find(&set->shapes, text) < 0;
    return number_of(&set->shapes, is_full ? S(LEDGER_REFUSED_WORD REFUSALS_OTHERS) : text);
}

/* A key that has no room of its own is counted as one of the others. */
static struct slice key_of(const struct set *set, struct slice key)
{
    bool has_room = set->names.n < REFUSALS || names_find(&set->names, key) >= 0;
    return has_room ? key : S(REFUSALS_OTHERS);
}

static bool has_room(const struct set *set, const struct trace_key *at, uint32_t most)
{
    return set->counts.n < most || trace_set_has(&set->counts, at);
}

static void keep_call(struct set *set, const struct trace_key *at, const struct ledger_refusal *call, int64_t now_ms)
{
    if (!set->calls)
        set->calls = calloc(REFUSALS_CALLS, sizeof *set->calls);
    if (!set->calls || !at->more)
        return;
    struct kept_call *kept = &set->calls[at->more - 1];
    kept->time_ms = now_ms;
    kept->bytes = call->text_bytes;
    kept->team = at->team;
    kept->key = at->key;
    kept->n = call->text.n < sizeof kept->text ? call->text.n : 0;
    if (kept->n)
        memcpy(kept->text, call->text.p, kept->n);
}

static void count(struct set *set, const struct ledger_refusal *call, int64_t now_ms)
{
    struct trace_key at = { .hour = hour_of_ms(now_ms),
                            .team = number_of(&set->names, call->team),
                            .key = number_of(&set->names, key_of(set, call->key)),
                            .table = number_of(&set->names, call->table),
                            .fault = number_of(&set->names, call->fault),
                            .more = shape_of(set, call->shape) };
    if (!has_room(set, &at, REFUSALS)) {
        at.key = number_of(&set->names, S(REFUSALS_OTHERS));
        at.table = at.more = 0;
    }
    if (!has_room(set, &at, REFUSALS + SPARE))
        at.team = 0;
    if (!has_room(set, &at, REFUSALS + 2 * SPARE) || !trace_set_add(&set->counts, &at, 1, now_ms))
        return;
    if (call->text_bytes)
        keep_call(set, &at, call, now_ms);
}

void refusals_see(struct refusals *all, const struct ledger_refusal *call, int64_t now_ms)
{
    pthread_mutex_lock(&all->mutex);
    count(&all->in, call, now_ms);
    pthread_mutex_unlock(&all->mutex);
}

/* ---- writing ---- */

static struct slice text_of(const struct names *names, int32_t number)
{
    return names_text(names, number - 1LL);
}

static struct refusal_row row_of(const struct set *set, const struct trace *t)
{
    return (struct refusal_row){ .hour = t->at.hour,
                                 .team = text_of(&set->names, t->at.team),
                                 .key = text_of(&set->names, t->at.key),
                                 .table = text_of(&set->names, t->at.table),
                                 .fault = text_of(&set->names, t->at.fault),
                                 .shape = text_of(&set->shapes, t->at.more),
                                 .calls = t->calls,
                                 .last_ms = t->last_ms };
}

static struct latest_row latest_of(const struct set *set, int32_t shape)
{
    const struct kept_call *kept = &set->calls[shape];
    return (struct latest_row){ .shape = names_text(&set->shapes, shape),
                                .shape_text = names_text(&set->shapes, shape),
                                .team = text_of(&set->names, kept->team),
                                .key = text_of(&set->names, kept->key),
                                .call = slice_of(kept->text, kept->n),
                                .bytes = kept->bytes,
                                .time_ms = kept->time_ms };
}

/* Choose what is written next; false when there is nothing. Under the mutex. */
static bool next_piece(struct refusals *all, int64_t turn_on_disk)
{
    if (all->turn <= turn_on_disk) {
        all->written += all->piece;
        all->piece = 0;
    }
    if (all->written == all->out.counts.n) {
        set_clear(&all->out);
        all->out = all->in;
        all->in = (struct set){ 0 };
        all->written = 0;
    }
    uint32_t left = all->out.counts.n - all->written;
    all->piece = left < PIECE ? left : PIECE;
    all->turn = turn_on_disk + 1;
    return left;
}

/* `out` changes in next_piece alone, on the one thread that writes. */
static bool write_piece(const struct refusals *all, struct store *s, struct buffer *why)
{
    struct refusal_row rows[PIECE];
    struct latest_row *latest = malloc(REFUSALS_CALLS * sizeof *latest);
    struct store_batch batch = { .refusals = rows, .latest = latest, .turn = all->turn };
    const struct set *out = &all->out;
    for (uint32_t i = 0; i < all->piece; i++)
        rows[batch.n_refusals++] = row_of(out, &out->counts.rows[all->written + i]);
    bool is_last = all->written + all->piece == out->counts.n;
    for (int32_t i = 0; is_last && latest && out->calls && i < out->shapes.n; i++) {
        if (out->calls[i].bytes)
            latest[batch.n_latest++] = latest_of(out, i);
    }
    bool good = store_write(s, &batch, why);
    free(latest);
    return good;
}

bool refusals_write(struct refusals *all, struct store *s, bool *more, struct buffer *why)
{
    int64_t turn = store_traces_turn(s); /* never asked for under the mutex: readers have the store first */
    pthread_mutex_lock(&all->mutex);
    bool has_piece = next_piece(all, turn);
    pthread_mutex_unlock(&all->mutex);
    *more = has_piece;
    if (has_piece)
        return write_piece(all, s, why);
    return !store_has_traces(s) || store_write(s, &(struct store_batch){ .traces = true }, why);
}

/* ---- reading ---- */

static void show_counts(const struct set *set, uint32_t from, int64_t since_hour, int64_t until_hour, trace_seen *seen,
                        void *context)
{
    for (uint32_t i = from; i < set->counts.n; i++) {
        const struct refusal_row r = row_of(set, &set->counts.rows[i]);
        if (r.hour < since_hour || r.hour >= until_hour)
            continue;
        struct trace_row row = { .hour = r.hour,
                                 .what = TRACE_REFUSED,
                                 .team = r.team,
                                 .key = r.key,
                                 .table = r.table,
                                 .word = r.fault,
                                 .calls = r.calls,
                                 .last_ms = r.last_ms };
        seen(context, &row);
        if (!r.shape.n)
            continue;
        row.what = TRACE_SHAPE;
        row.word = r.shape;
        seen(context, &row);
    }
}

static int64_t next_hour(const struct set *set, int64_t from_hour)
{
    int64_t next = INT64_MAX;
    for (uint32_t i = 0; i < set->counts.n; i++) {
        int64_t hour = set->counts.rows[i].at.hour;
        next = hour >= from_hour && hour < next ? hour : next;
    }
    return next;
}

static bool show_some(struct refusals *all, struct store *s, int64_t since_hour, int64_t until_hour, trace_seen *seen,
                      void *context, struct buffer *why)
{
    store_lock(s);
    bool good = store_traces(s, since_hour, until_hour, seen, context, why);
    int64_t turn = store_traces_turn(s);
    pthread_mutex_lock(&all->mutex);
    if (good) {
        show_counts(&all->out, all->written + (all->turn <= turn ? all->piece : 0), since_hour, until_hour, seen,
                    context);
        show_counts(&all->in, 0, since_hour, until_hour, seen, context);
    }
    pthread_mutex_unlock(&all->mutex);
    store_unlock(s);
    return good;
}

/* Hours without counts are skipped: a period may be thousands of years long. */
static bool skip_to(struct refusals *all, struct store *s, int64_t *hour, struct buffer *why)
{
    int64_t next = INT64_MAX;
    store_lock(s);
    bool good = store_next_trace(s, *hour, &next, why);
    pthread_mutex_lock(&all->mutex);
    int64_t in = next_hour(&all->in, *hour), out = next_hour(&all->out, *hour);
    pthread_mutex_unlock(&all->mutex);
    store_unlock(s);
    next = in < next ? in : next;
    *hour = out < next ? out : next;
    return good;
}

bool refusals_traces(struct refusals *all, struct store *s, int64_t since_hour, int64_t until_hour, trace_seen *seen,
                     void *context, struct buffer *why)
{
    int64_t hour = since_hour;
    bool good = skip_to(all, s, &hour, why);
    while (good && hour < until_hour) {
        int64_t end = hour < until_hour - HOURS_A_PIECE ? hour + HOURS_A_PIECE : until_hour;
        good = show_some(all, s, hour, end, seen, context, why);
        hour = end;
        good = good && skip_to(all, s, &hour, why);
    }
    return good;
}

static void show_latest(const struct set *set, store_latest_seen *seen, void *context)
{
    for (int32_t i = 0; set->calls && i < set->shapes.n; i++) {
        struct latest_row row = latest_of(set, i);
        if (row.bytes)
            seen(context, &row);
    }
}

bool refusals_latest(struct refusals *all, struct store *s, store_latest_seen *seen, void *context, struct buffer *why)
{
    store_lock(s);
    bool good = store_latest(s, seen, context, why);
    pthread_mutex_lock(&all->mutex);
    if (good) {
        show_latest(&all->out, seen, context);
        show_latest(&all->in, seen, context);
    }
    pthread_mutex_unlock(&all->mutex);
    store_unlock(s);
    return good;
}
