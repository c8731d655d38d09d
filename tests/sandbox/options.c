/* SPDX-License-Identifier: MIT
 * The command line: two tables, one of plain options and one of switches, read and printed from here. */
#include "tests/sandbox/options.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"

static const struct plan plans[] = {
    { "Enterprise", "Enterprise, billed yearly", NO_LIMIT, NO_LIMIT, true },
    { "Advanced", "Advanced, billed monthly", 500, 2000000, true },
    { "Standard", "Standard, billed monthly", 250, 800000, true },
    { "Lite", "Lite, billed monthly", 100, 200000, true },
    { "Starter", "Starter, billed monthly", 0, 0, false },
};

/* Each sets what it stands for; false when `value` does not fit. */
static bool set_listen(struct options *o, const char *value);
static bool set_seed(struct options *o, const char *value);
static bool set_key(struct options *o, const char *value);
static bool set_denied_key(struct options *o, const char *value);
static bool set_plan(struct options *o, const char *value);
static bool set_row_cap(struct options *o, const char *value);
static bool set_units(struct options *o, const char *value);
static bool set_key_units(struct options *o, const char *value);
static bool set_rate(struct options *o, const char *value);
static bool set_latency(struct options *o, const char *value);
static bool set_cache_ttl(struct options *o, const char *value);
static bool set_today(struct options *o, const char *value);
static bool set_reset_date(struct options *o, const char *value);
static bool set_expires(struct options *o, const char *value);
static bool set_subscription(struct options *o, const char *value);
static bool set_port_file(struct options *o, const char *value);
static bool set_log_file(struct options *o, const char *value);

struct option {
    const char *name, *value;
    bool (*set)(struct options *o, const char *value);
    const char *help;
};

/* clang-format off */
static const struct option plain[] = {
    { "listen", "ADDRESS:PORT", set_listen, "where to listen, loopback only: 127.0.0.1:PORT or [::1]:PORT; port "
                                            "0 lets the kernel choose (default 127.0.0.1:0)" },
    { "seed", "N", set_seed, "other invented data for another number (default 1)" },
    { "key", "KEY", set_key, "an API key that is let in; may be given several times (default: sandbox-key)" },
    { "denied-key", "KEY", set_denied_key, "a key that is answered 403" },
    { "plan", "NAME", set_plan, "Enterprise, Advanced, Standard, Lite or Starter (no API): rows of an answer, "
                                "units, subscription text (default Enterprise)" },
    { "row-cap", "N", set_row_cap, "rows of one answer instead of the plan's; more are silently cut off; 0: no cap" },
    { "units", "N", set_units, "units the workspace may spend instead of the plan's; \"unlimited\" too" },
    { "key-units", "N", set_key_units, "units each key may spend (default unlimited)" },
    { "rate", "N", set_rate, "requests a key may make in any 60 seconds; 0: as many as it likes (default 60)" },
    { "latency", "TIME", set_latency, "time an answer takes, 20ms or 2s (default 0ms)" },
    { "cache-ttl", "TIME", set_cache_ttl, "the same request again within this time is a hit and costs nothing; "
                                          "0ms: never (default)" },
    { "today", "YYYY-MM-DD", set_today, "the day it is, instead of the clock's (UTC)" },
    { "reset-date", "YYYY-MM-DD", set_reset_date, "usage_reset_date (default: the first of next month)" },
    { "expires", "YYYY-MM-DD", set_expires, "api_key_expiration_date (default: the first of this month, a year on)" },
    { "subscription", "TEXT", set_subscription, "what the plan is called, whatever it gives" },
    { "port-file", "FILE", set_port_file, "write the port here once listening" },
    { "log", "FILE", set_log_file, "append a line for each v3 request" },
};

#define FIELD(name) offsetof(struct options, name)

