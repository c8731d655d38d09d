/* SPDX-License-Identifier: MIT
 *
 * The command line, and the switches for what nobody outside knows about API v3. The first value of
 * each switch is its default; --help is printed from the same tables that read the arguments.
 */
#ifndef SANDBOX_OPTIONS_H
#define SANDBOX_OPTIONS_H

#include <stdint.h>
#include <stdio.h>

#include "base/day.h"
#include "base/slice.h"

enum { MAX_KEYS = 16 };

#define NO_LIMIT UINT64_MAX

enum anchor_case { ANCHOR_CASE_KEEP, ANCHOR_CASE_FOLD };
enum collation { COLLATION_BYTES, COLLATION_NOCASE, COLLATION_LOCALE_LIKE };
enum link_filters { LINK_FILTERS_NARROW, LINK_FILTERS_SELECT };
enum mixed_levels { MIXED_LEVELS_ANY, MIXED_LEVELS_REFUSE };
enum text_compare { TEXT_COMPARE_BYTES, TEXT_COMPARE_COLLATION };
enum null_tests { NULL_TESTS_LENIENT, NULL_TESTS_STRICT };
enum json_style { JSON_PLAIN, JSON_ESCAPED };
enum cost_miss { COST_MISS_REAL, COST_MISS_ZERO };
enum retry_after { RETRY_AFTER_SECONDS, RETRY_AFTER_DATE, RETRY_AFTER_NONE };
enum too_many_body { TOO_MANY_JSON, TOO_MANY_HTML, TOO_MANY_EMPTY };
enum default_order { DEFAULT_ORDER_LINKS, DEFAULT_ORDER_ANCHOR, DEFAULT_ORDER_SCATTERED };
enum default_direction { DEFAULT_DIRECTION_DESC, DEFAULT_DIRECTION_ASC };
enum cache_case { CACHE_CASE_LOWER, CACHE_CASE_UPPER };
enum unknown_parameters { UNKNOWN_PARAMETERS_IGNORE, UNKNOWN_PARAMETERS_REFUSE };
enum decorated_target { DECORATED_TARGET_REFUSE, DECORATED_TARGET_ACCEPT };
enum on_timeout { ON_TIMEOUT_ERROR, ON_TIMEOUT_EMPTY };
enum group_filters { GROUP_FILTERS_BEFORE, GROUP_FILTERS_AFTER };
enum shown_link { SHOWN_LINK_RATING, SHOWN_LINK_OLDEST, SHOWN_LINK_SCATTERED };
enum batch_order { BATCH_ORDER_ASKED, BATCH_ORDER_SCATTERED };
enum batch_index { BATCH_INDEX_ZERO, BATCH_INDEX_ONE };
enum batch_names_bad { BATCH_NAMES_BAD_YES, BATCH_NAMES_BAD_NO };
enum batch_unknown { BATCH_UNKNOWN_ZEROS, BATCH_UNKNOWN_REFUSE };
enum compression { COMPRESSION_NEVER, COMPRESSION_GZIP };

/* What a subscription includes. */
struct plan {
    const char *name;
    const char *subscription; /* as limits-and-usage says it */
    uint64_t row_cap;         /* rows of one answer, NO_LIMIT: none */
    uint64_t units;           /* a month, for the whole workspace */
    bool has_api;
};

struct options {
    const char *address; /* 127.0.0.1 or ::1 */
    uint16_t port;       /* 0: the kernel chooses */
    uint64_t seed;
    const char *keys[MAX_KEYS];
    size_t n_keys;
    const char *denied_key; /* known, but may nothing */
    const struct plan *plan;
    uint64_t row_cap;
    uint64_t units;     /* of the workspace */
    uint64_t key_units; /* of each key */
    uint64_t rate;      /* requests of a key in any 60 s, 0: no limit */
    uint64_t latency_ms;
    uint64_t cache_ttl_ms; /* 0: nothing is a hit */
    struct day today;      /* when has_today; else the clock's */
    bool has_today;
    struct day reset_date; /* when has_reset_date; else the first of next month */
    bool has_reset_date;
    struct day expires; /* of the keys, when has_expires */
    bool has_expires;
    const char *subscription; /* instead of the plan's; NULL: the plan's */
    const char *port_file;
    const char *log_file;
    bool help;

    enum anchor_case anchor_case;
    enum collation collation;
    enum link_filters link_filters;
    enum mixed_levels mixed_levels;
    enum text_compare text_compare;
    enum null_tests null_tests;
    enum json_style json;
    enum cost_miss cost_miss;
    enum retry_after retry_after;
    enum too_many_body too_many_body;
    enum default_order default_order;
    enum default_direction default_direction;
    enum cache_case cache_case;
    enum unknown_parameters unknown_parameters;
    enum decorated_target decorated_target;
    enum on_timeout on_timeout;
    enum group_filters group_filters;
    enum shown_link shown_link;
    enum batch_order batch_order;
    enum batch_index batch_index;
    enum batch_names_bad batch_names_bad;
    enum batch_unknown batch_unknown;
    enum compression compression;
};

/* Read the arguments into *options; the strings are borrowed from argv. False after writing to
 * stderr what is wrong and what would be right. */
[[nodiscard]] bool options_read(int argc, char **argv, struct options *options);

void options_help(FILE *to);

/* The UTC day it is, by the clock or by --today. */
struct day options_today(const struct options *options);

#endif
