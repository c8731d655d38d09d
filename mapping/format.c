/* SPDX-License-Identifier: MIT
 * JSON, XML and PHP as v2 wrote them: compact, raw UTF-8, nothing between the tokens. */
#include "mapping/format.h"

#include "base/digits.h"
#include "base/text.h"
#include "mapping/number.h"

static void nothing(struct buffer *b)
{
    (void)b;
}

static void nothing_named(struct buffer *b, struct slice name)
{
    (void)b;
    (void)name;
}

static void close_brace(struct buffer *b)
{
    buffer_put(b, '}');
}

static void number(struct buffer *b, double value)
{
    buffer_number(b, value, true);
}

static void truth(struct buffer *b, bool value)
{
    buffer_append(b, value ? S("true") : S("false"));
}

/* ---- JSON ---- */

static void json_open(struct buffer *b, size_t members)
{
    (void)members;
    buffer_put(b, '{');
}

static void json_member(struct buffer *b, struct slice name, bool first)
{
    if (!first)
        buffer_put(b, ',');
    buffer_put(b, '"');
    buffer_append(b, name);
    buffer_append(b, S("\":"));
}

static void json_list(struct buffer *b, int64_t n)
{
    (void)n;
    buffer_put(b, '[');
}

static void json_list_end(struct buffer *b)
{
    buffer_put(b, ']');
}

static void json_item(struct buffer *b, struct slice element, int64_t i, size_t members)
{
    (void)element;
    (void)members;
    buffer_append(b, i ? S(",{") : S("{"));
}

static void json_item_end(struct buffer *b, struct slice element)
{
    (void)element;
    buffer_put(b, '}');
}

static void json_text(struct buffer *b, struct slice text, bool plain)
{
    if (plain)
        buffer_append(b, text);
    else
        buffer_json_text(b, text);
}

static void json_null(struct buffer *b)
{
    buffer_append(b, S("null"));
}

/* ---- XML ---- */

