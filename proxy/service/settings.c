/* SPDX-License-Identifier: MIT
 * Settings give each room its options out of the configuration. */
#include "proxy/service/settings.h"

#include <stdlib.h>

#include "base/clock.h"
#include "proxy/service/setup.h"

struct settings *settings_new(const struct config *config, struct config *owned)
{
    struct settings *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->config = config;
    s->users = 1;
    setup_free_targets(config, &s->free_targets);
    if (s->free_targets.failed) {
        settings_put(s);
        return NULL;
    }
    s->owned = owned;
    return s;
}

struct settings *settings_hold(struct settings *s)
{
    s->users++;
    return s;
}

void settings_put(struct settings *s)
{
    if (!s || --s->users)
        return;
    buffer_clear(&s->free_targets);
    config_free(s->owned);
    free(s);
}

/* Where the configuration says null. */
static unsigned nulls_of(const struct config *c)
{
    return (c->last_visited == LAST_VISITED_NULL ? 1u << NULL_VISITED : 0) |
           (c->stats_refpages == STATS_REFPAGES_NULL ? 1u << NULL_ESTIMATE : 0) |
           (c->missing == MISSING_NULL ? 1u << NULL_MISSING : 0);
}

struct plan_options settings_plan_options(const struct settings *s, int64_t page_rows)
{
    const struct config *c = s->config;
    return (struct plan_options){
        .nulls = nulls_of(c),
        .stats_zero = c->stats == STATS_ZERO,
        .fold = c->anchor_case == ANCHOR_CASE_FOLD,
        .refuse_approximate = c->approximate == APPROXIMATE_REFUSE,
        .free_targets = buffer_slice(&s->free_targets),
        .page_rows = c->max_rows_per_request == CONFIG_AUTO ? page_rows : c->max_rows_per_request,
        .page_rows_is_guess = c->max_rows_per_request == CONFIG_AUTO,
        .today = day_of_ms(clock_wall_ms()),
        .url_bytes = strlen(c->url),
    };
}

struct explain_options settings_explain_options(const struct settings *s, int64_t page_rows)
{
    return (struct explain_options){
        .plan = settings_plan_options(s, page_rows),
        .default_mode = (enum mode)s->config->default_mode,
        .units_per_call = s->config->units_per_call,
        .too_long_refuse = s->config->too_long == TOO_LONG_REFUSE,
        .v3_url = slice_str(s->config->url),
    };
}

unsigned settings_answer_shape(const struct settings *s)
{
    const struct config *c = s->config;
    return (unsigned)c->last_visited | (unsigned)c->stats << 1 | (unsigned)c->stats_refpages << 2 |
           (unsigned)c->anchor_case << 3 | (unsigned)c->missing << 4;
}
