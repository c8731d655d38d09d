/* SPDX-License-Identifier: MIT
 * A query on its way to v3: whatever its bytes are, it is refused with a fault and words, or becomes requests whose
 * paths are plain ASCII, whose filter is JSON and whose price is within what the plan says; and the shape that the
 * books keep has nothing of the call's literals. The first two bytes of the input choose options, memory and the bait.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "base/text.h"
#include "mapping/explain.h"
#include "mapping/translation.h"

#define BAIT "qzbaitqz"

static void must_hold(bool what)
{
    if (!what)
        abort();
}

static void check_refusal(struct refusal r)
{
    must_hold(r.fault > FAULT_NONE && r.fault < FAULT_COUNT);
    must_hold(r.why.n && utf8_valid_prefix(r.why) == r.why.n);
}

static struct json_object *parse(struct slice text)
{
    struct json_tokener *t = json_tokener_new();
    json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *root = json_tokener_parse_ex(t, text.p, (int)text.n);
    must_hold(json_tokener_get_error(t) == json_tokener_success);
    must_hold(slice_trim(slice_from(text, json_tokener_get_parse_end(t))).n == 0);
    json_tokener_free(t);
    return root;
}

/* The decoded value of a parameter of the path; false when it is not there. */
static bool parameter(struct slice path, struct slice name, struct buffer *value)
{
    struct slice rest = slice_from(path, slice_find(path, '?') + 1);
    while (rest.n) {
        struct slice raw, pair = slice_split(rest, '&', &rest), found = slice_split(pair, '=', &raw);
        if (!slice_eq(found, name))
            continue;
        must_hold(percent_decode(value, raw, NULL));
        return true;
    }
    return false;
}

static void check_path(struct slice path)
{
    struct buffer where = { 0 };
    must_hold(path.n && path.p[0] == '/');
    for (size_t i = 0; i < path.n; i++)
        must_hold(path.p[i] > ' ' && path.p[i] < 0x7F);
    if (parameter(path, S("where"), &where)) {
        struct json_object *o = parse(buffer_slice(&where));
        must_hold(json_object_is_type(o, json_type_object));
        json_object_put(o);
    }
    buffer_clear(&where);
}

static void check_requests(const struct plan *plan, struct arena *memory)
{
    struct translation *t = translation_new(plan, (struct translation_seen){ 0 }, 1 << 20, memory);
    struct v3_request request;
    int64_t units = 0;
    int n = 0;
    must_hold(t != NULL);
    while (translation_next(t, &request)) {
        must_hold(++n <= ASK_COUNT && request.rows > 0 && request.units >= 0);
        check_path(request.path);
        units += request.units;
    }
    if (translation_refusal(t).fault)
        check_refusal(translation_refusal(t));
    else
        must_hold(units <= plan_max_units(plan, 0));
    must_hold(n || translation_refusal(t).fault || translation_is_whole(t));
    translation_free(t);
}

static void check_call(struct slice query, const struct plan_options *options, enum mode default_mode,
                       struct arena *memory)
{
    struct params params = { 0 };
    struct call_options call_options = { .default_mode = default_mode };
    struct call call;
    struct plan plan;
    if (!params_add(&params, query, memory))
        return;
    struct refusal r = call_parse(&params, &call_options, memory, &call);
    must_hold(call.output < OUTPUT_COUNT);
    if (r.fault) {
        check_refusal(r);
        return;
    }
    struct slice shape = call_shape(&call, memory);
    if (shape.p)
        must_hold(shape.n && !memmem(shape.p, shape.n, BAIT, strlen(BAIT)));
    if (table_is_of_books(call.table))
        return;
    r = plan_make(&call, options, memory, &plan);
    if (r.fault)
        check_refusal(r);
    else
        check_requests(&plan, memory);
}

/* As it is, and as a command: nothing but its own JSON, and the same verdict however it is told. */
static void check_explain(struct slice query, const struct plan_options *plan, enum mode default_mode)
{
    struct explain_options o = {
        .plan = *plan, .default_mode = default_mode, .units_per_call = 1000, .v3_url = S("https://v3.example/v3")
    };
    struct buffer text = { 0 }, json = { 0 }, curl = { 0 };
    enum fault a = explain_text(query, &o, &text), b = explain_json(query, &o, &json);
    must_hold(a == b && a == explain_curl(query, &o, &curl));
    buffer_clear(&curl);
    struct json_object *root = parse(buffer_slice(&json)), *fault;
    must_hold(json_object_object_get_ex(root, "fault", &fault) && (fault != NULL) == (a != FAULT_NONE));
    json_object_put(root);
    buffer_clear(&text);
    buffer_clear(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const baits[] = { "", "where=anchor%3D%22" BAIT "%22&",
                                         "having=substring(anchor,%22" BAIT "%22)&",
                                         "target=" BAIT ".example&mode=exact&" };
    static const int64_t pages[] = { 0, 1, 100, 1000 };
    if (size < 2 || size > 64 * 1024)
        return 0;
    struct plan_options options = { .nulls = (data[0] & 1 ? 1u << NULL_VISITED | 1u << NULL_MISSING : 0) |
                                             (data[0] & 4 ? 1u << NULL_ESTIMATE : 0),
                                    .stats_zero = data[0] & 2,
                                    .fold = !(data[0] & 8),
                                    .refuse_approximate = data[0] & 16,
                                    .free_targets = S("ahrefs.com"),
                                    .page_rows = pages[data[0] >> 5 & 3],
                                    .today = { 20781 } };
    enum mode default_mode = data[0] & 128 ? MODE_COUNT : MODE_SUBDOMAINS;
    struct buffer query = { 0 };
    buffer_str(&query, baits[data[1] & 3]);
    buffer_append(&query, slice_of((const char *)data + 2, size - 2));
    /* a copy of its own, so that a look beyond it is seen */
    char *exact = malloc(query.n ? query.n : 1);
    must_hold(exact != NULL);
    memcpy(exact, query.p, query.n);
    struct arena *memory = arena_new(data[1] & 4 ? (size_t)(data[1] >> 3) * 512 : 8 << 20);
    check_call(slice_of(exact, query.n), &options, default_mode, memory);
    check_explain(slice_of(exact, query.n), &options, default_mode);
    buffer_clear(&query);
    buffer_str(&query, "curl -G x? -d");
    buffer_append(&query, slice_of((const char *)data + 2, size - 2));
    check_explain(buffer_slice(&query), &options, default_mode);
    arena_free(memory);
    free(exact);
    buffer_clear(&query);
    return 0;
}
