/* SPDX-License-Identifier: MIT
 * The row scanner: a lexer that can stop at any byte, a small machine over its tokens, and a short cut for whole rows
 * that look like the row before (scan_row.c). */
#include "mapping/scan_inside.h"

#include <stdlib.h>

#include "base/digits.h"
#include "base/text.h"
#include "mapping/number.h"
#include "mapping/string.h"

struct scanner *scanner_new(const struct scan_options *options)
{
    struct scanner *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->o = *options;
    s->carry.max_bytes = SCAN_MAX_TOKEN + 16;
    for (int i = 0; i < 2; i++)
        s->unknown[i].keys.max_bytes = SCAN_MAX_TOKEN * 2;
    s->expect = EXPECT_VALUE;
    for (size_t i = 0; i < options->n_fields; i++)
        s->has_stand_ins |= options->wanted & bit((int)i) && options->fields[i].stand_in;
    return s;
}

void scanner_free(struct scanner *s)
{
    if (!s)
        return;
    buffer_clear(&s->carry);
    for (int i = 0; i < 2; i++)
        buffer_clear(&s->unknown[i].keys);
    for (size_t i = 0; i < REPORT_MAX_FIELDS; i++)
        buffer_clear(&s->kept[i]);
    buffer_clear(&s->decoded);
    buffer_clear(&s->lead_texts);
    free(s);
}

int64_t scanner_rows(const struct scanner *s)
{
    return s->rows;
}

const char *scanner_why(const struct scanner *s)
{
    return s->why;
}

bool scan_fail(struct scanner *s, const char *why)
{
    s->failed = true;
    if (!s->why)
        s->why = why;
    return false;
}

/* ---- the machine over tokens ---- */

static const char other_type[] = "a column has a value of another type than API v3 promises";

static bool in_row(const struct scanner *s)
{
    return s->depth == 3 && s->in_list && s->skip_depth == 0;
}

static bool push(struct scanner *s, bool object)
{
    if (s->depth == SCAN_MAX_DEPTH)
        return scan_fail(s, "it is nested too deep");
    s->is_object[s->depth++] = object;
    s->expect = object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
    return true;
}

static void after_value(struct scanner *s)
{
    s->expect = s->depth == 0                ? EXPECT_NOTHING
                : s->is_object[s->depth - 1] ? EXPECT_COMMA_OR_END_OBJECT
                                             : EXPECT_COMMA_OR_END_ARRAY;
}

static void begin_row(struct scanner *s)
{
    s->seen = 0;
    s->unknown[1].n = 0;
    s->unknown[1].keys.n = 0;
}

static void stand_in(struct scanner *s)
{
    for (size_t i = 0; i < s->o.n_fields; i++) {
        int other = s->o.fields[i].stand_in - 1;
        if (other >= 0 && s->o.wanted & bit((int)i) && s->values[i].null)
            s->values[i] = s->values[other];
    }
}

bool scan_give_row(struct scanner *s)
{
    if ((s->seen & s->o.wanted) != s->o.wanted)
        return scan_fail(s, "a row lacks a column that was asked for");
    if (s->has_stand_ins)
        stand_in(s);
    s->rows++;
    if (!s->o.on_row(s->o.context, s->values)) {
        s->failed = true;
        return false;
    }
    return true;
}

static bool pop(struct scanner *s, bool object)
{
    if (s->depth == 0 || s->is_object[s->depth - 1] != object)
        return scan_fail(s, "brackets do not match");
    if (in_row(s) && !scan_give_row(s))
        return false;
    s->depth--;
    s->in_texts = false;
    if (s->skip_depth > s->depth)
        s->skip_depth = 0;
    if (s->in_list && s->depth == 1) {
        s->in_list = false;
        s->list_done = true;
    }
    after_value(s);
    return true;
}

/* A container is the value of a field: a list of texts. */
static bool open_texts(struct scanner *s, bool object)
{
    static const struct scan_value none = { .text = { .p = "" }, .plain = true };
    if (object || s->o.fields[s->field].type != VALUE_LIST)
        return scan_fail(s, other_type);
    s->values[s->field] = none;
    s->has_first = false;
    s->in_texts = true;
    return push(s, false);
}