static const struct {
    const char *name;
    size_t offset;
    struct { const char *value, *help; } values[4];
} switches[] = {
    { "anchor-case", FIELD(anchor_case), {
        { "keep", "anchors differ by case" },
        { "fold", "anchors are lower-cased and merged" } } },
    { "collation", FIELD(collation), {
        { "bytes", "text is ordered by its UTF-8 bytes" },
        { "nocase", "by its lower-case letters, then by bytes" },
        { "locale-like", "by letters and digits alone, without case and accents, then by bytes" } } },
    { "link-filters", FIELD(link_filters), {
        { "narrow", "conditions on links leave only those links in the counts" },
        { "select", "they choose the anchors and domains that have such a link, with full counts" } } },
    { "group-filters", FIELD(group_filters), {
        { "before", "where links alike or of one domain make a row, conditions choose links before that" },
        { "after", "they are held against the link that is shown" } } },
    { "shown-link", FIELD(shown_link), {
        { "rating", "such a row shows the link of the page with the highest rating" },
        { "oldest", "the one found first" },
        { "scattered", "any, but always the same" } } },
    { "mixed-levels", FIELD(mixed_levels), {
        { "any", "in an OR or NOT over links and rows, a condition on links holds when one link of the row "
                 "fulfils it" },
        { "refuse", "such filters are answered 400" } } },
    { "text-compare", FIELD(text_compare), {
        { "bytes", "gt, gte, lt, lte on text go by bytes" },
        { "collation", "they go by --collation" } } },
    { "null-tests", FIELD(null_tests), {
        { "lenient", "is_null on any column, empty on text and lists" },
        { "strict", "is_null only on columns that may be null, else 400" } } },
    { "json", FIELD(json), {
        { "plain", "text as it is" },
        { "escaped", "\\/ and \\uXXXX for all that is not ASCII" } } },
    { "cost-miss", FIELD(cost_miss), {
        { "real", "x-api-units-cost-total-actual says what was taken" },
        { "zero", "it says 0 though units were taken" } } },
    { "retry-after", FIELD(retry_after), {
        { "seconds", "429 says when, in seconds" },
        { "date", "as a date" },
        { "none", "not at all" } } },
    { "429-body", FIELD(too_many_body), {
        { "json", "{\"error\":...}" },
        { "html", "a page of an edge server" },
        { "empty", "nothing" } } },
    { "default-order", FIELD(default_order), {
        { "links", "without order_by: most links, or highest rating, first" },
        { "anchor", "by anchor, domain or URL, as --collation says" },
        { "scattered", "no order at all, but always the same" } } },
    { "default-direction", FIELD(default_direction), {
        { "desc", "a column in order_by without a direction is descending" },
        { "asc", "ascending" } } },
    { "cache-case", FIELD(cache_case), {
        { "lower", "x-api-cache: miss" },
        { "upper", "x-api-cache: MISS" } } },
    { "unknown-parameters", FIELD(unknown_parameters), {
        { "ignore", "parameters without a meaning change nothing (offset is always refused)" },
        { "refuse", "they are answered 400" } } },
    { "decorated-target", FIELD(decorated_target), {
        { "refuse", "in the modes domain and subdomains a target with scheme, path or port is answered 400" },
        { "accept", "the host of it is taken" } } },
    { "on-timeout", FIELD(on_timeout), {
        { "error", "the parameter timeout passed: 500" },
        { "empty", "200 without rows" } } },
    { "batch-order", FIELD(batch_order), {
        { "asked", "batch-analysis answers targets in the order in which they were asked" },
        { "scattered", "in another one" } } },
    { "batch-index", FIELD(batch_index), {
        { "zero", "its index counts from 0" },
        { "one", "from 1" } } },
    { "batch-names-bad", FIELD(batch_names_bad), {
        { "yes", "the refusal of a whole batch names the target that is bad" },
        { "no", "it does not" } } },
    { "batch-unknown", FIELD(batch_unknown), {
        { "zeros", "a target that is not in the index has zeros" },
        { "refuse", "the whole batch is answered 404" } } },
    { "compression", FIELD(compression), {
        { "never", "bodies are never compressed" },
        { "gzip", "they are for clients that accept gzip" } } },
};
/* clang-format on */

enum { N_PLAIN = sizeof plain / sizeof plain[0], N_SWITCHES = sizeof switches / sizeof switches[0] };

static_assert(sizeof(enum anchor_case) == sizeof(unsigned), "switches are stored as unsigned");

