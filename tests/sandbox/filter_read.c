/* SPDX-License-Identifier: MIT
 * Reads filters, and refuses all that the grammar does not have. */
#include <json-c/json.h>

#include "base/buffer.h"
#include "base/day.h"
#include "base/text.h"
#include "tests/sandbox/filter.h"
#include "tests/sandbox/json.h"
#include "tests/sandbox/letters.h"

struct reader {
    struct arena *memory;
    const struct options *options;
    const struct report *report;
    struct slice why; /* set once something was wrong */
};

enum { TYPES_ALL = ~0u, TYPES_ORDERED = 1 << TYPE_TEXT | 1 << TYPE_WHOLE | 1 << TYPE_REAL | 1 << TYPE_MOMENT };

/* Which types an operation can be asked of; a list's items are text. */
static const struct {
    struct slice name;
    unsigned types;
} operations[N_OPERATIONS] = {
    [OPERATION_EQ] = { SLICE("eq"), TYPES_ORDERED | 1 << TYPE_TRUTH },
    [OPERATION_NEQ] = { SLICE("neq"), TYPES_ORDERED | 1 << TYPE_TRUTH },
    [OPERATION_GT] = { SLICE("gt"), TYPES_ORDERED },
    [OPERATION_GTE] = { SLICE("gte"), TYPES_ORDERED },
    [OPERATION_LT] = { SLICE("lt"), TYPES_ORDERED },
    [OPERATION_LTE] = { SLICE("lte"), TYPES_ORDERED },
    [OPERATION_SUBSTRING] = { SLICE("substring"), 1 << TYPE_TEXT },
    [OPERATION_ISUBSTRING] = { SLICE("isubstring"), 1 << TYPE_TEXT },
    [OPERATION_PHRASE_MATCH] = { SLICE("phrase_match"), 1 << TYPE_TEXT },
    [OPERATION_IPHRASE_MATCH] = { SLICE("iphrase_match"), 1 << TYPE_TEXT },
    [OPERATION_PREFIX] = { SLICE("prefix"), 1 << TYPE_TEXT },
    [OPERATION_SUFFIX] = { SLICE("suffix"), 1 << TYPE_TEXT },
    [OPERATION_REGEX] = { SLICE("regex"), 1 << TYPE_TEXT },
    [OPERATION_EMPTY] = { SLICE("empty"), 1 << TYPE_TEXT | 1 << TYPE_LIST | 1 << TYPE_WHOLES },
    [OPERATION_IS_NULL] = { SLICE("is_null"), TYPES_ALL },
};

static bool bad(struct reader *r, const char *text)
{
    if (!r->why.p)
        r->why = arena_printf(r->memory, "bad where: %s", text);
    return false;
}

static bool bad_value(struct reader *r, struct json_object *value, const char *type)
{
    if (!r->why.p)
        r->why = arena_printf(r->memory, "bad where: bad value %s for type %s",
                              json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN), type);
    return false;
}

static const char bad_shape[] = "invalid JSON syntax";

/* A number in a list of numbers, as its digits. */
static bool read_item_number(struct reader *r, struct json_object *json, struct condition *c)
{
    if (!json_object_is_type(json, json_type_int) || c->operation > OPERATION_NEQ)
        return bad_value(r, json, "integer");
    c->value.text = arena_printf(r->memory, "%lld", (long long)json_object_get_int64(json));
    return true;
}

static bool read_text(struct reader *r, struct json_object *json, enum column column, struct condition *c)
{
    if (!json_object_is_type(json, json_type_string))
        return bad_value(r, json, "string");
    struct slice text = json_text(json);
    if (utf8_valid_prefix(text) != text.n)
        return bad(r, bad_shape);
    if (c->operation == OPERATION_ISUBSTRING || c->operation == OPERATION_IPHRASE_MATCH) {
        struct buffer lower = buffer_with_cap(0);
        letters_lower(&lower, text);
        c->value.text = arena_dup(r->memory, buffer_slice(&lower));
        buffer_clear(&lower);
    } else {
        c->value.text = arena_dup(r->memory, text);
    }
    if (c->operation == OPERATION_REGEX) {
        c->pattern = pattern_new(c->value.text);
        if (!c->pattern)
            return bad(r, "invalid regular expression");
        if (!arena_adopt(r->memory, c->pattern, pattern_free))
            return bad(r, bad_shape);
    }
    if (columns[column].words && (c->operation == OPERATION_EQ || c->operation == OPERATION_NEQ)) {
        for (const char *const *word = columns[column].words; *word; word++)
            if (slice_eq(slice_str(*word), c->value.text))
                return true;
        return bad_value(r, json, "enum");
    }
    return true;
}