/* A container begins where a value may stand. */
static bool open_container(struct scanner *s, bool object)
{
    if (s->skip_depth)
        return push(s, object);
    if (s->depth == 0)
        return object ? push(s, true) : scan_fail(s, "it is not an object");
    if (s->depth == 1 && s->key_is_list) {
        s->in_list = true;
        return object ? scan_fail(s, "the list of rows is not a list") : push(s, false);
    }
    if (s->depth == 2 && s->in_list) {
        begin_row(s);
        return object ? push(s, true) : scan_fail(s, "a row is not an object");
    }
    if (in_row(s) && s->field >= 0)
        return open_texts(s, object);
    if (s->in_texts)
        return scan_fail(s, other_type);
    s->skip_depth = s->depth + 1;
    return push(s, object);
}

/* Remember a key that nobody asked for, so that its second coming is seen. */
static bool unknown_key(struct scanner *s, struct slice key)
{
    struct scan_unknown *u = &s->unknown[s->depth > 1];
    const char *p = u->keys.p;
    uint32_t n;
    for (int i = 0; i < u->n; i++) {
        memcpy(&n, p, sizeof n);
        if (slice_eq(slice_of(p + sizeof n, n), key))
            return scan_fail(s, "a key stands twice in one object");
        p += sizeof n + n;
    }
    n = (uint32_t)key.n;
    buffer_append(&u->keys, slice_of((const char *)&n, sizeof n));
    buffer_append(&u->keys, key);
    if (++u->n > SCAN_MAX_UNKNOWN || u->keys.failed)
        return scan_fail(s, "an object has too many keys that were not asked for");
    return true;
}

static bool take_key(struct scanner *s, struct slice raw, bool escaped)
{
    s->expect = EXPECT_COLON;
    s->decoded.n = 0;
    if (escaped ? !string_decode(raw, &s->decoded, NULL) : utf8_valid_prefix(raw) < raw.n)
        return scan_fail(s, "a string is not valid");
    if (s->skip_depth)
        return true;
    struct slice key = escaped ? buffer_slice(&s->decoded) : raw;
    s->field = -1;
    s->key_is_list = false;
    if (s->depth == 1) {
        if (!slice_eq(key, s->o.key))
            return unknown_key(s, key);
        s->key_is_list = true;
        return s->list_done ? scan_fail(s, "the list of rows stands twice") : true;
    }
    for (size_t i = 0; i < s->o.n_fields; i++) {
        if (!slice_eq(s->o.fields[i].v3, key))
            continue;
        if (s->seen & bit((int)i))
            return scan_fail(s, "a key stands twice in one object");
        s->seen |= bit((int)i);
        s->field = (int)i;
        scan_learn_order(s, (int)i);
        return true;
    }
    scan_learn_order(s, -1);
    return unknown_key(s, key);
}

static bool text_value(struct scanner *s, struct slice raw, bool escaped)
{
    struct scan_value *v = &s->values[s->field];
    struct buffer *kept = &s->kept[s->field];
    kept->n = 0;
    if (!string_decode(raw, kept, &v->broken) && !kept->failed)
        return scan_fail(s, "a string is not valid");
    if (kept->failed)
        return scan_fail(s, "memory is out");
    v->text = buffer_slice(kept);
    v->plain = !escaped;
    v->null = false;
    return s->o.fields[s->field].type != VALUE_DATE || scan_date(s, v);
}

static bool take_string(struct scanner *s, struct slice raw, bool escaped)
{
    if (s->expect == EXPECT_KEY || s->expect == EXPECT_KEY_OR_END)
        return take_key(s, raw, escaped);
    if (s->expect != EXPECT_VALUE && s->expect != EXPECT_VALUE_OR_END)
        return scan_fail(s, "a string stands where none may");
    if (in_row(s) && s->field >= 0) {
        enum value_type type = s->o.fields[s->field].type;
        if (type != VALUE_TEXT && type != VALUE_DATE)
            return scan_fail(s, other_type);
        if (!text_value(s, raw, escaped))
            return false;
    } else if (s->in_texts && !s->has_first) {
        s->has_first = true;
        if (!text_value(s, raw, escaped))
            return false;
    } else {
        s->decoded.n = 0;
        if (!string_decode(raw, &s->decoded, NULL))
            return scan_fail(s, "a string is not valid");
        if (!scan_may_be_scalar(s))
            return false;
    }
    after_value(s);
    return true;
}

