/* SPDX-License-Identifier: MIT
 * The request line: version, method, target, in this order, since a line of another version is not ours
 * to take apart. */
#include "base/text.h"
#include "proxy/http/parse/grammar.h"

struct method_row {
    struct slice name;
    bool ours;
    enum reader_method method;
};

static const struct method_row methods[] = {
    { SLICE("GET"), true, READER_GET },    { SLICE("HEAD"), true, READER_HEAD },
    { SLICE("POST"), true, READER_POST },  { SLICE("OPTIONS"), true, READER_OPTIONS },
    { SLICE("PUT"), false, READER_GET },   { SLICE("DELETE"), false, READER_GET },
    { SLICE("PATCH"), false, READER_GET }, { SLICE("CONNECT"), false, READER_GET },
    { SLICE("TRACE"), false, READER_GET },
};

static bool read_version(struct reader *r, struct slice s)
{
    if (slice_eq(s, S("HTTP/1.1")) || slice_eq(s, S("HTTP/1.0"))) {
        r->minor = s.p[7] == '1';
        return true;
    }
    if (s.n == 8 && slice_starts(s, S("HTTP/")) && is_digit(s.p[5]) && s.p[6] == '.' && is_digit(s.p[7]))
        return reader_refuse(r, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    return reader_refuse(r, 400, "the request line does not end in HTTP/1.0 or HTTP/1.1");
}

static bool read_method(struct reader *r, struct slice s)
{
    if (!s.n || bytes_of_class(s, BYTE_TOKEN) != s.n)
        return reader_refuse(r, 400, "the request line does not begin with a method");
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (!slice_eq(s, methods[i].name))
            continue;
        if (!methods[i].ours)
            return reader_refuse(r, 405, "the method is not one of GET, HEAD, POST, OPTIONS");
        r->method = methods[i].method;
        return true;
    }
    return reader_refuse(r, 501, "the method is not known");
}

/* http://host and https://host in front of the path; *at moves behind it. */
static bool read_authority(struct reader *r, const char *bytes, struct reader_span target, uint32_t *at)
{
    struct slice s = reader_slice(bytes, target);
    size_t scheme = 0;
    if (s.n >= 7 && slice_eq_nocase(slice_of(s.p, 7), S("http://")))
        scheme = 7;
    else if (s.n >= 8 && slice_eq_nocase(slice_of(s.p, 8), S("https://")))
        scheme = 8;
    size_t n = scheme ? bytes_of_class(slice_from(s, scheme), BYTE_HOST) : 0;
    size_t end = scheme + n;
    if (!n || (end < s.n && s.p[end] != '/' && s.p[end] != '?') || !host_is_well_formed(slice_of(s.p + scheme, n)))
        return reader_refuse(r, 400, "the target of the request is not a path");
    r->authority = (struct reader_span){ target.at + (uint32_t)scheme, (uint32_t)n };
    *at = target.at + (uint32_t)end;
    return true;
}

static bool read_target(struct reader *r, const char *bytes, struct reader_span target)
{
    uint32_t at = target.at, end = target.at + target.n;
    if (target.n == 1 && bytes[at] == '*' && r->method == READER_OPTIONS) {
        r->path = target;
        return true;
    }
    if (bytes[at] != '/' && bytes[at] != '?' && !read_authority(r, bytes, target, &at))
        return false;
    r->path = (struct reader_span){ at, (uint32_t)bytes_of_class(slice_of(bytes + at, end - at), BYTE_PATH) };
    at += r->path.n;
    if (at < end && bytes[at] == '?') {
        r->has_query = true;
        r->query = (struct reader_span){ at + 1, end - at - 1 };
        if (slice_find(reader_slice(bytes, r->query), '#') == r->query.n)
            return true;
    } else if (at == end) {
        return true;
    }
    return reader_refuse(r, 400,
                         at < end && (unsigned char)bytes[at] >= 0x80 ? "the path holds a byte beyond ASCII"
                                                                      : "a # stands in the target of the request");
}

/* Raw blanks are taken behind the '?', where they can be nothing else; those right before the version end the query. */
static bool take_blanks(struct reader *r, struct slice *target)
{
    size_t blank = slice_find(*target, ' ');
    if (blank == target->n)
        return true;
    r->seen.raw_blank = true;
    while (target->n && target->p[target->n - 1] == ' ')
        target->n--;
    return slice_find(*target, '?') < blank;
}

bool request_line_read(struct reader *r, const char *bytes, struct reader_span line)
{
    struct slice s = reader_slice(bytes, line);
    size_t first = slice_find(s, ' ');
    size_t last = s.n;
    while (last > first && s.p[last - 1] != ' ')
        last--;
    /* last is now behind the last space, or `first` when there is none behind the first */
    if (first == s.n || last <= first + 2)
        return reader_refuse(r, 400, "the request line is not METHOD TARGET VERSION");
    struct slice target = slice_of(s.p + first + 1, last - first - 2);
    if (!take_blanks(r, &target))
        return reader_refuse(r, 400, "the request line is not METHOD TARGET VERSION");
    return read_version(r, slice_from(s, last)) && read_method(r, slice_of(s.p, first)) &&
           read_target(r, bytes, (struct reader_span){ line.at + (uint32_t)first + 1, (uint32_t)target.n });
}