static bool read_moment(struct reader *r, struct json_object *json, struct condition *c)
{
    struct slice text = json_text(json);
    struct day day;
    if (!json_object_is_type(json, json_type_string))
        return bad_value(r, json, "datetime");
    if (day_parse(text, &day))
        c->value.whole = (int64_t)day.n * 86400;
    else if (!timestamp_parse(text, &c->value.whole))
        return bad_value(r, json, "datetime");
    return true;
}

static bool read_truth(struct reader *r, struct json_object *json, struct condition *c)
{
    int64_t number = json_object_get_int64(json);
    bool is_number = json_object_is_type(json, json_type_int) && (number == 0 || number == 1);
    if (!is_number && !json_object_is_type(json, json_type_boolean))
        return bad_value(r, json, "boolean");
    c->value.truth = json_object_get_boolean(json);
    return true;
}

static bool read_value(struct reader *r, struct json_object *json, enum column column, struct condition *c)
{
    switch (columns[column].type) {
    case TYPE_TEXT:
    case TYPE_LIST:
        return read_text(r, json, column, c);
    case TYPE_WHOLES:
        return read_item_number(r, json, c);
    case TYPE_MOMENT:
        return read_moment(r, json, c);
    case TYPE_TRUTH:
        return read_truth(r, json, c);
    case TYPE_WHOLE:
        c->value.whole = json_object_get_int64(json);
        return json_object_is_type(json, json_type_int) || bad_value(r, json, "integer");
    case TYPE_REAL:
        c->value.real = json_object_get_double(json);
        return json_object_is_type(json, json_type_int) || json_object_is_type(json, json_type_double) ||
               bad_value(r, json, "float");
    }
    return false;
}

static bool read_nullness(struct reader *r, struct json_object *json, enum column column, bool of_item,
                          struct condition *c)
{
    struct slice name = json_text(json);
    if (r->report->filters_plainly)
        return bad(r, bad_shape);
    for (int i = OPERATION_EMPTY; i <= OPERATION_IS_NULL; i++) {
        if (!slice_eq(name, operations[i].name))
            continue;
        c->operation = (enum operation)i;
        enum type type = of_item ? TYPE_TEXT : columns[column].type;
        if (!(operations[i].types >> type & 1))
            return bad_value(r, json, column_type_name(column));
        if (r->options->null_tests == NULL_TESTS_STRICT && i == OPERATION_IS_NULL &&
            (of_item || !columns[column].nullable))
            return bad_value(r, json, column_type_name(column));
        return true;
    }
    return bad(r, bad_shape);
}

/* ["eq", 5] or "is_null". */
static bool read_operation(struct reader *r, struct json_object *json, enum column column, bool of_item,
                           struct condition *c)
{
    if (json_object_is_type(json, json_type_string))
        return read_nullness(r, json, column, of_item, c);
    if (!json_object_is_type(json, json_type_array) || json_object_array_length(json) != 2 ||
        !json_object_is_type(json_object_array_get_idx(json, 0), json_type_string))
        return bad(r, bad_shape);
    struct slice name = json_text(json_object_array_get_idx(json, 0));
    struct json_object *value = json_object_array_get_idx(json, 1);
    for (int i = 0; i < (r->report->filters_plainly ? OPERATION_REGEX : OPERATION_EMPTY); i++) {
        if (!slice_eq(name, operations[i].name))
            continue;
        c->operation = (enum operation)i;
        enum type type = of_item ? TYPE_TEXT : columns[column].type;
        if (!(operations[i].types >> type & 1))
            return bad_value(r, value, column_type_name(column));
        return read_value(r, value, column, c);
    }
    return bad(r, bad_shape);
}

/* The one member of an object; NULL when it has none or more. */
static struct json_object *only_member(struct json_object *json, struct slice *name)
{
    if (!json_object_is_type(json, json_type_object) || json_object_object_length(json) != 1)
        return NULL;
    struct json_object_iterator it = json_object_iter_begin(json);
    *name = slice_str(json_object_iter_peek_name(&it));
    return json_object_iter_peek_value(&it);
}

static enum joint joint_of(struct slice name)
{
    return slice_eq(name, S("and"))   ? JOINT_AND
           : slice_eq(name, S("or"))  ? JOINT_OR
           : slice_eq(name, S("not")) ? JOINT_NOT
                                      : JOINT_LEAF;
}

/* How many parts a joint has; 0 when `json` cannot be its operand. */
static size_t count_parts(enum joint joint, struct json_object *json)
{
    if (joint == JOINT_NOT)
        return 1;
    return json_object_is_type(json, json_type_array) ? json_object_array_length(json) : 0;
}

static struct json_object *part_at(enum joint joint, struct json_object *json, size_t i)
{
    return joint == JOINT_NOT ? json : json_object_array_get_idx(json, i);
}

