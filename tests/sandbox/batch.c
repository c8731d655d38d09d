/* SPDX-License-Identifier: MIT
 * /v3/batch-analysis/batch-analysis: one POST, up to 100 targets, one bad target refuses all. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "tests/sandbox/dice.h"
#include "tests/sandbox/json.h"
#include "tests/sandbox/parameters.h"
#include "tests/sandbox/record.h"

enum { MAX_TARGETS = 100, MAX_ORDER = 8 };

struct member {
    struct target target;
    enum mode mode;
    enum protocol protocol;
    size_t asked_at; /* its place in the request */
    struct record record;
};

struct batch {
    struct member *members;
    size_t n_members;
    uint64_t selected, paid; /* sets of fields; paid: those of order_by too */
    struct {
        enum field field;
        bool descending;
    } order[MAX_ORDER];
    size_t n_order;
    struct slice country;
};

static const char *const mode_words[] = { "subdomains", "domain", "prefix", "exact", NULL };
static const char *const protocol_words[] = { "both", "http", "https", NULL };

static bool refuse(struct call *call, const char *before, struct slice what, const char *after)
{
    struct buffer b = buffer_with_cap(0);
    buffer_str(&b, before);
    buffer_append(&b, what);
    buffer_str(&b, after);
    (void)answer_error(call, 400, buffer_slice(&b));
    buffer_clear(&b);
    return false;
}

/* The text of a member that must be there and be text; p NULL after an error. */
static struct slice text_of(struct call *call, struct json_object *json, const char *name)
{
    struct json_object *value;
    if (json_object_object_get_ex(json, name, &value) && json_object_is_type(value, json_type_string))
        return json_text(value);
    (void)refuse(call, "bad body: ", slice_str(name), " is missing or no string");
    return (struct slice){ 0 };
}

static int word_of(struct call *call, struct json_object *json, const char *name, const char *const *words)
{
    struct slice text = text_of(call, json, name);
    if (!text.p)
        return -1;
    for (int i = 0; words[i]; i++)
        if (slice_eq(text, slice_str(words[i])))
            return i;
    return refuse(call, "bad value ", text, " for type enum") - 1;
}

static int read_field(struct call *call, struct slice name)
{
    int field = field_find(name);
    if (field < 0)
        (void)refuse(call, "column '", name, "' not found");
    return field;
}

static bool read_select(struct call *call, struct json_object *list, struct batch *batch)
{
    if (!json_object_is_type(list, json_type_array) || !json_object_array_length(list))
        return refuse(call, "missing parameter '", S("select"), "'");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        int field = read_field(call, json_object_is_type(item, json_type_string) ? json_text(item) : S(""));
        if (field < 0)
            return false;
        batch->selected |= field_bit((enum field)field);
    }
    batch->paid |= batch->selected;
    return true;
}

static bool read_order(struct call *call, struct json_object *list, struct batch *batch)
{
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : SIZE_MAX;
    if (n > MAX_ORDER)
        return refuse(call, "bad body: ", S("order_by"), " is no list of a few columns");
    for (size_t i = 0; i < n; i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        struct slice direction, name = json_object_is_type(item, json_type_string) ? json_text(item) : S("");
        name = slice_split(name, ':', &direction);
        int field = read_field(call, name);
        if (field < 0)
            return false;
        if (direction.p && !slice_eq(direction, S("asc")) && !slice_eq(direction, S("desc")))
            return refuse(call, "bad order direction ", direction, "");
        batch->order[batch->n_order].field = (enum field)field;
        batch->order[batch->n_order++].descending = !slice_eq(direction, S("asc"));
        batch->paid |= field_bit((enum field)field);
    }
    return true;
}

static bool read_target(struct call *call, struct json_object *json, struct member *member)
{
    struct slice why;
    if (!json_object_is_type(json, json_type_object))
        return refuse(call, "bad body: ", S("targets"), " are objects");
    struct slice url = text_of(call, json, "url");
    int mode = url.p ? word_of(call, json, "mode", mode_words) : -1;
    int protocol = mode < 0 ? -1 : word_of(call, json, "protocol", protocol_words);
    if (protocol < 0)
        return false;
    member->mode = (enum mode)mode;
    member->protocol = (enum protocol)protocol;
    if (target_read(call->memory, call->options, url, member->mode, &member->target, &why))
        return true;
    return answer_error(call, 400, call->options->batch_names_bad == BATCH_NAMES_BAD_YES ? why : S("bad target"));
}

