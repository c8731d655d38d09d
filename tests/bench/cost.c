/* SPDX-License-Identifier: MIT
 * The worst inputs of each kind, each in two sizes: what they cost is counted by cost.py, in instructions. Each is made
 * first and then worked on by `measured_work`, which is all that counts. For each a line: its size, its name.
 *
 *   cost [WORD]     only the kinds whose name holds the word */
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "mapping/explain.h"
#include "mapping/format.h"
#include "mapping/render.h"
#include "mapping/translation.h"
#include "proxy/admin/log.h"
#include "proxy/http/parse/reader.h"

enum {
    PIECE = 16384,
    CALL_MEMORY = 32 * 1024 * 1024,
    ROW_MEMORY = 256 * 1024 * 1024,
    FORM = 32 * 1024,
    BODY = 512 * 1024
};

struct kind {
    const char *name;
    const char *before, *unit, *behind; /* the unit is repeated */
    size_t bytes;                       /* of the smaller one */
    void (*work)(const struct kind *kind, struct slice input);
    const char *query; /* of the call whose answer it is */
};

/* ---- calls ---- */

static void read_call(const struct kind *kind, struct slice form)
{
    struct arena *memory = arena_new(CALL_MEMORY);
    struct params params = { 0 };
    struct call call;
    struct plan plan;
    struct plan_options options = { .fold = true, .today = { 18000 } };
    struct call_options call_options = { .default_mode = MODE_SUBDOMAINS };
    struct refusal refusal = { FAULT_TOO_BUSY, S("") };
    struct buffer out = { 0 };
    (void)kind;
    if (memory && params_add(&params, form, memory))
        refusal = call_parse(&params, &call_options, memory, &call);
    if (!refusal.fault)
        refusal = plan_make(&call, &options, memory, &plan);
    if (refusal.fault) {
        for (enum output o = 0; o < OUTPUT_COUNT; o++)
            render_error(o, refusal.why, &out);
        log_text(&out, refusal.why);
    } else {
        if (!plan_list_path(&plan, S(""), 0, memory).p)
            abort();
    }
    buffer_clear(&out);
    arena_free(memory);
}

static void explain_call(const struct kind *kind, struct slice form)
{
    struct explain_options o = { .plan = { .fold = true, .today = { 18000 } }, .v3_url = S("http://127.0.0.1/v3") };
    struct buffer out = { 0 };
    (void)kind;
    (void)explain_json(form, &o, &out);
    buffer_clear(&out);
}

/* ---- answers ---- */

static void translate(const struct kind *kind, struct slice body)
{
    struct arena *memory = arena_new(CALL_MEMORY);
    struct params params = { 0 };
    struct call call;
    struct plan plan;
    struct plan_options options = { .fold = true, .stats_zero = true, .today = { 18000 } };
    struct call_options call_options = { .default_mode = MODE_SUBDOMAINS };
    struct translation_result result;
    struct v3_request request;
    struct buffer out = { 0 };
    bool ok = memory && params_add(&params, slice_str(kind->query), memory) &&
              !call_parse(&params, &call_options, memory, &call).fault &&
              !plan_make(&call, &options, memory, &plan).fault;
    struct translation *t = ok ? translation_new(&plan, (struct translation_seen){ 0 }, ROW_MEMORY, memory) : NULL;
    ok = t && translation_next(t, &request);
    if (ok)
        translation_keep_rows(t, ROW_MEMORY);
    for (size_t at = 0; ok && at < body.n; at += PIECE)
        ok = translation_feed(t, ASK_LIST, slice_of(body.p + at, body.n - at < PIECE ? body.n - at : PIECE));
    if (ok && translation_end(t, ASK_LIST, -1) && translation_finish(t, &result))
        translation_write(t, &out);
    translation_free(t);
    buffer_clear(&out);
    arena_free(memory);
}

static void feed_in_order(const struct kind *kind, struct slice head)
{
    struct reader r;
    (void)kind;
    reader_start(&r);
    for (size_t n = 64; n < head.n && reader_read(&r, head.p, n) == READER_MORE; n += 64)
        continue;
    (void)reader_read(&r, head.p, head.n);
}

