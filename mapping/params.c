/* SPDX-License-Identifier: MIT
 * Query strings and forms, as old programs really send them: raw = , : inside values, names without a value. */
#include "mapping/params.h"

#include "base/conceal.h"
#include "base/text.h"

static const struct {
    struct slice name;
    enum fault fault;
} rows[PARAM_COUNT] = {
    [PARAM_TOKEN] = { SLICE("token"), FAULT_UNKNOWN_KEY },
    [PARAM_FROM] = { SLICE("from"), FAULT_UNKNOWN_TABLE },
    [PARAM_TARGET] = { SLICE("target"), FAULT_BAD_TARGET },
    [PARAM_MODE] = { SLICE("mode"), FAULT_BAD_MODE },
    [PARAM_SELECT] = { SLICE("select"), FAULT_BAD_SELECT },
    [PARAM_WHERE] = { SLICE("where"), FAULT_BAD_WHERE },
    [PARAM_HAVING] = { SLICE("having"), FAULT_BAD_HAVING },
    [PARAM_ORDER_BY] = { SLICE("order_by"), FAULT_BAD_ORDER_BY },
    [PARAM_LIMIT] = { SLICE("limit"), FAULT_BAD_LIMIT },
    [PARAM_OFFSET] = { SLICE("offset"), FAULT_BAD_OFFSET },
    [PARAM_OUTPUT] = { SLICE("output"), FAULT_BAD_OUTPUT },
};

struct slice param_name(enum param p)
{
    return rows[p].name;
}

enum fault param_fault(enum param p)
{
    return rows[p].fault;
}

static int find(struct slice name)
{
    for (int i = 0; i < PARAM_COUNT; i++)
        if (slice_eq(rows[i].name, name))
            return i;
    return -1;
}

enum decoded { DECODED, UNDECODABLE, NO_MEMORY };

/* Percent-decode into the arena; text without % and + is borrowed. */
static enum decoded decode(struct slice raw, struct arena *memory, struct slice *ret)
{
    struct slice text = raw;
    if (slice_find(raw, '%') < raw.n || slice_find(raw, '+') < raw.n) {
        char *room = arena_alloc(memory, raw.n + 1);
        if (!room)
            return NO_MEMORY;
        struct buffer out = { .p = room, .room = raw.n + 1, .max_bytes = raw.n + 1 };
        if (!percent_decode(&out, raw, NULL))
            return UNDECODABLE;
        text = buffer_slice(&out);
    }
    if (slice_find(text, 0) < text.n || utf8_valid_prefix(text) < text.n)
        return UNDECODABLE;
    *ret = text;
    return DECODED;
}

static bool add_pair(struct params *p, struct slice pair, struct arena *memory)
{
    struct slice raw_value, name, value = { 0 };
    struct slice raw_name = slice_split(pair, '=', &raw_value);
    enum decoded d = decode(raw_name, memory, &name);
    if (d != DECODED)
        return d != NO_MEMORY;
    int i = find(name);
    if (i < 0 || !raw_value.n)
        return true;
    d = decode(raw_value, memory, &value);
    if (d == NO_MEMORY)
        return false;
    bool first = !p->value[i].n && !p->bad[i];
    if (!first) {
        bool same = d == DECODED && !p->bad[i] && slice_eq(value, p->value[i]);
        if (i == PARAM_TOKEN && !same)
            p->two_tokens = true;
        return true;
    }
    p->value[i] = value;
    p->bad[i] = d == UNDECODABLE;
    return true;
}

bool params_are_form(struct slice content_type)
{
    struct slice type = slice_of(content_type.p, slice_find(content_type, ';'));
    return slice_eq_nocase(slice_trim(type), S("application/x-www-form-urlencoded"));
}

bool params_add(struct params *p, struct slice text, struct arena *memory)
{
    while (text.n) {
        struct slice rest;
        if (!add_pair(p, slice_split(text, '&', &rest), memory))
            return false;
        text = rest;
    }
    return true;
}

struct slice params_without_token(const struct params *p, struct slice text, struct arena *memory)
{
    struct buffer b = { 0 };
    if (!conceal(text, p->value[PARAM_TOKEN], S("[token]"), &b))
        return text;
    struct slice kept = b.failed ? S("") : arena_dup(memory, buffer_slice(&b));
    buffer_clear(&b);
    return kept.p ? kept : S("");
}
