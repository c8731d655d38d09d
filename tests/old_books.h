/* SPDX-License-Identifier: MIT
 *
 * Books of version 3, which knew neither counts of words nor the latest call of a shape, made straight in SQLite: for
 * the test of the migration and for what it takes. The entries have no true sums: nothing here is for `ledger verify`.
 */
#ifndef ANCHORAGE_TESTS_OLD_BOOKS_H
#define ANCHORAGE_TESTS_OLD_BOOKS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>

/* As it stood in the file: it never changes. */
#define OLD_BOOKS_SCHEMA                                                                                               \
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;"                                                      \
    "CREATE TABLE name(id INTEGER PRIMARY KEY, text TEXT NOT NULL);"                                                   \
    "CREATE TABLE shape(id INTEGER PRIMARY KEY, word TEXT NOT NULL, text TEXT NOT NULL,"                               \
    "                   first_day INTEGER NOT NULL, last_day INTEGER NOT NULL);"                                       \
    "INSERT INTO shape VALUES(1, 'other', '', 0, 0);"                                                                  \
    "CREATE TABLE entry(seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind INTEGER NOT NULL, id NOT NULL, ref,"      \
    "                   team INTEGER NOT NULL, key INTEGER NOT NULL, client TEXT, tbl INTEGER NOT NULL, target TEXT,"  \
    "                   shape INTEGER, rows INTEGER, units INTEGER, units_predicted INTEGER, units_alone INTEGER,"     \
    "                   results INTEGER, via INTEGER, paid_by, flags INTEGER, approximate INTEGER, fault INTEGER,"     \
    "                   duration_ms INTEGER, sum INTEGER NOT NULL);"                                                   \
    "CREATE TRIGGER entry_stays BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries never change'); END;"        \
    "CREATE TABLE rollup(hour INTEGER NOT NULL, team INTEGER NOT NULL, key INTEGER NOT NULL, tbl INTEGER NOT NULL,"    \
    "                    calls INTEGER NOT NULL, results INTEGER NOT NULL, rows INTEGER NOT NULL,"                     \
    "                    units INTEGER NOT NULL, units_predicted INTEGER NOT NULL, units_alone INTEGER NOT NULL,"      \
    "                    units_unknown INTEGER NOT NULL, faults INTEGER NOT NULL,"                                     \
    "                    first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,"                                       \
    "                    PRIMARY KEY(hour, team, key, tbl)) WITHOUT ROWID;"                                            \
    "CREATE TABLE key(id TEXT PRIMARY KEY, digest BLOB NOT NULL UNIQUE, team TEXT NOT NULL, name TEXT NOT NULL,"       \
    "                 disabled INTEGER NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;"                             \
    "CREATE TABLE team_limit(team TEXT PRIMARY KEY, rows INTEGER NOT NULL, units INTEGER NOT NULL) WITHOUT ROWID;"     \
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"                                  \
    "INSERT INTO meta VALUES('floor', 1);"                                                                             \
    "CREATE TABLE stranger(place INTEGER PRIMARY KEY, digest BLOB NOT NULL, client TEXT NOT NULL, agent TEXT NOT "     \
    "NULL,"                                                                                                            \
    "                      tables TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"                       \
    "                      calls INTEGER NOT NULL, metered INTEGER NOT NULL);"                                         \
    "CREATE TABLE closed(month INTEGER NOT NULL, team INTEGER NOT NULL, key INTEGER NOT NULL, tbl INTEGER NOT NULL,"   \
    "                    calls INTEGER NOT NULL, results INTEGER NOT NULL, rows INTEGER NOT NULL,"                     \
    "                    units INTEGER NOT NULL, units_predicted INTEGER NOT NULL, units_alone INTEGER NOT NULL,"      \
    "                    units_unknown INTEGER NOT NULL, faults INTEGER NOT NULL,"                                     \
    "                    PRIMARY KEY(month, team, key, tbl)) WITHOUT ROWID;"                                           \
    "INSERT INTO meta VALUES('cut_seq', 0), ('cut_sum', 0);"                                                           \
    "PRAGMA application_id = 1634626412; PRAGMA user_version = 3; COMMIT"

