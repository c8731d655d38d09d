/* SPDX-License-Identifier: MIT
 * explain shows what calls become by this configuration, or by the defaults where there is none; nothing is sent. */
#include "mapping/explain.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/shown.h"
#include "proxy/command/input.h"
#include "proxy/command/program.h"
#include "proxy/command/terminal.h"
#include "proxy/service/settings.h"

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_CURL };

struct explain_words {
    enum format format;
    const char *call; /* "-": on standard input */
    char **curl;      /* a command that was pasted behind explain: its words up to NULL, "curl" first */
};

struct counts {
    int64_t calls, refused;
};

static bool wrong(const char *what, const char *word, const char *right)
{
    fprintf(stderr, "anchorage explain: %s%s%.40s%s; %s\nsee anchorage explain --help\n", what, word ? " \"" : "",
            word ? word : "", word ? "\"" : "", right);
    return false;
}

static bool read_format(const char *value, struct explain_words *w)
{
    if (!value)
        return wrong("the format is missing", NULL, "--format text or --format json");
    if (strcmp(value, "json") != 0 && strcmp(value, "text") != 0)
        return wrong("there is no format", value, "--format text or --format json");
    w->format = strcmp(value, "json") == 0 ? FORMAT_JSON : FORMAT_TEXT;
    return true;
}

static bool read_words(int argc, char **argv, struct explain_words *w)
{
    bool curl = false, format = false, options = true;
    *w = (struct explain_words){ 0 };
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (options && (strcmp(word, "--format") == 0 || strncmp(word, "--format=", 9) == 0)) {
            format = true;
            if (!read_format(word[8] ? word + 9 : argv[++i], w))
                return false;
        } else if (options && strcmp(word, "--curl") == 0) {
            curl = true;
        } else if (options && strcmp(word, "--") == 0) {
            options = false;
        } else if (options && word[0] == '-' && word[1]) {
            return wrong("there is no option", word, "there are --config, --format and --curl");
        } else if (w->call) {
            return wrong("there is a second call", NULL,
                         "put one call in quotes, or several, one a line, on standard input of explain -");
        } else if (strcmp(word, "curl") == 0 && i + 1 < argc) {
            w->curl = argv + i;
            w->call = word;
            break;
        } else {
            w->call = word;
        }
    }
    if (curl && format)
        return wrong("--curl and --format exclude each other", NULL, "--format json has the commands too");
    if (!w->call)
        return wrong("the call is missing", NULL,
                     "give a v2 URL, a query string, a curl command, or - for standard input");
    w->format = curl ? FORMAT_CURL : w->format;
    return true;
}

bool program_explain_fits(int argc, char **argv)
{
    struct explain_words w;
    return read_words(argc, argv, &w);
}

/* Words that a shell took apart, in quotes again. */
static void join_words(char **words, struct buffer *out)
{
    for (int i = 0; words[i]; i++) {
        buffer_str(out, i ? " '" : "");
        for (const char *p = words[i]; *p; p++) {
            if (*p == '\'')
                buffer_str(out, "'\\'");
            buffer_put(out, *p);
        }
        buffer_str(out, i ? "'" : "");
    }
}

/* Explain one call and print it; false when memory is out. */
static bool explain_one(struct slice call, const struct explain_words *w, const struct explain_options *o,
                        struct counts *c)
{
    static enum fault (*const writers[])(struct slice, const struct explain_options *, struct buffer *) = {
        [FORMAT_TEXT] = explain_text, [FORMAT_JSON] = explain_json, [FORMAT_CURL] = explain_curl
    };
    struct buffer out = { 0 };
    bool refused = writers[w->format](call, o, &out) != FAULT_NONE, ok = !out.failed;
    if (w->format != FORMAT_JSON)
        shown_clean(&out, 0);
    if (w->format == FORMAT_TEXT)
        terminal_mark(&out, refused ? "refused" : "served", !refused);
    fwrite(out.p ? out.p : "", 1, out.n, stdout);
    buffer_clear(&out);
    c->calls++;
    c->refused += refused;
    return ok;
}

/* The next call: a line, or the lines of a command that end in a backslash. Empty at the end. *line is where it begins,
 * *last how many lines it has. */
static struct slice next_call(struct slice *rest, int64_t *line, int64_t *last)
{
    while (rest->n) {
        struct slice start = *rest, call = S("");
        int64_t lines = 0;
        bool more = true;
        while (more && rest->n) {
            struct slice one = slice_trim(slice_split(*rest, '\n', rest));
            lines++;
            call = slice_of(start.p, (size_t)(one.p + one.n - start.p));
            more = slice_ends(one, S("\\")) && params_are_curl(call);
        }
        *line += *last;
        *last = lines;
        if (slice_trim(call).n)
            return slice_trim(call);
    }
    return S("");
}

static bool explain_input(const struct explain_words *w, struct explain_options *o, struct counts *c)
{
    struct buffer text = { 0 };
    int64_t line = 1, lines = 0;
    bool ok = input_read("explain", "-", &text);
    struct slice rest = buffer_slice(&text), first = next_call(&rest, &line, &lines);
    int64_t first_line = line;
    struct slice second = next_call(&rest, &line, &lines);
    if (ok && (!first.n || !second.n))
        ok = explain_one(first, w, o, c);
    else if (ok) {
        o->line = first_line;
        ok = explain_one(first, w, o, c);
        for (struct slice call = second; ok && call.n; call = next_call(&rest, &line, &lines)) {
            o->line = line;
            ok = explain_one(call, w, o, c);
        }
        if (w->format == FORMAT_TEXT)
            printf("%lld calls: %lld served, %lld refused\n", (long long)c->calls, (long long)(c->calls - c->refused),
                   (long long)c->refused);
    }
    buffer_clear(&text);
    return ok;
}

static int explain_all(const struct config *config, const struct explain_words *w)
{
    struct settings *settings = settings_new(config, NULL);
    if (!settings)
        return EXIT_WRONG;
    struct explain_options o = settings_explain_options(settings, 0);
    struct buffer joined = { 0 };
    struct counts counts = { 0 };
    bool ok;
    o.width = terminal_columns(stdout, EXPLAIN_WIDTH);
    if (w->curl)
        join_words(w->curl, &joined);
    if (strcmp(w->call, "-") == 0)
        ok = explain_input(w, &o, &counts);
    else
        ok = !joined.failed && explain_one(w->curl ? buffer_slice(&joined) : slice_str(w->call), w, &o, &counts);
    if (!ok)
        fputs("anchorage explain: memory is out, or the input could not be read whole\n", stderr);
    buffer_clear(&joined);
    settings_put(settings);
    return ok && !counts.refused ? EXIT_DONE : EXIT_WRONG;
}

int program_explain(const struct config *config, int argc, char **argv)
{
    struct explain_words w;
    if (!read_words(argc, argv, &w))
        return EXIT_USAGE;
    if (config)
        return explain_all(config, &w);
    struct buffer errors = { 0 };
    struct config *defaults = config_parse("", S("[upstream]\nunits_per_month = unlimited\n"), &errors);
    buffer_clear(&errors);
    int status = defaults ? explain_all(defaults, &w) : EXIT_WRONG;
    config_free(defaults);
    fflush(stdout);
    fputs("anchorage explain: there is no configuration, so the defaults were used; --config FILE names one\n", stderr);
    return status;
}
