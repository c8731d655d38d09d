/* SPDX-License-Identifier: MIT
 * The endpoints that list rows, a table of columns each. A name means a link, a row or either by where it stands. */
#include "tests/sandbox/report.h"

#include <assert.h>

enum { NO_COLUMN = -1 };

static const struct report_column of_anchors[] = {
    { SLICE("anchor"), COLUMN_anchor, 1, LEVEL_EITHER, USE_ALL },
    { SLICE("links_to_target"), COLUMN_links_to_target, 1, LEVEL_ROW, USE_ALL },
    { SLICE("dofollow_links"), COLUMN_dofollow_links, 1, LEVEL_ROW, USE_ALL },
    { SLICE("new_links"), COLUMN_new_links, 1, LEVEL_ROW, USE_ALL },
    { SLICE("lost_links"), COLUMN_lost_links, 1, LEVEL_ROW, USE_ALL },
    { SLICE("refdomains"), COLUMN_refdomains, 5, LEVEL_ROW, USE_ALL },
    { SLICE("refpages"), COLUMN_refpages, 1, LEVEL_ROW, USE_ALL },
    { SLICE("first_seen"), COLUMN_first_seen, 1, LEVEL_ROW, USE_ALL },
    { SLICE("last_seen"), COLUMN_last_seen, 1, LEVEL_ROW, USE_ALL },
    { SLICE("top_domain_rating"), COLUMN_top_domain_rating, 1, LEVEL_ROW, USE_ALL },
    { SLICE("is_spam"), COLUMN_is_spam, 1, LEVEL_ROW, USE_ALL },
    { SLICE("discovered_status"), COLUMN_discovered_status, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("domain_rating"), COLUMN_domain_rating, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("drop_reason"), COLUMN_drop_reason, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("is_content"), COLUMN_is_content, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("is_dofollow"), COLUMN_is_dofollow, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("is_homepage_link"), COLUMN_is_homepage_link, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("is_nofollow"), COLUMN_is_nofollow, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("is_non_html"), COLUMN_is_non_html, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("is_root_domain"), COLUMN_is_root_domain, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("is_sponsored"), COLUMN_is_sponsored, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("is_ugc"), COLUMN_is_ugc, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("languages"), COLUMN_languages, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("len_url_redirect"), COLUMN_len_url_redirect, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("link_type"), COLUMN_link_type, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("linked_domains"), COLUMN_linked_domains, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("links_external"), COLUMN_links_external, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("lost_reason"), COLUMN_lost_reason, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("noindex"), COLUMN_noindex, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("positions"), COLUMN_positions, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("positions_source_domain"), COLUMN_positions_source_domain, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("powered_by"), COLUMN_powered_by, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("refdomains_source"), COLUMN_refdomains_source, 5, LEVEL_LINK, USE_WHERE },
    { SLICE("root_domain_name"), COLUMN_root_domain_name, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("snippet_left"), COLUMN_snippet_left, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("snippet_right"), COLUMN_snippet_right, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("source_page_author"), COLUMN_source_page_author, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("title"), COLUMN_title, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("traffic_domain"), COLUMN_traffic_domain, 10, LEVEL_LINK, USE_WHERE },
    { SLICE("traffic_page"), COLUMN_traffic_page, 10, LEVEL_LINK, USE_WHERE },
    { SLICE("url_from"), COLUMN_url_from, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("url_redirect"), COLUMN_url_redirect, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("url_redirect_with_target"), COLUMN_url_redirect_with_target, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("url_to"), COLUMN_url_to, 1, LEVEL_LINK, USE_WHERE },
};

