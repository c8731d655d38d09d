/* SPDX-License-Identifier: MIT
 * The room answer: the one place that answers, and the line in the access log. */
#include "base/clock.h"
#include "base/day.h"
#include "proxy/exchange.h"

enum { MAX_HEADERS = 12 };

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
    return fault_status(x->refusal.fault, x->service->config->error_status == ERROR_STATUS_HTTP);
}

static int64_t units_of(const struct exchange *x)
{
    return x->spending.known + x->spending.unknown;
}

static void add_books(struct exchange *x, struct headers *h)
{
    add_number(h, S("X-Anchorage-Rows"), x->refusal.fault ? 0 : x->result.rows);
    add_number(h, S("X-Anchorage-Units"), units_of(x));
    if (!x->turns)
        return;
    struct ledger_left left = ledger_left(x->service->ledger, x->team_name);
    if (left.rows_limit != LEDGER_NO_LIMIT)
        add_number(h, S("X-Anchorage-Rows-Left"), left.rows_left);
}

static void add_answer(struct exchange *x, struct headers *h)
{
    if (x->call.table->is_info)
        return;
    add_number(h, S("x-results-count"), x->result.results);
    add(h, S("X-Anchorage-Cache"), x->asked_upstream ? S("miss") : x->shared ? S("shared") : S("hit"));
    if (x->marks.n)
        add(h, S("X-Anchorage-Approximate"), x->marks);
}

/* What was said about it; else when calls like it are likely to have ended. */
static int64_t retry_after_ms(const struct exchange *x)
{
    return x->retry_after_ms > 0 ? x->retry_after_ms : service_wait_ms(x->service, 1, 1);
}

static void add_fault(struct exchange *x, int status, struct headers *h)
{
    add(h, S("X-Anchorage-Fault"), fault_word(x->refusal.fault));
    if (fault_retries(x->refusal.fault) && (status == 429 || status == 503))
        add_number(h, S("Retry-After"), (retry_after_ms(x) + 999) / 1000);
    buffer_clear(&x->body);
    x->body = buffer_with_cap(0);
    render_error(x->call.output, x->refusal.why.n ? x->refusal.why : S("the call was refused"), &x->body);
}

static void log_text(struct buffer *b, const char *before, struct slice value)
{
    buffer_str(b, before);
    buffer_json_string(b, value);
}

static void log_number(struct buffer *b, const char *before, int64_t value)
{
    buffer_str(b, before);
    buffer_i64(b, value);
}

/* {"time":…,"id":…,…}: what happened, without a token or any other secret. */
static void log_line(struct exchange *x, int status)
{
    static const char *const room_names[ROOM_COUNT] = {
        [ROOM_READ] = "\"read\":",    [ROOM_PLAN] = ",\"plan\":",     [ROOM_ADMIT] = ",\"admit\":",
        [ROOM_FETCH] = ",\"fetch\":", [ROOM_RENDER] = ",\"render\":", [ROOM_SETTLE] = ",\"settle\":",
    };
    struct buffer *b = &x->service->log;
    char time[25];
    timestamp_format_ms(clock_wall_ms(), time);
    log_text(b, "{\"time\":", slice_of(time, sizeof time - 1));
    log_text(b, ",\"id\":", slice_of(x->id, LEDGER_ID_SIZE - 1));
    log_text(b, ",\"client\":", http_call_request(x->http)->client);
    log_text(b, ",\"team\":", x->team_name);
    log_text(b, ",\"key\":", x->key);
    log_text(b, ",\"table\":", x->call.table ? x->call.table->from : S(""));
    log_text(b, ",\"target\":", x->turns ? x->call.target.host : S(""));
    log_number(b, ",\"status\":", status);
    log_number(b, ",\"rows\":", x->refusal.fault ? 0 : x->result.rows);
    log_number(b, ",\"units\":", units_of(x));
    log_number(b, ",\"results\":", x->result.results);
    if (x->refusal.fault) {
        log_text(b, ",\"fault\":", fault_word(x->refusal.fault));
        log_text(b, ",\"why\":", x->refusal.why);
    }
    if (x->marks.n)
        log_text(b, ",\"approximate\":", x->marks);
    if (x->client_gone)
        buffer_str(b, ",\"client_gone\":true");
    buffer_str(b, ",\"us\":{");
    for (int i = 0; i < ROOM_ANSWER; i++)
        log_number(b, room_names[i], x->room_us[i]);
    buffer_str(b, "}}\n");
    service_wake_bottom(x->service);
}

enum step room_answer(struct exchange *x)
{
    struct service *s = x->service;
    struct headers h = { .memory = x->memory };
    if (x->turns)
        admit_leave(x);
    int status = status_of(x);
    add(&h, S("X-Anchorage-Id"), slice_of(x->id, LEDGER_ID_SIZE - 1));
    add(&h, S("Content-Type"), render_content_type(x->call.output));
    if (x->refusal.fault)
        add_fault(x, status, &h);
    else
        add_answer(x, &h);
    add_books(x, &h);
    s->counters.answered++;
    s->counters.faults[x->refusal.fault]++;
    s->counters.rows += x->refusal.fault ? 0 : (uint64_t)x->result.rows;
    s->counters.units += (uint64_t)units_of(x);
    s->counters.units_predicted += (uint64_t)x->spending.predicted;
    s->counters.approximate += !x->refusal.fault && x->marks.n;
    s->counters.call_us += (uint64_t)(clock_monotonic_us() - x->began_us);
    if (!x->refusal.fault && !x->asked_upstream && !x->shared && !x->call.table->is_info)
        s->counters.hits++;
    log_line(x, status);
    http_answer(x->http, status, h.list, h.n, &x->body);
    x->http = NULL;
    return ONWARD;
}
