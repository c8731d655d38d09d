/* SPDX-License-Identifier: MIT
 * The small things that rooms ask of the service. */
#include "proxy/service.h"

#include <event2/event.h>
#include <stdio.h>

#include "base/clock.h"

void service_wake_bottom(struct service *s)
{
    event_active(s->bottom, 0, 0);
}

struct plan_options service_plan_options(const struct service *s, const struct account *a)
{
    const struct config *c = s->config;
    return (struct plan_options){
        .last_visited_null = c->last_visited == LAST_VISITED_NULL,
        .stats_zero = c->stats == STATS_ZERO,
        .refpages_null = c->stats_refpages == STATS_REFPAGES_NULL,
        .fold = c->anchor_case == ANCHOR_CASE_FOLD,
        .refuse_approximate = c->approximate == APPROXIMATE_REFUSE,
        .free_targets = s->free_targets,
        .page_rows = c->max_rows_per_request == CONFIG_AUTO ? a->learnt_page_rows : c->max_rows_per_request,
        .today = day_of_ms(clock_wall_ms()),
    };
}

struct explain_options service_explain_options(const struct service *s)
{
    return (struct explain_options){
        .plan = service_plan_options(s, &s->account),
        .default_mode = (enum mode)s->config->default_mode,
        .units_per_call = s->config->units_per_call,
        .v3_url = slice_str(s->config->url),
    };
}

bool service_listen(const struct service *s, struct http_server *server, const struct config_words *addresses,
                    const char *option, struct buffer *why)
{
    for (size_t i = 0; i < addresses->n; i++) {
        if (!http_server_listen(server, addresses->word[i], why)) {
            buffer_printf(why, " (%s:%d)", s->config->file, config_line_of(s->config, "proxy", option));
            return false;
        }
    }
    return true;
}

struct turns *service_turns(struct service *s, struct slice team)
{
    const struct config_team *t = config_team(s->config, team);
    return t ? &s->turns[t - s->config->teams] : NULL;
}

int64_t service_wait_ms(const struct service *s, int64_t before, int64_t at_once)
{
    enum { LEAST_MS = 1000, MOST_MS = 60000 };
    const struct counters *c = &s->counters;
    int64_t call_ms = c->answered ? (int64_t)(c->call_us / c->answered / 1000) : 0;
    int64_t ms = call_ms < MOST_MS && before < MOST_MS ? call_ms * before / at_once : MOST_MS;
    return ms < LEAST_MS ? LEAST_MS : ms > MOST_MS ? MOST_MS : ms;
}

void service_say(struct service *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buffer_str(&s->log, "anchorage: ");
    buffer_vprintf(&s->log, format, args);
    buffer_put(&s->log, '\n');
    va_end(args);
    service_wake_bottom(s);
}
