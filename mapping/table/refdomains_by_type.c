/* SPDX-License-Identifier: MIT
 * v2 `refdomains_by_type`: the domains that link to the target by a kind of link, with many totals and the endings of
 * their names (docs/api-v2.md, docs/compatibility.md). */
#include "mapping/filter.h"
#include "mapping/record.h"

enum { DOMAIN, LINKS, DOFOLLOW, FIRST_SEEN, RATING, TRAFFIC, LINKED, REFDOMAINS };

/* clang-format off */
static const struct field fields[] = {
    [DOMAIN]     = { .v3 = SLICE("domain"),                  .type = VALUE_TEXT,   .units = 1 },
    [LINKS]      = { .v3 = SLICE("links_to_target"),         .type = VALUE_WHOLE,  .units = 1 },
    [DOFOLLOW]   = { .v3 = SLICE("dofollow_links"),          .type = VALUE_WHOLE,  .units = 1 },
    [FIRST_SEEN] = { .v3 = SLICE("first_seen"),              .type = VALUE_DATE,   .units = 1 },
    [RATING]     = { .v3 = SLICE("domain_rating"),           .type = VALUE_RATING, .units = 1 },
    [TRAFFIC]    = { .v3 = SLICE("traffic_domain"),          .type = VALUE_WHOLE,  .units = 10 },
    [LINKED]     = { .v3 = SLICE("dofollow_linked_domains"), .type = VALUE_WHOLE,  .units = 1 },
    [REFDOMAINS] = { .v3 = SLICE("dofollow_refdomains"),     .type = VALUE_WHOLE,  .units = 5 },
};

static const struct report report = {
    .shape = REPORT_ROWS, .path = SLICE("/site-explorer/refdomains"), .key = SLICE("refdomains"),
    .fields = fields, .n_fields = sizeof fields / sizeof fields[0], .parameters = SLICE("history=live"),
};
/* clang-format on */

static struct refusal made(struct slice e)
{
    if (e.p)
        return (struct refusal){ 0 };
    return (struct refusal){ FAULT_TOO_BUSY, S("the call needs more memory than one call may have") };
}

static bool wants(const struct condition *c)
{
    return (c->op == OP_NE) != (c->whole != 0);
}

/* A kind of links that v3 has a word for: the domain has one, at least. */
static struct refusal of_kind(const struct filter_making *m, const struct condition *c, struct slice *ret)
{
    const struct column *column = &m->table->columns[c->column];
    bool is_type = slice_eq(column->filter.v3, S("link_type"));
    if (!wants(c))
        return clause_refusal(
            c->clause, FAULT_NOT_EXACT, c->at, m->memory,
            "%.*s=false: API v3 finds domains that have such a link; one that has none is not told from "
            "one that has others, too. Only %.*s=true can be kept",
            SLICE_ARGS(column->v2), SLICE_ARGS(column->v2));
    *ret = filter_expression(column->filter.v3, "eq", is_type ? filter_string(column->v2, m->memory) : S("true"),
                             m->memory);
    return made(*ret);
}

static struct refusal of_all(const struct filter_making *m, const struct condition *c, struct slice *ret)
{
    *ret = S("");
    if (wants(c))
        return (struct refusal){ 0 };
    return clause_refusal(c->clause, FAULT_NOT_EXACT, c->at, m->memory,
                          "all=false asks for domains without links, which API v3 does not list");
}

/* .gov and .edu, and those of countries: .gov.uk. */
static struct refusal of_ending(const struct filter_making *m, const struct condition *c, struct slice *ret)
{
    struct slice name = m->table->columns[c->column].v2;
    struct slice pattern = arena_printf(m->memory, "(^|\\.)%.*s(\\.[a-z]{2})?$", SLICE_ARGS(name));
    *ret = filter_expression(fields[DOMAIN].v3, "regex", filter_string(pattern, m->memory), m->memory);
    if (!wants(c))
        *ret = filter_not(*ret, m->memory);
    return made(pattern.p ? *ret : pattern);
}

/* clang-format off */
#define ONLY_SUMS SLICE("v2 looked at each link; v3 has the sum of the domain only")
#define ALL_LIVE SLICE("every living link was visited since: the condition is left out")
#define BY_DOFOLLOW SLICE("v3 counts links without nofollow alone here")
#define ANY_LINK SLICE("domains with one such link at least; the counts may be of more links than these")
#define KIND(name, word) { .v2 = SLICE(name), .type = VALUE_BOOL, .from = FROM_NOTHING, .filter = { SLICE(word), 1, false },       \
                           .where = FIDELITY_NEAR, .where_says = ANY_LINK, .make_filter = of_kind }
#define ENDING(name) { .v2 = SLICE(name), .type = VALUE_BOOL, .from = FROM_NOTHING,                                        \
                       .where = FIDELITY_EXACT, .make_filter = of_ending }
