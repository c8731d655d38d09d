/* SPDX-License-Identifier: MIT
 * v2 `backlinks` and `backlinks_one_per_domain`: one link a row (docs/api-v2.md, docs/compatibility.md). A link has no
 * id, and two links can join the same two pages. */
#include "mapping/table.h"

enum {
    URL_FROM,
    URL_RATING,
    DOMAIN_RATING,
    RANK,
    IP,
    INTERNAL,
    EXTERNAL,
    SIZE,
    ENCODING,
    TITLE,
    LANGUAGES,
    URL_TO,
    LINK_SEEN,
    VISITED,
    REDIRECT,
    ALT,
    ANCHOR,
    BEFORE,
    BEHIND,
    FIRST_SEEN,
    LINK_TYPE,
    NOFOLLOW,
    UGC,
    SPONSORED,
    GROUP,
    FIELDS,
    WITHOUT_GROUP = GROUP /* what has no group has no count of one */
};

/* clang-format off */
static const struct word link_types[] = {
    { SLICE("text"), SLICE("href") },           { SLICE("image"), SLICE("href") },
    { SLICE("redirect"), SLICE("redirect") },   { SLICE("frame"), SLICE("frame") },
    { SLICE("form"), SLICE("form") },           { SLICE("canonical"), SLICE("canonical") },
    { SLICE("rss"), SLICE("rss") },             { SLICE("alternate"), SLICE("alternate") },
    { SLICE(""), SLICE("") },
};

static const struct field fields[FIELDS] = {
    [URL_FROM]       = { .v3 = SLICE("url_from"), .type = VALUE_TEXT, .units = 1 },
    [URL_RATING]     = { .v3 = SLICE("url_rating_source"), .type = VALUE_RATING, .units = 1 },
    [DOMAIN_RATING]  = { .v3 = SLICE("domain_rating_source"), .type = VALUE_RATING, .units = 1 },
    [RANK]           = { .v3 = SLICE("ahrefs_rank_source"), .type = VALUE_WHOLE, .units = 1 },
    [IP]             = { .v3 = SLICE("ip_source"), .type = VALUE_TEXT, .units = 1, .nullable = true },
    [INTERNAL]       = { .v3 = SLICE("links_internal"), .type = VALUE_WHOLE, .units = 1 },
    [EXTERNAL]       = { .v3 = SLICE("links_external"), .type = VALUE_WHOLE, .units = 1 },
    [SIZE]           = { .v3 = SLICE("page_size"), .type = VALUE_WHOLE, .units = 1 },
    [ENCODING]       = { .v3 = SLICE("encoding"), .type = VALUE_TEXT, .units = 1 },
    [TITLE]          = { .v3 = SLICE("title"), .type = VALUE_TEXT, .units = 1 },
    [LANGUAGES]      = { .v3 = SLICE("languages"), .type = VALUE_LIST, .units = 1 },
    [URL_TO]         = { .v3 = SLICE("url_to"), .type = VALUE_TEXT, .units = 1 },
    [LINK_SEEN]      = { .v3 = SLICE("first_seen_link"), .type = VALUE_DATE, .units = 1 },
    [VISITED]        = { .v3 = SLICE("last_visited"), .type = VALUE_DATE, .units = 1 },
    [REDIRECT]       = { .v3 = SLICE("redirect_code"), .type = VALUE_WHOLE, .units = 1, .nullable = true },
    [ALT]            = { .v3 = SLICE("alt"), .type = VALUE_TEXT, .units = 1, .nullable = true },
    [ANCHOR]         = { .v3 = SLICE("anchor"), .type = VALUE_TEXT, .units = 1 },
    [BEFORE]         = { .v3 = SLICE("snippet_left"), .type = VALUE_TEXT, .units = 1 },
    [BEHIND]         = { .v3 = SLICE("snippet_right"), .type = VALUE_TEXT, .units = 1 },
    [FIRST_SEEN]     = { .v3 = SLICE("first_seen"), .type = VALUE_DATE, .units = 1 },
    [LINK_TYPE]      = { .v3 = SLICE("link_type"), .type = VALUE_TEXT, .units = 1, .words = link_types },
    [NOFOLLOW]       = { .v3 = SLICE("is_nofollow"), .type = VALUE_BOOL, .units = 1 },
    [UGC]            = { .v3 = SLICE("is_ugc"), .type = VALUE_BOOL, .units = 1 },
    [SPONSORED]      = { .v3 = SLICE("is_sponsored"), .type = VALUE_BOOL, .units = 1 },
    [GROUP]          = { .v3 = SLICE("link_group_count"), .type = VALUE_WHOLE, .units = 1 },
};

