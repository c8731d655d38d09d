/* SPDX-License-Identifier: MIT
 * Keeps and writes the journal. */
#include "tests/sandbox/journal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/day.h"
#include "base/text.h"

/* A JSON string of bytes that may be no text. */
static void put_text(struct buffer *b, struct slice s)
{
    if (utf8_valid_prefix(s) == s.n)
        buffer_json_string(b, s);
    else
        buffer_str(b, "\"(not UTF-8)\"");
}

static void put_asked(struct buffer *b, const struct http_request *request, const struct query *query)
{
    buffer_str(b, "\"method\":");
    put_text(b, request->method);
    buffer_str(b, ",\"path\":");
    put_text(b, request->path);
    buffer_str(b, ",\"raw_query\":");
    put_text(b, request->query);
    buffer_str(b, ",\"query\":{");
    for (size_t i = 0; i < query->n; i++) {
        buffer_str(b, i ? "," : "");
        put_text(b, query->items[i].name);
        buffer_put(b, ':');
        put_text(b, query->items[i].value);
    }
    if (request->body.n) {
        buffer_str(b, "},\"body\":");
        put_text(b, request->body);
        buffer_str(b, ",\"headers\":{");
    } else {
        buffer_str(b, "},\"headers\":{");
    }
    for (size_t i = 0; i < request->n_headers; i++) {
        buffer_str(b, i ? "," : "");
        put_text(b, request->headers[i].name);
        buffer_put(b, ':');
        bool is_secret = slice_eq_nocase(request->headers[i].name, S("Authorization"));
        put_text(b, is_secret ? S("(not kept)") : request->headers[i].value);
    }
    buffer_put(b, '}');
}

uint64_t journal_begin(struct journal *journal, const struct http_request *request, const struct query *query)
{
    struct buffer b = buffer_with_cap(0);
    uint64_t number = journal->forgotten + ++journal->seen;
    struct journal_entry *e = &journal->entries[number % MAX_JOURNAL];
    put_asked(&b, request, query);
    free(e->asked);
    *e = (struct journal_entry){
        .number = number, .asked = b.p, .asked_bytes = b.n, .key = -1, .began_us = clock_monotonic_us()
    };
    return number;
}

struct journal_entry *journal_entry(struct journal *journal, uint64_t number)
{
    struct journal_entry *e = &journal->entries[number % MAX_JOURNAL];
    return e->number == number && number > journal->forgotten ? e : NULL;
}

static void put_entry(struct buffer *b, const struct journal *journal, const struct journal_entry *e)
{
    buffer_printf(b, "{\"n\":%" PRIu64 ",", e->number - journal->forgotten);
    buffer_append(b, slice_of(e->asked, e->asked_bytes));
    buffer_printf(b, ",\"key\":%d,\"over\":%s,\"client_left\":%s,\"scripted\":%s,\"status\":%d", e->key,
                  e->is_over ? "true" : "false", e->client_left ? "true" : "false", e->is_scripted ? "true" : "false",
                  e->status);
    buffer_printf(b, ",\"rows\":%" PRIu64 ",\"units\":%" PRIu64 ",\"cache\":", e->rows, e->units);
    if (e->cache)
        buffer_json_string(b, slice_str(e->cache));
    else
        buffer_str(b, "null");
    buffer_printf(b, ",\"at_ms\":%.3f,\"ms\":%.3f}", (double)e->began_us / 1000,
                  e->is_over ? (double)(e->ended_us - e->began_us) / 1000 : 0.0);
}

void journal_write(const struct journal *journal, struct buffer *to)
{
    uint64_t first = journal->seen > MAX_JOURNAL ? journal->seen - MAX_JOURNAL : 0;
    buffer_printf(to, "{\"seen\":%" PRIu64 ",\"over\":%" PRIu64 ",\"requests\":[", journal->seen, journal->over);
    for (uint64_t i = first; i < journal->seen; i++) {
        if (i > first)
            buffer_put(to, ',');
        put_entry(to, journal, &journal->entries[(journal->forgotten + i + 1) % MAX_JOURNAL]);
    }
    buffer_str(to, "]}");
}

static void write_line(FILE *file, const struct journal_entry *e)
{
    char now[25];
    timestamp_format_ms(clock_wall_ms(), now);
    fprintf(file, "{\"time\":\"%.24s\",%.*s,\"status\":%d,\"rows\":%" PRIu64 ",\"units\":%" PRIu64 ",\"ms\":%.3f}\n",
            now, (int)e->asked_bytes, e->asked, e->status, e->rows, e->units,
            (double)(e->ended_us - e->began_us) / 1000);
    fflush(file);
}

void journal_end(struct journal *journal, uint64_t number, bool client_left)
{
    struct journal_entry *e = journal_entry(journal, number);
    if (!e)
        return;
    e->is_over = true;
    e->client_left = client_left;
    e->ended_us = clock_monotonic_us();
    journal->over++;
    if (journal->file)
        write_line(journal->file, e);
}

void journal_reset(struct journal *journal)
{
    journal->forgotten += journal->seen;
    journal->seen = journal->over = 0;
}

void journal_close(struct journal *journal)
{
    for (size_t i = 0; i < MAX_JOURNAL; i++)
        free(journal->entries[i].asked);
    if (journal->file)
        fclose(journal->file);
}