static bool read_targets(struct call *call, struct json_object *list, struct batch *batch)
{
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    if (n < 1 || n > MAX_TARGETS)
        return refuse(call, "bad body: ", S("targets"), " must be 1 to 100");
    batch->members = arena_array(call->memory, struct member, n);
    if (!batch->members)
        return answer_error(call, 500, S("Internal Error"));
    for (size_t i = 0; i < n; i++) {
        batch->members[i].asked_at = i;
        if (!read_target(call, json_object_array_get_idx(list, i), &batch->members[i]))
            return false;
    }
    batch->n_members = n;
    return true;
}

static bool read_country(struct call *call, struct json_object *value, struct batch *batch)
{
    struct slice text = json_object_is_type(value, json_type_string) ? json_text(value) : S("");
    batch->country = arena_dup(call->memory, text);
    return country_is_known(text) || refuse(call, "bad value ", text, " for type country");
}

static bool read_volume_mode(struct call *call, struct json_object *value, struct batch *batch)
{
    struct slice text = json_object_is_type(value, json_type_string) ? json_text(value) : S("");
    (void)batch;
    return slice_eq(text, S("monthly")) || slice_eq(text, S("average")) ||
           refuse(call, "bad value ", text, " for type enum");
}

static bool read_output(struct call *call, struct json_object *value, struct batch *batch)
{
    struct slice text = json_object_is_type(value, json_type_string) ? json_text(value) : S("");
    (void)batch;
    if (slice_eq(text, S("php")))
        return refuse(call, "output '", text, "' is not supported by the sandbox");
    return slice_eq(text, S("json")) || refuse(call, "bad value ", text, " for type enum");
}

static const struct {
    const char *name;
    bool (*read)(struct call *call, struct json_object *value, struct batch *batch);
    bool is_required;
} parts[] = {
    { "select", read_select, true },    { "order_by", read_order, false },          { "targets", read_targets, true },
    { "country", read_country, false }, { "volume_mode", read_volume_mode, false }, { "output", read_output, false },
};
enum { N_PARTS = sizeof parts / sizeof parts[0] };

static bool has_unknown_part(struct call *call, struct json_object *json)
{
    json_object_object_foreach(json, name, value)
    {
        size_t i = 0;
        (void)value;
        while (i < N_PARTS && !slice_eq(slice_str(name), slice_str(parts[i].name)))
            i++;
        if (i == N_PARTS && call->options->unknown_parameters == UNKNOWN_PARAMETERS_REFUSE)
            return !refuse(call, "unknown parameter '", slice_str(name), "'");
    }
    return false;
}

static bool read_body(struct call *call, struct json_object *json, struct batch *batch)
{
    if (!json_object_is_type(json, json_type_object))
        return refuse(call, "bad body: ", S("invalid JSON syntax"), "");
    if (has_unknown_part(call, json))
        return false;
    for (size_t i = 0; i < N_PARTS; i++) {
        struct json_object *value = NULL;
        bool given = json_object_object_get_ex(json, parts[i].name, &value);
        if ((given || parts[i].is_required) && !parts[i].read(call, value, batch))
            return false;
    }
    return true;
}

static bool fill_member(struct call *call, const struct batch *batch, struct member *m)
{
    const uint64_t sites_own =
        field_bit(FIELD_index) | field_bit(FIELD_mode) | field_bit(FIELD_protocol) | field_bit(FIELD_url);
    bool is_known = world_is_known(m->target.root);
    if (!is_known && call->options->batch_unknown == BATCH_UNKNOWN_REFUSE)
        return answer_error(call, 404, S("target not found"));
    const struct world *world = is_known ? store_world(call->store, m->target.root) : NULL;
    struct scope scope = { .as_of = day_end(options_today(call->options)),
                           .since = INT64_MIN,
                           .protocol = m->protocol };
    if (world)
        scope_aim(&scope, world, &m->target, m->mode);
    if ((is_known && !world) ||
        !record_fill(&m->record, call->memory, world, &m->target, &scope, batch->country, batch->paid & ~sites_own))
        return answer_error(call, 500, S("Internal Error"));
    struct value *values = m->record.values;
    values[FIELD_index].whole = (int64_t)m->asked_at + (call->options->batch_index == BATCH_INDEX_ONE);
    values[FIELD_mode].text = slice_str(mode_words[m->mode]);
    values[FIELD_protocol].text = slice_str(protocol_words[m->protocol]);
    values[FIELD_url].text =
        arena_printf(call->memory, "%.*s%.*s", SLICE_ARGS(m->target.host), SLICE_ARGS(m->target.path));
    return true;
}

