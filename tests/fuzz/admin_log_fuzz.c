/* SPDX-License-Identifier: MIT
 * A text of the log: whatever its bytes are, it becomes one JSON string in one line, short, and nothing in it is a
 * command to a terminal. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/text.h"
#include "proxy/admin/log.h"

static void must_hold(bool what)
{
    if (!what)
        abort();
}

static size_t escape(struct slice s, size_t i)
{
    must_hold(i + 1 < s.n);
    if (strchr("\"\\nrtbf", s.p[i + 1]))
        return 2;
    must_hold(s.p[i + 1] == 'u' && i + 5 < s.n);
    for (size_t k = 2; k < 6; k++)
        must_hold(hex_value(s.p[i + k]) >= 0);
    return 6;
}

static void check_inside(struct slice s)
{
    for (size_t i = 0, length; i < s.n; i += length) {
        if (s.p[i] == '\\') {
            length = escape(s, i);
            continue;
        }
        uint32_t c = utf8_decode(s.p + i, &length);
        must_hold(c >= ' ' && c != '"' && !(c >= 0x7F && c < 0xA0) && c != 0x2028 && c != 0x2029);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer b = { 0 };
    log_text(&b, slice_of((const char *)data, size));
    struct slice s = buffer_slice(&b);
    must_hold(!b.failed && s.n >= 2 && s.n <= 6 * LOG_MAX_TEXT + 8);
    must_hold(s.p[0] == '"' && s.p[s.n - 1] == '"' && utf8_valid_prefix(s) == s.n);
    check_inside(slice_of(s.p + 1, s.n - 2));
    buffer_clear(&b);
    return 0;
}