#define ANY_LANGUAGE SLICE("v3 has several languages of a page, and looks at all of them")

/* In the order in which v2 shows them. HAVING: what is true of it for a column. v2 looked at the target's page in
 * http_code, and v3 has that of the linking page alone. */
#define LINK_COLUMNS \
    { .v2 = SLICE("url_from"), .type = VALUE_TEXT, .field = URL_FROM, .text = TEXT_URL, .host = { SLICE("name_source"), 1, false }, \
      .where = FIDELITY_EXACT, HAVING, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT }, \
    { .v2 = SLICE("ahrefs_rank"), .type = VALUE_RATING, .field = URL_RATING, \
      .where = FIDELITY_EXACT, HAVING, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT }, \
    { .v2 = SLICE("domain_rating"), .type = VALUE_RATING, .field = DOMAIN_RATING, \
      HAVING, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT }, \
    { .v2 = SLICE("ahrefs_top"), .type = VALUE_WHOLE, .field = RANK, \
      HAVING, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT }, \
    { .v2 = SLICE("ip_from"), .type = VALUE_TEXT, .field = IP, .text = TEXT_HOST, \
      .where = FIDELITY_EXACT, HAVING, .order_by = FIDELITY_MISSING, .shown = FIDELITY_EXACT }, \
    { .v2 = SLICE("links_internal"), .type = VALUE_WHOLE, .field = INTERNAL, \
      .where = FIDELITY_EXACT, HAVING, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT }, \
    { .v2 = SLICE("links_external"), .type = VALUE_WHOLE, .field = EXTERNAL, \
      .where = FIDELITY_EXACT, HAVING, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT }, \
    { .v2 = SLICE("page_size"), .type = VALUE_WHOLE, .field = SIZE, \
      .where = FIDELITY_EXACT, HAVING, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT }, \
    { .v2 = SLICE("encoding"), .type = VALUE_TEXT, .field = ENCODING, \
      .where = FIDELITY_EXACT, HAVING, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT }, \
    { .v2 = SLICE("title"), .type = VALUE_TEXT, .field = TITLE, .text = TEXT_ANY_CASE, \
      .where = FIDELITY_EXACT, HAVING, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT }, \
    { .v2 = SLICE("language"), .type = VALUE_TEXT, .field = LANGUAGES, .text = TEXT_IN_A_LIST, \
      .where = FIDELITY_NEAR, .having = FIDELITY_NEAR, .order_by = FIDELITY_MISSING, .shown = FIDELITY_EXACT, .where_says = ANY_LANGUAGE, .having_says = ANY_LANGUAGE }, \
    { .v2 = SLICE("url_to"), .type = VALUE_TEXT, .field = URL_TO, .text = TEXT_URL, .host = { SLICE("name_target"), 1, false }, \
      .where = FIDELITY_EXACT, HAVING, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT }, \
    { .v2 = SLICE("first_seen"), .type = VALUE_DATE, .field = LINK_SEEN, \
      .where = FIDELITY_EXACT, HAVING, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT }, \
    { .v2 = SLICE("last_visited"), .type = VALUE_DATE, .field = VISITED, \
      .where = FIDELITY_EXACT, HAVING, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT }, \
    { .v2 = SLICE("prev_visited"), .type = VALUE_DATE, .field = LINK_SEEN, .null_when = NULL_VISITED, \
      .where = FIDELITY_MISSING, .having = FIDELITY_MISSING, .order_by = FIDELITY_NEAR, .shown = FIDELITY_BOUND, .order_by_says = SLICE("v3 has no earlier visit; sorted by first_seen"), .shown_says = SLICE("answered with first_seen: it was not before that") }, \
    { .v2 = SLICE("original"), .type = VALUE_BOOL, .from = FROM_NOTHING, \
      .where = FIDELITY_MISSING, .having = FIDELITY_MISSING, .order_by = FIDELITY_MISSING, .shown = FIDELITY_MISSING }, \
    { .v2 = SLICE("redirect"), .type = VALUE_WHOLE, .field = REDIRECT, \
      .where = FIDELITY_EXACT, HAVING, .order_by = FIDELITY_MISSING, .shown = FIDELITY_EXACT }, \
    { .v2 = SLICE("alt"), .type = VALUE_TEXT, .field = ALT, .text = TEXT_ANY_CASE, \
      .where = FIDELITY_EXACT, HAVING, .order_by = FIDELITY_MISSING, .shown = FIDELITY_EXACT }, \
    { .v2 = SLICE("anchor"), .type = VALUE_TEXT, .field = ANCHOR, .text = TEXT_ANY_CASE, \
      .where = FIDELITY_EXACT, HAVING, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT }, \
    { .v2 = SLICE("text_pre"), .type = VALUE_TEXT, .field = BEFORE, .text = TEXT_ANY_CASE, \
      .where = FIDELITY_EXACT, HAVING, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT }, \
    { .v2 = SLICE("text_post"), .type = VALUE_TEXT, .field = BEHIND, .text = TEXT_ANY_CASE, \
      .where = FIDELITY_EXACT, HAVING, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT }, \
    { .v2 = SLICE("http_code"), .type = VALUE_WHOLE, .from = FROM_NOTHING, \
      .where = FIDELITY_MISSING, .having = FIDELITY_MISSING, .order_by = FIDELITY_MISSING, .shown = FIDELITY_MISSING }, \
    { .v2 = SLICE("url_from_first_seen"), .type = VALUE_DATE, .field = FIRST_SEEN, \
      .where = FIDELITY_EXACT, HAVING, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT }, \
    { .v2 = SLICE("first_origin"), .type = VALUE_TEXT, .from = FROM_NOTHING, .only_named = true, \
      .shown = FIDELITY_MISSING }, \
    { .v2 = SLICE("last_origin"), .type = VALUE_TEXT, .from = FROM_NOTHING, .only_named = true, \
      .shown = FIDELITY_MISSING }, \
    { .v2 = SLICE("link_type"), .type = VALUE_TEXT, .field = LINK_TYPE, .text = TEXT_OF_WORDS, \
      .where = FIDELITY_EXACT, HAVING, .order_by = FIDELITY_NEAR, .shown = FIDELITY_EXACT, .order_by_says = SLICE("sorted by v3's words for them") }, \
    { .v2 = SLICE("nofollow"), .type = VALUE_BOOL, .field = NOFOLLOW, \
      .where = FIDELITY_EXACT, HAVING, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT }, \
    { .v2 = SLICE("ugc"), .type = VALUE_BOOL, .field = UGC, \
      .where = FIDELITY_EXACT, HAVING, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT }, \
    { .v2 = SLICE("sponsored"), .type = VALUE_BOOL, .field = SPONSORED, \
      .where = FIDELITY_EXACT, HAVING, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },

