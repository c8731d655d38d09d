/* SPDX-License-Identifier: MIT
 * The words of the marks. */
#include "mapping/mark.h"

static const struct slice words[MARK_COUNT] = {
#define MARK(NAME, word, says) [MARK_##NAME] = SLICE(word),
#include "mapping/mark.def"
#undef MARK
};

static const struct slice sentences[MARK_COUNT] = {
#define MARK(NAME, word, says) [MARK_##NAME] = SLICE(says),
#include "mapping/mark.def"
#undef MARK
};

struct slice mark_word(enum mark mark)
{
    return words[mark];
}

struct slice mark_says(enum mark mark)
{
    return sentences[mark];
}

bool marks_none(const struct marks *m)
{
    return !m->plain && !m->where && !m->having && !m->order_by;
}

static void separate(struct buffer *out, size_t start)
{
    if (out->n > start)
        buffer_put(out, ',');
}

static void write_columns(uint32_t set, struct slice clause, const struct table *table, struct buffer *out,
                          size_t start)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        if (!(set & 1u << i))
            continue;
        separate(out, start);
        buffer_append(out, clause);
        buffer_put(out, '.');
        buffer_append(out, table->columns[i].v2);
    }
}

void marks_write(const struct marks *m, const struct table *table, struct buffer *out)
{
    size_t start = out->n;
    for (int i = 0; i < MARK_COUNT; i++) {
        if (m->plain & 1u << i) {
            separate(out, start);
            buffer_append(out, words[i]);
        }
    }
    write_columns(m->where, S("where"), table, out, start);
    write_columns(m->having, S("having"), table, out, start);
    write_columns(m->order_by, S("order_by"), table, out, start);
}
