/* SPDX-License-Identifier: MIT
 *
 * Keeps the worlds made so far, their groupings and their sorted rows: each is made once, when first
 * asked for. The oldest go when there are too many. */
#ifndef SANDBOX_STORE_H
#define SANDBOX_STORE_H

#include "tests/sandbox/group.h"

struct store;

struct store *store_new(const struct options *options);
void store_free(struct store *store);

/* All three are valid until the next call for another root; NULL when memory is out. */
const struct world *store_world(struct store *store, struct slice root);
const struct grouping *store_grouping(struct store *store, const struct world *world, enum rows kind,
                                      const struct scope *scope);
const struct row *const *store_sorted(struct store *store, const struct grouping *grouping, const struct order *order);

#endif
