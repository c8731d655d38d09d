/* SPDX-License-Identifier: MIT
 * Headers, statuses and error bodies of v3: see docs/upstream.md, "What an answer means". */
#include "proxy/upstream/reply.h"

#include <curl/curl.h>
#include <json-c/json.h>

#include "base/json.h"
#include "base/text.h"
#include "proxy/upstream/leak.h"

static const int64_t longest_retry_after_ms = 24 * 3600 * 1000LL;

/* A price beyond is none: that of any request is far below, and sums of them must not overflow. */
static const int64_t most_units = 1000000000;

void reply_init(struct reply *r)
{
    r->status = 0;
    r->type = REPLY_TYPE_NONE;
    r->units = r->units_nominal = r->rows = r->retry_after_ms = -1;
    r->cache_hit = r->has_head = false;
    r->header_bytes = r->n_error = 0;
}

int64_t reply_retry_after(struct slice value, int64_t wall_ms)
{
    uint64_t seconds;
    char date[64];
    if (parse_u64(value, &seconds)) {
        return seconds > (uint64_t)longest_retry_after_ms / 1000 ? longest_retry_after_ms : (int64_t)seconds * 1000;
    }
    if (value.n == 0 || value.n >= sizeof(date) || is_digit(value.p[0]) || value.p[0] == '-') {
        return -1;
    }
    memcpy(date, value.p, value.n);
    date[value.n] = '\0';
    time_t at = curl_getdate(date, NULL);
    if (at == -1) {
        return -1;
    }
    if (at > wall_ms / 1000 + longest_retry_after_ms / 1000) { /* in milliseconds it may be more than there are */
        return longest_retry_after_ms;
    }
    return at <= wall_ms / 1000 ? 0 : (int64_t)at * 1000 - wall_ms;
}

static void take_number(int64_t *to, struct slice value)
{
    int64_t n;
    if (parse_i64(value, &n) && n >= 0) {
        *to = n;
    }
}

static void take_price(int64_t *to, struct slice value)
{
    take_number(to, value);
    if (*to > most_units) {
        *to = -1;
    }
}

static void take_units(struct reply *r, struct slice value, int64_t wall_ms)
{
    (void)wall_ms;
    take_price(&r->units, value);
}

static void take_nominal(struct reply *r, struct slice value, int64_t wall_ms)
{
    (void)wall_ms;
    take_price(&r->units_nominal, value);
}

static void take_rows(struct reply *r, struct slice value, int64_t wall_ms)
{
    (void)wall_ms;
    take_number(&r->rows, value);
}

static void take_cache(struct reply *r, struct slice value, int64_t wall_ms)
{
    (void)wall_ms;
    r->cache_hit = slice_eq_nocase(value, S("hit"));
}

static void take_retry_after(struct reply *r, struct slice value, int64_t wall_ms)
{
    r->retry_after_ms = reply_retry_after(value, wall_ms);
}

static void take_type(struct reply *r, struct slice value, int64_t wall_ms)
{
    (void)wall_ms;
    struct slice type = slice_trim(slice_of(value.p, slice_find(value, ';')));
    size_t plus = slice_find(type, '+');
    bool json = slice_eq_nocase(type, S("application/json")) || slice_eq_nocase(type, S("text/json")) ||
                (plus < type.n && slice_eq_nocase(slice_from(type, plus), S("+json")));
    r->type = type.n == 0 ? REPLY_TYPE_NONE : json ? REPLY_TYPE_JSON : REPLY_TYPE_OTHER;
}

static const struct {
    struct slice name;
    void (*take)(struct reply *r, struct slice value, int64_t wall_ms);
} headers[] = {
    { SLICE("content-type"), take_type },
    { SLICE("retry-after"), take_retry_after },
    { SLICE("x-api-cache"), take_cache },
    { SLICE("x-api-rows"), take_rows },
    { SLICE("x-api-units-cost-total"), take_nominal },
    { SLICE("x-api-units-cost-total-actual"), take_units },
};