static bool set_listen(struct options *o, const char *value)
{
    struct slice s = slice_str(value);
    uint64_t port;
    if (slice_starts(s, S("127.0.0.1:"))) {
        o->address = "127.0.0.1";
        s = slice_from(s, 10);
    } else if (slice_starts(s, S("[::1]:"))) {
        o->address = "::1";
        s = slice_from(s, 6);
    } else {
        return false;
    }
    if (!parse_u64(s, &port) || port > 65535)
        return false;
    o->port = (uint16_t)port;
    return true;
}

static bool set_seed(struct options *o, const char *value)
{
    return parse_u64(slice_str(value), &o->seed);
}

static bool set_key(struct options *o, const char *value)
{
    if (!*value || o->n_keys == MAX_KEYS)
        return false;
    o->keys[o->n_keys++] = value;
    return true;
}

static bool set_denied_key(struct options *o, const char *value)
{
    o->denied_key = value;
    return *value;
}

static bool set_plan(struct options *o, const char *value)
{
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        if (slice_eq_nocase(slice_str(value), slice_str(plans[i].name))) {
            o->plan = &plans[i];
            return true;
        }
    }
    return false;
}

static bool read_limit(const char *value, uint64_t *limit)
{
    if (slice_eq(slice_str(value), S("unlimited"))) {
        *limit = NO_LIMIT;
        return true;
    }
    return parse_u64(slice_str(value), limit);
}

static bool set_row_cap(struct options *o, const char *value)
{
    if (!parse_u64(slice_str(value), &o->row_cap))
        return false;
    if (!o->row_cap)
        o->row_cap = NO_LIMIT;
    return true;
}

static bool set_units(struct options *o, const char *value)
{
    return read_limit(value, &o->units);
}

static bool set_key_units(struct options *o, const char *value)
{
    return read_limit(value, &o->key_units);
}

static bool set_rate(struct options *o, const char *value)
{
    return parse_u64(slice_str(value), &o->rate) && o->rate <= 1000000;
}

static bool read_time(const char *value, uint64_t *ms)
{
    struct slice s = slice_str(value);
    uint64_t n, factor = slice_ends(s, S("ms")) ? 1 : slice_ends(s, S("s")) ? 1000 : 0;
    if (!factor || !parse_u64(slice_of(s.p, s.n - (factor == 1 ? 2 : 1)), &n) || n > 86400000)
        return false;
    *ms = n * factor;
    return true;
}

static bool set_latency(struct options *o, const char *value)
{
    return read_time(value, &o->latency_ms);
}

static bool set_cache_ttl(struct options *o, const char *value)
{
    return read_time(value, &o->cache_ttl_ms);
}

static bool set_today(struct options *o, const char *value)
{
    o->has_today = true;
    return day_parse(slice_str(value), &o->today);
}

static bool set_reset_date(struct options *o, const char *value)
{
    o->has_reset_date = true;
    return day_parse(slice_str(value), &o->reset_date);
}

static bool set_expires(struct options *o, const char *value)
{
    o->has_expires = true;
    return day_parse(slice_str(value), &o->expires);
}

static bool set_subscription(struct options *o, const char *value)
{
    o->subscription = value;
    return true;
}

static bool set_port_file(struct options *o, const char *value)
{
    o->port_file = value;
    return *value;
}

static bool set_log_file(struct options *o, const char *value)
{
    o->log_file = value;
    return *value;
}

/* 1: set, 0: `name` is no switch, -1: it is, but `value` is none of its values. */
static int set_switch(struct options *o, struct slice name, const char *value)
{
    for (size_t i = 0; i < N_SWITCHES; i++) {
        if (!slice_eq(name, slice_str(switches[i].name)))
            continue;
        for (unsigned k = 0; k < 4 && switches[i].values[k].value; k++) {
            if (slice_eq(slice_str(value), slice_str(switches[i].values[k].value))) {
                memcpy((char *)o + switches[i].offset, &k, sizeof k);
                return 1;
            }
        }
        return -1;
    }
    return 0;
}

static int set_plain(struct options *o, struct slice name, const char *value)
{
    for (size_t i = 0; i < N_PLAIN; i++)
        if (slice_eq(name, slice_str(plain[i].name)))
            return plain[i].set(o, value) ? 1 : -1;
    return 0;
}

