/* SPDX-License-Identifier: MIT
 *
 * Drives the reader over a stream of requests as a connection does, cut anywhere, and writes down what it said.
 * Each piece is a copy of its own of exactly its size, so that a sanitizer sees a step too far.
 */
#ifndef ANCHORAGE_TESTS_UNIT_HTTP_WALK_H
#define ANCHORAGE_TESTS_UNIT_HTTP_WALK_H

#include <stdlib.h>

#include "base/buffer.h"
#include "proxy/http/parse/reader.h"

struct walk {
    struct reader reader;
    size_t start;      /* of the request being read, in the stream */
    int faults, ready; /* how many of each */
    bool is_over;      /* nothing behind this is read */
    struct buffer said;
};

static inline void walk_span(struct walk *w, const char *bytes, struct reader_span s)
{
    buffer_u64(&w->said, s.n);
    buffer_put(&w->said, '=');
    buffer_append(&w->said, reader_slice(bytes, s));
    buffer_put(&w->said, ' ');
}

static inline void walk_note(struct walk *w, const char *bytes)
{
    const struct reader *r = &w->reader;
    if (r->verdict == READER_FAULT) {
        buffer_printf(&w->said, "fault %d %s\n", r->fault_status, r->fault_why);
        return;
    }
    buffer_printf(&w->said, "method %d 1.%d head %u body %u keep %d continue %d query %d ", r->method, r->minor,
                  r->head_bytes, r->body_bytes, r->keep_alive, r->expects_continue, r->has_query);
    walk_span(w, bytes, r->path);
    walk_span(w, bytes, r->query);
    walk_span(w, bytes, r->host);
    walk_span(w, bytes, r->authority);
    walk_span(w, bytes, r->content_type);
    walk_span(w, bytes, r->user_agent);
    walk_span(w, bytes, r->authorization);
    walk_span(w, bytes, r->browser.origin);
    walk_span(w, bytes, r->browser.fetch_site);
    walk_span(w, bytes, r->browser.cookie);
    walk_span(w, bytes, r->browser.if_none_match);
    walk_span(w, bytes, r->browser.forwarded_proto);
    buffer_put(&w->said, '\n');
}

/* The first `n` bytes of the stream are here now. */
static inline void walk_to(struct walk *w, const char *stream, size_t n)
{
    while (!w->is_over && n > w->start) {
        size_t have = n - w->start;
        char *bytes = malloc(have);
        if (!bytes)
            abort();
        memcpy(bytes, stream + w->start, have);
        size_t whole = 0;
        if (reader_read(&w->reader, bytes, have) == READER_READY)
            whole = (size_t)w->reader.head_bytes + w->reader.body_bytes;
        bool is_done = w->reader.verdict == READER_FAULT || (whole && whole <= have);
        if (is_done)
            walk_note(w, bytes);
        free(bytes);
        if (!is_done)
            return;
        w->start += whole;
        w->is_over = w->reader.verdict == READER_FAULT || !w->reader.keep_alive;
        *(w->reader.verdict == READER_FAULT ? &w->faults : &w->ready) += 1;
        reader_start(&w->reader);
    }
}

static inline struct walk walk_begin(void)
{
    struct walk w = { .said = buffer_with_cap(0) };
    reader_start(&w.reader);
    return w;
}

#endif
