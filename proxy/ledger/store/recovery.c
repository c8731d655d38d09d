/* SPDX-License-Identifier: MIT
 * Reading the state of the books: the sums from the roll-ups, the open holds from the entries since the floor. */
#include "proxy/ledger/store/recovery.h"

#include <stdlib.h>

#include "proxy/ledger/entries/bounds.h"
#include "proxy/ledger/entries/open_calls.h"

enum {
    PAGE = 1024,
    DAYS_KEPT = 400 /* how far back the clock may step and still meet the right month */
};

static struct slice own(struct slice s)
{
    char *p = malloc(s.n + 1);
    if (!p)
        return slice_of(NULL, 0);
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return slice_of(p, s.n);
}

/* Room for one more of `size` bytes; false when memory is out. */
static bool make_room(void *array, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return true;
    size_t more = *room ? *room * 2 : 32;
    void *old;
    memcpy(&old, array, sizeof old);
    void *p = realloc(old, more * size);
    if (!p)
        return false;
    memcpy(array, &p, sizeof p);
    *room = more;
    return true;
}

static bool list_add(struct entry_list *list, struct entry *e)
{
    if (!e || !make_room(&list->entries, list->n, &list->room, sizeof(struct entry *))) {
        free(e);
        return false;
    }
    list->entries[list->n++] = e;
    return true;
}

void entry_list_clear(struct entry_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->entries[i]);
    free(list->entries);
    *list = (struct entry_list){ 0 };
}

/* ---- open holds ---- */

struct scan {
    struct open_calls calls; /* the team of a call here: its index in `open` */
    struct entry_list open, settled;
    int64_t sure_seq;
    bool failed;
};

static void scan_hold(struct scan *scan, const struct entry *e)
{
    struct open_call *call = open_calls_find(&scan->calls, e->id);
    if (call) {
        struct entry *first = scan->open.entries[call->team];
        bool instead = entry_is_rehold(e);
        first->rows = instead ? e->rows : bounds_sum(first->rows, e->rows);
        first->units = instead ? e->units : bounds_sum(first->units, e->units);
        if (e->time_ms > first->time_ms)
            first->time_ms = e->time_ms;
    } else if (!open_calls_add(&scan->calls, e->id, (int32_t)scan->open.n) || !list_add(&scan->open, entry_copy(e))) {
        scan->failed = true;
    }
}

static void scan_end(struct scan *scan, const struct entry *e)
{
    struct open_call *call = open_calls_find(&scan->calls, e->id);
    if (call) {
        free(scan->open.entries[call->team]);
        scan->open.entries[call->team] = NULL;
        open_calls_remove(&scan->calls, call);
    }
    if (e->kind == ENTRY_SETTLE && e->seq > scan->sure_seq && !list_add(&scan->settled, entry_copy(e)))
        scan->failed = true;
}

/* A settlement that was put right already is not to be put right again. */
static void scan_correction(struct scan *scan, const struct entry *e)
{
    for (size_t i = 0; i < scan->settled.n; i++) {
        if (slice_eq(scan->settled.entries[i]->id, e->ref)) {
            free(scan->settled.entries[i]);
            scan->settled.entries[i] = scan->settled.entries[--scan->settled.n];
            return;
        }
    }
}

static void scan_entry(void *context, const struct entry *e)
{
    struct scan *scan = context;
    if (scan->failed)
        return;
    if (e->kind == ENTRY_HOLD)
        scan_hold(scan, e);
    else if (entry_is_end(e))
        scan_end(scan, e);
    else if (e->kind == ENTRY_CORRECT)
        scan_correction(scan, e);
}

static bool scan_from_floor(struct store *s, struct scan *scan, struct buffer *why)
{
    bool good = true;
    open_calls_init(&scan->calls);
    for (int64_t seq = store_floor(s); good && seq && !scan->failed;)
        good = store_entries(s, seq, PAGE, scan_entry, scan, &seq, why);
    if (good && scan->failed)
        buffer_str(why, "ledger: out of memory");
    open_calls_clear(&scan->calls);
    size_t kept = 0;
    for (size_t i = 0; i < scan->open.n; i++) {
        if (scan->open.entries[i])
            scan->open.entries[kept++] = scan->open.entries[i];
    }
    scan->open.n = kept;
    return good && !scan->failed;
}

bool open_holds(struct store *s, struct entry_list *open, struct buffer *why)
{
    struct scan scan = { .sure_seq = INT64_MAX };
    bool good = scan_from_floor(s, &scan, why);
    *open = scan.open;
    return good;
}

/* ---- all of it ---- */

static void take_day(void *context, struct slice team, struct day day, int64_t rows, int64_t units)
{
    struct recovery *r = context;
    struct slice copy = own(team);
    if (!copy.p || !make_room(&r->days, r->n_days, &r->days_room, sizeof *r->days)) {
        free((void *)(uintptr_t)copy.p);
        r->failed = true;
        return;
    }
    r->days[r->n_days++] = (struct used_day){ .team = copy, .day = day, .rows = rows, .units = units };
}

static void take_limit(void *context, const struct limit_row *limit)
{
    struct recovery *r = context;
    struct slice copy = own(limit->team);
    if (!copy.p || !make_room(&r->limits, r->n_limits, &r->limits_room, sizeof *r->limits)) {
        free((void *)(uintptr_t)copy.p);
        r->failed = true;
        return;
    }
    r->limits[r->n_limits] = *limit;
    r->limits[r->n_limits++].team = copy;
}

struct recovery *recovery_read(struct store *s, int64_t sure_seq, struct day today, struct buffer *why)
{
    struct recovery *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    struct scan scan = { .sure_seq = sure_seq };
    bool good = scan_from_floor(s, &scan, why);
    r->open = scan.open;
    r->settled = scan.settled;
    if (good && store_days(s, (struct day){ today.n - DAYS_KEPT }, take_day, r, why) &&
        store_limits(s, take_limit, r, why) && !r->failed)
        return r;
    if (!why->n)
        buffer_str(why, "ledger: out of memory");
    recovery_free(r);
    return NULL;
}

void recovery_free(struct recovery *r)
{
    if (!r)
        return;
    entry_list_clear(&r->open);
    entry_list_clear(&r->settled);
    for (size_t i = 0; i < r->n_days; i++)
        free((void *)(uintptr_t)r->days[i].team.p);
    free(r->days);
    for (size_t i = 0; i < r->n_limits; i++)
        free((void *)(uintptr_t)r->limits[i].team.p);
    free(r->limits);
    free(r);
}
