/* SPDX-License-Identifier: MIT
 * What the store says to its database. */
#include "proxy/ledger/store/statements.h"

const char *const store_statements[N_SQL] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ENTRY] = "INSERT INTO entry VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [SQL_ROLLUP] = "INSERT INTO rollup VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET"
                   " calls = calls + excluded.calls, results = results + excluded.results,"
                   " rows = rows + excluded.rows, units = units + excluded.units,"
                   " units_predicted = units_predicted + excluded.units_predicted,"
                   " units_alone = units_alone + excluded.units_alone,"
                   " units_unknown = units_unknown + excluded.units_unknown,"
                   " faults = faults + excluded.faults, last_seq = excluded.last_seq",
    [SQL_NAME] = "INSERT INTO name VALUES(?,?)",
    [SQL_SHAPE] = "INSERT INTO shape VALUES(?,?,?,?,?)",
    [SQL_SHAPE_SEEN] = "UPDATE shape SET last_day = ? WHERE id = ?",
    [SQL_KEY] = ("INSERT INTO key VALUES(?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET digest = excluded.digest,"
                 " team = excluded.team, name = excluded.name, disabled = excluded.disabled"),
    [SQL_STRANGER] = "INSERT OR REPLACE INTO stranger VALUES(?,?,?,?,?,?,?,?,?)",
    [SQL_NO_STRANGER] = "DELETE FROM stranger WHERE place = ?",
    [SQL_LIMIT] = "INSERT OR REPLACE INTO team_limit VALUES(?,?,?)",
    [SQL_FLOOR] = "UPDATE meta SET value = ? WHERE name = 'floor'",
    [SQL_CLOSED] = "INSERT INTO closed VALUES(?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET"
                   " calls = calls + excluded.calls, results = results + excluded.results,"
                   " rows = rows + excluded.rows, units = units + excluded.units,"
                   " units_predicted = units_predicted + excluded.units_predicted,"
                   " units_alone = units_alone + excluded.units_alone,"
                   " units_unknown = units_unknown + excluded.units_unknown, faults = faults + excluded.faults",
    [SQL_REMOVE] = "DELETE FROM entry WHERE seq <= ?",
    [SQL_CUT_SEQ] = "UPDATE meta SET value = ? WHERE name = 'cut_seq'",
    [SQL_CUT_SUM] = "UPDATE meta SET value = ? WHERE name = 'cut_sum'",
    [SQL_TRACE] = ("INSERT INTO trace VALUES(?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET"
                   " calls = calls + excluded.calls, last = max(last, excluded.last)"),
    [SQL_LATEST] = "INSERT OR REPLACE INTO latest VALUES(?,?,?,?,?,?)",
    [SQL_TRACED_SEQ] = "UPDATE meta SET value = ? WHERE name = 'traced_seq'",
    [SQL_TRACED_TURN] = "UPDATE meta SET value = ? WHERE name = 'traced_turn'",
    [SQL_TRACED_HOUR] = "UPDATE meta SET value = ? WHERE name = 'traced_hour'",
    [SQL_TRIM_TRACES] = "DELETE FROM trace WHERE hour = (SELECT min(hour) FROM trace) AND hour < ?",
    [SQL_TRIM_LATEST] = "DELETE FROM latest WHERE time < ?",
    [SQL_READ_ENTRIES] = "SELECT * FROM entry WHERE seq >= ? ORDER BY seq LIMIT ?",
    [SQL_READ_ROLLUPS] = "SELECT * FROM rollup WHERE hour >= ? AND hour < ? ORDER BY hour, team, key, tbl",
    [SQL_READ_DAYS] = "SELECT team, hour / 24, sum(rows), sum(units) FROM rollup WHERE hour >= ? GROUP BY 2, 1",
    [SQL_READ_KEYS] = "SELECT * FROM key ORDER BY created, id",
    [SQL_READ_USES] = "SELECT key, max(hour) FROM rollup WHERE key <> 0 AND calls > 0 GROUP BY key",
    [SQL_READ_STRANGERS] = "SELECT * FROM stranger ORDER BY last, place",
    [SQL_READ_LIMITS] = "SELECT * FROM team_limit",
    [SQL_READ_NAMES] = "SELECT id, text FROM name ORDER BY id",
    [SQL_READ_SHAPES] = "SELECT id, word, text, last_day FROM shape ORDER BY id",
    [SQL_READ_LAST] = "SELECT seq, sum FROM entry ORDER BY seq DESC LIMIT 1",
    [SQL_READ_FLOOR] = "SELECT value FROM meta WHERE name = 'floor'",
    [SQL_READ_CUT_SEQ] = "SELECT value FROM meta WHERE name = 'cut_seq'",
    [SQL_READ_CUT_SUM] = "SELECT value FROM meta WHERE name = 'cut_sum'",
    [SQL_READ_CLOSED] = "SELECT *, 0, 0 FROM closed ORDER BY month, team, key, tbl",
    [SQL_READ_UNTRACED] = ("SELECT seq, time, kind, team, key, tbl, approximate, fault, via FROM entry WHERE seq > ?"
                           " ORDER BY seq LIMIT ?"),
    [SQL_READ_TRACES] = "SELECT * FROM trace WHERE hour >= ? AND hour < ? ORDER BY hour, team, key, tbl, what, word",
    [SQL_READ_NEXT_TRACE] = "SELECT hour FROM trace WHERE hour >= ? ORDER BY hour LIMIT 1",
    [SQL_READ_LATEST] = "SELECT * FROM latest ORDER BY shape",
    [SQL_READ_TRACED_SEQ] = "SELECT value FROM meta WHERE name = 'traced_seq'",
    [SQL_READ_TRACED_TURN] = "SELECT value FROM meta WHERE name = 'traced_turn'",
    [SQL_READ_TRACED_HOUR] = "SELECT value FROM meta WHERE name = 'traced_hour'",
};
