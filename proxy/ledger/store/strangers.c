/* SPDX-License-Identifier: MIT
 * Strangers in an array of fixed size. There are few, so they are found by looking through what is compared: the marks
 * of all stand side by side. */
#include "proxy/ledger/store/strangers.h"

#include <pthread.h>
#include <stdlib.h>

#include "proxy/ledger/entries/names.h"

enum { WRITE_AT_ONCE = 128, TABLE_BYTES = 24 };

struct stranger {
    struct digest digest;
    int64_t first_ms, last_ms, calls; /* no calls: the place is free */
    uint32_t changes, written;        /* on disk when they are equal */
    bool metered;
    uint8_t n_client, n_agent, n_tables;
    char client[STRANGER_CLIENT_BYTES], agent[STRANGER_AGENT_BYTES], tables[STRANGER_TABLES_BYTES];
};

struct strangers {
    pthread_mutex_t mutex;
    uint64_t marks[STRANGERS];   /* of token and client */
    uint64_t clients[STRANGERS]; /* of the client alone */
    uint64_t turns[STRANGERS];   /* when it was seen last, counted in calls; 0: free */
    uint64_t turn;
    bool changed;
    struct stranger rows[STRANGERS];
    struct names names; /* that were given out */
};

struct strangers *strangers_new(void)
{
    struct strangers *all = calloc(1, sizeof *all);
    if (all)
        pthread_mutex_init(&all->mutex, NULL);
    return all;
}

void strangers_free(struct strangers *all)
{
    if (!all)
        return;
    names_clear(&all->names);
    pthread_mutex_destroy(&all->mutex);
    free(all);
}

static void lock(const struct strangers *all)
{
    pthread_mutex_lock((pthread_mutex_t *)(uintptr_t)&all->mutex);
}

static void unlock(const struct strangers *all)
{
    pthread_mutex_unlock((pthread_mutex_t *)(uintptr_t)&all->mutex);
}

/* ---- texts ---- */

/* Printable ASCII, for it is shown on terminals; what was cut off is shown by dots. */
static uint8_t keep_text(char *to, size_t room, struct slice text)
{
    size_t n = text.n < room ? text.n : room;
    for (size_t i = 0; i < n; i++)
        to[i] = (char)(text.p[i] >= ' ' && text.p[i] <= '~' ? text.p[i] : '?');
    if (text.n > room)
        memcpy(to + room - 3, "...", 3);
    return (uint8_t)n;
}

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* Add a table to those that were asked for, separated by commas; nothing when it does not fit. */
static void keep_table(struct stranger *one, struct slice table)
{
    char word[TABLE_BYTES];
    struct slice rest = slice_of(one->tables, one->n_tables),
                 text = { word, table.n < sizeof word ? table.n : sizeof word };
    for (size_t i = 0; i < text.n; i++)
        word[i] = (char)(is_word_byte(table.p[i]) ? table.p[i] : '?');
    while (rest.n) {
        if (slice_eq(slice_split(rest, ',', &rest), text))
            return;
    }
    size_t comma = one->n_tables ? 1 : 0;
    if (!text.n || one->n_tables + comma + text.n > sizeof one->tables)
        return;
    if (comma)
        one->tables[one->n_tables] = ',';
    memcpy(one->tables + one->n_tables + comma, text.p, text.n);
    one->n_tables = (uint8_t)(one->n_tables + comma + text.n);
}

/* ---- places ---- */

static uint64_t mark_of(const struct digest *digest, uint64_t client)
{
    uint64_t mark;
    memcpy(&mark, digest->b, sizeof mark);
    return mark ^ client;
}

static bool is_at(const struct strangers *all, int place, const struct digest *digest, struct slice client)
{
    const struct stranger *one = &all->rows[place];
    return all->turns[place] && digest_eq(&one->digest, digest) &&
           slice_eq(slice_of(one->client, one->n_client), client);
}

/* -1 when there is none. */
static int find(const struct strangers *all, uint64_t mark, const struct digest *digest, struct slice client)
{
    for (int i = 0; i < STRANGERS; i++) {
        if (all->marks[i] == mark && is_at(all, i, digest, client))
            return i;
    }
    return -1;
}

