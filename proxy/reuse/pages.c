/* SPDX-License-Identifier: MIT
 * Pieces of lists, numbered, each a value of the cache. */
#include "proxy/reuse/pages.h"

#include "mapping/packed_rows.h"

/* A call that wants small pages fills a piece up before it begins another. */
enum { PIECE_BYTES = 128 * 1024, SMALL_BYTES = PIECE_BYTES / 2 };

/* The last piece has been filled up since it was seen. */
static bool rest_of_last(struct pages *at, struct cache *c, int64_t now_ms, struct slice *rows, struct slice *payer)
{
    struct cache_piece p;
    if (!at->n || !cache_find_piece(c, at->list, at->n - 1, now_ms, &p) || p.until_ms != at->until_ms ||
        p.rows_before > at->rows || p.rows_before + p.rows < at->rows)
        return false;
    if (p.rows_before + p.rows == at->rows && !p.whole)
        return false;
    *rows = packed_rows_skip(p.bytes, at->rows - p.rows_before);
    *payer = p.payer;
    at->rows = p.rows_before + p.rows;
    at->bytes += (int64_t)rows->n;
    at->whole = p.whole;
    return true;
}

bool pages_next(struct pages *at, struct cache *c, int64_t now_ms, struct slice *rows, struct slice *payer)
{
    struct cache_piece p;
    if (at->whole)
        return false;
    if (rest_of_last(at, c, now_ms, rows, payer))
        return true;
    if (!cache_find_piece(c, at->list, at->n, now_ms, &p))
        return false;
    if (p.rows_before != at->rows || (at->n && p.until_ms != at->until_ms))
        return false; /* left over from an earlier time */
    at->n++;
    at->rows += p.rows;
    at->bytes += (int64_t)p.bytes.n;
    at->until_ms = p.until_ms;
    at->whole = p.whole;
    *rows = p.bytes;
    *payer = p.payer;
    return true;
}

void pages_end(struct pages *at, struct cache *c, int64_t now_ms, int64_t taken)
{
    struct slice rows, payer;
    while (pages_next(at, c, now_ms, &rows, &payer))
        ;
    at->known = at->rows > taken ? at->rows - taken : 0;
}

void pages_touch(const struct pages *at, struct cache *c)
{
    struct cache_piece ignored;
    for (int i = at->n - 1; i >= 0; i--)
        (void)cache_find_piece(c, at->list, i, 0, &ignored);
}

/* Whether `at` still is the end of what is kept. */
static bool is_end(const struct pages *at, struct cache *c, int64_t now_ms)
{
    struct pages end = *at;
    struct cache_piece last;
    struct slice rows, payer;
    if (at->n && (!cache_find_piece(c, at->list, at->n - 1, now_ms, &last) || last.until_ms != at->until_ms ||
                  last.rows_before + last.rows != at->rows || last.whole))
        return false;
    return !pages_next(&end, c, now_ms, &rows, &payer);
}

/* Fill up a small last piece. */
static void join_last(struct pages *at, struct cache *c, int64_t now_ms, struct slice *rows, struct buffer *room)
{
    struct cache_piece last;
    if (!at->n || !cache_find_piece(c, at->list, at->n - 1, now_ms, &last) || last.bytes.n >= SMALL_BYTES)
        return;
    buffer_append(room, last.bytes);
    buffer_append(room, *rows);
    if (room->failed)
        return;
    *rows = buffer_slice(room);
    at->n--;
    at->rows -= last.rows;
    at->bytes -= (int64_t)last.bytes.n;
}

void pages_keep(struct pages *at, struct cache *c, int64_t now_ms, int64_t ttl_ms, struct slice rows, bool whole,
                struct slice payer, int64_t max_bytes)
{
    struct buffer room = { 0 };
    bool begins_anew = at->anew && !at->n;
    for (; at->known && rows.n; at->known--)
        rows = packed_rows_skip(rows, 1);
    if (at->known)
        return;
    if ((!begins_anew && !is_end(at, c, now_ms)) || at->bytes + (int64_t)rows.n > max_bytes)
        return;
    if (!at->n)
        at->until_ms = now_ms + ttl_ms;
    join_last(at, c, now_ms, &rows, &room);
    do {
        struct cache_piece p = { .until_ms = at->until_ms, .rows_before = at->rows, .payer = payer };
        size_t n = packed_rows_split(rows, PIECE_BYTES, &p.rows);
        p.bytes = slice_of(rows.p, n);
        rows = slice_from(rows, n);
        p.whole = whole && !rows.n;
        if (!cache_keep_piece(c, at->list, at->n, &p))
            break;
        at->n++;
        at->rows += p.rows;
        at->bytes += (int64_t)n;
        at->whole = p.whole;
    } while (rows.n);
    buffer_clear(&room);
    pages_touch(at, c);
}
