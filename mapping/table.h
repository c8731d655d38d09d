/* SPDX-License-Identifier: MIT
 *
 * The tables that drive the translation: a v2 table says which columns it has, what they are in v3, what may be asked
 * of them, what the table costs, and which reports of v3 its answer is made of. The common code has no exception for
 * any table: what a row cannot say stands in the table's own file, as a small function that the row names.
 *
 * docs/compatibility.md shows these tables to people.
 */
#ifndef ANCHORAGE_MAPPING_TABLE_H
#define ANCHORAGE_MAPPING_TABLE_H

#include "mapping/report.h"

enum { TABLE_MAX_COLUMNS = 64, TABLE_MAX_STATS = 32, TABLE_MAX_PARTS = 2 };

/* What v3 can do for a v2 column: shown, and in each clause. */
enum fidelity {
    FIDELITY_NONE, /* v2 did not allow it: refused */
    FIDELITY_EXACT,
    FIDELITY_NEAR,    /* done, and named in X-Anchorage-Approximate */
    FIDELITY_BOUND,   /* shown: a true bound of the same type stands in; named like NEAR */
    FIDELITY_MISSING, /* shown: v3 does not know it, v2's empty value stands in for it unless it was named; in a clause:
                         refused as not exact */
    FIDELITY_LIVE_DAY, /* a lower bound of a past day holds for every live link: dropped and named; else refused */
};

/* The options of [fidelity] that show null where v3 knows no true value. */
enum null_rule {
    NULL_NEVER,
    NULL_VISITED,  /* last_visited = null */
    NULL_ESTIMATE, /* stats_refpages = null */
    NULL_MISSING,  /* missing = null */
};

/* Where a value of the answer comes from. */
enum source {
    FROM_FIELD,   /* .field of the row */
    FROM_PART,    /* .fields, added up, of the part's report: .part */
    FROM_TARGET,  /* the target's host */
    FROM_PAGE,    /* the target's URL */
    FROM_NOTHING, /* v3 has nothing like it */
};

/* How a v2 condition on a text becomes one of v3. */
enum text_kind {
    TEXT_AS_IT_IS,  /* case counts */
    TEXT_FOLDED,    /* v2 stored it in lower case: shown folded, and found in any case */
    TEXT_ANY_CASE,  /* shown as v3 has it, found in any case */
    TEXT_HOST,      /* lower case by nature: literals are lower-cased */
    TEXT_URL,       /* case counts; subdomain() looks at its host: .host, which v3 may lack */
    TEXT_OF_WORDS,  /* v2's words for the field's: equal and not equal only */
    TEXT_IN_A_LIST, /* one of v3's list: equal and not equal only */
};

/* A name that v3 knows in filters, not among the fields of the table. */
struct filter_name {
    struct slice v3;
    int units;     /* a row */
    bool nullable; /* null stands for no text */
};

struct condition;
struct filter_making;
struct refusal;

/* A v2 column. */
struct column {
    struct slice v2;
    enum value_type type;
    enum source from;
    int field;
    int part;
    uint64_t fields;
    enum text_kind text;
    struct filter_name filter; /* the name in a filter; without one: that of the field */
    struct filter_name host;   /* of a URL: the host of it, for subdomain() */
    enum fidelity where, having, order_by, shown;
    struct slice where_says, having_says, order_by_says, shown_says; /* for people: what is not exact about it */
    enum null_rule null_when;                                        /* the option under which null is shown */
    bool only_named;                                                 /* select=* does not show it */
    /* In place of the usual filter: the expression, empty when the condition holds for all rows; or a refusal. */
    struct refusal (*make_filter)(const struct filter_making *m, const struct condition *c, struct slice *ret);
};

/* v2 rows; a fraction (thousandths) is rounded up once a call. */
struct prices {
    int32_t request_milli, result_milli, where_milli, having_milli;
};

/* Numbers of v3 beside the list, asked for in a request of their own: the fields of an object, or sums over the first
 * rows of a list. Parts of one name are the same numbers of a target, whichever table asks. */
struct part {
    struct slice name;
    struct slice what;   /* in messages: "API v3's answer (totals) …" */
    struct slice brings; /* for people who have a call explained: "stats.backlinks"; and why it is asked for */
    const char *purpose;
    const struct report *report;
    uint64_t fields;          /* what is asked for; of the target record: what the answer shows */
    struct field_order order; /* of a list, with `rows` rows */
    int rows;
    int64_t kept_ms; /* how long it is remembered; 0: as stats_ttl says */
    enum null_rule unless;
    int in_record; /* a field of the target record that is the same number as its one field, and 1; 0: none */
};

/* What a stat's function may look at. */
struct answer_view;
struct stat_value {
    int64_t whole;
    bool marked; /* it is not exact */
};

