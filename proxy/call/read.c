/* SPDX-License-Identifier: MIT
 * The rooms read and plan: from a request's bytes to a key, a call, and what v3 has to be asked. */
#include <assert.h>

#include "base/clock.h"
#include "proxy/call/exchange.h"

static enum step out_of_memory(struct exchange *x)
{
    return exchange_refuse(x, FAULT_TOO_BUSY, S("the call needs more memory than one call may have"));
}

/* Calls under a key of team * are of the team that their client's address belongs to. */
static struct turns *turns_of_address(struct exchange *x)
{
    struct service *s = x->service;
    const struct config_team *team = config_team_of_address(s->config, http_call_request(x->http)->client);
    return service_turns(s, team ? slice_str(team->name) : S("unassigned"));
}

/* A token that is no key's: by configuration it is served within the limits of [team unassigned]. */
static void meet_stranger(struct exchange *x, struct slice token)
{
    struct service *s = x->service;
    const struct http_request *r = http_call_request(x->http);
    x->turns = s->config->unknown_keys == UNKNOWN_KEYS_METER ? service_turns(s, S("unassigned")) : NULL;
    struct ledger_stranger seen = { .token = token,
                                    .client = r->client,
                                    .agent = params_without_token(&x->params, r->user_agent, x->memory),
                                    .table = params_without_token(&x->params, x->params.value[PARAM_FROM], x->memory),
                                    .metered = x->turns != NULL };
    ledger_saw_stranger(s->ledger, &seen);
    if (x->turns)
        x->key = arena_dup(x->memory, ledger_stranger_name(s->ledger, token));
}

static void meet_key(struct exchange *x, const struct ledger_key *key)
{
    x->key = arena_dup(x->memory, key->id);
    if (key->disabled)
        return;
    x->turns = slice_eq(key->team, S("*")) ? turns_of_address(x) : service_turns(x->service, key->team);
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
    if (key)
        meet_key(x, key);
    else if (token.n)
        meet_stranger(x, token);
    if (!x->turns)
        return exchange_refuse(x, FAULT_UNKNOWN_KEY,
                               token.n ? S("the token is not known here, is disabled, or its team is not configured")
                                       : S("token is missing: add token=… to the query"));
    assert(x->turns->settings == x->settings); /* it is read in the same turn of the loop that it came in */
    x->account = x->turns->account;
    x->team = x->turns->team;
    x->team_name = slice_str(x->team->name);
    return ONWARD;
}

enum step room_read(struct exchange *x)
{
    const struct http_request *r = http_call_request(x->http);
    struct call_options options = { .default_mode = (enum mode)x->config->default_mode };
    if (!params_path_is_root(r->path))
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

enum step room_plan(struct exchange *x)
{
    if (x->call.table->is_info) {
        x->room = exchange_is_head(x) ? ROOM_RENDER : ROOM_FETCH; /* nothing to ask: on to what follows */
        return ONWARD;
    }
    struct plan_options options = settings_plan_options(x->settings, account_page_rows(x->account));
    struct refusal refusal = plan_make(&x->call, &options, x->memory, &x->plan);
    if (refusal.fault)
        return exchange_refuse(x, refusal.fault, refusal.why);
    if (exchange_is_head(x))
        x->room = ROOM_RENDER; /* on to settle, where there is nothing to do */
    return ONWARD;
}
