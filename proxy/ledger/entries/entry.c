/* SPDX-License-Identifier: MIT
 * Entries: their words, what they count for, and how they read in an export. */
#include "proxy/ledger/entries/entry.h"

#include "proxy/ledger/entries/bounds.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/day.h"
#include "base/shown.h"
#include "base/text.h"

static const char *const kind_words[] = {
    [ENTRY_HOLD] = "hold",       [ENTRY_SETTLE] = "settle",   [ENTRY_RELEASE] = "release",
    [ENTRY_UNKNOWN] = "unknown", [ENTRY_CORRECT] = "correct", [ENTRY_NOTE] = "note",
};

static const char *const via_words[] = {
    [VIA_UPSTREAM] = "upstream",
    [VIA_SHARED] = "shared",
    [VIA_CACHE] = "cache",
};

enum { N_KINDS = sizeof kind_words / sizeof kind_words[0], N_VIAS = sizeof via_words / sizeof via_words[0] };

const char *entry_kind_word(enum entry_kind kind)
{
    return (size_t)kind < N_KINDS ? kind_words[kind] : NULL;
}

const char *entry_via_word(enum entry_via via)
{
    return (size_t)via < N_VIAS ? via_words[via] : NULL;
}

enum entry_via entry_via_of_word(const char *word)
{
    for (int i = VIA_UPSTREAM; word && i < N_VIAS; i++) {
        if (strcmp(via_words[i], word) == 0)
            return (enum entry_via)i;
    }
    return VIA_NONE;
}

int64_t entry_rows_used(const struct entry *e)
{
    return e->kind == ENTRY_SETTLE || e->kind == ENTRY_CORRECT ? e->rows : 0;
}

int64_t entry_units_used(const struct entry *e)
{
    if (e->kind != ENTRY_SETTLE && e->kind != ENTRY_CORRECT && e->kind != ENTRY_UNKNOWN)
        return 0;
    return e->units == ENTRY_NULL ? e->units_predicted : e->units;
}

/* The text fields, in one place for all that goes through them. */
static const size_t text_fields[] = {
    offsetof(struct entry, id),     offsetof(struct entry, ref),         offsetof(struct entry, team),
    offsetof(struct entry, key),    offsetof(struct entry, client),      offsetof(struct entry, table),
    offsetof(struct entry, target), offsetof(struct entry, shape),       offsetof(struct entry, paid_by),
    offsetof(struct entry, fault),  offsetof(struct entry, approximate), offsetof(struct entry, call),
};

static struct slice text_field(const struct entry *e, size_t i)
{
    struct slice s;
    memcpy(&s, (const char *)e + text_fields[i], sizeof s);
    return s;
}

enum { N_TEXT_FIELDS = sizeof text_fields / sizeof text_fields[0] };

size_t entry_text_bytes(const struct entry *e)
{
    size_t n = 0;
    for (size_t i = 0; i < N_TEXT_FIELDS; i++)
        n += text_field(e, i).n;
    return n;
}

void entry_copy_to(struct entry *to, char *text, const struct entry *e)
{
    *to = *e;
    for (size_t i = 0; i < N_TEXT_FIELDS; i++) {
        struct slice s = text_field(e, i);
        if (s.n)
            memcpy(text, s.p, s.n);
        s.p = text;
        text += s.n;
        memcpy((char *)to + text_fields[i], &s, sizeof s);
    }
}

struct entry *entry_copy(const struct entry *e)
{
    struct entry *copy = malloc(sizeof *copy + entry_text_bytes(e));
    if (copy)
        entry_copy_to(copy, (char *)(copy + 1), e);
    return copy;
}

/* ---- JSON ---- */

void entry_json_text(struct buffer *b, struct slice s)
{
    buffer_put(b, '"');
    buffer_json_any(b, s);
    buffer_put(b, '"');
}

static void json_name(struct buffer *b, const char *name)
{
    buffer_str(b, ",\"");
    buffer_str(b, name);
    buffer_str(b, "\":");
}

static void json_text_or_null(struct buffer *b, const char *name, struct slice s)
{
    json_name(b, name);
    if (s.n)
        entry_json_text(b, s);
    else
        buffer_str(b, "null");
}

static void json_number(struct buffer *b, const char *name, int64_t v)
{
    json_name(b, name);
    if (v == ENTRY_NULL)
        buffer_str(b, "null");
    else
        buffer_i64(b, v);
}

static void json_bool(struct buffer *b, const char *name, bool v)
{
    json_name(b, name);
    buffer_str(b, v ? "true" : "false");
}

static void json_words(struct buffer *b, const char *name, struct slice words)
{
    json_name(b, name);
    buffer_put(b, '[');
    for (bool first = true; words.n; first = false) {
        struct slice rest;
        struct slice word = slice_split(words, ',', &rest);
        if (!first)
            buffer_put(b, ',');
        entry_json_text(b, word);
        words = rest;
    }
    buffer_put(b, ']');
}

