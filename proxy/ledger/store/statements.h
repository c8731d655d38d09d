/* SPDX-License-Identifier: MIT
 *
 * The SQL of the store, prepared once when the books are opened.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_STORE_STATEMENTS_H
#define ANCHORAGE_PROXY_LEDGER_STORE_STATEMENTS_H

enum statement {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ENTRY,
    SQL_ROLLUP,
    SQL_NAME,
    SQL_SHAPE,
    SQL_SHAPE_SEEN,
    SQL_KEY,
    SQL_STRANGER,
    SQL_NO_STRANGER,
    SQL_LIMIT,
    SQL_FLOOR,
    SQL_CLOSED,
    SQL_REMOVE,
    SQL_CUT_SEQ,
    SQL_CUT_SUM,
    SQL_READ_ENTRIES,
    SQL_READ_ROLLUPS,
    SQL_READ_DAYS,
    SQL_READ_KEYS,
    SQL_READ_USES,
    SQL_READ_STRANGERS,
    SQL_READ_LIMITS,
    SQL_READ_NAMES,
    SQL_READ_SHAPES,
    SQL_READ_LAST,
    SQL_READ_FLOOR,
    SQL_READ_CUT_SEQ,
    SQL_READ_CUT_SUM,
    SQL_READ_CLOSED,
    N_SQL
};

extern const char *const store_statements[N_SQL];

#endif
