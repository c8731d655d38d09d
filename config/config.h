/* SPDX-License-Identifier: MIT
 *
 * The configuration as one immutable struct. Field names are the option names of the file; durations are
 * in milliseconds and say so. The options stand as rows in options.def; reading is in read.c.
 */
#ifndef ANCHORAGE_CONFIG_CONFIG_H
#define ANCHORAGE_CONFIG_CONFIG_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

enum { CONFIG_AUTO = -1, CONFIG_UNLIMITED = -1, CONFIG_UNSET = -2 };

enum unknown_keys { UNKNOWN_KEYS_REFUSE, UNKNOWN_KEYS_METER };
enum error_status { ERROR_STATUS_V2, ERROR_STATUS_HTTP };
enum default_mode {
    DEFAULT_MODE_EXACT,
    DEFAULT_MODE_DOMAIN,
    DEFAULT_MODE_SUBDOMAINS,
    DEFAULT_MODE_PREFIX,
    DEFAULT_MODE_REQUIRE
};
enum last_visited { LAST_VISITED_FIRST_SEEN, LAST_VISITED_NULL };
enum stats_choice { STATS_ASK, STATS_ZERO };
enum stats_refpages { STATS_REFPAGES_ESTIMATE, STATS_REFPAGES_NULL };
enum missing { MISSING_EMPTY, MISSING_NULL };
enum anchor_case { ANCHOR_CASE_FOLD, ANCHOR_CASE_KEEP };
enum approximate { APPROXIMATE_ALLOW, APPROXIMATE_REFUSE };
enum too_long { TOO_LONG_CUT, TOO_LONG_REFUSE };
enum durability { DURABILITY_FULL, DURABILITY_RELAXED };

/* A list of words separated by spaces. */
struct config_words {
    const char **word; /* NUL-terminated */
    size_t n;
};

struct config_team {
    const char *name;        /* "seo"; "unassigned" takes what is no other's; "*" is allowed and takes nothing */
    int64_t rows_per_month;  /* CONFIG_UNLIMITED when empty */
    int64_t units_per_month; /* CONFIG_UNLIMITED when empty */
    int32_t concurrency;
    const char *subscription;
    struct config_words addresses;
    const char *api_key_file; /* NULL when empty */
    int line;                 /* of the section in the file */
};

struct config {
    const char *file; /* as it was named; relative paths in it are already resolved */

    /* [proxy] */
    struct config_words listen;
    struct config_words listen_tls;
    struct config_words tls_certificate, tls_private_key;
    struct config_words admin;
    const char *admin_token_file;
    const char *state_directory;
    enum unknown_keys unknown_keys;
    enum error_status error_status;
    struct config_words free_targets;
    enum default_mode default_mode;
    int64_t call_timeout_ms, queue_timeout_ms, drain_timeout_ms;
    int32_t max_connections, max_connections_per_address;
    int64_t idle_timeout_ms;
    int32_t listen_mode;     /* of unix sockets: 0001 to 0777 */
    int64_t call_memory_mib; /* CONFIG_AUTO or 16 and up */

    /* [upstream] */
    const char *url;          /* without a trailing slash */
    const char *api_key_file; /* resolved: next to the configuration, or in $CREDENTIALS_DIRECTORY */
    int64_t requests_per_minute;
    int64_t units_per_month;      /* CONFIG_UNLIMITED, or CONFIG_UNSET (only with a loopback url) */
    int64_t units_per_call;       /* 0: no ceiling */
    int32_t billing_day;          /* CONFIG_AUTO or 1 to 28 */
    int64_t max_rows_per_request; /* CONFIG_AUTO or 1 and up */
    int64_t upstream_timeout_ms;
    int64_t gather_ms;
    int64_t stats_ttl_ms, answer_ttl_ms;
    int64_t limits_interval_ms;           /* 0: never */
    const char *ca_file, *upstream_proxy; /* NULL when empty */

    /* [fidelity] */
    enum last_visited last_visited;
    enum stats_choice stats;
    enum stats_refpages stats_refpages;
    enum missing missing;
    enum anchor_case anchor_case;
    enum approximate approximate;
    enum too_long too_long;

    /* [ledger] */
    enum durability durability;
    int32_t keep_months; /* 0: forever */

    struct config_team *teams; /* in the order of the file */
    size_t n_teams;

    const struct config_team **teams_by_name; /* the same, by the bytes of their names */
    const struct config_network *networks;    /* of all teams; see config_team_of_address */
    size_t n_networks;
    const int *option_lines; /* one a row of options.def; see config_line_of */
    void *memory;            /* the arena all of it lives in */
};

enum { CONFIG_MAX_BYTES = 1024 * 1024 };

/* Read and check the file. On failure NULL, and `errors` has one line for each thing wrong:
 * "FILE:LINE: what is wrong; what would be right\n" (FILE: alone where there is no line). All of it is looked
 * through before it fails; past 200 errors the rest are only counted. Files named by options are not opened.
 * A file over CONFIG_MAX_BYTES is refused. */
[[nodiscard]] struct config *config_read(const char *file, struct buffer *errors);

/* The same; on failure *refused says whether reading it again will end so too: not when memory is out or a disk fails.
 */
[[nodiscard]] struct config *config_read_for_start(const char *file, bool *refused, struct buffer *errors);

/* The same from bytes; `file` is used for messages and to resolve relative paths only. */
[[nodiscard]] struct config *config_parse(const char *file, struct slice text, struct buffer *errors);

/* NULL is allowed. */
void config_free(struct config *c);

/* The team whose `addresses` hold the address ("10.1.2.7", "2001:db8::1"); of several networks around it the narrowest
 * counts. NULL when there is none, and for what is no address. */
const struct config_team *config_team_of_address(const struct config *c, struct slice address);

/* Append the names ("[proxy] listen, [upstream] url") of the options that differ between the two and only count
 * after a restart; false, and nothing appended, when there are none. */
bool config_needs_restart(const struct config *running, const struct config *next, struct buffer *names);

/* Append the names of what differs between the two and counts without a restart: options, "[team NAME] OPTION" of teams
 * that both have, "[team NAME] comes" and "[team NAME] goes". False, and nothing appended, when nothing does. */
bool config_changes(const struct config *running, const struct config *next, struct buffer *names);

/* Give `next` what `running` has where a change only counts after a restart, so that it says what is in force. The
 * values are borrowed: `running` must live as long as `next`. */
void config_keep(const struct config *running, struct config *next);

#endif