void entry_json(struct buffer *b, const struct entry *e)
{
    char time[25];
    timestamp_format_ms(e->time_ms, time);
    buffer_str(b, "{\"seq\":");
    buffer_i64(b, e->seq);
    json_text_or_null(b, "time", slice_str(time));
    json_text_or_null(b, "kind", slice_str(entry_kind_word(e->kind)));
    json_text_or_null(b, "id", e->id);
    json_text_or_null(b, "ref", e->ref);
    json_text_or_null(b, "team", e->team);
    json_text_or_null(b, "key", e->key);
    json_text_or_null(b, "client", e->client);
    json_text_or_null(b, "table", e->table);
    json_text_or_null(b, "target", e->target);
    json_text_or_null(b, "shape", e->shape);
    json_number(b, "rows", e->rows);
    json_number(b, "units", e->units);
    json_number(b, "units_predicted", e->units_predicted);
    json_number(b, "units_alone", e->units_alone);
    json_text_or_null(b, "via", slice_str(entry_via_word(e->via)));
    json_text_or_null(b, "paid_by", e->paid_by);
    json_number(b, "results", e->results);
    json_bool(b, "where", e->where);
    json_bool(b, "having", e->having);
    json_words(b, "approximate", e->approximate);
    json_text_or_null(b, "fault", e->fault);
    json_number(b, "duration_ms", e->duration_ms);
    buffer_str(b, "}\n");
}

/* ---- CSV ---- */

/* Spreadsheets take a text that begins so for a formula. */
static bool begins_a_formula(struct slice s)
{
    return s.n && strchr("=+-@\t\r", s.p[0]) && s.p[0];
}

/* What terminals act on is replaced, but for the white space of a text. */
static void csv_part(struct buffer *b, struct slice s)
{
    while (s.n) {
        size_t n = 0;
        while (n < s.n && s.p[n] != '\t' && s.p[n] != '\r' && s.p[n] != '\n' && s.p[n] != '"')
            n++;
        shown_append(b, slice_of(s.p, n));
        if (n < s.n)
            buffer_append(b, s.p[n] == '"' ? S("\"\"") : slice_of(s.p + n, 1));
        s = slice_from(s, n < s.n ? n + 1 : n);
    }
}

void csv_field(struct buffer *b, struct slice s)
{
    bool quote = false;
    for (size_t i = 0; i < s.n && !quote; i++)
        quote = s.p[i] == ',' || s.p[i] == '"' || s.p[i] == '\n' || s.p[i] == '\r';
    if (quote)
        buffer_put(b, '"');
    if (begins_a_formula(s))
        buffer_put(b, '\'');
    csv_part(b, s);
    if (quote)
        buffer_put(b, '"');
}

void entry_csv_header(struct buffer *b)
{
    buffer_str(b, "seq,time,kind,id,ref,team,key,client,table,target,shape,rows,units,units_predicted,units_alone,"
                  "via,paid_by,results,where,having,approximate,fault,duration_ms\n");
}

static void csv_text(struct buffer *b, struct slice s)
{
    buffer_put(b, ',');
    csv_field(b, s);
}

static void csv_number(struct buffer *b, int64_t v)
{
    buffer_put(b, ',');
    if (v != ENTRY_NULL)
        buffer_i64(b, v);
}

void entry_csv(struct buffer *b, const struct entry *e)
{
    char time[25];
    timestamp_format_ms(e->time_ms, time);
    buffer_i64(b, e->seq);
    csv_text(b, slice_str(time));
    csv_text(b, slice_str(entry_kind_word(e->kind)));
    csv_text(b, e->id);
    csv_text(b, e->ref);
    csv_text(b, e->team);
    csv_text(b, e->key);
    csv_text(b, e->client);
    csv_text(b, e->table);
    csv_text(b, e->target);
    csv_text(b, e->shape);
    csv_number(b, e->rows);
    csv_number(b, e->units);
    csv_number(b, e->units_predicted);
    csv_number(b, e->units_alone);
    csv_text(b, slice_str(entry_via_word(e->via)));
    csv_text(b, e->paid_by);
    csv_number(b, e->results);
    csv_text(b, slice_str(e->where ? "true" : "false"));
    csv_text(b, slice_str(e->having ? "true" : "false"));
    csv_text(b, e->approximate);
    csv_text(b, e->fault);
    csv_number(b, e->duration_ms);
    buffer_put(b, '\n');
}

/* A note has none. */
static int64_t amount_or_null(int64_t v)
{
    return v == ENTRY_NULL ? v : bounds_amount(v);
}

void entry_keep_bounds(struct entry *e)
{
    e->time_ms = bounds_ms(e->time_ms);
    e->rows = amount_or_null(e->rows);
    e->units = amount_or_null(e->units);
    e->units_predicted = bounds_amount(e->units_predicted);
    e->units_alone = bounds_amount(e->units_alone);
    e->results = bounds_amount(e->results);
    e->duration_ms = bounds_amount(e->duration_ms);
}
