/* SPDX-License-Identifier: MIT
 * The commands as a table, and what they say of themselves. */
#include "proxy/ledger/command/command.h"

#include "base/clock.h"
#include "base/shown.h"
#include "base/text.h"

/* ---- the table ---- */

#define QUIET                                                                                                          \
    {                                                                                                                  \
        .name = "--quiet", .is_flag = true, .help = "Print the id alone on standard output."                           \
    }

#define FORMAT                                                                                                         \
    {                                                                                                                  \
        .name = "--format", .value = "text|json|csv", .by_default = "text",                                            \
        .help = "How it is written: for people, or for programs with every column."                                    \
    }

static const struct command_row rows[] = {
    {
        .line = {
            .words = "key add",
            .arguments = "",
            .help = "Make a key of a team and print its id. Without a token one is made and shown once. Calls under a "
                    "key of team * are of the team whose addresses hold the client's.",
            .options = {
                [KEY_ADD_TEAM] = { .name = "--team", .is_needed = true, .value = "TEAM", .form = words_is_team,
                                   .right = WORDS_TEAM_IS, .help = "The team that is charged, a [team TEAM] of the configuration." },
                [KEY_ADD_NAME] = { .name = "--name", .value = "NAME",
                                   .help = "What the key is called in lists, by the program that has it." },
                [KEY_ADD_TOKEN] = { .name = "--token", .value = "TOKEN",
                                    .help = "The token of the key, such as one that a program has built in; - reads it from "
                                            "standard input. Others may see a token in an argument." },
                [KEY_ADD_TOKEN_FILE] = { .name = "--token-file", .value = "FILE", .help = "A file that holds the token." },
                [KEY_ADD_QUIET] = QUIET },
            .examples = { "key add --team seo --name crawler", "key add --team seo --name mailer --token-file old.token" },
        },
        .check = key_add_check,
        .run = key_add,
    },
    {
        .line = {
            .words = "key import",
            .arguments = "FILE|-",
            .help = "Make keys from a CSV of team,name,token: all of them or none. A line that is there already is no "
                    "error.",
            .options = { [KEY_IMPORT_DRY_RUN] = { .name = "--dry-run", .is_flag = true,
                                                  .help = "Say what would be done, and do nothing." },
                         [KEY_IMPORT_QUIET] = { .name = "--quiet", .is_flag = true,
                                                .help = "Print the ids of the new keys alone, a line each." } },
            .more = "FILE may have a first line that names the columns, in any order; - is standard input.",
            .min_arguments = 1,
            .max_arguments = 1,
            .examples = { "key import --dry-run keys.csv", "key import keys.csv" },
        },
        .run = key_import,
    },
    {
        .line = {
            .words = "key list",
            .arguments = "",
            .help = "List the keys.",
            .options = { [KEY_LIST_UNKNOWN] = { .name = "--unknown", .is_flag = true,
                         .help = "List who came with a token that is no key's instead, the last one first, by a digest "
                                 "of the token and the address: whether the last call was refused or metered, how many "
                                 "there were, and what tables they asked for. It has 1000 lines at most, and is on disk "
                                 "a minute later." },
                         [KEY_LIST_FORMAT] = FORMAT },
            .examples = { "key list", "key list --unknown --format csv" },
        },
        .run = key_list,
    },
    {
        .line = {
            .words = "key disable",
            .arguments = "ID",
            .help = "Refuse calls with this key from now on.",
            .options = { [KEY_EDIT_QUIET] = QUIET },
            .min_arguments = 1,
            .max_arguments = 1,
            .examples = { "key disable k7f2m0qa", "key disable --quiet k7f2m0qa" },
        },
        .run = key_disable,
    },
    {
        .line = {
            .words = "key enable",
            .arguments = "ID",
            .help = "Take calls with this key again.",
            .options = { [KEY_EDIT_QUIET] = QUIET },
            .min_arguments = 1,
            .max_arguments = 1,
            .examples = { "key enable k7f2m0qa", "key enable --quiet k7f2m0qa" },
        },
        .run = key_enable,
    },
    {
        .line = {
            .words = "key assign",
            .arguments = "ID TEAM",
            .help = "Give the key to a team. What it has used stays with the team it was used under.",
            .options = { [KEY_EDIT_QUIET] = QUIET },
            .min_arguments = 2,
            .max_arguments = 2,
            .examples = { "key assign k7f2m0qa sales", "key assign --quiet k7f2m0qa seo" },
        },
        .check = key_assign_check,
        .run = key_assign,
    },
    {
        .line = {
            .words = "key rotate",
            .arguments = "ID",
            .help = "Make a new token for the key and show it once; the old one is refused from now on.",
            .options = { [KEY_EDIT_QUIET] = QUIET },
            .min_arguments = 1,
            .max_arguments = 1,
            .examples = { "key rotate k7f2m0qa", "key rotate --quiet k7f2m0qa" },
        },
        .run = key_rotate,
    },
    {
        .line = {
            .words = "usage",
            .arguments = "",
            .help = "Add up rows and units that were used, by default by team in the running month.",
            .options = {
                [USAGE_BY] = { .name = "--by", .value = "team|key|client|day|hour|table|target|fault|mark|shape",
                               .by_default = "team",
                               .help = "What a line is of; a shape is a call without its literals, a mark what was not exact." },
                [USAGE_PER] = { .name = "--per", .value = "team|key", .help = "Split each line by team or by key as well." },
                [USAGE_TEAM] = { .name = "--team", .value = "TEAM", .form = usage_is_team, .right = WORDS_TEAM_IS,
                                 .help = "Count this team's calls alone, and say what it has left." },
                [USAGE_KEY] = { .name = "--key", .value = "ID", .help = "Count this key's calls alone." },
                [USAGE_SINCE] = { .name = "--since", .value = "DATE", .by_default = "the first day of the month",
                                  .help = "The first day, in UTC, such as 2026-11-23, or today, yesterday, 7d (the day "
                                          "seven days ago), 24h (the hour 24 hours ago)." },
                [USAGE_UNTIL] = { .name = "--until", .value = "DATE", .by_default = "now",
                                  .help = "The day, in UTC, before which it ends: it is not counted any more." },
                [USAGE_MONTH] = { .name = "--month", .value = "YYYY-MM", .by_default = "the running one",
                                  .help = "A month in place of --since and --until." },
                [USAGE_SORT] = { .name = "--sort", .value = "COLUMN", .by_default = "units in text, name elsewhere",
                                 .help = "The column that the lines go by, the most first; name: by name." },
                [USAGE_TOP] = { .name = "--top", .value = "N",
                                .help = "Show so many lines; all others are one." },
                [USAGE_WIDE] = { .name = "--wide", .is_flag = true,
                                 .help = "Show every column in text, however wide it becomes." },
                [USAGE_FORMAT] = FORMAT,
                [USAGE_BILL] = { .name = "--bill", .value = "AMOUNT",
                                 .help = "Split an invoice of so much, such as 1234.56, by share, to the cent." },
                [USAGE_SPLIT] = { .name = "--split", .value = "units_alone|units|rows", .by_default = "units_alone",
                                  .help = "What the shares of --bill are of." },
                [USAGE_WARN] = { .name = "--warn", .value = "80%",
                                 .help = "Say nothing, unless a team, or the whole, has used that part of a limit or "
                                         "more: name it and exit with 1." } },
            .more = "columns:\n"
                    "  calls, results: calls that ended, and rows that were answered.\n"
                    "  rows, rows_held, rows_limit, rows_left: v2 rows charged, held by calls under way, and of the "
                    "month's limit.\n"
                    "  units, units_held, units_limit, units_left: likewise, what v3 took.\n"
                    "  units_predicted: what v3 was expected to take.\n"
                    "  units_alone: what the same calls cost without the proxy's memory.\n"
                    "  units_unknown: the part of units whose price v3 did not tell.\n"
                    "  faults: calls that ended with a fault; FAILED in text, with those of refused.\n"
                    "  refused: calls that were refused and have no entry; by fault they are among calls and faults.\n"
                    "  approximate, approximate_rows: calls that were not exact, and those that may have other rows.\n"
                    "  SHARE: of all units. OF LIMIT: what is gone of the limit, rows or units, that is nearer to its "
                    "end. LASTS UNTIL: the day on which the first of them is used up, at the pace of the last 7 days.",
            .examples = { "usage --team seo --by key --sort rows --top 10",
                          "usage --by day --per team --since 7d --format csv" },
        },
        .check = usage_check,
        .run = usage,
    },
    {
        .line = {
            .words = "ledger verify",
            .arguments = "",
            .help = "Read every entry and say whether the books agree with themselves.",
            .examples = { "ledger verify", "ledger verify --config ./anchorage.conf" },
        },
        .run = ledger_verify,
    },
    {
        .line = {
            .words = "ledger export",
            .arguments = "",
            .help = "Write the entries, oldest first. To go on later, give the last seq plus one.",
            .options = { [EXPORT_SINCE] = { .name = "--since", .value = "SEQ|DATE", .by_default = "the oldest",
                                            .help = "The entry to begin with, by its seq or by a day, in UTC, such as "
                                                    "2026-11-23, today, yesterday, 7d, or an hour like 24h." },
                         [EXPORT_FORMAT] = { .name = "--format", .value = "jsonl|json|csv|text", .by_default = "jsonl",
                                             .help = "An object a line, all of them in an array, a table, or for people." } },
            .examples = { "ledger export --since 2026-11-01 --format csv", "ledger export --since 1" },
        },
        .check = ledger_export_check,
        .run = ledger_export,
    },
    {
        .line = {
            .words = "ledger backup",
            .arguments = "FILE",
            .help = "Copy the books into a new file while they are in use.",
            .min_arguments = 1,
            .max_arguments = 1,
            .examples = { "ledger backup books.db", "ledger backup books-2026-11-23.db" },
        },
        .run = ledger_backup,
    },
    {
        .line = {
            .words = "ledger correct",
            .arguments = "ID",
            .help = "Book what Ahrefs really took for the call ID, where the books have another number. The difference "
                    "is an entry of its own in the running month.",
            .options = { [CORRECT_UNITS] = { .name = "--units", .is_needed = true, .value = "N",
                                             .help = "How many units Ahrefs really took." },
                         [CORRECT_QUIET] = { .name = "--quiet", .is_flag = true,
                                             .help = "Print the id of the new entry alone." } },
            .min_arguments = 1,
            .max_arguments = 1,
            .examples = { "ledger correct 4dq8r2v6x0b3d5f7h9j1m4n8p2 --units 150", "ledger correct 4dq8r2v6x0b3d5f7h9j1m4n8p2 --units 0 --quiet" },
        },
        .check = ledger_correct_check,
        .run = ledger_correct,
    },
};

