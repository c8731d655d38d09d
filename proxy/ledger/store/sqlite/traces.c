/* SPDX-License-Identifier: MIT
 * What is counted beside the entries, in SQLite. Counts of entries gather in memory and are written once in a while,
 * together with the place up to which they go: after a crash the entries behind it are counted again, so that none is
 * missing and none is there twice. In books of an older version that place is their beginning. */
#include <sqlite3.h>
#include <stdlib.h>

#include "proxy/ledger/entries/bounds.h"
#include "proxy/ledger/store/schema.h"
#include "proxy/ledger/store/sqlite/inside.h"

enum {
    MUCH = 1024,               /* counts that are written at once, whatever the time */
    UNTRACED_AT_ONCE = 500000, /* entries that are counted in one transaction when the books are opened */
    TRIMMED_AT_ONCE = 256,     /* and what is left of the hour of the last */
    UNTRACED_STAY = 4096,      /* so few are counted again at each opening until they are written with others */
};

/* The latest call of a shape that is not on disk. */
struct latest_call {
    int64_t time_ms, bytes;
    int32_t team, key;
    size_t n;
    char text[];
};

static const struct slice refused_word = SLICE(LEDGER_REFUSED_WORD);

/* ---- in memory ---- */

static void drop_calls(struct traces *t)
{
    for (int32_t i = 0; i < t->room; i++) {
        free(t->calls[i]);
        t->calls[i] = NULL;
    }
    t->n_calls = 0;
}

void traces_forget(struct store *s)
{
    struct traces *t = &s->traces;
    drop_calls(t);
    free(t->calls);
    trace_set_clear(&t->counted);
    *t = (struct traces){ 0 };
}

static bool make_room(struct traces *t, int32_t shape)
{
    if (shape < t->room)
        return true;
    int32_t room = shape + 256;
    struct latest_call **more = realloc(t->calls, (size_t)room * sizeof *more);
    if (!more)
        return false;
    for (int32_t i = t->room; i < room; i++)
        more[i] = NULL;
    t->calls = more;
    t->room = room;
    return true;
}

/* One that finds no memory is not remembered: no call is to fail for it. */
static void keep_call(struct traces *t, int32_t shape, const struct latest_call *head, struct slice text)
{
    struct latest_call *one = malloc(sizeof *one + text.n);
    if (!one || !make_room(t, shape)) {
        free(one);
        return;
    }
    *one = *head;
    one->n = text.n;
    if (text.n)
        memcpy(one->text, text.p, text.n);
    t->n_calls += !t->calls[shape];
    free(t->calls[shape]);
    t->calls[shape] = one;
}

bool traces_count(struct store *s, const struct entry *e, int32_t marks, int32_t fault, int32_t shape)
{
    struct trace_key at = { .hour = hour_of_ms(e->time_ms),
                            .team = e->team_id,
                            .key = e->key_id,
                            .table = e->table_id,
                            .fault = fault,
                            .more = marks,
                            .via = trace_via(e) };
    if (!entry_is_end(e))
        return true;
    if (shape && e->call_bytes)
        keep_call(&s->traces, shape, &(struct latest_call){ e->time_ms, e->call_bytes, e->team_id, e->key_id, 0 },
                  e->call);
    return (!fault && !marks && !at.via) || trace_set_add(&s->traces.counted, &at, 1, e->time_ms);
}

/* ---- writing ---- */

static bool write_count(struct store *s, const struct trace *t, enum trace_what what, int32_t word)
{
    const int64_t values[] = { t->at.hour, t->at.team, t->at.key, t->at.table, what, word, t->calls, t->last_ms };
    sqlite3_stmt *st = s->sql[SQL_TRACE];
    if (word < 0)
        return false;
    for (int i = 0; i < 8; i++)
        sqlite3_bind_int64(st, i + 1, values[i]);
    return sqlite_done(st);
}

static bool write_marks(struct store *s, const struct trace *t)
{
    struct slice rest = names_text(&s->names, t->at.more - 1LL);
    bool good = !rest.n || write_count(s, t, TRACE_MARKED, 0), of_rows = false;
    while (good && rest.n) {
        struct slice word = slice_split(rest, ',', &rest);
        of_rows = of_rows || trace_is_of_rows(word);
        good = write_count(s, t, TRACE_MARK, sqlite_name(s, word));
    }
    return good && (!of_rows || write_count(s, t, TRACE_MARKED_ROWS, 0));
}

