/* SPDX-License-Identifier: MIT
 * A search by the borders of the secret (Knuth, Morris, Pratt), in the text as it is and as it reads decoded. */
#include "base/conceal.h"

#include <stdlib.h>

#include "base/text.h"

enum { MAX_DECODED = 3, FEW = 128 };

/* What is looked for: `back[n]` is the length of the longest proper prefix of the first n bytes that also ends them. */
struct needle {
    unsigned char *p; /* folded */
    uint32_t *back;   /* n + 1 of them */
    size_t n;
    unsigned char few_p[FEW]; /* room for most */
    uint32_t few_back[FEW + 1];
};

/* A reading of the text: byte i began at at[i] of the text; at[n] is its end. `at` NULL: it is the text itself. */
struct reading {
    const char *p;
    size_t n;
    char *room; /* where p is written; NULL: it is borrowed */
    uint32_t *at;
};

enum seen { NOT_SEEN, SEEN_FIRST, SEEN_REST };

struct search {
    struct slice text, secret;
    struct needle needle, bare;    /* `bare`: without escapes */
    struct reading decoded, plain; /* NULL until they are needed */
    unsigned char *seen;           /* enum seen, a byte of the text each; NULL: none was */
    bool failed;                   /* memory is out */
};

/* Blank and + are one: either may stand for the other. */
static unsigned char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c == '+' ? ' ' : (unsigned char)c;
}

static bool is_letter_or_digit(char c)
{
    unsigned char low = fold(c);
    return is_digit(c) || (low >= 'a' && low <= 'z') || low >= 0x80;
}

static void needle_free(struct needle *k)
{
    if (k->p)
        explicit_bzero(k->p, k->n);
    if (k->p != k->few_p) {
        free(k->p);
        free(k->back);
    }
}

/* False when memory is out. */
static bool needle_make(struct needle *k, struct slice secret)
{
    bool few = secret.n <= FEW;
    k->n = secret.n;
    k->p = few ? k->few_p : malloc(secret.n);
    k->back = few ? k->few_back : malloc((secret.n + 1) * sizeof *k->back);
    if (!k->p || !k->back)
        return false;
    for (size_t i = 0; i < secret.n; i++)
        k->p[i] = fold(secret.p[i]);
    k->back[0] = k->back[1] = 0;
    for (size_t i = 1, matched = 0; i < k->n; i++) {
        while (matched && k->p[i] != k->p[matched])
            matched = k->back[matched];
        matched += k->p[i] == k->p[matched];
        k->back[i + 1] = (uint32_t)matched;
    }
    return true;
}

static void see(struct search *s, size_t from, size_t to)
{
    if (!s->seen)
        s->seen = calloc(s->text.n, 1);
    s->failed |= !s->seen;
    if (s->failed)
        return;
    if (s->seen[from] == NOT_SEEN)
        s->seen[from] = SEEN_FIRST;
    memset(s->seen + from + 1, SEEN_REST, to - from - 1);
}

static bool counts(const struct needle *k, const struct reading *r, size_t from, size_t to)
{
    if (k->n >= CONCEAL_SHORT)
        return true;
    return !(from && is_letter_or_digit(r->p[from - 1])) && !(to < r->n && is_letter_or_digit(r->p[to]));
}

/* Mark each appearance; those that overlap an earlier one do not count. */
static void look(struct search *s, const struct needle *k, const struct reading *r)
{
    size_t matched = 0;
    for (size_t i = 0; i < r->n && !s->failed; i++) {
        unsigned char c = fold(r->p[i]);
        while (matched && k->p[matched] != c)
            matched = k->back[matched];
        matched += k->p[matched] == c;
        if (matched < k->n)
            continue;
        size_t from = i + 1 - k->n, to = i + 1;
        bool hit = counts(k, r, from, to);
        if (hit)
            see(s, r->at ? r->at[from] : from, r->at ? r->at[to] : to);
        matched = hit ? 0 : k->back[matched];
    }
}

static void reading_free(struct reading *r)
{
    free(r->room);
    free(r->at);
}

/* Room for a reading of the text; false when memory is out. */
static bool reading_make(struct search *s, struct reading *r)
{
    if (r->p)
        return true;
    r->p = r->room = malloc(s->text.n + 1);
    r->at = malloc((s->text.n + 1) * sizeof *r->at);
    s->failed |= !r->p || !r->at;
    return !s->failed;
}

/* Decode each %XX once, in place. False when there was none. */
static bool decode(struct reading *r)
{
    size_t to = 0;
    for (size_t i = 0; i < r->n; to++) {
        int high = r->p[i] == '%' && i + 2 < r->n ? hex_value(r->p[i + 1]) : -1;
        int low = high >= 0 ? hex_value(r->p[i + 2]) : -1;
        r->room[to] = low >= 0 ? (char)(high << 4 | low) : r->p[i];
        r->at[to] = r->at[i];
        i += low >= 0 ? 3 : 1;
    }
    bool any = to < r->n;
    r->at[to] = r->at[r->n];
    r->n = to;
    return any;
}

/* Copy without backslashes and with one letter for a class of its two cases. False when there is nothing to leave
 * out. */
