/* SPDX-License-Identifier: MIT
 * The command line: finds the sub-command and its configuration. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proxy/admin/complain.h"
#include "proxy/command/program.h"
#include "proxy/command/terminal.h"
#include "proxy/daemon/daemon.h"

#define DEFAULT_CONFIG "/etc/anchorage/anchorage.conf"

static int serve(const struct config *config, const struct words *words, int argc, char **argv);
static int check(const struct config *config, const struct words *words, int argc, char **argv);
static int explain(const struct config *config, const struct words *words, int argc, char **argv);
static int doctor(const struct config *config, const struct words *words, int argc, char **argv);

/* Commands whose words stand here, and those of the books (no options, a sentence alone), which judge them themselves.
 */
static const struct command {
    struct words_row line;
    bool of_books;
    int (*run)(const struct config *config, const struct words *words, int argc, char **argv);
} commands[] = {
    { .line = { .words = "serve",
                .arguments = "",
                .help = "Run in the foreground and log to standard error.",
                .more = "SIGTERM drains and ends, SIGHUP reads the configuration again.",
                .examples = { "serve", "serve --config ./anchorage.conf" } },
      .run = serve },
    { .line = { .words = "check",
                .arguments = "",
                .help = "Read the configuration and try what serve would need of the machine.",
                .options = { { .name = "--reload",
                               .is_flag = true,
                               .help = "Try only what a running daemon takes over when it reads the file again." } },
                .examples = { "check --config ./anchorage.conf", "check --reload" } },
      .run = check },
    { .line = { .words = "explain",
                .arguments = "CALL|-",
                .help = "Say what a v2 call becomes and may cost. Nothing is sent.",
                .options = { { .name = "--format",
                               .value = "text|json",
                               .by_default = "text",
                               .help = "How it is written: for people, or for programs." },
                             { .name = "--curl",
                               .is_flag = true,
                               .help = "Print the requests to API v3 as commands, the key in $AHREFS_V3_KEY." } },
                .more = "CALL is a v2 URL, its query, or a curl command as it was pasted; - reads calls\n"
                        "from standard input, one a line. Without a configuration the defaults count.",
                .min_arguments = 1,
                .max_arguments = 1,
                .swallows = "curl",
                .examples = { "explain 'from=anchors&target=example.com&limit=100'",
                              "explain --format json 'from=anchors&target=example.com'" } },
      .run = explain },
    { .line = { .words = "key", .help = "The clients' keys: add, import, list, disable, enable, assign, rotate." },
      .of_books = true,
      .run = program_ledger },
    { .line = { .words = "usage", .help = "Add up rows and units that were used." },
      .of_books = true,
      .run = program_ledger },
    { .line = { .words = "ledger", .help = "The books themselves: verify, export, backup, correct." },
      .of_books = true,
      .run = program_ledger },
    { .line = { .words = "doctor",
                .arguments = "",
                .help =
                    "Find out what the v3 key, its plan and API v3 really do. It asks limits-and-usage and at most "
                    "eight "
                    "requests on ahrefs.com, which cost no units, says what to do about what it finds, and remembers "
                    "what it learns.",
                .options = { { .name = "--team",
                               .value = "TEAM",
                               .form = words_is_team,
                               .right = WORDS_TEAM_IS,
                               .by_default = "the main key",
                               .help = "Look at the key of this team." },
                             { .name = "--save",
                               .value = "FILE",
                               .help = "Write the findings to a file too, without key or rows, for a bug report." },
                             { .name = "--format",
                               .value = "text|json",
                               .by_default = "text",
                               .help = "How it is written: for people, or for programs." } },
                .examples = { "doctor --config ./anchorage.conf", "doctor --save findings.json" } },
      .run = doctor },
    { .line = { .words = "version",
                .arguments = "",
                .help = "Print the version.",
                .examples = { "version", "--version" } } },
};

enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static int serve(const struct config *config, const struct words *words, int argc, char **argv)
{
    static const int status[] = {
        [DAEMON_ENDED] = EXIT_DONE, [DAEMON_FAILED] = EXIT_WRONG, [DAEMON_REFUSED] = EXIT_REFUSED
    };
    (void)words;
    (void)argc;
    (void)argv;
    return status[daemon_run(config)];
}

static int check(const struct config *config, const struct words *words, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return program_check(config, words_value(words, "--reload"));
}

static int explain(const struct config *config, const struct words *words, int argc, char **argv)
{
    (void)words;
    return program_explain(config, argc, argv);
}

static int doctor(const struct config *config, const struct words *words, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return program_doctor(config, words);
}

/* ---- the words ---- */

static void print_all(struct buffer *out)
{
    buffer_str(out, "usage: anchorage COMMAND [OPTION]... [--config FILE]\n\n");
    for (int i = 0; i < N_COMMANDS; i++)
        words_list(out, slice_str(commands[i].line.words), commands[i].line.help);
    buffer_str(out, "\n--config FILE, -c FILE: the configuration, by default\n" DEFAULT_CONFIG ".\n"
                    "Each command explains itself: anchorage COMMAND --help.\n"
                    "Exit status: 0 done, 1 the thing asked about is wrong, 2 the command line is\n"
                    "wrong; serve also 78, the configuration is refused.\n");
}

/* Take --config FILE, --config=FILE and -c FILE out of the words before "--"; *file stays NULL without it, and
 * *why unless they are wrong. */
