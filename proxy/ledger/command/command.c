/* SPDX-License-Identifier: MIT
 * The commands as a table, and the reading of a command line. */
#include "proxy/ledger/command/command.h"

#include "base/clock.h"
#include "base/shown.h"
#include "base/text.h"

static const struct command_row rows[] = {
    {
        .words = "key add",
        .synopsis = "--team TEAM [--name NAME] [--token TOKEN | --token - | --token-file FILE]",
        .help =
            "Make a key of a team and print its id. Without a token one is made and shown once. Calls under a key of\n"
            "team * are of the team whose addresses hold the client's.",
        .options = { [KEY_ADD_TEAM] = { "--team", false },
                     [KEY_ADD_NAME] = { "--name", false },
                     [KEY_ADD_TOKEN] = { "--token", false },
                     [KEY_ADD_TOKEN_FILE] = { "--token-file", false } },
        .run = key_add,
    },
    {
        .words = "key import",
        .synopsis = "[--dry-run] FILE|-",
        .help =
            "Make keys from a CSV of team,name,token: all of them or none. A line that is there already is no error.",
        .options = { [KEY_IMPORT_DRY_RUN] = { "--dry-run", true } },
        .min_arguments = 1,
        .max_arguments = 1,
        .run = key_import,
    },
    {
        .words = "key list",
        .synopsis = "[--unknown] [--format text|json|csv]",
        .help =
            "List the keys. With --unknown: who came with a token that is no key's, the last one first, by a digest "
            "of\n"
            "the token and the address; whether the last call was refused or metered, how many there were, and what\n"
            "tables they asked for. The list has 1000 lines at most, and is on disk a minute later.",
        .options = { [KEY_LIST_UNKNOWN] = { "--unknown", true, "who came with a token that is no key's" },
                     [KEY_LIST_FORMAT] = { "--format", false, "text (default), json or csv" } },
        .run = key_list,
    },
    {
        .words = "key disable",
        .synopsis = "ID",
        .help = "Refuse calls with this key from now on.",
        .min_arguments = 1,
        .max_arguments = 1,
        .run = key_disable,
    },
    {
        .words = "key enable",
        .synopsis = "ID",
        .help = "Take calls with this key again.",
        .min_arguments = 1,
        .max_arguments = 1,
        .run = key_enable,
    },
    {
        .words = "key assign",
        .synopsis = "ID TEAM",
        .help = "Give the key to a team. What it has used stays with the team it was used under.",
        .min_arguments = 2,
        .max_arguments = 2,
        .run = key_assign,
    },
    {
        .words = "key rotate",
        .synopsis = "ID",
        .help = "Make a new token for the key and show it once; the old one is refused from now on.",
        .min_arguments = 1,
        .max_arguments = 1,
        .run = key_rotate,
    },
    {
        .words = "usage",
        .synopsis =
            "[--by team|key|client|day|hour|table|target|shape] [--per team|key] [--team TEAM] [--key ID]\n"
            "                [--since DATE] [--until DATE] [--month YYYY-MM] [--sort COLUMN] [--top N] [--wide]\n"
            "                [--format text|json|csv] [--bill AMOUNT [--split units_alone|units|rows]] "
            "[--warn 80%]",
        .help = "Add up what was used, by default by team in the running month. DATE is a UTC day like 2026-11-23, or\n"
                "today, yesterday, 7d (seven days ago), 24h (24 hours ago); since is included, until is not. --bill\n"
                "splits an invoice by share, to the cent. --warn exits 1 and names the teams, or the whole, that have\n"
                "used more than that of a limit.",
        .own_options = usage_options,
        .run = usage,
    },
    {
        .words = "ledger verify",
        .synopsis = "",
        .help = "Read every entry and say whether the books agree with themselves.",
        .run = ledger_verify,
    },
    {
        .words = "ledger export",
        .synopsis = "[--since SEQ|DATE] [--format jsonl|json|csv|text]",
        .help = "Write the entries, oldest first. To go on later, give the last seq plus one.",
        .options = { [EXPORT_SINCE] = { "--since", false, "begin with this seq, or with this day" },
                     [EXPORT_FORMAT] = { "--format", false, "jsonl (default: one a line), json, csv or text" } },
        .run = ledger_export,
    },
    {
        .words = "ledger backup",
        .synopsis = "FILE",
        .help = "Copy the books into a new file while they are in use.",
        .min_arguments = 1,
        .max_arguments = 1,
        .run = ledger_backup,
    },
};

enum { N_ROWS = sizeof rows / sizeof rows[0] };

static void synopsis(struct buffer *b, const struct command_row *row)
{
    buffer_printf(b, "usage: anchorage %s%s%s\n", row->words, row->synopsis[0] ? " " : "", row->synopsis);
}

int command_wrong(struct command *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buffer_printf(c->err, "%s: ", c->row->words);
    buffer_vprintf(c->err, format, args);
    buffer_put(c->err, '\n');
    va_end(args);
    return COMMAND_WRONG;
}

int command_misused(struct command *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buffer_printf(c->err, "%s: ", c->row->words);
    buffer_vprintf(c->err, format, args);
    buffer_put(c->err, '\n');
    va_end(args);
    synopsis(c->err, c->row);
    return COMMAND_MISUSED;
}

