/* SPDX-License-Identifier: MIT
 * The step answer: the one place that answers, and the line in the access log. */
#include "proxy/call/answer.h"

#include "base/clock.h"
#include "base/day.h"
#include "proxy/call/fetch.h"
#include "proxy/call/outcome.h"

enum { MAX_HEADERS = 16, MAX_WHY = 512, MAX_RETRY_S = 3600 };

struct headers {
    struct http_header list[MAX_HEADERS];
    size_t n;
    struct arena *memory;
};

static void add(struct headers *h, struct slice name, struct slice value)
{
    if (value.p && h->n < MAX_HEADERS)
        h->list[h->n++] = (struct http_header){ name, value };
}

static void add_number(struct headers *h, struct slice name, int64_t value)
{
    char *room = arena_alloc(h->memory, 24);
    struct buffer b = { .p = room, .room = room ? 24 : 0, .max_bytes = 24 };
    buffer_i64(&b, value);
    add(h, name, buffer_slice(&b));
}

static int status_of(const struct exchange *x)
{
    if (!x->refusal.fault)
        return 200;
    if (x->http_status)
        return x->http_status;
    return fault_status(x->refusal.fault, exchange_config(x)->error_status == ERROR_STATUS_HTTP);
}

static bool says_v2_words(const struct exchange *x)
{
    return exchange_config(x)->error_status == ERROR_STATUS_V2 && fault_v2_words(x->refusal.fault).n;
}

/* A stranger is not told what its parameters were taken for: one of them may be a token without its name. */
static void add_ignored(struct exchange *x, struct headers *h)
{
    struct buffer names = { 0 };
    if (!x->ticket.queue)
        return;
    params_write_ignored(&x->asked.params, &names);
    if (names.n && !names.failed)
        add(h, S("X-Anchorage-Ignored"), arena_dup(h->memory, buffer_slice(&names)));
    buffer_clear(&names);
}

static void add_books(struct exchange *x, struct headers *h)
{
    add_number(h, S("X-Anchorage-Rows"), x->refusal.fault ? 0 : x->outcome.result.rows);
    add_number(h, S("X-Anchorage-Units"), fetch_units(x));
    if (!x->ticket.queue)
        return;
    struct ledger_left left = ledger_left(x->service->ledger, x->asked.team_name);
    if (left.rows_limit != LEDGER_NO_LIMIT)
        add_number(h, S("X-Anchorage-Rows-Left"), left.rows_left);
}

/* Where the rows came from; p NULL: there are none. */
static struct slice cache_word(const struct exchange *x)
{
    if (x->refusal.fault || table_is_of_books(x->asked.call.table) || exchange_is_head(x))
        return slice_of(NULL, 0);
    return fetch_has_asked(x) ? S("miss") : x->outcome.shared ? S("shared") : S("hit");
}

/* Words as the value of a header: visible ASCII and blanks, and not too many. */
static void add_why(struct headers *h, struct slice why)
{
    char *room = arena_alloc(h->memory, MAX_WHY);
    struct buffer b = { .p = room, .room = room ? MAX_WHY : 0, .max_bytes = MAX_WHY };
    for (size_t i = 0, n; i < why.n && !b.failed; i += n) {
        unsigned char c = (unsigned char)why.p[i];
        struct slice rest = slice_from(why, i);
        bool is_ellipsis = slice_starts(rest, S("…"));
        n = is_ellipsis ? S("…").n : 1;
        if (c >= 0x20 && c < 0x7F)
            buffer_put(&b, (char)c);
        else if (is_ellipsis || c < 0x80 || c >= 0xC0) /* once a character */
            buffer_str(&b, is_ellipsis ? "..." : "?");
    }
    add(h, S("X-Anchorage-Why"), buffer_slice(&b));
}

static void add_answer(struct exchange *x, struct headers *h)
{
    if (!exchange_is_head(x))
        add_number(h, S("x-results-count"), table_is_of_books(x->asked.call.table) ? 1 : x->outcome.result.results);
    add(h, S("X-Anchorage-Cache"), cache_word(x));
    if (x->outcome.approximate.n)
        add(h, S("X-Anchorage-Approximate"), x->outcome.approximate);
    if (x->outcome.why.n)
        add_why(h, x->outcome.why);
}

/* What was said about it; else when calls like it are likely to have ended. */
static int64_t retry_after_ms(const struct exchange *x)
{
    return x->retry_after_ms > 0 ? x->retry_after_ms : service_wait_ms(x->service, 1, 1);
}

/* An hour at most: a program that took it at its word would sleep for weeks. */
static int64_t retry_after_s(const struct exchange *x)
{
    int64_t s = (retry_after_ms(x) + 999) / 1000;
    return s < MAX_RETRY_S ? s : MAX_RETRY_S;
}

/* What libcurl says in brackets of a request that did not come through names addresses of our network, or of a proxy in
 * it: that is for the log. */
