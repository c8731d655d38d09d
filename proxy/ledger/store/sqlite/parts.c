/* SPDX-License-Identifier: MIT
 * What all tables of the books in SQLite need: running a statement, the numbers of texts, the lock. */
#include <sqlite3.h>
#include <stdio.h>

#include "proxy/ledger/store/sqlite/inside.h"

void store_lock(struct store *s)
{
    pthread_mutex_lock(&s->mutex);
}

void store_unlock(struct store *s)
{
    pthread_mutex_unlock(&s->mutex);
}

/* For failures of the database; always false. */
bool sqlite_broken(struct store *s, struct buffer *why)
{
    int code = s->db ? sqlite3_errcode(s->db) : SQLITE_ERROR;
    bool odd = code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE;
    const char *what = s->db ? sqlite3_errmsg(s->db) : "not open";
    buffer_printf(why, "ledger: %s: %s", s->file, odd ? "not as anchorage wrote it, or memory is out" : what);
    return false;
}

bool sqlite_reset(sqlite3_stmt *st)
{
    return sqlite3_reset(st) == SQLITE_OK;
}

bool sqlite_number(sqlite3_stmt *st, int64_t *number)
{
    bool got = sqlite3_step(st) == SQLITE_ROW;
    if (got)
        *number = sqlite3_column_int64(st, 0);
    return sqlite_reset(st) && got;
}

bool sqlite_done(sqlite3_stmt *st)
{
    bool good = sqlite3_step(st) == SQLITE_DONE;
    return sqlite_reset(st) && good;
}

void sqlite_bind_text(sqlite3_stmt *st, int i, struct slice text)
{
    if (text.n)
        sqlite3_bind_text(st, i, text.p, (int)text.n, SQLITE_STATIC);
    else
        sqlite3_bind_null(st, i);
}

/* The number a text stands for, written if it is new; -1 on failure. */
int32_t sqlite_name(struct store *s, struct slice text)
{
    if (!text.n)
        return 0;
    int32_t number = names_find(&s->names, text);
    if (number >= 0)
        return number + 1;
    number = names_add(&s->names, text);
    if (number < 0)
        return -1;
    sqlite3_stmt *st = s->sql[SQL_NAME];
    sqlite3_bind_int64(st, 1, number + 1);
    sqlite_bind_text(st, 2, text);
    return sqlite_done(st) ? number + 1 : -1;
}

int32_t sqlite_new_shape(struct store *s, struct slice text, int32_t today)
{
    struct digest digest = digest_of(s->digester, text);
    char word[SHAPE_WORD + 1];
    shapes_word(&digest, word);
    int32_t number = shapes_add(&s->shapes, text, slice_str(word), today);
    if (number < 0)
        return -1;
    sqlite3_stmt *st = s->sql[SQL_SHAPE];
    sqlite3_bind_int64(st, 1, number + 1);
    sqlite_bind_text(st, 2, slice_str(word));
    sqlite_bind_text(st, 3, text);
    sqlite3_bind_int64(st, 4, today);
    sqlite3_bind_int64(st, 5, today);
    return sqlite_done(st) ? number + 1 : -1;
}

/* Begin reading: NULL, and a line in `why`, when the books are not open. */
sqlite3_stmt *sqlite_begin_read(struct store *s, enum statement which, struct buffer *why)
{
    store_lock(s);
    if (s->db)
        return s->sql[which];
    sqlite_broken(s, why);
    store_unlock(s);
    return NULL;
}

bool sqlite_end_read(struct store *s, sqlite3_stmt *st, struct buffer *why)
{
    bool good = sqlite_reset(st) || sqlite_broken(s, why);
    store_unlock(s);
    return good;
}
