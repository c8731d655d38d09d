/* SPDX-License-Identifier: MIT
 * Cuts a request head into lines, keeps the limits, and judges the whole when the empty line has come. */
#include "proxy/http/parse/reader.h"

#include "proxy/http/parse/grammar.h"

void reader_start(struct reader *r)
{
    *r = (struct reader){ .minor = true };
}

/* Whether a byte that is not plain text may stand in the kind of line being read. */
static bool is_let_through(const struct reader *r, char c)
{
    return (unsigned char)c >= 0x80 || (r->fields_at && c == '\t');
}

static bool within_limits(struct reader *r, size_t end)
{
    if (!r->fields_at && end - r->line_at > READER_MAX_LINE)
        return reader_refuse(r, 414, "the request line is longer than 8192 bytes");
    if (r->fields_at && end - r->fields_at > READER_MAX_HEADER)
        return reader_refuse(r, 431, "the header lines are longer than 16384 bytes");
    return true;
}

/* Find the end of the line that begins at line_at; true when it is complete: *end is its CR or bare LF, and the next
 * line begins at *next. */
static bool line_end(struct reader *r, const char *bytes, size_t n, size_t *end, size_t *next)
{
    size_t at = text_end(bytes, r->scanned, n);
    while (at < n && is_let_through(r, bytes[at]))
        at = text_end(bytes, at + 1, n);
    r->scanned = (uint32_t)at;
    r->started = r->started || at > r->line_at;
    if (!within_limits(r, at) || at == n)
        return false;
    bool is_lf = bytes[at] == '\n';
    if (!is_lf && bytes[at] != '\r')
        return reader_refuse(r, 400, "a control byte stands in the request head");
    if (!is_lf && at + 1 == n)
        return false;
    if (!is_lf && bytes[at + 1] != '\n')
        return reader_refuse(r, 400, "a CR stands alone; lines end in CRLF");
    r->seen.bare_lf = r->seen.bare_lf || is_lf;
    *end = at;
    *next = is_lf ? at + 1 : at + 2;
    return true;
}

/* Others may have read such a request otherwise than we do. That is harmless while nothing stands behind its head: with
 * a body it is refused, and without one nothing more is read on its connection. */
static bool is_ambiguous(const struct reader *r)
{
    return r->seen.bare_lf || r->seen.raw_blank;
}

void reader_be_strict(struct reader *r)
{
    if (r->verdict == READER_READY && is_ambiguous(r))
        (void)reader_refuse(r, 400,
                            r->seen.bare_lf ? "a LF stands alone; lines end in CRLF"
                                            : "the target of the request holds a blank; send it as %20");
}

static bool judge_length(struct reader *r)
{
    if (is_ambiguous(r) && (r->content_length || r->bad_length || r->seen.transfer_encoding))
        return reader_refuse(r, 400,
                             r->seen.bare_lf ? "a LF stands alone; lines of a request with a body end in CRLF"
                                             : "the target of a request with a body holds a blank; send it as %20");
    if (r->seen.transfer_encoding)
        return reader_refuse(r, 501, "Transfer-Encoding is not taken; send Content-Length");
    if (r->bad_length)
        return reader_refuse(r, 400, r->bad_length);
    return true;
}

static bool judge_host(struct reader *r)
{
    if (r->bad_host)
        return reader_refuse(r, 400, r->bad_host);
    if (!r->seen.host && r->minor)
        return reader_refuse(r, 400, "Host is missing");
    return true;
}

/* The head is complete: judge what needs more than one line. */
static void judge(struct reader *r)
{
    if (!judge_length(r) || !judge_host(r))
        return;
    if (r->content_length && r->method == READER_OPTIONS)
        (void)reader_refuse(r, 400, "OPTIONS may not have a body");
    else if (r->content_length > READER_MAX_BODY)
        (void)reader_refuse(r, 413, "the body is longer than 65536 bytes");
    else if (r->seen.odd_expectation && r->minor)
        (void)reader_refuse(r, 417, "of Expect only 100-continue is known");
    if (r->verdict == READER_FAULT)
        return;
    r->body_bytes = r->content_length;
    r->expects_continue = r->expects_continue && r->minor && r->body_bytes;
    r->keep_alive = !is_ambiguous(r) && !r->seen.asks_close && (r->minor || r->seen.asks_keep_alive);
    r->verdict = READER_READY;
}

/* One complete line, ending before `end`; the next begins at `next`. */
static void take_line(struct reader *r, const char *bytes, size_t end, size_t next)
{
    struct reader_span line = { r->line_at, (uint32_t)end - r->line_at };
    r->line_at = r->scanned = (uint32_t)next;
    if (r->fields_at) {
        if (!line.n) {
            r->head_bytes = r->line_at;
            judge(r);
        } else if (++r->n_fields > READER_MAX_FIELDS) {
            (void)reader_refuse(r, 431, "there are more than 64 header lines");
        } else {
            (void)field_read(r, bytes, line);
        }
        return;
    }
    if (line.n) {
        if (request_line_read(r, bytes, line))
            r->fields_at = r->line_at;
    } else if (line.at) {
        (void)reader_refuse(r, 400, "an empty line stands where the request line should");
    }
}

enum reader_verdict reader_read(struct reader *r, const char *bytes, size_t n)
{
    size_t end, next;
    while (r->verdict == READER_MORE && r->scanned < n && line_end(r, bytes, n, &end, &next))
        take_line(r, bytes, end, next);
    return r->verdict;
}
