/* SPDX-License-Identifier: MIT
 * anchorage.conf from the option table. A test compares the file with what is written here. */
#include "config/describe.h"

static const char head[] = "; The configuration of anchorage: every option, with its default.\n"
                           ";\n"
                           "; [section], name = value, and comments from a ; on; nothing else. `anchorage check` says "
                           "what is wrong, and where.\n"
                           ";   durations  10ms, 60s, 5m, 1h, 7d\n"
                           ";   addresses  127.0.0.1:8080, [::1]:8080, *:8080 or unix:/run/x.sock\n"
                           ";   paths      relative to this file\n"
                           ";   lists      several of them, separated by spaces\n"
                           ";\n"
                           "; To begin with:\n"
                           ";   1. put the v3 key into the file v3.key beside this one, readable for nobody else;\n"
                           ";   2. set units_per_month in [upstream];\n"
                           ";   3. add a section for each team at the end, for example [team seo];\n"
                           ";   4. add keys: anchorage key add --team seo\n";

static const char team_head[] =
    "; One section a team; its keys are in the ledger. A name is 1 to 64 letters, digits, '.', '_' and '-'. Without a\n"
    "; team no call is served. A team needs no more than the line with its name; rows_per_month is what most set:\n"
    ";\n"
    ";   [team seo]\n"
    ";   rows_per_month = 500000\n"
    ";\n"
    "; All options of a team:\n";

/* What a value is, for the types whose range does not say it. */
static const char *const forms[CONFIG_TYPES] = {
    [CONFIG_TYPE_WORD] = "",
    [CONFIG_TYPE_NUMBER] = "",
    [CONFIG_TYPE_DURATION] = "",
    [CONFIG_TYPE_MODE] = "a mode of files in octal",
    [CONFIG_TYPE_ADDRESSES] = "addresses to listen on, or empty: off",
    [CONFIG_TYPE_NETWORKS] = "networks, for example 10.1.2.0/24 2001:db8::/32 10.1.2.7, or empty",
    [CONFIG_TYPE_HOSTS] = "host names, or empty: none",
    [CONFIG_TYPE_PATHS] = "paths, or empty",
    [CONFIG_TYPE_PATH] = "a path, or empty: none",
    [CONFIG_TYPE_DIRECTORY] = "a path",
    [CONFIG_TYPE_KEY_FILE] = "a path",
    [CONFIG_TYPE_URL] = "a URL",
    [CONFIG_TYPE_PROXY_URL] = "a URL of http, https, socks5 or socks5h, or empty: none",
    [CONFIG_TYPE_TEXT] = "text of at most 200 bytes",
};

void config_describe_value(struct buffer *b, const struct config_option *option)
{
    buffer_printf(b, "Takes %s", forms[option->type]);
    config_option_range(b, option);
    buffer_put(b, '.');
    if (option->change == CONFIG_CHANGE_RESTART)
        buffer_str(b, " A change needs a restart.");
}

static void describe_help(struct buffer *b, const char *help)
{
    struct slice rest = slice_str(help);
    while (rest.p) {
        struct slice line = slice_split(rest, '\n', &rest);
        buffer_printf(b, "; %.*s\n", SLICE_ARGS(line));
    }
}

static void describe_option(struct buffer *b, const struct config_option *option)
{
    buffer_put(b, '\n');
    describe_help(b, option->help);
    buffer_str(b, "; ");
    config_describe_value(b, option);
    buffer_printf(b, "\n%s%.*s =", option->state == CONFIG_STATE_MUST ? "" : ";", SLICE_ARGS(option->name));
    if (option->fallback.n)
        buffer_printf(b, " %.*s", SLICE_ARGS(option->fallback));
    buffer_put(b, '\n');
}

void config_describe(struct buffer *b)
{
    buffer_str(b, head);
    for (size_t i = 0; i < config_options_count; i++) {
        const struct config_option *o = &config_options[i];
        if (i == 0 || o->section != o[-1].section) {
            struct slice name = config_section_name(o->section);
            bool team = o->section == CONFIG_SECTION_team;
            buffer_put(b, '\n');
            buffer_str(b, team ? team_head : "");
            buffer_printf(b, team ? ";[%.*s seo]\n" : "[%.*s]\n", SLICE_ARGS(name));
        }
        describe_option(b, o);
    }
}
