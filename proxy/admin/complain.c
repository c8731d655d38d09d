/* SPDX-License-Identifier: MIT
 * Errors on standard error before there is a log, and where there is none. */
#include "proxy/admin/complain.h"

#include <stdio.h>
#include <unistd.h>

#include "base/shown.h"
#include "proxy/admin/log.h"

void complain(const char *before, struct slice lines)
{
    struct buffer out = { 0 };
    bool is_journal = log_is_journal(STDERR_FILENO);
    while (lines.n) {
        struct slice line = slice_split(lines, '\n', &lines);
        bool warns = line.n && memmem(line.p, line.n, ": warning: ", 11);
        if (is_journal)
            buffer_printf(&out, "<%d>", warns ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR);
        buffer_str(&out, before);
        shown_append(&out, line);
        buffer_put(&out, '\n');
    }
    if (out.failed)
        fprintf(stderr, "%smemory is out\n", before);
    else
        fwrite(out.p ? out.p : "", 1, out.n, stderr);
    buffer_clear(&out);
}