bool scan_null(struct scanner *s, int field)
{
    static const struct scan_value null = { .text = { .p = "" }, .plain = true, .null = true };
    if (s->o.fields[field].nullable)
        s->values[field] = null;
    return s->o.fields[field].nullable;
}

static bool bare_value(struct scanner *s, struct slice raw)
{
    struct scan_value *v = &s->values[s->field];
    if (slice_eq(raw, S("null")))
        return scan_null(s, s->field);
    v->null = false;
    switch (s->o.fields[s->field].type) {
    case VALUE_WHOLE:
        return parse_i64(raw, &v->whole);
    case VALUE_BOOL:
        v->whole = slice_eq(raw, S("true"));
        return v->whole || slice_eq(raw, S("false"));
    case VALUE_RATING:
    case VALUE_NUMBER:
        if (!number_parse(raw, &v->number))
            return false;
        v->whole = number_rounded(v->number);
        return true;
    case VALUE_TEXT:
    case VALUE_DATE:
    case VALUE_DAY:
    case VALUE_LIST:
        break;
    }
    return false;
}

/* A number, true, false or null. */
static bool take_bare(struct scanner *s, struct slice raw)
{
    if (s->expect != EXPECT_VALUE && s->expect != EXPECT_VALUE_OR_END)
        return scan_fail(s, "a value stands where none may");
    if (in_row(s) && s->field >= 0) {
        if (!bare_value(s, raw))
            return scan_fail(s, other_type);
    } else if (s->in_texts) {
        return scan_fail(s, other_type);
    } else if (!number_is_json(raw) && !slice_eq(raw, S("true")) && !slice_eq(raw, S("false")) &&
               !slice_eq(raw, S("null"))) {
        return scan_fail(s, "it is not JSON");
    } else if (!scan_may_be_scalar(s)) {
        return false;
    }
    after_value(s);
    return true;
}

bool scan_may_be_scalar(struct scanner *s)
{
    if (s->skip_depth || s->depth >= 3)
        return true;
    if (s->depth == 0)
        return scan_fail(s, "it is not an object");
    if (s->depth == 1 && !s->key_is_list)
        return true;
    return scan_fail(s, s->depth == 1 ? "the list of rows is not a list" : "a row is not an object");
}

static bool take_mark(struct scanner *s, char c)
{
    bool value = s->expect == EXPECT_VALUE || s->expect == EXPECT_VALUE_OR_END;
    switch (c) {
    case '{':
        return value ? open_container(s, true) : scan_fail(s, "it is not JSON");
    case '[':
        return value ? open_container(s, false) : scan_fail(s, "it is not JSON");
    case '}':
        return s->expect == EXPECT_KEY_OR_END || s->expect == EXPECT_COMMA_OR_END_OBJECT
                   ? pop(s, true)
                   : scan_fail(s, "it is not JSON");
    case ']':
        return s->expect == EXPECT_VALUE_OR_END || s->expect == EXPECT_COMMA_OR_END_ARRAY
                   ? pop(s, false)
                   : scan_fail(s, "it is not JSON");
    case ':':
        if (s->expect != EXPECT_COLON)
            return scan_fail(s, "it is not JSON");
        s->expect = EXPECT_VALUE;
        return true;
    case ',':
        if (s->expect != EXPECT_COMMA_OR_END_OBJECT && s->expect != EXPECT_COMMA_OR_END_ARRAY)
            return scan_fail(s, "it is not JSON");
        s->expect = s->expect == EXPECT_COMMA_OR_END_OBJECT ? EXPECT_KEY : EXPECT_VALUE;
        return true;
    default:
        return scan_fail(s, "it is not JSON");
    }
}

