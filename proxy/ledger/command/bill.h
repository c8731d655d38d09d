/* SPDX-License-Identifier: MIT
 *
 * Splitting an amount of money by shares so that the parts add up to it exactly. Pure.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_COMMAND_BILL_H
#define ANCHORAGE_PROXY_LEDGER_COMMAND_BILL_H

#include <stdint.h>

#include "base/buffer.h"

/* "1234", "1234.5" or "1234.56" as cents; up to 10^13. */
[[nodiscard]] bool bill_parse(struct slice text, int64_t *cents);

/* Write "1234.56". */
void bill_print(struct buffer *b, int64_t cents);

/* parts[i] becomes the share of shares[i]: each is within a cent of the exact one, the cents that are left go to the
 * largest remainders, the first of equals. Negative shares count as 0. False when all shares are 0, or when memory is
 * out. */
[[nodiscard]] bool bill_split(int64_t cents, const int64_t *shares, size_t n, int64_t *parts);

#endif
