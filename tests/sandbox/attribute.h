/* SPDX-License-Identifier: MIT
 *
 * What is known of one link, its pages and its domains. */
#ifndef SANDBOX_ATTRIBUTE_H
#define SANDBOX_ATTRIBUTE_H

#include "tests/sandbox/column.h"
#include "tests/sandbox/links.h"

/* Room for the texts of one value; reused for the next link. */
struct scratch {
    char bytes[4096];
    size_t used;
};

/* The value of a column that links have. Its texts live in scratch, in the world or for ever. */
struct value attribute_value(const struct world *world, const struct link *link, int64_t as_of, enum column column,
                             struct scratch *scratch);

/* Of the referring domain. */
double attribute_domain_rating(const struct world *world, const struct link *link);
bool attribute_is_spam(const struct world *world, const struct link *link);

/* Of the page. */
double attribute_url_rating(const struct world *world, const struct link *link);

bool attribute_is_redirect(const struct world *world, const struct link *link);

/* The address of a domain by its number: 4 bytes, the first 3 its subnet; 0: it is not known. */
uint32_t attribute_address(const struct world *world, uint32_t domain);

/* A rating n.0, n.4, n.5 or n.6, with one of the first `of` n, at most 6. */
double attribute_half_rating(uint64_t *dice, uint32_t of);

/* Move a text into scratch; the buffer is empty afterwards. */
struct slice attribute_keep(struct scratch *scratch, struct buffer *b);

#endif
