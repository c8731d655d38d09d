/* SPDX-License-Identifier: MIT
 * Words by how many calls they are of. */
#include "proxy/ledger/command/overview/words.h"

#include "proxy/ledger/entries/bounds.h"

void words_clear(struct ended_words *w)
{
    names_clear(&w->marks);
    names_clear(&w->faults);
    names_clear(&w->pairs);
    names_clear(&w->texts);
    keys_free(w->keys);
}

struct reading {
    struct ended_words *words;
    const struct usage_report *report;
};

static struct ended_word *word_of(struct names *names, struct ended_word list[MOST_WORDS], struct slice text)
{
    int32_t number = names->n < MOST_WORDS ? names_add(names, text) : names_find(names, text);
    return number >= 0 ? &list[number] : NULL;
}

/* One that was not paired with the word before. */
static bool is_new_key(struct ended_words *w, struct slice word, struct slice key)
{
    char room[128];
    struct buffer b = { .p = room, .room = sizeof room, .max_bytes = sizeof room };
    buffer_append(&b, word);
    buffer_put(&b, ' ');
    buffer_append(&b, key);
    int32_t before = w->pairs.n;
    return key.n && !b.failed && names_add(&w->pairs, buffer_slice(&b)) == before;
}

/* Texts of what is in memory alone live during the call only. */
static struct slice keep(struct ended_words *w, struct slice text)
{
    return text.n ? names_text(&w->texts, names_add(&w->texts, text)) : S("");
}

static void add_fault(struct ended_words *w, const struct trace_row *row)
{
    struct ended_word *one = word_of(&w->faults, w->of_faults, row->word);
    if (!one)
        return;
    one->calls = bounds_sum(one->calls, row->calls);
    one->keys += is_new_key(w, row->word, row->key);
    if (row->last_ms < one->last_ms)
        return;
    one->last_ms = row->last_ms;
    one->team = keep(w, row->team);
    one->key = keep(w, row->key);
}

static void take(void *context, const struct trace_row *row)
{
    struct reading *in = context;
    struct ended_words *w = in->words;
    const struct usage_report *report = in->report;
    struct ended_word *mark;
    if ((report->team.p && !slice_eq(report->team, row->team)) || (report->key.p && !slice_eq(report->key, row->key)))
        return;
    switch (row->what) {
    case TRACE_FAULT:
    case TRACE_REFUSED:
        add_fault(w, row);
        break;
    case TRACE_MARK:
        mark = word_of(&w->marks, w->of_marks, row->word);
        if (mark)
            mark->calls = bounds_sum(mark->calls, row->calls);
        break;
    case TRACE_CACHED:
        w->cached = bounds_sum(w->cached, row->calls);
        break;
    case TRACE_SHARED:
        w->shared = bounds_sum(w->shared, row->calls);
        break;
    case TRACE_MARKED:
    case TRACE_MARKED_ROWS:
    case TRACE_SHAPE:
        break;
    }
}

static void take_stranger(void *context, const struct stranger_row *row)
{
    struct ended_words *w = context;
    w->tokens++;
    w->token_calls = bounds_sum(w->token_calls, row->calls);
    w->token_last_ms = row->last_ms > w->token_last_ms ? row->last_ms : w->token_last_ms;
}

bool words_collect(struct ended_words *w, const struct usage_report *report, struct command *c, struct buffer *why)
{
    struct reading in = { w, report };
    w->keys = keys_read(c->store, why);
    if (!w->keys || !refusals_traces(c->refusals, c->store, report->hours.since, report->hours.until, take, &in, why))
        return false;
    if (strangers_show(c->strangers, take_stranger, w))
        return true;
    buffer_str(why, "ledger: out of memory");
    return false;
}

static void write_moment(struct buffer *b, int64_t ms)
{
    char text[25];
    timestamp_format_ms(ms, text);
    buffer_printf(b, "\"%s\"", text);
}

static void write_last(struct buffer *b, const struct ended_words *w, const struct ended_word *one)
{
    const struct stored_key *key = keys_of_id(w->keys, one->key);
    buffer_str(b, ",\"last\":{\"time\":");
    write_moment(b, one->last_ms);
    buffer_str(b, ",\"team\":");
    command_put_text(b, FORMAT_JSON, one->team);
    buffer_str(b, ",\"key\":");
    command_put_text(b, FORMAT_JSON, one->key);
    buffer_str(b, ",\"name\":");
    command_put_text(b, FORMAT_JSON, key ? key->key.name : S(""));
    buffer_str(b, "}}");
}

/* The next in order, the most calls first; -1: none is left. */
static int32_t next_of(const struct names *names, const struct ended_word list[MOST_WORDS], bool written[MOST_WORDS])
{
    int32_t best = -1;
    for (int32_t i = 0; i < names->n; i++) {
        if (written[i])
            continue;
        int64_t more = best < 0 ? 1 : list[i].calls - list[best].calls;
        if (more > 0 || (more == 0 && slice_cmp(names->text[i], names->text[best]) < 0))
            best = i;
    }
    if (best >= 0)
        written[best] = true;
    return best;
}

void words_write(struct buffer *b, const struct ended_words *w)
{
    bool marks[MOST_WORDS] = { false }, faults[MOST_WORDS] = { false };
    const char *before = "";
    buffer_str(b, ",\"marks\":[");
    for (int32_t i; (i = next_of(&w->marks, w->of_marks, marks)) >= 0; before = ",") {
        buffer_printf(b, "%s{\"mark\":", before);
        entry_json_text(b, w->marks.text[i]);
        buffer_printf(b, ",\"kind\":\"%s\",\"calls\":%lld}", trace_is_of_rows(w->marks.text[i]) ? "rows" : "values",
                      (long long)w->of_marks[i].calls);
    }
    buffer_str(b, "],\"faults\":[");
    before = "";
    for (int32_t i; (i = next_of(&w->faults, w->of_faults, faults)) >= 0; before = ",") {
        buffer_printf(b, "%s{\"fault\":", before);
        entry_json_text(b, w->faults.text[i]);
        buffer_printf(b, ",\"calls\":%lld,\"keys\":%lld", (long long)w->of_faults[i].calls,
                      (long long)w->of_faults[i].keys);
        write_last(b, w, &w->of_faults[i]);
    }
    buffer_printf(b, "],\"unknown_tokens\":{\"tokens\":%lld,\"calls\":%lld,\"last\":", (long long)w->tokens,
                  (long long)w->token_calls);
    if (w->tokens)
        write_moment(b, w->token_last_ms);
    else
        buffer_str(b, "null");
    buffer_put(b, '}');
}