/* Nulls are the greatest. */
static int compare_field(enum field field, const struct value *a, const struct value *b)
{
    if (a->is_null || b->is_null)
        return a->is_null - b->is_null;
    if (fields_of_record[field].type == FIELD_TYPE_TEXT)
        return slice_cmp(a->text, b->text);
    if (fields_of_record[field].type == FIELD_TYPE_REAL)
        return (a->real > b->real) - (a->real < b->real);
    return (a->whole > b->whole) - (a->whole < b->whole);
}

static int compare_members(const void *a, const void *b, void *ctx)
{
    const struct batch *batch = ctx;
    const struct member *x = a, *y = b;
    for (size_t i = 0; i < batch->n_order; i++) {
        enum field field = batch->order[i].field;
        int c = compare_field(field, &x->record.values[field], &y->record.values[field]);
        if (c)
            return batch->order[i].descending ? -c : c;
    }
    return (x->asked_at > y->asked_at) - (x->asked_at < y->asked_at);
}

static int compare_scattered(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    uint64_t p = dice_mix(x->asked_at), q = dice_mix(y->asked_at);
    return (p > q) - (p < q);
}

static void write_field(struct call *call, enum field field, const struct value *v)
{
    struct buffer *b = &call->answer->body;
    if (v->is_null) {
        buffer_str(b, "null");
        return;
    }
    switch (fields_of_record[field].type) {
    case FIELD_TYPE_TEXT:
        answer_string(call, v->text);
        return;
    case FIELD_TYPE_WHOLE:
        buffer_i64(b, v->whole);
        return;
    case FIELD_TYPE_REAL:
        buffer_printf(b, "%.1f", v->real);
        return;
    case FIELD_TYPE_PAIRS:
        buffer_printf(b, "[[\"us\",%" PRId64 "]]", v->whole);
        return;
    }
}

static void write_members(struct call *call, const struct batch *batch)
{
    struct buffer *b = &call->answer->body;
    buffer_str(b, "{\"targets\":[");
    for (size_t i = 0; i < batch->n_members; i++) {
        bool is_first = true;
        buffer_str(b, i ? ",{" : "{");
        for (int f = 0; f < N_FIELDS; f++) {
            if (!(batch->selected & field_bit((enum field)f)))
                continue;
            buffer_str(b, is_first ? "\"" : ",\"");
            is_first = false;
            buffer_append(b, fields_of_record[f].name);
            buffer_str(b, "\":");
            write_field(call, (enum field)f, &batch->members[i].record.values[f]);
        }
        buffer_put(b, '}');
    }
    buffer_str(b, "]}");
}

/* Only a batch of free targets alone is free. */
static bool is_free(const struct batch *batch)
{
    for (size_t i = 0; i < batch->n_members; i++)
        if (!batch->members[i].target.is_free)
            return false;
    return true;
}

static void answer_read(struct call *call, struct batch *batch)
{
    unsigned units = fields_units(batch->paid);
    bool free_of_charge = is_free(batch);
    bool is_hit = account_hit(call->account, call->key, call->request, call->now_ms);
    if (!is_hit && !free_of_charge && !answer_affords(call, batch->n_members * units))
        return;
    for (size_t i = 0; i < batch->n_members; i++)
        if (!fill_member(call, batch, &batch->members[i]))
            return;
    if (batch->n_order)
        qsort_r(batch->members, batch->n_members, sizeof *batch->members, compare_members, batch);
    else if (call->options->batch_order == BATCH_ORDER_SCATTERED)
        qsort(batch->members, batch->n_members, sizeof *batch->members, compare_scattered);
    write_members(call, batch);
    answer_cost(call, batch->n_members, units, free_of_charge, is_hit);
}

void answer_batch(struct call *call)
{
    struct batch batch = { 0 };
    struct json_object *json = json_read(call->body);
    if (read_body(call, json, &batch))
        answer_read(call, &batch);
    json_object_put(json);
}
