/* SPDX-License-Identifier: MIT
 * Prometheus' text format, version 0.0.4: HELP and TYPE once before the samples of a metric. */
#include "proxy/admin/metrics.h"

#include <assert.h>

#include "base/shown.h"
#include "base/text.h"

enum kind { COUNTER, GAUGE, HISTOGRAM };

static const char *const kinds[] = { [COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram" };

static const struct row {
    struct slice name, label, help;
    enum kind kind;
} rows[METRIC_COUNT] = {
#define METRIC(NAME, name, KIND, label, help) [METRIC_##NAME] = { SLICE(name), SLICE(label), SLICE(help), KIND },
#include "proxy/admin/counters.def"
#undef METRIC
};

static void begin(struct metrics *m, enum metric which)
{
    const struct row *row = &rows[which];
    assert(!m->seen[which]);
    m->seen[which] = true;
    m->last = (int)which;
    m->n_samples = 0;
    buffer_str(m->out, "# HELP ");
    buffer_append(m->out, row->name);
    buffer_put(m->out, ' ');
    buffer_append(m->out, row->help);
    buffer_str(m->out, "\n# TYPE ");
    buffer_append(m->out, row->name);
    buffer_put(m->out, ' ');
    buffer_str(m->out, kinds[row->kind]);
    buffer_put(m->out, '\n');
}

/* As much of a label as is shown: whole characters, and none that UTF-8 does not have. */
static struct slice shown(struct slice label)
{
    if (label.n > METRICS_MAX_LABEL_BYTES)
        label.n = METRICS_MAX_LABEL_BYTES;
    label.n = utf8_valid_prefix(label);
    return label;
}

static bool is_plain(char c)
{
    return c != '\\' && c != '"' && (unsigned char)c >= ' ' && (unsigned char)c < 0x7F;
}

static void put_label(struct buffer *b, struct slice name, struct slice value)
{
    value = shown(value);
    buffer_put(b, '{');
    buffer_append(b, name);
    buffer_append(b, S("=\""));
    size_t plain = 0;
    while (plain < value.n && is_plain(value.p[plain]))
        plain++;
    buffer_append(b, slice_of(value.p, plain));
    for (size_t i = plain; i < value.n; i++) {
        char c = value.p[i];
        size_t acts = (unsigned char)c > 0x7F ? utf8_control(value.p + i) : 0;
        if (acts) {
            buffer_put(b, ' ');
            i += acts - 1;
            continue;
        }
        if (c == '\\' || c == '"')
            buffer_put(b, '\\');
        if (c == '\n')
            buffer_str(b, "\\n");
        else
            buffer_put(b, (unsigned char)c < ' ' || c == 0x7F ? ' ' : c);
    }
    buffer_append(b, S("\"}"));
}

/* Write what stands before the value. False when the metric has its most samples already. */
static bool start(struct metrics *m, enum metric which, struct slice label)
{
    if (m->last != (int)which)
        begin(m, which);
    if (m->n_samples++ >= METRICS_MAX_SAMPLES)
        return false;
    assert(m->n_samples == 1 || rows[which].label.n);
    buffer_append(m->out, rows[which].name);
    if (rows[which].label.n)
        put_label(m->out, rows[which].label, label);
    buffer_put(m->out, ' ');
    return true;
}

void metric_add_labelled(struct metrics *m, enum metric which, struct slice label, int64_t value)
{
    if (!start(m, which, label))
        return;
    buffer_i64(m->out, value);
    buffer_put(m->out, '\n');
}

void metric_add(struct metrics *m, enum metric which, int64_t value)
{
    assert(!rows[which].label.n);
    metric_add_labelled(m, which, S(""), value);
}

/* A number of microseconds in seconds. */
static void put_seconds(struct buffer *b, int64_t us)
{
    buffer_i64(b, us / 1000000);
    char digits[] = ".000000";
    for (int64_t i = 6, rest = us % 1000000; i > 0; i--, rest /= 10)
        digits[i] = (char)('0' + rest % 10);
    buffer_append(b, slice_of(digits, sizeof digits - 1));
    buffer_put(b, '\n');
}

void metric_add_seconds_labelled(struct metrics *m, enum metric which, struct slice label, int64_t us)
{
    if (start(m, which, label))
        put_seconds(m->out, us);
}

void metric_add_seconds(struct metrics *m, enum metric which, int64_t us)
{
    assert(!rows[which].label.n);
    metric_add_seconds_labelled(m, which, S(""), us);
}

void metric_add_histogram(struct metrics *m, enum metric which, const struct histogram *h)
{
    assert(rows[which].kind == HISTOGRAM && m->last != (int)which);
    struct slice name = rows[which].name;
    uint64_t n = 0;
    begin(m, which);
    for (size_t i = 0; i <= h->scale->n; i++) {
        n += h->counts[i];
        buffer_append(m->out, name);
        buffer_str(m->out, "_bucket{le=\"");
        buffer_str(m->out, i < h->scale->n ? h->scale->bounds[i].seconds : "+Inf");
        buffer_str(m->out, "\"} ");
        buffer_u64(m->out, n);
        buffer_put(m->out, '\n');
    }
    buffer_append(m->out, name);
    buffer_str(m->out, "_sum ");
    put_seconds(m->out, (int64_t)h->sum_us);
    buffer_append(m->out, name);
    buffer_str(m->out, "_count ");
    buffer_u64(m->out, n);
    buffer_put(m->out, '\n');
}
