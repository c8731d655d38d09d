/* SPDX-License-Identifier: MIT
 * The reader of request heads: whatever comes, however cut, it says the same, keeps its limits and stays inside
 * the bytes. The first byte of the input chooses the cuts; the rest is the stream. */
#include <stddef.h>
#include <stdint.h>

#include "tests/unit/http/walk.h"

static void must_hold(bool what)
{
    if (!what)
        abort();
}

/* Whether others could see another end of the request: a line that ends in a bare LF, or more than two blanks in the
 * request line. Found without the reader's help. */
static bool is_ambiguous(const char *head, size_t n)
{
    size_t blanks = 0, lines = 0;
    bool has_bare_lf = false, begun = false;
    for (size_t i = 0; i < n; i++) {
        has_bare_lf |= head[i] == '\n' && (i == 0 || head[i - 1] != '\r');
        begun |= head[i] != '\r' && head[i] != '\n';
        lines += begun && head[i] == '\n';
        blanks += !lines && head[i] == ' ';
    }
    return has_bare_lf || blanks > 2;
}

static bool ends_in(const char *head, size_t n, const char *end)
{
    return n >= strlen(end) && memcmp(head + n - strlen(end), end, strlen(end)) == 0;
}

/* What READY promises of the first request in the stream, seen from outside. Where the next one begins; 0: there is
 * none. */
static size_t check_request(const char *head, size_t n)
{
    struct reader r;
    reader_start(&r);
    if (!n || reader_read(&r, head, n) != READER_READY)
        return 0;
    must_hold(r.head_bytes <= READER_MAX_HEAD && r.body_bytes <= READER_MAX_BODY);
    must_hold(ends_in(head, r.head_bytes, "\n\r\n") || ends_in(head, r.head_bytes, "\n\n"));
    must_hold(r.body_bytes == 0 || r.method != READER_OPTIONS);
    must_hold(!is_ambiguous(head, r.head_bytes) || (r.body_bytes == 0 && !r.keep_alive));
    for (size_t i = 0; i + 1 < r.head_bytes; i++)
        must_hold(head[i] != '\r' || head[i + 1] == '\n');
    must_hold(!memchr(head + r.path.at, ' ', r.path.n));
    struct reader_span query = r.query;
    must_hold(query.at + query.n <= r.head_bytes && r.path.at + r.path.n <= r.head_bytes);
    must_hold(!memchr(head, 0, r.head_bytes));
    size_t whole = (size_t)r.head_bytes + r.body_bytes;
    return r.keep_alive && whole <= n ? whole : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const char *stream = (const char *)data + 1;
    size_t n = size - 1;
    uint32_t cuts = data[0];
    struct walk whole = walk_begin(), cut = walk_begin();
    for (size_t at = 0, step = 1; step; at += step)
        step = check_request(stream + at, n - at);
    walk_to(&whole, stream, n);
    for (size_t at = 0; at < n && !cut.is_over;) {
        /* pieces of 1 to 64 bytes, longer in longer streams so that the work stays linear */
        cuts = cuts * 1664525 + 1013904223;
        at += 1 + (cuts >> 16) % (data[0] & 1 ? 4 : 64) + n / 128;
        walk_to(&cut, stream, at < n ? at : n);
    }
    must_hold(slice_eq(buffer_slice(&whole.said), buffer_slice(&cut.said)));
    buffer_clear(&whole.said);
    buffer_clear(&cut.said);
    return 0;
}
