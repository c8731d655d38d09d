/* SPDX-License-Identifier: MIT
 * /v3/site-explorer/backlinks-stats and /v3/subscription-info/limits-and-usage. */
#include <inttypes.h>

#include "tests/sandbox/parameters.h"

enum { STATS_UNITS = 12 };

static bool write_metrics(struct call *call, const struct aim *aim, struct scope *scope)
{
    struct buffer *b = &call->answer->body;
    const struct grouping *live = store_grouping(call->store, aim->world, ROWS_ANCHORS, scope);
    if (!live)
        return answer_error(call, 500, S("Internal Error"));
    /* The next grouping may take its place. */
    uint64_t links = live->links, refdomains = live->refdomains;
    scope->lost_too = true;
    const struct grouping *all = store_grouping(call->store, aim->world, ROWS_ANCHORS, scope);
    if (!all)
        return answer_error(call, 500, S("Internal Error"));
    buffer_printf(b,
                  "{\"metrics\":{\"live\":%" PRIu64 ",\"all_time\":%" PRIu64 ",\"live_refdomains\":%" PRIu64
                  ",\"all_time_refdomains\":%" PRIu64 "}}",
                  links, all->links, refdomains, all->refdomains);
    return true;
}

void answer_backlinks_stats(struct call *call)
{
    static const char *const known[] = { "target", "mode", "protocol", "date", "output", NULL };
    struct aim aim;
    struct day date;
    if (!parameters_check(call, known) || !parameters_date(call, &date) || !parameters_aim(call, &aim))
        return;
    bool is_hit = account_hit(call->account, call->key, call->request, call->now_ms);
    if (!is_hit && !aim.target.is_free && !answer_affords(call, STATS_UNITS))
        return;
    struct scope scope = { .as_of = day_end(date), .since = INT64_MIN, .protocol = aim.protocol };
    scope_aim(&scope, aim.world, &aim.target, aim.mode);
    if (aim.mode == MODE_PREFIX && aim.target.is_home)
        buffer_str(&call->answer->body, "{\"metrics\":null}");
    else if (!write_metrics(call, &aim, &scope))
        return;
    answer_cost(call, 1, STATS_UNITS, aim.target.is_free, is_hit);
}

static void write_limit(struct buffer *b, const char *name, uint64_t limit)
{
    buffer_printf(b, ",\"%s\":", name);
    if (limit == NO_LIMIT)
        buffer_str(b, "null");
    else
        buffer_u64(b, limit);
}

static void write_moment(struct buffer *b, const char *name, struct day day)
{
    char text[21];
    timestamp_format((int64_t)day.n * 86400, text);
    buffer_printf(b, ",\"%s\":\"%.20s\"", name, text);
}

void answer_limits_and_usage(struct call *call)
{
    static const char *const known[] = { "output", NULL };
    struct buffer *b = &call->answer->body;
    const struct account *account = call->account;
    struct civil next = day_to_civil(options_today(call->options));
    if (!parameters_check(call, known))
        return;
    struct day in_a_year = day_from_civil((struct civil){ next.year + 1, next.month, 1 });
    next = next.month == 12 ? (struct civil){ next.year + 1, 1, 1 } : (struct civil){ next.year, next.month + 1, 1 };
    buffer_str(b, "{\"limits_and_usage\":{\"subscription\":");
    answer_string(
        call, slice_str(call->options->subscription ? call->options->subscription : call->options->plan->subscription));
    write_moment(b, "usage_reset_date",
                 call->options->has_reset_date ? call->options->reset_date : day_from_civil(next));
    write_limit(b, "units_limit_workspace", account->units);
    write_limit(b, "units_usage_workspace", account->spent);
    write_limit(b, "units_limit_api_key", account->key_units);
    write_limit(b, "units_usage_api_key", account->spent_by[call->key]);
    write_moment(b, "api_key_expiration_date", call->options->has_expires ? call->options->expires : in_a_year);
    buffer_str(b, "}}");
}
