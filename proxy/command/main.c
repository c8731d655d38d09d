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
#include "proxy/daemon/daemon.h"

#define DEFAULT_CONFIG "/etc/anchorage/anchorage.conf"
static const char default_config[] = DEFAULT_CONFIG;

static int serve(const struct config *config, int argc, char **argv);
static int check(const struct config *config, int argc, char **argv);

/* clang-format off */
static const struct command {
    const char *name;
    int (*run)(const struct config *config, int argc, char **argv);
    bool helps_itself; /* --help is answered by the command */
    const char *words, *help;
} commands[] = {
    { "serve",   serve,           false, "", "run in the foreground, log to stderr" },
    { "check",   check,           false, "[--reload]",
      "read the configuration, try the binds; --reload: only what a reload takes over" },
    { "explain", program_explain, false, "[--format text|json] [--curl] CALL|-",
      "what CALL (URL, query, curl line) becomes and may cost; sends nothing" },
    { "key",     program_ledger,  true,  "add|import|list|disable|enable|assign|rotate …", "the clients' keys" },
    { "usage",   program_ledger,  true,  "[--by team|key|client|day|hour|table|target] [--since DATE] [--until DATE] …",
      "rows and units used" },
    { "ledger",  program_ledger,  true,  "verify|export|backup …", "the books themselves" },
    { "doctor",  program_doctor,  false, "[--team TEAM] [--save FILE] [--format text|json]",
      "what the v3 key, plan and API really do; nothing charged" },
    { "version", NULL,            false, "", "print the version" },
};
/* clang-format on */

enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static void print_usage(FILE *to)
{
    fputs("usage: anchorage COMMAND [--config FILE] …\n\n", to);
    for (int i = 0; i < N_COMMANDS; i++)
        fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].help);
    fputs("\n--config FILE: the configuration, by default " DEFAULT_CONFIG "\n"
          "Each command explains itself with --help.\n"
          "Exit status: 0 done, 1 the thing asked about is wrong, 2 the command line is wrong;\n"
          "serve also 78, the configuration is refused.\n",
          to);
}

static int unexpected(const char *command, const char *word)
{
    fprintf(stderr, "anchorage %s: unexpected \"%s\"; see anchorage %s --help\n", command, word, command);
    return EXIT_USAGE;
}

static int serve(const struct config *config, int argc, char **argv)
{
    static const int status[] = {
        [DAEMON_ENDED] = EXIT_DONE, [DAEMON_FAILED] = EXIT_WRONG, [DAEMON_REFUSED] = EXIT_REFUSED
    };
    return argc > 1 ? unexpected("serve", argv[1]) : status[daemon_run(config)];
}

static int check(const struct config *config, int argc, char **argv)
{
    bool reload = argc > 1 && strcmp(argv[1], "--reload") == 0;
    return argc > 1 + reload ? unexpected("check", argv[1 + reload]) : program_check(config, reload);
}

/* Take `--config FILE` or `--config=FILE` out of the words; false when FILE is missing. */
static bool take_config(int *argc, char **argv, const char **file)
{
    int kept = 0;
    for (int i = 0; i < *argc; i++) {
        if (strcmp(argv[i], "--config") == 0) {
            if (++i == *argc)
                return false;
            *file = argv[i];
        } else if (strncmp(argv[i], "--config=", 9) == 0) {
            *file = argv[i] + 9;
        } else {
            argv[kept++] = argv[i];
        }
    }
    *argc = kept;
    argv[kept] = NULL;
    return true;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int run(const struct command *c, const char *file, int argc, char **argv)
{
    bool help = false;
    for (int i = 1; i < argc; i++)
        help |= is_help(argv[i]);
    if (c->helps_itself && (help || (argc < 2 && strcmp(c->name, "usage") != 0)))
        return c->run(NULL, argc, argv);
    if (help) {
        printf("usage: anchorage %s%s%s%s\n\n%s\n", c->name, c->run ? " [--config FILE]" : "", c->words[0] ? " " : "",
               c->words, c->help);
        return EXIT_DONE;
    }
    if (!c->run) {
        puts("anchorage " ANCHORAGE_VERSION);
        return EXIT_DONE;
    }
    if (c->run == program_explain && !program_explain_fits(argc, argv))
        return EXIT_USAGE;
    if (c->run == program_explain && file == default_config && access(file, F_OK) != 0 && errno == ENOENT)
        return program_explain(NULL, argc, argv);
    struct buffer errors = { 0 };
    bool refused;
    struct config *config = config_read_for_start(file, &refused, &errors);
    int status = refused && errors.n && c->run == serve ? EXIT_REFUSED : EXIT_WRONG;
    if (!config)
        complain("", buffer_slice(&errors));
    if (!config && !errors.n)
        fprintf(stderr, "anchorage: %s: memory is out\n", file);
    buffer_clear(&errors);
    if (config)
        status = c->run(config, argc, argv);
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
    const char *file = default_config;
    if (!take_config(&argc, argv, &file)) {
        fputs("anchorage: --config needs a file\n", stderr);
        return EXIT_USAGE;
    }
    if (argc > 1 && (is_help(argv[1]) || strcmp(argv[1], "help") == 0)) {
        print_usage(stdout);
        return EXIT_DONE;
    }
    const char *name = argc > 1 && strcmp(argv[1], "--version") == 0 ? "version" : argc > 1 ? argv[1] : "";
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcmp(name, commands[i].name) == 0)
            return run(&commands[i], file, argc - 1, argv + 1);
    if (argc > 1)
        fprintf(stderr, "anchorage: there is no command \"%s\"\n\n", name);
    print_usage(stderr);
    return EXIT_USAGE;
}
