/* SPDX-License-Identifier: MIT
 * v3's bytes through a translation to v2's: any split gives the same answer or the same refusal, and an answer is what
 * its format promises: JSON that json-c takes, XML that is balanced and has no forbidden character, PHP whose lengths
 * and counts are right; with as many rows as are charged. The first three bytes of the input choose the call, the
 * options and the cuts; a byte FF ends a page. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "base/text.h"
#include "mapping/part.h"
#include "mapping/translation.h"

static void must_hold(bool what)
{
    if (!what)
        abort();
}

static const char *const calls[] = {
    "",
    "&order_by=backlinks:desc",
    "&select=backlinks,anchor",
    "&order_by=first_seen:desc&select=first_seen",
    "&limit=2&offset=1",
    "&limit=0",
    "&order_by=anchor:desc&limit=3",
    "&order_by=refdomains&where=anchor%3D\"a\"",
    "&having=backlinks<9,refpages<>4&limit=3&offset=1",
    "&select=anchor&where=backlinks<9&having=anchor<\"m\"&order_by=anchor:desc",
};

static struct slice next_page(struct slice *pages)
{
    if (!pages->p)
        return S("{\"anchors\":[]}");
    return slice_split(*pages, '\xFF', pages);
}

static bool feed(struct translation *t, enum plan_ask ask, struct slice text, uint32_t cuts)
{
    uint32_t longest = cuts & 1 ? 1 : 64;
    if (!cuts)
        return translation_feed(t, ask, text);
    for (size_t at = 0; at < text.n;) {
        cuts = cuts * 1664525 + 1013904223;
        size_t n = 1 + (cuts >> 16) % longest + text.n / 4096;
        n = n < text.n - at ? n : text.n - at;
        if (!translation_feed(t, ask, slice_of(text.p + at, n)))
            return false;
        at += n;
    }
    return true;
}

struct outcome {
    struct refusal refusal;
    struct translation_result result;
    struct buffer body;
};

static void know(struct translation *t, int part, const struct part_values *values)
{
    struct slice bytes = slice_of((const char *)values, part_bytes(table_anchors.parts[part].report));
    translation_know_part(t, (enum plan_ask)(ASK_PARTS + part), bytes);
}

/* Play the call; `cuts` 0: pages in one piece; `asks`: the parts are pages as well. */
static struct outcome play(const struct plan *plan, struct slice pages, uint32_t cuts, bool asks, size_t max_bytes,
                           struct arena *memory)
{
    struct outcome o = { 0 };
    struct translation *t = translation_new(plan, (struct translation_seen){ 0 }, max_bytes, memory);
    struct part_values totals = { .rows = 1, .known = 1, .of = { { .whole = 1000 } } };
    struct part_values ratio = { .rows = 25, .known = 6, .of = { [1] = { .whole = 100 }, [2] = { .whole = 90 } } };
    struct v3_request request;
    int64_t asked = 0;
    bool ok = true;
    must_hold(t != NULL);
    if (!asks) {
        know(t, 0, &totals);
        know(t, 1, &ratio);
    }
    while (ok && translation_next(t, &request)) {
        must_hold(asks || (request.ask == ASK_LIST && request.rows > 0));
        must_hold(++asked < 10000);
        ok = feed(t, request.ask, next_page(&pages), cuts) && translation_end(t, request.ask, -1);
    }
    ok = ok && translation_is_whole(t) && translation_finish(t, &o.result);
    if (ok)
        translation_write(t, &o.body);
    o.refusal = translation_refusal(t);
    must_hold(ok == (o.refusal.fault == FAULT_NONE));
    if (!ok)
        must_hold((o.refusal.fault == FAULT_UPSTREAM_ODD || o.refusal.fault == FAULT_TOO_BUSY) && o.refusal.why.n);
    must_hold(!o.body.failed);
    translation_free(t);
    return o;
}

/* ---- the formats ---- */

static void check_json(struct slice text, int64_t results)
{
    struct json_tokener *t = json_tokener_new();
    json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *root = json_tokener_parse_ex(t, text.p, (int)text.n), *list, *stats;
    must_hold(json_tokener_get_error(t) == json_tokener_success && json_tokener_get_parse_end(t) == text.n);
    must_hold(json_object_object_get_ex(root, "anchors", &list) && json_object_object_get_ex(root, "stats", &stats));
    must_hold((int64_t)json_object_array_length(list) == results && json_object_object_length(stats) == 2);
    json_object_put(root);
    json_tokener_free(t);
}

static void check_xml_text(struct slice text)
{
    must_hold(utf8_valid_prefix(text) == text.n);
    for (size_t i = 0, length; i < text.n; i += length) {
        uint32_t c = utf8_decode(text.p + i, &length);
        must_hold(c >= 0x20 || c == '\t' || c == '\n');
        must_hold(c != 0xFFFE && c != 0xFFFF && c != '>');
        if (c != '&')
            continue;
        struct slice rest = slice_from(text, i);
        must_hold(slice_starts(rest, S("&amp;")) || slice_starts(rest, S("&lt;")) || slice_starts(rest, S("&gt;")) ||
                  slice_starts(rest, S("&#13;")));
    }
}

