/* SPDX-License-Identifier: MIT
 *
 * Rows of a report: the links of a scope put together to what the report's rows are, filtered and ordered. */
#ifndef SANDBOX_GROUP_H
#define SANDBOX_GROUP_H

#include "tests/sandbox/filter.h"
#include "tests/sandbox/links.h"
#include "tests/sandbox/site.h"

struct row {
    const struct link *const *first, *const *end; /* all links that make it, those out of scope too */
    const struct link *shown;                     /* the one whose attributes are the row's */
    struct page page;                             /* of ROWS_PAGES, which have no links */
    bool is_lost;                                 /* the last link is: last_seen says when */
    bool is_spam;
    int64_t links_to_target, dofollow_links, new_links, lost_links, refdomains, refpages, first_seen, last_seen;
    double top_domain_rating;
};

struct grouping {
    enum rows kind;
    struct scope scope;
    struct row *rows;
    size_t n_rows;
    uint64_t links, refdomains; /* of the whole scope */
};

enum { MAX_FILTER_PARTS = 256 };

/* A filter taken apart at its top AND: what links must fulfil before grouping, and rows after. */
struct sieve {
    const struct filter *on_links[MAX_FILTER_PARTS], *on_rows[MAX_FILTER_PARTS];
    size_t n_links, n_rows;
};

/* NULL is no filter. False, *why set, when it mixes levels in an OR or NOT and options refuse that,
 * or has too many parts. */
[[nodiscard]] bool sieve_make(const struct filter *filter, const struct options *options, enum rows kind,
                              struct sieve *sieve, struct slice *why);

/* Group the links of the scope that pass the sieve (NULL: all). Free with grouping_clear. */
[[nodiscard]] bool grouping_make(const struct world *world, enum rows kind, const struct scope *scope,
                                 const struct options *options, const struct sieve *sieve, struct grouping *grouping);

/* The pages of an aimed scope, as rows. */
[[nodiscard]] bool grouping_make_pages(const struct world *world, const struct target *target, enum mode mode,
                                       const struct scope *scope, struct grouping *grouping);
void grouping_clear(struct grouping *grouping);

/* Whether the row passes the part of the sieve that is about rows. */
bool row_passes(const struct world *world, const struct grouping *grouping, const struct options *options,
                const struct sieve *sieve, const struct row *row);

/* Its texts live in scratch, in the world or for ever. */
struct value row_value(const struct world *world, const struct grouping *grouping, const struct row *row,
                       enum column column, struct scratch *scratch);

struct order {
    struct {
        const struct report_column *column;
        bool descending;
    } terms[MAX_REPORT_COLUMNS];
    size_t n;
};

/* All rows in that order; ties always fall the same way. To be freed; NULL when memory is out. */
const struct row **rows_sorted(const struct world *world, const struct options *options,
                               const struct grouping *grouping, const struct order *order);

#endif
