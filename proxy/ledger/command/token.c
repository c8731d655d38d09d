/* SPDX-License-Identifier: MIT
 * Tokens, and what becomes of them on the way. */
#include "proxy/ledger/command/token.h"

#include "base/text.h"

enum { MAX_TOKEN = 512, DIGITS_KEPT = 15 /* of a number, in a spreadsheet */ };

static size_t digits_from(struct slice s, size_t at)
{
    while (at < s.n && is_digit(s.p[at]))
        at++;
    return at;
}

/* 1.23457E+39, 1,23457E+39, 1E+39. Digits with an E among them may be a token. */
static bool is_rounded(struct slice s)
{
    size_t whole = digits_from(s, 0), at = whole;
    bool has_point = at < s.n && (s.p[at] == '.' || s.p[at] == ',');
    if (has_point)
        at = digits_from(s, at + 1);
    if (!whole || at == s.n || (s.p[at] != 'E' && s.p[at] != 'e'))
        return false;
    at++;
    bool has_sign = at < s.n && (s.p[at] == '+' || s.p[at] == '-');
    at += has_sign;
    return (has_point || has_sign) && at < s.n && digits_from(s, at) == s.n;
}

/* 1234567890.0 */
static bool is_fraction(struct slice s)
{
    size_t at = digits_from(s, 0);
    if (!at || s.n - at < 2 || (s.p[at] != '.' && s.p[at] != ','))
        return false;
    while (++at < s.n && s.p[at] == '0')
        ;
    return at == s.n;
}

/* A rounded number written out: 1234567890123450000000. */
static bool is_cut_number(struct slice s)
{
    if (s.n < DIGITS_KEPT + 5 || s.p[0] == '0' || digits_from(s, 0) < s.n)
        return false;
    for (size_t i = DIGITS_KEPT; i < s.n; i++)
        if (s.p[i] != '0')
            return false;
    return true;
}

static bool is_all(struct slice s, char c)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != c)
            return false;
    return true;
}

static const char *spoilt(struct slice t)
{
    if (t.p[0] == '\'' || t.p[0] == '"' || t.p[t.n - 1] == '\'' || t.p[t.n - 1] == '"')
        return "the token has a quote at its end, as spreadsheets and shells write texts; the token without it";
    if (t.p[0] == '=')
        return "the token is a formula; what the formula stands for";
    if (is_rounded(t) || is_fraction(t) || is_cut_number(t))
        return "a spreadsheet has made a number of the token; the token from where it was copied, in a column of text";
    if (is_all(t, '#'))
        return "a spreadsheet has hidden the token behind #; the token from where it was copied";
    return NULL;
}

bool token_check(struct slice token, struct buffer *wrong)
{
    const char *why = !token.n ? "the token is empty" : NULL;
    if (token.n > MAX_TOKEN)
        why = "the token is too long; at most 512 characters";
    for (size_t i = 0; i < token.n && !why; i++) {
        unsigned char c = (unsigned char)token.p[i];
        if (c <= 0x20 || c == 0x7F)
            why = "the token has a space or a control character in it; the token in one piece";
        else if (c >= 0x80)
            why = "the token has a character in it that is not ASCII, such as a blank that does not break or a "
                  "quote of a word processor; the token as programs send it";
    }
    if (!why)
        why = spoilt(token);
    if (why)
        buffer_str(wrong, why);
    return !why;
}