static struct slice for_client(struct exchange *x)
{
    struct slice why = x->refusal.why;
    size_t from = 0, to = why.n;
    while (from < why.n && !slice_starts(slice_from(why, from), S(" (")))
        from++;
    while (to > from && why.p[to - 1] != ')')
        to--;
    if (!slice_starts(why, S("API v3: ")) || from == why.n || to == from)
        return why;
    struct buffer b = { 0 };
    buffer_append(&b, slice_of(why.p, from));
    buffer_append(&b, slice_from(why, to));
    struct slice shown = b.failed ? S("API v3 could not be asked") : arena_dup(x->memory, buffer_slice(&b));
    buffer_clear(&b);
    return shown;
}

static void add_fault(struct exchange *x, int status, struct headers *h)
{
    struct slice why = x->refusal.why.n ? for_client(x) : S("the call was refused");
    bool says_v2 = says_v2_words(x);
    add(h, S("X-Status"), S("error"));
    add(h, S("x-results-count"), S("0"));
    add(h, S("X-Anchorage-Fault"), fault_word(x->refusal.fault));
    if (says_v2)
        add_why(h, why);
    if (fault_retries(x->refusal.fault) && (status == 429 || status == 503))
        add_number(h, S("Retry-After"), retry_after_s(x));
    outcome_refuse(x, says_v2 ? fault_v2_words(x->refusal.fault) : why);
}

/* A word that cannot hold anything to be escaped. */
static void put_word(struct buffer *b, const char *before, struct slice word)
{
    buffer_str(b, before);
    buffer_put(b, '"');
    buffer_append(b, word);
    buffer_put(b, '"');
}

static void put_text(struct buffer *b, const char *before, struct slice value)
{
    buffer_str(b, before);
    log_text(b, value);
}

static void put_number(struct buffer *b, const char *before, int64_t value)
{
    buffer_str(b, before);
    buffer_i64(b, value);
}

static void put_marks(struct buffer *b, struct slice marks)
{
    buffer_str(b, ",\"approximate\":[");
    for (struct slice rest = marks; rest.n;) {
        put_word(b, "", slice_trim(slice_split(rest, ',', &rest)));
        if (rest.n)
            buffer_put(b, ',');
    }
    buffer_put(b, ']');
}

/* Which of the cases of unknown_key it is: the client hears all of them as one. */
static struct slice why_unknown(const struct exchange *x, char room[160])
{
    struct slice token = x->asked.params.value[PARAM_TOKEN];
    const struct ledger_key *key = token.n ? ledger_key_of_token(x->service->ledger, token) : NULL;
    struct buffer b = { .p = room, .room = 160, .max_bytes = 160 };
    char name[LEDGER_STRANGER_SIZE];
    if (!token.n)
        return x->refusal.why;
    if (!key) {
        ledger_stranger_digest(x->service->ledger, token, name);
        buffer_printf(&b, "the token is no key's; key list --unknown has it as %s", name);
    } else if (key->disabled) {
        buffer_str(&b, "the key is disabled; key enable takes it again");
    } else if (slice_eq(key->team, S("*"))) {
        buffer_str(&b, "the key is of team *, the client's address is in no team's addresses, and there is no "
                       "[team unassigned]");
    } else {
        buffer_printf(&b, "its team is not configured; there is no [team %.*s]", SLICE_ARGS(key->team));
    }
    return b.failed ? x->refusal.why : buffer_slice(&b);
}

/* {"time":…,"id":…,…}: what happened, without a token or any other secret. */
static void write_line(struct exchange *x, int status, int64_t total_us, struct buffer *b)
{
    struct slice cache = cache_word(x);
    char time[25];
    timestamp_format_ms(clock_wall_ms(), time);
    put_word(b, "{\"time\":", slice_of(time, sizeof time - 1));
    put_word(b, ",\"id\":", slice_of(x->id, LEDGER_ID_SIZE - 1));
    put_word(b, ",\"client\":", x->asked.client);
    put_word(b, ",\"team\":", x->asked.team_name);
    put_text(b, ",\"key\":", x->asked.key);
    put_text(b, ",\"name\":", x->asked.key_name);
    put_word(b, ",\"table\":", x->asked.call.table ? x->asked.call.table->from : S(""));
    put_text(b, ",\"target\":",
             x->ticket.queue ? params_without_token(&x->asked.params, x->asked.call.target.host, x->memory) : S(""));
    put_number(b, ",\"status\":", status);
    put_number(b, ",\"rows\":", x->outcome.charge.rows);
    put_number(b, ",\"units\":", fetch_units(x));
    put_number(b, ",\"results\":", x->outcome.charge.results);
    if (cache.p)
        put_word(b, ",\"cache\":", cache);
    if (x->refusal.fault) {
        put_word(b, ",\"fault\":", fault_word(x->refusal.fault));
        char room[160];
        put_text(b, ",\"why\":", x->refusal.fault == FAULT_UNKNOWN_KEY ? why_unknown(x, room) : x->refusal.why);
        put_word(b, ",\"step\":", exchange_step_name(x, x->driving.refused_in));
    }
    if (!x->refusal.fault && x->outcome.approximate.n)
        put_marks(b, x->outcome.approximate);
    if (exchange_is_head(x))
        buffer_str(b, ",\"head\":true");
    if (x->client_gone)
        buffer_str(b, ",\"client_gone\":true");
    put_number(b, ",\"total_us\":", total_us);
}

