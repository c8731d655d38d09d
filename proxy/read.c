/* SPDX-License-Identifier: MIT
 * The rooms read and plan: from a request's bytes to a key, a call, and what v3 has to be asked. */
#include "base/clock.h"
#include "proxy/exchange.h"

static enum step out_of_memory(struct exchange *x)
{
    return exchange_refuse(x, FAULT_TOO_BUSY, S("the call needs more memory than one call may have"));
}

/* The key decides first: a stranger learns nothing else. */
static enum step find_key(struct exchange *x)
{
    struct slice token = x->params.value[PARAM_TOKEN];
    if (x->params.two_tokens) {
        x->http_status = 400;
        return exchange_refuse(x, FAULT_BAD_REQUEST, S("two different tokens were given: send one"));
    }
    const struct ledger_key *key = token.n ? ledger_key_of_token(x->service->ledger, token) : NULL;
    x->turns = key && !key->disabled ? service_turns(x->service, key->team) : NULL;
    if (!x->turns)
        return exchange_refuse(x, FAULT_UNKNOWN_KEY,
                               token.n ? S("the token is not known here, is disabled, or its team is not configured")
                                       : S("token is missing: add token=… to the query"));
    x->key = arena_dup(x->memory, key->id);
    x->key_name = arena_dup(x->memory, key->name);
    x->team = config_team(x->config, key->team);
    x->team_name = slice_str(x->team->name);
    return ONWARD;
}

enum step room_read(struct exchange *x)
{
    const struct http_request *r = http_call_request(x->http);
    struct call_options options = { .default_mode = (enum mode)x->config->default_mode };
    if (!slice_eq(r->path, S("/")))
        return exchange_refuse(x, FAULT_NOT_FOUND,
                               S("there is only the path /: send the call as /?from=…&target=…&token=…"));
    if (!params_add(&x->params, r->query, x->memory) ||
        (r->method == HTTP_POST && params_are_form(r->content_type) && !params_add(&x->params, r->body, x->memory)))
        return out_of_memory(x);
    struct refusal refusal = call_parse(&x->params, &options, x->memory, &x->call);
    if (x->service->draining && clock_monotonic_ms() >= x->service->takes_until_ms)
        return exchange_refuse(x, FAULT_DRAINING, S("the proxy is being stopped; try again in a moment"));
    if (find_key(x) == REFUSE)
        return REFUSE;
    return refusal.fault ? exchange_refuse(x, refusal.fault, refusal.why) : ONWARD;
}

/* What an earlier call has learnt of the target need not be asked again. */
static void use_totals(struct exchange *x)
{
    const struct cache_totals *known = cache_find_totals(x->service->cache, x->call.target.v3, x->call.target.v3_mode);
    int64_t now = clock_monotonic_ms();
    if (known && known->totals_until_ms > now && x->config->stats_ttl_ms)
        translation_know_totals(x->translation, known->totals);
    if (known && known->ratio_until_ms > now)
        translation_know_ratio(x->translation, &known->ratio);
}

/* All that an answer depends on: what v3 is asked, what is shown of it and how, what is marked and charged. */
static struct slice question_of(struct exchange *x)
{
    const struct call *c = &x->call;
    const struct marks *m = &x->plan.marks;
    struct slice path = plan_list_path(&x->plan, S(""), c->limit, x->memory);
    if (!path.p)
        return path;
    return arena_printf(x->memory, "%d%d%d%d %x %x %lld %x %x %x %x %d%d %.*s", (int)c->output,
                        x->service->seen.upper_case, x->service->seen.disorder, x->plan.free_of_rows,
                        settings_answer_shape(x->settings), c->select, (long long)c->offset, m->plain, m->where,
                        m->having, m->order_by, c->where.n > 0, c->having.n > 0, SLICE_ARGS(path));
}

/* The same question was answered not long ago. */
static bool use_answer(struct exchange *x)
{
    struct cache_answer a;
    if (!x->config->answer_ttl_ms)
        return false;
    x->question = question_of(x);
    if (!x->question.p || !cache_find_answer(x->service->cache, x->question, clock_monotonic_ms(), &a))
        return false;
    x->marks = arena_dup(x->memory, a.marks);
    x->payer = arena_dup(x->memory, a.payer);
    buffer_append(&x->body, a.body);
    if (x->body.failed || !x->marks.p || !x->payer.p) {
        buffer_clear(&x->body);
        return false;
    }
    x->result.results = a.results;
    x->result.rows = a.rows;
    x->cached_units = a.units_alone;
    x->cached = true;
    return true;
}

enum step room_plan(struct exchange *x)
{
    enum { MAX_ROW_BYTES = 256 * 1024 * 1024 };
    if (x->call.table->is_info) {
        x->room = ROOM_FETCH; /* nothing to ask: on to render */
        return ONWARD;
    }
    struct plan_options options = settings_plan_options(x->settings, x->service->learnt_page_rows);
    struct refusal refusal = plan_make(&x->call, &options, x->memory, &x->plan);
    if (refusal.fault)
        return exchange_refuse(x, refusal.fault, refusal.why);
    if (use_answer(x))
        return ONWARD;
    x->translation = translation_new(&x->plan, x->service->seen, MAX_ROW_BYTES, x->memory);
    if (!x->translation)
        return out_of_memory(x);
    use_totals(x);
    return ONWARD;
}
