/* SPDX-License-Identifier: MIT
 * Makes bytes of an answer: status line, headers, body, each of which the script may falsify. */
#include "tests/sandbox/wire.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <time.h>
#include <zlib.h>

#include "base/clock.h"
#include "tests/sandbox/json.h"

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = { { 200, "OK" },
                    { 400, "Bad Request" },
                    { 401, "Unauthorized" },
                    { 403, "Forbidden" },
                    { 404, "Not Found" },
                    { 405, "Method Not Allowed" },
                    { 429, "Too Many Requests" },
                    { 500, "Internal Server Error" },
                    { 502, "Bad Gateway" },
                    { 503, "Service Unavailable" },
                    { 504, "Gateway Timeout" } };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Status";
}

const char *wire_cache(const struct options *options, const struct answer *answer)
{
    static const char *const names[][3] = {
        [CACHE_CASE_LOWER] = { NULL, "miss", "hit" }, [CACHE_CASE_UPPER] = { NULL, "MISS", "HIT" }
    };
    return names[options->cache_case][answer->cache];
}

/* A header, unless the script has something else, or nothing, in its place. */
static void put_header(struct buffer *head, const struct fault *fault, const char *name, const char *value)
{
    if (fault && fault->headers) {
        json_object_object_foreach(fault->headers, other, text)
        {
            (void)text;
            if (slice_eq_nocase(slice_str(other), slice_str(name)))
                return;
        }
    }
    buffer_printf(head, "%s: %s\r\n", name, value);
}

static void put_number(struct buffer *head, const struct fault *fault, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    put_header(head, fault, name, text);
}

static void put_cost(struct buffer *head, const struct options *options, const struct answer *a,
                     const struct fault *fault)
{
    bool lies_rows = fault && fault->lie_rows >= 0, lies_units = fault && fault->lie_units >= 0;
    if (!a->has_cost)
        return;
    put_number(head, fault, "x-api-rows", lies_rows ? (uint64_t)fault->lie_rows : a->rows);
    put_number(head, fault, "x-api-units-cost-row", a->cost_row);
    put_number(head, fault, "x-api-units-cost-total", lies_units ? (uint64_t)fault->lie_units : a->cost_total);
    put_number(head, fault, "x-api-units-cost-total-actual", lies_units ? (uint64_t)fault->lie_units : a->cost_actual);
    put_header(head, fault, "x-api-cache", wire_cache(options, a));
}

static void put_retry_after(struct buffer *head, const struct options *options, const struct answer *a,
                            const struct fault *fault)
{
    uint64_t seconds = (a->retry_ms + 999) / 1000;
    char date[40];
    if (!a->retry_ms || options->retry_after == RETRY_AFTER_NONE)
        return;
    if (options->retry_after == RETRY_AFTER_SECONDS) {
        put_number(head, fault, "Retry-After", seconds);
        return;
    }
    time_t when = (time_t)(clock_wall_ms() / 1000) + (time_t)seconds;
    struct tm tm;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&when, &tm));
    put_header(head, fault, "Retry-After", date);
}

/* Deflate the next bytes of a body, or its end, into the rest of `packed`. */
static bool deflate_more(z_stream *z, struct slice bytes, int flush, struct buffer *packed)
{
    size_t room = deflateBound(z, (uLong)bytes.n + 64 * 1024); /* what it kept of the bytes before comes, too */
    z->next_in = (Bytef *)(uintptr_t)bytes.p;
    z->avail_in = (uInt)bytes.n;
    z->next_out = (Bytef *)buffer_reserve(packed, room);
    z->avail_out = (uInt)room;
    if (!z->next_out || deflate(z, flush) == Z_STREAM_ERROR)
        return false;
    packed->n += room - z->avail_out;
    return true;
}

/* Compress a body with so many blanks behind it. They go in piece by piece: all of them at once would be a pause of
 * half a second for everyone who waits, with a sanitizer. */
static void compress_body(struct buffer *body, uint64_t blanks)
{
    static char piece[64 * 1024];
    memset(piece, ' ', sizeof piece);
    struct buffer packed = buffer_with_cap(0);
    z_stream z = { 0 };
    if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return;
    bool fine = deflate_more(&z, buffer_slice(body), Z_NO_FLUSH, &packed);
    while (fine && blanks) {
        size_t n = blanks < sizeof piece ? (size_t)blanks : sizeof piece;
        fine = deflate_more(&z, slice_of(piece, n), Z_NO_FLUSH, &packed);
        blanks -= n;
    }
    if (fine)
        deflate_more(&z, slice_of(piece, 0), Z_FINISH, &packed);
    deflateEnd(&z);
    buffer_clear(body);
    *body = packed;
}

