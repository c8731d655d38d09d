/* SPDX-License-Identifier: MIT
 * A call explained for people: the verdict first, the parts side by side, the price as a sum; and as commands. */
#include <stdio.h>

#include "base/shown.h"
#include "base/text.h"
#include "mapping/explain/inside.h"

/* 11350 as 11,350. */
static void put_number(struct buffer *out, int64_t n)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)n);
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0 && is_digit(digits[i - 1]))
            buffer_put(out, ',');
        buffer_put(out, digits[i]);
    }
}

/* Thousandths, without zeros behind. */
static void put_milli(struct buffer *out, int64_t milli)
{
    put_number(out, milli / 1000);
    if (milli % 1000) {
        char part[8];
        int n = snprintf(part, sizeof part, ".%03d", (int)(milli % 1000));
        while (n > 0 && part[n - 1] == '0')
            n--;
        buffer_append(out, slice_of(part, n > 0 ? (size_t)n : 0));
    }
}

static size_t width_of(const struct explained *e)
{
    size_t width = e->options->width ? e->options->width : EXPLAIN_WIDTH;
    return width < EXPLAIN_LEAST_WIDTH ? EXPLAIN_LEAST_WIDTH : width;
}

/* As much of *rest as fits into `width` characters, to a blank or a comma where there is one. */
static struct slice take_line(struct slice *rest, size_t width)
{
    size_t at = 0, n = 0, stop = 0;
    while (at < rest->n) {
        bool begins = ((unsigned char)rest->p[at] & 0xC0) != 0x80;
        if (begins && n == width && rest->p[at] != ' ')
            break;
        if (begins && n > width)
            break;
        if (rest->p[at] == ' ')
            stop = at;
        else if (rest->p[at] == ',' && n + 1 <= width && at + 1 < rest->n && rest->p[at + 1] != ' ')
            stop = at + 1;
        n += begins;
        at++;
    }
    size_t end = at >= rest->n && n <= width ? rest->n : stop ? stop : at;
    struct slice line = slice_of(rest->p, end);
    *rest = slice_from(*rest, end);
    while (rest->n && rest->p[0] == ' ')
        *rest = slice_from(*rest, 1);
    return line;
}

static void put_blanks(struct buffer *out, size_t n)
{
    while (n--)
        buffer_put(out, ' ');
}

/* Lines of text; the first stands behind `at` characters, the others behind `indent`. */
static void put_folded(struct buffer *out, struct slice text, size_t at, size_t indent, size_t width)
{
    while (text.n) {
        buffer_append(out, take_line(&text, width - at));
        buffer_put(out, '\n');
        if (text.n)
            put_blanks(out, indent);
        at = indent;
    }
}

static void put_count(struct buffer *out, int64_t n, const char *one, const char *many)
{
    put_number(out, n);
    buffer_put(out, ' ');
    buffer_str(out, n == 1 ? one : many);
}

/* "served; 4 things not exact, 1 parameter ignored; at most 1,006 rows and 11,350 units" */
static void write_verdict(const struct explained *e, struct buffer *b)
{
    int n_ignored = e->n_notes - e->n_near;
    buffer_str(b, "served; ");
    if (e->n_near)
        put_count(b, e->n_near, "thing not exact", "things not exact");
    else
        buffer_str(b, "exact");
    if (n_ignored) {
        buffer_str(b, ", ");
        put_count(b, n_ignored, "parameter ignored", "parameters ignored");
    }
    if (!e->planned) {
        buffer_str(b, "; 0 rows and 0 units: answered from our own books");
        return;
    }
    buffer_str(b, "; at most ");
    put_count(b, e->rows, "row", "rows");
    buffer_str(b, " and ");
    put_count(b, e->units, "unit", "units");
}

/* What the caret shows need not be said. */
static struct slice without_position(const struct explained *e)
{
    struct slice why = e->refusal.why, rest, place = slice_split(why, ':', &rest);
    struct slice head = slice_split(place, ',', &place);
    bool has =
        rest.n && e->spot.parameter.n && slice_eq(head, e->spot.parameter) && slice_starts(place, S(" character "));
    return has ? slice_trim(rest) : why;
}

static void text_verdict(const struct explained *e, struct buffer *out)
{
    struct buffer b = { 0 };
    if (e->options->line)
        buffer_printf(&b, "line %lld: ", (long long)e->options->line);
    if (e->refusal.fault) {
        struct slice why = without_position(e);
        buffer_printf(&b, "refused: %.*s: ", SLICE_ARGS(fault_word(e->refusal.fault)));
        shown_append(&b, why);
    } else {
        write_verdict(e, &b);
    }
    put_folded(out, buffer_slice(&b), 0, 2, width_of(e));
    out->failed |= b.failed;
    buffer_clear(&b);
}