enum { N_ROWS = sizeof rows / sizeof rows[0] };

/* ---- saying ---- */

__attribute__((format(printf, 3, 0))) static void say(struct command *c, const char *kind, const char *format,
                                                      va_list args)
{
    buffer_printf(c->err, "anchorage %s: %s", c->row->line.words, kind);
    size_t from = c->err->n;
    buffer_vprintf(c->err, format, args);
    shown_clean_line(c->err, from);
    buffer_put(c->err, '\n');
}

int command_wrong(struct command *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(c, "", format, args);
    va_end(args);
    return COMMAND_WRONG;
}

int command_misused(struct command *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(c, "", format, args);
    va_end(args);
    buffer_printf(c->err, "see anchorage %s --help\n", c->row->line.words);
    return COMMAND_MISUSED;
}

int command_no_value(struct command *c, const char *name, const char *right, const char *given)
{
    enum { SHOWN = 16 }; /* so that there are three lines at most */
    struct buffer word = { 0 }, shown = { 0 };
    words_show(&word, slice_str(given));
    shown_cut(&shown, buffer_slice(&word), SHOWN);
    int status = command_misused(c, "%s is %s, not %.*s", name, right, SLICE_ARGS(buffer_slice(&shown)));
    buffer_clear(&word);
    buffer_clear(&shown);
    return status;
}

