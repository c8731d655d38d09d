/* SPDX-License-Identifier: MIT
 * v2 `subscription_info`: what the caller's team has left. Answered from our own books, free (docs/api-v2.md). */
#include "mapping/table.h"

const struct table table_subscription_info = {
    .from = SLICE("subscription_info"),
    .is_info = true,
    .rows = SLICE("info"),
};