/* Bytes of the first `n` characters. */
static size_t bytes_of(struct slice s, size_t n)
{
    size_t at = 0;
    for (; at < s.n; at++)
        if (((unsigned char)s.p[at] & 0xC0) != 0x80 && n-- == 0)
            break;
    return at;
}

/* The value, or what of it is around the spot, and a caret below. */
static void text_spot(const struct explained *e, struct buffer *out)
{
    const struct spot *s = &e->spot;
    if (!s->parameter.n)
        return;
    size_t all = explained_characters(s->value), head = 2 + s->parameter.n + 1, room = width_of(e) - head - 3,
           first = 0;
    if (all > room && s->at > room / 3)
        first = s->at - room / 3;
    size_t last = all - first > room ? first + room : all;
    size_t begin = bytes_of(s->value, first), end = bytes_of(s->value, last);
    buffer_printf(out, "  %.*s=%s", SLICE_ARGS(s->parameter), first ? "\xE2\x80\xA6" : "");
    shown_append(out, slice_of(s->value.p + begin, end - begin));
    buffer_str(out, last < all ? "\xE2\x80\xA6\n" : "\n");
    put_blanks(out, head + (first > 0) + s->at - first);
    buffer_put(out, '^');
    for (size_t i = s->at + 1; i < s->at + s->length && i < last; i++)
        buffer_put(out, '~');
    buffer_put(out, '\n');
}

static void write_how(const struct piece *p, struct buffer *b)
{
    static const char *const words[] = { "exact", "not exact", "ignored", "" };
    buffer_str(b, words[p->how]);
    for (int i = 0; i < p->n_notes; i++)
        buffer_printf(b, " [%d]", p->notes[i] + 1);
}

struct columns {
    size_t v2, v3, width; /* characters; of the whole line */
};

static struct columns measure(const struct explained *e)
{
    enum { MOST_V2 = 36, HOW = 14, GAPS = 6 };
    struct columns c = { 12, 12, width_of(e) };
    for (int i = 0; i < e->n_parts; i++) {
        size_t v2 = explained_characters(e->parts[i].v2), v3 = explained_characters(e->parts[i].v3);
        c.v2 = v2 > c.v2 ? v2 : c.v2;
        c.v3 = v3 > c.v3 ? v3 : c.v3;
    }
    size_t most_v2 = c.width / 3 < MOST_V2 ? c.width / 3 : MOST_V2;
    c.v2 = c.v2 > most_v2 ? most_v2 : c.v2;
    size_t left = c.width - c.v2 - HOW - GAPS;
    c.v3 = c.v3 > left ? left : c.v3;
    return c;
}

/* v2, v3 and how, each folded into its column; how stands beside the last line of v3. */
static void text_part(const struct piece *p, const struct columns *c, struct buffer *out)
{
    struct slice v2 = p->v2, v3 = p->v3.n ? p->v3 : S("-");
    bool said = false;
    while (v2.n || v3.n || !said) {
        struct slice left = take_line(&v2, c->v2), right = take_line(&v3, c->v3);
        buffer_str(out, "  ");
        buffer_append(out, left);
        if (right.n || !said)
            put_blanks(out, c->v2 - explained_characters(left) + 2);
        buffer_append(out, right);
        if (!v3.n && !said) {
            put_blanks(out, c->v3 - explained_characters(right) + 2);
            write_how(p, out);
            said = true;
        }
        buffer_put(out, '\n');
    }
}

static void text_parts(const struct explained *e, struct buffer *out)
{
    struct columns c = measure(e);
    bool any = false;
    for (int i = 0; i < e->n_parts; i++) {
        if (e->parts[i].how == HOW_UNREAD)
            continue;
        if (!any)
            buffer_put(out, '\n');
        any = true;
        text_part(&e->parts[i], &c, out);
    }
}

static void text_notes(const struct explained *e, struct buffer *out)
{
    for (int i = 0; i < e->n_notes; i++) {
        struct buffer b = { 0 };
        if (i == 0)
            buffer_put(out, '\n');
        buffer_printf(&b, "  [%d] %.*s: %.*s", i + 1, SLICE_ARGS(e->notes[i].name), SLICE_ARGS(e->notes[i].say));
        put_folded(out, buffer_slice(&b), 0, 6, width_of(e));
        buffer_clear(&b);
    }
    if (e->params.more_ignored)
        buffer_str(out, "  and more parameters that v2 did not have\n");
}