/* "HTTP/1.1 200 OK": what came before it (an interim answer, a proxy's) is over. */
static void take_status(struct reply *r, struct slice line)
{
    size_t seen = r->header_bytes;
    reply_init(r);
    r->header_bytes = seen;
    struct slice rest;
    uint64_t status = 0;
    slice_split(slice_trim(line), ' ', &rest);
    if (rest.n >= 3 && (rest.n == 3 || rest.p[3] == ' ') && parse_u64(slice_of(rest.p, 3), &status)) {
        r->status = (int)status;
    }
}

bool reply_header(struct reply *r, struct slice line, int64_t wall_ms)
{
    r->header_bytes += line.n;
    if (r->header_bytes > REPLY_MAX_HEADER_BYTES) {
        return false;
    }
    if (r->has_head) {
        return true; /* what follows the body is none of the answer's head */
    }
    if (slice_starts(line, S("HTTP/"))) {
        take_status(r, line);
        return true;
    }
    if (slice_trim(line).n == 0) {
        r->has_head = r->status >= 200;
        return true;
    }
    char first = line.n ? (char)(line.p[0] | 0x20) : 0;
    if (first != 'x' && first != 'c' && first != 'r') {
        return true;
    }
    struct slice value, name = slice_split(line, ':', &value);
    for (size_t i = 0; value.p && i < sizeof(headers) / sizeof(headers[0]); i++) {
        if (name.n == headers[i].name.n && slice_eq_nocase(name, headers[i].name)) {
            headers[i].take(r, slice_trim(value), wall_ms);
            break;
        }
    }
    return true;
}

bool reply_error_bytes(struct reply *r, struct slice bytes)
{
    size_t room = sizeof(r->error) - r->n_error;
    size_t n = bytes.n < room ? bytes.n : room;
    memcpy(r->error + r->n_error, bytes.p, n);
    r->n_error += n;
    return r->n_error < sizeof(r->error);
}

/* The text in a JSON error, or NULL; it lives as long as `json`. */
static const char *json_words(struct json_object *json)
{
    struct json_object *found = NULL;
    if (json_object_is_type(json, json_type_array)) {
        size_t n = json_object_array_length(json);
        found = n ? json_object_array_get_idx(json, n - 1) : NULL;
    } else if (json_object_is_type(json, json_type_object) && !json_object_object_get_ex(json, "error", &found)) {
        json_object_object_get_ex(json, "message", &found);
    }
    if (json_object_is_type(found, json_type_object)) {
        json_object_object_get_ex(found, "message", &found);
    }
    return json_object_is_type(found, json_type_string) ? json_object_get_string(found) : NULL;
}

static struct json_object *parse_json(struct slice s)
{
    struct json_tokener *tokener = json_tokener_new_ex(8);
    if (!tokener) {
        return NULL;
    }
    struct json_object *json = json_tokener_parse_ex(tokener, s.p, (int)s.n);
    if (json_tokener_get_error(tokener) != json_tokener_success) {
        json_object_put(json);
        json = NULL;
    }
    json_tokener_free(tokener);
    return json;
}