static bool write_latest(struct store *s, int32_t shape, const struct latest_call *one, struct slice text)
{
    sqlite3_stmt *st = s->sql[SQL_LATEST];
    sqlite3_bind_int64(st, 1, shape);
    sqlite3_bind_int64(st, 2, one->time_ms);
    sqlite3_bind_int64(st, 3, one->team);
    sqlite3_bind_int64(st, 4, one->key);
    sqlite3_bind_int64(st, 5, one->bytes);
    sqlite_bind_text(st, 6, text);
    return sqlite_done(st);
}

static bool write_number(struct store *s, enum statement which, int64_t number)
{
    sqlite3_bind_int64(s->sql[which], 1, number);
    return sqlite_done(s->sql[which]);
}

/* What the entries up to `seq` say. */
static bool write_counted(struct store *s, int64_t seq)
{
    struct traces *t = &s->traces;
    for (uint32_t i = 0; i < t->counted.n; i++) {
        const struct trace *one = &t->counted.rows[i];
        if ((one->at.fault && !write_count(s, one, TRACE_FAULT, one->at.fault)) || !write_marks(s, one) ||
            (one->at.via && !write_count(s, one, trace_of_via(one->at.via), 0)))
            return false;
    }
    for (int32_t i = 0; i < t->room && t->n_calls; i++) {
        const struct latest_call *one = t->calls[i];
        if (one && !write_latest(s, i, one, slice_of(one->text, one->n)))
            return false;
    }
    trace_set_reset(&t->counted);
    drop_calls(t);
    t->seq = seq;
    return write_number(s, SQL_TRACED_SEQ, seq);
}

/* The number of the shape of a refused call. */
static int32_t refused_shape(struct store *s, struct slice text, int64_t now_ms)
{
    int32_t number = names_find(&s->shapes.texts, text);
    if (number >= 0)
        return number + 1;
    if (s->traces.n_refused_shapes >= STORE_REFUSED_SHAPES || s->shapes.texts.n >= SCHEMA_MAX_SHAPES)
        return 1;
    s->traces.n_refused_shapes++;
    return sqlite_new_shape(s, text, day_of_ms(now_ms).n);
}

static bool write_refusal(struct store *s, const struct refusal_row *r)
{
    struct trace t = { .at = { .hour = r->hour,
                               .team = sqlite_name(s, r->team),
                               .key = sqlite_name(s, r->key),
                               .table = sqlite_name(s, r->table) },
                       .calls = r->calls,
                       .last_ms = r->last_ms };
    return t.at.team >= 0 && t.at.key >= 0 && t.at.table >= 0 &&
           write_count(s, &t, TRACE_REFUSED, sqlite_name(s, r->fault)) &&
           (!r->shape.n || write_count(s, &t, TRACE_SHAPE, refused_shape(s, r->shape, r->last_ms)));
}

static bool write_latest_refused(struct store *s, const struct latest_row *r)
{
    struct latest_call one = { r->time_ms, r->bytes, sqlite_name(s, r->team), sqlite_name(s, r->key), 0 };
    int32_t shape = refused_shape(s, r->shape, r->time_ms);
    return one.team >= 0 && one.key >= 0 && shape > 0 && write_latest(s, shape, &one, r->call);
}

bool traces_write(struct store *s, const struct store_batch *batch)
{
    for (size_t i = 0; i < batch->n_refusals; i++) {
        if (!write_refusal(s, &batch->refusals[i]))
            return false;
    }
    for (size_t i = 0; i < batch->n_latest; i++) {
        if (!write_latest_refused(s, &batch->latest[i]))
            return false;
    }
    if (batch->turn && !write_number(s, SQL_TRACED_TURN, batch->turn))
        return false;
    return (!batch->traces && s->traces.counted.n < MUCH) || write_counted(s, s->next_seq - 1);
}

void traces_written(struct store *s, const struct store_batch *batch)
{
    if (batch->turn)
        s->traces.turn = batch->turn;
}

bool traces_cut(struct store *s, int64_t before_ms)
{
    int64_t hour = before_ms > 0 ? hour_of_ms(before_ms) : 0;
    if (hour <= s->traces.floor)
        return true;
    s->traces.floor = hour;
    return write_number(s, SQL_TRACED_HOUR, hour);
}

