/* SPDX-License-Identifier: MIT
 *
 * What is known of one link, its page and its domain: the columns that only filters can name. */
#ifndef SANDBOX_ATTRIBUTE_H
#define SANDBOX_ATTRIBUTE_H

#include "tests/sandbox/column.h"
#include "tests/sandbox/links.h"

/* Room for the texts of one value; reused for the next link. */
struct scratch {
    char bytes[4096];
    size_t used;
};

/* The value of a LINK column, or the anchor. Its texts live in scratch, in the world or for ever. */
struct value attribute_value(const struct world *world, const struct link *link, int64_t as_of, enum column column,
                             struct scratch *scratch);

/* Of the referring domain. */
double attribute_domain_rating(const struct world *world, const struct link *link);
bool attribute_is_spam(const struct world *world, const struct link *link);

#endif
