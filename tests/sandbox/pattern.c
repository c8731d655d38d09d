/* SPDX-License-Identifier: MIT
 * PCRE2 standing in for RE2. */
#include "tests/sandbox/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

struct pattern {
    pcre2_code *code;
    pcre2_match_data *groups;
    pcre2_match_context *limits;
};

/* Escapes that both know and mean alike, outside of sets. */
static bool escape_is_known(char c)
{
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return !is_letter || strchr("afnrtvxdDsSwWbBpPQEAz0", c);
}

/* (?flags) (?flags: (?: (?P<name> (?<name> are RE2's; look-around, atomic groups and the rest are not. */
static bool group_is_known(struct slice s)
{
    if (slice_starts(s, S("(*")))
        return false;
    if (!slice_starts(s, S("(?")))
        return true;
    s = slice_from(s, 2);
    if (slice_starts(s, S("P<")))
        return true;
    if (s.n > 1 && s.p[0] == '<')
        return s.p[1] != '=' && s.p[1] != '!';
    size_t i = 0;
    while (i < s.n && strchr("imsU-", s.p[i]))
        i++;
    return i < s.n && (s.p[i] == ':' || (s.p[i] == ')' && i > 0));
}

/* The index behind the set that begins at `at`. */
static size_t set_end(struct slice s, size_t at)
{
    at++;
    if (at < s.n && s.p[at] == '^')
        at++;
    if (at < s.n && s.p[at] == ']')
        at++;
    while (at < s.n && s.p[at] != ']') {
        if (s.p[at] == '\\')
            at++;
        else if (s.p[at] == '[' && at + 1 < s.n && s.p[at + 1] == ':')
            while (at + 1 < s.n && !(s.p[at] == ':' && s.p[at + 1] == ']'))
                at++;
        at++;
    }
    return at + 1;
}

static bool ends_repeat(char c)
{
    return c == '*' || c == '+' || c == '?' || c == '}';
}

/* Whether all of the expression is RE2's too; what is malformed PCRE2 refuses itself. */
static bool is_re2(struct slice s)
{
    for (size_t i = 0; i < s.n;) {
        if (s.p[i] == '\\') {
            if (i + 1 < s.n && !escape_is_known(s.p[i + 1]))
                return false;
            i += 2;
        } else if (s.p[i] == '[') {
            i = set_end(s, i);
        } else if (s.p[i] == '(' && !group_is_known(slice_from(s, i))) {
            return false;
        } else if (s.p[i] == '+' && i && ends_repeat(s.p[i - 1]) && (i < 2 || s.p[i - 2] != '\\')) {
            return false; /* a possessive repeat */
        } else {
            i++;
        }
    }
    return true;
}

struct pattern *pattern_new(struct slice text)
{
    int error;
    PCRE2_SIZE at;
    if (!is_re2(text))
        return NULL;
    struct pattern *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->code = pcre2_compile((PCRE2_SPTR)text.p, text.n,
                            PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_UTF_CHECK, &error,
                            &at, NULL);
    p->limits = pcre2_match_context_create(NULL);
    p->groups = p->code ? pcre2_match_data_create_from_pattern(p->code, NULL) : NULL;
    if (!p->groups || !p->limits) {
        pattern_free(p);
        return NULL;
    }
    pcre2_set_match_limit(p->limits, 100000);
    pcre2_set_depth_limit(p->limits, 1000);
    return p;
}

void pattern_free(void *pattern)
{
    struct pattern *p = pattern;
    pcre2_match_data_free(p->groups);
    pcre2_match_context_free(p->limits);
    pcre2_code_free(p->code);
    free(p);
}

bool pattern_found(const struct pattern *pattern, struct slice s)
{
    return pcre2_match(pattern->code, (PCRE2_SPTR)(s.p ? s.p : ""), s.n, 0, PCRE2_NO_UTF_CHECK, pattern->groups,
                       pattern->limits) >= 0;
}
