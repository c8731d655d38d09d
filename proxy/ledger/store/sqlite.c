/* SPDX-License-Identifier: MIT
 * The books in SQLite: one connection that nobody else may share, write-ahead log, every commit on disk before it
 * counts. What stands beside the entries is in the folder. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "proxy/ledger/entries/bounds.h"
#include "proxy/ledger/entries/chain.h"
#include "proxy/ledger/entries/ids.h"
#include "proxy/ledger/store/files.h"
#include "proxy/ledger/store/removal.h"
#include "proxy/ledger/store/schema.h"
#include "proxy/ledger/store/sqlite/inside.h"

enum {
    FLOOR_STEP = 4096, /* entries that recovery may read for nothing */
    MAX_SHAPE = 4096,  /* bytes of a shape that is kept */
    FLAG_WHERE = 1,
    FLAG_HAVING = 2
};

/* ---- opening and closing ---- */

static void configure_library(void)
{
    /* Counting its memory would take a lock at each allocation. Refused when it already runs: no harm. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

struct store *store_new(const char *directory, bool relaxed)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure_library);
    struct store *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    pthread_mutexattr_t nests;
    pthread_mutexattr_init(&nests);
    pthread_mutexattr_settype(&nests, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&s->mutex, &nests);
    pthread_mutexattr_destroy(&nests);
    s->relaxed = relaxed;
    s->lock_fd = -1;
    s->directory = strdup(directory);
    s->file = files_path(directory, "ledger.db");
    s->digester = digester_new();
    if (!s->directory || !s->file || !s->digester) {
        store_free(s);
        return NULL;
    }
    return s;
}

static void forget(struct store *s)
{
    names_clear(&s->names);
    shapes_clear(&s->shapes);
    traces_forget(s);
}

static void shut(struct store *s)
{
    /* A copy that is under way would keep the connection, and its lock, alive. */
    if (s->copy)
        sqlite3_backup_finish(s->copy);
    s->copy = NULL;
    for (int i = 0; i < N_SQL; i++) {
        sqlite3_finalize(s->sql[i]);
        s->sql[i] = NULL;
    }
    sqlite3_close(s->db);
    s->db = NULL;
}

void store_free(struct store *s)
{
    if (!s)
        return;
    shut(s);
    forget(s);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    pthread_mutex_destroy(&s->mutex);
    rollup_set_clear(&s->touched);
    buffer_clear(&s->scratch);
    digester_free(s->digester);
    free(s->directory);
    free(s->file);
    free(s);
}

static bool run(struct store *s, const char *sql)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* The first number a statement gives; `otherwise` when it gives none. */
static bool number_of(struct store *s, const char *sql, int64_t *number)
{
    sqlite3_stmt *st;
    if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK)
        return false;
    bool got = sqlite3_step(st) == SQLITE_ROW;
    if (got)
        *number = sqlite3_column_int64(st, 0);
    return (sqlite3_finalize(st) == SQLITE_OK) && got;
}

static bool migrate(struct store *s, struct buffer *why)
{
    int64_t version = 0, application = 0;
    if (!number_of(s, "PRAGMA user_version", &version) || !number_of(s, "PRAGMA application_id", &application))
        return sqlite_broken(s, why);
    if (version < 0 || version > schema_version || (version > 0 && application != SCHEMA_APPLICATION)) {
        bool newer = version > 0 && application == SCHEMA_APPLICATION;
        buffer_printf(why, "ledger: %s: %s", s->file,
                      newer ? "written by a newer anchorage" : "not a ledger of anchorage");
        return false;
    }
    for (; version < schema_version; version++) {
        char mark[96];
        snprintf(mark, sizeof mark, "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", SCHEMA_APPLICATION,
                 (int)version + 1);
        if (!run(s, "BEGIN IMMEDIATE") || !run(s, schema_steps[version]) || !run(s, mark))
            return sqlite_broken(s, why);
    }
    return true;
}

static struct slice column_text(sqlite3_stmt *st, int i)
{
    const char *p = (const char *)sqlite3_column_text(st, i);
    return slice_of(p, (size_t)sqlite3_column_bytes(st, i));
}

/* One of another length stays as it was. */
static void column_digest(sqlite3_stmt *st, int i, struct digest *digest)
{
    if (sqlite3_column_bytes(st, i) == DIGEST_BYTES)
        memcpy(digest->b, sqlite3_column_blob(st, i), DIGEST_BYTES);
}

