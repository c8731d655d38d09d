/* SPDX-License-Identifier: MIT
 *
 * The log: whole lines to a descriptor that may be slow, full or gone. Nothing here waits: what the descriptor does not
 * take stays here, up to a cap; beyond it lines are lost, counted, and said so once when there is room again.
 */
#ifndef ANCHORAGE_PROXY_ADMIN_LOG_H
#define ANCHORAGE_PROXY_ADMIN_LOG_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

struct event;
struct event_base;

struct log {
    struct buffer waiting; /* whole lines; the first `sent` bytes are written */
    size_t sent;
    size_t line_at;       /* where the line being written begins */
    struct event *drains; /* NULL before log_open: lines are only gathered */
    int fd;               /* written to */
    int reopened;         /* the same file, opened once more so that not waiting is ours alone; or -1 */
    bool is_socket, is_journal;
    uint64_t lost;      /* lines, of all time */
    uint64_t lost_told; /* as the last message said */
};

/* As syslog and the journal count. */
enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_INFO = 6 };

/* Whether `fd` leads to the journal, as systemd says in $JOURNAL_STREAM: then a line may begin with "<LEVEL>". */
bool log_is_journal(int fd);

enum { LOG_MAX_TEXT = 512 /* bytes of a log_text */, LOG_ROOM = 4 * 1024 * 1024 };

/* Write to `fd`, which stays the caller's, from now on. False when memory is out. */
[[nodiscard]] bool log_open(struct log *l, struct event_base *base, int fd);

/* Give what is left a moment to go out, then forget it. */
void log_close(struct log *l);

/* Begin a line and return where it is written; log_end ends it with its newline. One that does not fit is lost. Where
 * the journal of systemd listens, the level stands before it: log_begin's is LOG_LEVEL_INFO. */
struct buffer *log_begin(struct log *l);
struct buffer *log_begin_at(struct log *l, enum log_level level);
void log_end(struct log *l);

/* Write what the descriptor takes now. */
void log_flush(struct log *l);

/* Append `s` as a JSON string, whatever its bytes are; cut at a character's end when it is long. */
void log_text(struct buffer *b, struct slice s);

#endif