static int place_for(const struct strangers *all, uint64_t hash, struct slice client)
{
    int oldest = 0, oldest_here = -1, here = 0;
    for (int i = 0; i < STRANGERS; i++) {
        if (all->turns[i] < all->turns[oldest])
            oldest = i;
        const struct stranger *one = &all->rows[i];
        if (all->clients[i] != hash || !all->turns[i] || !slice_eq(slice_of(one->client, one->n_client), client))
            continue;
        here++;
        if (oldest_here < 0 || all->turns[i] < all->turns[oldest_here])
            oldest_here = i;
    }
    return here < STRANGERS_OF_ADDRESS ? oldest : oldest_here;
}

static struct stranger *settle_in(struct strangers *all, int place, const struct digest *digest, struct slice client)
{
    struct stranger *one = &all->rows[place];
    uint32_t changes = one->changes, written = one->written;
    *one = (struct stranger){ .digest = *digest, .changes = changes, .written = written };
    one->n_client = (uint8_t)client.n;
    memcpy(one->client, client.p, client.n);
    all->clients[place] = slice_hash(client);
    all->marks[place] = mark_of(digest, all->clients[place]);
    return one;
}

static struct slice client_text(struct slice client)
{
    return slice_of(client.p ? client.p : "", client.n < STRANGER_CLIENT_BYTES ? client.n : STRANGER_CLIENT_BYTES);
}

void strangers_see(struct strangers *all, const struct digest *digest, const struct ledger_stranger *call,
                   int64_t now_ms)
{
    struct slice client = client_text(call->client);
    uint64_t hash = slice_hash(client);
    lock(all);
    int place = find(all, mark_of(digest, hash), digest, client);
    if (place < 0) {
        place = place_for(all, hash, client);
        settle_in(all, place, digest, client)->first_ms = now_ms;
    }
    struct stranger *one = &all->rows[place];
    one->last_ms = now_ms;
    one->calls++;
    one->metered = call->metered;
    one->n_agent = keep_text(one->agent, sizeof one->agent, call->agent);
    keep_table(one, call->table);
    one->changes++;
    all->turns[place] = ++all->turn;
    all->changed = true;
    unlock(all);
}

void strangers_drop_keys(struct strangers *all, const struct keys *keys)
{
    lock(all);
    for (int i = 0; i < STRANGERS; i++) {
        if (!all->turns[i] || !keys_of_digest(keys, &all->rows[i].digest))
            continue;
        all->rows[i].calls = 0;
        all->rows[i].changes++;
        all->turns[i] = 0;
        all->changed = true;
    }
    unlock(all);
}

/* ---- the disk ---- */

static struct stranger_row row_of(const struct stranger *one, int place)
{
    return (struct stranger_row){ .place = place,
                                  .digest = one->digest,
                                  .client = slice_of(one->client, one->n_client),
                                  .agent = slice_of(one->agent, one->n_agent),
                                  .tables = slice_of(one->tables, one->n_tables),
                                  .first_ms = one->first_ms,
                                  .last_ms = one->last_ms,
                                  .calls = one->calls,
                                  .metered = one->metered };
}

struct intake {
    struct strangers *all;
    const struct keys *keys;
};

/* They come in the order they were seen. */
static void take_row(void *context, const struct stranger_row *row)
{
    struct intake *in = context;
    struct strangers *all = in->all;
    if (row->place < 0 || row->place >= STRANGERS || row->calls < 1)
        return;
    struct stranger *one = settle_in(all, row->place, &row->digest, client_text(row->client));
    one->n_agent = keep_text(one->agent, sizeof one->agent, row->agent);
    one->n_tables = keep_text(one->tables, sizeof one->tables, row->tables);
    one->first_ms = row->first_ms;
    one->last_ms = row->last_ms;
    one->calls = row->calls;
    one->metered = row->metered;
    all->turns[row->place] = ++all->turn;
}

static void take_name(void *context, struct slice text)
{
    struct strangers *all = context;
    if (text.n == STRANGER_NAME_TEXT && text.p[0] == '?' && all->names.n < STRANGER_NAMES)
        names_add(&all->names, text);
}

