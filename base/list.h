/* SPDX-License-Identifier: MIT
 *
 * A doubly linked ring that lives inside what it links. A link that is in no list points to itself, so
 * taking it out twice is harmless.
 */
#ifndef ANCHORAGE_BASE_LIST_H
#define ANCHORAGE_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct link {
    struct link *next, *before;
};

static inline void link_init(struct link *l)
{
    l->next = l->before = l;
}

/* Also: whether a list is empty. */
static inline bool link_is_alone(const struct link *l)
{
    return l->next == l;
}

static inline void link_out(struct link *l)
{
    l->before->next = l->next;
    l->next->before = l->before;
    link_init(l);
}

/* Put `l`, which is in no list, in front of `where`; with the head of a list: at its end. */
static inline void link_before(struct link *where, struct link *l)
{
    l->next = where;
    l->before = where->before;
    where->before->next = l;
    where->before = l;
}

static inline void link_after(struct link *where, struct link *l)
{
    link_before(where->next, l);
}

/* The struct of `type` whose field `field` is at `link`. */
#define LINKED(link, type, field) ((type *)(void *)((char *)(link)-offsetof(type, field)))

#endif