static void check_xml(struct slice text, int64_t results)
{
    static const struct slice head = SLICE("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    struct slice open[8];
    int depth = 0;
    int64_t rows = 0;
    must_hold(slice_starts(text, head));
    text = slice_from(text, head.n);
    while (text.n) {
        must_hold(text.p[0] == '<');
        struct slice tag = slice_of(text.p + 1, slice_find(text, '>') - 1);
        must_hold(tag.n + 2 <= text.n);
        text = slice_from(text, tag.n + 2);
        if (tag.p[0] == '/') {
            must_hold(depth && slice_eq(slice_from(tag, 1), open[depth - 1]));
            depth--;
        } else {
            must_hold(depth < 8);
            rows += depth == 2 && slice_eq(open[1], S("anchors"));
            open[depth++] = tag;
        }
        struct slice between = slice_of(text.p, slice_find(text, '<'));
        check_xml_text(between);
        text = slice_from(text, between.n);
    }
    must_hold(depth == 0 && rows == results);
}

static void must_take(struct slice *text, struct slice what)
{
    must_hold(slice_starts(*text, what));
    *text = slice_from(*text, what.n);
}

static uint64_t take_number(struct slice *text, char end)
{
    uint64_t n = 0;
    struct slice rest, number = slice_split(*text, end, &rest);
    must_hold(rest.p && parse_u64(number, &n));
    *text = rest;
    return n;
}

/* One serialized value; of an array `*elements` becomes the count. */
static void take_php(struct slice *text, int depth, uint64_t *elements)
{
    must_hold(depth < 6 && text->n > 1);
    char kind = text->p[0];
    *text = slice_from(*text, 1);
    if (kind == 'N') {
        must_take(text, S(";"));
        return;
    }
    must_take(text, S(":"));
    if (kind == 'i') {
        bool negative = text->n && text->p[0] == '-';
        *text = slice_from(*text, negative);
        take_number(text, ';');
        return;
    }
    uint64_t n = take_number(text, ':');
    if (kind == 's') {
        must_take(text, S("\""));
        must_hold(n <= text->n);
        *text = slice_from(*text, (size_t)n);
        must_take(text, S("\";"));
        return;
    }
    must_hold(kind == 'a');
    must_take(text, S("{"));
    for (uint64_t i = 0; i < n; i++) {
        uint64_t inner = 0;
        take_php(text, depth + 1, &inner);
        take_php(text, depth + 1, &inner);
        if (depth == 0 && i == 0)
            *elements = inner; /* of the list */
    }
    if (depth)
        *elements = n;
    must_take(text, S("}"));
}

static void check_php(struct slice text, int64_t results)
{
    uint64_t rows = 0;
    must_take(&(struct slice){ text.p, text.n }, S("a:2:{s:7:\"anchors\";a:"));
    take_php(&text, 0, &rows);
    must_hold(text.n == 0 && (int64_t)rows == results);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const check[OUTPUT_COUNT])(
        struct slice, int64_t) = { [OUTPUT_JSON] = check_json, [OUTPUT_XML] = check_xml, [OUTPUT_PHP] = check_php };
    if (size < 4 || size > 1 << 20)
        return 0;
    struct plan_options options = { .nulls = (data[1] & 1 ? 1u << NULL_VISITED : 0) |
                                             (data[1] & 2 ? 1u << NULL_ESTIMATE : 0),
                                    .fold = data[1] & 4,
                                    .upper_case = data[2] & 1,
                                    .page_rows = data[1] & 8 ? 1 + (data[1] >> 6) : 0,
                                    .today = { 20781 } };
    size_t max_bytes = data[1] & 16 ? 80000 : 16 << 20;
    struct slice pages = slice_of((const char *)data + 3, size - 3);
    struct arena *memory = arena_new(8 << 20);
    struct slice query = arena_printf(memory, "from=anchors&target=example.com&mode=domain&output=%s%s",
                                      data[0] % 3 == 0   ? "json"
                                      : data[0] % 3 == 1 ? "xml"
                                                         : "php",
                                      calls[data[0] / 3 % (sizeof calls / sizeof calls[0])]);
    struct params params = { 0 };
    struct call call;
    struct plan plan;
    must_hold(params_add(&params, query, memory));
    must_hold(!call_parse(&params, &(struct call_options){ MODE_DOMAIN }, memory, &call).fault);
    must_hold(!plan_make(&call, &options, memory, &plan).fault);
    struct outcome whole = play(&plan, pages, 0, data[1] & 32, max_bytes, memory);
    struct outcome cut = play(&plan, pages, data[2] | 256u, data[1] & 32, max_bytes, memory);
    must_hold(whole.refusal.fault == cut.refusal.fault);
    must_hold(slice_eq(buffer_slice(&whole.body), buffer_slice(&cut.body)));
    must_hold(whole.result.results == cut.result.results && whole.result.rows == cut.result.rows);
    if (!whole.refusal.fault) {
        must_hold(whole.result.results <= call.limit);
        check[call.output](buffer_slice(&whole.body), whole.result.results);
    }
    buffer_clear(&whole.body);
    buffer_clear(&cut.body);
    arena_free(memory);
    return 0;
}