bool traces_trim(struct store *s, int64_t before_ms, bool *more)
{
    if (!traces_cut(s, before_ms))
        return false;
    *more = true;
    for (int64_t removed = 0; *more && removed < TRIMMED_AT_ONCE; removed += sqlite3_changes(s->db)) {
        if (!write_number(s, SQL_TRIM_TRACES, s->traces.floor))
            return false;
        *more = sqlite3_changes(s->db) > 0;
    }
    return *more || write_number(s, SQL_TRIM_LATEST, before_ms);
}

/* ---- opening ---- */

/* Count entries from behind `*seq` on; *n: how many there were. */
static bool count_untraced(struct store *s, int64_t *seq, int *n)
{
    sqlite3_stmt *st = s->sql[SQL_READ_UNTRACED];
    bool good = true;
    sqlite3_bind_int64(st, 1, *seq);
    sqlite3_bind_int64(st, 2, UNTRACED_AT_ONCE);
    for (*n = 0; good && sqlite3_step(st) == SQLITE_ROW; ++*n) {
        struct entry e = { .kind = (enum entry_kind)sqlite3_column_int(st, 2),
                           .time_ms = bounds_ms(sqlite3_column_int64(st, 1)),
                           .team_id = sqlite3_column_int(st, 3),
                           .key_id = sqlite3_column_int(st, 4),
                           .table_id = sqlite3_column_int(st, 5),
                           .via = (enum entry_via)sqlite3_column_int(st, 8) };
        *seq = sqlite3_column_int64(st, 0);
        good = traces_count(s, &e, sqlite3_column_int(st, 6), sqlite3_column_int(st, 7), 0);
    }
    return sqlite_reset(st) && good;
}

static bool catch_up(struct store *s)
{
    int64_t seq = s->traces.seq;
    int n;
    do {
        if (!count_untraced(s, &seq, &n))
            return false;
        if (n > UNTRACED_STAY &&
            (!sqlite_done(s->sql[SQL_BEGIN]) || !write_counted(s, seq) || !sqlite_done(s->sql[SQL_COMMIT])))
            return false;
    } while (n == UNTRACED_AT_ONCE);
    return true;
}

bool traces_load(struct store *s)
{
    struct traces *t = &s->traces;
    for (int32_t i = 0; i < s->shapes.texts.n; i++)
        t->n_refused_shapes += slice_starts(s->shapes.texts.text[i], refused_word);
    return sqlite_number(s->sql[SQL_READ_TRACED_SEQ], &t->seq) &&
           sqlite_number(s->sql[SQL_READ_TRACED_TURN], &t->turn) &&
           sqlite_number(s->sql[SQL_READ_TRACED_HOUR], &t->floor) && bounds_seq(t->seq) && catch_up(s);
}

/* ---- reading ---- */

struct showing {
    struct store *store;
    trace_seen *seen;
    void *context;
};

static void show_word(const struct showing *to, const struct trace *t, enum trace_what what, struct slice word)
{
    const struct names *names = &to->store->names;
    struct trace_row row = { .hour = t->at.hour,
                             .what = what,
                             .team_id = t->at.team,
                             .key_id = t->at.key,
                             .table_id = t->at.table,
                             .team = names_text(names, t->at.team - 1LL),
                             .key = names_text(names, t->at.key - 1LL),
                             .table = names_text(names, t->at.table - 1LL),
                             .word = word,
                             .calls = t->calls,
                             .last_ms = t->last_ms };
    to->seen(to->context, &row);
}

static void show(const struct showing *to, const struct trace *t, enum trace_what what, int64_t word)
{
    const struct store *s = to->store;
    if (what != TRACE_SHAPE)
        show_word(to, t, what, names_text(&s->names, word - 1));
    else
        show_word(to, t, what, names_text(&s->shapes.texts, word - 1));
}

static void show_counted(const struct showing *to, const struct trace *t)
{
    struct slice rest = names_text(&to->store->names, t->at.more - 1LL);
    bool of_rows = false;
    if (t->at.fault)
        show(to, t, TRACE_FAULT, t->at.fault);
    if (t->at.via)
        show(to, t, trace_of_via(t->at.via), 0);
    if (rest.n)
        show(to, t, TRACE_MARKED, 0);
    while (rest.n) {
        struct slice word = slice_split(rest, ',', &rest);
        of_rows = of_rows || trace_is_of_rows(word);
        show_word(to, t, TRACE_MARK, word);
    }
    if (of_rows)
        show(to, t, TRACE_MARKED_ROWS, 0);
}

