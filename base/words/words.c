/* SPDX-License-Identifier: MIT
 * Reading a command line by its row, and telling what the row knows. */
#include "base/words/words.h"

#include <stdarg.h>

#include "base/shown.h"

enum { NAME_MAX_BYTES = 40, NEAR = 3, QUOTED_MOST = 60, SECRET_LEAST = 20, SECRET_LETTERS = 4, SECRET_SHOWN = 4 };

/* ---- what was meant ---- */

/* Edits (insert, delete, replace, case counts nothing) from a to b; both at most NAME_MAX_BYTES long. */
static size_t distance(struct slice a, struct slice b)
{
    size_t row[NAME_MAX_BYTES + 1];
    for (size_t j = 0; j <= b.n; j++)
        row[j] = j;
    for (size_t i = 0; i < a.n; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b.n; j++) {
            size_t above = row[j + 1];
            size_t best = corner + !slice_eq_nocase(slice_of(a.p + i, 1), slice_of(b.p + j, 1));
            best = above + 1 < best ? above + 1 : best;
            best = row[j] + 1 < best ? row[j] + 1 : best;
            row[j + 1] = best;
            corner = above;
        }
    }
    return row[b.n];
}

/* At most NEAR edits, and fewer than half of the name. */
bool words_is_near(struct slice name, struct slice known, size_t *best)
{
    if (name.n > NAME_MAX_BYTES || known.n > NAME_MAX_BYTES)
        return false;
    size_t d = distance(name, known);
    if (d * 2 >= known.n)
        d = SIZE_MAX;
    if (d > NEAR && name.n >= NEAR && slice_starts(known, name))
        d = NEAR;
    if (d > NEAR || d >= *best)
        return false;
    *best = d;
    return true;
}

bool words_look_secret(struct slice text)
{
    bool mixed = false; /* names of options and the like are small letters alone */
    int letters = 0;    /* and numbers have few */
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '/' || c == '.' || c == ' ')
            return false;
        mixed |= (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
        letters += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }
    return mixed && letters >= SECRET_LETTERS && text.n >= SECRET_LEAST;
}

bool words_is_team(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                    c == '_' || c == '-';
        if (!good)
            return slice_eq(s, S("*"));
    }
    return s.n <= 64;
}

void words_show(struct buffer *b, struct slice word)
{
    size_t most = words_look_secret(word) ? SECRET_SHOWN : QUOTED_MOST;
    shown_append(b, word.n > most ? slice_of(word.p, most) : word);
    if (word.n > most)
        buffer_str(b, "…");
}

void words_quote(struct buffer *b, struct slice word)
{
    buffer_put(b, '"');
    words_show(b, word);
    buffer_put(b, '"');
}

/* ---- what is wrong ---- */

static void begin_wrong(struct buffer *err, const char *command)
{
    buffer_printf(err, "anchorage%s%s: ", command[0] ? " " : "", command);
}

static void end_wrong(struct buffer *err, const char *command)
{
    buffer_printf(err, "\nsee anchorage%s%s --help\n", command[0] ? " " : "", command);
}

void words_wrong(struct buffer *err, const char *command, const char *format, ...)
{
    va_list args;
    begin_wrong(err, command);
    size_t from = err->n;
    va_start(args, format);
    buffer_vprintf(err, format, args);
    va_end(args);
    shown_clean_line(err, from);
    end_wrong(err, command);
}

/* The words of a choice, "text|json|csv"; *rest becomes what follows. */
static struct slice next_choice(struct slice *rest)
{
    return slice_split(*rest, '|', rest);
}

static void no_such_option(const struct words_row *row, struct slice name, struct buffer *err)
{
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (int i = 0; i < WORDS_OPTIONS && row->options[i].name; i++)
        if (words_is_near(name, slice_str(row->options[i].name), &best))
            nearest = row->options[i].name;
    if (words_is_near(name, S("--config"), &best))
        nearest = "--config";
    begin_wrong(err, row->words);
    buffer_str(err, "there is no option ");
    words_show(err, name);
    if (nearest)
        buffer_printf(err, "; did you mean %s?", nearest);
    else
        buffer_printf(err, row->options[0].name ? "" : "; it takes --config FILE alone");
    end_wrong(err, row->words);
}

/* "--format is text, json or csv, not "xml"; did you mean ...?" */
static void no_such_choice(const struct words_row *row, const struct words_option *o, struct slice value,
                           struct buffer *err)
{
    struct slice rest = slice_str(o->value), nearest = { 0 };
    size_t best = SIZE_MAX;
    begin_wrong(err, row->words);
    buffer_printf(err, "%s is ", o->name);
    for (const char *between = ""; rest.p;) {
        struct slice word = next_choice(&rest);
        buffer_printf(err, "%s%.*s", between, SLICE_ARGS(word));
        if (words_is_near(value, word, &best))
            nearest = word;
        between = rest.p && !memchr(rest.p, '|', rest.n) ? " or " : ", ";
    }
    buffer_str(err, ", not ");
    words_show(err, value);
    if (nearest.n)
        buffer_printf(err, "; did you mean %.*s?", SLICE_ARGS(nearest));
    end_wrong(err, row->words);
}

