/* SPDX-License-Identifier: MIT
 *
 * What the files that throw values share. */
#ifndef SANDBOX_ATTRIBUTE_INSIDE_H
#define SANDBOX_ATTRIBUTE_INSIDE_H

#include "tests/sandbox/attribute.h"

/* What a value is thrown from. */
struct subject {
    const struct world *world;
    const struct link *link;
    int64_t as_of;
    uint64_t of_link, of_page, of_domain; /* dice, different for each column */
    struct scratch *scratch;
};

static inline struct value whole(int64_t v)
{
    return (struct value){ .whole = v };
}

static inline struct value truth(bool v)
{
    return (struct value){ .truth = v };
}

static inline struct value text(struct slice v)
{
    return (struct value){ .text = v };
}

static inline struct value nothing(void)
{
    return (struct value){ .is_null = true };
}

/* Mostly small, sometimes large. */
int64_t attribute_skewed(uint64_t *dice, unsigned max_bits);

/* One of the words, which end in NULL. */
struct value attribute_one_of(const char *const *words, uint64_t *dice);

struct value attribute_link_type(const struct subject *s);

/* The host of the linking page, its address, and whether it is the root domain itself. */
bool attribute_is_root_host(const struct world *world, const struct link *link);
void attribute_put_host(struct buffer *b, const struct world *world, const struct link *link);
void attribute_url_from(struct buffer *b, const struct world *world, const struct link *link);

/* Set *value when `column` is one of those that only rows of links and domains show. */
bool attribute_of_row(struct subject *s, enum column column, struct value *value);

#endif
