/* SPDX-License-Identifier: MIT
 * Answers of v3's batch-analysis: what is taken has every field of every target once, and says the same when it is
 * written as plainly as can be; v3's words name a target only where they hold it. The first two bytes choose how many
 * targets were asked for and which fields. */
#include <stdint.h>
#include <stdlib.h>

#include "base/text.h"
#include "mapping/record.h"

enum { MOST_TARGETS = 4 };

static void must_hold(bool what)
{
    if (!what)
        abort();
}

/* The rows again, the last one first. */
static void write_plainly(struct buffer *b, uint32_t fields, size_t n, const struct record *records)
{
    buffer_str(b, "{\"targets\":[");
    for (size_t i = n; i-- > 0;) {
        buffer_printf(b, "%s{\"index\":%zu", i == n - 1 ? "" : ",", i);
        for (int f = 0; f < RECORD_FIELDS; f++) {
            if (!(fields & 1u << f))
                continue;
            struct slice name = record_field_name((enum record_field)f);
            buffer_printf(b, ",\"%.*s\":", SLICE_ARGS(name));
            if (records[i].nulls & 1u << f)
                buffer_str(b, "null");
            else
                buffer_i64(b, records[i].value[f]);
        }
        buffer_put(b, '}');
    }
    buffer_str(b, "]}");
}

static void reads_the_same_again(uint32_t fields, size_t n, const struct record *records)
{
    struct record again[MOST_TARGETS];
    struct buffer b = { 0 };
    write_plainly(&b, fields, n, records);
    must_hold(!record_read(buffer_slice(&b), fields, n, again));
    for (size_t i = 0; i < n; i++)
        for (int f = 0; f < RECORD_FIELDS; f++)
            must_hold(again[i].nulls == records[i].nulls && again[i].known == records[i].known &&
                      (!(fields & 1u << f) || again[i].value[f] == records[i].value[f]));
    buffer_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct slice text = slice_of((const char *)data + 2, size - 2);
    size_t n = 1 + data[0] % MOST_TARGETS;
    uint32_t fields = (data[1] & 0x0F) | (uint32_t)(data[1] & 0xF0) << 12;
    struct record records[MOST_TARGETS];
    fields = fields ? fields : record_bit(RECORD_BACKLINKS);
    if (!record_read(text, fields, n, records)) {
        for (size_t i = 0; i < n; i++) {
            must_hold(records[i].known == fields && !(records[i].nulls & ~fields));
            for (int f = 0; f < RECORD_FIELDS; f++)
                must_hold(records[i].value[f] >= 0);
        }
        reads_the_same_again(fields, n, records);
    }
    static const struct record_target targets[] = { { SLICE("a.example"), MODE_DOMAIN },
                                                    { SLICE("b.example/x"), MODE_EXACT } };
    int named = record_named(text, targets, 2);
    must_hold(named >= -1 && named < 2);
    return 0;
}