void command_warn(struct command *c, const char *what)
{
    buffer_printf(c->err, "anchorage %s: warning: %s\n", c->row->line.words, what);
}

int command_failed(struct command *c, struct buffer *why)
{
    command_wrong(c, "%.*s", SLICE_ARGS(buffer_slice(why)));
    buffer_clear(why);
    return COMMAND_WRONG;
}

bool command_knows_day(struct day day)
{
    return day.n >= 0 && day.n <= day_from_civil((struct civil){ 9999, 12, 31 }).n;
}

/* "7" of 7d and 24h: so many, in hours. */
static bool is_ago(struct slice text, int64_t *hours)
{
    uint64_t n;
    bool days = slice_ends(text, S("d"));
    if ((!days && !slice_ends(text, S("h"))) || text.n > 7 || !parse_u64(slice_of(text.p, text.n - 1), &n))
        return false;
    *hours = (int64_t)n * (days ? 24 : 1);
    return true;
}

bool command_date(const char *text, int64_t *hour)
{
    struct slice word = slice_str(text);
    int64_t now = hour_of_ms(clock_wall_ms()), ago;
    struct day day = { (int32_t)(now / 24) };
    if (is_ago(word, &ago)) {
        *hour = text[word.n - 1] == 'h' ? now - ago : now / 24 * 24 - ago;
        return *hour >= 0;
    }
    if (slice_eq(word, S("yesterday")))
        day.n--;
    else if (!slice_eq(word, S("today")) && !day_parse(word, &day))
        return false;
    *hour = (int64_t)day.n * 24;
    return command_knows_day(day);
}

