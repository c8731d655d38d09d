/* SPDX-License-Identifier: MIT
 * The teams' turns outlive a change of the configuration. */
#include "proxy/service/teams.h"

#include <stdlib.h>

#include "config/find.h"
#include "proxy/service/service.h"

struct turns *teams_find(struct service *s, struct slice team)
{
    const struct config_team *t = config_team(s->config, team);
    return t ? s->turns[t - s->config->teams] : NULL;
}

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

/* Turns for each team of `next`: those that exist, and new ones that are not linked yet. NULL when memory is out. */
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

static void drop_turns_of_gone_teams(struct service *s)
{
    for (struct turns **at = &s->all_turns; *at;) {
        struct turns *t = *at;
        if (t->settings == s->settings || t->n_calls) {
            at = &t->next;
            continue;
        }
        *at = t->next;
        team_queue_forget(t);
        free_turns(t);
    }
}

void teams_call_begins(struct turns *t)
{
    t->n_calls++;
}

void teams_call_ends(struct service *s, struct turns *t)
{
    if (!--t->n_calls && t->settings != s->settings)
        drop_turns_of_gone_teams(s);
}

bool teams_take_settings(struct service *s, struct settings *settings)
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

void teams_drop_settings(struct service *s)
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
