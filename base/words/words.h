/* SPDX-License-Identifier: MIT
 *
 * Command lines as tables: a row for each command with a row for each option. What is refused, what --help says, the
 * manual and the completion come from them. Words are judged by their form alone: nothing is opened or asked here.
 */
#ifndef ANCHORAGE_BASE_WORDS_H
#define ANCHORAGE_BASE_WORDS_H

#include "base/buffer.h"
#include "base/slice.h"

enum { WORDS_OPTIONS = 20, WORDS_ARGUMENTS = 3, WORDS_EXAMPLES = 2, WORDS_COLUMNS = 80 };

struct words_option {
    const char *name; /* "--team" */
    bool is_flag;     /* it takes no value */
    bool is_needed;
    const char *value;      /* what stands for its value: "TEAM", or, with | between them, all that it may be */
    const char *by_default; /* NULL: none that could be named */
    const char *help;       /* sentences */
    bool (*form)(struct slice value); /* whether it may be such a value at all; NULL: any text that is not empty */
    const char *right;                /* what would be: "a name of letters" */
};

struct words_row {
    const char *words;     /* "key add" */
    const char *arguments; /* what is no option: "FILE|-"; "": nothing */
    const char *help;      /* what the command does: the first sentence stands in lists */
    const char *more;      /* lines behind the options; NULL: none */
    struct words_option options[WORDS_OPTIONS];
    int min_arguments, max_arguments;
    const char *swallows;                 /* an argument that is this takes all words behind it; NULL: none does */
    const char *examples[WORDS_EXAMPLES]; /* without "anchorage " */
};

/* What a command line gave: values by the row's options (NULL: absent; a flag: itself), then what is no option. They
 * borrow from argv. */
struct words {
    const struct words_row *row;
    const char *option[WORDS_OPTIONS];
    const char *argument[WORDS_ARGUMENTS];
    int n_arguments;
};

enum words_result { WORDS_GOOD, WORDS_HELP, WORDS_WRONG };

/* Read what stands behind the row's words. WORDS_HELP: --help or -h stood there, and `out` has it. WORDS_WRONG: `err`
 * has a line that says what is wrong and one that says where help is. */
[[nodiscard]] enum words_result words_read(const struct words_row *row, int argc, const char *const *argv,
                                           struct words *ret, struct buffer *out, struct buffer *err);

/* The value of an option by its name, or NULL. */
const char *words_value(const struct words *w, const char *name);

/* Append what --help says of the command. */
void words_help(const struct words_row *row, struct buffer *out);

/* Append a line of a list of commands: the name and the first sentence of `help`. */
void words_list(struct buffer *out, struct slice name, const char *help);

/* Append "anchorage COMMAND: WHAT" and where help is. `command` may be "". What was typed may stand in WHAT. */
void words_wrong(struct buffer *err, const char *command, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Append a word that was typed, without control characters, cut where it is long; of what looks like a key or a token,
 * the first four characters. And the same with quotes around it. */
void words_show(struct buffer *b, struct slice word);
void words_quote(struct buffer *b, struct slice word);

/* Whether a text may be a key or a token: long, and neither a path nor a sentence. */
bool words_look_secret(struct slice text);

/* Whether a text may name a team, by its form alone. */
bool words_is_team(struct slice text);
#define WORDS_TEAM_IS "a name of 1 to 64 letters, digits, '.', '_' and '-', or *"

/* Whether `name` is near enough to `known` to be a slip of the hand, or its beginning, and nearer than *best, which is
 * SIZE_MAX at first and becomes how near it is. */
bool words_is_near(struct slice name, struct slice known, size_t *best);

/* Fold the lines of `b` from `from` on to so many columns, at blanks; what goes on is indented by two more. */
void words_fold(struct buffer *b, size_t from, size_t columns);

#endif