static bool load(struct store *s)
{
    forget(s);
    sqlite3_stmt *st = s->sql[SQL_READ_NAMES];
    bool good = true;
    while (good && sqlite3_step(st) == SQLITE_ROW)
        good = names_add(&s->names, column_text(st, 1)) + 1 == sqlite3_column_int64(st, 0);
    good = sqlite_reset(st) && good;
    st = s->sql[SQL_READ_SHAPES];
    while (good && sqlite3_step(st) == SQLITE_ROW)
        good = shapes_add(&s->shapes, column_text(st, 2), column_text(st, 1), sqlite3_column_int(st, 3)) + 1 ==
               sqlite3_column_int64(st, 0);
    good = sqlite_reset(st) && good;
    int64_t cut_sum = 0;
    good = good && sqlite_number(s->sql[SQL_READ_CUT_SEQ], &s->cut.seq) &&
           sqlite_number(s->sql[SQL_READ_CUT_SUM], &cut_sum);
    s->cut.sum = (uint64_t)cut_sum;
    s->next_seq = s->cut.seq;
    s->sum = s->cut.sum;
    st = s->sql[SQL_READ_LAST];
    if (good && sqlite3_step(st) == SQLITE_ROW) {
        s->next_seq = sqlite3_column_int64(st, 0);
        s->sum = (uint64_t)sqlite3_column_int64(st, 1);
    }
    good = sqlite_reset(st) && good;
    good = good && sqlite_number(s->sql[SQL_READ_FLOOR], &s->floor) && s->shapes.texts.n > 0;
    good = good && bounds_seq(s->cut.seq) && bounds_seq(s->floor) && bounds_seq(s->next_seq);
    s->next_seq += good;
    return good && traces_load(s);
}

