/* SPDX-License-Identifier: MIT
 * A command on the books is run by the daemon when there is one, else here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/command/input.h"
#include "proxy/command/program.h"
#include "proxy/command/terminal.h"
#include "proxy/daemon/control.h"
#include "proxy/service/setup.h"

enum { MAX_INPUT = 32 * 1024 * 1024, TERMINAL_WORD = 48 };

/* The file that the command reads: what `--token-file FILE`, `--token -` and `key import FILE` name. NULL: none. */
static const char *input_of(const struct words *words)
{
    const char *file = words_value(words, "--token-file"), *token = words_value(words, "--token");
    if (strcmp(words->row->words, "key import") == 0)
        return words->argument[0];
    return file ? file : token && strcmp(token, "-") == 0 ? token : NULL;
}

/* Make FILE of `ledger backup FILE` absolute: the daemon has another working directory. */
static void make_absolute(const struct words *words, int argc, const char **argv, struct buffer *room)
{
    const char *file = words->argument[0];
    if (strcmp(words->row->words, "ledger backup") != 0 || file[0] == '/')
        return;
    char *here = getcwd(NULL, 0);
    buffer_printf(room, "%s/%s%c", here ? here : "", file, 0);
    free(here);
    for (int i = 0; i < argc && !room->failed; i++)
        if (argv[i] == file)
            argv[i] = room->p;
}

/* Show what was said, and forget it. False when its reader has gone. */
static bool show(void *context, struct buffer *out, struct buffer *err)
{
    (void)context;
    terminal_say(err);
    bool good = fwrite(out->p ? out->p : "", 1, out->n, stdout) == out->n && fflush(stdout) == 0;
    out->n = err->n = 0;
    return good;
}

/* Whether the command makes or changes something in the books. */
static bool changes(const struct words *words)
{
    const char *command = words->row->words;
    if (strcmp(command, "key import") == 0)
        return !words_value(words, "--dry-run");
    return strcmp(command, "key list") != 0 &&
           (strncmp(command, "key ", 4) == 0 || strcmp(command, "ledger correct") == 0);
}

static int run_here(const struct config *config, const struct words *words, int argc, const char *const *argv,
                    struct slice input, struct buffer *out, struct buffer *err)
{
    int64_t at = 0;
    struct ledger_options options;
    struct ledger *ledger = NULL;
    struct buffer why = { 0 };
    int status = EXIT_WRONG;
    if (!changes(words) && !setup_has_books(config->state_directory)) {
        buffer_printf(err, "anchorage %s: there are no books in %s yet; the daemon makes them at its first start\n",
                      words->row->words, config->state_directory);
        return status;
    }
    if (!setup_ledger_options(config, &options))
        return status;
    if (setup_become_owner(config->state_directory, &why) &&
        ledger_open(NULL, &options, &ledger, &why) == LEDGER_OPENED) {
        do
            status = ledger_command(ledger, argc, argv, input, &at, out, err);
        while (at && show(NULL, out, err));
    } else {
        buffer_printf(err, "anchorage %s: %.*s\n", words->row->words, SLICE_ARGS(buffer_slice(&why)));
    }
    ledger_close(ledger);
    buffer_clear(&why);
    free((void *)(uintptr_t)options.teams);
    return status;
}

/* What was typed, behind a word for the terminal if there is one. */
static int put_words(const char **argv, int argc, char **typed, char terminal[TERMINAL_WORD])
{
    int n = 0;
    if (terminal_is_there()) {
        snprintf(terminal, TERMINAL_WORD, "--terminal=%zu%s", terminal_columns(stdout, WORDS_COLUMNS),
                 terminal_has_colour() ? ",colour" : "");
        argv[n++] = terminal;
    }
    for (int i = 0; i < argc; i++)
        argv[n++] = typed[i];
    return n;
}

int program_ledger(const struct config *config, const struct words *words, int argc, char **typed)
{
    const char **argv = calloc((size_t)argc + 2, sizeof *argv);
    struct buffer input = buffer_with_cap(MAX_INPUT), out = { 0 }, err = { 0 }, room = { 0 };
    char terminal[TERMINAL_WORD];
    int status = EXIT_WRONG;
    if (!argv)
        return status;
    argc = put_words(argv, argc, typed, terminal);
    make_absolute(words, argc, argv, &room);
    const char *file = input_of(words);
    if (!file || input_read(words->row->words, file, &input)) {
        struct slice text = buffer_slice(&input);
        if (control_ask(config->state_directory, argc, argv, text, show, NULL, &status, &out, &err) ==
            CONTROL_NO_DAEMON)
            status = run_here(config, words, argc, argv, text, &out, &err);
    }
    if ((!show(NULL, &out, &err) || ferror(stdout)) && status == EXIT_DONE)
        status = EXIT_WRONG;
    if (input.p)
        explicit_bzero(input.p, input.n);
    buffer_clear(&input);
    buffer_clear(&out);
    buffer_clear(&err);
    buffer_clear(&room);
    free(argv);
    return status;
}
