/* SPDX-License-Identifier: MIT
 * Commands on the books as a whole. */
#include "base/day.h"
#include "base/shown.h"
#include "base/text.h"
#include "proxy/ledger/command/command.h"

enum { PAGE = 1024, PORTION_BYTES = 1 << 20 };

void command_note_cut(struct command *c, int64_t first_seq)
{
    struct cut cut = store_cut(c->store);
    if (first_seq && first_seq <= cut.seq)
        buffer_printf(c->err,
                      "anchorage %s: the entries up to seq %lld were removed (keep); their hourly sums are in usage\n",
                      c->row->line.words, (long long)cut.seq);
}

/* ---- export ---- */

struct export
{
    struct buffer *out;
    int64_t since_ms;
    void (*print)(struct buffer * b, const struct entry *e);
    bool is_array, is_first;
};

static void export_entry(void *context, const struct entry *e)
{
    struct export *x = context;
    if (e->time_ms < x->since_ms)
        return;
    if (x->is_array && !x->is_first)
        buffer_put(x->out, ',');
    x->is_first = false;
    x->print(x->out, e);
}

static void put_amount(struct buffer *b, int64_t n)
{
    if (n == ENTRY_NULL)
        buffer_printf(b, "  %15s", "-");
    else
        buffer_printf(b, "  %15lld", (long long)n);
}

/* Two lines of 80 columns, or three where a target is long: that is not cut. */
static void entry_text(struct buffer *b, const struct entry *e)
{
    enum { WIDTH = 80, WIDEST = 20 };
    const struct slice texts[] = { e->team, e->key, e->table, e->fault };
    const char *kind = entry_kind_word(e->kind);
    char time[21];
    timestamp_format(e->time_ms / 1000, time);
    buffer_printf(b, "%-13lld  %s  %-7s", (long long)e->seq, time, kind ? kind : "-");
    put_amount(b, e->rows);
    put_amount(b, e->units);
    buffer_str(b, "\n");
    size_t column = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct slice text = texts[i].n ? texts[i] : S("-");
        size_t width = shown_width(text) < WIDEST ? shown_width(text) : WIDEST;
        buffer_str(b, "  ");
        shown_cut(b, text, WIDEST);
        column += 2 + width;
    }
    if (e->target.n) {
        buffer_str(b, column + 2 + shown_width(e->target) > WIDTH ? "\n  " : "  ");
        shown_append(b, e->target);
    }
    buffer_put(b, '\n');
}

static void head_text(struct buffer *b)
{
    buffer_printf(b, "%-13s  %-20s  %-7s  %15s  %15s\n  team  key  table  fault  target\n", "seq", "time", "kind",
                  "rows", "units");
}

static void head_array(struct buffer *b)
{
    buffer_put(b, '[');
}

static const struct form {
    const char *word;
    void (*head)(struct buffer *b);
    void (*print)(struct buffer *b, const struct entry *e);
} forms[] = { { "jsonl", NULL, entry_json },
              { "json", head_array, entry_json },
              { "csv", entry_csv_header, entry_csv },
              { "text", head_text, entry_text } };

static const struct form *form_of(const char *word)
{
    size_t i = 0;
    while (i < sizeof forms / sizeof forms[0] - 1 && strcmp(forms[i].word, word) != 0)
        i++;
    return &forms[i];
}

static void take_first(void *context, const struct rollup *r)
{
    int64_t *first = context;
    if (!*first || r->first_seq < *first)
        *first = r->first_seq;
}

/* Whether --since may stand so; *hour is set when it is a day, else *seq. */
static bool parse_since(const char *since, int64_t *hour, int64_t *seq)
{
    uint64_t number;
    *seq = 0;
    if (command_date(since, hour))
        return true;
    if (!parse_u64(slice_str(since), &number) || number > INT64_MAX)
        return false;
    *seq = number ? (int64_t)number : 1;
    return true;
}

int ledger_export_check(struct command *c)
{
    int64_t hour, seq;
    const char *since = c->option[EXPORT_SINCE];
    if (!since || parse_since(since, &hour, &seq))
        return 0;
    return command_no_value(
        c, "--since", "a seq, or a day like 2026-11-23 from 1970-01-01 to 9999-12-31, or today, yesterday, 7d, 24h",
        since);
}

/* Where to begin: a seq as it stands, a day by the first entry of its hours. */
static int read_since(struct command *c, struct export *x, int64_t *seq)
{
    int64_t hour;
    *seq = 1;
    if (!c->option[EXPORT_SINCE] || !parse_since(c->option[EXPORT_SINCE], &hour, seq) || *seq)
        return 0;
    struct buffer why = { 0 };
    x->since_ms = hour * 3600000;
    if (!store_rollups(c->store, hour, INT64_MAX, take_first, seq, &why))
        return command_failed(c, &why);
    return 0;
}

int ledger_export(struct command *c)
{
    const struct form *form = form_of(c->option[EXPORT_FORMAT] ? c->option[EXPORT_FORMAT] : "jsonl");
    struct export x = { .out = c->out,
                        .since_ms = INT64_MIN,
                        .print = form->print,
                        .is_array = form->head == head_array,
                        .is_first = !c->at };
    int64_t seq;
    int status = read_since(c, &x, &seq);
    if (status)
        return status;
    if (c->at) {
        seq = c->at;
    } else {
        command_note_cut(c, seq);
        if (form->head)
            form->head(c->out);
    }
    struct buffer why = { 0 };
    for (size_t most = c->out->n + PORTION_BYTES; seq && c->out->n < most && !c->out->failed;)
        if (!store_entries(c->store, seq, PAGE, export_entry, &x, &seq, &why))
            return command_failed(c, &why);
    c->at = seq;
    if (x.is_array && !seq)
        buffer_str(c->out, "]\n");
    return c->out->failed ? command_wrong(c, "memory is out") : COMMAND_DONE;
}

/* ---- backup ---- */

int ledger_backup(struct command *c)
{
    struct buffer why = { 0 };
    if (!store_backup(c->store, c->argument[0], &why))
        return command_failed(c, &why);
    buffer_printf(c->out, "%s\n", c->argument[0]);
    return COMMAND_DONE;
}
