/* SPDX-License-Identifier: MIT
 * A walk over JSON. Each step moves `at` behind what it has read, or says false. */
#include "base/json.h"

#include "base/text.h"

static void skip_space(struct slice *at)
{
    while (at->n && (at->p[0] == ' ' || at->p[0] == '\t' || at->p[0] == '\n' || at->p[0] == '\r'))
        *at = slice_from(*at, 1);
}

static bool take(struct slice *at, char c)
{
    if (!at->n || at->p[0] != c)
        return false;
    *at = slice_from(*at, 1);
    return true;
}

static bool take_digits(struct slice *at)
{
    size_t n = 0;
    while (n < at->n && is_digit(at->p[n]))
        n++;
    *at = slice_from(*at, n);
    return n;
}

static bool take_number(struct slice *at)
{
    take(at, '-');
    if (!take(at, '0') && !take_digits(at))
        return false;
    if (take(at, '.') && !take_digits(at))
        return false;
    if (take(at, 'e') || take(at, 'E')) {
        if (!take(at, '+'))
            take(at, '-');
        return take_digits(at);
    }
    return true;
}

static bool take_escape(struct slice *at)
{
    if (take(at, 'u')) {
        for (int i = 0; i < 4; i++) {
            char c = at->n ? at->p[0] : 0;
            if (!is_digit(c) && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F'))
                return false;
            *at = slice_from(*at, 1);
        }
        return true;
    }
    if (!at->n || !memchr("\"\\/bfnrt", at->p[0], 8))
        return false;
    *at = slice_from(*at, 1);
    return true;
}

/* *text is what stands between the quotes. */
static bool take_string(struct slice *at, struct slice *text)
{
    if (!take(at, '"'))
        return false;
    const char *start = at->p;
    while (at->n) {
        unsigned char c = (unsigned char)at->p[0];
        *at = slice_from(*at, 1);
        if (c == '"') {
            *text = slice_of(start, (size_t)(at->p - 1 - start));
            return true;
        }
        if (c < 0x20 || (c == '\\' && !take_escape(at)))
            return false;
    }
    return false;
}

static bool take_word(struct slice *at, struct slice word)
{
    if (!slice_starts(*at, word))
        return false;
    *at = slice_from(*at, word.n);
    return true;
}

static bool take_value(struct slice *at, int depth);

/* Members or items up to `close`. With a name its value is looked for. */
static bool take_list(struct slice *at, char close, int depth, const struct slice *name, struct slice *value)
{
    skip_space(at);
    if (take(at, close))
        return true;
    do {
        struct slice own = { 0 };
        skip_space(at);
        if (close == '}') {
            if (!take_string(at, &own))
                return false;
            skip_space(at);
            if (!take(at, ':'))
                return false;
            skip_space(at);
        }
        const char *start = at->p;
        if (!take_value(at, depth))
            return false;
        if (name && slice_eq(own, *name))
            *value = slice_of(start, (size_t)(at->p - start));
        skip_space(at);
    } while (take(at, ','));
    return take(at, close);
}

static bool take_value(struct slice *at, int depth)
{
    struct slice text;
    if (depth >= JSON_MAX_DEPTH || !at->n)
        return false;
    switch (at->p[0]) {
    case '{':
        take(at, '{');
        return take_list(at, '}', depth + 1, NULL, NULL);
    case '[':
        take(at, '[');
        return take_list(at, ']', depth + 1, NULL, NULL);
    case '"':
        return take_string(at, &text);
    case 't':
        return take_word(at, S("true"));
    case 'f':
        return take_word(at, S("false"));
    case 'n':
        return take_word(at, S("null"));
    default:
        return take_number(at);
    }
}

bool json_member(struct slice object, struct slice name, struct slice *value)
{
    struct slice found = { 0 };
    if (utf8_valid_prefix(object) != object.n)
        return false;
    skip_space(&object);
    if (!take(&object, '{') || !take_list(&object, '}', 1, &name, &found))
        return false;
    skip_space(&object);
    if (object.n || !found.p)
        return false;
    *value = found;
    return true;
}

void json_walk_begin(struct json_walk *w, struct slice value)
{
    *w = (struct json_walk){ .rest = value };
    skip_space(&w->rest);
    if (take(&w->rest, '{'))
        w->close = '}';
    else if (take(&w->rest, '['))
        w->close = ']';
    w->failed = !w->close;
}

/* Its end has come, and nothing may stand behind it. */
static bool walk_ends(struct json_walk *w, bool well)
{
    w->close = 0;
    skip_space(&w->rest);
    w->failed = !well || w->rest.n;
    return false;
}

bool json_walk_next(struct json_walk *w, struct slice *name, struct slice *value)
{
    struct slice own = { 0 };
    if (!w->close)
        return false;
    skip_space(&w->rest);
    if (take(&w->rest, w->close))
        return walk_ends(w, true);
    if (w->begun && !take(&w->rest, ','))
        return walk_ends(w, false);
    w->begun = true;
    skip_space(&w->rest);
    if (w->close == '}') {
        if (!take_string(&w->rest, &own))
            return walk_ends(w, false);
        skip_space(&w->rest);
        if (!take(&w->rest, ':'))
            return walk_ends(w, false);
        skip_space(&w->rest);
    }
    const char *start = w->rest.p;
    if (!take_value(&w->rest, 1))
        return walk_ends(w, false);
    *name = own;
    *value = slice_of(start, (size_t)(w->rest.p - start));
    return true;
}
