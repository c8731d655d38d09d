/* SPDX-License-Identifier: MIT
 * check tries what serve, or a reload, would need of the machine; the configuration is read by now. */
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/shown.h"
#include "base/words/words.h"
#include "config/find.h"
#include "proxy/account/account.h"
#include "proxy/account/loop_guard.h"
#include "proxy/account/secret_file.h"
#include "proxy/admin/complain.h"
#include "proxy/command/program.h"
#include "proxy/command/terminal.h"
#include "proxy/daemon/control.h"
#include "proxy/daemon/front.h"
#include "proxy/http/http.h"
#include "proxy/service/setup.h"

static void ignore(void *context, struct http_call *call, const struct http_request *request)
{
    struct buffer body = { 0 };
    (void)context;
    (void)request;
    http_answer(call, 503, NULL, 0, &body);
}

static bool try_certificates(const struct config *c, struct http_server *server, struct buffer *out)
{
    struct buffer lines = { 0 };
    bool ok = front_load_tls(c, server, &lines);
    if (lines.n) {
        buffer_append(out, buffer_slice(&lines));
        buffer_put(out, '\n');
    }
    buffer_clear(&lines);
    return ok;
}

/* A running daemon has its addresses already: `check` comes before a reload. */
static bool is_its_own(const struct config *c, const struct buffer *why)
{
    return slice_ends(buffer_slice(why), slice_str(strerror(EADDRINUSE))) && control_is_there(c->state_directory);
}

/* Whether the upstream is one of the addresses that `server` is bound to; then it says so. */
static bool leads_back(const struct config *c, struct event_base *base, const struct http_server *server,
                       struct buffer *out)
{
    struct accounts accounts;
    struct buffer why = { 0 };
    const char *option;
    bool leads = accounts_open(&accounts, base, c, 0, &why) && loop_guard_forbid(&accounts, server) &&
                 loop_guard_leads_back(&accounts, c, &option, &why);
    if (leads) {
        config_place(c, "upstream", option, out);
        buffer_printf(out, "%.*s\n", SLICE_ARGS(buffer_slice(&why)));
    }
    accounts_close(&accounts);
    buffer_clear(&why);
    return leads;
}

static bool try_binds(const struct config *c, const struct config_words *addresses, const char *option,
                      struct buffer *out)
{
    struct http_options o = { .max_connections = 1,
                              .max_connections_per_address = 1,
                              .unix_mode = addresses == &c->admin ? 0 : (unsigned)c->listen_mode,
                              .on_request = ignore };
    struct event_base *base = event_base_new();
    struct http_server *server = base ? http_server_new(base, &o) : NULL;
    bool is_tls = strcmp(option, "listen_tls") == 0;
    bool ok = server && (!is_tls || try_certificates(c, server, out));
    for (size_t i = 0; i < addresses->n && ok; i++) {
        struct buffer why = { 0 };
        bool listens = (is_tls ? http_server_listen_tls : http_server_listen)(server, addresses->word[i], &why);
        if (!listens && !is_its_own(c, &why)) {
            config_place(c, "proxy", option, out);
            buffer_printf(out, "%.*s\n", SLICE_ARGS(buffer_slice(&why)));
            ok = false;
        }
        buffer_clear(&why);
    }
    ok = ok && !leads_back(c, base, server, out);
    http_server_free(server);
    if (base)
        event_base_free(base);
    return ok;
}

/* ---- the state directory ---- */

/* Whether the daemon could make the state directory: it makes one folder, not those above. */
static const char *cannot_make(const char *directory)
{
    char above[4096];
    const char *end = directory + strlen(directory);
    while (end > directory && end[-1] == '/')
        end--;
    while (end > directory && end[-1] != '/')
        end--;
    snprintf(above, sizeof above, "%.*s", end > directory ? (int)(end - directory) : 1,
             end > directory ? directory : ".");
    return access(above, W_OK | X_OK) == 0 ? NULL : strerror(errno);
}

/* Who runs serve is, as far as root can know, whose the directory is. */
static bool try_state(const struct config *c, struct buffer *out)
{
    struct stat st;
    const char *why = NULL, *what = "cannot write in";
    if (stat(c->state_directory, &st) != 0) {
        what = "cannot make";
        why = errno == ENOENT ? cannot_make(c->state_directory) : strerror(errno);
    } else if (!S_ISDIR(st.st_mode)) {
        why = strerror(ENOTDIR);
    } else if (access(c->state_directory, W_OK | X_OK) != 0) {
        why = strerror(errno);
    } else if (geteuid() == 0 && st.st_uid != 0 && (st.st_mode & (S_IWUSR | S_IXUSR)) != (S_IWUSR | S_IXUSR)) {
        why = "its owner may not write there";
    }
    if (!why)
        return true;
    config_place(c, "proxy", "state_directory", out);
    buffer_printf(out, "%s the state directory %s: %s\n", what, c->state_directory, why);
    return false;
}

