/* SPDX-License-Identifier: MIT
 * What the translation of one call costs in CPU, from v2 parameters and v3 bytes to v2 bytes, without any I/O.
 *
 *   mapping_bench [ROWS [TIMES]]
 *
 * Under a counter of instructions (valgrind --tool=callgrind) its figures are the same on every run. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "mapping/part.h"
#include "mapping/translation.h"

enum { PIECE = 16384 };

static const char *const words[] = { "ahrefs",   "seo",  "tools",  "backlink",     "checker",        "keyword",
                                     "explorer", "site", "audit",  "content",      "free",           "www.example.org",
                                     "étude",    "试用", "анализ", "$11.99/month", "\\\"quoted\\\"", "<img>" };

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % n;
}

static void write_rows(struct buffer *b, int rows)
{
    buffer_str(b, "{\"anchors\":[");
    for (int i = 0; i < rows; i++) {
        uint32_t links = 400000 - (uint32_t)i * 399;
        buffer_str(b, i ? ",{\"anchor\":\"" : "{\"anchor\":\"");
        for (uint32_t n = 0, last = 1 + random_below(5); n < last; n++)
            buffer_printf(b, "%s%s", n ? " " : "", words[random_below(sizeof words / sizeof words[0])]);
        buffer_printf(
            b,
            " %d\",\"links_to_target\":%u,\"refpages\":%u,\"refdomains\":%u,\"first_seen\":\"20%02u-%02u-%02uT"
            "08:18:27Z\"}",
            i, links, links - random_below(9), 1 + links / (1 + random_below(9)), 13 + random_below(12),
            1 + random_below(12), 1 + random_below(28));
    }
    buffer_str(b, "]}");
}

static void know(struct translation *t, int part, const struct part_values *values)
{
    struct slice bytes = slice_of((const char *)values, part_bytes(table_anchors.parts[part].report));
    translation_know_part(t, (enum plan_ask)(ASK_PARTS + part), bytes);
}

static size_t translate(struct slice body, struct slice query)
{
    struct arena *memory = arena_new(32 * 1024 * 1024);
    struct params params = { 0 };
    struct call call;
    struct plan plan;
    struct plan_options options = { .fold = true, .today = day_of_ms(clock_wall_ms()), .page_rows = 1000 };
    struct call_options call_options = { .default_mode = MODE_SUBDOMAINS };
    struct translation_result result;
    struct v3_request request;
    struct buffer out = { 0 };
    bool ok = params_add(&params, query, memory) && !call_parse(&params, &call_options, memory, &call).fault &&
              !plan_make(&call, &options, memory, &plan).fault;
    struct translation *t =
        ok ? translation_new(&plan, (struct translation_seen){ 0 }, 256 * 1024 * 1024, memory) : NULL;
    if (t) {
        know(t, 0, &(struct part_values){ .rows = 1, .known = 1, .of = { { .whole = 3254128 } } });
        know(t, 1, &(struct part_values){ .rows = 25, .of = { [1] = { .whole = 1000 }, [2] = { .whole = 900 } } });
        ok = translation_next(t, &request);
        for (size_t at = 0; ok && at < body.n; at += PIECE)
            ok = translation_feed(t, ASK_LIST, slice_of(body.p + at, body.n - at < PIECE ? body.n - at : PIECE));
        if (ok && translation_end(t, ASK_LIST, -1) && translation_finish(t, &result))
            translation_write(t, &out);
    }
    size_t n = out.n;
    translation_free(t);
    buffer_clear(&out);
    arena_free(memory);
    return n;
}

int main(int argc, char **argv)
{
    int rows = argc > 1 ? atoi(argv[1]) : 1000, times = argc > 2 ? atoi(argv[2]) : 2000;
    struct buffer body = { 0 };
    char query[256];
    write_rows(&body, rows);
    snprintf(query, sizeof query,
             "from=anchors&target=example.com&mode=domain&limit=%d&output=json&order_by=backlinks%%3Adesc"
             "&where=backlinks%%3E10",
             rows);
    size_t n = translate(buffer_slice(&body), slice_str(query));
    if (!n) {
        fputs("the call was not answered\n", stderr);
        return 1;
    }
    int64_t began = clock_monotonic_us();
    for (int i = 0; i < times; i++)
        n = translate(buffer_slice(&body), slice_str(query));
    int64_t us = clock_monotonic_us() - began;
    printf("%d rows, %zu bytes in, %zu out: %.2f us a call\n", rows, body.n, n, (double)us / times);
    buffer_clear(&body);
    return 0;
}