int command_hour(struct command *c, const char *name, const char *text, int64_t *hour)
{
    if (command_date(text, hour))
        return 0;
    return command_no_value(c, name,
                            "a day like 2026-11-23, from 1970-01-01 to 9999-12-31, or today, yesterday, 7d, 24h", text);
}

/* The words were judged: they are one of them. */
enum command_format command_format(const char *text)
{
    static const char *const words[N_FORMATS] = { "text", "json", "csv" };
    int i = 0;
    while (text && i < N_FORMATS - 1 && strcmp(text, words[i]) != 0)
        i++;
    return (enum command_format)i;
}

void command_put_text(struct buffer *b, enum command_format format, struct slice text)
{
    if (format == FORMAT_JSON && !text.n)
        buffer_str(b, "null");
    else if (format == FORMAT_JSON)
        entry_json_text(b, text);
    else
        csv_field(b, text);
}

/* ---- which command ---- */

/* The command has two words ("key add") or one ("usage"). */
static const struct command_row *find_row(int argc, const char *const *argv, int *n_words)
{
    for (int i = 0; i < N_ROWS; i++) {
        struct slice second;
        struct slice first = slice_split(slice_str(rows[i].line.words), ' ', &second);
        *n_words = second.p ? 2 : 1;
        if (argc >= *n_words && slice_eq(first, slice_str(argv[0])) &&
            (!second.p || slice_eq(second, slice_str(argv[1]))))
            return &rows[i];
    }
    return NULL;
}

/* The second word of a row of this group, or empty. */
static struct slice member_of(const struct command_row *row, const char *group)
{
    struct slice second;
    struct slice first = slice_split(slice_str(row->line.words), ' ', &second);
    return slice_eq(first, slice_str(group)) && second.p ? second : S("");
}

static void help_of_group(const char *group, struct buffer *out)
{
    buffer_printf(out, "usage: anchorage %s COMMAND [OPTION]... [--config FILE]\n\n", group);
    for (int i = 0; i < N_ROWS; i++)
        if (member_of(&rows[i], group).n)
            words_list(out, member_of(&rows[i], group), rows[i].line.help);
    buffer_printf(out, "\nEach explains itself: anchorage %s COMMAND --help\n", group);
}

