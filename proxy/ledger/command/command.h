/* SPDX-License-Identifier: MIT
 *
 * The commands on the books: what each is given, and the table they stand in. A command reads and writes the store
 * only, never the memory of the loop (but for strangers and refusals), so that it may run on a thread of its own.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_COMMAND_COMMAND_H
#define ANCHORAGE_PROXY_LEDGER_COMMAND_COMMAND_H

#include "base/words/words.h"
#include "proxy/ledger/entries/limits.h"
#include "proxy/ledger/entries/month.h"
#include "proxy/ledger/store/keys.h"
#include "proxy/ledger/store/refusals.h"
#include "proxy/ledger/store/store.h"
#include "proxy/ledger/store/strangers.h"

enum { COMMAND_NAME_BYTES = 200 /* of a key */, COMMAND_COLUMNS_LEAST = 40 };

/* In front of the words, for a terminal: its width, and whether it has colours: "--terminal=60,colour". */
#define COMMAND_TERMINAL "--terminal="

/* Exit statuses. */
enum { COMMAND_DONE = 0, COMMAND_WRONG = 1, COMMAND_MISUSED = 2 };

struct command {
    struct store *store;
    const struct limits *limits;
    struct strangers *strangers; /* they know themselves how to be used beside the loop */
    struct refusals *refusals;   /* likewise */
    bool alone;                  /* no daemon waits for the books meanwhile */
    size_t columns;              /* of text for people */
    bool has_colour;
    struct slice input;
    struct buffer *out, *err;
    bool keys_changed;       /* set by the command */
    struct entry *corrected; /* set by the command: the correction that it wrote; the caller frees it */
    int64_t at; /* where a command that goes on in portions begins, and then where it ended; 0: all of it */

    /* The command line: values by the row's options (NULL: absent; a flag: itself), then what is no option. */
    const struct command_row *row;
    const char *option[WORDS_OPTIONS];
    const char *argument[WORDS_ARGUMENTS];
    int n_arguments;
};

struct command_row {
    struct words_row line;
    /* What is wrong with the words together, or with a value beyond what its option's row can say; before the books are
     * looked at: COMMAND_MISUSED with what would be right, or 0. NULL: nothing. */
    int (*check)(struct command *c);
    int (*run)(struct command *c);
};

/* Begin and end a head of text for people; it ends in front of the line's end. */
void command_begin_head(const struct command *c);
void command_end_head(const struct command *c);

/* Run a command line on a prepared struct: store, limits, alone, input, out and err are set. */
int command_run(struct command *c, int argc, const char *const *argv);

/* Judge the words alone. WORDS_GOOD: *ret has them; WORDS_HELP: `out` has what was asked for; WORDS_WRONG: `err` says
 * why. */
enum words_result command_words(int argc, const char *const *argv, struct words *ret, struct buffer *out,
                                struct buffer *err);

/* Say what is wrong ("anchorage key add: ..."), and return COMMAND_WRONG. */
int command_wrong(struct command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with where help is; COMMAND_MISUSED. For a row's check alone. */
int command_misused(struct command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same of an option's value: "NAME is RIGHT, not GIVEN". */
int command_no_value(struct command *c, const char *name, const char *right, const char *given);

/* Say something that is not wrong ("anchorage key add: warning: ..."). */
void command_warn(struct command *c, const char *what);

/* Write "why" as it came from the store; COMMAND_WRONG. */
int command_failed(struct command *c, struct buffer *why);

/* Read a DATE: a UTC day, 1970-01-01 to 9999-12-31, or today, yesterday, 7d (so many days ago), 24h (so many hours
 * ago). *hour becomes the first one of it, since 1970. */
[[nodiscard]] bool command_date(const char *text, int64_t *hour);

/* The same of option `name`: 0, or COMMAND_MISUSED with what would be right. */
int command_hour(struct command *c, const char *name, const char *text, int64_t *hour);

/* Whether a day is one that can be asked for. */
bool command_knows_day(struct day day);

/* What --format asks for; NULL: text. */
enum command_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV, N_FORMATS };
enum command_format command_format(const char *text);

/* A text of a list: in JSON a string or null, in CSV a field. */
void command_put_text(struct buffer *b, enum command_format format, struct slice text);

/* Append what may have been meant by a team that is not configured, and those that are. */
void command_like_team(struct command *c, struct slice team, struct buffer *b);

/* Append "; did you mean key ID (NAME) of team TEAM?" where a key has this name, or an id like it. */
void command_like_key(const struct keys *keys, struct slice word, struct buffer *b);

/* Say, beside an answer from entries, that those up to `seq` were removed, if one that was asked for is among them. */
void command_note_cut(struct command *c, int64_t first_seq);

int key_add(struct command *c);
int key_import(struct command *c);
int key_list(struct command *c);
int key_list_unknown(struct command *c);
int key_disable(struct command *c);
int key_enable(struct command *c);
int key_assign(struct command *c);
int key_rotate(struct command *c);
int usage(struct command *c);
int ledger_verify(struct command *c);
int ledger_export(struct command *c);
int ledger_backup(struct command *c);
int ledger_correct(struct command *c);

/* `overview [team=T] [key=ID] [period=month|last-month|7d|24h | since=DATE until=DATE]`, for the daemon alone: what the
 * page shows of the books at a glance, as one JSON object that is open at its end: the daemon adds what it knows of
 * itself. */
int overview(struct command *c, int argc, const char *const *argv);

/* The checks of their words. */
int key_add_check(struct command *c);
int key_assign_check(struct command *c);
int usage_check(struct command *c);
bool usage_is_team(struct slice name);
int ledger_export_check(struct command *c);
int ledger_correct_check(struct command *c);

/* The order of the options in the table. */
enum { KEY_ADD_TEAM, KEY_ADD_NAME, KEY_ADD_TOKEN, KEY_ADD_TOKEN_FILE, KEY_ADD_QUIET };
enum { KEY_IMPORT_DRY_RUN, KEY_IMPORT_QUIET };
enum { KEY_LIST_UNKNOWN, KEY_LIST_FORMAT };
enum { KEY_EDIT_QUIET };
enum {
    USAGE_BY,
    USAGE_PER,
    USAGE_TEAM,
    USAGE_KEY,
    USAGE_SINCE,
    USAGE_UNTIL,
    USAGE_MONTH,
    USAGE_SORT,
    USAGE_TOP,
    USAGE_WIDE,
    USAGE_FORMAT,
    USAGE_BILL,
    USAGE_SPLIT,
    USAGE_WARN
};
enum { EXPORT_SINCE, EXPORT_FORMAT };
enum { CORRECT_UNITS, CORRECT_QUIET };

#endif