static void write_any(const struct kind *kind, struct slice text)
{
    struct buffer out = { 0 };
    (void)kind;
    buffer_json_any(&out, text);
    percent_encode(&out, text);
    buffer_clear(&out);
}

/* ---- the kinds ---- */

#define CALL "from=anchors&mode=domain&target=example.com&"
/* clang-format off */
#define FORM_OF(name, before, unit, behind) { name, CALL before, unit, behind, FORM, read_call, NULL }
#define WHERE(name, before, unit, behind) FORM_OF("where: " name, "where=" before, unit, behind)
/* What is short enough to be sent to v3. */
#define SHORT(name, unit, bytes)                                                                                       \
    { "filter: " name, CALL "where=subdomain(anchor,\"", unit, "\")", bytes, read_call, NULL }
#define ROW_END ",\"links_to_target\":7,\"refpages\":7,\"refdomains\":3,\"first_seen\":\"2020-01-02T03:04:05Z\"}"
#define LIST(name, unit, output)                                                                                       \
    { "v3: " name ", " output, "{\"anchors\":[", unit, "]}", BODY, translate,                                          \
      "from=anchors&mode=domain&target=example.com&limit=1000000&output=" output }
#define ROWS(name, text)                                                                                               \
    LIST(name, "{\"anchor\":\"" text "#\"" ROW_END, "json"), LIST(name, "{\"anchor\":\"" text "#\"" ROW_END, "xml"),   \
    LIST(name, "{\"anchor\":\"" text "#\"" ROW_END, "php")
#define TIMES_4(text) text text text text
#define TIMES_64(text) TIMES_4(TIMES_4(TIMES_4(text)))
#define TIMES_256(text) TIMES_4(TIMES_64(text))

