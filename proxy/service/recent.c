/* SPDX-License-Identifier: MIT
 * A ring. */
#include "proxy/service/recent.h"

#include <stdlib.h>

void recent_add(struct recent *r, const struct recent_marks *marks, struct slice json)
{
    struct recent_call *call = &r->calls[r->next];
    size_t n = marks->team.n + marks->key.n + json.n;
    char *bytes = json.n && n <= RECENT_MAX_BYTES ? malloc(n) : NULL;
    if (!bytes)
        return;
    free(call->bytes);
    *call =
        (struct recent_call){ .bytes = bytes, .n = n, .team_n = marks->team.n, .key_n = marks->key.n, .marks = *marks };
    call->marks.team = call->marks.key = S("");
    bytes_copy(bytes, marks->team.p, marks->team.n);
    bytes_copy(bytes + marks->team.n, marks->key.p, marks->key.n);
    bytes_copy(bytes + marks->team.n + marks->key.n, json.p, json.n);
    r->next = (r->next + 1) % RECENT_CALLS;
    r->n += r->n < RECENT_CALLS;
}

static bool is_chosen(const struct recent_call *call, const struct recent_choice *choice)
{
    const struct recent_marks *m = &call->marks;
    const bool only[] = { [RECENT_ALL] = true,
                          [RECENT_FAULTS] = m->fault.n,
                          [RECENT_INEXACT] = m->is_inexact,
                          [RECENT_PAID] = m->is_paid,
                          [RECENT_UNKNOWN] = m->is_unknown };
    struct slice team = slice_of(call->bytes, call->team_n), key = slice_of(call->bytes + call->team_n, call->key_n);
    return only[choice->only] && (!choice->team.n || slice_eq(choice->team, team)) &&
           (!choice->key.n || slice_eq(choice->key, key)) && (!choice->fault.n || slice_eq(choice->fault, m->fault));
}

void recent_write(const struct recent *r, const struct recent_choice *choice, struct buffer *out)
{
    int64_t written = 0;
    buffer_put(out, '[');
    for (size_t i = 1; i <= r->n && written < choice->limit; i++) {
        const struct recent_call *call = &r->calls[(r->next + RECENT_CALLS - i) % RECENT_CALLS];
        if (!is_chosen(call, choice))
            continue;
        buffer_str(out, written++ ? ",\n" : "\n");
        size_t before = call->team_n + call->key_n;
        buffer_append(out, slice_of(call->bytes + before, call->n - before));
    }
    buffer_put(out, ']');
}

void recent_clear(struct recent *r)
{
    for (size_t i = 0; i < RECENT_CALLS; i++)
        free(r->calls[i].bytes);
    buffer_clear(&r->line);
    *r = (struct recent){ 0 };
}
