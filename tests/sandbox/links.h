/* SPDX-License-Identifier: MIT
 *
 * The data: a world is all links to one registrable domain, always the same for the same seed. What
 * a link does not store is thrown from its dice when asked for (attribute.h). */
#ifndef SANDBOX_LINKS_H
#define SANDBOX_LINKS_H

#include "base/arena.h"
#include "base/buffer.h"
#include "tests/sandbox/target.h"

struct link {
    uint64_t dice;
    int64_t first_seen; /* Unix seconds */
    int64_t last_seen;  /* when it was lost; 0: never yet */
    uint32_t anchor;    /* index into world.anchors */
    uint32_t domain;    /* the referring one, by number */
    uint8_t page;       /* of the domain */
    uint8_t host, path; /* of the target: bits of a scope's masks */
    bool https;
    bool is_dofollow;
};

struct world {
    struct slice root;
    struct arena *memory;
    uint64_t seed;
    bool is_known;      /* in the index at all */
    uint32_t shape;     /* how fixed sites differ; links.c */
    struct link *links; /* by anchor */
    size_t n_links;
    struct slice *anchors;
    struct slice *keys; /* what anchors are ordered by first; NULL with --collation bytes */
    size_t n_anchors;
};

/* Which links of a world count. */
struct scope {
    uint32_t hosts, paths; /* masks over link.host and link.path */
    enum protocol protocol;
    int64_t as_of; /* the last second that has happened */
    bool lost_too; /* history all_time or since */
    int64_t since; /* lost before it: not counted; INT64_MIN: all time */
};

/* Invent the world of `root`. NULL when memory is out. */
struct world *world_new(const struct options *options, struct slice root);
void world_free(struct world *world);

/* Set the masks for what `mode` makes of the target. */
void scope_aim(struct scope *scope, const struct world *world, const struct target *target, enum mode mode);

static inline bool link_is_live(const struct link *link, int64_t as_of)
{
    return !link->last_seen || link->last_seen > as_of;
}

static inline bool scope_has(const struct scope *scope, const struct link *link)
{
    if (!(scope->hosts >> link->host & 1) || !(scope->paths >> link->path & 1) || link->first_seen > scope->as_of)
        return false;
    if (scope->protocol != PROTOCOL_BOTH && link->https != (scope->protocol == PROTOCOL_HTTPS))
        return false;
    return link_is_live(link, scope->as_of) || (scope->lost_too && link->last_seen >= scope->since);
}

/* A referring page as one number. */
static inline uint64_t link_page(const struct link *link)
{
    return (uint64_t)link->domain << 8 | link->page;
}

/* Append the target's URL of the link. */
void link_url_to(struct buffer *to, const struct world *world, const struct link *link);

#endif