static bool leave_escapes(const struct reading *from, struct reading *to)
{
    size_t n = from->n, out = 0;
    for (size_t i = 0; i < n;) {
        const char *p = from->p + i;
        bool is_class = p[0] == '[' && i + 3 < n && p[3] == ']' && p[1] != p[2] && fold(p[1]) == fold(p[2]);
        if (p[0] == '\\') {
            i++;
            continue;
        }
        to->room[out] = is_class ? p[1] : p[0];
        if (to->at)
            to->at[out] = from->at[i];
        out++;
        i += is_class ? 4 : 1;
    }
    if (to->at)
        to->at[out] = from->at[n];
    to->n = out;
    return out < n;
}

static bool has_escapes(struct slice s)
{
    return slice_find(s, '\\') < s.n || slice_find(s, '[') < s.n;
}

/* The secret without what is left out of the text; it may be empty then. False when memory is out. */
static bool bare_make(struct search *s)
{
    struct reading from = { .p = s->secret.p, .n = s->secret.n }, to = { .room = malloc(s->secret.n) };
    if (!to.room)
        return false;
    leave_escapes(&from, &to);
    bool ok = !to.n || needle_make(&s->bare, slice_of(to.room, to.n));
    explicit_bzero(to.room, s->secret.n);
    free(to.room);
    return ok;
}

static void look_without_escapes(struct search *s)
{
    if (!has_escapes(slice_of(s->decoded.p, s->decoded.n)) || !reading_make(s, &s->plain) ||
        !leave_escapes(&s->decoded, &s->plain))
        return;
    if (!s->bare.n && !bare_make(s))
        s->failed = true;
    if (s->bare.n)
        look(s, &s->bare, &s->plain);
}

/* The readings of a text that has escapes of any kind. */
static void look_further(struct search *s)
{
    if (!reading_make(s, &s->decoded))
        return;
    s->decoded.n = s->text.n;
    memcpy(s->decoded.room, s->text.p, s->text.n);
    for (size_t i = 0; i <= s->text.n; i++)
        s->decoded.at[i] = (uint32_t)i;
    look_without_escapes(s);
    for (int i = 0; i < MAX_DECODED && !s->failed && decode(&s->decoded); i++) {
        look(s, &s->needle, &s->decoded);
        look_without_escapes(s);
    }
}

static void write_out(const struct search *s, struct slice instead, struct buffer *out)
{
    for (size_t i = 0; i < s->text.n;) {
        size_t from = i;
        while (i < s->text.n && s->seen[i] == NOT_SEEN)
            i++;
        buffer_append(out, slice_of(s->text.p + from, i - from));
        if (i == s->text.n)
            break;
        buffer_append(out, instead);
        for (i++; i < s->text.n && s->seen[i] == SEEN_REST;)
            i++;
    }
}

/* ---- at a glance ---- */

enum { GLANCE_LEAST = 8 /* bytes of a secret, below which looking at a glance saves nothing */ };

static void put_both_cases(bool may_be[256], char c)
{
    unsigned char low = fold(c);
    may_be[low] = true;
    may_be[low == ' ' ? '+' : low] = true;
    if (low >= 'a' && low <= 'z')
        may_be[low - 32] = true;
}

/* Whether the secret stands nowhere for sure: each of its bytes takes a byte of the text or more, so all of it takes a
 * run of so many, of its own bytes and of what escapes are made of. A run as long as that covers each n-th byte. */
static bool is_nowhere(struct slice text, struct slice secret)
{
    static const char of_escapes[] = "%0123456789abcdef\\[]";
    bool may_be[256] = { false };
    if (secret.n < GLANCE_LEAST || has_escapes(secret))
        return false;
    for (size_t i = 0; i < sizeof of_escapes - 1; i++)
        put_both_cases(may_be, of_escapes[i]);
    for (size_t i = 0; i < secret.n; i++)
        put_both_cases(may_be, secret.p[i]);
    size_t begin = 0, good = 0; /* no run begins before `begin`, and all bytes from there to `good` are of one */
    for (size_t i = secret.n - 1; i < text.n; i = begin + secret.n - 1) {
        size_t from = i + 1;
        while (from > good && may_be[(unsigned char)text.p[from - 1]])
            from--;
        if (from == good)
            return false;
        begin = from;
        good = i + 1;
    }
    return true;
}

bool conceal(struct slice text, struct slice secret, struct slice instead, struct buffer *out)
{
    if (!secret.n || secret.n > text.n || is_nowhere(text, secret))
        return false;
    struct search s = { .text = text, .secret = secret };
    struct reading raw = { .p = text.p, .n = text.n };
    s.failed = text.n >= UINT32_MAX || !needle_make(&s.needle, secret);
    if (!s.failed)
        look(&s, &s.needle, &raw);
    if (!s.failed && (slice_find(text, '%') < text.n || has_escapes(text)))
        look_further(&s);
    bool any = s.seen || s.failed;
    if (s.failed)
        out->failed = true;
    else if (any)
        write_out(&s, instead, out);
    needle_free(&s.needle);
    needle_free(&s.bare);
    reading_free(&s.decoded);
    reading_free(&s.plain);
    free(s.seen);
    return any;
}
