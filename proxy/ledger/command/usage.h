/* SPDX-License-Identifier: MIT
 *
 * The sums that the command usage shows, what they leave of the limits, and their three forms.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_COMMAND_USAGE_H
#define ANCHORAGE_PROXY_LEDGER_COMMAND_USAGE_H

#include "proxy/ledger/command/command.h"
#include "proxy/ledger/entries/forecast.h"
#include "proxy/ledger/entries/month.h"
#include "proxy/ledger/entries/names.h"
#include "proxy/ledger/entries/trace.h"
#include "proxy/ledger/store/shapes.h"

enum usage_by {
    BY_TEAM,
    BY_KEY,
    BY_CLIENT,
    BY_DAY,
    BY_HOUR,
    BY_TABLE,
    BY_TARGET,
    BY_FAULT,
    BY_MARK,
    BY_SHAPE,
    N_BY,
    BY_NONE = N_BY
};

extern const char *const usage_by_words[N_BY];

/* What stands for our own calls, where others have a key or an address; and for what is added up. */
#define USAGE_OWN "(anchorage)"
#define USAGE_TOGETHER "(together)"
#define USAGE_OTHERS "others"

/* Hours since 1970, from `since` until before `until`. */
struct hours {
    int64_t since, until;
};

struct usage_item {
    struct slice name, per; /* in the names of the report */
    struct sums sums;
    int64_t rows_held, units_held;
    int64_t rows_limit, rows_left; /* LEDGER_NO_LIMIT: null */
    int64_t units_limit, units_left;
    /* Calls without an entry, with marks, with marks that say other rows are possible. LEDGER_NO_LIMIT: null, for
     * nobody has counted them so, or the counts were removed. */
    int64_t refused, approximate, approximate_rows;
    int64_t bill;         /* cents, with a bill */
    struct slice team;    /* that it is of; empty: none, or several */
    struct slice of_name; /* the key's */
    struct slice call;    /* the shape's */
};

/* A limit in its running month, or what the whole has used when it has none. */
struct usage_limit {
    struct slice team; /* empty: of the whole */
    bool is_units;
    struct spent spent;
    struct period month;
    struct forecast forecast;
};

struct usage_limits {
    struct usage_limit *items; /* of teams, the closest to its end first */
    size_t n;
    struct usage_limit whole;
};

struct usage_report {
    enum usage_by by, per; /* per: BY_NONE, BY_TEAM or BY_KEY */
    struct hours hours;
    struct slice team, key; /* nothing else is added up; p is NULL: all */
    bool has_bill, has_top, is_wide, has_colour;
    size_t columns; /* of text */
    int64_t now_ms;
    struct usage_item *items; /* by the numbers of names until they are sorted */
    size_t n, room;
    struct names names, teams;
    size_t name_bytes;
    struct keys *keys;
    struct usage_limits limits;
    struct usage_item total, others;
    struct usage_item empty;  /* what a line begins with */
    struct usage_item marked; /* by mark: calls with several marks are in it once */
    size_t n_others;          /* that are not shown by name, and are added up in `others` */
    bool is_cut;              /* sums of names that are shown may stand in `others`; and n_others is not all of them */
    bool is_closed;           /* what has no name yet is one of the others */
    bool failed;              /* memory ran out */
};

static inline struct hours hours_of(struct period p)
{
    return (struct hours){ (int64_t)p.since.n * 24, (int64_t)p.until.n * 24 };
}

static inline bool hours_have(struct hours h, int64_t ms)
{
    return hour_of_ms(ms) >= h.since && hour_of_ms(ms) < h.until;
}

/* Whether the running months' limits stand beside the sums: today is among the hours. */
static inline bool usage_is_running(const struct usage_report *report)
{
    return hours_have(report->hours, report->now_ms);
}

/* Clients, targets and shapes that are shown by name: the dearest, by units, then rows, then calls. */
enum { USAGE_SHOWN = 1000 };

/* Whether lines are of words that calls ended with: of those that have any. */
static inline bool usage_is_of_words(enum usage_by by)
{
    return by == BY_FAULT || by == BY_MARK;
}

/* Add up the entries of the hours; of clients, targets and shapes in memory and time that do not grow with their
 * number. False when the books cannot be read; `why` gets one line. */
[[nodiscard]] bool usage_collect(struct usage_report *report, struct command *c, struct buffer *why);
void usage_clear(struct usage_report *report);

/* Those with nothing in them are dropped, but for configured teams; the rest is added up, and told whose limits it has.
 * Then by a column, the most first (the name of one of usage_columns); another word or NULL: by name. Our own calls
 * stand last, and behind them the others. */
void usage_sort(struct usage_report *report, const struct limits *limits, const char *column);

/* No more than `top` stay, unless that is 0; what the others have is added up. */
void usage_cut(struct usage_report *report, size_t top);

/* What the teams and the whole have used in their running months. Of `team` alone unless its p is NULL. */
[[nodiscard]] bool usage_limits_read(struct usage_limits *limits, struct command *c, struct slice team, int64_t now_ms,
                                     struct buffer *why);
void usage_limits_clear(struct usage_limits *limits);

/* NULL when there is none. */
const struct usage_limit *usage_limit_of(const struct usage_limits *limits, struct slice team, bool is_units);

/* Write them into the items and the total. */
void usage_limits_show(struct usage_report *report);

/* The sentence of the pace: "enough at this pace: 95 % by 1 Dec". */
void usage_pace(struct buffer *b, const struct usage_limit *limit);

/* The numbers of an item, in the order of every form. */
struct usage_column {
    const char *name;
    size_t at;
    bool may_be_null;
};
enum { USAGE_COLUMNS = 17, USAGE_FIRST_COLUMNS = 11 /* before the bill */ };
extern const struct usage_column usage_columns[USAGE_COLUMNS];
int64_t usage_value(const struct usage_item *item, const struct usage_column *column);

/* `,"whole":{...},"limits":[...]` */
void usage_json_limits(struct buffer *b, const struct usage_limits *limits);

void usage_text(struct buffer *b, const struct usage_report *report);
void usage_json(struct buffer *b, const struct usage_report *report);
void usage_csv(struct buffer *b, const struct usage_report *report);

#endif