void command_warn(struct command *c, const char *what)
{
    buffer_printf(c->err, "%s: warning: %s\n", c->row->words, what);
}

int command_failed(struct command *c, struct buffer *why)
{
    buffer_append(c->err, buffer_slice(why));
    buffer_put(c->err, '\n');
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
    return command_misused(c,
                           "%s is a day like 2026-11-23, from 1970-01-01 to 9999-12-31, or today, yesterday, 7d, 24h, "
                           "not %s",
                           name, text);
}

int command_format(struct command *c, const char *text, enum command_format *format)
{
    static const char *const words[N_FORMATS] = { "text", "json", "csv" };
    for (int i = 0; i < N_FORMATS; i++) {
        if (strcmp(text ? text : "text", words[i]) == 0) {
            *format = (enum command_format)i;
            return 0;
        }
    }
    return command_misused(c, "--format is text, json or csv, not %s", text);
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

static const struct command_option *options_of(const struct command_row *row)
{
    return row->own_options ? row->own_options : row->options;
}

static int option_of(const struct command_row *row, struct slice name)
{
    const struct command_option *options = options_of(row);
    for (int i = 0; i < COMMAND_OPTIONS && options[i].name; i++) {
        if (slice_eq(slice_str(options[i].name), name))
            return i;
    }
    return -1;
}

/* One option at argv[*at], "--name value" or "--name=value"; 0 when it was taken. */
static int take_option(struct command *c, int argc, const char *const *argv, int *at)
{
    struct slice value;
    struct slice name = slice_split(slice_str(argv[*at]), '=', &value);
    int i = option_of(c->row, name);
    if (i < 0)
        return command_misused(c, "there is no option %.*s", SLICE_ARGS(name));
    if (c->option[i])
        return command_misused(c, "%.*s is given twice", SLICE_ARGS(name));
    if (options_of(c->row)[i].is_flag) {
        if (value.p)
            return command_misused(c, "%.*s takes no value", SLICE_ARGS(name));
        c->option[i] = argv[*at];
    } else if (value.p) {
        c->option[i] = value.p;
    } else if (*at + 1 < argc) {
        c->option[i] = argv[++*at];
    } else {
        return command_misused(c, "%.*s needs a value", SLICE_ARGS(name));
    }
    return 0;
}

static void help(struct buffer *b, const struct command_row *row)
{
    const struct command_option *options = options_of(row);
    synopsis(b, row);
    buffer_printf(b, "%s\n", row->help);
    for (int i = 0; i < COMMAND_OPTIONS && options[i].name; i++)
        if (options[i].help)
            buffer_printf(b, "  %-8s  %s\n", options[i].name, options[i].help);
}

static int run_row(struct command *c, int argc, const char *const *argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            help(c->out, c->row);
            return COMMAND_DONE;
        }
    }
    bool options = true;
    for (int i = 0; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (options && argv[i][0] == '-' && argv[i][1]) {
            int status = take_option(c, argc, argv, &i);
            if (status)
                return status;
        } else if (c->n_arguments < c->row->max_arguments) {
            c->argument[c->n_arguments++] = argv[i];
        } else {
            return command_misused(c, "word %d is one argument too many", i + 1); /* it may be a token */
        }
    }
    if (c->n_arguments < c->row->min_arguments)
        return command_misused(c, "an argument is missing");
    if (!c->store)
        return command_wrong(c, "the books are not open");
    store_cut_stays(c->store, true);
    int status = c->row->run(c);
    store_cut_stays(c->store, false);
    return status;
}

/* The command has two words ("key add") or one ("usage"). */
static const struct command_row *find_row(int argc, const char *const *argv, int *n_words)
{
    for (int i = 0; i < N_ROWS; i++) {
        struct slice second;
        struct slice first = slice_split(slice_str(rows[i].words), ' ', &second);
        *n_words = second.p ? 2 : 1;
        if (argc >= *n_words && slice_eq(first, slice_str(argv[0])) &&
            (!second.p || slice_eq(second, slice_str(argv[1]))))
            return &rows[i];
    }
    return NULL;
}

static int run_words(struct command *c, int argc, const char *const *argv)
{
    int n_words;
    c->row = find_row(argc, argv, &n_words);
    if (c->row)
        return run_row(c, argc - n_words, argv + n_words);
    bool asked = argc > 1 && strcmp(argv[1], "--help") == 0;
    struct buffer *b = asked ? c->out : c->err;
    if (argc > 1 && !asked)
        buffer_printf(b, "%s: there is no command \"%s\"\n", argv[0], argv[1]);
    for (int i = 0; i < N_ROWS; i++) {
        if (argc < 1 || slice_eq(slice_split(slice_str(rows[i].words), ' ', &(struct slice){ 0 }), slice_str(argv[0])))
            synopsis(b, &rows[i]);
    }
    return asked ? COMMAND_DONE : COMMAND_MISUSED;
}

int command_run(struct command *c, int argc, const char *const *argv)
{
    size_t from = c->err->n;
    int status = run_words(c, argc, argv);
    shown_clean(c->err, from); /* names stand in it, and what was asked */
    return status;
}
