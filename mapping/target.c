/* SPDX-License-Identifier: MIT
 * Targets: scheme, host and path apart; what v3 wants differs by mode (docs/compatibility.md). */
#include "mapping/target.h"

#include <utf8proc.h>

#include "base/text.h"

const struct slice v3_free_targets = SLICE("ahrefs.com yep.com firehose.com");

enum { MAX_TARGET = 2048, MAX_HOST = 253 };

static const struct slice names[MODE_COUNT] = {
    [MODE_EXACT] = SLICE("exact"),
    [MODE_DOMAIN] = SLICE("domain"),
    [MODE_SUBDOMAINS] = SLICE("subdomains"),
    [MODE_PREFIX] = SLICE("prefix"),
};

struct slice mode_name(enum mode m)
{
    return names[m];
}

enum mode mode_find(struct slice name)
{
    for (int m = 0; m < MODE_COUNT; m++)
        if (slice_eq(names[m], name))
            return (enum mode)m;
    return MODE_COUNT;
}

/* ---- code points that a target may not have: its reader does not see them, or takes them for others ---- */

static utf8proc_category_t category(uint32_t c)
{
    return utf8proc_category((utf8proc_int32_t)c);
}

/* Controls that are white space, the spaces and separators of all scripts. */
static bool is_white(uint32_t c)
{
    utf8proc_category_t k = category(c);
    return (c >= '\t' && c <= '\r') || c == 0x85 || k == UTF8PROC_CATEGORY_ZS || k == UTF8PROC_CATEGORY_ZL ||
           k == UTF8PROC_CATEGORY_ZP;
}

static bool is_blank(uint32_t c)
{
    enum { ZERO_WIDTH_SPACE = 0x200B, WORD_JOINER = 0x2060, BYTE_ORDER_MARK = 0xFEFF };
    return is_white(c) || c == ZERO_WIDTH_SPACE || c == WORD_JOINER || c == BYTE_ORDER_MARK;
}

/* Where the last code point begins. */
static size_t last_of(struct slice text)
{
    size_t at = text.n - 1;
    while (at && ((unsigned char)text.p[at] & 0xC0) == 0x80)
        at--;
    return at;
}

static struct slice target_trim(struct slice text)
{
    size_t length;
    while (text.n && is_blank(utf8_decode(text.p, &length)))
        text = slice_from(text, length);
    while (text.n && is_blank(utf8_decode(text.p + last_of(text), &length)))
        text.n -= length;
    return text;
}

/* What is odd about a code point, as in "a control character"; NULL for what may stand anywhere. */
static const char *odd_kind(uint32_t c)
{
    if (is_white(c))
        return "a blank";
    if ((c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE)
        return "which is no character";
    switch (category(c)) {
    case UTF8PROC_CATEGORY_CC:
        return "a control character";
    case UTF8PROC_CATEGORY_CF:
        return "an invisible format character";
    case UTF8PROC_CATEGORY_CO:
        return "a private-use character";
    case UTF8PROC_CATEGORY_CS:
        return "half of a surrogate pair";
    default:
        return NULL;
    }
}

/* What of ASCII compatibility decomposition finds in `c`: one of `marks`; `whole`: it is all of it. */
static char decomposed(uint32_t c, const char *marks, bool whole)
{
    enum { LONGEST = 18 }; /* of all code points */
    utf8proc_int32_t parts[LONGEST];
    int boundary = 0;
    utf8proc_ssize_t n =
        utf8proc_decompose_char((utf8proc_int32_t)c, parts, LONGEST, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, &boundary);
    for (utf8proc_ssize_t i = 0; i < n && i < LONGEST && (!whole || n == 1); i++)
        if (parts[i] > 0 && parts[i] < 0x80 && strchr(marks, parts[i]))
            return (char)parts[i];
    return 0;
}

/* The ASCII character that `c` looks like though it is another: one of . / @, as a full-width form; in a host whatever
 * has a meaning there. 0 when there is none. */
static char odd_look_alike(uint32_t c, bool in_host)
{
    enum { IDEOGRAPHIC_FULL_STOP = 0x3002, HALF_WIDTH_FULL_STOP = 0xFF61 };
    enum { FRACTION_SLASH = 0x2044, DIVISION_SLASH = 0x2215, BIG_SOLIDUS = 0x29F8 };
    if (c < 0x80)
        return 0;
    if (c == IDEOGRAPHIC_FULL_STOP || c == HALF_WIDTH_FULL_STOP)
        return '.';
    if (in_host && (c == FRACTION_SLASH || c == DIVISION_SLASH || c == BIG_SOLIDUS))
        return '/';
    char mark = decomposed(c, "./@", true);
    return mark || !in_host ? mark : decomposed(c, "./@:?#%\\[]", false);
}

/* A letter or digit of any script, or _. */
static bool odd_begins_host(uint32_t c)
{
    utf8proc_category_t k = category(c);
    return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO) || k == UTF8PROC_CATEGORY_ND || c == '_';
}

