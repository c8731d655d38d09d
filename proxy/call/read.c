/* SPDX-License-Identifier: MIT
 * The steps read and plan: from a request's bytes to a key, a call, and what v3 has to be asked. */
#include "proxy/call/read.h"

#include <assert.h>

#include "base/clock.h"
#include "proxy/service/teams.h"

enum { OVERLOAD_RETRY_MS = 5000 };

/* Why the call cannot even be read. */
static enum onward turn_down(struct exchange *x, const struct http_request *r)
{
    struct service *s = x->service;
    bool is_full = budget_is_over(&s->memory, s->memory.max - s->memory.max / 4); /* the rest is for those under way */
    if (r->fault_status) {
        x->http_status = r->fault_status;
        return exchange_refuse(x, FAULT_BAD_REQUEST, r->fault_why);
    }
    if (is_full) {
        x->retry_after_ms = service_wait_ms(s, 1, 1);
        return exchange_refuse(x, FAULT_TOO_BUSY, S("the calls under way hold all the memory that calls may have"));
    }
    if (r->is_overload) {
        x->retry_after_ms = OVERLOAD_RETRY_MS;
        return exchange_refuse(x, FAULT_TOO_BUSY, S("too many connections are open; try again in a moment"));
    }
    return ONWARD;
}

/* Calls under a key of team * are of the team that their client's address belongs to. */
static struct team_queue *turns_of_address(struct exchange *x)
{
    struct service *s = x->service;
    const struct config_team *team = config_team_of_address(s->config, x->asked.client);
    return teams_find(s, team ? slice_str(team->name) : S("unassigned"));
}

/* A token that is no key's: by configuration it is served within the limits of [team unassigned]. */
static void meet_stranger(struct exchange *x, struct slice token)
{
    struct service *s = x->service;
    const struct http_request *r = http_call_request(x->http);
    if (s->config->unknown_keys == UNKNOWN_KEYS_METER)
        ticket_set_team(&x->ticket, teams_find(s, S("unassigned")));
    struct ledger_stranger seen = { .token = token,
                                    .client = r->client,
                                    .agent = params_without_token(&x->asked.params, r->user_agent, x->memory),
                                    .table = params_without_token(&x->asked.params, x->asked.params.value[PARAM_FROM],
                                                                  x->memory),
                                    .metered = x->ticket.queue != NULL };
    ledger_saw_stranger(s->ledger, &seen);
    if (x->ticket.queue)
        x->asked.key = arena_dup(x->memory, ledger_stranger_name(s->ledger, token));
}

static void meet_key(struct exchange *x, const struct ledger_key *key)
{
    x->asked.key = arena_dup(x->memory, key->id);
    x->asked.key_name = arena_dup(x->memory, key->name);
    if (key->disabled)
        return;
    bool is_by_address = slice_eq(key->team, S("*"));
    ticket_set_team(&x->ticket, is_by_address ? turns_of_address(x) : teams_find(x->service, key->team));
}

/* The key decides first: a stranger learns nothing else. */
static enum onward find_key(struct exchange *x)
{
    struct slice token = x->asked.params.value[PARAM_TOKEN];
    if (x->asked.params.two_tokens) {
        x->http_status = 400;
        return exchange_refuse(x, FAULT_BAD_REQUEST, S("two different tokens were given: send one"));
    }
    const struct ledger_key *key = token.n ? ledger_key_of_token(x->service->ledger, token) : NULL;
    if (key)
        meet_key(x, key);
    else if (token.n)
        meet_stranger(x, token);
    if (!x->ticket.queue)
        return exchange_refuse(x, FAULT_UNKNOWN_KEY,
                               token.n ? S("the token is not known here, is disabled, or its team is not configured")
                                       : S("token is missing: add token=… to the query"));
    teams_call_begins(x->ticket.queue);
    assert(x->ticket.queue->settings == x->settings); /* it is read in the same turn of the loop that it came in */
    x->asked.account = x->ticket.queue->account;
    x->asked.team = x->ticket.queue->team;
    x->asked.team_name = slice_str(x->asked.team->name);
    return ONWARD;
}

enum onward read_enter(struct exchange *x)
{
    const struct http_request *r = http_call_request(x->http);
    x->asked.client = r->client;
    x->asked.is_head = r->method == HTTP_HEAD;
    x->asked.is_fresh = r->asks_fresh;
    if (turn_down(x, r) == REFUSE)
        return REFUSE;
    struct call_options options = { .default_mode = (enum mode)exchange_config(x)->default_mode };
    if (!params_path_is_root(r->path))
        return exchange_refuse(x, FAULT_NOT_FOUND, params_other_path);
    if (!params_add(&x->asked.params, r->query, x->memory) ||
        (r->method == HTTP_POST && params_are_form(r->content_type) &&
         !params_add(&x->asked.params, r->body, x->memory)))
        return exchange_refuse_call_memory(x);
    struct refusal refusal = call_parse(&x->asked.params, &options, x->memory, &x->asked.call);
    if (x->service->draining && clock_monotonic_ms() >= x->service->takes_until_ms)
        return exchange_refuse(x, FAULT_DRAINING, S("the proxy is being stopped; try again in a moment"));
    if (find_key(x) == REFUSE)
        return REFUSE;
    return refusal.fault ? exchange_refuse(x, refusal.fault, refusal.why) : ONWARD;
}

/* Each page has its entry: what is in all of them is made once. */
static bool read_for_books(struct asked *a, struct arena *memory)
{
    a->shown_target = a->call.target.v3.n ? params_without_token(&a->params, a->call.target.v3, memory) : S("");
    a->shape = call_shape(&a->call, memory);
    return a->shape.p;
}

enum onward plan_enter(struct exchange *x)
{
    if (!read_for_books(&x->asked, x->memory))
        return exchange_refuse_call_memory(x);
    if (table_is_of_books(x->asked.call.table))
        return exchange_is_head(x) ? DONE : SKIP;
    struct plan_options options = settings_plan_options(x->settings, account_page_rows(x->asked.account));
    options.none_is_free = &x->asked.account->charges_free;
    options.upper_case = x->asked.account->seen.upper_case;
    struct refusal refusal = plan_make(&x->asked.call, &options, x->memory, &x->asked.plan);
    if (refusal.fault)
        return exchange_refuse(x, refusal.fault, refusal.why);
    return exchange_is_head(x) ? DONE : ONWARD;
}
