/* SPDX-License-Identifier: MIT
 * The row scanner: any split of the bytes gives the same rows and the same verdict; what it takes json-c takes too, but
 * for broken texts, with the same values; and what json-c takes and has the promised shape, the scanner takes. The
 * first byte of the input chooses the cuts, the second the columns that are wanted, the rest is the document. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "base/day.h"
#include "base/text.h"
#include "mapping/scan.h"
#include "mapping/table.h"

static void must_hold(bool what)
{
    if (!what)
        abort();
}

/* What a scan said: each wanted value of each row. */
struct said {
    uint32_t wanted;
    bool broken; /* one of the texts was */
    struct buffer text;
};

static void say_text(struct buffer *b, struct slice s)
{
    buffer_u64(b, s.n);
    buffer_put(b, ':');
    buffer_append(b, s);
}

static bool on_row(void *context, const struct scan_value *values)
{
    struct said *said = context;
    const struct report *t = table_anchors.list;
    for (size_t i = 0; i < t->n_fields; i++) {
        if (!(said->wanted & bit((int)i)))
            continue;
        if (t->fields[i].type == VALUE_WHOLE) {
            buffer_i64(&said->text, values[i].whole);
        } else {
            must_hold(utf8_valid_prefix(values[i].text) == values[i].text.n);
            say_text(&said->text, values[i].text);
            if (t->fields[i].type == VALUE_DATE)
                say_text(&said->text, values[i].raw);
        }
        buffer_put(&said->text, ' ');
    }
    for (size_t i = 0; i < t->n_fields; i++) {
        if (!(said->wanted & bit((int)i)) || !values[i].broken)
            continue;
        must_hold(t->fields[i].type == VALUE_TEXT && values[i].text.n >= 3);
        buffer_put(&said->text, '!');
        said->broken = true;
    }
    buffer_put(&said->text, '\n');
    return true;
}

/* The same, and that it was plain: by the scanner's word no byte of a plain text needs an escape. */
static bool on_checked_row(void *context, const struct scan_value *values)
{
    const struct said *said = context;
    const struct report *t = table_anchors.list;
    for (size_t i = 0; i < t->n_fields; i++) {
        if (!(said->wanted & bit((int)i)) || t->fields[i].type == VALUE_WHOLE || !values[i].plain)
            continue;
        for (size_t k = 0; k < values[i].text.n; k++) {
            unsigned char c = (unsigned char)values[i].text.p[k];
            must_hold(c >= 0x20 && c != '"' && c != '\\');
        }
    }
    return on_row(context, values);
}

static struct scanner *start(struct said *said)
{
    struct scan_options o = { .key = table_anchors.list->key,
                              .fields = table_anchors.list->fields,
                              .n_fields = table_anchors.list->n_fields,
                              .wanted = said->wanted,
                              .on_row = on_checked_row,
                              .context = said };
    struct scanner *s = scanner_new(&o);
    must_hold(s != NULL);
    return s;
}

static bool scan_whole(struct slice text, struct said *said)
{
    struct scanner *s = start(said);
    bool ok = scanner_feed(s, text) && scanner_end(s);
    must_hold(ok == (scanner_why(s) == NULL));
    scanner_free(s);
    return ok;
}

static bool scan_cut(struct slice text, uint32_t cuts, struct said *said)
{
    struct scanner *s = start(said);
    bool ok = true;
    uint32_t longest = cuts & 1 ? 1 : cuts & 2 ? 3 : 64;
    for (size_t at = 0; at < text.n && ok;) {
        cuts = cuts * 1664525 + 1013904223;
        size_t n = 1 + (cuts >> 16) % longest + text.n / 4096;
        n = n < text.n - at ? n : text.n - at;
        /* a copy of its own, so that a look beyond the piece is seen */
        char *piece = malloc(n);
        must_hold(piece != NULL);
        memcpy(piece, text.p + at, n);
        ok = scanner_feed(s, slice_of(piece, n));
        free(piece);
        at += n;
    }
    ok = ok && scanner_end(s);
    scanner_free(s);
    return ok;
}

/* ---- json-c's view ---- */

static struct json_object *parse(struct slice text)
{
    struct json_tokener *t = json_tokener_new_ex(2 * SCAN_MAX_DEPTH);
    json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *root = json_tokener_parse_ex(t, text.p, (int)text.n);
    if (json_tokener_get_error(t) != json_tokener_success ||
        slice_trim(slice_from(text, json_tokener_get_parse_end(t))).n) {
        json_object_put(root);
        root = NULL;
    }
    json_tokener_free(t);
    return root;
}

static struct slice text_of(struct json_object *o)
{
    return slice_of(json_object_get_string(o), (size_t)json_object_get_string_len(o));
}

/* The row as on_row says it; false when a value is not what v3 promises. */
static bool say_json_row(struct json_object *row, struct said *said)
{
    const struct report *t = table_anchors.list;
    for (size_t i = 0; i < t->n_fields; i++) {
        struct json_object *o = NULL;
        struct scan_value v = { 0 };
        int64_t unix_s;
        char name[64] = { 0 }, date[21];
        memcpy(name, t->fields[i].v3.p, t->fields[i].v3.n);
        if (!json_object_object_get_ex(row, name, &o)) {
            if (said->wanted & bit((int)i))
                return false;
            continue;
        }
        if (!json_object_is_type(o, t->fields[i].type == VALUE_WHOLE ? json_type_int : json_type_string))
            return false;
        if (t->fields[i].type == VALUE_WHOLE) {
            /* at the ends json-c does not tell a number from one too big */
            v.whole = json_object_get_int64(o);
            if (v.whole == INT64_MAX || v.whole == INT64_MIN)
                return false;
        } else {
            v.text = text_of(o);
        }
        if (t->fields[i].type == VALUE_DATE) {
            if (!timestamp_parse(v.text, &unix_s))
                return false;
            timestamp_format(unix_s, date);
            v.raw = v.text.n > 20 ? v.text : slice_of(NULL, 0);
            v.text = slice_str(date);
        }
        if (!(said->wanted & bit((int)i)))
            continue;
        if (t->fields[i].type == VALUE_WHOLE) {
            buffer_i64(&said->text, v.whole);
        } else {
            say_text(&said->text, v.text);
            if (t->fields[i].type == VALUE_DATE)
                say_text(&said->text, v.raw);
        }
        buffer_put(&said->text, ' ');
    }
    buffer_put(&said->text, '\n');
    return true;
}

