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

/* What READY promises, seen from outside. */
static void check_request(const struct walk *w, const char *stream, size_t n)
{
    struct reader r;
    reader_start(&r);
    if (n == w->start || reader_read(&r, stream + w->start, n - w->start) != READER_READY)
        return;
    must_hold(r.head_bytes <= READER_MAX_HEAD && r.body_bytes <= READER_MAX_BODY);
    must_hold(r.head_bytes >= 4 && memcmp(stream + w->start + r.head_bytes - 4, "\r\n\r\n", 4) == 0);
    must_hold(r.body_bytes == 0 || r.method == READER_POST);
    struct reader_span query = r.query;
    must_hold(query.at + query.n <= r.head_bytes && r.path.at + r.path.n <= r.head_bytes);
    must_hold(!memchr(stream + w->start, 0, r.head_bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const char *stream = (const char *)data + 1;
    size_t n = size - 1;
    uint32_t cuts = data[0];
    struct walk whole = walk_begin(), cut = walk_begin();
    check_request(&whole, stream, n);
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