/* ---- the lexer ---- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_bare(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '+' || c == '.' || c == 'E';
}

static bool keep(struct scanner *s, struct slice part)
{
    if (s->carry.n + part.n > SCAN_MAX_TOKEN)
        return scan_fail(s, "a string or number is too long");
    buffer_append(&s->carry, part);
    return s->carry.failed ? scan_fail(s, "memory is out") : true;
}

/* Go on inside a string from `*at`; *done tells whether its end was there. */
static bool lex_string(struct scanner *s, struct slice in, size_t *at)
{
    size_t start = *at, i = *at;
    bool high = false;
    for (;;) {
        if (s->after_backslash && i < in.n) {
            s->after_backslash = false;
            if ((unsigned char)in.p[i] < 0x20)
                return scan_fail(s, "a string is not valid");
            i++;
        }
        i = json_run(in, i, &high);
        if (i == in.n || in.p[i] == '"')
            break;
        if (in.p[i] != '\\')
            return scan_fail(s, "a string is not valid");
        s->escaped = s->after_backslash = true;
        i++;
    }
    struct slice part = slice_of(in.p + start, i - start);
    *at = i;
    if (i == in.n)
        return keep(s, part);
    (*at)++;
    s->lexing = LEX_BETWEEN;
    if (s->carry.n) {
        if (!keep(s, part))
            return false;
        part = buffer_slice(&s->carry);
    } else if (part.n > SCAN_MAX_TOKEN) {
        return scan_fail(s, "a string or number is too long");
    }
    bool ok = take_string(s, part, s->escaped);
    s->carry.n = 0;
    return ok;
}

static bool lex_bare(struct scanner *s, struct slice in, size_t *at)
{
    size_t start = *at, i = *at;
    while (i < in.n && is_bare(in.p[i]))
        i++;
    struct slice part = slice_of(in.p + start, i - start);
    *at = i;
    if (i == in.n)
        return keep(s, part);
    s->lexing = LEX_BETWEEN;
    if (s->carry.n) {
        if (!keep(s, part))
            return false;
        part = buffer_slice(&s->carry);
    }
    bool ok = part.n <= SCAN_MAX_TOKEN ? take_bare(s, part) : scan_fail(s, "a string or number is too long");
    s->carry.n = 0;
    return ok;
}

static bool lex_between(struct scanner *s, struct slice in, size_t *at)
{
    char c = in.p[*at];
    if (is_space(c)) {
        (*at)++;
        return true;
    }
    if (s->expect == EXPECT_NOTHING)
        return scan_fail(s, "there are bytes behind it");
    if (c == '{' && s->depth == 2 && s->in_list && !s->skip_depth &&
        (s->expect == EXPECT_VALUE || s->expect == EXPECT_VALUE_OR_END)) {
        size_t n = scan_whole_row(s, slice_from(in, *at));
        if (s->failed)
            return false;
        if (n) {
            *at += n;
            after_value(s);
            return true;
        }
    }
    if (c == '"') {
        s->lexing = LEX_STRING;
        s->escaped = s->after_backslash = false;
        (*at)++;
        return lex_string(s, in, at);
    }
    if (is_bare(c)) {
        s->lexing = LEX_BARE;
        return lex_bare(s, in, at);
    }
    (*at)++;
    return take_mark(s, c);
}

bool scanner_feed(struct scanner *s, struct slice in)
{
    size_t at = 0;
    while (at < in.n && !s->failed) {
        switch (s->lexing) {
        case LEX_BETWEEN:
            lex_between(s, in, &at);
            break;
        case LEX_STRING:
            lex_string(s, in, &at);
            break;
        case LEX_BARE:
            lex_bare(s, in, &at);
            break;
        }
    }
    return !s->failed;
}

bool scanner_end(struct scanner *s)
{
    if (s->failed)
        return false;
    if (s->lexing != LEX_BETWEEN || s->expect != EXPECT_NOTHING)
        return scan_fail(s, "it ends too early");
    if (!s->list_done)
        return scan_fail(s, "the list of rows is missing");
    return true;
}
