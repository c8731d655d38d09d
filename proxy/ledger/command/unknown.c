/* SPDX-License-Identifier: MIT
 * The command key list --unknown. */
#include "base/clock.h"
#include "base/day.h"
#include "proxy/ledger/command/command.h"

struct listing {
    const struct keys *keys;
    struct buffer *out;
    int client_width, tables_width;
};

static struct slice or_dash(struct slice text)
{
    return text.n ? text : S("-");
}

static int wider(int width, struct slice text)
{
    return (int)text.n > width ? (int)text.n : width;
}

static void measure(void *context, const struct stranger_row *one)
{
    struct listing *list = context;
    list->client_width = wider(list->client_width, one->client);
    list->tables_width = wider(list->tables_width, one->tables);
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
    buffer_printf(list->out, "%s  %-7s  %-10lld  %s  %s  %-*.*s  %-*.*s  %.*s\n", name,
                  one->metered ? "metered" : "refused", (long long)one->calls, first, last, list->client_width,
                  SLICE_ARGS(one->client), list->tables_width, SLICE_ARGS(or_dash(one->tables)),
                  SLICE_ARGS(or_dash(one->agent)));
}

int key_list_unknown(struct command *c)
{
    struct buffer why = { 0 };
    struct listing list = { .out = c->out, .client_width = 6, .tables_width = 6 };
    struct keys *keys = keys_read(c->store, &why);
    if (!keys)
        return command_failed(c, &why);
    list.keys = keys;
    bool good = strangers_show(c->strangers, measure, &list);
    buffer_printf(c->out, "%-*s  %-7s  %-10s  %-20s  %-20s  %-*s  %-*s  %s\n", STRANGER_NAME_TEXT, "key", "state",
                  "calls", "first_seen", "last_seen", list.client_width, "client", list.tables_width, "tables",
                  "user_agent");
    good = good && strangers_show(c->strangers, print, &list);
    keys_free(keys);
    return good ? COMMAND_DONE : command_wrong(c, "out of memory");
}