static void chunk_body(struct buffer *body)
{
    enum { CHUNK = 1000 };
    struct buffer chunked = buffer_with_cap(0);
    for (size_t at = 0; at < body->n; at += CHUNK) {
        size_t n = body->n - at < CHUNK ? body->n - at : CHUNK;
        buffer_printf(&chunked, "%zx\r\n", n);
        buffer_append(&chunked, slice_of(body->p + at, n));
        buffer_str(&chunked, "\r\n");
    }
    buffer_str(&chunked, "0\r\n\r\n");
    buffer_clear(body);
    *body = chunked;
}

/* Put `with` wherever `what` stands. */
static void replace_text(struct buffer *body, struct slice what, struct slice with)
{
    struct buffer new = buffer_with_cap(0);
    struct slice rest = buffer_slice(body);
    for (const char *at; (at = memmem(rest.p, rest.n, what.p, what.n));) {
        buffer_append(&new, slice_of(rest.p, (size_t)(at - rest.p)));
        buffer_append(&new, with);
        rest = slice_from(rest, (size_t)(at - rest.p) + what.n);
    }
    buffer_append(&new, rest);
    buffer_clear(body);
    *body = new;
}

static void falsify_body(struct buffer *body, const struct fault *fault)
{
    if (fault->has_body) {
        body->n = 0;
        buffer_append(body, fault->body);
    }
    if (fault->replace) {
        json_object_object_foreach(fault->replace, what, with)
        {
            replace_text(body, slice_str(what), json_text(with));
        }
    }
    char *more = fault->flood && !fault->gzip ? buffer_reserve(body, fault->flood) : NULL;
    if (more) {
        memset(more, ' ', fault->flood);
        body->n += fault->flood;
    }
}

static void put_length(struct buffer *head, const struct buffer *body, const struct fault *fault)
{
    if (fault && fault->chunked)
        put_header(head, fault, "Transfer-Encoding", "chunked");
    else if (!fault || !fault->skips_length)
        put_number(head, fault, "Content-Length", body->n + (uint64_t)(fault ? fault->lie_length : 0));
}

static void put_extra(struct buffer *head, const struct fault *fault)
{
    json_object_object_foreach(fault->headers, name, text)
    {
        if (text)
            buffer_printf(head, "%s: %s\r\n", name, json_object_get_string(text));
    }
}

static void put_head(struct buffer *head, const struct options *options, struct answer *a, const struct fault *fault,
                     bool is_packed)
{
    int status = fault && fault->status ? fault->status : a->status;
    buffer_printf(head, "HTTP/1.1 %d %s\r\n", status, reason(status));
    put_header(head, fault, "Content-Type", a->content_type);
    if (is_packed)
        put_header(head, fault, "Content-Encoding", "gzip");
    put_cost(head, options, a, fault);
    put_retry_after(head, options, a, fault);
    put_length(head, &a->body, fault);
    if (fault && fault->delivery.close)
        put_header(head, fault, "Connection", "close");
    if (fault && fault->headers)
        put_extra(head, fault);
    buffer_str(head, "\r\n");
}

void wire_send(struct http_exchange *exchange, const struct options *options, struct answer *a,
               const struct fault *fault, uint64_t delay_ms, bool accepts_gzip)
{
    struct http_delivery delivery = fault ? fault->delivery : (struct http_delivery){ 0 };
    struct buffer head = buffer_with_cap(0);
    bool pack = (fault && fault->gzip) || (accepts_gzip && options->compression == COMPRESSION_GZIP);
    char content_type[200];
    delivery.delay_ms = delay_ms;
    if (fault && fault->has_raw) {
        delivery.close = true;
        http_answer(exchange, S(""), fault->raw, &delivery);
        return;
    }
    if (fault && fault->content_type.p) {
        snprintf(content_type, sizeof content_type, "%.*s", SLICE_ARGS(fault->content_type));
        a->content_type = content_type;
    }
    if (fault)
        falsify_body(&a->body, fault);
    if (pack)
        compress_body(&a->body, fault ? fault->flood : 0);
    if (fault && fault->chunked)
        chunk_body(&a->body);
    put_head(&head, options, a, fault, pack);
    if (delivery.is_cut)
        delivery.cut_at += head.n;
    else if (delivery.reset || delivery.stall)
        delivery.is_cut = true; /* not a byte */
    http_answer(exchange, buffer_slice(&head), buffer_slice(&a->body), &delivery);
    buffer_clear(&head);
}