/* ---- warnings ---- */

struct warnings {
    const struct config *config;
    struct buffer text;
    int n;
};

static void begin_warning(struct warnings *w, const char *section, const char *name)
{
    w->n++;
    config_place(w->config, section, name, &w->text);
    buffer_str(&w->text, "warning: ");
}

static void begin_team_warning(struct warnings *w, const struct config_team *team)
{
    w->n++;
    buffer_printf(&w->text, "%s:%d: warning: [team %s] ", w->config->file, team->line, team->name);
}

/* A file that every user of the machine may read. Private keys of TLS are looked at where they are loaded. */
static bool is_open(const char *file)
{
    struct stat st;
    return file && stat(file, &st) == 0 && (st.st_mode & S_IROTH);
}

static void warn_of_files(struct warnings *w)
{
    static const char says[] = "%s can be read by every user; chmod o-r\n";
    const struct config *c = w->config;
    const struct {
        const char *section, *name, *file;
    } files[] = { { "upstream", "api_key_file", c->api_key_file },
                  { "proxy", "admin_token_file", c->admin_token_file } };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (is_open(files[i].file)) {
            begin_warning(w, files[i].section, files[i].name);
            buffer_printf(&w->text, says, files[i].file);
        }
    }
    for (size_t i = 0; i < c->n_teams; i++) {
        const char *file = c->teams[i].api_key_file;
        if (is_open(file) && strcmp(file, c->api_key_file) != 0) {
            begin_team_warning(w, &c->teams[i]);
            buffer_printf(&w->text, says, file);
        }
    }
}

/* serve runs like that where systemd hands it sockets. */
static void warn_of_listeners(struct warnings *w)
{
    if (w->config->listen.n || w->config->listen_tls.n)
        return;
    begin_warning(w, "proxy", "listen");
    buffer_str(&w->text, "there is no address to serve on, listen and listen_tls are empty; listen = 127.0.0.1:8080\n");
}

/* A limit beyond that of all can never be reached. */
static void warn_of_teams(struct warnings *w)
{
    const struct config *c = w->config;
    if (!c->n_teams)
        buffer_printf(&w->text, "%s: warning: there is no team, so every call is refused; [team NAME]\n", c->file);
    w->n += !c->n_teams;
    for (size_t i = 0; i < c->n_teams; i++) {
        const struct config_team *team = &c->teams[i];
        if (c->units_per_month < 0 || team->units_per_month <= c->units_per_month)
            continue;
        begin_team_warning(w, team);
        buffer_printf(&w->text, "units_per_month = %lld is above the whole's %lld\n", (long long)team->units_per_month,
                      (long long)c->units_per_month);
    }
}

/* Shares hold for open calls only: over a month one team without a limit can use up what all have. */
static void warn_of_teams_without_limit(struct warnings *w)
{
    const struct config *c = w->config;
    size_t n = c->n_teams - (config_team(c, S("*")) != NULL); /* no call is of team * */
    for (size_t i = 0; i < c->n_teams && n > 1 && c->units_per_month >= 0; i++) {
        const struct config_team *team = &c->teams[i];
        if (team->units_per_month != CONFIG_UNLIMITED || strcmp(team->name, "*") == 0)
            continue;
        begin_team_warning(w, team);
        buffer_str(&w->text, "has no units_per_month and can use up those of all teams; a limit of its own\n");
    }
}

/* ---- what will run ---- */

static void put_number(struct buffer *b, int64_t n)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)n);
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            buffer_put(b, ',');
        buffer_put(b, digits[i]);
    }
}

static void put_words(struct buffer *b, const char *before, const struct config_words *words)
{
    for (size_t i = 0; i < words->n; i++)
        buffer_printf(b, "%s%s", i ? " " : before, words->word[i]);
}

/* How many keys the running daemon knows, or -1. */
static long keys_of_daemon(const struct config *c)
{
    static const char *const asked[] = { "key", "list", "--format", "csv" };
    struct buffer out = { 0 }, err = { 0 };
    int status = EXIT_WRONG;
    long lines = 0;
    if (control_ask(c->state_directory, 4, asked, S(""), NULL, NULL, &status, &out, &err) != CONTROL_DONE ||
        status != EXIT_DONE)
        lines = -1;
    for (size_t i = 0; i < out.n && lines >= 0; i++)
        lines += out.p[i] == '\n';
    buffer_clear(&out);
    buffer_clear(&err);
    return lines > 0 ? lines - 1 : -1;
}