static void wrong_in_group(const char *group, const char *word, struct buffer *err)
{
    struct buffer what = { 0 };
    struct slice nearest = { 0 };
    size_t best = SIZE_MAX;
    for (int i = 0; i < N_ROWS && word; i++) {
        struct slice member = member_of(&rows[i], group);
        if (member.n && words_is_near(slice_str(word), member, &best))
            nearest = member;
    }
    buffer_str(&what, word ? "there is no command " : "a command is missing");
    if (word)
        words_quote(&what, slice_str(word));
    if (nearest.n)
        buffer_printf(&what, "; did you mean %.*s?", SLICE_ARGS(nearest));
    const char *between = "; there are ";
    for (int i = 0; i < N_ROWS && !nearest.n; i++) {
        struct slice member = member_of(&rows[i], group);
        if (member.n) {
            buffer_printf(&what, "%s%.*s", between, SLICE_ARGS(member));
            between = ", ";
        }
    }
    words_wrong(err, group, "%.*s", SLICE_ARGS(buffer_slice(&what)));
    buffer_clear(&what);
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* Set c->row and the words. */
static enum words_result read_words(struct command *c, int argc, const char *const *argv)
{
    int n_words;
    struct words words;
    c->row = argc > 0 ? find_row(argc, argv, &n_words) : NULL;
    if (!c->row) {
        for (int i = 1; i < argc; i++) {
            if (is_help(argv[i])) {
                help_of_group(argv[0], c->out);
                return WORDS_HELP;
            }
        }
        wrong_in_group(argc > 0 ? argv[0] : "", argc > 1 ? argv[1] : NULL, c->err);
        return WORDS_WRONG;
    }
    enum words_result result = words_read(&c->row->line, argc - n_words, argv + n_words, &words, c->out, c->err);
    memcpy(c->option, words.option, sizeof c->option);
    memcpy(c->argument, words.argument, sizeof c->argument);
    c->n_arguments = words.n_arguments;
    if (result == WORDS_GOOD && c->row->check && c->row->check(c))
        return WORDS_WRONG;
    return result;
}

enum words_result command_words(int argc, const char *const *argv, struct words *ret, struct buffer *out,
                                struct buffer *err)
{
    struct command c = { .out = out, .err = err };
    size_t from = err->n;
    enum words_result result = read_words(&c, argc, argv);
    *ret = (struct words){ .row = c.row ? &c.row->line : NULL, .n_arguments = c.n_arguments };
    memcpy(ret->option, c.option, sizeof c.option);
    memcpy(ret->argument, c.argument, sizeof c.argument);
    shown_clean(err, from);
    return result;
}

static int run_words(struct command *c, int argc, const char *const *argv)
{
    enum words_result result = read_words(c, argc, argv);
    if (result != WORDS_GOOD)
        return result == WORDS_HELP ? COMMAND_DONE : COMMAND_MISUSED;
    if (!c->store)
        return command_wrong(c, "the books are not open");
    store_cut_stays(c->store, true);
    int status = c->row->run(c);
    store_cut_stays(c->store, false);
    return status;
}

/* What is no width is none of ours. */
static void read_terminal(struct command *c, const char *word)
{
    struct slice kind, width = slice_split(slice_str(word), ',', &kind);
    uint64_t columns = 0;
    c->has_colour = slice_eq(kind, S("colour"));
    if (parse_u64(width, &columns) && columns < c->columns)
        c->columns = columns < COMMAND_COLUMNS_LEAST ? COMMAND_COLUMNS_LEAST : (size_t)columns;
}

void command_begin_head(const struct command *c)
{
    buffer_str(c->out, c->has_colour ? "\033[1m" : "");
}

void command_end_head(const struct command *c)
{
    if (!c->has_colour || !c->out->n)
        return;
    c->out->n--;
    buffer_str(c->out, "\033[0m\n");
}

/* Questions that the daemon itself has; they are of no command line. */
static const struct {
    const char *word;
    int (*run)(struct command *c, int argc, const char *const *argv);
} of_daemon[] = { { "overview", overview } };

int command_run(struct command *c, int argc, const char *const *argv)
{
    size_t from = c->err->n;
    c->columns = WORDS_COLUMNS;
    if (argc && slice_starts(slice_str(argv[0]), S(COMMAND_TERMINAL))) {
        read_terminal(c, argv[0] + strlen(COMMAND_TERMINAL));
        argc--;
        argv++;
    }
    int status = -1;
    for (size_t i = 0; argc && i < sizeof of_daemon / sizeof of_daemon[0]; i++)
        if (strcmp(argv[0], of_daemon[i].word) == 0)
            status = of_daemon[i].run(c, argc, argv);
    if (status < 0)
        status = run_words(c, argc, argv);
    shown_clean(c->err, from); /* names stand in it, and what was asked */
    return status;
}
