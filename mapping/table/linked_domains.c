/* SPDX-License-Identifier: MIT
 * v2 `linked_domains`: the domains that the target links to (docs/api-v2.md, docs/compatibility.md). */
#include "mapping/filter.h"

enum { DOMAIN, LINKS, RATING };

/* clang-format off */
static const struct field fields[] = {
    [DOMAIN] = { .v3 = SLICE("domain"),            .type = VALUE_TEXT,   .units = 1 },
    [LINKS]  = { .v3 = SLICE("links_from_target"), .type = VALUE_WHOLE,  .units = 1 },
    [RATING] = { .v3 = SLICE("domain_rating"),     .type = VALUE_RATING, .units = 1 },
};
/* clang-format on */

static const struct report report = {
    .shape = REPORT_ROWS,
    .path = SLICE("/site-explorer/linkeddomains"),
    .key = SLICE("linkeddomains"),
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
};

static bool host_meets(struct slice host, const struct condition *c)
{
    size_t n = c->text.n;
    bool is_below = host.n > n && slice_ends(host, c->text) && host.p[host.n - n - 1] == '.';
    switch (c->op) {
    case OP_SUBDOMAIN:
        return slice_eq_nocase(host, c->text) || is_below;
    case OP_NE:
        return !slice_eq_nocase(host, c->text);
    case OP_LT:
        return slice_cmp(host, c->text) < 0;
    case OP_LE:
        return slice_cmp(host, c->text) <= 0;
    case OP_GT:
        return slice_cmp(host, c->text) > 0;
    case OP_GE:
        return slice_cmp(host, c->text) >= 0;
    case OP_SUBSTRING:
    case OP_WORD:
        return memmem(host.p, host.n, c->text.p, n);
    case OP_EQ:
    case OP_COUNT:
        break;
    }
    return slice_eq_nocase(host, c->text);
}

/* All rows have the target's host in it: the condition holds for all of them or for none. */
static struct refusal of_target(const struct filter_making *m, const struct condition *c, struct slice *ret)
{
    static const struct refusal fine = { 0 };
    *ret = host_meets(m->host, c)
               ? S("")
               : filter_expression(fields[DOMAIN].v3, "eq", filter_string(S(""), m->memory), m->memory);
    return ret->p ? fine : (struct refusal){ FAULT_TOO_BUSY, S("the call needs more memory than one call may have") };
}

/* clang-format off */
static const struct column columns[] = {
    { .v2 = SLICE("domain_from"), .type = VALUE_TEXT, .from = FROM_TARGET, .text = TEXT_HOST,
      .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT, .make_filter = of_target },
    { .v2 = SLICE("domain_to"), .type = VALUE_TEXT, .field = DOMAIN, .text = TEXT_HOST,
      .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("links"), .type = VALUE_WHOLE, .field = LINKS,
      .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("unique_pages"), .type = VALUE_WHOLE, .field = LINKS,
      .having = FIDELITY_NEAR, .order_by = FIDELITY_NEAR, .shown = FIDELITY_BOUND,
      .having_says = SLICE("v3 has no count of the target's pages; compared with the links"),
      .order_by_says = SLICE("v3 has no count of the target's pages; sorted by the links"),
      .shown_says = SLICE("at most: the number of links") },
    { .v2 = SLICE("domain_to_rating"), .type = VALUE_RATING, .field = RATING,
      .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("domain_to_ahrefs_top"), .type = VALUE_WHOLE, .from = FROM_NOTHING, .null_when = NULL_MISSING,
      .having = FIDELITY_MISSING, .order_by = FIDELITY_MISSING, .shown = FIDELITY_MISSING },
};
/* clang-format on */

const struct table table_linked_domains = {
    .from = SLICE("linked_domains"),
    .rows = SLICE("domains"),
    .row_element = SLICE("domain"),
    .columns = columns,
    .n_columns = sizeof columns / sizeof columns[0],
    .list = &report,
    .key = { .fields = { DOMAIN }, .n = 1 },
    .prices = { .request_milli = 1000, .result_milli = 1000, .where_milli = 5000, .having_milli = 5000 },
};
