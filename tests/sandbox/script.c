/* SPDX-License-Identifier: MIT
 * Reads scripts, and finds the entry for a request. */
#include "tests/sandbox/script.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "base/text.h"
#include "tests/sandbox/json.h"

struct entry {
    struct json_object *json; /* owns all texts of the fault */
    char *decoded;            /* of body_hex or raw_hex */
    struct slice match;       /* the last part of the path; p NULL: any */
    struct json_object *query;
    struct slice asked;  /* in the request's body */
    int64_t times, skip; /* times 0: for ever */
    bool is_used_up;
    struct fault fault;
    struct entry *next;
};

struct script {
    struct entry *first, *last;
};

/* Each takes its value from JSON of the right type; false when it is no good. */
typedef bool take_field(struct entry *e, struct json_object *value);

/* A number from 0 to a day in milliseconds or a lot of bytes. */
static bool is_amount(struct json_object *value)
{
    return json_object_get_int64(value) >= 0 && json_object_get_int64(value) <= INT64_C(1) << 32;
}

static bool take_match(struct entry *e, struct json_object *value)
{
    if (!slice_eq(json_text(value), S("*")))
        e->match = json_text(value);
    return true;
}

static bool take_query(struct entry *e, struct json_object *value)
{
    e->query = value;
    return true;
}

static bool take_asked(struct entry *e, struct json_object *value)
{
    e->asked = json_text(value);
    return true;
}

static bool take_times(struct entry *e, struct json_object *value)
{
    e->times = json_object_get_int64(value);
    return is_amount(value);
}

static bool take_skip(struct entry *e, struct json_object *value)
{
    e->skip = json_object_get_int64(value);
    return is_amount(value);
}

static bool take_status(struct entry *e, struct json_object *value)
{
    e->fault.status = (int)json_object_get_int64(value);
    return e->fault.status >= 100 && e->fault.status <= 999;
}

