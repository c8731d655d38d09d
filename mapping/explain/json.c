/* SPDX-License-Identifier: MIT
 * A call explained for programs. */
#include "base/text.h"
#include "mapping/explain/inside.h"

static void json_text(struct slice text, struct buffer *out)
{
    buffer_put(out, '"');
    buffer_json_any(out, text);
    buffer_put(out, '"');
}

static void json_text_or_null(struct slice text, struct buffer *out)
{
    if (text.n)
        json_text(text, out);
    else
        buffer_str(out, "null");
}

static void json_number_or_null(int64_t n, struct buffer *out)
{
    if (n)
        buffer_i64(out, n);
    else
        buffer_str(out, "null");
}

static void json_request(const struct explained *e, int i, struct buffer *out)
{
    const struct v3_request *r = &e->requests[i];
    struct buffer curl = { 0 };
    explained_curl(e, r, &curl);
    buffer_str(out, "{\"url\":\"");
    buffer_json_any(out, e->options->v3_url);
    buffer_json_any(out, r->path);
    buffer_str(out, "\",\"for\":");
    buffer_json_string(out, slice_str(e->purposes[i]));
    buffer_printf(out, ",\"rows\":%lld,\"units\":%lld,\"curl\":", (long long)r->rows, (long long)r->units);
    json_text(buffer_slice(&curl), out);
    buffer_put(out, '}');
    out->failed |= curl.failed;
    buffer_clear(&curl);
}

/* The parts of a list by commas. */
static void json_words(struct slice list, struct buffer *out)
{
    for (struct slice rest = list; rest.n;) {
        if (rest.p != list.p)
            buffer_put(out, ',');
        buffer_json_string(out, slice_split(rest, ',', &rest));
    }
}

/* The names as X-Anchorage-Ignored has them; what they are like is found by the names as they came. */
static void json_ignored(const struct explained *e, struct buffer *out)
{
    for (struct slice rest = e->ignored, word; rest.n;) {
        buffer_str(out, rest.p == e->ignored.p ? "" : ",");
        word = slice_split(rest, ',', &rest);
        buffer_str(out, "{\"name\":");
        buffer_json_string(out, word);
        buffer_str(out, ",\"like\":");
        json_text_or_null(param_like(explained_decoded(word, e->memory)), out);
        buffer_put(out, '}');
    }
}

/* Where a part stands in the text that was given, in characters; -1: nowhere. *known and *counted go along with it, for
 * parts mostly come in order. */
static int64_t place_of(const struct explained *e, struct slice raw, size_t *known, int64_t *counted)
{
    const char *at = raw.p;
    if (!raw.p || !raw.n)
        return -1;
    if (at < e->text.p || at > e->text.p + e->text.n)
        at = memmem(e->text.p, e->text.n, raw.p, raw.n); /* of a command, whose words were put together anew */
    if (!at)
        return -1;
    size_t n = (size_t)(at - e->text.p), from = n < *known ? 0 : *known;
    *counted = (from ? *counted : 0) + (int64_t)explained_characters(slice_of(e->text.p + from, n - from));
    *known = n;
    return *counted;
}

static void json_part(const struct explained *e, const struct piece *p, int64_t at, struct buffer *out)
{
    const struct note *note = p->n_notes ? &e->notes[p->notes[0]] : NULL;
    if (at < 0)
        buffer_str(out, "{\"at\":null,\"length\":null,\"v2\":");
    else
        buffer_printf(out, "{\"at\":%lld,\"length\":%zu,\"v2\":", (long long)at, explained_characters(p->raw));
    json_text(p->v2, out);
    buffer_str(out, ",\"v3\":");
    json_text_or_null(p->v3, out);
    buffer_str(out, ",\"exact\":");
    buffer_str(out, p->how == HOW_UNREAD ? "null" : p->how == HOW_NEAR ? "false" : "true");
    buffer_str(out, ",\"mark\":");
    json_text_or_null(note && !note->ignored ? note->name : S(""), out);
    buffer_str(out, ",\"say\":");
    json_text_or_null(note ? note->say : S(""), out);
    buffer_put(out, '}');
}

static void json_parts(const struct explained *e, struct buffer *out)
{
    size_t known = 0;
    int64_t counted = 0;
    for (int i = 0; i < e->n_parts; i++) {
        buffer_str(out, i ? "," : "");
        json_part(e, &e->parts[i], place_of(e, e->parts[i].raw, &known, &counted), out);
    }
}

static void json_sum(const struct sum *sum, struct buffer *out)
{
    for (int i = 0; i < sum->n; i++) {
        int64_t milli = sum->lines[i].milli;
        buffer_printf(out, "%s[\"%.*s\",%lld", i ? "," : "", SLICE_ARGS(sum->lines[i].what), (long long)(milli / 1000));
        if (milli % 1000)
            buffer_printf(out, ".%03d", (int)(milli % 1000));
        buffer_put(out, ']');
    }
}

static void json_ends(const struct explained *e, struct buffer *out)
{
    buffer_str(out, ",\"parts\":[");
    json_parts(e, out);
    buffer_str(out, "],\"price\":{\"rows\":[");
    json_sum(&e->rows_sum, out);
    buffer_str(out, "],\"units\":[");
    json_sum(&e->units_sum, out);
    buffer_str(out, "]},\"fault\":");
    json_text_or_null(e->refusal.fault ? fault_word(e->refusal.fault) : S(""), out);
    buffer_str(out, ",\"why\":");
    json_text_or_null(e->refusal.fault ? e->refusal.why : S(""), out);
    if (e->spot.parameter.n)
        buffer_printf(out, ",\"spot\":{\"parameter\":\"%.*s\",\"at\":%zu,\"length\":%zu}}\n",
                      SLICE_ARGS(e->spot.parameter), e->spot.at, e->spot.length);
    else
        buffer_str(out, ",\"spot\":null}\n");
}

enum fault explain_json(struct slice call, const struct explain_options *o, struct buffer *out)
{
    struct explained e;
    explained_make(call, o, &e);
    buffer_put(out, '{');
    if (o->line)
        buffer_printf(out, "\"line\":%lld,", (long long)o->line);
    buffer_printf(out, "\"verdict\":\"%s\",\"requests\":[", e.refusal.fault ? "refused" : "served");
    for (int i = 0; i < e.n; i++) {
        buffer_str(out, i ? "," : "");
        json_request(&e, i, out);
    }
    buffer_str(out, "],\"page_rows\":");
    json_number_or_null(e.plan.page_rows, out);
    buffer_printf(out, ",\"rows_at_most\":%lld,\"units_at_most\":%lld,\"approximate\":[", (long long)e.rows,
                  (long long)e.units);
    json_words(e.marks, out);
    buffer_str(out, "],\"ignored\":[");
    json_ignored(&e, out);
    buffer_str(out, "],\"rows_paid_for\":");
    json_number_or_null(e.rows_paid_for, out);
    json_ends(&e, out);
    return explained_end(&e);
}