/* A number of the object behind the rows. */
struct table_stat {
    struct slice v2;
    enum value_type type;
    enum source from; /* FROM_PART or FROM_NOTHING */
    int part;
    uint64_t fields;
    enum fidelity shown;
    enum null_rule null_when;
    struct slice says;                                      /* for people: what is not exact about it */
    struct stat_value (*make)(const struct answer_view *v); /* in place of the part's fields; it says what is marked */
};

/* A number of a part that is at least that of the list's rows, and 0 only when there are none. */
struct table_bound {
    bool is_known;
    int part, field;
    bool is_sum; /* of sum_field over all rows; else of the rows */
    int sum_field;
};

enum table_kind {
    TABLE_LIST,
    TABLE_OBJECT,  /* one object made of parts */
    TABLE_BOOKS,   /* one object made from our own books: no target, no v3 */
    TABLE_REFUSED, /* v3 cannot tell it; .advice says what can be asked instead */
    TABLE_UNBUILT, /* it is not served yet */
};

/* What our own books say of a team. */
struct books_view {
    int64_t rows_used, rows_limit; /* rows_limit below 0: there is none */
    struct slice subscription;
};

enum { TABLE_MAX_KEY = 3 };

/* The fields, texts all, in which rows are distinct: every order ends with them. */
struct key {
    int fields[TABLE_MAX_KEY];
    int n;
    bool repeats; /* rows may be equal in them: none is dropped for that */
};

struct table {
    struct slice from; /* v2: from= */
    enum table_kind kind;
    struct slice advice;
    struct slice rows;        /* v2's JSON key of the list, or of the object */
    struct slice row_element; /* XML: one row */
    const struct column *columns;
    size_t n_columns;
    const struct report *list;
    bool is_one_row;                 /* of an object: shown as a list of it */
    const struct table *of_one_page; /* answers for one URL, without conditions, in place of this list; same columns */
    struct slice only;               /* a v3 filter that every call has, on fields of the key; empty: none */
    uint64_t always_marked;          /* columns that are named in any answer with rows, shown or not */
    struct key key;
    const struct part *parts;
    size_t n_parts;
    const struct table_stat *stats;
    size_t n_stats;
    struct table_bound bound;
    bool mode_means_nothing; /* the answer is the same in every mode */
    bool rows_are_near;      /* which rows there are is v3's choice: marked when there is one */
    int tlds_of; /* the field of hosts that are counted by their last label behind the stats, and 1; 0: none */
    struct prices prices;
    void (*books)(const struct books_view *v, union cell *cells); /* TABLE_BOOKS: a cell a column */
};

/* The list of tables, mapping/table/list.c: a new v2 table is one file of rows and one line there. NULL behind the
 * last. */
extern const struct table *const table_list[];

/* A name that v2 never had, though programs send it, and where its numbers are. An empty name behind the last. */
struct table_hint {
    struct slice from, hint;
};
extern const struct table_hint table_hints[];

/* NULL when there is no such table; those that are refused are there. */
const struct table *table_find(struct slice from);

/* The table of v2 that a name may have been meant for; n 0: none. */
struct slice table_like(struct slice from);

/* The i-th table, NULL past the last. */
const struct table *table_at(size_t i);

/* What to say of a name that v2 never had beside the list of tables; empty for most. */
struct slice table_hint(struct slice from);

/* Whether calls for it are answered. */
bool table_is_served(const struct table *t);

/* Whether it is made from our own books alone. */
bool table_is_of_books(const struct table *t);

/* Index of the column with this v2 name, or -1. */
int table_column(const struct table *t, struct slice v2);

/* The field of the row that the column shows, or -1. */
int column_field(const struct column *c);

/* v2 rows of a call with `results` rows. */
int64_t table_price(const struct table *t, int64_t results, bool where, bool having);

/* Keys that differ in case only were one row in v2. */
bool table_folds(const struct table *t);

/* Whether `field` is one of the key. */
bool table_is_key(const struct table *t, int field);

extern const struct table table_anchors;
extern const struct table table_domain_rating;
extern const struct table table_metrics;
extern const struct table table_metrics_extended;
extern const struct table table_positions_metrics;
extern const struct table table_refdomains;
extern const struct table table_refdomains_by_type;
extern const struct table table_backlinks;
extern const struct table table_backlinks_one_per_domain;
extern const struct table table_linked_domains;
extern const struct table table_refips;
extern const struct table table_ahrefs_rank;
extern const struct table table_pages;
extern const struct table table_subscription_info;
extern const struct table table_backlinks_new_lost;
extern const struct table table_broken_backlinks;
extern const struct table table_refdomains_new_lost;
extern const struct table table_anchors_refdomains;
extern const struct table table_pages_extended;
extern const struct table table_broken_links;
extern const struct table table_pages_info;
extern const struct table table_linked_domains_by_type;
extern const struct table table_linked_anchors;
extern const struct table table_backlinks_new_lost_counters;
extern const struct table table_refdomains_new_lost_counters;

#endif
