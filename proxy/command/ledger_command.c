/* SPDX-License-Identifier: MIT
 * A command on the books is run by the daemon when there is one, else here. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/command/input.h"
#include "proxy/command/program.h"
#include "proxy/daemon/control.h"
#include "proxy/service/setup.h"

enum { MAX_INPUT = 32 * 1024 * 1024 };

/* The file that the command reads: what `--token-file FILE`, `--token -` and `key import FILE` name. NULL: none. */
static const char *input_of(int argc, const char *const *argv)
{
    bool import = argc > 1 && strcmp(argv[0], "key") == 0 && strcmp(argv[1], "import") == 0;
    bool add = argc > 1 && strcmp(argv[0], "key") == 0 && strcmp(argv[1], "add") == 0;
    for (int i = 2; i < argc; i++) {
        if (import && (argv[i][0] != '-' || argv[i][1] == 0))
            return argv[i];
        if (add && i + 1 < argc && strcmp(argv[i], "--token-file") == 0)
            return argv[i + 1];
        if (add && i + 1 < argc && strcmp(argv[i], "--token") == 0 && strcmp(argv[i + 1], "-") == 0)
            return "-";
    }
    return NULL;
}

static bool wants_help(int argc, const char *const *argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return argc < 2 && strcmp(argv[0], "usage") != 0;
}

/* Make FILE of `ledger backup FILE` absolute: the daemon has another working directory. */
static void make_absolute(int argc, const char **argv, struct buffer *room)
{
    bool backup = argc == 3 && strcmp(argv[0], "ledger") == 0 && strcmp(argv[1], "backup") == 0;
    if (!backup || argv[2][0] == '/' || argv[2][0] == '-')
        return;
    char *here = getcwd(NULL, 0);
    buffer_printf(room, "%s/%s%c", here ? here : "", argv[2], 0);
    free(here);
    if (!room->failed)
        argv[2] = room->p;
}

/* Show what was said, and forget it. False when its reader has gone. */
static bool show(void *context, struct buffer *out, struct buffer *err)
{
    (void)context;
    fwrite(err->p ? err->p : "", 1, err->n, stderr);
    bool good = fwrite(out->p ? out->p : "", 1, out->n, stdout) == out->n && fflush(stdout) == 0;
    out->n = err->n = 0;
    return good;
}

static int run_here(const struct config *config, int argc, const char *const *argv, struct slice input,
                    struct buffer *out, struct buffer *err)
{
    int64_t at = 0;
    struct ledger_options options;
    struct ledger *ledger = NULL;
    struct buffer why = { 0 };
    int status = EXIT_WRONG;
    if (!setup_ledger_options(config, &options))
        return status;
    if (setup_become_owner(config->state_directory, &why) &&
        ledger_open(NULL, &options, &ledger, &why) == LEDGER_OPENED) {
        do
            status = ledger_command(ledger, argc, argv, input, &at, out, err);
        while (at && show(NULL, out, err));
    } else {
        buffer_printf(err, "anchorage: %.*s\n", SLICE_ARGS(buffer_slice(&why)));
    }
    ledger_close(ledger);
    buffer_clear(&why);
    free((void *)(uintptr_t)options.teams);
    return status;
}

int program_ledger(const struct config *config, int argc, char **words)
{
    const char **argv = calloc((size_t)argc + 1, sizeof *argv);
    struct buffer input = buffer_with_cap(MAX_INPUT), out = { 0 }, err = { 0 }, room = { 0 };
    int status = EXIT_WRONG;
    if (!argv)
        return status;
    for (int i = 0; i < argc; i++)
        argv[i] = words[i];
    make_absolute(argc, argv, &room);
    bool help = wants_help(argc, argv);
    const char *file = help ? NULL : input_of(argc, argv);
    if (!file || input_read(file, &input)) {
        struct slice text = buffer_slice(&input);
        if (help)
            status = ledger_command(NULL, argc, argv, text, &(int64_t){ 0 }, &out, &err);
        else if (control_ask(config->state_directory, argc, argv, text, show, NULL, &status, &out, &err) ==
                 CONTROL_NO_DAEMON)
            status = run_here(config, argc, argv, text, &out, &err);
    }
    if ((!show(NULL, &out, &err) || ferror(stdout)) && status == EXIT_DONE)
        status = EXIT_WRONG;
    buffer_clear(&input);
    buffer_clear(&out);
    buffer_clear(&err);
    buffer_clear(&room);
    free(argv);
    return status;
}
