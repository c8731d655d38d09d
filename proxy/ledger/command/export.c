/* SPDX-License-Identifier: MIT
 * Commands on the books as a whole. */
#include "base/text.h"
#include "proxy/ledger/command/command.h"

enum { PAGE = 1024, PORTION_BYTES = 1 << 20 };

void command_note_cut(struct command *c, int64_t first_seq)
{
    struct cut cut = store_cut(c->store);
    if (first_seq && first_seq <= cut.seq)
        buffer_printf(c->err, "%s: the entries up to seq %lld were removed (keep); their hourly sums are in usage\n",
                      c->row->words, (long long)cut.seq);
}

/* ---- export ---- */

struct export
{
    struct buffer *out;
    int64_t since_ms;
    void (*print)(struct buffer * b, const struct entry *e);
};

static void export_entry(void *context, const struct entry *e)
{
    struct export *x = context;
    if (e->time_ms >= x->since_ms)
        x->print(x->out, e);
}

static void take_first(void *context, const struct rollup *r)
{
    int64_t *first = context;
    if (!*first || r->first_seq < *first)
        *first = r->first_seq;
}

/* Where to begin: a seq as it stands, a day by the first entry of its hours. */
static int read_since(struct command *c, struct export *x, int64_t *seq)
{
    const char *since = c->option[EXPORT_SINCE];
    uint64_t number;
    int64_t hour;
    *seq = 1;
    if (!since)
        return 0;
    if (command_date(since, &hour)) {
        struct buffer why = { 0 };
        *seq = 0;
        x->since_ms = hour * 3600000;
        if (!store_rollups(c->store, hour, INT64_MAX, take_first, seq, &why))
            return command_failed(c, &why);
    } else if (parse_u64(slice_str(since), &number) && number <= INT64_MAX) {
        *seq = number ? (int64_t)number : 1;
    } else {
        return command_misused(c,
                               "--since is a seq, or a day like 2026-11-23 from 1970-01-01 to 9999-12-31, or today, "
                               "yesterday, 7d, 24h, not %s",
                               since);
    }
    return 0;
}

int ledger_export(struct command *c)
{
    const char *format = c->option[EXPORT_FORMAT] ? c->option[EXPORT_FORMAT] : "jsonl";
    bool csv = strcmp(format, "csv") == 0;
    if (!csv && strcmp(format, "jsonl") != 0)
        return command_misused(c, "--format is jsonl or csv, not %s", format);
    struct export x = { .out = c->out, .since_ms = INT64_MIN, .print = csv ? entry_csv : entry_json };
    int64_t seq;
    int status = read_since(c, &x, &seq);
    if (status)
        return status;
    if (c->at) {
        seq = c->at;
    } else {
        command_note_cut(c, seq);
        if (csv)
            entry_csv_header(c->out);
    }
    struct buffer why = { 0 };
    for (size_t most = c->out->n + PORTION_BYTES; seq && c->out->n < most && !c->out->failed;)
        if (!store_entries(c->store, seq, PAGE, export_entry, &x, &seq, &why))
            return command_failed(c, &why);
    c->at = seq;
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
