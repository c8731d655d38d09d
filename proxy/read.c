/* SPDX-License-Identifier: MIT
 * The rooms read and plan: from a request's bytes to a key, a call, and what v3 has to be asked. */
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
    x->account = x->turns->account;
    x->key = arena_dup(x->memory, key->id);
    x->key_name = arena_dup(x->memory, key->name);
    x->team_name = slice_str(x->turns->team->name);
    return ONWARD;
}

enum step room_read(struct exchange *x)
{
    const struct http_request *r = http_call_request(x->http);
    struct call_options options = { .default_mode = (enum mode)x->service->config->default_mode };
    if (!slice_eq(r->path, S("/")))
        return exchange_refuse(x, FAULT_NOT_FOUND,
                               S("there is only the path /: send the call as /?from=…&target=…&token=…"));
    if (!params_add(&x->params, r->query, x->memory) ||
        (r->method == HTTP_POST && params_are_form(r->content_type) && !params_add(&x->params, r->body, x->memory)))
        return out_of_memory(x);
    struct refusal refusal = call_parse(&x->params, &options, x->memory, &x->call);
    if (x->service->draining)
        return exchange_refuse(x, FAULT_DRAINING, S("the proxy is being stopped; try again in a moment"));
    if (find_key(x) == REFUSE)
        return REFUSE;
    return refusal.fault ? exchange_refuse(x, refusal.fault, refusal.why) : ONWARD;
}

enum step room_plan(struct exchange *x)
{
    if (x->call.table->is_info) {
        x->room = ROOM_FETCH; /* nothing to ask: on to render */
        return ONWARD;
    }
    struct plan_options options = service_plan_options(x->service, x->account);
    struct refusal refusal = plan_make(&x->call, &options, x->memory, &x->plan);
    return refusal.fault ? exchange_refuse(x, refusal.fault, refusal.why) : ONWARD;
}