/* The end of it in the log: how long it was in each room. */
static void write_rooms(const struct exchange *x, struct buffer *b)
{
    static const char *const room_names[ROOM_COUNT] = {
        [ROOM_READ] = "\"read\":",    [ROOM_PLAN] = ",\"plan\":",     [ROOM_ADMIT] = ",\"admit\":",
        [ROOM_FETCH] = ",\"fetch\":", [ROOM_RENDER] = ",\"render\":", [ROOM_SETTLE] = ",\"settle\":",
    };
    buffer_str(b, ",\"us\":{");
    for (int i = 0; i < ROOM_ANSWER; i++)
        put_number(b, room_names[i], x->clocks.room_us[i]);
    buffer_str(b, "}}");
}

static bool is_inexact(const struct exchange *x)
{
    return !x->refusal.fault && x->outcome.approximate.n;
}

/* The end of it among the latest calls. A stranger's words are not kept. */
static void keep_line(struct exchange *x, int64_t total_us, struct buffer *b)
{
    const struct call *call = &x->asked.call;
    bool is_ours = x->ticket.queue != NULL;
    put_number(b, ",\"ms\":", total_us / 1000);
    put_word(b, ",\"mode\":", is_ours && call->table && x->asked.shape.n ? mode_name(call->mode) : S(""));
    put_text(b, ",\"shape\":", is_ours ? x->asked.shape : S(""));
    buffer_put(b, '}');
    const struct recent_marks marks = { .team = x->asked.team_name,
                                        .key = x->asked.key,
                                        .fault = x->refusal.fault ? fault_word(x->refusal.fault) : S(""),
                                        .is_inexact = is_inexact(x),
                                        .is_paid = fetch_units(x) > 0,
                                        .is_unknown = x->refusal.fault == FAULT_UNKNOWN_KEY };
    if (!b->failed)
        recent_add(&x->service->recent, &marks, buffer_slice(b));
}

static void log_line(struct exchange *x, int status)
{
    struct buffer *line = &x->service->recent.line, *b = log_begin(&x->service->log);
    int64_t total_us = clock_monotonic_us() - x->clocks.began_us;
    line->n = 0;
    line->failed = false;
    write_line(x, status, total_us, line);
    buffer_append(b, buffer_slice(line));
    write_rooms(x, b);
    b->failed |= line->failed;
    log_end(&x->service->log);
    service_wake_bottom(x->service);
    keep_line(x, total_us, line);
}

static void count(struct counters *c, const struct exchange *x)
{
    _Static_assert((int)ROOM_ANSWER == (int)ROOMS_TIMED, "all rooms before the answer are timed");
    struct slice cache = cache_word(x);
    int64_t now_us = clock_monotonic_us();
    c->answered++;
    c->faults[x->refusal.fault]++;
    c->rows += (uint64_t)x->outcome.charge.rows;
    c->units += (uint64_t)fetch_units(x);
    c->units_predicted += (uint64_t)fetch_spending(x).predicted;
    c->approximate += !x->refusal.fault && x->outcome.approximate.n;
    c->hits += slice_eq(cache, S("hit"));
    c->shared += slice_eq(cache, S("shared"));
    c->misses += slice_eq(cache, S("miss"));
    for (int i = 0; i < ROOMS_TIMED; i++)
        c->room_us[i] += (uint64_t)x->clocks.room_us[i];
    histogram_add(&c->calls_took, now_us - x->clocks.began_us, now_us);
}

enum onward answer_enter(struct exchange *x)
{
    struct service *s = x->service;
    struct headers h = { .memory = x->memory };
    if (x->ticket.queue)
        team_queue_leave(&s->pacer, &x->ticket);
    int status = status_of(x);
    x->refusal.why = params_without_token(&x->asked.params, x->refusal.why, x->memory);
    add(&h, S("X-Anchorage-Id"), slice_of(x->id, LEDGER_ID_SIZE - 1));
    add(&h, S("Content-Type"), render_content_type(x->asked.call.output));
    if (x->refusal.fault)
        add_fault(x, status, &h);
    else
        add_answer(x, &h);
    add_ignored(x, &h);
    add_books(x, &h);
    if (x->asked.account)
        x->asked.account->units_booked += fetch_units(x);
    count(&s->counters, x);
    log_line(x, status);
    http_answer(x->http, status, h.list, h.n, exchange_is_head(x) ? NULL : &x->outcome.body);
    x->http = NULL;
    return ONWARD;
}
