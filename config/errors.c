/* SPDX-License-Identifier: MIT
 * Errors of a configuration in the form that editors and people can follow: FILE:LINE: text, from top to bottom. */
#include "config/errors.h"

#include "base/shown.h"

void config_error(struct config_errors *e, int line, const char *format, ...)
{
    if (e->count++ >= CONFIG_ERRORS_SHOWN)
        return;
    size_t from = e->text.n;
    va_list args;
    va_start(args, format);
    buffer_vprintf(&e->text, format, args);
    va_end(args);
    e->shown[e->count - 1].line = line;
    e->shown[e->count - 1].from = from;
    e->shown[e->count - 1].to = e->text.n;
}

static void write_line(const struct config_errors *e, int line, struct slice text)
{
    buffer_str(e->out, e->file);
    if (line)
        buffer_printf(e->out, ":%d", line);
    buffer_str(e->out, ": ");
    shown_append(e->out, text);
    buffer_put(e->out, '\n');
}

/* The line that is next behind `line`; 0 when there is none. */
static int line_behind(const struct config_errors *e, size_t shown, int line)
{
    int next = 0;
    for (size_t i = 0; i < shown; i++) {
        if (e->shown[i].line > line && (!next || e->shown[i].line < next))
            next = e->shown[i].line;
    }
    return next;
}

void config_errors_end(struct config_errors *e)
{
    size_t shown = e->count < CONFIG_ERRORS_SHOWN ? e->count : CONFIG_ERRORS_SHOWN;
    int line = 0;
    do {
        line = line_behind(e, shown, line);
        for (size_t i = 0; i < shown; i++) {
            if (e->shown[i].line == line)
                write_line(e, line, slice_of(e->text.p + e->shown[i].from, e->shown[i].to - e->shown[i].from));
        }
    } while (line);
    if (e->count > shown) {
        buffer_str(e->out, e->file);
        buffer_printf(e->out, ": %zu more errors are not shown\n", e->count - shown);
    }
    buffer_clear(&e->text);
}
