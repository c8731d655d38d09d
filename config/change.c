/* SPDX-License-Identifier: MIT
 * What a reload takes over and what it cannot: the running configuration beside the next, option by option. */
#include "config/config.h"
#include "config/find.h"
#include "config/options.h"

enum storage { STORED_NUMBER, STORED_STRING, STORED_LIST };

static const enum storage storage[CONFIG_TYPES] = {
    [CONFIG_TYPE_WORD] = STORED_NUMBER,      [CONFIG_TYPE_NUMBER] = STORED_NUMBER,
    [CONFIG_TYPE_MODE] = STORED_NUMBER,      [CONFIG_TYPE_DURATION] = STORED_NUMBER,
    [CONFIG_TYPE_ADDRESSES] = STORED_LIST,   [CONFIG_TYPE_NETWORKS] = STORED_LIST,
    [CONFIG_TYPE_HOSTS] = STORED_LIST,       [CONFIG_TYPE_PATHS] = STORED_LIST,
    [CONFIG_TYPE_PATH] = STORED_STRING,      [CONFIG_TYPE_DIRECTORY] = STORED_STRING,
    [CONFIG_TYPE_KEY_FILE] = STORED_STRING,  [CONFIG_TYPE_URL] = STORED_STRING,
    [CONFIG_TYPE_PROXY_URL] = STORED_STRING, [CONFIG_TYPE_TEXT] = STORED_STRING,
};

static bool same_string(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_list(const struct config_words *a, const struct config_words *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++)
        same = strcmp(a->word[i], b->word[i]) == 0;
    return same;
}

static bool same(const struct config_option *o, const void *left, const void *right)
{
    const char *a = (const char *)left + o->offset, *b = (const char *)right + o->offset;
    switch (storage[o->type]) {
    case STORED_NUMBER:
        return memcmp(a, b, o->size) == 0;
    case STORED_STRING:
        return same_string(*(const char *const *)(const void *)a, *(const char *const *)(const void *)b);
    case STORED_LIST:
        return same_list((const void *)a, (const void *)b);
    }
    return false;
}

/* A team that came or went is taken over by a reload. */
static bool same_in_teams(const struct config_option *o, const struct config *a, const struct config *b)
{
    for (size_t i = 0; i < a->n_teams; i++) {
        const struct config_team *other = config_team(b, slice_str(a->teams[i].name));
        if (other && !same(o, &a->teams[i], other))
            return false;
    }
    return true;
}

bool config_needs_restart(const struct config *running, const struct config *next, struct buffer *names)
{
    bool any = false;
    for (const struct config_option *o = config_options; o < config_options + config_options_count; o++) {
        bool team = o->section == CONFIG_SECTION_team;
        if (o->change == CONFIG_CHANGE_RELOAD || (team ? same_in_teams(o, running, next) : same(o, running, next)))
            continue;
        struct slice section = config_section_name(o->section);
        buffer_printf(names, "%s[%.*s] %.*s", any ? ", " : "", SLICE_ARGS(section), SLICE_ARGS(o->name));
        any = true;
    }
    return any;
}

void config_keep(const struct config *running, struct config *next)
{
    for (const struct config_option *o = config_options; o < config_options + config_options_count; o++) {
        if (o->change == CONFIG_CHANGE_RELOAD)
            continue;
        if (o->section != CONFIG_SECTION_team) {
            memcpy((char *)next + o->offset, (const char *)running + o->offset, o->size);
            continue;
        }
        for (size_t i = 0; i < next->n_teams; i++) {
            const struct config_team *known = config_team(running, slice_str(next->teams[i].name));
            if (known)
                memcpy((char *)&next->teams[i] + o->offset, (const char *)known + o->offset, o->size);
        }
    }
    /* It may be left out for a loopback url only, and that was the next url. */
    if (next->units_per_month == CONFIG_UNSET && !config_upstream_is_loopback(next))
        next->units_per_month = running->units_per_month;
}

/* What follows is said behind what was said before. */
static void add_change(struct buffer *names, bool *any)
{
    if (*any)
        buffer_str(names, ", ");
    *any = true;
}

static void add_team_changes(const struct config_team *a, const struct config_team *b, struct buffer *names, bool *any)
{
    for (const struct config_option *o = config_options; o < config_options + config_options_count; o++) {
        if (o->section != CONFIG_SECTION_team || o->change == CONFIG_CHANGE_RESTART || same(o, a, b))
            continue;
        add_change(names, any);
        buffer_printf(names, "[team %s] %.*s", b->name, SLICE_ARGS(o->name));
    }
}

bool config_changes(const struct config *running, const struct config *next, struct buffer *names)
{
    bool any = false;
    for (const struct config_option *o = config_options; o < config_options + config_options_count; o++) {
        if (o->section == CONFIG_SECTION_team || o->change == CONFIG_CHANGE_RESTART || same(o, running, next))
            continue;
        struct slice section = config_section_name(o->section);
        add_change(names, &any);
        buffer_printf(names, "[%.*s] %.*s", SLICE_ARGS(section), SLICE_ARGS(o->name));
    }
    for (size_t i = 0; i < next->n_teams; i++) {
        const struct config_team *team = &next->teams[i], *known = config_team(running, slice_str(team->name));
        if (known) {
            add_team_changes(known, team, names, &any);
            continue;
        }
        add_change(names, &any);
        buffer_printf(names, "[team %s] comes", team->name);
    }
    for (size_t i = 0; i < running->n_teams; i++) {
        if (config_team(next, slice_str(running->teams[i].name)))
            continue;
        add_change(names, &any);
        buffer_printf(names, "[team %s] goes", running->teams[i].name);
    }
    return any;
}