/* ---- reading ---- */

static struct refusal bad(const char *why)
{
    return (struct refusal){ FAULT_BAD_TARGET, slice_str(why) };
}

static struct refusal no_memory(void)
{
    return (struct refusal){ FAULT_TOO_BUSY, S("the call needs more memory than one call may have") };
}

/* The scheme with its "://", when there is one of the two that pages have. */
static struct slice take_scheme(struct slice *text)
{
    static const struct slice schemes[] = { SLICE("http://"), SLICE("https://") };
    for (size_t i = 0; i < 2; i++) {
        size_t n = schemes[i].n;
        if (text->n >= n && slice_eq_nocase(slice_of(text->p, n), schemes[i])) {
            *text = slice_from(*text, n);
            return schemes[i];
        }
    }
    return slice_of("", 0);
}

/* Labels of letters, digits, - and _ (or beyond ASCII), none empty, at least two of them or an address; a letter, a
 * digit or _ first. */
static bool is_host(struct slice host)
{
    size_t label = 0, dots = 0, length;
    if (!host.n || host.n > MAX_HOST || !odd_begins_host(utf8_decode(host.p, &length)))
        return false;
    for (size_t i = 0; i < host.n; i++) {
        unsigned char c = (unsigned char)host.p[i];
        if (c == '.') {
            if (!label)
                return false;
            label = 0;
            dots++;
        } else if (is_digit((char)c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c >= 0x80) {
            label++;
        } else {
            return false;
        }
    }
    return label && dots;
}

/* The first code point that is odd, or that looks like one with a meaning but is another. */
static struct refusal check_text(struct slice text, bool in_host, struct arena *memory, struct slice *spot)
{
    for (size_t i = 0, length; i < text.n; i += length) {
        uint32_t c = utf8_decode(text.p + i, &length);
        const char *kind = odd_kind(c);
        char like = kind ? 0 : odd_look_alike(c, in_host);
        if (!kind && !like)
            continue;
        *spot = slice_of(text.p + i, length);
        struct slice why =
            kind ? arena_printf(memory,
                                "target has U+%04X, %s, inside: give a domain, a directory or a URL without it, such "
                                "as example.com/blog/; in a path it can be percent-encoded",
                                c, kind)
                 : arena_printf(memory,
                                "target has U+%04X, which looks like \"%c\" but is another character: write %c%s", c,
                                like, like, in_host ? "" : ", or percent-encode it");
        return why.p ? (struct refusal){ FAULT_BAD_TARGET, why } : no_memory();
    }
    return (struct refusal){ 0 };
}

/* The canonical composition (NFC) of valid UTF-8; p is NULL when memory is out. */
static struct slice composed(struct slice text, struct arena *memory)
{
    enum { LONGEST = 4 }; /* code points that canonical decomposition makes of one */
    const utf8proc_option_t how = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    size_t room = text.n * LONGEST;
    utf8proc_int32_t *points = arena_alloc(memory, (room + 1) * sizeof *points);
    if (!points)
        return slice_of(NULL, 0);
    utf8proc_ssize_t n = utf8proc_decompose((const utf8proc_uint8_t *)text.p, (utf8proc_ssize_t)text.n, points,
                                            (utf8proc_ssize_t)room, how);
    if (n < 0 || (size_t)n > room)
        return text;
    n = utf8proc_reencode(points, n, how);
    return n < 0 ? text : slice_of((const char *)points, (size_t)n);
}

static bool is_ascii(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    return true;
}

/* Lower case, code point by code point, and composed; without the dot that ends a full name. */
static struct slice lower_host(struct slice raw, struct arena *memory)
{
    char *out = arena_alloc(memory, raw.n * 2 + 4);
    size_t n = 0;
    if (!out)
        return slice_of(NULL, 0);
    for (size_t i = 0, length; i < raw.n; i += length) {
        uint32_t c = utf8_decode(raw.p + i, &length);
        char four[4];
        size_t m = utf8_encode((uint32_t)utf8proc_tolower((utf8proc_int32_t)c), four);
        memcpy(out + n, four, m);
        n += m;
    }
    if (n > 1 && out[n - 1] == '.')
        n--;
    struct slice host = slice_of(out, n);
    return is_ascii(host) ? host : composed(host, memory);
}

static bool is_port(struct slice port)
{
    uint64_t n;
    return parse_u64(port, &n) && n >= 1 && n <= 65535;
}

struct refusal target_parse(struct slice text, enum mode mode, struct arena *memory, struct target *ret)
{
    if (utf8_valid_prefix(text) < text.n)
        return bad("target is not UTF-8");
    text = target_trim(text);
    ret->spot = text;
    if (!text.n)
        return bad("target is missing: give a domain, a directory or a URL, such as target=example.com");
    if (text.n > MAX_TARGET)
        return bad("target is longer than 2048 bytes");
    struct slice scheme = take_scheme(&text);
    size_t host_end = 0;
    while (host_end < text.n && !strchr("/?#", text.p[host_end]))
        host_end++;
    struct slice port, authority = slice_of(text.p, host_end), path = slice_from(text, host_end);
    struct refusal odd = check_text(authority, true, memory, &ret->spot);
    if (!odd.fault)
        odd = check_text(path, false, memory, &ret->spot);
    if (odd.fault)
        return odd;
    ret->spot = slice_of(authority.p, slice_find(authority, '@') + 1);
    if (ret->spot.n <= authority.n)
        return bad("target has user information (an @ before the path): give the host alone");
    ret->spot = authority;
    struct slice host = lower_host(slice_split(authority, ':', &port), memory);
    if (!host.p)
        return no_memory();
    if (!is_host(host) || (port.p && !is_port(port)))
        return bad(
            "target has no valid host, which begins with a letter, a digit or _ and has a dot: give a domain such as "
            "example.com, a directory such as example.com/blog/, or a URL");
    ret->spot = slice_of(NULL, 0);
    bool bare = !path.n || slice_eq(path, S("/"));
    ret->host = host;
    ret->v3_mode = mode == MODE_PREFIX && bare ? MODE_DOMAIN : mode;
    if (ret->v3_mode == MODE_DOMAIN || ret->v3_mode == MODE_SUBDOMAINS) {
        ret->v3 = host;
        return (struct refusal){ 0 };
    }
    if (mode != MODE_EXACT)
        scheme = S("");
    ret->v3 = arena_printf(memory, "%.*s%.*s%s%.*s%s%.*s", SLICE_ARGS(scheme), SLICE_ARGS(host), port.p ? ":" : "",
                           SLICE_ARGS(port), path.n && path.p[0] != '/' ? "/" : "", SLICE_ARGS(path));
    if (!ret->v3.p)
        return no_memory();
    if (ret->v3.n > MAX_TARGET)
        return bad("target is longer than 2048 bytes");
    return (struct refusal){ 0 };
}

bool host_is_under(struct slice host, struct slice list)
{
    while (list.n) {
        struct slice rest, name = slice_split(list, ' ', &rest);
        list = rest;
        if (!name.n || !slice_ends(host, name))
            continue;
        if (host.n == name.n || host.p[host.n - name.n - 1] == '.')
            return true;
    }
    return false;
}