/* A tree of conditions on one item of a list. */
static bool read_condition(struct reader *r, struct json_object *json, enum column column, struct condition *c)
{
    struct slice name = { 0 };
    struct json_object *operand = only_member(json, &name);
    c->joint = operand ? joint_of(name) : JOINT_LEAF;
    if (c->joint == JOINT_LEAF)
        return read_operation(r, json, column, true, c);
    c->n_parts = count_parts(c->joint, operand);
    struct condition *parts = arena_array(r->memory, struct condition, c->n_parts);
    if (!parts || !c->n_parts)
        return bad(r, bad_shape);
    c->parts = parts;
    for (size_t i = 0; i < c->n_parts; i++)
        if (!read_condition(r, part_at(c->joint, operand, i), column, &parts[i]))
            return false;
    return true;
}

/* {"any": ...} or {"all": ...}; a bare tree means all, as the official example has it. */
static bool read_list_condition(struct reader *r, struct json_object *json, struct filter *f)
{
    struct slice name = { 0 };
    struct json_object *operand = only_member(json, &name);
    bool is_any = slice_eq(name, S("any")), is_all = slice_eq(name, S("all"));
    if (columns[f->column].type != TYPE_LIST && columns[f->column].type != TYPE_WHOLES)
        return bad_value(r, json, column_type_name(f->column));
    f->quantity = is_any ? QUANTITY_ANY : QUANTITY_ALL;
    return read_condition(r, is_any || is_all ? operand : json, f->column, &f->condition);
}

static bool read_column(struct reader *r, struct json_object *name, struct filter *f)
{
    if (!json_object_is_type(name, json_type_string))
        return bad(r, bad_shape);
    const struct report_column *column = report_find(r->report, json_text(name), USE_WHERE);
    if (!column) {
        r->why = arena_printf(r->memory, "column '%.*s' not found", SLICE_ARGS(json_text(name)));
        return false;
    }
    f->column = column->column;
    report_add(r->report, &f->columns, column);
    f->levels = column->level;
    return true;
}

/* {"field": name, "is": condition}, with "list_is" in place of "is", and a "modifier" at will. */
static bool read_leaf(struct reader *r, struct json_object *json, struct filter *f)
{
    struct json_object *field = NULL, *is = NULL, *list_is = NULL;
    if (!json_object_is_type(json, json_type_object))
        return bad(r, bad_shape);
    json_object_object_foreach(json, key, value)
    {
        struct slice name = slice_str(key);
        if (slice_eq(name, S("field")))
            field = value;
        else if (slice_eq(name, S("is")))
            is = value;
        else if (slice_eq(name, S("list_is")))
            list_is = value;
        else if (slice_eq(name, S("modifier")) && json_object_is_type(value, json_type_string) &&
                 slice_eq(json_text(value), S("uppercase")))
            f->in_upper_case = true;
        else
            return bad(r, bad_shape);
    }
    if (!field || !is == !list_is)
        return bad(r, bad_shape);
    if (!read_column(r, field, f))
        return false;
    if (f->in_upper_case && columns[f->column].type != TYPE_TEXT)
        return bad(r, "modifier uppercase needs a string");
    return list_is ? read_list_condition(r, list_is, f) : read_operation(r, is, f->column, false, &f->condition);
}

static bool read_filter(struct reader *r, struct json_object *json, struct filter *f)
{
    struct slice name = { 0 };
    struct json_object *operand = only_member(json, &name);
    f->joint = operand ? joint_of(name) : JOINT_LEAF;
    if (f->joint == JOINT_LEAF)
        return read_leaf(r, json, f);
    f->n_parts = count_parts(f->joint, operand);
    struct filter *parts = arena_array(r->memory, struct filter, f->n_parts);
    if (!parts || !f->n_parts)
        return bad(r, bad_shape);
    f->parts = parts;
    for (size_t i = 0; i < f->n_parts; i++) {
        if (!read_filter(r, part_at(f->joint, operand, i), &parts[i]))
            return false;
        f->levels |= parts[i].levels;
        for (size_t k = 0; k < sizeof f->columns.bits / sizeof f->columns.bits[0]; k++)
            f->columns.bits[k] |= parts[i].columns.bits[k];
    }
    return true;
}

const struct filter *filter_read(struct arena *memory, const struct options *options, const struct report *report,
                                 struct slice json, struct slice *why)
{
    struct reader r = { .memory = memory, .options = options, .report = report };
    struct filter *f = arena_zalloc(memory, sizeof *f);
    struct json_object *tree = json_read(json);
    bool good = f && (tree ? read_filter(&r, tree, f) : bad(&r, "invalid filter expression"));
    json_object_put(tree);
    if (good && !arena_failed(memory))
        return f;
    *why = r.why.p ? r.why : S("bad where: too long");
    return NULL;
}
