/* SPDX-License-Identifier: MIT
 * The small things that rooms ask of the service. */
#include "proxy/call/exchange.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/find.h"
#include "proxy/account/learnt.h"

void service_wake_bottom(struct service *s)
{
    event_active(s->bottom, 0, 0);
}

const struct account *service_main_account(const struct service *s)
{
    static const struct account nothing_known;
    return s->accounts.n ? &s->accounts.list[0] : &nothing_known;
}

void service_keep_learnt(struct service *s)
{
    struct buffer why = { 0 };
    if (!learnt_write(s->config->state_directory, &s->accounts, &why))
        service_say(s, "%.*s", SLICE_ARGS(buffer_slice(&why)));
    buffer_clear(&why);
}

bool service_listen(struct service *s, struct http_server *server, const struct config_words *addresses,
                    const char *option, struct buffer *why)
{
    bool is_tls = strcmp(option, "listen_tls") == 0;
    int fd = socket_activation_take(s->activation, option);
    if (fd >= 0) {
        bool good = true;
        for (; good && fd >= 0; fd = good ? socket_activation_take(s->activation, option) : -1)
            good = http_server_inherit(server, fd, is_tls, why);
        return good;
    }
    for (size_t i = 0; i < addresses->n; i++) {
        if (!(is_tls ? http_server_listen_tls : http_server_listen)(server, addresses->word[i], why)) {
            buffer_printf(why, " (%s:%d)", s->config->file, config_line_of(s->config, "proxy", option));
            return false;
        }
    }
    return true;
}

struct turns *service_turns(struct service *s, struct slice team)
{
    const struct config_team *t = config_team(s->config, team);
    return t ? s->turns[t - s->config->teams] : NULL;
}

/* ---- the waits that calls share ---- */

/* What is ready was more than a round of the loop may do. */
static bool is_behind(void *context)
{
    const struct service *s = context;
    bool behind = ledger_is_behind(s->ledger);
    for (size_t i = 0; !behind && i < s->accounts.n; i++)
        behind = upstream_is_behind(s->accounts.list[i].upstream);
    return behind;
}

bool service_begin(struct service *s)
{
    return waitlist_begin(&s->waitlist, s->base) && pacer_begin(&s->pacer, s->base, is_behind, s);
}

void service_end(struct service *s)
{
    waitlist_end(&s->waitlist);
    pacer_end(&s->pacer);
}

/* ---- settings ---- */

static struct turns *find_turns(const struct service *s, const char *team)
{
    const struct config_team *t = s->config ? config_team(s->config, slice_str(team)) : NULL;
    if (t)
        return s->turns[t - s->config->teams];
    struct turns *turns = s->all_turns;
    while (turns && strcmp(turns->team->name, team) != 0)
        turns = turns->next;
    return turns;
}

static void free_turns(struct turns *t)
{
    settings_put(t->settings);
    free(t);
}

/* One for each team of `next`: those there are, and new ones, which are not linked yet. NULL when memory is out. */
static struct turns **collect_turns(const struct service *s, const struct config *next)
{
    struct turns **turns = calloc(next->n_teams ? next->n_teams : 1, sizeof(struct turns *));
    for (size_t i = 0; turns && i < next->n_teams; i++) {
        turns[i] = find_turns(s, next->teams[i].name);
        if (!turns[i])
            turns[i] = calloc(1, sizeof **turns);
        if (turns[i])
            continue;
        while (i--)
            if (!turns[i]->team)
                free(turns[i]);
        free(turns);
        turns = NULL;
    }
    return turns;
}

static bool has_calls(struct service *s, const struct turns *t)
{
    struct link *lists[] = { &s->running, &s->finished };
    for (int i = 0; i < 2; i++)
        for (struct link *l = lists[i]->next; l != lists[i]; l = l->next)
            if (LINKED(l, struct exchange, link)->ticket.turns == t)
                return true;
    return false;
}

static void drop_turns_of_gone_teams(struct service *s)
{
    for (struct turns **at = &s->all_turns; *at;) {
        struct turns *t = *at;
        if (t->settings == s->settings || has_calls(s, t)) {
            at = &t->next;
            continue;
        }
        *at = t->next;
        team_queue_forget(t);
        free_turns(t);
    }
}

bool service_take_settings(struct service *s, struct settings *settings)
{
    const struct config *next = settings->config;
    struct turns **turns = collect_turns(s, next);
    if (!turns)
        return false;
    for (size_t i = 0; i < next->n_teams; i++) {
        struct turns *t = turns[i];
        if (!t->team) {
            team_queue_init(t);
            t->next = s->all_turns;
            s->all_turns = t;
        }
        settings_put(t->settings);
        t->settings = settings_hold(settings);
        t->team = &next->teams[i];
        t->account = accounts_of_team(&s->accounts, t->team);
    }
    settings_put(s->settings);
    free(s->turns);
    s->turns = turns;
    s->settings = settings;
    s->config = next;
    drop_turns_of_gone_teams(s);
    return true;
}

void service_drop_settings(struct service *s)
{
    while (s->all_turns) {
        struct turns *next = s->all_turns->next;
        free_turns(s->all_turns);
        s->all_turns = next;
    }
    free(s->turns);
    s->turns = NULL;
    settings_put(s->settings);
    s->settings = NULL;
}

int64_t service_wait_ms(const struct service *s, int64_t before, int64_t at_once)
{
    enum { LEAST_MS = 1000, MOST_MS = 60000 };
    const struct counters *c = &s->counters;
    int64_t call_ms = c->answered ? (int64_t)(c->calls_took.sum_us / c->answered / 1000) : 0;
    int64_t ms = call_ms < MOST_MS && before < MOST_MS ? call_ms * before / at_once : MOST_MS;
    return ms < LEAST_MS ? LEAST_MS : ms > MOST_MS ? MOST_MS : ms;
}

/* ---- the log ---- */

void service_say(struct service *s, const char *format, ...)
{
    va_list args;
    struct buffer *line = log_begin(&s->log);
    va_start(args, format);
    buffer_str(line, "anchorage: ");
    buffer_vprintf(line, format, args);
    va_end(args);
    log_end(&s->log);
    service_wake_bottom(s);
}
