/* SPDX-License-Identifier: MIT
 * The first step of reading a configuration: bytes into lines. What a section or a name means is read.c's. */
#include "config/line.h"

#include "base/text.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool has_control(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return true;
    }
    return false;
}

/* Without the comment behind it. */
static struct slice before_comment(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == ';' && (i == 0 || is_blank(s.p[i - 1])))
            return slice_of(s.p, i);
    }
    return s;
}

static void read_section(struct slice text, struct config_line *line)
{
    struct slice rest;
    struct slice name = slice_trim(slice_split(slice_from(text, 1), ']', &rest));
    if (!rest.p) {
        line->why = "the section has no end; [name]";
        return;
    }
    if (slice_trim(before_comment(rest)).n) {
        line->why = "something stands behind the section; [name] alone in its line";
        return;
    }
    if (!name.n) {
        line->why = "the section has no name; [name]";
        return;
    }
    line->kind = CONFIG_LINE_SECTION;
    line->name = name;
}

static void read_setting(struct slice text, struct config_line *line)
{
    struct slice rest;
    struct slice name = slice_trim(slice_split(text, '=', &rest));
    if (!rest.p) {
        line->why = "neither a [section] nor a setting; name = value";
        return;
    }
    if (!name.n) {
        line->why = "no name in front of the =; name = value";
        return;
    }
    line->kind = CONFIG_LINE_SETTING;
    line->name = name;
    line->value = slice_trim(before_comment(slice_trim(rest)));
}

/* False when the line says nothing. */
static bool read_line(struct slice text, struct config_line *line)
{
    line->kind = CONFIG_LINE_FAULT;
    if (text.n > CONFIG_LINE_MAX_BYTES) {
        line->why = "the line is too long; at most 65536 bytes";
        return true;
    }
    if (has_control(text)) {
        line->why = "a NUL or another control byte; plain text in UTF-8";
        return true;
    }
    text = slice_trim(text);
    if (!text.n || text.p[0] == ';')
        return false;
    if (text.p[0] == '#') {
        line->why = "# begins no comment here; write ; in its place";
        return true;
    }
    struct slice says = slice_trim(before_comment(text));
    if (utf8_valid_prefix(says) != says.n)
        line->why = "not valid UTF-8; save the file as UTF-8";
    else if (says.p[0] == '[')
        read_section(says, line);
    else
        read_setting(says, line);
    return true;
}

/* slice_trim would take a CR from anywhere at the ends; only the one in front of the LF, or of the end, goes. */
static struct slice without_cr(struct slice s)
{
    return s.n && s.p[s.n - 1] == '\r' ? slice_of(s.p, s.n - 1) : s;
}

bool config_line_next(struct config_lines *lines, struct config_line *line)
{
    if (lines->number == 0 && slice_starts(lines->rest, S("\xEF\xBB\xBF")))
        lines->rest = slice_from(lines->rest, 3);
    while (lines->rest.n) {
        struct slice text = slice_split(lines->rest, '\n', &lines->rest);
        *line = (struct config_line){ .number = ++lines->number };
        if (read_line(without_cr(text), line))
            return true;
    }
    return false;
}