static bool say_json(struct json_object *root, struct said *said)
{
    struct json_object *list;
    if (!json_object_is_type(root, json_type_object) || !json_object_object_get_ex(root, "anchors", &list) ||
        !json_object_is_type(list, json_type_array) || json_object_object_length(root) > SCAN_MAX_UNKNOWN)
        return false;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *row = json_object_array_get_idx(list, i);
        if (!json_object_is_type(row, json_type_object) || json_object_object_length(row) > SCAN_MAX_UNKNOWN ||
            !say_json_row(row, said))
            return false;
    }
    return true;
}

static size_t members(struct json_object *o)
{
    size_t n = 0;
    if (json_object_is_type(o, json_type_object)) {
        json_object_object_foreach(o, key, value)
        {
            (void)key;
            n += 1 + members(value);
        }
    } else if (json_object_is_type(o, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(o); i++)
            n += members(json_object_array_get_idx(o, i));
    }
    return n;
}

/* ---- what json-c lets through ---- */

static bool is_bare(char c)
{
    return !strchr(" \t\r\n{}[],:\"", c) || !c;
}

static bool digits(struct slice s, size_t *at)
{
    size_t start = *at;
    while (*at < s.n && is_digit(s.p[*at]))
        ++*at;
    return *at > start;
}

static bool is_rfc_number(struct slice s)
{
    size_t at = s.n && s.p[0] == '-', whole = at;
    if (!digits(s, &at) || (s.p[whole] == '0' && at > whole + 1))
        return false;
    if (at < s.n && s.p[at] == '.' && (++at, !digits(s, &at)))
        return false;
    if (at < s.n && (s.p[at] | 32) == 'e') {
        at++;
        at += at < s.n && (s.p[at] == '+' || s.p[at] == '-');
        if (!digits(s, &at))
            return false;
    }
    return at == s.n;
}

/* The end of the string whose inside begins at `at`; false for what json-c bears with: controls, surrogates. */
static bool string_end(struct slice s, size_t *at)
{
    bool high = false;
    for (; *at < s.n && s.p[*at] != '"'; ++*at) {
        bool was_high = high;
        high = false;
        if ((unsigned char)s.p[*at] < 0x20)
            return false;
        if (s.p[*at] == '\\' && ++*at < s.n && s.p[*at] == 'u' && s.n - *at > 4) {
            unsigned c =
                (unsigned)strtoul((char[]){ s.p[*at + 1], s.p[*at + 2], s.p[*at + 3], s.p[*at + 4], 0 }, NULL, 16);
            *at += 4;
            if (!c) /* json-c ends a key there */
                return false;
            high = c >= 0xD800 && c <= 0xDBFF;
            if ((c >= 0xDC00 && c <= 0xDFFF) != was_high)
                return false;
        } else if (was_high) {
            return false;
        }
    }
    return *at < s.n && !high;
}

/* Whether a text that json-c takes is RFC 8259 in all that json-c does not look at; counts the members written. */
static bool is_strict(struct slice s, size_t *n_members)
{
    int depth = 0;
    *n_members = 0;
    if (utf8_valid_prefix(s) < s.n)
        return false;
    for (size_t at = 0; at < s.n; at++) {
        char c = s.p[at];
        if (c == '"' && (++at, !string_end(s, &at)))
            return false;
        *n_members += c == ':';
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        if (depth > SCAN_MAX_DEPTH)
            return false;
        if (!is_bare(c))
            continue;
        size_t end = at;
        while (end < s.n && is_bare(s.p[end]))
            end++;
        struct slice bare = slice_of(s.p + at, end - at);
        if (!is_rfc_number(bare) && !slice_eq(bare, S("true")) && !slice_eq(bare, S("false")) &&
            !slice_eq(bare, S("null")))
            return false;
        at = end - 1;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3 || size > 1 << 20)
        return 0;
    struct slice text = slice_of((const char *)data + 2, size - 2);
    uint32_t wanted = data[1] & 31;
    struct said whole = { .wanted = wanted }, cut = { .wanted = wanted }, json = { .wanted = wanted };
    bool ok = scan_whole(text, &whole);
    must_hold(ok == scan_cut(text, data[0], &cut) && whole.broken == cut.broken);
    must_hold(slice_eq(buffer_slice(&whole.text), buffer_slice(&cut.text)));

    struct json_object *root = parse(text);
    size_t written;
    if (ok && !whole.broken && utf8_valid_prefix(text) == text.n)
        must_hold(root != NULL);
    if (root && is_strict(text, &written) && written == members(root) && say_json(root, &json)) {
        must_hold(ok);
        must_hold(slice_eq(buffer_slice(&whole.text), buffer_slice(&json.text)));
    }
    json_object_put(root);
    buffer_clear(&whole.text);
    buffer_clear(&cut.text);
    buffer_clear(&json.text);
    return 0;
}
