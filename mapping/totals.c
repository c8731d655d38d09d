/* SPDX-License-Identifier: MIT
 * Totals and the ratio that stands in for the number of linking pages. */
#include "mapping/totals.h"

#include "base/json.h"
#include "base/text.h"

bool totals_parse(struct slice body, int64_t *live)
{
    struct slice metrics, number;
    uint64_t n;
    if (!json_member(body, S("metrics"), &metrics) || !json_member(metrics, S("live"), &number) ||
        !parse_u64(number, &n) || n > INT64_MAX)
        return false;
    *live = (int64_t)n;
    return true;
}

static int64_t add(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

void ratio_add(struct ratio *r, int64_t links, int64_t refpages)
{
    r->links = add(r->links, links);
    r->refpages = add(r->refpages, refpages);
}

int64_t ratio_apply(const struct ratio *r, int64_t live)
{
    if (r->links <= 0 || r->refpages <= 0)
        return 0;
    __int128 doubled = (__int128)live * r->refpages * 2 + r->links;
    __int128 pages = doubled / ((__int128)r->links * 2);
    return pages > live ? live : (int64_t)pages;
}