/* A value that has | in it, and small letters alone, lists all that there is. */
static bool is_choice(const struct words_option *o)
{
    bool choice = false;
    for (const char *p = o->value ? o->value : ""; *p; p++) {
        if (*p == '|')
            choice = true;
        else if ((*p < 'a' || *p > 'z') && *p != '_')
            return false;
    }
    return choice;
}

static bool is_chosen(const struct words_option *o, struct slice value)
{
    struct slice rest = slice_str(o->value);
    while (rest.p)
        if (slice_eq(next_choice(&rest), value))
            return true;
    return false;
}

/* A value may be a token: it is told of what else it is. */
static bool value_is_good(const struct words_row *row, const struct words_option *o, struct slice value,
                          struct buffer *err)
{
    if (is_choice(o)) {
        if (is_chosen(o, value))
            return true;
        no_such_choice(row, o, value, err);
    } else if (!value.n) {
        words_wrong(err, row->words, "%s needs a value, %s; it is empty", o->name, o->value);
    } else if (o->form && !o->form(value)) {
        words_wrong(err, row->words, "%s is %s", o->name, o->right);
    } else {
        return true;
    }
    return false;
}

static void one_too_many(const struct words_row *row, int place, struct slice word, struct buffer *err)
{
    bool names_file = memchr(word.p, '.', word.n) || memchr(word.p, '/', word.n);
    if (row->max_arguments || !names_file) { /* it may be a token */
        words_wrong(err, row->words, "word %d is one too many; %s", place,
                    row->max_arguments ? row->arguments : "it takes options alone");
        return;
    }
    begin_wrong(err, row->words);
    words_quote(err, word);
    buffer_str(err, " is one word too many; a configuration is named with --config FILE");
    end_wrong(err, row->words);
}

static const struct words_option *option_of(const struct words_row *row, struct slice name)
{
    for (int i = 0; i < WORDS_OPTIONS && row->options[i].name; i++)
        if (slice_eq(slice_str(row->options[i].name), name))
            return &row->options[i];
    return NULL;
}

/* One option at argv[*at], "--name value" or "--name=value". */
static bool take_option(struct words *w, int argc, const char *const *argv, int *at, struct buffer *err)
{
    struct slice value;
    struct slice name = slice_split(slice_str(argv[*at]), '=', &value);
    const struct words_option *o = option_of(w->row, name);
    if (!o) {
        no_such_option(w->row, name, err);
        return false;
    }
    const char **place = &w->option[o - w->row->options], *given = value.p;
    if (*place) {
        words_wrong(err, w->row->words, "%s is given twice; once is right", o->name);
        return false;
    }
    if (o->is_flag && given) {
        words_wrong(err, w->row->words, "%s takes no value", o->name);
        return false;
    }
    if (!o->is_flag && !given && *at + 1 == argc) {
        words_wrong(err, w->row->words, "%s needs a value, %s", o->name, o->value);
        return false;
    }
    *place = o->is_flag ? argv[*at] : given ? given : argv[++*at];
    return o->is_flag || value_is_good(w->row, o, slice_str(*place), err);
}

static bool has_all(const struct words *w, struct buffer *err)
{
    for (int i = 0; i < WORDS_OPTIONS && w->row->options[i].name; i++) {
        if (w->row->options[i].is_needed && !w->option[i]) {
            words_wrong(err, w->row->words, "%s %s is missing", w->row->options[i].name, w->row->options[i].value);
            return false;
        }
    }
    if (w->n_arguments < w->row->min_arguments) {
        words_wrong(err, w->row->words, "an argument is missing; right is: anchorage %s %s", w->row->words,
                    w->row->arguments);
        return false;
    }
    for (int i = 0; i < w->n_arguments; i++) {
        if (!w->argument[i][0]) {
            words_wrong(err, w->row->words, "an argument is empty; right is: anchorage %s %s", w->row->words,
                        w->row->arguments);
            return false;
        }
    }
    return true;
}

enum words_result words_read(const struct words_row *row, int argc, const char *const *argv, struct words *ret,
                             struct buffer *out, struct buffer *err)
{
    bool options = true;
    *ret = (struct words){ .row = row };
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            words_help(row, out);
            return WORDS_HELP;
        }
    }
    for (int i = 0; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (options && argv[i][0] == '-' && argv[i][1]) {
            if (!take_option(ret, argc, argv, &i, err))
                return WORDS_WRONG;
        } else if (ret->n_arguments < row->max_arguments) {
            ret->argument[ret->n_arguments++] = argv[i];
            if (row->swallows && strcmp(argv[i], row->swallows) == 0)
                break;
        } else {
            one_too_many(row, i + 1, slice_str(argv[i]), err);
            return WORDS_WRONG;
        }
    }
    return has_all(ret, err) ? WORDS_GOOD : WORDS_WRONG;
}

const char *words_value(const struct words *w, const char *name)
{
    const struct words_option *o = option_of(w->row, slice_str(name));
    return o ? w->option[o - w->row->options] : NULL;
}

/* ---- help ---- */

