/* SPDX-License-Identifier: MIT
 *
 * The networks of all teams in one table, so that the team of an address is found in a few steps. IPv4 and IPv6 are
 * apart: ::/0 holds no IPv4 address. What is written as IPv4 mapped into IPv6 is IPv4.
 */
#ifndef ANCHORAGE_CONFIG_NETWORKS_H
#define ANCHORAGE_CONFIG_NETWORKS_H

#include "base/arena.h"
#include "config/address.h"
#include "config/config.h"

struct config_network {
    struct config_range range;
    int32_t outer; /* index of the narrowest network around it, -1 when there is none */
    const struct config_team *team;
    const char *text; /* as it stands in the file */
};

/* All networks of `teams`, ordered, the wider before the narrower ones in it and equal ones by the lines of their
 * teams; they borrow from the teams. NULL when memory is out. */
[[nodiscard]] const struct config_network *config_networks_make(const struct config_team *teams, size_t n_teams,
                                                                struct arena *memory, size_t *n);

#endif
