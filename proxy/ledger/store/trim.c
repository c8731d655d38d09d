/* SPDX-License-Identifier: MIT
 * Old months. What is removed is always a beginning of the ledger, older than the months that stay, and before every
 * hold that is open. */
#include "proxy/ledger/store/trim.h"

#include <stdlib.h>

#include "base/clock.h"
#include "proxy/ledger/store/recovery.h"

enum { PIECE = 256, PAUSE_MS = 20, DAY_MS = 86400000 };

struct trim {
    struct store *store;
    int keep_months;
    int64_t due_ms;
    bool going_on; /* the two below hold for this round */
    int64_t until_ms, before_seq;
};

struct trim *trim_new(struct store *store, int keep_months)
{
    struct trim *t = calloc(1, sizeof *t);
    if (t)
        *t = (struct trim){ .store = store, .keep_months = keep_months, .due_ms = clock_monotonic_ms() };
    return t;
}

int64_t trim_due_ms(const struct trim *t)
{
    return t->due_ms;
}

int64_t trim_until_ms(int64_t now_ms, int keep_months)
{
    int64_t month = month_of_ms(now_ms) - keep_months;
    if (month < 1970 * 12)
        return 0;
    return day_start_ms(
        day_from_civil((struct civil){ .year = (int)(month / 12), .month = (int)(month % 12) + 1, .day = 1 }));
}

static void take_time(void *context, const struct entry *e)
{
    *(int64_t *)context = e->time_ms;
}

/* A clock that went wrong while we were away must not cost entries: the newest entry knows the time, too. */
static bool begin_round(struct trim *t, struct buffer *why)
{
    struct entry_list open = { 0 };
    int64_t newest_ms = 0, next, now_ms = clock_wall_ms();
    if (!store_entries(t->store, store_last_seq(t->store), 1, take_time, &newest_ms, &next, why) ||
        !open_holds(t->store, &open, why)) {
        entry_list_clear(&open);
        return false;
    }
    t->until_ms = trim_until_ms(newest_ms < now_ms ? newest_ms : now_ms, t->keep_months);
    t->before_seq = INT64_MAX;
    for (size_t i = 0; i < open.n; i++) {
        if (open.entries[i]->seq < t->before_seq)
            t->before_seq = open.entries[i]->seq;
    }
    entry_list_clear(&open);
    return true;
}

bool trim_some(struct trim *t, struct buffer *why)
{
    bool more = false;
    bool good =
        (t->going_on || begin_round(t, why)) && store_trim(t->store, t->until_ms, t->before_seq, PIECE, &more, why);
    t->going_on = more;
    t->due_ms = clock_monotonic_ms() + (more ? PAUSE_MS : DAY_MS);
    return good;
}