static const struct kind kinds[] = {
    WHERE("a text of letters", "anchor=\"", "a", "\""),
    WHERE("a text of specials", "subdomain(anchor,\"", "(", "\")"),
    WHERE("a text of controls", "subdomain(anchor,\"", "\x01", "\")"),
    WHERE("a text of quotes", "subdomain(anchor,\"", "\\\"", "\")"),
    WHERE("a text of greek", "subdomain(anchor,\"", "β", "\")"),
    WHERE("a text of capitals", "anchor=\"", "Ä", "\""),
    WHERE("a text of emoji", "anchor=\"", "😀", "\""),
    WHERE("a text, encoded", "anchor%3D%22", "%C3%84", "%22"),
    WHERE("a text not UTF-8", "anchor=\"", "\xff", "\""),
    WHERE("a text that is open", "anchor=\"", "a", ""),
    WHERE("bare words", "anchor=", "a ", ""),
    WHERE("bare controls", "anchor=", "\x02", ")"),
    WHERE("conditions", "", "backlinks>1,", "backlinks>1"),
    WHERE("parentheses", "", "(", ""),
    WHERE("functions", "", "substring(", ""),
    WHERE("a long column", "", "a", ">1"),
    WHERE("blanks", "", " ", "backlinks>1"),
    WHERE("digits", "backlinks>", "9", ""),
    WHERE("a date", "first_seen>", "2", ""),
    FORM_OF("having: a text of greek", "having=anchor=\"", "β", "\""),
    SHORT("letters", "a", 7000),
    SHORT("specials", "(", 2600),
    SHORT("controls", "\x01", 1300),
    SHORT("quotes", "\\\"", 2600),
    SHORT("greek", "β", 2600),
    SHORT("capitals", "Ä", 2600),
    SHORT("dotted letters", "i̇", 2600),
    SHORT("emoji", "😀", 5000),
    FORM_OF("select: names", "select=", "anchor,", "anchor"),
    FORM_OF("select: a long name", "select=", "a", ""),
    FORM_OF("select: controls", "select=", "\x01", ""),
    FORM_OF("order_by: columns", "order_by=", "backlinks:desc,", "backlinks"),
    FORM_OF("order_by: a long name", "order_by=", "a", ""),
    FORM_OF("limit: digits", "limit=", "9", ""),
    FORM_OF("limit: blanks", "limit=", " ", "1"),
    FORM_OF("output: markup", "output=", "<", ""),
    { "mode: controls", "from=anchors&target=example.com&mode=", "\x01", "", FORM, read_call, NULL },
    FORM_OF("parameters", "", "a=1&", ""),
    FORM_OF("parameters: again", "", "where=backlinks%3E1&", ""),
    FORM_OF("parameters: nothing", "", "&", ""),
    FORM_OF("parameters: encoded", "", "%61=%61&", ""),
    { "target: dots", "from=anchors&mode=domain&target=", "a.", "a", FORM, read_call, NULL },
    { "from: controls", "mode=domain&target=example.com&from=", "\x01", "", FORM, read_call, NULL },
    { "explain: a text", CALL "where=subdomain(anchor,\"", "(", "\")", FORM, explain_call, NULL },
    { "head: a line", "GET /?", "a", " HTTP/1.1\r\nHost: x\r\n\r\n", READER_MAX_LINE / 2, feed_in_order, NULL },
    { "head: a field", "GET / HTTP/1.1\r\nHost: x\r\nConnection: ", "a,", "\r\n\r\n", READER_MAX_HEADER / 4,
      feed_in_order, NULL },
    { "head: fields", "GET / HTTP/1.1\r\nHost: x\r\n", "X: 1234567890\r\n", "\r\n", 448, feed_in_order, NULL },
    { "text: controls", "", "\x7f\xc2\x80\x01", "", FORM, write_any, NULL },
    { "text: not UTF-8", "", "\xf0\x9f\x98", "", FORM, write_any, NULL },
    ROWS("short rows", "anchor "),
    ROWS("long texts", TIMES_256("some text, ")),
    ROWS("markup", TIMES_256("<>&<>&")),
    ROWS("controls", TIMES_256("\\u0001")),
    ROWS("escapes", TIMES_64("\\ud83d\\ude00\\n\\\"")),
    ROWS("emoji", TIMES_256("😀")),
    ROWS("one in capitals", TIMES_64("Ä")),
    ROWS("private use", TIMES_256("\xEF\xBC\xA1")),
    LIST("one anchor", "{\"anchor\":\"" TIMES_64("Aa") "\"" ROW_END, "json"),
    LIST("white space", "{ \"anchor\" : \"#\"" TIMES_256("    ") ROW_END, "json"),
    LIST("unknown keys", "{\"anchor\":\"#\",\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1" ROW_END,
         "json"),
    LIST("nested", "{\"anchor\":\"#\",\"x\":" TIMES_4("[[[[") TIMES_256("1,") "1" TIMES_4("]]]]") ROW_END, "json"),
    LIST("long numbers", "{\"anchor\":\"#\",\"x\":" TIMES_256("12345678") ROW_END, "json"),
};
/* clang-format on */

/* ---- making and working ---- */

/* A # becomes the number of the unit. */
static void put_unit(struct buffer *b, struct slice unit, unsigned n)
{
    size_t at = slice_find(unit, '#');
    buffer_append(b, slice_of(unit.p, at));
    if (at == unit.n)
        return;
    buffer_printf(b, "%08u", n * 2654435761u % 100000000u);
    buffer_append(b, slice_from(unit, at + 1));
}

static void make_input(struct buffer *b, const struct kind *kind, size_t bytes)
{
    struct slice unit = slice_str(kind->unit);
    size_t behind = strlen(kind->behind);
    buffer_str(b, kind->before);
    for (unsigned n = 0; b->n + unit.n + 8 + behind <= bytes; n++) {
        if (n && kind->work == translate)
            buffer_put(b, ',');
        put_unit(b, unit, n);
    }
    buffer_str(b, kind->behind);
}

void measured_work(const struct kind *kind, struct slice input);

__attribute__((noinline, used)) void measured_work(const struct kind *kind, struct slice input)
{
    kind->work(kind, input);
    __asm__ volatile("" ::: "memory"); /* no tail call: the function ends when the work has */
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (argc > 1 && !strstr(kinds[i].name, argv[1]))
            continue;
        for (size_t times = 1; times <= 2; times++) {
            struct buffer input = { 0 };
            make_input(&input, &kinds[i], kinds[i].bytes * times);
            measured_work(&kinds[i], buffer_slice(&input));
            printf("%zu %s\n", input.n, kinds[i].name);
            buffer_clear(&input);
        }
    }
    return 0;
}
