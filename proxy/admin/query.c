/* SPDX-License-Identifier: MIT
 * name=value&name=value, strictly. */
#include "proxy/admin/query.h"

#include "base/text.h"

static bool refuse(struct query *q, struct slice name, const char *why)
{
    buffer_printf(&q->why, "%.*s: %s", SLICE_ARGS(name), why);
    return false;
}

static bool refuse_name(struct query *q, struct slice name, const struct slice *names)
{
    buffer_printf(&q->why, "there is no parameter \"%.*s\" here", SLICE_ARGS(name));
    for (int i = 0; i < QUERY_MAX_PARAMS && names[i].n; i++)
        buffer_printf(&q->why, "%s%.*s", i ? ", " : "; there are ", SLICE_ARGS(names[i]));
    return false;
}

static bool is_text(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7F)
            return false;
    return utf8_valid_prefix(s) == s.n;
}

static bool take(struct query *q, struct slice part, const struct slice *names)
{
    struct slice value, name = slice_split(part, '=', &value);
    int i = 0;
    while (i < QUERY_MAX_PARAMS && names[i].n && !slice_eq(names[i], name))
        i++;
    if (i == QUERY_MAX_PARAMS || !names[i].n)
        return refuse_name(q, name, names);
    if (q->value[i].p)
        return refuse(q, name, "is given twice");
    size_t from = q->bytes.n;
    if (!percent_decode(&q->bytes, value, NULL))
        return refuse(q, name, "a % is not followed by two hexadecimal digits");
    q->value[i] = slice_of(q->bytes.p + from, q->bytes.n - from);
    buffer_put(&q->bytes, '\0');
    return is_text(q->value[i]) || refuse(q, name, "is not text");
}

bool query_read(struct query *q, struct slice text, const struct slice names[QUERY_MAX_PARAMS])
{
    /* Decoding never makes it longer, and each value has a NUL: reserved once, so that the bytes stay where they are.
     */
    char *room = buffer_reserve(&q->bytes, text.n + QUERY_MAX_PARAMS + 1);
    if (!room) {
        buffer_str(&q->why, "memory is out");
        return false;
    }
    for (struct slice rest = text; rest.p;) {
        struct slice part = slice_split(rest, '&', &rest);
        if (part.n && !take(q, part, names))
            return false;
    }
    return true;
}

void query_clear(struct query *q)
{
    buffer_clear(&q->bytes);
    buffer_clear(&q->why);
}