static void put_books(struct buffer *b, const struct config *c)
{
    struct statvfs disk;
    long keys = keys_of_daemon(c);
    buffer_printf(b, ", books in %s (", c->state_directory);
    if (keys >= 0)
        buffer_printf(b, "%ld key%s, ", keys, keys == 1 ? "" : "s");
    else if (!setup_has_books(c->state_directory))
        buffer_str(b, "none yet, ");
    char above[4096];
    snprintf(above, sizeof above, "%s/..", c->state_directory);
    if (statvfs(c->state_directory, &disk) == 0 || statvfs(above, &disk) == 0)
        buffer_printf(b, "%.1f GB free)", (double)disk.f_bavail * (double)disk.f_frsize / 1e9);
    else
        buffer_str(b, "a new folder)");
}

static void put_summary(struct buffer *b, const struct config *c, int warnings)
{
    size_t limited = 0;
    for (size_t i = 0; i < c->n_teams; i++)
        limited += c->teams[i].rows_per_month >= 0 || c->teams[i].units_per_month >= 0;
    buffer_printf(b, "%s: fine", c->file);
    if (warnings)
        buffer_printf(b, ", %d warning%s", warnings, warnings == 1 ? "" : "s");
    buffer_str(b, ": v2 on ");
    put_words(b, "", &c->listen);
    put_words(b, c->listen.n ? " and with TLS on " : "TLS on ", &c->listen_tls);
    buffer_str(b, c->listen.n || c->listen_tls.n ? "" : "no address");
    put_words(b, ", admin on ", &c->admin);
    buffer_str(b, !c->admin.n           ? ", no admin side"
                  : c->admin_token_file ? " (with a token)"
                                        : " (open to this machine)");
    buffer_printf(b, ", v3 at %s with ", c->url);
    put_number(b, c->requests_per_minute);
    buffer_str(b, " requests a minute, ");
    if (c->units_per_month >= 0)
        put_number(b, c->units_per_month);
    else
        buffer_str(b, "unlimited");
    buffer_printf(b, " units a month, %zu team%s (%zu with limits)", c->n_teams, c->n_teams == 1 ? "" : "s", limited);
    put_books(b, c);
    buffer_put(b, '\n');
}

/* ---- the command ---- */

/* All that a start needs. */
static bool try_start(const struct config *config, struct buffer *out)
{
    bool ok = try_binds(config, &config->listen, "listen", out);
    ok &= try_binds(config, &config->listen_tls, "listen_tls", out);
    ok &= try_binds(config, &config->admin, "admin", out);
    ok &= setup_files_are_good(config, out);
    ok &= try_state(config, out);
    return ok;
}

/* Of the files that a configuration names, a reload reads the certificates only. */
static bool try_reload(const struct config *config, struct buffer *out)
{
    static const struct config_words nowhere = { .n = 0 };
    return try_binds(config, &nowhere, "listen_tls", out);
}

int program_check(const struct config *config, bool reload)
{
    struct buffer out = { 0 };
    struct warnings warnings = { .config = config };
    bool ok = reload ? try_reload(config, &out) : try_start(config, &out);
    int told = 0;
    for (size_t i = 0; i < out.n; i++)
        told += out.p[i] == '\n';
    terminal_fold_messages(&out);
    complain("", buffer_slice(&out));
    if (!ok && !out.n)
        complain("", S("anchorage check: memory is out"));
    warnings.n += told;
    out.n = 0;
    if (ok) {
        warn_of_listeners(&warnings);
        warn_of_files(&warnings);
        warn_of_teams(&warnings);
        warn_of_teams_without_limit(&warnings);
        terminal_fold_messages(&warnings.text);
        complain("", buffer_slice(&warnings.text));
    }
    if (ok && reload)
        buffer_printf(&out, "%s: fine\n", config->file);
    else if (ok)
        put_summary(&out, config, warnings.n);
    shown_clean(&out, 0);
    words_fold(&out, 0, terminal_columns(stdout, WORDS_COLUMNS));
    terminal_mark(&out, ": fine", true);
    fwrite(out.p ? out.p : "", 1, out.n, stdout);
    buffer_clear(&out);
    buffer_clear(&warnings.text);
    return ok ? EXIT_DONE : EXIT_WRONG;
}
