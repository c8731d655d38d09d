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
    return !m->plain && !m->shown && !m->where && !m->having && !m->order_by && !m->stats && !m->spellings &&
           !m->broken;
}

static void write_word(struct slice before, struct slice name, struct slice behind, struct buffer *out, size_t start)
{
    if (out->n > start)
        buffer_put(out, ',');
    buffer_append(out, before);
    buffer_append(out, name);
    buffer_append(out, behind);
}

static void write_plain(const struct marks *m, enum mark mark, struct buffer *out, size_t start)
{
    if (marks_has(m, mark))
        write_word(S(""), words[mark], S(""), out, start);
}

static void write_columns(uint64_t set, struct slice before, struct slice behind, const struct table *table,
                          struct buffer *out, size_t start)
{
    for (size_t i = 0; i < table->n_columns && set; i++)
        if (set & bit((int)i))
            write_word(before, table->columns[i].v2, behind, out, start);
}

void marks_write(const struct marks *m, const struct table *table, struct buffer *out)
{
    size_t start = out->n;
    write_columns(m->shown, S(""), S(""), table, out, start);
    for (size_t i = 0; i < table->n_stats; i++)
        if (m->stats & bit((int)i))
            write_word(S("stats."), table->stats[i].v2, S(""), out, start);
    write_plain(m, MARK_STATS, out, start);
    write_columns(m->spellings, S(""), S(".case"), table, out, start);
    write_plain(m, MARK_MODE, out, start);
    write_columns(m->broken, S(""), S(".text"), table, out, start);
    write_plain(m, MARK_ROWS, out, start);
    write_plain(m, MARK_TLDS, out, start);
    write_columns(m->where, S("where."), S(""), table, out, start);
    write_columns(m->having, S("having."), S(""), table, out, start);
    write_columns(m->order_by, S("order_by."), S(""), table, out, start);
}
