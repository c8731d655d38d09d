/* SPDX-License-Identifier: MIT
 * The command key list --unknown. */
#include "base/clock.h"
#include "base/day.h"
#include "base/shown.h"
#include "proxy/ledger/command/command.h"

enum { INDENT = 2, GAP = 2, WIDEST_CLIENT = 39 /* an address of IPv6 */, WIDEST_TABLES = 20, LEAST_AGENT = 10 };

struct listing {
    const struct keys *keys;
    struct buffer *out;
    enum command_format format;
    size_t client_width, tables_width, columns;
    bool is_first;
};

static size_t wider(size_t width, struct slice text, size_t most)
{
    size_t own = shown_width(text);
    return own > width ? own < most ? own : most : width;
}

static void measure(void *context, const struct stranger_row *one)
{
    struct listing *list = context;
    list->client_width = wider(list->client_width, one->client, WIDEST_CLIENT);
    list->tables_width = wider(list->tables_width, one->tables, WIDEST_TABLES);
}

static void put_padded(struct buffer *b, struct slice text, size_t width)
{
    shown_cut(b, text, width);
    for (size_t n = shown_width(text); n < width + GAP; n++)
        buffer_put(b, ' ');
    if (shown_width(text) > width)
        buffer_printf(b, "%*s", GAP, "");
}

/* Who it was is a second line: no terminal is wide enough for both. */
static void put_who(const struct listing *list, struct slice client, struct slice tables, struct slice agent)
{
    buffer_printf(list->out, "%*s", INDENT, "");
    put_padded(list->out, client, list->client_width);
    put_padded(list->out, tables.n ? tables : S("-"), list->tables_width);
    size_t taken = INDENT + list->client_width + list->tables_width + (size_t)2 * GAP;
    shown_cut(list->out, agent.n ? agent : S("-"),
              taken + LEAST_AGENT < list->columns ? list->columns - taken : LEAST_AGENT);
    buffer_put(list->out, '\n');
}

/* One for JSON and CSV, in this order. */
static void put_fields(struct listing *list, const struct stranger_row *one, const char *name, const char *first,
                       const char *last)
{
    bool is_json = list->format == FORMAT_JSON;
    const struct {
        const char *name;
        struct slice text; /* p is NULL: it is the number of calls */
    } fields[] = { { "key", slice_str(name) },
                   { "state", one->metered ? S("metered") : S("refused") },
                   { "calls", slice_of(NULL, 0) },
                   { "first_seen", slice_str(first) },
                   { "last_seen", slice_str(last) },
                   { "client", one->client.n ? one->client : S("") },
                   { "tables", one->tables.n ? one->tables : S("") },
                   { "user_agent", one->agent.n ? one->agent : S("") } };
    buffer_str(list->out, is_json && !list->is_first ? ",{" : is_json ? "{" : "");
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        buffer_str(list->out, i ? "," : "");
        if (is_json)
            buffer_printf(list->out, "\"%s\":", fields[i].name);
        if (fields[i].text.p)
            command_put_text(list->out, list->format, fields[i].text);
        else
            buffer_i64(list->out, one->calls);
    }
    buffer_str(list->out, is_json ? "}" : "\n");
    list->is_first = false;
}

/* A key that was added a moment ago may still be among them. */
static void print(void *context, const struct stranger_row *one)
{
    struct listing *list = context;
    char name[STRANGER_NAME_TEXT + 1], first[21], last[21];
    if (keys_of_digest(list->keys, &one->digest))
        return;
    stranger_name(&one->digest, name);
    timestamp_format(one->first_ms / 1000, first);
    timestamp_format(one->last_ms / 1000, last);
    if (list->format != FORMAT_TEXT) {
        put_fields(list, one, name, first, last);
        return;
    }
    buffer_printf(list->out, "%s  %-7s  %-13lld  %s  %s\n", name, one->metered ? "metered" : "refused",
                  (long long)one->calls, first, last);
    put_who(list, one->client, one->tables, one->agent);
}

static void put_head(const struct listing *list)
{
    if (list->format == FORMAT_JSON) {
        buffer_str(list->out, "{\"items\":[");
    } else if (list->format == FORMAT_CSV) {
        buffer_str(list->out, "key,state,calls,first_seen,last_seen,client,tables,user_agent\n");
    } else {
        buffer_printf(list->out, "%-*s  %-7s  %-13s  %-20s  %s\n", STRANGER_NAME_TEXT, "key", "state", "calls",
                      "first_seen", "last_seen");
        put_who(list, S("client"), S("tables"), S("user_agent"));
    }
}

int key_list_unknown(struct command *c)
{
    struct buffer why = { 0 };
    struct listing list = { .out = c->out,
                            .format = command_format(c->option[KEY_LIST_FORMAT]),
                            .columns = c->columns,
                            .client_width = 6,
                            .tables_width = 6,
                            .is_first = true };
    struct keys *keys = keys_read(c->store, &why);
    if (!keys)
        return command_failed(c, &why);
    list.keys = keys;
    bool good = strangers_show(c->strangers, measure, &list);
    if (list.format == FORMAT_TEXT)
        command_begin_head(c);
    put_head(&list);
    if (list.format == FORMAT_TEXT)
        command_end_head(c);
    good = good && strangers_show(c->strangers, print, &list);
    buffer_str(c->out, list.format == FORMAT_JSON ? "]}\n" : "");
    keys_free(keys);
    return good ? COMMAND_DONE : command_wrong(c, "out of memory");
}