/* Read argv[*i], and its value, which may stand behind a '=' or in the next argument. */
static bool read_argument(int argc, char **argv, int *i, struct options *o)
{
    struct slice word = slice_str(argv[*i]), name, rest;
    if (!slice_starts(word, S("--"))) {
        fprintf(stderr, "anchorage-sandbox: %s: options begin with --; see --help\n", argv[*i]);
        return false;
    }
    name = slice_split(slice_from(word, 2), '=', &rest);
    if (!rest.p && slice_eq(name, S("help"))) {
        o->help = true;
        return true;
    }
    const char *value = rest.p ? rest.p : *i + 1 < argc ? argv[++*i] : NULL;
    int done = value ? set_switch(o, name, value) : -1;
    if (!done)
        done = set_plain(o, name, value);
    if (done <= 0)
        fprintf(stderr, "anchorage-sandbox: --%.*s: %s; see --help\n", SLICE_ARGS(name),
                !done    ? "there is no such option"
                : !value ? "a value is missing"
                         : "that is not one of its values");
    return done > 0;
}

bool options_read(int argc, char **argv, struct options *options)
{
    struct options o = {
        .address = "127.0.0.1", .seed = 1, .plan = &plans[0], .row_cap = 0, .key_units = NO_LIMIT, .rate = 60
    };
    bool units_given = false;
    for (int i = 1; i < argc; i++) {
        units_given |= slice_starts(slice_str(argv[i]), S("--units"));
        if (!read_argument(argc, argv, &i, &o))
            return false;
    }
    if (!o.row_cap)
        o.row_cap = o.plan->row_cap;
    if (!units_given)
        o.units = o.plan->units;
    if (!o.n_keys)
        o.keys[o.n_keys++] = "sandbox-key";
    *options = o;
    return true;
}

static void help_on_targets(FILE *to)
{
    fputs("\nTargets: every valid domain has links, some to thousands, the same ones for the same --seed. Its known\n"
          "hosts are the domain itself, www, blog, m.blog, shop and de. These are fixed:\n"
          "  one.example      1 anchor, 3 live links, all to the home page of the bare domain\n"
          "  small.example    12 anchors\n"
          "  tricky.example   one of every kind of odd anchor\n"
          "  twins.example    letters that are one without case, but not in lower case\n"
          "  lower.example    200 anchors without an upper-case letter\n"
          "  lost.example     40 anchors, all links lost\n"
          "  big.example      20000 anchors, about 60000 links\n"
          "  empty.example    known, no links\n"
          "  unknown.example  not in the index: 404\n"
          "  refused.example  a bad target: 400\n"
          "  ratings.example  ratings of n.0, n.4, n.5 and n.6, many alike; more than 400 pages\n"
          "  nulls.example    what may be null is, half of the time; its rank is\n"
          "  dupes.example    several links between the same two pages\n"
          "  ahrefs.com, yep.com, firehose.com and their subdomains are free: at most 100 rows, actual cost 0\n",
          to);
}

void options_help(FILE *to)
{
    fputs(
        "usage: anchorage-sandbox [OPTION VALUE]...\n"
        "A stand-in for Ahrefs API v3 on loopback, over invented but consistent data: of /v3/site-explorer/ anchors,\n"
        "refdomains, all-backlinks, broken-backlinks, linkeddomains, crawled-pages and backlinks-stats, and\n"
        "/v3/batch-analysis/batch-analysis and /v3/subscription-info/limits-and-usage. Prints \"listening on URL\"\n"
        "when ready and ends on SIGTERM. POST /_sandbox/script makes it misbehave: see docs/sandbox.md.\n\n",
        to);
    for (size_t i = 0; i < N_PLAIN; i++)
        fprintf(to, "  --%s %s\n        %s\n", plain[i].name, plain[i].value, plain[i].help);
    fputs("\nWhat is not known about API v3 can be had either way; the first value is the default:\n", to);
    for (size_t i = 0; i < N_SWITCHES; i++) {
        fprintf(to, "  --%s\n", switches[i].name);
        for (size_t k = 0; k < 4 && switches[i].values[k].value; k++)
            fprintf(to, "        %-12s %s\n", switches[i].values[k].value, switches[i].values[k].help);
    }
    help_on_targets(to);
}

struct day options_today(const struct options *options)
{
    return options->has_today ? options->today : day_of_ms(clock_wall_ms());
}
