/* SPDX-License-Identifier: MIT
 * The steps of the schema. Entries refer to texts by number: a team or a table stands once in `name`, not in every
 * entry. Nothing but seq is indexed, for every index is paid for with every call. */
#include "proxy/ledger/store/schema.h"

const char *const schema_steps[] = {
    "CREATE TABLE name(id INTEGER PRIMARY KEY, text TEXT NOT NULL);"
    "CREATE TABLE shape(id INTEGER PRIMARY KEY, word TEXT NOT NULL, text TEXT NOT NULL,"
    "                   first_day INTEGER NOT NULL, last_day INTEGER NOT NULL);"
    "INSERT INTO shape VALUES(1, 'other', '', 0, 0);"
    "CREATE TABLE entry(seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind INTEGER NOT NULL, id NOT NULL, ref,"
    "                   team INTEGER NOT NULL, key INTEGER NOT NULL, client TEXT, tbl INTEGER NOT NULL, target TEXT,"
    "                   shape INTEGER, rows INTEGER, units INTEGER, units_predicted INTEGER, units_alone INTEGER,"
    "                   results INTEGER, via INTEGER, paid_by, flags INTEGER, approximate INTEGER, fault INTEGER,"
    "                   duration_ms INTEGER, sum INTEGER NOT NULL);"
    "CREATE TRIGGER entry_stays BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries never change'); END;"
    "CREATE TABLE rollup(hour INTEGER NOT NULL, team INTEGER NOT NULL, key INTEGER NOT NULL, tbl INTEGER NOT NULL,"
    "                    calls INTEGER NOT NULL, results INTEGER NOT NULL, rows INTEGER NOT NULL,"
    "                    units INTEGER NOT NULL, units_predicted INTEGER NOT NULL, units_alone INTEGER NOT NULL,"
    "                    units_unknown INTEGER NOT NULL, faults INTEGER NOT NULL,"
    "                    first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,"
    "                    PRIMARY KEY(hour, team, key, tbl)) WITHOUT ROWID;"
    "CREATE TABLE key(id TEXT PRIMARY KEY, digest BLOB NOT NULL UNIQUE, team TEXT NOT NULL, name TEXT NOT NULL,"
    "                 disabled INTEGER NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE team_limit(team TEXT PRIMARY KEY, rows INTEGER NOT NULL, units INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO meta VALUES('floor', 1);",

    "CREATE TABLE stranger(place INTEGER PRIMARY KEY, digest BLOB NOT NULL, client TEXT NOT NULL, agent TEXT NOT NULL,"
    "                      tables TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    "                      calls INTEGER NOT NULL, metered INTEGER NOT NULL);",

    /* What entries that were removed summed to, by month (years * 12 + months), and the place of the cut. */
    "CREATE TABLE closed(month INTEGER NOT NULL, team INTEGER NOT NULL, key INTEGER NOT NULL, tbl INTEGER NOT NULL,"
    "                    calls INTEGER NOT NULL, results INTEGER NOT NULL, rows INTEGER NOT NULL,"
    "                    units INTEGER NOT NULL, units_predicted INTEGER NOT NULL, units_alone INTEGER NOT NULL,"
    "                    units_unknown INTEGER NOT NULL, faults INTEGER NOT NULL,"
    "                    PRIMARY KEY(month, team, key, tbl)) WITHOUT ROWID;"
    "INSERT INTO meta VALUES('cut_seq', 0), ('cut_sum', 0);",

    /* What is counted beside the entries (trace.h), and the latest call of each shape. Entries behind traced_seq are
     * not counted yet: all of them in books that come from before. */
    "CREATE TABLE trace(hour INTEGER NOT NULL, team INTEGER NOT NULL, key INTEGER NOT NULL, tbl INTEGER NOT NULL,"
    "                   what INTEGER NOT NULL, word INTEGER NOT NULL, calls INTEGER NOT NULL, last INTEGER NOT NULL,"
    "                   PRIMARY KEY(hour, team, key, tbl, what, word)) WITHOUT ROWID;"
    "CREATE TABLE latest(shape INTEGER PRIMARY KEY, time INTEGER NOT NULL, team INTEGER NOT NULL,"
    "                    key INTEGER NOT NULL, bytes INTEGER NOT NULL, call TEXT);"
    "INSERT INTO meta VALUES('traced_seq', 0), ('traced_turn', 0), ('traced_hour', 0);",
};

const int schema_version = sizeof schema_steps / sizeof schema_steps[0];