/* A text is taken as it is, anything else as JSON. */
static bool take_body(struct entry *e, struct json_object *value)
{
    e->fault.has_body = true;
    e->fault.body =
        json_object_is_type(value, json_type_string)
            ? json_text(value)
            : slice_str(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    return true;
}

static bool decode_hex(struct entry *e, struct slice hex, struct slice *bytes)
{
    if (hex.n % 2 || e->decoded || !(e->decoded = malloc(hex.n / 2 + 1)))
        return false;
    for (size_t i = 0; i < hex.n / 2; i++) {
        int high = hex_value(hex.p[2 * i]), low = hex_value(hex.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        e->decoded[i] = (char)(high * 16 + low);
    }
    *bytes = slice_of(e->decoded, hex.n / 2);
    return true;
}

static bool take_body_hex(struct entry *e, struct json_object *value)
{
    e->fault.has_body = true;
    return decode_hex(e, json_text(value), &e->fault.body);
}

static bool take_raw(struct entry *e, struct json_object *value)
{
    e->fault.has_raw = true;
    e->fault.raw = json_text(value);
    return true;
}

static bool take_raw_hex(struct entry *e, struct json_object *value)
{
    e->fault.has_raw = true;
    return decode_hex(e, json_text(value), &e->fault.raw);
}

static bool take_content_type(struct entry *e, struct json_object *value)
{
    e->fault.content_type = json_text(value);
    return true;
}

static bool take_headers(struct entry *e, struct json_object *value)
{
    e->fault.headers = value;
    json_object_object_foreach(value, name, text)
    {
        (void)name;
        if (text && !json_object_is_type(text, json_type_string))
            return false;
    }
    return true;
}

static bool take_replace(struct entry *e, struct json_object *value)
{
    e->fault.replace = value;
    json_object_object_foreach(value, name, text)
    {
        if (!*name || !json_object_is_type(text, json_type_string))
            return false;
    }
    return true;
}

static bool take_lie_rows(struct entry *e, struct json_object *value)
{
    e->fault.lie_rows = json_object_get_int64(value);
    return is_amount(value);
}

static bool take_lie_units(struct entry *e, struct json_object *value)
{
    e->fault.lie_units = json_object_get_int64(value);
    return is_amount(value);
}

static bool take_lie_length(struct entry *e, struct json_object *value)
{
    e->fault.lie_length = json_object_get_int64(value);
    return true;
}

static bool take_flood(struct entry *e, struct json_object *value)
{
    e->fault.flood = (uint64_t)json_object_get_int64(value);
    return is_amount(value) && e->fault.flood <= 1 << 30;
}

static bool take_gzip(struct entry *e, struct json_object *value)
{
    e->fault.gzip = json_object_get_boolean(value);
    return true;
}

static bool take_chunked(struct entry *e, struct json_object *value)
{
    e->fault.chunked = json_object_get_boolean(value);
    return true;
}

static bool take_no_length(struct entry *e, struct json_object *value)
{
    e->fault.skips_length = e->fault.delivery.close = json_object_get_boolean(value);
    return true;
}

static bool take_delay(struct entry *e, struct json_object *value)
{
    e->fault.delivery.delay_ms = (uint64_t)json_object_get_int64(value);
    return is_amount(value);
}

static bool take_truncate(struct entry *e, struct json_object *value)
{
    e->fault.delivery.is_cut = true;
    e->fault.delivery.cut_at = (size_t)json_object_get_int64(value);
    return is_amount(value);
}

static bool take_reset(struct entry *e, struct json_object *value)
{
    e->fault.delivery.reset = json_object_get_boolean(value);
    return true;
}

static bool take_stall(struct entry *e, struct json_object *value)
{
    e->fault.delivery.stall = json_object_get_boolean(value);
    return true;
}

static bool take_close(struct entry *e, struct json_object *value)
{
    e->fault.delivery.close = json_object_get_boolean(value);
    return true;
}

static bool take_drip(struct entry *e, struct json_object *value)
{
    e->fault.delivery.drip_ms = (uint64_t)json_object_get_int64(value);
    return is_amount(value);
}

static bool take_drip_bytes(struct entry *e, struct json_object *value)
{
    e->fault.delivery.drip_bytes = (size_t)json_object_get_int64(value);
    return is_amount(value) && e->fault.delivery.drip_bytes > 0;
}

static const struct {
    const char *name;
    json_type type; /* json_type_null: any */
    take_field *take;
} fields[] = {
    { "match", json_type_string, take_match },
    { "query", json_type_object, take_query },
    { "asked", json_type_string, take_asked },
    { "times", json_type_int, take_times },
    { "skip", json_type_int, take_skip },
    { "status", json_type_int, take_status },
    { "body", json_type_null, take_body },
    { "body_hex", json_type_string, take_body_hex },
    { "raw", json_type_string, take_raw },
    { "raw_hex", json_type_string, take_raw_hex },
    { "content_type", json_type_string, take_content_type },
    { "headers", json_type_object, take_headers },
    { "replace", json_type_object, take_replace },
    { "lie_rows", json_type_int, take_lie_rows },
    { "lie_units", json_type_int, take_lie_units },
    { "lie_length", json_type_int, take_lie_length },
    { "flood", json_type_int, take_flood },
    { "gzip", json_type_boolean, take_gzip },
    { "chunked", json_type_boolean, take_chunked },
    { "no_length", json_type_boolean, take_no_length },
    { "delay_ms", json_type_int, take_delay },
    { "truncate_at", json_type_int, take_truncate },
    { "reset", json_type_boolean, take_reset },
    { "stall", json_type_boolean, take_stall },
    { "close", json_type_boolean, take_close },
    { "drip_ms", json_type_int, take_drip },
    { "drip_bytes", json_type_int, take_drip_bytes },
};

static bool read_field(struct entry *e, const char *name, struct json_object *value)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (!strcmp(fields[i].name, name))
            return (fields[i].type == json_type_null || json_object_is_type(value, fields[i].type)) &&
                   fields[i].take(e, value);
    return false;
}

static void entry_free(struct entry *e)
{
    if (!e)
        return;
    json_object_put(e->json);
    free(e->decoded);
    free(e);
}

static struct entry *entry_new(struct arena *memory, struct json_object *json, struct slice *why)
{
    struct entry *e = calloc(1, sizeof *e);
    if (!e || !json_object_is_type(json, json_type_object)) {
        *why = S("an entry of the script must be an object");
        free(e);
        return NULL;
    }
    e->json = json_object_get(json);
    e->times = 1;
    e->fault.lie_rows = e->fault.lie_units = -1;
    e->fault.delivery.drip_bytes = 1;
    json_object_object_foreach(json, name, value)
    {
        if (read_field(e, name, value))
            continue;
        *why = arena_printf(memory, "script: no such field, or not such a value: %s", name);
        entry_free(e);
        return NULL;
    }
    return e;
}

struct script *script_new(void)
{
    return calloc(1, sizeof(struct script));
}

void script_clear(struct script *script)
{
    while (script->first) {
        struct entry *e = script->first;
        script->first = e->next;
        entry_free(e);
    }
    script->last = NULL;
}

void script_free(struct script *script)
{
    if (script)
        script_clear(script);
    free(script);
}

static void append(struct script *script, struct entry *first)
{
    for (struct entry *e = first; e; e = e->next) {
        if (script->last)
            script->last->next = e;
        else
            script->first = e;
        script->last = e;
    }
}

static bool read_entries(struct arena *memory, struct json_object *list, struct script *read, struct slice *why)
{
    bool is_list = json_object_is_type(list, json_type_array);
    size_t n = is_list ? json_object_array_length(list) : 1;
    for (size_t i = 0; i < n; i++) {
        struct entry *e = entry_new(memory, is_list ? json_object_array_get_idx(list, i) : list, why);
        if (!e)
            return false;
        append(read, e);
    }
    return true;
}

bool script_add(struct script *script, struct arena *memory, struct slice json, struct slice *why)
{
    struct script read = { 0 };
    struct json_object *list = json_read(json);
    bool good = list;
    if (!good)
        *why = S("the script is not JSON");
    good = good && read_entries(memory, list, &read, why);
    json_object_put(list);
    if (good)
        append(script, read.first);
    else
        script_clear(&read);
    return good;
}

size_t script_left(const struct script *script)
{
    size_t n = 0;
    for (const struct entry *e = script->first; e; e = e->next)
        n += !e->is_used_up;
    return n;
}

static bool matches(const struct entry *e, struct slice path, const struct query *query, struct slice body)
{
    if (e->is_used_up || (e->match.p && !slice_eq(e->match, path)))
        return false;
    if (e->asked.n && !(body.n && memmem(body.p, body.n, e->asked.p, e->asked.n)))
        return false;
    if (!e->query)
        return true;
    json_object_object_foreach(e->query, name, value)
    {
        struct slice given = query_get(query, name);
        if (value ? !given.p || !slice_eq(given, json_text(value)) : given.p != NULL)
            return false;
    }
    return true;
}

const struct fault *script_take(struct script *script, struct slice path, const struct query *query, struct slice body)
{
    for (struct entry *e = script->first; e; e = e->next) {
        if (!matches(e, path, query, body))
            continue;
        if (e->skip) {
            e->skip--;
            continue;
        }
        e->is_used_up = e->times == 1;
        e->times -= e->times > 0;
        return &e->fault;
    }
    return NULL;
}