static const struct report_column of_refdomains[] = {
    { SLICE("dofollow_linked_domains"), COLUMN_dofollow_linked_domains, 1, LEVEL_EITHER, USE_ALL },
    { SLICE("dofollow_links"), COLUMN_dofollow_links, 1, LEVEL_ROW, USE_ALL },
    { SLICE("dofollow_refdomains"), COLUMN_dofollow_refdomains, 5, LEVEL_EITHER, USE_ALL },
    { SLICE("domain"), COLUMN_root_domain_name, 1, LEVEL_EITHER, USE_ALL },
    { SLICE("domain_rating"), COLUMN_domain_rating, 1, LEVEL_EITHER, USE_ALL },
    { SLICE("first_seen"), COLUMN_first_seen, 1, LEVEL_ROW, USE_ALL },
    { SLICE("ip_source"), COLUMN_ip_source, 1, LEVEL_EITHER, USE_ALL },
    { SLICE("is_root_domain"), COLUMN_is_root_row, 1, LEVEL_EITHER, USE_ALL },
    { SLICE("is_spam"), COLUMN_is_spam, 1, LEVEL_EITHER, USE_ALL },
    { SLICE("last_seen"), COLUMN_last_seen, 1, LEVEL_ROW, USE_ALL },
    { SLICE("links_to_target"), COLUMN_links_to_target, 1, LEVEL_ROW, USE_ALL },
    { SLICE("lost_links"), COLUMN_lost_links, 1, LEVEL_ROW, USE_ALL },
    { SLICE("new_links"), COLUMN_new_links, 1, LEVEL_ROW, USE_ALL },
    { SLICE("positions_source_domain"), COLUMN_positions_source_domain, 1, LEVEL_EITHER, USE_ALL },
    { SLICE("traffic_domain"), COLUMN_traffic_domain, 10, LEVEL_EITHER, USE_ALL },
    { SLICE("anchor"), COLUMN_anchor, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("discovered_status"), COLUMN_discovered_status, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("drop_reason"), COLUMN_drop_reason, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("is_content"), COLUMN_is_content, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("is_dofollow"), COLUMN_is_dofollow, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("is_homepage_link"), COLUMN_is_homepage_link, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("is_nofollow"), COLUMN_is_nofollow, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("is_non_html"), COLUMN_is_non_html, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("is_sponsored"), COLUMN_is_sponsored, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("is_ugc"), COLUMN_is_ugc, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("languages"), COLUMN_languages, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("len_url_redirect"), COLUMN_len_url_redirect, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("link_type"), COLUMN_link_type, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("linked_domains"), COLUMN_linked_domains, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("links_external"), COLUMN_links_external, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("lost_reason"), COLUMN_lost_reason, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("noindex"), COLUMN_noindex, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("port_source"), COLUMN_port_source, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("port_target"), COLUMN_port_target, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("positions"), COLUMN_positions, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("powered_by"), COLUMN_powered_by, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("refdomains"), COLUMN_refdomains_source, 5, LEVEL_LINK, USE_WHERE },
    { SLICE("root_domain_name"), COLUMN_root_domain_name, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("snippet_left"), COLUMN_snippet_left, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("snippet_right"), COLUMN_snippet_right, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("source_page_author"), COLUMN_source_page_author, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("title"), COLUMN_title, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("traffic_page"), COLUMN_traffic_page, 10, LEVEL_LINK, USE_WHERE },
    { SLICE("url_from"), COLUMN_url_from, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("url_redirect"), COLUMN_url_redirect, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("url_redirect_with_target"), COLUMN_url_redirect_with_target, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("url_to"), COLUMN_url_to, 1, LEVEL_LINK, USE_WHERE },
};

static const struct report_column of_linkeddomains[] = {
    { SLICE("dofollow_linked_domains"), COLUMN_dofollow_linked_domains, 1, LEVEL_EITHER, USE_ALL },
    { SLICE("dofollow_links"), COLUMN_dofollow_links, 1, LEVEL_ROW, USE_ALL },
    { SLICE("dofollow_refdomains"), COLUMN_dofollow_refdomains, 5, LEVEL_EITHER, USE_ALL },
    { SLICE("domain"), COLUMN_root_domain_name, 1, LEVEL_EITHER, USE_ALL },
    { SLICE("domain_rating"), COLUMN_domain_rating, 1, LEVEL_EITHER, USE_ALL },
    { SLICE("first_seen"), COLUMN_first_seen, 1, LEVEL_ROW, USE_ALL },
    { SLICE("is_root_domain"), COLUMN_is_root_row, 1, LEVEL_EITHER, USE_ALL },
    { SLICE("linked_domain_traffic"), COLUMN_traffic_domain, 10, LEVEL_EITHER, USE_ALL },
    { SLICE("linked_pages"), COLUMN_refpages, 1, LEVEL_ROW, USE_ALL },
    { SLICE("links_from_target"), COLUMN_links_to_target, 1, LEVEL_ROW, USE_ALL },
    { SLICE("anchor"), COLUMN_anchor, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("is_content"), COLUMN_is_content, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("is_dofollow"), COLUMN_is_dofollow, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("is_nofollow"), COLUMN_is_nofollow, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("is_non_html"), COLUMN_is_non_html, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("is_sponsored"), COLUMN_is_sponsored, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("is_ugc"), COLUMN_is_ugc, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("languages"), COLUMN_languages, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("len_url_redirect"), COLUMN_len_url_redirect, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("link_type"), COLUMN_link_type, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("linked_domains"), COLUMN_linked_domains, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("links_external"), COLUMN_links_external, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("port_source"), COLUMN_port_source, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("port_target"), COLUMN_port_target, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("positions"), COLUMN_positions, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("powered_by"), COLUMN_powered_by, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("refdomains"), COLUMN_refdomains_source, 5, LEVEL_LINK, USE_WHERE },
    { SLICE("root_domain_name"), COLUMN_root_domain_name, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("snippet_left"), COLUMN_snippet_left, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("snippet_right"), COLUMN_snippet_right, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("title"), COLUMN_title, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("traffic_page"), COLUMN_traffic_page, 10, LEVEL_LINK, USE_WHERE },
    { SLICE("url_from"), COLUMN_own_url, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("url_redirect"), COLUMN_url_redirect, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("url_redirect_with_target"), COLUMN_url_redirect_with_target, 1, LEVEL_LINK, USE_WHERE },
    { SLICE("url_to"), COLUMN_url_from, 1, LEVEL_LINK, USE_WHERE },
};

