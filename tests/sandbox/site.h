/* SPDX-License-Identifier: MIT
 *
 * The target's own side: its hosts, its pages and what is known of them. Every known path is a page of every known
 * host, under https, some under http, too; large sites have further ones. */
#ifndef SANDBOX_SITE_H
#define SANDBOX_SITE_H

#include "tests/sandbox/attribute.h"

enum { N_HOSTS = 6, N_PATHS = 12 };

/* What stands before the root, and the paths that links lead to. */
extern const struct slice site_hosts[N_HOSTS], site_paths[N_PATHS];

/* A page of the site. Its number is the index of its path, further pages count on. */
struct page {
    uint32_t number;
    uint8_t host;
    bool https;
};

/* The HTTP status of a page, whatever its scheme; 0: its host does not answer. */
int site_code(const struct world *world, unsigned host, uint32_t number);

static inline bool site_is_broken(int code)
{
    return !code || code >= 400;
}

/* Write the pages of a scope that is aimed, in no order, to `to`, which has room for site_pages_max; how many there
 * are. Those whose host does not answer have never been crawled and are left out. */
size_t site_pages_max(const struct world *world);
size_t site_pages(const struct world *world, const struct target *target, enum mode mode, const struct scope *scope,
                  struct page *to);

/* The rating of a page, 0 when the site has no such page. */
double site_page_rating(const struct world *world, unsigned host, uint32_t number);
double site_url_rating(const struct world *world, const struct target *target);

struct value page_value(const struct world *world, const struct page *page, int64_t as_of, enum column column,
                        struct scratch *scratch);

/* Of the whole site: the root domain's. */
double site_rating(uint64_t seed, struct slice root);
int64_t site_rank(uint64_t seed, struct slice root);

#endif