static bool open_database(struct store *s, struct buffer *why)
{
    if (!files_create(s->file, s->directory, why))
        return false;
    if (sqlite3_open_v2(s->file, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return sqlite_broken(s, why);
    sqlite3_busy_timeout(s->db, 2000);
    /* EXCLUSIVE before WAL: then the index of the log is in our memory, and the lock is never given back. */
    if (!run(s, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA temp_store = MEMORY;"
                "PRAGMA foreign_keys = OFF; PRAGMA journal_size_limit = 16777216") ||
        !run(s, s->relaxed ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL"))
        return sqlite_broken(s, why);
    if (!migrate(s, why))
        return false;
    /* What is in the log may be there only in the cache of a disk that failed to sync it, and would not be tried again:
     * written into the books, it is. */
    int64_t busy = 1;
    if (!number_of(s, "PRAGMA wal_checkpoint(TRUNCATE)", &busy) || busy)
        return sqlite_broken(s, why);
    for (int i = 0; i < N_SQL; i++) {
        if (sqlite3_prepare_v3(s->db, store_statements[i], -1, SQLITE_PREPARE_PERSISTENT, &s->sql[i], NULL) !=
            SQLITE_OK)
            return sqlite_broken(s, why);
    }
    return load(s) || sqlite_broken(s, why);
}

enum store_result store_open(struct store *s, struct buffer *why)
{
    store_lock(s);
    enum store_result result = files_lock(s->directory, &s->lock_fd, why);
    if (result == STORE_OPENED && !s->db && !open_database(s, why)) {
        shut(s);
        result = STORE_BROKEN;
    }
    store_unlock(s);
    return result;
}

/* ---- writing ---- */

static void bind_number(sqlite3_stmt *st, int i, int64_t v)
{
    if (v == ENTRY_NULL)
        sqlite3_bind_null(st, i);
    else
        sqlite3_bind_int64(st, i, v);
}

/* Our own ids as their 16 bytes, any other as text. `bytes` live until the step: SQLite would drop the value of a copy
 * that it finds no memory for. */
static void bind_id(sqlite3_stmt *st, int i, struct slice text, uint8_t bytes[ID_BYTES])
{
    if (id_pack(text, bytes))
        sqlite3_bind_blob(st, i, bytes, ID_BYTES, SQLITE_STATIC);
    else
        sqlite_bind_text(st, i, text);
}

/* Likewise; the last day it was seen is written once a day. */
static int32_t shape_id(struct store *s, struct slice text, int64_t now_ms)
{
    if (!text.n)
        return 0;
    int32_t today = day_of_ms(now_ms).n;
    int32_t number = names_find(&s->shapes.texts, text);
    if (number < 0)
        return text.n > MAX_SHAPE || s->shapes.texts.n >= SCHEMA_MAX_SHAPES ? 1 : sqlite_new_shape(s, text, today);
    if (s->shapes.list[number].last_day >= today)
        return number + 1;
    s->shapes.list[number].last_day = today;
    sqlite3_stmt *st = s->sql[SQL_SHAPE_SEEN];
    sqlite3_bind_int64(st, 1, today);
    sqlite3_bind_int64(st, 2, number + 1);
    return sqlite_done(st) ? number + 1 : -1;
}

static bool write_entry(struct store *s, struct entry *e)
{
    e->team_id = sqlite_name(s, e->team);
    e->key_id = sqlite_name(s, e->key);
    e->table_id = sqlite_name(s, e->table);
    int32_t fault = sqlite_name(s, e->fault), approximate = sqlite_name(s, e->approximate);
    int32_t shape = shape_id(s, e->shape, e->time_ms);
    if (e->team_id < 0 || e->key_id < 0 || e->table_id < 0 || fault < 0 || approximate < 0 || shape < 0)
        return false;
    struct slice shape_text = e->shape;
    e->shape = shape ? slice_str(s->shapes.list[shape - 1].word) : shape_text;
    e->seq = s->next_seq++;
    bool summed = chain_sum(s->digester, &s->scratch, s->sum, e, &e->sum);
    e->shape = shape_text;
    if (!summed)
        return false;
    s->sum = e->sum;

    uint8_t id[ID_BYTES], ref[ID_BYTES], paid_by[ID_BYTES];
    sqlite3_stmt *st = s->sql[SQL_ENTRY];
    int i = 1;
    sqlite3_bind_int64(st, i++, e->seq);
    sqlite3_bind_int64(st, i++, e->time_ms);
    sqlite3_bind_int64(st, i++, e->kind);
    bind_id(st, i++, e->id, id);
    bind_id(st, i++, e->ref, ref);
    sqlite3_bind_int64(st, i++, e->team_id);
    sqlite3_bind_int64(st, i++, e->key_id);
    sqlite_bind_text(st, i++, e->client);
    sqlite3_bind_int64(st, i++, e->table_id);
    sqlite_bind_text(st, i++, e->target);
    bind_number(st, i++, shape ? shape : ENTRY_NULL);
    bind_number(st, i++, e->rows);
    bind_number(st, i++, e->units);
    sqlite3_bind_int64(st, i++, e->units_predicted);
    sqlite3_bind_int64(st, i++, e->units_alone);
    sqlite3_bind_int64(st, i++, e->results);
    sqlite3_bind_int64(st, i++, e->via);
    bind_id(st, i++, e->paid_by, paid_by);
    sqlite3_bind_int64(st, i++, (e->where ? FLAG_WHERE : 0) | (e->having ? FLAG_HAVING : 0));
    sqlite3_bind_int64(st, i++, approximate);
    sqlite3_bind_int64(st, i++, fault);
    sqlite3_bind_int64(st, i++, e->duration_ms);
    sqlite3_bind_int64(st, i++, (int64_t)e->sum);
    return sqlite_done(st) && rollup_set_add(&s->touched, e) && traces_count(s, e, approximate, fault, shape);
}

/* A row of the hourly sums, or of the closed months: these have no seqs. */
static bool write_sums(struct store *s, enum statement which, const struct rollup *r)
{
    const int64_t values[] = { r->at.hour,
                               r->at.team,
                               r->at.key,
                               r->at.table,
                               r->sums.calls,
                               r->sums.results,
                               r->sums.rows,
                               r->sums.units,
                               r->sums.units_predicted,
                               r->sums.units_alone,
                               r->sums.units_unknown,
                               r->sums.faults,
                               r->first_seq,
                               r->last_seq };
    sqlite3_stmt *st = s->sql[which];
    for (int i = 0; i < sqlite3_bind_parameter_count(st); i++)
        sqlite3_bind_int64(st, i + 1, values[i]);
    return sqlite_done(st);
}

static bool write_key(struct store *s, const struct key_row *key)
{
    sqlite3_stmt *st = s->sql[SQL_KEY];
    sqlite_bind_text(st, 1, key->id);
    sqlite3_bind_blob(st, 2, key->digest.b, DIGEST_BYTES, SQLITE_STATIC);
    sqlite_bind_text(st, 3, key->team);
    sqlite3_bind_text(st, 4, key->name.n ? key->name.p : "", (int)key->name.n, SQLITE_STATIC);
    sqlite3_bind_int64(st, 5, key->disabled);
    sqlite3_bind_int64(st, 6, key->created_ms);
    return sqlite_done(st);
}

static bool write_stranger(struct store *s, const struct stranger_row *one)
{
    const struct slice texts[] = { one->client, one->agent, one->tables };
    sqlite3_stmt *st = s->sql[one->calls ? SQL_STRANGER : SQL_NO_STRANGER];
    sqlite3_bind_int64(st, 1, one->place);
    if (!one->calls)
        return sqlite_done(st);
    sqlite3_bind_blob(st, 2, one->digest.b, DIGEST_BYTES, SQLITE_STATIC);
    for (int i = 0; i < 3; i++)
        sqlite3_bind_text(st, 3 + i, texts[i].n ? texts[i].p : "", (int)texts[i].n, SQLITE_STATIC);
    sqlite3_bind_int64(st, 6, one->first_ms);
    sqlite3_bind_int64(st, 7, one->last_ms);
    sqlite3_bind_int64(st, 8, one->calls);
    sqlite3_bind_int64(st, 9, one->metered);
    return sqlite_done(st);
}

static bool write_limit(struct store *s, const struct limit_row *limit)
{
    sqlite3_stmt *st = s->sql[SQL_LIMIT];
    sqlite3_bind_text(st, 1, limit->team.n ? limit->team.p : "", (int)limit->team.n, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, limit->rows);
    sqlite3_bind_int64(st, 3, limit->units);
    return sqlite_done(st);
}

/* The floor moves only when recovery would otherwise read much for nothing, or when it is the end. */
static bool write_floor(struct store *s, int64_t floor)
{
    if (floor <= s->floor || (floor < s->floor + FLOOR_STEP && floor < s->next_seq))
        return true;
    sqlite3_stmt *st = s->sql[SQL_FLOOR];
    sqlite3_bind_int64(st, 1, floor);
    s->floor = floor;
    return sqlite_done(st);
}

static bool write_all(struct store *s, const struct store_batch *batch)
{
    rollup_set_reset(&s->touched);
    if (!sqlite_done(s->sql[SQL_BEGIN]))
        return false;
    for (size_t i = 0; i < batch->n_entries; i++) {
        if (!write_entry(s, batch->entries[i]))
            return false;
    }
    for (size_t i = 0; i < s->touched.n; i++) {
        if (!write_sums(s, SQL_ROLLUP, &s->touched.rows[i]))
            return false;
    }
    for (size_t i = 0; i < batch->n_keys; i++) {
        if (!write_key(s, &batch->keys[i]))
            return false;
    }
    for (size_t i = 0; i < batch->n_strangers; i++) {
        if (!write_stranger(s, &batch->strangers[i]))
            return false;
    }
    for (size_t i = 0; i < batch->n_limits; i++) {
        if (!write_limit(s, &batch->limits[i]))
            return false;
    }
    return traces_write(s, batch) && write_floor(s, batch->floor) && sqlite_done(s->sql[SQL_COMMIT]);
}

bool store_write(struct store *s, const struct store_batch *batch, struct buffer *why)
{
    store_lock(s);
    bool good = s->db && write_all(s, batch);
    if (good) {
        traces_written(s, batch);
    } else {
        sqlite_broken(s, why);
        shut(s);
    }
    store_unlock(s);
    return good;
}

/* ---- reading ---- */

static struct slice column_id(sqlite3_stmt *st, int i, char text[ID_TEXT])
{
    if (sqlite3_column_type(st, i) != SQLITE_BLOB || sqlite3_column_bytes(st, i) != ID_BYTES)
        return column_text(st, i);
    id_unpack(sqlite3_column_blob(st, i), text);
    return slice_of(text, ID_TEXT);
}

static int64_t column_number(sqlite3_stmt *st, int i)
{
    return sqlite3_column_type(st, i) == SQLITE_NULL ? ENTRY_NULL : sqlite3_column_int64(st, i);
}

struct entry_ids {
    char id[ID_TEXT], ref[ID_TEXT], paid_by[ID_TEXT];
};

/* In the order of the columns. */
static struct entry read_entry(struct store *s, sqlite3_stmt *st, struct entry_ids *ids)
{
    int64_t shape = sqlite3_column_int64(st, 10), flags = sqlite3_column_int64(st, 18);
    struct entry e = {
        .seq = sqlite3_column_int64(st, 0),
        .time_ms = sqlite3_column_int64(st, 1),
        .kind = (enum entry_kind)sqlite3_column_int(st, 2),
        .id = column_id(st, 3, ids->id),
        .ref = column_id(st, 4, ids->ref),
        .team_id = sqlite3_column_int(st, 5),
        .key_id = sqlite3_column_int(st, 6),
        .client = column_text(st, 7),
        .table_id = sqlite3_column_int(st, 8),
        .target = column_text(st, 9),
        .rows = column_number(st, 11),
        .units = column_number(st, 12),
        .units_predicted = sqlite3_column_int64(st, 13),
        .units_alone = sqlite3_column_int64(st, 14),
        .results = sqlite3_column_int64(st, 15),
        .via = (enum entry_via)sqlite3_column_int(st, 16),
        .paid_by = column_id(st, 17, ids->paid_by),
        .where = flags & FLAG_WHERE,
        .having = flags & FLAG_HAVING,
        .approximate = names_text(&s->names, sqlite3_column_int(st, 19) - 1LL),
        .fault = names_text(&s->names, sqlite3_column_int(st, 20) - 1LL),
        .duration_ms = sqlite3_column_int64(st, 21),
        .sum = (uint64_t)sqlite3_column_int64(st, 22),
    };
    e.team = names_text(&s->names, e.team_id - 1LL);
    e.key = names_text(&s->names, e.key_id - 1LL);
    e.table = names_text(&s->names, e.table_id - 1LL);
    shapes_tell(&s->shapes, shape, &e);
    entry_keep_bounds(&e);
    return e;
}

static bool read_entries(struct store *s, int64_t from_seq, size_t max, store_entry_seen *seen, void *context,
                         int64_t *next, struct buffer *why)
{
    sqlite3_stmt *st = sqlite_begin_read(s, SQL_READ_ENTRIES, why);
    if (!st)
        return false;
    sqlite3_bind_int64(st, 1, from_seq);
    sqlite3_bind_int64(st, 2, (int64_t)max);
    size_t n = 0;
    int64_t last = 0;
    for (; sqlite3_step(st) == SQLITE_ROW; n++) {
        struct entry_ids ids;
        struct entry e = read_entry(s, st, &ids);
        last = e.seq;
        seen(context, &e);
    }
    *next = n == max ? last + 1 : 0;
    return sqlite_end_read(s, st, why);
}

void store_end_commands(struct store *s)
{
    store_lock(s);
    s->commands_end = true;
    store_unlock(s);
}

bool store_entries(struct store *s, int64_t from_seq, size_t max, store_entry_seen *seen, void *context, int64_t *next,
                   struct buffer *why)
{
    store_lock(s);
    bool ends = s->commands_end;
    store_unlock(s);
    if (!ends)
        return read_entries(s, from_seq, max, seen, context, next, why);
    buffer_str(why, "ledger: the daemon is being stopped; ask again when it runs");
    return false;
}

static void show_sums(sqlite3_stmt *st, store_rollup_seen *seen, void *context)
{
    while (sqlite3_step(st) == SQLITE_ROW) {
        int64_t v[14];
        for (int i = 0; i < 14; i++)
            v[i] = sqlite3_column_int64(st, i);
        struct rollup r = {
            .at = { .hour = v[0], .team = (int32_t)v[1], .key = (int32_t)v[2], .table = (int32_t)v[3] },
            .sums = { v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11] },
            .first_seq = v[12],
            .last_seq = v[13],
        };
        rollup_keep_bounds(&r);
        seen(context, &r);
    }
}

bool store_rollups(struct store *s, int64_t since_hour, int64_t until_hour, store_rollup_seen *seen, void *context,
                   struct buffer *why)
{
    sqlite3_stmt *st = sqlite_begin_read(s, SQL_READ_ROLLUPS, why);
    if (!st)
        return false;
    sqlite3_bind_int64(st, 1, since_hour);
    sqlite3_bind_int64(st, 2, until_hour);
    show_sums(st, seen, context);
    return sqlite_end_read(s, st, why);
}

bool store_closed(struct store *s, store_rollup_seen *seen, void *context, struct buffer *why)
{
    sqlite3_stmt *st = sqlite_begin_read(s, SQL_READ_CLOSED, why);
    if (!st)
        return false;
    show_sums(st, seen, context);
    return sqlite_end_read(s, st, why);
}

bool store_hours(struct store *s, int64_t *first, int64_t *last, struct buffer *why)
{
    store_lock(s);
    bool good = s->db && number_of(s, "SELECT min(hour) FROM rollup", first) &&
                number_of(s, "SELECT max(hour) FROM rollup", last);
    if (!good)
        sqlite_broken(s, why);
    store_unlock(s);
    return good;
}

bool store_days(struct store *s, struct day since, store_day_seen *seen, void *context, struct buffer *why)
{
    sqlite3_stmt *st = sqlite_begin_read(s, SQL_READ_DAYS, why);
    if (!st)
        return false;
    sqlite3_bind_int64(st, 1, (int64_t)since.n * 24);
    while (sqlite3_step(st) == SQLITE_ROW)
        seen(context, names_text(&s->names, sqlite3_column_int(st, 0) - 1LL), (struct day){ sqlite3_column_int(st, 1) },
             bounds_amount(sqlite3_column_int64(st, 2)), bounds_amount(sqlite3_column_int64(st, 3)));
    return sqlite_end_read(s, st, why);
}

bool store_keys(struct store *s, store_key_seen *seen, void *context, struct buffer *why)
{
    sqlite3_stmt *st = sqlite_begin_read(s, SQL_READ_KEYS, why);
    if (!st)
        return false;
    while (sqlite3_step(st) == SQLITE_ROW) {
        struct key_row key = {
            .id = column_text(st, 0),
            .team = column_text(st, 2),
            .name = column_text(st, 3),
            .disabled = sqlite3_column_int(st, 4),
            .created_ms = bounds_ms(sqlite3_column_int64(st, 5)),
        };
        column_digest(st, 1, &key.digest);
        seen(context, &key);
    }
    return sqlite_end_read(s, st, why);
}

bool store_key_uses(struct store *s, store_use_seen *seen, void *context, struct buffer *why)
{
    sqlite3_stmt *st = sqlite_begin_read(s, SQL_READ_USES, why);
    if (!st)
        return false;
    while (sqlite3_step(st) == SQLITE_ROW)
        seen(context, names_text(&s->names, sqlite3_column_int(st, 0) - 1LL), bounds_hour(sqlite3_column_int64(st, 1)));
    return sqlite_end_read(s, st, why);
}

bool store_limits(struct store *s, store_limit_seen *seen, void *context, struct buffer *why)
{
    sqlite3_stmt *st = sqlite_begin_read(s, SQL_READ_LIMITS, why);
    if (!st)
        return false;
    while (sqlite3_step(st) == SQLITE_ROW)
        seen(context, &(struct limit_row){ .team = column_text(st, 0),
                                           .rows = sqlite3_column_int64(st, 1),
                                           .units = sqlite3_column_int64(st, 2) });
    return sqlite_end_read(s, st, why);
}

bool store_strangers(struct store *s, store_stranger_seen *seen, void *context, struct buffer *why)
{
    sqlite3_stmt *st = sqlite_begin_read(s, SQL_READ_STRANGERS, why);
    if (!st)
        return false;
    while (sqlite3_step(st) == SQLITE_ROW) {
        struct stranger_row one = {
            .place = sqlite3_column_int(st, 0),
            .client = column_text(st, 2),
            .agent = column_text(st, 3),
            .tables = column_text(st, 4),
            .first_ms = bounds_ms(sqlite3_column_int64(st, 5)),
            .last_ms = bounds_ms(sqlite3_column_int64(st, 6)),
            .calls = bounds_amount(sqlite3_column_int64(st, 7)),
            .metered = sqlite3_column_int(st, 8),
        };
        column_digest(st, 1, &one.digest);
        seen(context, &one);
    }
    return sqlite_end_read(s, st, why);
}

void store_names(struct store *s, store_name_seen *seen, void *context)
{
    store_lock(s);
    for (int32_t i = 0; i < s->names.n; i++)
        seen(context, s->names.text[i]);
    store_unlock(s);
}

/* ---- removing ---- */

static bool write_cut(struct store *s, const struct removal *r)
{
    bool good = sqlite_done(s->sql[SQL_BEGIN]);
    for (size_t i = 0; good && i < r->sums.n; i++)
        good = write_sums(s, SQL_CLOSED, &r->sums.rows[i]);
    sqlite3_bind_int64(s->sql[SQL_REMOVE], 1, r->cut.seq);
    sqlite3_bind_int64(s->sql[SQL_CUT_SEQ], 1, r->cut.seq);
    sqlite3_bind_int64(s->sql[SQL_CUT_SUM], 1, (int64_t)r->cut.sum);
    return good && traces_cut(s, r->before_ms) && sqlite_done(s->sql[SQL_REMOVE]) && sqlite_done(s->sql[SQL_CUT_SEQ]) &&
           sqlite_done(s->sql[SQL_CUT_SUM]) && sqlite_done(s->sql[SQL_COMMIT]);
}

bool store_trim(struct store *s, int64_t before_ms, int64_t before_seq, size_t max, bool *more, struct buffer *why)
{
    struct removal r = { .before_ms = before_ms, .before_seq = before_seq };
    int64_t next = 0;
    store_lock(s);
    bool waits = s->cut_stays > 0;
    bool good = waits || read_entries(s, s->cut.seq + 1, max, removal_add, &r, &next, why);
    *more = waits || (good && next && !r.ends && !r.failed);
    if (good && !r.failed && r.n) {
        good = write_cut(s, &r);
        if (good)
            s->cut = r.cut;
        else
            sqlite_broken(s, why);
    }
    if (good && !*more && !traces_trim(s, before_ms, more))
        good = sqlite_broken(s, why);
    if (!good)
        shut(s);
    store_unlock(s);
    rollup_set_clear(&r.sums);
    return good;
}

void store_cut_stays(struct store *s, bool stays)
{
    store_lock(s);
    s->cut_stays += stays ? 1 : -1;
    store_unlock(s);
}

struct cut store_cut(struct store *s)
{
    store_lock(s);
    struct cut cut = s->cut;
    store_unlock(s);
    return cut;
}

int64_t store_floor(struct store *s)
{
    store_lock(s);
    int64_t floor = s->floor;
    store_unlock(s);
    return floor;
}

int64_t store_last_seq(struct store *s)
{
    store_lock(s);
    int64_t last = s->next_seq - 1;
    store_unlock(s);
    return last;
}

struct slice store_name(struct store *s, int32_t id)
{
    store_lock(s);
    struct slice text = names_text(&s->names, (int64_t)id - 1);
    store_unlock(s);
    return text;
}

/* ---- care ---- */

static bool check_lines(sqlite3 *db, struct buffer *out)
{
    sqlite3_stmt *st;
    if (sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &st, NULL) != SQLITE_OK)
        return false;
    while (sqlite3_step(st) == SQLITE_ROW) {
        struct slice line = column_text(st, 0);
        if (!slice_eq(line, S("ok")))
            buffer_printf(out, "%.*s\n", SLICE_ARGS(line));
    }
    return sqlite3_finalize(st) == SQLITE_OK;
}

bool store_check(struct store *s, struct buffer *out, struct buffer *why)
{
    store_lock(s);
    bool good = s->db && check_lines(s->db, out);
    if (!good)
        sqlite_broken(s, why);
    store_unlock(s);
    return good;
}

static int copy_some(struct store *s)
{
    store_lock(s);
    int status = s->copy && !s->commands_end ? sqlite3_backup_step(s->copy, 256) : SQLITE_ABORT;
    store_unlock(s);
    return status;
}

static bool copy_pages(struct store *s, sqlite3 *to)
{
    store_lock(s);
    bool begun = s->db && !s->copy && (s->copy = sqlite3_backup_init(to, "main", s->db, "main"));
    store_unlock(s);
    int status = begun ? SQLITE_OK : SQLITE_ABORT;
    while (status == SQLITE_OK)
        status = copy_some(s);
    store_lock(s);
    /* When the store failed meanwhile, it has ended the copy already. */
    bool good = begun && s->copy && sqlite3_backup_finish(s->copy) == SQLITE_OK && status == SQLITE_DONE;
    if (begun)
        s->copy = NULL;
    store_unlock(s);
    return good;
}

bool store_backup(struct store *s, const char *file, struct buffer *why)
{
    if (!files_create_new(file, why))
        return false;
    sqlite3 *to = NULL;
    bool good = sqlite3_open_v2(file, &to, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK && copy_pages(s, to);
    if (!good)
        buffer_printf(why, "ledger: %s: the copy cannot be made: %s", file, to ? sqlite3_errmsg(to) : "no memory");
    sqlite3_close(to);
    if (!good)
        unlink(file);
    return good;
}