static void xml_begin(struct buffer *b, size_t members)
{
    (void)members;
    buffer_str(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><AhrefsApiResponse>");
}

static void xml_end(struct buffer *b)
{
    buffer_str(b, "</AhrefsApiResponse>");
}

static void xml_tag(struct buffer *b, const char *open, struct slice name)
{
    buffer_str(b, open);
    buffer_append(b, name);
    buffer_put(b, '>');
}

static void xml_member(struct buffer *b, struct slice name, bool first)
{
    (void)first;
    xml_tag(b, "<", name);
}

static void xml_close(struct buffer *b, struct slice name)
{
    xml_tag(b, "</", name);
}

static void xml_object(struct buffer *b, size_t members)
{
    (void)b;
    (void)members;
}

static void xml_list(struct buffer *b, int64_t n)
{
    (void)b;
    (void)n;
}

static void xml_item(struct buffer *b, struct slice element, int64_t i, size_t members)
{
    (void)i;
    (void)members;
    xml_tag(b, "<", element);
}

#define REPLACEMENT "\xEF\xBF\xBD"

/* What XML 1.0 cannot hold becomes U+FFFD; a carriage return would be read as a line feed if it stood there bare. */
static const struct slice xml_forms[] = {
    [0x00 ... 0x08] = SLICE(REPLACEMENT),
    [0x0B ... 0x0C] = SLICE(REPLACEMENT),
    ['\r'] = SLICE("&#13;"),
    [0x0E ... 0x1F] = SLICE(REPLACEMENT),
    ['&'] = SLICE("&amp;"),
    ['<'] = SLICE("&lt;"),
    ['>'] = SLICE("&gt;"),
};

/* What stands there from `at` on, where xml_run has stopped; the index of the next byte that stands for itself. */
static size_t put_xml_forms(struct buffer *b, struct slice text, size_t at)
{
    enum { FORMS = sizeof xml_forms / sizeof xml_forms[0] };
    while (at < text.n) {
        unsigned char c = (unsigned char)text.p[at];
        size_t length = c != 0xEF ? 1 : text.n - at < 3 ? text.n - at : 3; /* the last two tell what it is */
        bool is_none = length == 3 && text.p[at + 1] == '\xBF' && (unsigned char)text.p[at + 2] >= 0xBE;
        struct slice form = is_none ? S(REPLACEMENT) : c == 0xEF ? slice_of(text.p + at, length) : S("");
        if (c < FORMS)
            form = xml_forms[c];
        if (!form.n)
            break; /* it stands for itself */
        buffer_append(b, form);
        at += length;
    }
    return at;
}

static void xml_text(struct buffer *b, struct slice text, bool plain)
{
    (void)plain;
    for (size_t at = 0; at < text.n;) {
        size_t stop = xml_run(text, at);
        buffer_append(b, slice_of(text.p + at, stop - at));
        at = put_xml_forms(b, text, stop);
    }
}

/* ---- PHP ---- */

static void php_open(struct buffer *b, size_t members)
{
    buffer_append(b, S("a:"));
    buffer_u64(b, members);
    buffer_append(b, S(":{"));
}

static void php_text(struct buffer *b, struct slice text, bool plain)
{
    (void)plain;
    buffer_append(b, S("s:"));
    buffer_u64(b, text.n);
    buffer_append(b, S(":\""));
    buffer_append(b, text);
    buffer_append(b, S("\";"));
}

static void php_member(struct buffer *b, struct slice name, bool first)
{
    (void)first;
    php_text(b, name, true);
}

static void php_list(struct buffer *b, int64_t n)
{
    php_open(b, (size_t)n);
}

static void php_whole(struct buffer *b, int64_t value)
{
    buffer_append(b, S("i:"));
    buffer_i64(b, value);
    buffer_put(b, ';');
}

static void php_number(struct buffer *b, double value)
{
    buffer_append(b, S("d:"));
    buffer_number(b, value, false);
    buffer_put(b, ';');
}

static void php_truth(struct buffer *b, bool value)
{
    buffer_append(b, value ? S("b:1;") : S("b:0;"));
}

static void php_item(struct buffer *b, struct slice element, int64_t i, size_t members)
{
    (void)element;
    php_whole(b, i);
    php_open(b, members);
}

static void php_item_end(struct buffer *b, struct slice element)
{
    (void)element;
    buffer_put(b, '}');
}

static void php_null(struct buffer *b)
{
    buffer_append(b, S("N;"));
}

const struct format formats[OUTPUT_COUNT] = {
    [OUTPUT_JSON] = {
        .begin = json_open, .end = close_brace, .member = json_member, .member_end = nothing_named,
        .object = json_open, .object_end = close_brace, .list = json_list, .list_end = json_list_end,
        .item = json_item, .item_end = json_item_end, .is_plain = true, .quote = SLICE("\""), .text = json_text, .whole = buffer_i64, .number = number, .truth = truth, .null = json_null,
        .content_type = SLICE("application/json; charset=utf-8"),
    },
    [OUTPUT_XML] = {
        .begin = xml_begin, .end = xml_end, .member = xml_member, .member_end = xml_close,
        .object = xml_object, .object_end = nothing, .list = xml_list, .list_end = nothing,
        .item = xml_item, .item_end = xml_close, .text = xml_text, .whole = buffer_i64, .number = number, .truth = truth, .null = nothing,
        .content_type = SLICE("text/xml; charset=utf-8"),
    },
    [OUTPUT_PHP] = {
        .begin = php_open, .end = close_brace, .member = php_member, .member_end = nothing_named,
        .object = php_open, .object_end = close_brace, .list = php_list, .list_end = close_brace,
        .item = php_item, .item_end = php_item_end, .text = php_text, .whole = php_whole, .number = php_number, .truth = php_truth, .null = php_null,
        .content_type = SLICE("text/plain; charset=utf-8"),
    },
};
