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
    add(h, name, arena_printf(h->memory, "%lld", (long long)value));
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
    add(h, S("X-Anchorage-Cache"), x->asked_upstream ? S("miss") : S("hit"));
    if (x->marks.n)
        add(h, S("X-Anchorage-Approximate"), x->marks);
}

static void add_fault(struct exchange *x, int status, struct headers *h)
{
    add(h, S("X-Anchorage-Fault"), fault_word(x->refusal.fault));
    if (fault_retries(x->refusal.fault) && (status == 429 || status == 503))
        add_number(h, S("Retry-After"), x->retry_after_ms > 0 ? (x->retry_after_ms + 999) / 1000 : 5);
    buffer_clear(&x->body);
    x->body = buffer_with_cap(0);
    render_error(x->call.output, x->refusal.why.n ? x->refusal.why : S("the call was refused"), &x->body);
}

/* {"time":…,"id":…,…}: what happened, without a token or any other secret. */
static void log_line(struct exchange *x, int status)
{
    static const char *const room_names[ROOM_COUNT] = {
        "read", "plan", "admit", "fetch", "render", "settle", "answer"
    };
    struct service *s = x->service;
    struct buffer *b = &s->log;
    char time[25];
    timestamp_format_ms(clock_wall_ms(), time);
    buffer_printf(b, "{\"time\":\"%s\",\"id\":\"%s\",\"client\":", time, x->id);
    buffer_json_string(b, http_call_request(x->http)->client);
    buffer_str(b, ",\"team\":");
    buffer_json_string(b, x->team_name);
    buffer_str(b, ",\"key\":");
    buffer_json_string(b, x->key);
    buffer_str(b, ",\"table\":");
    buffer_json_string(b, x->call.table ? x->call.table->from : S(""));
    buffer_str(b, ",\"target\":");
    buffer_json_string(b, x->turns ? x->call.target.host : S(""));
    buffer_printf(b, ",\"status\":%d,\"rows\":%lld,\"units\":%lld,\"results\":%lld", status,
                  (long long)(x->refusal.fault ? 0 : x->result.rows), (long long)units_of(x),
                  (long long)x->result.results);
    if (x->refusal.fault) {
        buffer_str(b, ",\"fault\":");
        buffer_json_string(b, fault_word(x->refusal.fault));
        buffer_str(b, ",\"why\":");
        buffer_json_string(b, x->refusal.why);
    }
    if (x->marks.n) {
        buffer_str(b, ",\"approximate\":");
        buffer_json_string(b, x->marks);
    }
    if (x->client_gone)
        buffer_str(b, ",\"client_gone\":true");
    buffer_str(b, ",\"us\":{");
    for (int i = 0; i < ROOM_ANSWER; i++)
        buffer_printf(b, "%s\"%s\":%lld", i ? "," : "", room_names[i], (long long)x->room_us[i]);
    buffer_str(b, "}}\n");
    service_wake_bottom(s);
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
    if (!x->refusal.fault && !x->asked_upstream && !x->call.table->is_info)
        s->counters.hits++;
    log_line(x, status);
    http_answer(x->http, status, h.list, h.n, &x->body);
    x->http = NULL;
    return ONWARD;
}
