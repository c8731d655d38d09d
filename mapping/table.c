/* SPDX-License-Identifier: MIT
 * Look-ups in the tables. */
#include "mapping/table.h"

#include "base/words/words.h"

const struct table *table_at(size_t i)
{
    return table_list[i];
}

const struct table *table_find(struct slice from)
{
    for (size_t i = 0; table_at(i); i++)
        if (slice_eq(table_at(i)->from, from))
            return table_at(i);
    return NULL;
}

struct slice table_hint(struct slice from)
{
    for (const struct table_hint *h = table_hints; h->from.n; h++)
        if (slice_eq(h->from, from))
            return h->hint;
    return S("");
}

struct slice table_like(struct slice from)
{
    struct slice like = { 0 };
    size_t best = SIZE_MAX;
    for (size_t i = 0; table_at(i); i++)
        if (words_is_near(from, table_at(i)->from, &best))
            like = table_at(i)->from;
    return like;
}

bool table_is_served(const struct table *t)
{
    return t->kind != TABLE_REFUSED && t->kind != TABLE_UNBUILT;
}

bool table_is_of_books(const struct table *t)
{
    return t->kind == TABLE_BOOKS;
}

int table_column(const struct table *t, struct slice v2)
{
    for (size_t i = 0; i < t->n_columns; i++)
        if (slice_eq(t->columns[i].v2, v2))
            return (int)i;
    return -1;
}

int column_field(const struct column *c)
{
    return c->from == FROM_FIELD ? c->field : -1;
}

struct slice field_word(const struct field *f, struct slice v3)
{
    for (const struct word *w = f->words; w && w->v3.n; w++)
        if (slice_eq(w->v3, v3))
            return w->v2;
    return v3;
}

int64_t table_price(const struct table *t, int64_t results, bool where, bool having)
{
    int64_t milli = t->prices.request_milli + results * t->prices.result_milli + (where ? t->prices.where_milli : 0) +
                    (having ? t->prices.having_milli : 0);
    return (milli + 999) / 1000;
}

bool table_folds(const struct table *t)
{
    for (size_t i = 0; i < t->n_columns; i++)
        if (t->key.n == 1 && column_field(&t->columns[i]) == t->key.fields[0] && t->columns[i].text == TEXT_FOLDED)
            return true;
    return false;
}

bool table_is_key(const struct table *t, int field)
{
    for (int i = 0; i < t->key.n; i++)
        if (t->key.fields[i] == field)
            return true;
    return false;
}
