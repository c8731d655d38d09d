/* SPDX-License-Identifier: MIT
 * v2 `subscription_info`: what the caller's team has left. Answered from our own books, free (docs/api-v2.md). */
#include "mapping/table.h"

enum { NO_LIMIT = 2000000000 };

enum { ROWS_LEFT, ROWS_LIMIT, SUBSCRIPTION };

static const struct column columns[] = {
    [ROWS_LEFT] = { .v2 = SLICE("rows_left"), .type = VALUE_WHOLE, .shown = FIDELITY_EXACT },
    [ROWS_LIMIT] = { .v2 = SLICE("rows_limit"), .type = VALUE_WHOLE, .shown = FIDELITY_EXACT },
    [SUBSCRIPTION] = { .v2 = SLICE("subscription"), .type = VALUE_TEXT, .shown = FIDELITY_EXACT },
};

/* Old programs read both numbers into 32 bits. */
static int64_t in_32_bits(int64_t n)
{
    return n < 0 ? 0 : n > INT32_MAX ? INT32_MAX : n;
}

static void read_books(const struct books_view *v, union cell *cells)
{
    int64_t limit = v->rows_limit < 0 ? NO_LIMIT : v->rows_limit;
    cells[ROWS_LEFT].whole = in_32_bits(limit - v->rows_used);
    cells[ROWS_LIMIT].whole = in_32_bits(limit);
    cells[SUBSCRIPTION].text = v->subscription;
}

const struct table table_subscription_info = {
    .from = SLICE("subscription_info"),
    .kind = TABLE_BOOKS,
    .rows = SLICE("info"),
    .columns = columns,
    .n_columns = sizeof columns / sizeof columns[0],
    .books = read_books,
};
