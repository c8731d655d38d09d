/* SPDX-License-Identifier: MIT
 * The method of the largest remainder, in whole numbers. */
#include "proxy/ledger/command/bill.h"

#include <stdlib.h>

#include "base/text.h"

bool bill_parse(struct slice text, int64_t *cents)
{
    struct slice fraction;
    struct slice whole = slice_split(text, '.', &fraction);
    uint64_t units, hundredths = 0;
    if (whole.n < 1 || whole.n > 13 || !parse_u64(whole, &units))
        return false;
    if (fraction.p && (fraction.n < 1 || fraction.n > 2 || !parse_u64(fraction, &hundredths)))
        return false;
    *cents = (int64_t)(units * 100 + (fraction.n == 1 ? hundredths * 10 : hundredths));
    return true;
}

void bill_print(struct buffer *b, int64_t cents)
{
    buffer_printf(b, "%lld.%02d", (long long)(cents / 100), (int)(cents % 100));
}

struct remainder {
    unsigned __int128 left;
    size_t index;
};

static int larger_first(const void *a, const void *b)
{
    const struct remainder *x = a, *y = b;
    if (x->left != y->left)
        return x->left < y->left ? 1 : -1;
    return x->index > y->index ? 1 : -1;
}

bool bill_split(int64_t cents, const int64_t *shares, size_t n, int64_t *parts)
{
    unsigned __int128 total = 0;
    for (size_t i = 0; i < n; i++)
        total += shares[i] > 0 ? (uint64_t)shares[i] : 0;
    struct remainder *remainders = total ? malloc(n * sizeof *remainders) : NULL;
    if (!remainders)
        return false;
    int64_t left = cents;
    for (size_t i = 0; i < n; i++) {
        unsigned __int128 exact = (unsigned __int128)(uint64_t)cents * (shares[i] > 0 ? (uint64_t)shares[i] : 0);
        parts[i] = (int64_t)(exact / total);
        remainders[i] = (struct remainder){ .left = exact % total, .index = i };
        left -= parts[i];
    }
    qsort(remainders, n, sizeof *remainders, larger_first);
    for (size_t i = 0; left > 0; i++, left--)
        parts[remainders[i].index]++;
    free(remainders);
    return true;
}
