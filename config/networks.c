/* SPDX-License-Identifier: MIT
 * Which team an address belongs to. Networks either hold each other or are apart, so in their order the last one that
 * begins at or before an address is the address's own, or it is inside the address's own: its chain of outer ones has
 * the answer. */
#include "config/networks.h"

#include <stdlib.h>

static int compare_place(const struct config_range *a, const struct config_range *b)
{
    if (a->v6 != b->v6)
        return a->v6 ? 1 : -1;
    int c = memcmp(a->bytes, b->bytes, sizeof a->bytes);
    return c ? c : (a->bits > b->bits) - (a->bits < b->bits);
}

static int by_place(const void *left, const void *right)
{
    const struct config_network *a = left, *b = right;
    int c = compare_place(&a->range, &b->range);
    return c ? c : (a->team->line > b->team->line) - (a->team->line < b->team->line);
}

static bool holds(const struct config_range *outer, const struct config_range *inner)
{
    size_t whole = outer->bits / 8, rest = outer->bits % 8;
    unsigned mask = 0xFF00u >> rest & 0xFF;
    return outer->v6 == inner->v6 && outer->bits <= inner->bits && memcmp(outer->bytes, inner->bytes, whole) == 0 &&
           (!rest || ((outer->bytes[whole] ^ inner->bytes[whole]) & mask) == 0);
}

const struct config_network *config_networks_make(const struct config_team *teams, size_t n_teams, struct arena *memory,
                                                  size_t *n)
{
    size_t all = 0;
    for (size_t i = 0; i < n_teams; i++)
        all += teams[i].addresses.n;
    struct config_network *networks = arena_array(memory, struct config_network, all + 1);
    if (!networks)
        return NULL;
    *n = 0;
    for (size_t i = 0; i < n_teams; i++) {
        for (size_t j = 0; j < teams[i].addresses.n; j++) {
            struct config_network *one = &networks[*n];
            *one = (struct config_network){ .team = &teams[i], .text = teams[i].addresses.word[j] };
            *n += config_range_read(slice_str(one->text), &one->range);
        }
    }
    qsort(networks, *n, sizeof *networks, by_place);
    for (size_t i = 0; i < *n; i++) {
        int32_t outer = (int32_t)i - 1;
        while (outer >= 0 && !holds(&networks[outer].range, &networks[i].range))
            outer = networks[outer].outer;
        networks[i].outer = outer;
    }
    return networks;
}

const struct config_team *config_team_of_address(const struct config *c, struct slice address)
{
    struct config_range wanted;
    if (slice_find(address, '/') < address.n || !config_range_read(address, &wanted))
        return NULL;
    size_t low = 0, high = c->n_networks; /* all before low begin at or before the address */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_place(&c->networks[middle].range, &wanted) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    int32_t at = (int32_t)low - 1;
    while (at >= 0 && !holds(&c->networks[at].range, &wanted))
        at = c->networks[at].outer;
    return at >= 0 ? c->networks[at].team : NULL;
}
