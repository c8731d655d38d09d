/* SPDX-License-Identifier: MIT
 * Any bytes as a configuration: the line reader keeps its promises, and reading ends in a configuration without errors
 * or in errors of the promised form. */
#include <stdint.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/text.h"
#include "config/config.h"
#include "config/find.h"
#include "config/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static bool is_clean(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return false;
    }
    return utf8_valid_prefix(s) == s.n && slice_eq(s, slice_trim(s));
}

static void check_lines(struct slice text)
{
    struct config_lines lines = { .rest = text };
    struct config_line line;
    int before = 0;
    while (config_line_next(&lines, &line)) {
        must(line.number > before);
        before = line.number;
        must((line.kind == CONFIG_LINE_FAULT) == (line.why != NULL));
        must((line.kind == CONFIG_LINE_FAULT) == (line.name.n == 0));
        must(is_clean(line.name) && is_clean(line.value));
    }
    must(lines.rest.n == 0);
}

/* Every line is "c: text" or "c:LINE: text", printable, and lines ascend. */
static void check_errors(struct slice errors)
{
    uint64_t before = 0;
    must(errors.n && errors.p[errors.n - 1] == '\n');
    errors.n--;
    while (errors.p) {
        struct slice error = slice_split(errors, '\n', &errors), rest;
        must(slice_starts(error, S("c:")) && is_clean(error));
        uint64_t line;
        if (parse_u64(slice_split(slice_from(error, 2), ':', &rest), &line)) {
            must(line >= before && line > 0);
            before = line;
            error = slice_from(rest, 1);
        }
        must(slice_find(error, ';') < error.n || slice_ends(error, S("not shown")));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Bytes of their own, so that reading past the end is seen. */
    char *copy = malloc(size ? size : 1);
    must(copy != NULL);
    if (size)
        memcpy(copy, data, size);
    struct slice text = slice_of(copy, size);
    check_lines(text);
    struct buffer errors = { 0 };
    struct config *c = config_parse("c", text, &errors);
    must((c != NULL) == (errors.n == 0));
    if (c)
        must(config_team(c, S("(anchorage)")) == NULL && !config_needs_restart(c, c, &errors));
    else
        check_errors(buffer_slice(&errors));
    config_free(c);
    buffer_clear(&errors);
    free(copy);
    return 0;
}
