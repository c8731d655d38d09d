/* SPDX-License-Identifier: MIT
 * Takes query strings apart. */
#include "tests/sandbox/query.h"

#include "base/text.h"

static bool decode(struct arena *memory, struct slice text, struct slice *decoded)
{
    struct buffer b = buffer_with_cap(0);
    bool good = percent_decode(&b, text, NULL) && utf8_valid_prefix(buffer_slice(&b)) == b.n;
    if (good)
        *decoded = arena_dup(memory, buffer_slice(&b));
    buffer_clear(&b);
    return good && decoded->p;
}

bool query_read(struct arena *memory, struct slice text, struct query *query)
{
    query->n = 0;
    while (text.p) {
        struct slice value, item = slice_split(text, '&', &text);
        if (!item.n)
            continue;
        struct slice name = slice_split(item, '=', &value);
        if (query->n == MAX_PARAMETERS || !decode(memory, name, &query->items[query->n].name) ||
            !decode(memory, value, &query->items[query->n].value))
            return false;
        query->n++;
    }
    return true;
}

struct slice query_get(const struct query *query, const char *name)
{
    for (size_t i = 0; i < query->n; i++)
        if (slice_eq(query->items[i].name, slice_str(name)))
            return query->items[i].value;
    return slice_of(NULL, 0);
}