#define HAVING .having = FIDELITY_EXACT
static const struct column columns[] = {
    LINK_COLUMNS
};
#undef HAVING

/* v3 very likely picks the link of a domain before it looks at the conditions. */
#define HAVING .having = FIDELITY_NEAR, .having_says = SLICE("v3 may have picked another link of the domain")
static const struct column columns_of_domains[] = {
    LINK_COLUMNS
    { .v2 = SLICE("total_backlinks"), .type = VALUE_WHOLE, .field = GROUP,
      HAVING, .order_by = FIDELITY_MISSING, .shown = FIDELITY_EXACT },
};
#undef HAVING
#undef LINK_COLUMNS
#undef ANY_LANGUAGE

static const struct report report = {
    .shape = REPORT_ROWS, .path = SLICE("/site-explorer/all-backlinks"), .key = SLICE("backlinks"),
    .fields = fields, .n_fields = WITHOUT_GROUP, .parameters = SLICE("aggregation=all&history=live"),
};

static const struct report report_of_domains = {
    .shape = REPORT_ROWS, .path = SLICE("/site-explorer/all-backlinks"), .key = SLICE("backlinks"),
    .fields = fields, .n_fields = FIELDS, .parameters = SLICE("aggregation=1_per_domain&history=live"),
};
/* clang-format on */

const struct table table_backlinks = {
    .from = SLICE("backlinks"),
    .rows = SLICE("refpages"),
    .row_element = SLICE("refpage"),
    .columns = columns,
    .n_columns = sizeof columns / sizeof columns[0],
    .list = &report,
    .key = { .fields = { URL_FROM, URL_TO }, .n = 2, .repeats = true },
    .prices = { .request_milli = 1000, .result_milli = 200, .where_milli = 5000, .having_milli = 5000 },
};

/* v2 showed the link with the highest rating of its page; which one v3 shows it does not say. */
const struct table table_backlinks_one_per_domain = {
    .from = SLICE("backlinks_one_per_domain"),
    .rows = SLICE("refpages"),
    .row_element = SLICE("refpage"),
    .columns = columns_of_domains,
    .n_columns = sizeof columns_of_domains / sizeof columns_of_domains[0],
    .list = &report_of_domains,
    .key = { .fields = { URL_FROM, URL_TO }, .n = 2 },
    .rows_are_near = true,
    .prices = { .request_milli = 10000, .result_milli = 2000, .where_milli = 5000, .having_milli = 5000 },
};
