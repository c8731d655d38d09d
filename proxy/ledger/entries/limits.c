/* SPDX-License-Identifier: MIT
 * The teams as configured. */
#include "proxy/ledger/entries/limits.h"

#include <stdlib.h>

void limits_clear(struct limits *l)
{
    for (size_t i = 0; i < l->n_teams; i++)
        free((void *)(uintptr_t)l->teams[i].name);
    free(l->teams);
    *l = (struct limits){ 0 };
}

bool limits_copy(struct limits *to, const struct ledger_options *from)
{
    struct limits l = { .units_per_month = from->units_per_month,
                        .billing_day = from->billing_day,
                        .keeps_day = from->billing_day == LEDGER_BILLING_DAY_KEPT };
    l.teams = calloc(from->n_teams ? from->n_teams : 1, sizeof *l.teams);
    if (!l.teams)
        return false;
    if (l.billing_day < 1 || l.billing_day > 28)
        l.billing_day = 1;
    for (; l.n_teams < from->n_teams; l.n_teams++) {
        l.teams[l.n_teams] = from->teams[l.n_teams];
        l.teams[l.n_teams].name = strdup(from->teams[l.n_teams].name);
        if (!l.teams[l.n_teams].name) {
            limits_clear(&l);
            return false;
        }
    }
    *to = l;
    return true;
}

const struct ledger_team *limits_team(const struct limits *l, struct slice name)
{
    for (size_t i = 0; i < l->n_teams; i++) {
        if (slice_eq(slice_str(l->teams[i].name), name))
            return &l->teams[i];
    }
    return NULL;
}
