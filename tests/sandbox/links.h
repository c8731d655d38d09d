/* SPDX-License-Identifier: MIT
 *
 * The data: a world is all links to one registrable domain, always the same for the same seed. What
 * a link does not store is thrown from its dice when asked for (attribute.h). What only some endpoints need is made
 * when first asked for. */
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
    bool to_broken; /* the page of the target is */
};

struct page;
struct texts;

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
    bool has_halves; /* all ratings are n.0, n.4, n.5 or n.6, few n */
    bool has_nulls;  /* what may be null often is */
    struct later *later;
};

/* Links in an order in which those that make a row stand together. */
struct link_list {
    const struct link *const *links;
    size_t n;
};

/* Which links of a world count. */
struct scope {
    uint32_t hosts, paths; /* masks over link.host and link.path */
    enum protocol protocol;
    int64_t as_of;    /* the last second that has happened */
    bool lost_too;    /* history all_time or since */
    int64_t since;    /* lost before it: not counted; INT64_MIN: all time */
    bool only_broken; /* links to broken pages */
};

/* Invent the world of `root`. NULL when memory is out. */
struct world *world_new(const struct options *options, struct slice root);
void world_free(struct world *world);

/* Whether the domain is in the index at all; without making its world. */
bool world_is_known(struct slice root);

/* All links by anchor, or by domain and then anchor; and those from the site to others, by the domain they lead to: of
 * these host, path and https are of the page of the site, domain and page of the other one. NULL when memory is out. */
struct link_list world_by_anchor(const struct world *world);
struct link_list world_by_domain(const struct world *world);
struct link_list world_outward(const struct world *world);

/* The text of each link, made on the first call; NULL when memory is out. `which`: 0, 1. */
const struct slice *world_texts(const struct world *world, unsigned which,
                                void (*make)(struct buffer *to, const struct world *world, const struct link *link));

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
    if (scope->only_broken && !link->to_broken)
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
