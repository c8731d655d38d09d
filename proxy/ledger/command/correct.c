/* SPDX-License-Identifier: MIT
 * The command ledger correct: what Ahrefs really took for a call that has ended, where the books have another number.
 * Entries have no index but seq, so they are read backwards: the call that is put right is mostly a late one. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "proxy/ledger/command/command.h"
#include "proxy/ledger/entries/bounds.h"
#include "proxy/ledger/entries/ids.h"

enum { PAGE = 1024 };

static const uint64_t most_units = 1000000000000000;

struct search {
    struct slice id;
    int64_t below;                  /* entries from this seq on are known */
    struct entry *end;              /* of the call; NULL: not found */
    bool has_hold, is_none, failed; /* is_none: the id is that of a correction or a note */
    int64_t corrected;              /* units, by corrections of the call */
};

static void look(void *context, const struct entry *e)
{
    struct search *s = context;
    if (e->seq >= s->below)
        return;
    if (e->kind == ENTRY_CORRECT && slice_eq(e->ref, s->id))
        s->corrected = bounds_sum(s->corrected, entry_units_used(e));
    if (!slice_eq(e->id, s->id))
        return;
    s->has_hold |= e->kind == ENTRY_HOLD;
    s->is_none |= e->kind == ENTRY_CORRECT || e->kind == ENTRY_NOTE;
    if (!entry_is_end(e) || s->end)
        return;
    s->end = entry_copy(e);
    s->failed = !s->end;
}

/* From the last entry to the first, until the call is found: its corrections are behind its end. */
static bool search_back(struct store *store, struct search *s, struct buffer *why)
{
    int64_t first = store_cut(store).seq + 1;
    bool good = true;
    while (good && s->below > first && !s->end && !s->has_hold && !s->is_none && !s->failed) {
        int64_t from = s->below - PAGE > first ? s->below - PAGE : first, next;
        good = store_entries(store, from, PAGE, look, s, &next, why);
        s->below = from;
    }
    return good;
}

/* Corrections that were written since `from`. */
static bool search_on(struct store *store, struct search *s, int64_t from, struct buffer *why)
{
    bool good = true;
    s->below = INT64_MAX;
    for (int64_t seq = from; good && seq && seq <= store_last_seq(store);)
        good = store_entries(store, seq, PAGE, look, s, &seq, why);
    return good;
}

static int not_there(struct command *c, const struct search *s)
{
    if (s->failed)
        return command_wrong(c, "out of memory");
    if (s->has_hold)
        return command_wrong(c, "the call %.*s has not ended: what it takes is booked when it has", SLICE_ARGS(s->id));
    if (s->is_none)
        return command_wrong(c, "%.*s is no call but a correction or a note: give the id of the call itself",
                             SLICE_ARGS(s->id));
    command_note_cut(c, 1);
    return command_wrong(c,
                         "no call %.*s is in the books: give the id of an entry that ends a call, as X-Anchorage-Id, "
                         "the log and ledger export have it",
                         SLICE_ARGS(s->id));
}

/* Write what is to be added, and say so. Under the lock of the store: nobody else corrects the same call meanwhile. */
static int write_difference(struct command *c, const struct search *s, int64_t units)
{
    int64_t booked = bounds_sum(entry_units_used(s->end), s->corrected);
    bool quiet = c->option[CORRECT_QUIET];
    if (booked == units) {
        if (!quiet)
            buffer_printf(c->out, "nothing to correct: %lld units are booked to %.*s\n", (long long)booked,
                          SLICE_ARGS(s->id));
        return COMMAND_DONE;
    }
    char id[LEDGER_ID_SIZE];
    call_id_make(id);
    struct entry e = *s->end;
    e.time_ms = clock_wall_ms();
    e.kind = ENTRY_CORRECT;
    e.via = VIA_NONE;
    e.id = slice_str(id);
    e.ref = s->id;
    e.units = units - booked;
    e.rows = e.units_predicted = e.units_alone = e.results = e.duration_ms = 0;
    e.paid_by = e.approximate = e.fault = e.shape = S("");
    struct entry *entry = entry_copy(&e);
    struct store_batch batch = { .entries = &entry, .n_entries = 1 };
    struct buffer why = { 0 };
    if (!entry)
        return command_wrong(c, "out of memory");
    if (!store_write(c->store, &batch, &why)) {
        free(entry);
        return command_failed(c, &why);
    }
    c->corrected = entry;
    if (quiet)
        buffer_printf(c->out, "%s\n", id);
    else
        buffer_printf(c->out, "%s corrects %.*s: %lld units were booked, %lld are now (%+lld in this month)\n", id,
                      SLICE_ARGS(s->id), (long long)booked, (long long)units, (long long)e.units);
    return COMMAND_DONE;
}

static int read_words(struct command *c, uint8_t id[ID_BYTES], uint64_t *units)
{
    const char *given = c->option[CORRECT_UNITS];
    if (!id_pack(slice_str(c->argument[0]), id))
        return command_no_value(c, "ID", "26 letters and digits, as X-Anchorage-Id has", c->argument[0]);
    if (!parse_u64(slice_str(given), units) || *units > most_units)
        return command_no_value(c, "--units", "a whole number from 0 to 1000000000000000, what Ahrefs really took",
                                given);
    return 0;
}

int ledger_correct_check(struct command *c)
{
    uint8_t id[ID_BYTES];
    uint64_t units;
    return read_words(c, id, &units);
}

int ledger_correct(struct command *c)
{
    uint8_t packed[ID_BYTES];
    uint64_t units;
    int status = read_words(c, packed, &units);
    if (status)
        return status;
    char id[ID_TEXT];
    id_unpack(packed, id);
    int64_t behind = store_last_seq(c->store) + 1;
    struct search s = { .id = slice_of(id, ID_TEXT), .below = behind };
    struct buffer why = { 0 };
    bool good = search_back(c->store, &s, &why);
    store_lock(c->store);
    good = good && search_on(c->store, &s, behind, &why);
    if (!good)
        status = command_failed(c, &why);
    else if (!s.end || s.failed)
        status = not_there(c, &s);
    else
        status = write_difference(c, &s, (int64_t)units);
    store_unlock(c->store);
    free(s.end);
    return status;
}
