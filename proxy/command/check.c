/* SPDX-License-Identifier: MIT
 * check tries what serve, or a reload, would need of the machine; the configuration is read by now. */
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/find.h"
#include "proxy/account/account.h"
#include "proxy/account/loop_guard.h"
#include "proxy/account/secret_file.h"
#include "proxy/admin/complain.h"
#include "proxy/command/program.h"
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
    if (leads)
        buffer_printf(out, "%s:%d: %.*s\n", c->file, config_line_of(c, "upstream", option),
                      SLICE_ARGS(buffer_slice(&why)));
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
            buffer_printf(out, "%s:%d: %.*s\n", c->file, config_line_of(c, "proxy", option),
                          SLICE_ARGS(buffer_slice(&why)));
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

/* All that a start needs. */
static bool try_start(const struct config *config, struct buffer *out)
{
    bool ok = try_binds(config, &config->listen, "listen", out);
    ok &= try_binds(config, &config->listen_tls, "listen_tls", out);
    ok &= try_binds(config, &config->admin, "admin", out);
    ok &= setup_files_are_good(config, out);
    if (access(config->state_directory, W_OK | X_OK) != 0 && access(config->state_directory, F_OK) == 0) {
        buffer_printf(out, "%s:%d: cannot write in state_directory %s\n", config->file,
                      config_line_of(config, "proxy", "state_directory"), config->state_directory);
        ok = false;
    }
    return ok;
}

/* Of the files that a configuration names, a reload reads the certificates only. */
static bool try_reload(const struct config *config, struct buffer *out)
{
    static const struct config_words nowhere = { .n = 0 };
    return try_binds(config, &nowhere, "listen_tls", out);
}

/* Shares hold for open calls only: over a month one team without a limit can use up what all have. */
static void warn_of_teams_without_limit(const struct config *c, struct buffer *out)
{
    size_t n = c->n_teams - (config_team(c, S("*")) != NULL); /* no call is of team * */
    for (size_t i = 0; i < c->n_teams && n > 1 && c->units_per_month >= 0; i++) {
        const struct config_team *team = &c->teams[i];
        if (team->units_per_month == CONFIG_UNLIMITED && strcmp(team->name, "*") != 0)
            buffer_printf(
                out,
                "%s:%d: warning: [team %s] has no units_per_month and can use up those of all teams; a limit of "
                "its own\n",
                c->file, team->line, team->name);
    }
}

int program_check(const struct config *config, bool reload)
{
    struct buffer out = { 0 };
    bool ok = reload ? try_reload(config, &out) : try_start(config, &out);
    if (!ok && !out.n)
        buffer_str(&out, "anchorage: memory is out\n");
    warn_of_teams_without_limit(config, &out);
    complain("", buffer_slice(&out));
    if (ok)
        printf("%s: fine\n", config->file);
    buffer_clear(&out);
    return ok ? EXIT_DONE : EXIT_WRONG;
}
