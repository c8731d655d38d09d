/* SPDX-License-Identifier: MIT
 * A reload reads and checks a new configuration as a whole, then swaps it in at once; calls that are under way keep the
 * one they began with. */
#include "proxy/daemon/reload.h"

#include <stdlib.h>

#include "proxy/daemon/front.h"
#include "proxy/service/setup.h"
#include "proxy/service/teams.h"

enum { MAX_SHOWN = 4000 /* bytes of names in one line of the log */ };

typedef void say_line(struct service *s, const char *format, ...);

static void say_lines(struct service *s, say_line *say, struct slice lines)
{
    while (lines.n) {
        struct slice line = slice_split(lines, '\n', &lines);
        say(s, "reload: %.*s", SLICE_ARGS(line));
    }
}

/* Say what was wrong, line by line as it was told. */
static void say_errors(struct service *s, const char *file, struct slice errors)
{
    service_complain(s, "reload: %s is not taken, the old configuration stays:", file);
    say_lines(s, service_complain, errors);
}

static struct slice beginning(const struct buffer *b)
{
    return slice_of(b->p, b->n < MAX_SHOWN ? b->n : MAX_SHOWN);
}

static void say_changes(struct service *s, const char *file, const struct buffer *now, const struct buffer *later)
{
    struct slice changes = beginning(now), restart = beginning(later);
    service_say(s, "reload: %s is taken: %.*s%s%s%.*s", file,
                SLICE_ARGS(changes.n ? changes : S("nothing has changed")), changes.n < now->n ? "..." : "",
                restart.n ? "; only after a restart: " : "", SLICE_ARGS(restart));
}

/* Apply the limits, let the calls try again that waited for more of them, and take how long connections are kept. */
static void apply(struct service *s, const struct ledger_options *limits)
{
    ledger_set_limits(s->ledger, limits);
    http_server_set_idle(s->http, s->config->idle_timeout_ms);
    for (struct team_queue *t = s->all_queues; t; t = t->next)
        team_queue_look(&s->pacer, t);
    waitlist_retry(&s->waitlist);
}

/* Ways to v3 are made at the start only. False when a team comes with a key of its own that was not there then. */
static bool has_all_accounts(const struct service *s, const struct config *next, struct buffer *errors)
{
    bool good = true;
    for (size_t i = 0; i < next->n_teams; i++) {
        const struct config_team *team = &next->teams[i];
        if (accounts_of_team(&s->accounts, team))
            continue;
        good = false;
        buffer_printf(errors,
                      "%s:%d: [team %s] api_key_file: a v3 key that is new needs a restart; the team without it\n",
                      next->file, team->line, team->name);
    }
    return good;
}

/* Make `next` what is in force. Certificates come last of all that can be wrong: they are not taken back. False with
 * lines in `errors`, which may hold warnings otherwise; `next` is taken over on success only. */
static bool take(struct service *s, struct config *next, struct buffer *errors)
{
    struct ledger_options limits = { 0 };
    if (!has_all_accounts(s, next, errors))
        return false;
    struct settings *settings = settings_new(next, NULL);
    bool good = settings && setup_ledger_options(next, &limits);
    if (!good)
        buffer_str(errors, "memory is out\n");
    good = good && front_load_tls(next, s->http, errors);
    if (good && !teams_take_settings(s, settings)) {
        buffer_str(errors, "memory is out\n");
        good = false;
    }
    if (good) {
        settings->owned = next;
        apply(s, &limits);
    } else {
        settings_put(settings);
    }
    free((void *)(uintptr_t)limits.teams);
    return good;
}

bool reload(struct service *s, const struct config *start)
{
    struct buffer errors = { 0 }, now = { 0 }, later = { 0 };
    struct config *next = config_read(start->file, &errors);
    bool good = false;
    if (next) {
        config_needs_restart(start, next, &later);
        config_keep(start, next);
        config_changes(s->config, next, &now);
        good = take(s, next, &errors);
    }
    if (good) {
        say_lines(s, service_warn, buffer_slice(&errors)); /* warnings */
        say_changes(s, start->file, &now, &later);
    } else {
        say_errors(s, start->file, buffer_slice(&errors));
        config_free(next);
    }
    buffer_clear(&errors);
    buffer_clear(&now);
    buffer_clear(&later);
    return good;
}
