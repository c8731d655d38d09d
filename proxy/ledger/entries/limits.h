/* SPDX-License-Identifier: MIT
 *
 * An own copy of the teams and limits of the options.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_ENTRIES_LIMITS_H
#define ANCHORAGE_PROXY_LEDGER_ENTRIES_LIMITS_H

#include "proxy/ledger/entries/types.h"

struct limits {
    struct ledger_team *teams;
    size_t n_teams;
    int64_t units_per_month; /* of the whole */
    int billing_day;
    bool keeps_day; /* the books' own billing day counts, not the options' */
    bool knows_day; /* and they have been looked into */
};

/* False when memory is out; *to is untouched then. */
[[nodiscard]] bool limits_copy(struct limits *to, const struct ledger_options *from);
void limits_clear(struct limits *l);

/* NULL when no team of this name is configured. */
const struct ledger_team *limits_team(const struct limits *l, struct slice name);

#endif