static void take_config(int *argc, char **argv, const char **file, const char **why)
{
    int kept = 0, end = 0;
    while (end < *argc && strcmp(argv[end], "--") != 0)
        end++;
    for (int i = 0; i < *argc; i++) {
        bool long_form = i < end && strncmp(argv[i], "--config=", 9) == 0;
        if (!long_form && (i >= end || (strcmp(argv[i], "--config") != 0 && strcmp(argv[i], "-c") != 0))) {
            argv[kept++] = argv[i];
            continue;
        }
        if (*file)
            *why = "--config is given twice; once is right";
        *file = long_form ? argv[i] + 9 : ++i < *argc ? argv[i] : "";
        if (!**file)
            *why = "--config needs a value, FILE";
    }
    *argc = kept;
    argv[kept] = NULL;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static const struct command *find_command(const char *name)
{
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcmp(name, commands[i].line.words) == 0)
            return &commands[i];
    return NULL;
}

/* The command of the words, and what became of those behind it. What else is to be said of them is in out or err. */
static enum words_result read_words(int argc, char **argv, const struct command **command, struct words *words,
                                    struct buffer *out, struct buffer *err)
{
    const char *name = argc && strcmp(argv[0], "--version") == 0 ? "version" : argc ? argv[0] : "", *nearest = NULL;
    const char *const *typed = (const char *const *)argv;
    size_t best = SIZE_MAX;
    *command = find_command(name);
    if (*command)
        return (*command)->of_books ? ledger_command_words(argc, typed, words, out, err)
                                    : words_read(&(*command)->line, argc - 1, typed + 1, words, out, err);
    if (is_help(name) || strcmp(name, "help") == 0) {
        print_all(out);
        return WORDS_HELP;
    }
    for (int i = 0; i < N_COMMANDS; i++)
        if (words_is_near(slice_str(name), slice_str(commands[i].line.words), &best))
            nearest = commands[i].line.words;
    struct buffer quoted = { 0 };
    words_quote(&quoted, slice_str(name));
    if (!argc)
        words_wrong(err, "", "a command is missing");
    else if (nearest)
        words_wrong(err, "", "there is no command %.*s; did you mean %s?", SLICE_ARGS(buffer_slice(&quoted)), nearest);
    else
        words_wrong(err, "", "there is no command %.*s", SLICE_ARGS(buffer_slice(&quoted)));
    buffer_clear(&quoted);
    return WORDS_WRONG;
}

/* Say what is to be said of the words; the exit status, or -1 when the command is to be run. */
static int judge(int argc, char **argv, const char *wrong, const struct command **command, struct words *words)
{
    struct buffer out = { 0 }, err = { 0 };
    enum words_result result = WORDS_WRONG;
    if (wrong) {
        bool known = argc && find_command(argv[0]);
        words_wrong(&err, known ? argv[0] : "", "%s", wrong);
    } else {
        result = read_words(argc, argv, command, words, &out, &err);
    }
    terminal_write(stdout, &out);
    terminal_write(stderr, &err);
    buffer_clear(&out);
    buffer_clear(&err);
    return result == WORDS_GOOD ? -1 : result == WORDS_HELP ? EXIT_DONE : EXIT_USAGE;
}

/* What is wrong with a configuration, FILE:LINE first where that is what was asked about. */
static void say_refused(const struct command *c, struct slice errors)
{
    struct buffer text = { 0 };
    if (c->run == serve) {
        complain("", errors);
        return;
    }
    while (errors.n) {
        struct slice line = slice_split(errors, '\n', &errors);
        if (c->run != check)
            buffer_printf(&text, "anchorage %s: ", c->line.words);
        buffer_append(&text, line);
        buffer_put(&text, '\n');
    }
    terminal_fold_messages(&text);
    complain("", buffer_slice(&text));
    buffer_clear(&text);
}

static int run(const struct command *c, const char *file, const struct words *words, int argc, char **argv)
{
    if (!c->run) {
        puts("anchorage " ANCHORAGE_VERSION);
        return EXIT_DONE;
    }
    bool is_default = !file;
    file = file ? file : DEFAULT_CONFIG;
    if (c->run == explain && !program_explain_fits(argc, argv))
        return EXIT_USAGE;
    if (c->run == explain && is_default && access(file, F_OK) != 0 && errno == ENOENT)
        return program_explain(NULL, argc, argv);
    struct buffer errors = { 0 };
    bool refused;
    struct config *config = config_read_for_start(file, &refused, &errors);
    int status = refused && errors.n && c->run == serve ? EXIT_REFUSED : EXIT_WRONG;
    if (!config)
        say_refused(c, buffer_slice(&errors));
    if (!config && !errors.n)
        fprintf(stderr, "anchorage %s: %s: memory is out\n", words->row->words, file);
    buffer_clear(&errors);
    if (config)
        status = c->run(config, words, argc, argv);
    config_free(config);
    return status;
}

/* A core would hold keys and tokens. Where the kernel hands cores to a program the limit alone stops none; not dumpable
 * also keeps other processes of the same user from looking into our memory. */
static void keep_no_cores(void)
{
    const struct rlimit none = { 0, 0 };
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Tables of strangers' texts rest on a key that nobody knows; a kernel without any to give is none to serve on. */
static void key_hashes(void)
{
    uint64_t key[2];
    if (getrandom(key, sizeof key, 0) != sizeof key) {
        perror("anchorage: getrandom");
        exit(EXIT_WRONG);
    }
    slice_hash_key(key);
}

int main(int argc, char **argv)
{
    keep_no_cores();
    key_hashes();
    const char *file = NULL, *wrong = NULL;
    const struct command *command = NULL;
    struct words words = { 0 };
    argc -= argc > 0;
    take_config(&argc, ++argv, &file, &wrong);
    int status = judge(argc, argv, wrong, &command, &words);
    return status >= 0 ? status : run(command, file, &words, argc, argv);
}