/* Append `text` broken at blanks to `columns`; `column` is where it begins, `indent` where lines go on. */
static void flow_to(struct buffer *b, struct slice text, size_t columns, size_t column, size_t indent)
{
    bool first = true;
    while (text.p) {
        struct slice word = slice_split(text, ' ', &text);
        size_t width = shown_width(word);
        if (!first && column + 1 + width > columns) {
            buffer_printf(b, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            buffer_put(b, ' ');
            column++;
        }
        buffer_append(b, word);
        column += width;
        first = false;
    }
    buffer_put(b, '\n');
}

static void flow(struct buffer *b, struct slice text, size_t column, size_t indent)
{
    flow_to(b, text, WORDS_COLUMNS, column, indent);
}

static void put_part(struct buffer *b, size_t *column, struct slice part)
{
    size_t width = shown_width(part);
    if (*column + 1 + width > WORDS_COLUMNS) {
        buffer_str(b, "\n      ");
        *column = 6;
    }
    buffer_put(b, ' ');
    buffer_append(b, part);
    *column += 1 + width;
}

static void synopsis(struct buffer *b, const struct words_row *row)
{
    size_t from = b->n;
    buffer_printf(b, "usage: anchorage %s", row->words);
    size_t column = b->n - from;
    for (int i = 0; i < WORDS_OPTIONS && row->options[i].name; i++) {
        const struct words_option *o = &row->options[i];
        struct buffer part = { 0 };
        buffer_printf(&part, "%s%s%s%s%s", o->is_needed ? "" : "[", o->name, o->is_flag ? "" : " ",
                      o->is_flag ? "" : o->value, o->is_needed ? "" : "]");
        put_part(b, &column, buffer_slice(&part));
        buffer_clear(&part);
    }
    put_part(b, &column, S("[--config FILE]"));
    if (row->arguments[0])
        put_part(b, &column, slice_str(row->arguments));
    buffer_put(b, '\n');
}

static void put_option(struct buffer *b, const char *name, const char *value, const char *help, const char *by_default,
                       bool is_needed)
{
    struct buffer text = { 0 };
    buffer_printf(b, "  %s%s%s\n        ", name, value[0] ? " " : "", value);
    buffer_str(&text, help);
    if (is_needed)
        buffer_str(&text, " It must be given.");
    else if (by_default)
        buffer_printf(&text, " Default: %s.", by_default);
    flow(b, buffer_slice(&text), 8, 8);
    buffer_clear(&text);
}

void words_help(const struct words_row *row, struct buffer *out)
{
    flow(out, slice_str(row->help), 0, 0);
    buffer_put(out, '\n');
    synopsis(out, row);
    buffer_str(out, "\noptions:\n");
    for (int i = 0; i < WORDS_OPTIONS && row->options[i].name; i++) {
        const struct words_option *o = &row->options[i];
        put_option(out, o->name, o->is_flag ? "" : o->value, o->help ? o->help : "", o->by_default, o->is_needed);
    }
    put_option(out, "--config FILE, -c FILE", "", "The configuration.", "/etc/anchorage/anchorage.conf", false);
    put_option(out, "--help, -h", "", "Explain the command.", NULL, false);
    buffer_str(out, row->more ? "\n" : "");
    for (struct slice rest = slice_str(row->more); rest.p;)
        flow(out, slice_split(rest, '\n', &rest), 0, 4);
    buffer_str(out, "\nexamples:\n");
    for (int i = 0; i < WORDS_EXAMPLES && row->examples[i]; i++)
        buffer_printf(out, "  anchorage %s\n", row->examples[i]);
    buffer_str(out, "\nexit status: 0 done, 1 the thing asked about is wrong, 2 the command line is\nwrong");
    buffer_str(out, strcmp(row->words, "serve") == 0 ? "; 78 the configuration is refused\n" : "\n");
}

void words_list(struct buffer *out, struct slice name, const char *help)
{
    enum { NAME_WIDTH = 10 };
    struct slice rest = slice_str(help);
    size_t n = 0;
    while (n < rest.n && !(rest.p[n] == '.' && (n + 1 == rest.n || rest.p[n + 1] == ' ')))
        n++;
    buffer_str(out, "  ");
    shown_padded(out, name, NAME_WIDTH);
    flow(out, slice_of(rest.p, n), NAME_WIDTH + 2, NAME_WIDTH + 2);
}

static size_t indent_of(struct slice line)
{
    size_t n = 0;
    while (n < line.n && line.p[n] == ' ')
        n++;
    return n;
}

void words_fold(struct buffer *b, size_t from, size_t columns)
{
    struct buffer folded = { 0 };
    struct slice rest = slice_from(buffer_slice(b), from);
    while (rest.n) {
        struct slice text, line = slice_split(rest, '\n', &rest);
        size_t indent = indent_of(line);
        text = slice_from(line, indent);
        buffer_append(&folded, slice_of(line.p, indent));
        flow_to(&folded, text, columns, indent, indent + 2);
    }
    if (!folded.failed) {
        b->n = from;
        buffer_append(b, buffer_slice(&folded));
    }
    buffer_clear(&folded);
}
