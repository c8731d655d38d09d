/* SPDX-License-Identifier: MIT
 * The teams' queues outlive a change of the configuration. */
#include "proxy/service/teams.h"

#include <stdlib.h>

#include "config/find.h"
#include "proxy/service/service.h"

struct team_queue *teams_find(struct service *s, struct slice team)
{
    const struct config_team *t = config_team(s->config, team);
    return t ? s->queues[t - s->config->teams] : NULL;
}

static struct team_queue *find_queue(const struct service *s, const char *team)
{
    const struct config_team *t = s->config ? config_team(s->config, slice_str(team)) : NULL;
    if (t)
        return s->queues[t - s->config->teams];
    struct team_queue *queue = s->all_queues;
    while (queue && strcmp(queue->team->name, team) != 0)
        queue = queue->next;
    return queue;
}

static void free_queue(struct team_queue *t)
{
    settings_put(t->settings);
    free(t);
}

/* Turns for each team of `next`: those that exist, and new ones that are not linked yet. NULL when memory is out. */
static struct team_queue **collect_queues(const struct service *s, const struct config *next)
{
    struct team_queue **queues = calloc(next->n_teams ? next->n_teams : 1, sizeof(struct team_queue *));
    for (size_t i = 0; queues && i < next->n_teams; i++) {
        queues[i] = find_queue(s, next->teams[i].name);
        if (!queues[i])
            queues[i] = calloc(1, sizeof **queues);
        if (queues[i])
            continue;
        while (i--)
            if (!queues[i]->team)
                free(queues[i]);
        free(queues);
        queues = NULL;
    }
    return queues;
}

static void drop_queues_of_gone_teams(struct service *s)
{
    for (struct team_queue **at = &s->all_queues; *at;) {
        struct team_queue *t = *at;
        if (t->settings == s->settings || t->n_calls) {
            at = &t->next;
            continue;
        }
        *at = t->next;
        team_queue_forget(t);
        free_queue(t);
    }
}

void teams_call_begins(struct team_queue *t)
{
    t->n_calls++;
}

void teams_call_ends(struct service *s, struct team_queue *t)
{
    if (!--t->n_calls && t->settings != s->settings)
        drop_queues_of_gone_teams(s);
}

/* What several teams take from has shares: the memory of calls, and the places in the queue of a v3 key. No call is of
 * team *. */
static void share_pots(struct service *s, struct team_queue *const *queues, size_t n)
{
    size_t teams = 0;
    for (size_t i = 0; i < n; i++)
        teams += strcmp(queues[i]->team->name, "*") != 0;
    s->memory.is_shared = teams > 1;
    for (size_t i = 0; i < s->accounts.n; i++) {
        const struct account *a = &s->accounts.list[i];
        size_t users = 0;
        for (size_t t = 0; t < n; t++)
            users += queues[t]->account == a && strcmp(queues[t]->team->name, "*") != 0;
        if (a->upstream)
            upstream_share(a->upstream, users > 1);
    }
}

bool teams_take_settings(struct service *s, struct settings *settings)
{
    const struct config *next = settings->config;
    struct team_queue **queues = collect_queues(s, next);
    if (!queues)
        return false;
    for (size_t i = 0; i < next->n_teams; i++) {
        struct team_queue *t = queues[i];
        if (!t->team) {
            team_queue_init(t);
            t->memory.whole = &s->memory;
            t->next = s->all_queues;
            s->all_queues = t;
        }
        settings_put(t->settings);
        t->settings = settings_hold(settings);
        t->team = &next->teams[i];
        t->account = accounts_of_team(&s->accounts, t->team);
    }
    share_pots(s, queues, next->n_teams);
    settings_put(s->settings);
    free(s->queues);
    s->queues = queues;
    s->settings = settings;
    s->config = next;
    drop_queues_of_gone_teams(s);
    return true;
}

void teams_drop_settings(struct service *s)
{
    while (s->all_queues) {
        struct team_queue *next = s->all_queues->next;
        free_queue(s->all_queues);
        s->all_queues = next;
    }
    free(s->queues);
    s->queues = NULL;
    settings_put(s->settings);
    s->settings = NULL;
}