static const struct column columns[] = {
    { .v2 = SLICE("refdomain"), .type = VALUE_TEXT, .field = DOMAIN, .text = TEXT_HOST,
      .where = FIDELITY_EXACT, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("refdomain_top"), .type = VALUE_TEXT, .field = DOMAIN, .text = TEXT_HOST,
      .order_by = FIDELITY_EXACT, .shown = FIDELITY_NEAR,
      .shown_says = SLICE("the domain itself: v3 lists root domains, but for a few") },
    { .v2 = SLICE("backlinks"), .type = VALUE_WHOLE, .field = LINKS,
      .where = FIDELITY_NEAR, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT,
      .where_says = ONLY_SUMS },
    { .v2 = SLICE("backlinks_dofollow"), .type = VALUE_WHOLE, .field = DOFOLLOW,
      .where = FIDELITY_NEAR, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT,
      .where_says = ONLY_SUMS },
    { .v2 = SLICE("refpages"), .type = VALUE_WHOLE, .field = LINKS,
      .where = FIDELITY_NEAR, .having = FIDELITY_NEAR, .order_by = FIDELITY_NEAR, .shown = FIDELITY_BOUND,
      .where_says = ONLY_SUMS, .having_says = SLICE("v3 has no count of pages; compared with the links"),
      .order_by_says = SLICE("v3 has no count of pages; sorted by the links"),
      .shown_says = SLICE("at most: the number of links") },
    { .v2 = SLICE("first_seen"), .type = VALUE_DATE, .field = FIRST_SEEN,
      .where = FIDELITY_NEAR, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT,
      .where_says = ONLY_SUMS },
    { .v2 = SLICE("last_visited"), .type = VALUE_DATE, .field = FIRST_SEEN, .null_when = NULL_VISITED,
      .where = FIDELITY_LIVE_DAY, .having = FIDELITY_LIVE_DAY, .order_by = FIDELITY_NEAR, .shown = FIDELITY_BOUND,
      .where_says = ALL_LIVE, .having_says = ALL_LIVE,
      .order_by_says = SLICE("v3 has no last visit; sorted by first_seen"),
      .shown_says = SLICE("answered with first_seen") },
    { .v2 = SLICE("domain_rating"), .type = VALUE_RATING, .field = RATING,
      .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("traffic"), .type = VALUE_NUMBER, .field = TRAFFIC, .only_named = true,
      .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("linked_domains"), .type = VALUE_WHOLE, .field = LINKED, .only_named = true,
      .order_by = FIDELITY_NEAR, .shown = FIDELITY_NEAR, .order_by_says = BY_DOFOLLOW, .shown_says = BY_DOFOLLOW },
    { .v2 = SLICE("refdomains"), .type = VALUE_WHOLE, .field = REFDOMAINS, .only_named = true,
      .order_by = FIDELITY_NEAR, .shown = FIDELITY_NEAR, .order_by_says = BY_DOFOLLOW, .shown_says = BY_DOFOLLOW },
    { .v2 = SLICE("url"), .type = VALUE_TEXT, .from = FROM_NOTHING, .filter = { SLICE("url_to"), 1, false }, .text = TEXT_URL,
      .where = FIDELITY_NEAR, .where_says = ANY_LINK },
    { .v2 = SLICE("ip"), .type = VALUE_TEXT, .from = FROM_NOTHING, .filter = { SLICE("ip_source"), 1, true }, .text = TEXT_HOST,
      .where = FIDELITY_EXACT },
    { .v2 = SLICE("all"), .type = VALUE_BOOL, .from = FROM_NOTHING, .where = FIDELITY_EXACT, .make_filter = of_all },
    KIND("text", "link_type"),
    KIND("image", "link_type"),
    KIND("nofollow", "is_nofollow"),
    KIND("dofollow", "is_dofollow"),
    KIND("redirect", "link_type"),
    KIND("canonical", "link_type"),
    ENDING("gov"),
    ENDING("edu"),
};

#define OF_RECORD(name, number) { .v2 = SLICE(name), .type = VALUE_WHOLE, .from = FROM_PART, .part = 0,                     \
                                  .fields = BIT(number), .shown = FIDELITY_EXACT }
#define UNKNOWN(name) { .v2 = SLICE(name), .type = VALUE_WHOLE, .from = FROM_NOTHING, .shown = FIDELITY_MISSING,           \
                        .null_when = NULL_MISSING, .says = SLICE("v3 has nothing like it: 0") }
static const struct table_stat stats[] = {
    OF_RECORD("refdomains", RECORD_REFDOMAINS),
    OF_RECORD("ips", RECORD_REFIPS),
    OF_RECORD("class_c", RECORD_REFIPS_SUBNETS),
    UNKNOWN("max_backlinks"),
    UNKNOWN("max_backlinks_dofollow"),
    UNKNOWN("max_refpages"),
    OF_RECORD("total_backlinks", RECORD_BACKLINKS),
    OF_RECORD("total_backlinks_dofollow", RECORD_BACKLINKS_DOFOLLOW),
    OF_RECORD("all", RECORD_REFDOMAINS),
    UNKNOWN("text"),
    UNKNOWN("image"),
    /* v3 counts domains that have nothing but such links: v2's were these at least. */
    { .v2 = SLICE("nofollow"), .type = VALUE_WHOLE, .from = FROM_PART, .part = 0,
      .fields = BIT(RECORD_REFDOMAINS_NOFOLLOW), .shown = FIDELITY_BOUND,
      .says = SLICE("at least: v3 counts domains that have nothing but such links") },
    UNKNOWN("ugc"),
    UNKNOWN("sponsored"),
    OF_RECORD("dofollow", RECORD_REFDOMAINS_DOFOLLOW),
    UNKNOWN("redirect"),
    UNKNOWN("canonical"),
    UNKNOWN("gov"),
    UNKNOWN("edu"),
    UNKNOWN("rss"),
    UNKNOWN("alternate"),
};
/* clang-format on */

const struct table table_refdomains_by_type = {
    .from = SLICE("refdomains_by_type"),
    .rows = SLICE("refdomains"),
    .row_element = SLICE("refdomain"),
    .columns = columns,
    .n_columns = sizeof columns / sizeof columns[0],
    .list = &report,
    .key = { .fields = { DOMAIN }, .n = 1 },
    .parts = &record_makes_stats,
    .n_parts = 1,
    .stats = stats,
    .n_stats = sizeof stats / sizeof stats[0],
    .tlds_of = DOMAIN + 1,
    .prices = { .request_milli = 10000, .result_milli = 1000, .where_milli = 10000, .having_milli = 10000 },
};
