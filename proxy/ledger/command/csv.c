/* SPDX-License-Identifier: MIT
 * A CSV reader. */
#include "proxy/ledger/command/csv.h"

void csv_start(struct csv *c, struct slice input)
{
    *c = (struct csv){ .rest = input, .next_line = 1 };
    if (slice_starts(input, S("\xEF\xBB\xBF")))
        c->rest = slice_from(input, 3);
}

void csv_end(struct csv *c)
{
    buffer_clear(&c->text);
}

static char peek(const struct csv *c)
{
    return c->rest.n ? c->rest.p[0] : '\n';
}

static void skip(struct csv *c)
{
    if (c->rest.n) {
        c->next_line += c->rest.p[0] == '\n';
        c->rest = slice_from(c->rest, 1);
    }
}

static void take(struct csv *c)
{
    buffer_put(&c->text, peek(c));
    skip(c);
}

static bool at_end_of_line(const struct csv *c)
{
    return peek(c) == '\n' || (peek(c) == '\r' && (c->rest.n == 1 || c->rest.p[1] == '\n'));
}

static void quoted(struct csv *c)
{
    bool closed = false;
    skip(c);
    while (c->rest.n && !closed) {
        if (peek(c) == '"') {
            skip(c);
            closed = !c->rest.n || peek(c) != '"';
        }
        if (!closed)
            take(c);
    }
    if (!closed)
        c->wrong = "a quote that is not closed";
    else if (c->rest.n && peek(c) != ',' && !at_end_of_line(c))
        c->wrong = "text after a closing quote";
}

static void plain(struct csv *c)
{
    while (peek(c) != ',' && !at_end_of_line(c)) {
        if (peek(c) == '"')
            c->wrong = "a quote inside a field that is not quoted";
        take(c);
    }
}

/* Fields are kept as offsets until the record is whole, for the text may move. */
bool csv_next(struct csv *c)
{
    while (c->rest.n && at_end_of_line(c))
        skip(c);
    if (!c->rest.n)
        return false;
    size_t start[CSV_FIELDS], length[CSV_FIELDS];
    c->line = c->next_line;
    c->n = 0;
    c->wrong = NULL;
    c->wrong_field = 0;
    c->text.n = 0;
    for (bool more = true; more; c->n++) {
        size_t at = c->text.n;
        if (peek(c) == '"')
            quoted(c);
        else
            plain(c);
        if (c->wrong && !c->wrong_field)
            c->wrong_field = c->n + 1;
        while (c->wrong && peek(c) != ',' && !at_end_of_line(c))
            skip(c);
        if (c->n < CSV_FIELDS) {
            start[c->n] = at;
            length[c->n] = c->text.n - at;
        }
        more = c->rest.n && peek(c) == ',';
        if (more)
            skip(c);
    }
    while (c->rest.n && peek(c) != '\n')
        skip(c);
    skip(c);
    if (c->text.failed)
        c->wrong = "out of memory";
    for (int i = 0; i < c->n && i < CSV_FIELDS; i++)
        c->fields[i] = c->text.failed ? S("") : slice_of(c->text.p ? c->text.p + start[i] : "", length[i]);
    return true;
}
