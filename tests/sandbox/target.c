/* SPDX-License-Identifier: MIT
 * Reads targets: which are refused, and where the registrable domain begins. */
#include "tests/sandbox/target.h"

#include "base/text.h"

static const struct slice free_roots[] = { SLICE("ahrefs.com"), SLICE("yep.com"), SLICE("firehose.com") };

/* Suffixes of two labels under which domains are registered. */
static const struct slice long_suffixes[] = {
    SLICE("co.uk"),  SLICE("org.uk"), SLICE("ac.uk"),  SLICE("gov.uk"), SLICE("com.au"), SLICE("co.jp"),
    SLICE("com.br"), SLICE("co.nz"),  SLICE("com.tr"), SLICE("co.in"),  SLICE("com.cn"), SLICE("co.za"),
};

static bool label_is_good(struct slice label)
{
    if (!label.n || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
        return false;
    for (size_t i = 0; i < label.n; i++) {
        unsigned char c = (unsigned char)label.p[i];
        if (!((c >= 'a' && c <= 'z') || is_digit((char)c) || c == '-' || c == '_' || c >= 0x80))
            return false;
    }
    return true;
}

static bool host_is_good(struct slice host)
{
    size_t labels = 0;
    struct slice rest = host, label = { 0 };
    if (host.n > 253 || utf8_valid_prefix(host) != host.n)
        return false;
    while (rest.p) {
        label = slice_split(rest, '.', &rest);
        if (!label_is_good(label))
            return false;
        labels++;
    }
    return labels > 1 && !is_digit(label.p[0]);
}

/* The last `labels` labels of the host. */
static struct slice tail(struct slice host, int labels)
{
    size_t at = host.n;
    while (at && labels) {
        at--;
        if (host.p[at] == '.' && --labels == 0)
            return slice_from(host, at + 1);
    }
    return host;
}

static struct slice registrable(struct slice host)
{
    struct slice two = tail(host, 2);
    for (size_t i = 0; i < sizeof long_suffixes / sizeof long_suffixes[0]; i++)
        if (slice_eq(two, long_suffixes[i]))
            return tail(host, 3);
    return two;
}

static bool root_is_free(struct slice root)
{
    for (size_t i = 0; i < sizeof free_roots / sizeof free_roots[0]; i++)
        if (slice_eq(root, free_roots[i]))
            return true;
    return false;
}

static struct slice strip_scheme(struct slice text)
{
    if (text.n >= 8 && slice_eq_nocase(slice_of(text.p, 8), S("https://")))
        return slice_from(text, 8);
    if (text.n >= 7 && slice_eq_nocase(slice_of(text.p, 7), S("http://")))
        return slice_from(text, 7);
    return text;
}

static bool has_odd_byte(struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] <= ' ' || text.p[i] == '@' || text.p[i] == '#' || text.p[i] == 0x7f)
            return true;
    return false;
}

static struct slice lower_copy(struct arena *memory, struct slice s)
{
    struct slice copy = arena_dup(memory, s);
    char *p = arena_alloc(memory, s.n + 1);
    if (!copy.p || !p)
        return slice_of(NULL, 0);
    for (size_t i = 0; i < s.n; i++)
        p[i] = copy.p[i] >= 'A' && copy.p[i] <= 'Z' ? (char)(copy.p[i] + 32) : copy.p[i];
    return slice_of(p, s.n);
}

bool target_read(struct arena *memory, const struct options *options, struct slice text, enum mode mode,
                 struct target *target, struct slice *why)
{
    struct slice rest = strip_scheme(text), port = { 0 };
    size_t slash = 0;
    while (slash < rest.n && rest.p[slash] != '/' && rest.p[slash] != '?')
        slash++;
    struct slice path = slice_from(rest, slash), host = slice_split(slice_of(rest.p, slash), ':', &port);
    bool decorated = rest.n != text.n || path.n || port.p;
    host = lower_copy(memory, host);
    bool bare_mode = mode == MODE_DOMAIN || mode == MODE_SUBDOMAINS;
    if (has_odd_byte(text) || !host_is_good(host) || slice_eq(registrable(host), S("refused.example")) ||
        (decorated && bare_mode && options->decorated_target == DECORATED_TARGET_REFUSE)) {
        *why = arena_printf(memory, "bad target %.*s", SLICE_ARGS(text));
        return false;
    }
    if (path.n && path.p[0] == '?')
        path = arena_printf(memory, "/%.*s", SLICE_ARGS(path));
    target->host = host;
    target->root = registrable(host);
    target->path = path.n ? arena_dup(memory, path) : S("/");
    target->is_home = slice_eq(target->path, S("/"));
    target->is_free = root_is_free(target->root);
    return true;
}
