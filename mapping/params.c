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

/* Percent-decoded whatever its bytes are, or as it is. False when memory is out. */
static bool decode_any(struct slice raw, struct arena *memory, struct slice *ret)
{
    char *room = arena_alloc(memory, raw.n + 1);
    struct buffer out = { .p = room, .room = raw.n + 1, .max_bytes = raw.n + 1 };
    if (room)
        *ret = percent_decode(&out, raw, NULL) ? buffer_slice(&out) : raw;
    return room;
}

/* Remember a name that v2 did not have. False when memory is out. */
static bool ignore(struct params *p, struct slice raw, enum decoded d, struct slice name, struct arena *memory)
{
    if (!raw.n || p->more_ignored)
        return true;
    if (d != DECODED && !decode_any(raw, memory, &name))
        return false;
    for (int i = 0; i < p->n_ignored; i++)
        if (slice_eq(p->ignored[i], name))
            return true;
    if (p->n_ignored == PARAMS_MAX_IGNORED)
        p->more_ignored = true;
    else
        p->ignored[p->n_ignored++] = name;
    return true;
}

static bool add_pair(struct params *p, struct slice pair, struct arena *memory)
{
    struct slice raw_value, name = { 0 }, value = { 0 };
    if (!pair.n)
        return true;
    struct slice raw_name = slice_split(pair, '=', &raw_value);
    enum decoded d = decode(raw_name, memory, &name);
    if (d == NO_MEMORY)
        return false;
    int i = d == DECODED ? find(name) : -1;
    if (i < 0)
        return ignore(p, raw_name, d, name, memory);
    if (!raw_value.n)
        return true;
    d = decode(raw_value, memory, &value);
    if (d == NO_MEMORY)
        return false;
    bool first = !p->value[i].n && !p->bad[i];
    if (!first) {
        bool same = d == DECODED && !p->bad[i] && slice_eq(value, p->value[i]);
        if (i == PARAM_TOKEN && !same)
            p->two_tokens = true;
        if (!same)
            p->twice |= 1u << i;
        return true;
    }
    p->value[i] = value;
    p->bad[i] = d == UNDECODABLE;
    return true;
}

bool params_path_is_root(struct slice path)
{
    size_t n = 0;
    while (n < path.n && path.p[n] == '/')
        n++;
    return n == path.n;
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

void params_write_twice(const struct params *p, bool of_list, struct buffer *out)
{
    for (int i = 0; i < PARAM_COUNT; i++) {
        bool is_read = of_list || i == PARAM_FROM || i == PARAM_OUTPUT;
        if (!(p->twice & 1u << i) || !is_read)
            continue;
        if (out->n)
            buffer_put(out, ',');
        buffer_str(out, "twice.");
        buffer_append(out, rows[i].name);
    }
}

/* One name as it is shown, in `room`. */
static struct slice shown_name(struct slice name, char room[PARAMS_MAX_NAME])
{
    static const char digits[] = "0123456789ABCDEF";
    size_t n = 0;
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        bool plain =
            is_digit((char)c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '-';
        if (n + (plain ? 1 : 3) > PARAMS_MAX_NAME)
            break;
        if (!plain) {
            room[n++] = '%';
            room[n++] = digits[c >> 4];
        }
        room[n++] = plain ? (char)c : digits[c & 15];
    }
    return slice_of(room, n);
}

void params_write_ignored(const struct params *p, struct buffer *out)
{
    char rooms[PARAMS_MAX_IGNORED][PARAMS_MAX_NAME];
    struct slice shown[PARAMS_MAX_IGNORED];
    size_t start = out->n;
    for (int i = 0; i < p->n_ignored; i++) {
        struct buffer without = { 0 };
        bool has_token = conceal(p->ignored[i], p->value[PARAM_TOKEN], S("[token]"), &without);
        shown[i] = shown_name(has_token ? buffer_slice(&without) : p->ignored[i], rooms[i]);
        out->failed |= without.failed;
        buffer_clear(&without);
        bool is_new = true;
        for (int j = 0; j < i && is_new; j++)
            is_new = !slice_eq(shown[j], shown[i]);
        if (is_new && out->n > start)
            buffer_put(out, ',');
        if (is_new)
            buffer_append(out, shown[i]);
    }
    if (p->more_ignored)
        buffer_str(out, ",...");
}