/* "rows   1 call + 1,000 results = 1,001 at most": the sum stands in a column of its own where there is room. */
static void text_sum(const struct explained *e, const char *head, const struct sum *sum, int64_t total,
                     const char *behind, struct buffer *out)
{
    enum { INDENT = 7, EQUALS_AT = 59 };
    struct buffer b = { 0 }, result = { 0 };
    buffer_printf(&b, "%-*s", INDENT, head);
    for (int i = 0; i < sum->n; i++) {
        buffer_str(&b, i ? " + " : "");
        put_milli(&b, sum->lines[i].milli);
        struct slice what = sum->lines[i].what;
        what.n -= sum->lines[i].milli == 1000 && slice_eq(what, S("results"));
        buffer_printf(&b, " %.*s", SLICE_ARGS(what));
    }
    buffer_str(&result, sum->n ? "= " : "");
    put_number(&result, total);
    buffer_str(&result, behind);
    size_t n = explained_characters(buffer_slice(&b)), width = width_of(e);
    bool fits = (n > EQUALS_AT ? n + 1 : EQUALS_AT) + explained_characters(buffer_slice(&result)) <= width;
    if (sum->n && fits) {
        put_blanks(&b, n > EQUALS_AT ? 1 : EQUALS_AT - n);
        buffer_append(&b, buffer_slice(&result));
        put_folded(out, buffer_slice(&b), 0, INDENT, width);
    } else {
        if (sum->n) {
            put_folded(out, buffer_slice(&b), 0, INDENT, width);
            put_blanks(out, INDENT);
        } else {
            buffer_append(out, buffer_slice(&b));
        }
        put_folded(out, buffer_slice(&result), INDENT, INDENT, width);
    }
    buffer_clear(&b);
    buffer_clear(&result);
}

static void text_price(const struct explained *e, struct buffer *out)
{
    buffer_put(out, '\n');
    text_sum(e, "rows", &e->rows_sum, e->rows, e->plan.free_of_rows ? ": a free target" : " at most", out);
    text_sum(e, "units", &e->units_sum, e->units,
             plan_is_free(&e->plan) ? ": free of charge in API v3"
             : !e->n                ? ": nothing is asked of API v3"
                                    : " at most, 0 for what is remembered",
             out);
    struct buffer b = { 0 };
    if (e->plan.page_rows && e->call.limit + e->call.offset > e->plan.page_rows) {
        buffer_str(&b, "       the list in pages of at most ");
        put_count(&b, e->plan.page_rows, "row", "rows");
        put_folded(out, buffer_slice(&b), 0, 7, width_of(e));
        b.n = 0;
    }
    if (e->rows_paid_for) {
        buffer_str(&b, "       units_per_call pays for ");
        put_count(&b, e->rows_paid_for, "row", "rows");
        buffer_str(&b, ": a list that goes on behind them is marked rows");
        put_folded(out, buffer_slice(&b), 0, 7, width_of(e));
    }
    buffer_clear(&b);
}

enum fault explain_text(struct slice call, const struct explain_options *o, struct buffer *out)
{
    struct explained e;
    struct buffer b = { 0 };
    explained_make(call, o, &e);
    text_verdict(&e, out);
    if (e.refusal.fault)
        text_spot(&e, out);
    if (!o->line) {
        text_parts(&e, out);
        text_notes(&e, out);
        if (e.planned)
            text_price(&e, out);
        buffer_str(&b, "--curl shows the requests to v3 as commands, --format json all of it");
        if (e.n && !e.refusal.fault)
            put_folded(out, buffer_slice(&b), 0, 0, width_of(&e));
    }
    buffer_clear(&b);
    return explained_end(&e);
}

/* ---- curl ---- */

enum fault explain_curl(struct slice call, const struct explain_options *o, struct buffer *out)
{
    struct explained e;
    struct buffer b = { 0 };
    explained_make(call, o, &e);
    if (o->line)
        buffer_printf(out, "# line %lld\n", (long long)o->line);
    if (e.refusal.fault) {
        buffer_printf(&b, "# refused: %.*s: ", SLICE_ARGS(fault_word(e.refusal.fault)));
        shown_append(&b, e.refusal.why);
        for (struct slice rest = buffer_slice(&b); rest.n;) {
            buffer_str(out, rest.p == b.p ? "" : "#   ");
            buffer_append(out, take_line(&rest, width_of(&e) - 4));
            buffer_put(out, '\n');
        }
    } else if (!e.n) {
        buffer_str(out, "# nothing is asked of API v3\n");
    }
    for (int i = 0; i < e.n && !e.refusal.fault; i++) {
        buffer_printf(out, "# %s: at most ", e.purposes[i]);
        put_count(out, e.requests[i].units, "unit", "units");
        buffer_put(out, '\n');
        explained_curl(&e, &e.requests[i], out);
        buffer_put(out, '\n');
    }
    buffer_clear(&b);
    return explained_end(&e);
}