static bool opens_tag(char c)
{
    return c == '/' || c == '!' || c == '?' || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* Text a person can read: markup, controls and what is no UTF-8 become one space each run. */
static void append_plain(struct slice s, struct buffer *out)
{
    bool gap = false, in_tag = false;
    while (s.n) {
        size_t n = utf8_valid_prefix(slice_of(s.p, s.n < 4 ? s.n : 4)), length = 1;
        uint32_t c = n ? utf8_decode(s.p, &length) : 0xfffd;
        if (c == '<' && s.n > 1 && opens_tag(s.p[1])) {
            in_tag = true;
        }
        bool plain = !in_tag && c != ' ' && c != 0xfffd && !utf8_is_control(c);
        if (plain) {
            if (gap && out->n) {
                buffer_put(out, ' ');
            }
            buffer_append(out, slice_of(s.p, length));
        }
        gap = !plain;
        in_tag = in_tag && c != '>';
        s = slice_from(s, length);
    }
}

static size_t characters(struct slice s, size_t most)
{
    size_t i = 0;
    while (i < s.n && most-- > 0) {
        size_t length;
        utf8_decode(s.p + i, &length);
        i += length;
    }
    return i;
}

void reply_words(const struct reply *r, struct slice secret, struct buffer *out)
{
    struct slice raw = slice_of(r->error, r->n_error);
    struct json_object *json = parse_json(raw);
    const char *found = json_words(json);
    struct buffer plain = { 0 };
    if (found) {
        raw = slice_str(found);
    }
    append_plain(raw, &plain);
    struct slice words = buffer_slice(&plain);
    if (!text_leaks(raw, secret) && !text_leaks(words, secret)) {
        buffer_append(out, slice_of(words.p, characters(words, REPLY_MAX_WORDS)));
    }
    buffer_clear(&plain);
    json_object_put(json);
}

static bool has_json_words(const struct reply *r)
{
    struct json_object *json = parse_json(slice_of(r->error, r->n_error));
    bool has = json_words(json);
    json_object_put(json);
    return has;
}

/* A long one is looked at as far as it was kept: where it begins with its error. */
static bool begins_with_error(struct slice body)
{
    struct slice name = slice_trim(body);
    if (!name.n || name.p[0] != '{') {
        return false;
    }
    name = slice_trim(slice_from(name, 1));
    return slice_starts(name, S("\"error\"")) && slice_starts(slice_trim(slice_from(name, 7)), S(":"));
}

bool reply_hides_error(const struct reply *r)
{
    struct slice body = slice_of(r->error, r->n_error), error;
    if (!body.n || !memmem(body.p, body.n, "\"error\"", 7)) {
        return false;
    }
    if (r->n_error == sizeof(r->error)) {
        return begins_with_error(body);
    }
    return json_member(body, S("error"), &error) && !slice_eq(error, S("null")) && !slice_eq(error, S("false")) &&
           !slice_eq(error, S("\"\""));
}

/* Whether v3's words begin so, in any case. */
static bool says(const struct reply *r, struct slice start)
{
    char text[256];
    struct buffer words = { 0 };
    reply_words(r, S(""), &words);
    size_t n = words.n < sizeof(text) ? words.n : sizeof(text);
    if (n) {
        memcpy(text, words.p, n);
    }
    buffer_clear(&words);
    return n >= start.n && slice_eq_nocase(slice_of(text, start.n), start);
}

struct verdict reply_judge(const struct reply *r)
{
    bool charged = r->units > 0 || r->units_nominal > 0;
    struct verdict v = { .fault = FAULT_UPSTREAM_ODD, .may_have_cost = charged || r->status < 400 };
    int s = r->status;
    if (reply_is_good(r)) {
        v.fault = FAULT_NONE;
    } else if (s == 401 || s == 403) {
        v.fault =
            s == 403 && says(r, S("API units limit reached")) ? FAULT_UPSTREAM_OUT_OF_UNITS : FAULT_UPSTREAM_DENIED;
    } else if (s == 400 && says(r, S("bad target"))) {
        v.fault = FAULT_BAD_TARGET; /* the one mistake that v3 knows better than we do */
    } else if (s == 404 && has_json_words(r)) {
        v.fault = FAULT_BAD_TARGET; /* see gone.h */
    } else if (s == 429) {
        v = (struct verdict){ FAULT_UPSTREAM_DOWN, charged, !charged, false };
    } else if (s == 503) {
        v = (struct verdict){ FAULT_UPSTREAM_DOWN, charged, !charged, true };
    } else if (s >= 500) {
        v = (struct verdict){ FAULT_UPSTREAM_DOWN, true, false, true };
    }
    return v;
}