/* Names 1 to 8 are marks and faults, then 5 teams, 40 keys, the table. Holds and ends by turns, a call every 130
 * seconds of two years for ten million entries; a tenth of the ends has a fault, most others have marks. */
#define OLD_BOOKS_NAMES                                                                                                \
    "INSERT INTO name VALUES(1, 'last_visited,stats.refpages'), (2, 'rows,where.backlinks,last_visited'),"             \
    "                       (3, 'anchor.case'), (4, 'stats.refpages'), (5, 'upstream_late'), (6, 'out_of_units'),"     \
    "                       (7, 'bad_target'), (8, 'upstream_down');"                                                  \
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 4)"                                      \
    "  INSERT INTO name SELECT 9 + i, 'team' || i FROM n;"                                                             \
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 39)"                                     \
    "  INSERT INTO name SELECT 14 + i, 'key' || i FROM n;"                                                             \
    "INSERT INTO name VALUES(54, 'anchors');"                                                                          \
    "INSERT INTO shape VALUES(2, '0123456789ab', 'anchors subdomains select:anchor+ json', 20000, 20000)"

#define OLD_BOOKS_ENTRIES                                                                                              \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %lld)"                                   \
    "  INSERT INTO entry SELECT i, 1735689600000 + i * 6307, CASE WHEN i %% 2 THEN 1 WHEN i %% 20 THEN 2 ELSE 3 END,"  \
    "    CAST(printf('%%016d', (i + 1) / 2) AS BLOB), NULL, 9 + i / 2 %% 40 / 8, 14 + i / 2 %% 40, '10.1.2.7', 54,"    \
    "    'example' || i / 2 %% 1000 || '.com', 2, CASE i %% 2 WHEN 1 THEN 8 ELSE 3 END, 150, 150, 150, 2, 1, NULL, 1," \
    "    CASE WHEN i %% 2 OR i %% 20 = 0 THEN 0 ELSE i / 2 %% 5 END,"                                                  \
    "    CASE WHEN i %% 20 THEN 0 ELSE 5 + i / 20 %% 4 END, 412, 0 FROM n;"                                            \
    "INSERT INTO rollup SELECT time / 3600000, team, key, tbl, sum(kind > 1), sum(iif(kind > 1, results, 0)),"         \
    "    sum(iif(kind = 2, rows, 0)), sum(iif(kind = 2, units, 0)), sum(iif(kind > 1, units_predicted, 0)),"           \
    "    sum(iif(kind > 1, units_alone, 0)), 0, sum(fault > 0), min(seq), max(seq) FROM entry GROUP BY 1, 2, 3, 4;"    \
    "UPDATE meta SET value = %lld WHERE name = 'floor'"

/* Make them in `file`, with so many entries. False, and a line on standard error, when that failed. */
static inline bool old_books_make(const char *file, long long entries)
{
    char sql[4096], *why = NULL;
    sqlite3 *db = NULL;
    snprintf(sql, sizeof sql, OLD_BOOKS_ENTRIES, entries, entries + 1);
    bool good = sqlite3_open(file, &db) == SQLITE_OK &&
                sqlite3_exec(db, OLD_BOOKS_SCHEMA, NULL, NULL, &why) == SQLITE_OK &&
                sqlite3_exec(db, "BEGIN", NULL, NULL, &why) == SQLITE_OK &&
                sqlite3_exec(db, OLD_BOOKS_NAMES, NULL, NULL, &why) == SQLITE_OK &&
                sqlite3_exec(db, sql, NULL, NULL, &why) == SQLITE_OK &&
                sqlite3_exec(db, "COMMIT", NULL, NULL, &why) == SQLITE_OK;
    if (!good)
        fprintf(stderr, "%s: %s\n", file, why ? why : "cannot be made");
    sqlite3_free(why);
    return sqlite3_close(db) == SQLITE_OK && good;
}

#endif