bool store_traces(struct store *s, int64_t since_hour, int64_t until_hour, trace_seen *seen, void *context,
                  struct buffer *why)
{
    struct showing to = { s, seen, context };
    sqlite3_stmt *st = sqlite_begin_read(s, SQL_READ_TRACES, why);
    if (!st)
        return false;
    sqlite3_bind_int64(st, 1, since_hour);
    sqlite3_bind_int64(st, 2, until_hour);
    while (sqlite3_step(st) == SQLITE_ROW) {
        struct trace t = { .at = { .hour = bounds_hour(sqlite3_column_int64(st, 0)),
                                   .team = sqlite3_column_int(st, 1),
                                   .key = sqlite3_column_int(st, 2),
                                   .table = sqlite3_column_int(st, 3) },
                           .calls = bounds_amount(sqlite3_column_int64(st, 6)),
                           .last_ms = bounds_ms(sqlite3_column_int64(st, 7)) };
        show(&to, &t, (enum trace_what)sqlite3_column_int(st, 4), sqlite3_column_int64(st, 5));
    }
    for (uint32_t i = 0; i < s->traces.counted.n; i++) {
        const struct trace *t = &s->traces.counted.rows[i];
        if (t->at.hour >= since_hour && t->at.hour < until_hour)
            show_counted(&to, t);
    }
    return sqlite_end_read(s, st, why);
}

bool store_next_trace(struct store *s, int64_t from_hour, int64_t *hour, struct buffer *why)
{
    sqlite3_stmt *st = sqlite_begin_read(s, SQL_READ_NEXT_TRACE, why);
    if (!st)
        return false;
    sqlite3_bind_int64(st, 1, from_hour);
    *hour = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : INT64_MAX;
    if (*hour < from_hour) /* somebody wrote a text there, which is greater than any number */
        *hour = INT64_MAX;
    for (uint32_t i = 0; i < s->traces.counted.n; i++) {
        int64_t counted = s->traces.counted.rows[i].at.hour;
        *hour = counted >= from_hour && counted < *hour ? counted : *hour;
    }
    return sqlite_end_read(s, st, why);
}

static void show_latest(const struct store *s, int64_t shape, const struct latest_call *one, struct slice call,
                        store_latest_seen *seen, void *context)
{
    if (shape < 1 || shape > s->shapes.texts.n)
        return;
    struct latest_row row = { .shape = slice_str(s->shapes.list[shape - 1].word),
                              .shape_text = names_text(&s->shapes.texts, shape - 1),
                              .team = names_text(&s->names, one->team - 1LL),
                              .key = names_text(&s->names, one->key - 1LL),
                              .call = call,
                              .bytes = one->bytes,
                              .time_ms = one->time_ms };
    seen(context, &row);
}

bool store_latest(struct store *s, store_latest_seen *seen, void *context, struct buffer *why)
{
    const struct traces *t = &s->traces;
    sqlite3_stmt *st = sqlite_begin_read(s, SQL_READ_LATEST, why);
    if (!st)
        return false;
    while (sqlite3_step(st) == SQLITE_ROW) {
        int64_t shape = sqlite3_column_int64(st, 0);
        struct latest_call one = { bounds_ms(sqlite3_column_int64(st, 1)), bounds_amount(sqlite3_column_int64(st, 4)),
                                   sqlite3_column_int(st, 2), sqlite3_column_int(st, 3), 0 };
        const char *text = (const char *)sqlite3_column_text(st, 5);
        if (shape < 0 || shape >= t->room || !t->calls[shape])
            show_latest(s, shape, &one, slice_of(text, (size_t)sqlite3_column_bytes(st, 5)), seen, context);
    }
    for (int32_t i = 0; i < t->room; i++) {
        if (t->calls[i])
            show_latest(s, i, t->calls[i], slice_of(t->calls[i]->text, t->calls[i]->n), seen, context);
    }
    return sqlite_end_read(s, st, why);
}

bool store_has_traces(struct store *s)
{
    store_lock(s);
    bool has = s->db && (s->traces.counted.n || s->traces.n_calls);
    store_unlock(s);
    return has;
}

int64_t store_traces_turn(struct store *s)
{
    store_lock(s);
    int64_t turn = s->traces.turn;
    store_unlock(s);
    return turn;
}

int64_t store_traces_since(struct store *s)
{
    store_lock(s);
    int64_t since = s->traces.floor;
    store_unlock(s);
    return since;
}
