/* SPDX-License-Identifier: MIT
 *
 * The strict reader of HTTP/1.x request heads. Pure: bytes in, verdict out; no socket and no clock. The
 * verdict depends on the bytes alone and never on how they were cut into pieces: each byte is looked at
 * once, in order, and the first thing wrong decides.
 */
#ifndef ANCHORAGE_PROXY_HTTP_PARSE_READER_H
#define ANCHORAGE_PROXY_HTTP_PARSE_READER_H

#include <stdint.h>

#include "base/slice.h"

enum {
    READER_MAX_LINE = 8192,    /* request line without its CRLF */
    READER_MAX_FIELDS = 64,    /* header lines */
    READER_MAX_HEADER = 16384, /* all header lines with their CRLFs */
    READER_MAX_BODY = 65536,
    /* No head is longer: an empty line, request line, header lines, the empty line. */
    READER_MAX_HEAD = 2 + READER_MAX_LINE + 2 + READER_MAX_HEADER + 2,
};

enum reader_method { READER_GET, READER_HEAD, READER_POST, READER_OPTIONS };

enum reader_verdict {
    READER_MORE,  /* the head is not complete */
    READER_READY, /* it is: head_bytes and body_bytes say how long the request is */
    READER_FAULT, /* it never will be: fault_status, fault_why */
};

/* A place in the bytes of the request. */
struct reader_span {
    uint32_t at, n;
};

/* What was met in the head, of which the whole is judged. */
struct reader_seen {
    bool content_length, transfer_encoding, host, authorization;
    bool odd_expectation, asks_close, asks_keep_alive;
    bool bare_lf;   /* a line ends in LF without CR */
    bool raw_blank; /* the target holds one */
};

/* What browsers say of themselves; of several lines the first counts. */
struct reader_browser {
    struct reader_span origin, fetch_site, cookie, if_none_match, forwarded_proto;
};

struct reader {
    uint32_t line_at;   /* where the line being read begins */
    uint32_t scanned;   /* bytes before this have been looked at */
    uint32_t fields_at; /* where the header lines begin; 0 before that */
    uint32_t content_length;
    uint16_t n_fields;
    uint8_t verdict; /* enum reader_verdict */
    struct reader_seen seen;
    const char *bad_length, *bad_host; /* judged when the head is complete, so that their order does not matter */

    /* The result. Spans are empty when the thing was absent. */
    uint32_t head_bytes, body_bytes;
    uint8_t method; /* enum reader_method; GET until it is known */
    bool minor;     /* HTTP/1.1, not 1.0 */
    bool has_query, expects_continue, keep_alive, asks_fresh;
    bool started; /* something but a leading empty line has come */
    struct reader_span path, query, authority, host, content_type, user_agent, authorization;
    struct reader_browser browser;
    int fault_status;
    const char *fault_why; /* a literal */
};

/* Begin with a new request. */
void reader_start(struct reader *r);

/* Go on reading. `bytes` are the first `n` bytes of this request: all that was given before, at whatever
 * address now, and what came since. READY and FAULT are final. */
enum reader_verdict reader_read(struct reader *r, const char *bytes, size_t n);

/* Where no old program asks: what is READY but for a bare LF or a raw blank becomes a FAULT. */
void reader_be_strict(struct reader *r);

static inline struct slice reader_slice(const char *bytes, struct reader_span s)
{
    return s.n ? slice_of(bytes + s.at, s.n) : slice_of(NULL, 0);
}

#endif