static const struct report_column of_pages[] = {
    { SLICE("first_seen"), COLUMN_page_first_seen, 1, LEVEL_ROW, USE_ALL },
    { SLICE("http_code"), COLUMN_page_http_code, 1, LEVEL_ROW, USE_ALL },
    { SLICE("last_attempt"), COLUMN_page_last_attempt, 1, LEVEL_ROW, USE_ALL },
    { SLICE("last_crawled"), COLUMN_page_last_crawled, 1, LEVEL_ROW, USE_ALL },
    { SLICE("title"), COLUMN_page_title, 1, LEVEL_ROW, USE_ALL },
    { SLICE("url"), COLUMN_page_url, 1, LEVEL_ROW, USE_ALL },
    { SLICE("url_rating"), COLUMN_page_rating, 1, LEVEL_ROW, USE_ALL },
};

enum { ALIVE = 1, BROKEN = 2, BOTH = 3 };

/* Those of the other one have no use. */
#define LINKS_LEVEL(column) (COLUMN_##column == COLUMN_link_group_count ? LEVEL_ROW : LEVEL_LINK)

static const struct report_column of_links[] = {
#define LINKS(name_, column_, units_, uses_, which_)                                                                   \
    { SLICE(#name_), COLUMN_##column_, units_, LINKS_LEVEL(column_), (which_)&ALIVE ? USE_##uses_ : 0 },
#include "tests/sandbox/links.def"
#undef LINKS
};

static const struct report_column of_broken[] = {
#define LINKS(name_, column_, units_, uses_, which_)                                                                   \
    { SLICE(#name_), COLUMN_##column_, units_, LINKS_LEVEL(column_), (which_)&BROKEN ? USE_##uses_ : 0 },
#include "tests/sandbox/links.def"
#undef LINKS
};

static_assert(sizeof of_links / sizeof of_links[0] <= MAX_REPORT_COLUMNS, "a set of them has as many bits");

#define COLUMNS(table) .columns = (table), .n_columns = sizeof(table) / sizeof(table)[0]

const struct report report_anchors = {
    COLUMNS(of_anchors),   .key = SLICE("anchors"), .rows = ROWS_ANCHORS, .most = COLUMN_links_to_target,
    .name = COLUMN_anchor, .has_history = true,     .has_timeout = true,
};

const struct report report_refdomains = {
    COLUMNS(of_refdomains),          .key = SLICE("refdomains"), .rows = ROWS_DOMAINS, .most = COLUMN_links_to_target,
    .name = COLUMN_root_domain_name, .has_history = true,        .has_timeout = true,
};

const struct report report_all_backlinks = {
    COLUMNS(of_links),       .key = SLICE("backlinks"), .rows = ROWS_LINKS,      .most = COLUMN_domain_rating,
    .name = COLUMN_url_from, .has_history = true,       .has_aggregation = true, .has_timeout = true,
};

const struct report report_broken_backlinks = {
    COLUMNS(of_broken),      .key = SLICE("backlinks"), .rows = ROWS_LINKS,  .most = COLUMN_domain_rating,
    .name = COLUMN_url_from, .has_aggregation = true,   .has_timeout = true, .is_broken = true,
};

const struct report report_linkeddomains = {
    COLUMNS(of_linkeddomains),      .key = SLICE("linkeddomains"),   .rows = ROWS_LINKED,
    .most = COLUMN_links_to_target, .name = COLUMN_root_domain_name, .has_timeout = true,
};

const struct report report_crawled_pages = {
    COLUMNS(of_pages),       .key = SLICE("pages"), .rows = ROWS_PAGES,   .most = COLUMN_page_rating,
    .name = COLUMN_page_url, .row_cap = 100,        .sorts_by_one = true, .filters_plainly = true,
};

const struct report_column *report_find(const struct report *report, struct slice name, enum use use)
{
    for (size_t i = 0; i < report->n_columns; i++)
        if (slice_eq(report->columns[i].name, name))
            return report->columns[i].uses & use ? &report->columns[i] : NULL;
    return NULL;
}

const struct report_column *report_column_of(const struct report *report, enum column column)
{
    const struct report_column *c = report->columns;
    while (c->column != column)
        c++;
    return c;
}

void report_add(const struct report *report, struct report_set *set, const struct report_column *column)
{
    size_t i = (size_t)(column - report->columns);
    set->bits[i / 64] |= (uint64_t)1 << i % 64;
}

bool report_in(const struct report *report, const struct report_set *set, const struct report_column *column)
{
    size_t i = (size_t)(column - report->columns);
    return set->bits[i / 64] >> i % 64 & 1;
}

unsigned report_units(const struct report *report, const struct report_set *set)
{
    unsigned units = 0;
    for (size_t i = 0; i < report->n_columns; i++)
        if (report_in(report, set, &report->columns[i]))
            units += report->columns[i].units;
    return units;
}
