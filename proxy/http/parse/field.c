/* SPDX-License-Identifier: MIT
 * Header lines: the few that mean something to us stand as rows; of the others only the form counts. */
#include "base/text.h"
#include "proxy/http/parse/grammar.h"

static struct reader_span trim(const char *bytes, struct reader_span s)
{
    while (s.n && (bytes[s.at] == ' ' || bytes[s.at] == '\t')) {
        s.at++;
        s.n--;
    }
    while (s.n && (bytes[s.at + s.n - 1] == ' ' || bytes[s.at + s.n - 1] == '\t'))
        s.n--;
    return s;
}

bool host_is_well_formed(struct slice s)
{
    bool is_address = slice_starts(s, S("["));
    size_t n = slice_find(s, is_address ? ']' : ':');
    struct slice name = is_address ? slice_of(s.p + 1, n - 1) : slice_of(s.p, n);
    if (!name.n || bytes_of_class(name, BYTE_HOST) != name.n || slice_find(name, '[') != name.n ||
        slice_find(name, ']') != name.n || (is_address && n++ == s.n))
        return false;
    struct slice port = slice_from(s, n);
    if (port.n && port.p[0] != ':')
        return false;
    for (size_t i = 1; i < port.n; i++)
        if (!is_digit(port.p[i]))
            return false;
    return true;
}

static void take_host(struct reader *r, const char *bytes, struct reader_span value)
{
    struct slice s = reader_slice(bytes, value);
    if (r->seen.host)
        r->bad_host = "Host stands there twice";
    else if (!host_is_well_formed(s))
        r->bad_host = "Host is not a host name, with or without a port number";
    r->seen.host = true;
    r->host = value;
}

static void take_content_length(struct reader *r, const char *bytes, struct reader_span value)
{
    uint64_t length = 0;
    bool decimal = value.n >= 1 && value.n <= 10;
    for (uint32_t i = 0; decimal && i < value.n; i++) {
        char c = bytes[value.at + i];
        decimal = is_digit(c);
        length = length * 10 + (uint64_t)(c - '0');
    }
    if (r->seen.content_length)
        r->bad_length = "Content-Length stands there twice";
    else if (!decimal)
        r->bad_length = "Content-Length is not a number of 1 to 10 digits";
    else
        r->content_length = length > UINT32_MAX ? UINT32_MAX : (uint32_t)length;
    r->seen.content_length = true;
}

static void take_transfer_encoding(struct reader *r, const char *bytes, struct reader_span value)
{
    (void)bytes;
    (void)value;
    r->seen.transfer_encoding = true;
}

static void take_expect(struct reader *r, const char *bytes, struct reader_span value)
{
    if (slice_eq_nocase(reader_slice(bytes, value), S("100-continue")))
        r->expects_continue = true;
    else
        r->seen.odd_expectation = true;
}

static void take_connection(struct reader *r, const char *bytes, struct reader_span value)
{
    struct slice rest = reader_slice(bytes, value);
    while (rest.n) {
        struct slice word = slice_trim(slice_split(rest, ',', &rest));
        if (slice_eq_nocase(word, S("close")))
            r->seen.asks_close = true;
        else if (slice_eq_nocase(word, S("keep-alive")))
            r->seen.asks_keep_alive = true;
    }
}

static void take_content_type(struct reader *r, const char *bytes, struct reader_span value)
{
    (void)bytes;
    if (!r->content_type.n)
        r->content_type = value;
}

static void take_user_agent(struct reader *r, const char *bytes, struct reader_span value)
{
    (void)bytes;
    if (!r->user_agent.n)
        r->user_agent = value;
}

/* Two are none: nothing says which one counts. */
static void take_authorization(struct reader *r, const char *bytes, struct reader_span value)
{
    (void)bytes;
    if (r->seen.authorization)
        value.n = 0;
    r->authorization = value;
    r->seen.authorization = true;
}

static void take_fresh(struct reader *r, const char *bytes, struct reader_span value)
{
    r->asks_fresh |= slice_eq_nocase(reader_slice(bytes, value), S("yes"));
}

static void take_first(struct reader_span *first, struct reader_span value)
{
    if (!first->n)
        *first = value;
}

static void take_origin(struct reader *r, const char *bytes, struct reader_span value)
{
    (void)bytes;
    take_first(&r->browser.origin, value);
}

static void take_fetch_site(struct reader *r, const char *bytes, struct reader_span value)
{
    (void)bytes;
    take_first(&r->browser.fetch_site, value);
}

static void take_cookie(struct reader *r, const char *bytes, struct reader_span value)
{
    (void)bytes;
    take_first(&r->browser.cookie, value);
}

static void take_if_none_match(struct reader *r, const char *bytes, struct reader_span value)
{
    (void)bytes;
    take_first(&r->browser.if_none_match, value);
}

static void take_forwarded_proto(struct reader *r, const char *bytes, struct reader_span value)
{
    (void)bytes;
    take_first(&r->browser.forwarded_proto, value);
}

struct field_row {
    struct slice name;
    void (*take)(struct reader *r, const char *bytes, struct reader_span value);
};

static const struct field_row fields[] = {
    { SLICE("host"), take_host },
    { SLICE("content-length"), take_content_length },
    { SLICE("transfer-encoding"), take_transfer_encoding },
    { SLICE("expect"), take_expect },
    { SLICE("connection"), take_connection },
    { SLICE("content-type"), take_content_type },
    { SLICE("user-agent"), take_user_agent },
    { SLICE("authorization"), take_authorization },
    { SLICE("x-anchorage-fresh"), take_fresh },
    { SLICE("origin"), take_origin },
    { SLICE("sec-fetch-site"), take_fetch_site },
    { SLICE("cookie"), take_cookie },
    { SLICE("if-none-match"), take_if_none_match },
    { SLICE("x-forwarded-proto"), take_forwarded_proto },
};

bool field_read(struct reader *r, const char *bytes, struct reader_span line)
{
    struct slice s = reader_slice(bytes, line);
    if (s.p[0] == ' ' || s.p[0] == '\t')
        return reader_refuse(r, 400, "a header line is folded");
    size_t n = bytes_of_class(s, BYTE_TOKEN);
    if (!n || n == s.n || s.p[n] != ':')
        return reader_refuse(r, 400, "a header line is not NAME: VALUE");
    struct reader_span value = { line.at + (uint32_t)n + 1, line.n - (uint32_t)n - 1 };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i].name.n == n && slice_eq_nocase(fields[i].name, slice_of(s.p, n))) {
            fields[i].take(r, bytes, trim(bytes, value));
            break;
        }
    }
    return true;
}