bool strangers_read(struct strangers *all, struct store *s, const struct keys *keys, struct buffer *why)
{
    store_names(s, take_name, all);
    if (!store_strangers(s, take_row, &(struct intake){ all, keys }, why))
        return false;
    strangers_drop_keys(all, keys);
    return true;
}

bool strangers_changed(const struct strangers *all)
{
    lock(all);
    bool changed = all->changed;
    unlock(all);
    return changed;
}

/* Copies of up to `max` that changed, from `from` on; `from` becomes where to go on. */
static int copy_changed(const struct strangers *all, int *from, int max, struct stranger *copies, int *places)
{
    int n = 0;
    lock(all);
    for (; *from < STRANGERS && n < max; ++*from) {
        if (all->rows[*from].changes == all->rows[*from].written)
            continue;
        copies[n] = all->rows[*from];
        places[n++] = *from;
    }
    unlock(all);
    return n;
}

static bool write_some(struct strangers *all, struct store *s, int n, const struct stranger *copies, const int *places,
                       struct buffer *why)
{
    struct stranger_row rows[WRITE_AT_ONCE];
    for (int i = 0; i < n; i++)
        rows[i] = row_of(&copies[i], places[i]);
    if (n && !store_write(s, &(struct store_batch){ .strangers = rows, .n_strangers = (size_t)n }, why))
        return false;
    lock(all);
    for (int i = 0; i < n; i++)
        all->rows[places[i]].written = copies[i].changes;
    unlock(all);
    return true;
}

/* In pieces, so that calls that wait for the disk do not wait for all of them. */
bool strangers_write(struct strangers *all, struct store *s, struct buffer *why)
{
    struct stranger *copies = malloc(WRITE_AT_ONCE * sizeof *copies);
    int places[WRITE_AT_ONCE], from = 0;
    bool good = copies;
    lock(all);
    all->changed = false;
    unlock(all);
    while (good && from < STRANGERS) {
        int n = copy_changed(all, &from, WRITE_AT_ONCE, copies, places);
        good = write_some(all, s, n, copies, places, why);
    }
    if (!good) {
        lock(all);
        all->changed = true;
        unlock(all);
    }
    free(copies);
    return good;
}

/* ---- for people ---- */

struct shown {
    struct stranger one;
    int place;
    uint64_t turn;
};

static int by_turn(const void *left, const void *right)
{
    const struct shown *a = left, *b = right;
    return (a->turn < b->turn) - (a->turn > b->turn);
}

bool strangers_show(struct strangers *all, store_stranger_seen *seen, void *context)
{
    struct shown *copies = malloc(STRANGERS * sizeof *copies);
    size_t n = 0;
    if (!copies)
        return false;
    lock(all);
    for (int i = 0; i < STRANGERS; i++) {
        if (all->turns[i])
            copies[n++] = (struct shown){ all->rows[i], i, all->turns[i] };
    }
    unlock(all);
    if (n)
        qsort(copies, n, sizeof *copies, by_turn);
    for (size_t i = 0; i < n; i++) {
        struct stranger_row row = row_of(&copies[i].one, copies[i].place);
        seen(context, &row);
    }
    free(copies);
    return true;
}

/* ---- names ---- */

void stranger_name(const struct digest *digest, char name[STRANGER_NAME_TEXT + 1])
{
    static const char digits[] = "0123456789abcdef";
    name[0] = '?';
    for (int i = 0; i < STRANGER_NAME_TEXT - 1; i++)
        name[1 + i] = digits[digest->b[i / 2] >> (i % 2 ? 0 : 4) & 15];
    name[STRANGER_NAME_TEXT] = '\0';
}

struct slice strangers_name(struct strangers *all, const struct digest *digest)
{
    char name[STRANGER_NAME_TEXT + 1];
    stranger_name(digest, name);
    int32_t number = all->names.n < STRANGER_NAMES ? names_add(&all->names, slice_str(name))
                                                   : names_find(&all->names, slice_str(name));
    return number >= 0 ? names_text(&all->names, number) : S("other");
}
