/* SPDX-License-Identifier: MIT
 * Holds filters against values. */
#include "base/buffer.h"
#include "tests/sandbox/filter.h"
#include "tests/sandbox/letters.h"

static bool order_fits(enum operation operation, int order)
{
    return operation == OPERATION_EQ    ? order == 0
           : operation == OPERATION_NEQ ? order != 0
           : operation == OPERATION_GT  ? order > 0
           : operation == OPERATION_GTE ? order >= 0
           : operation == OPERATION_LT  ? order < 0
                                        : order <= 0;
}

static bool lower_holds(const struct condition *c, struct slice s)
{
    struct buffer lower = buffer_with_cap(0);
    letters_lower(&lower, s);
    bool holds = c->operation == OPERATION_ISUBSTRING ? letters_substring(buffer_slice(&lower), c->value.text)
                                                      : letters_phrase(buffer_slice(&lower), c->value.text);
    buffer_clear(&lower);
    return holds;
}

static bool text_holds(const struct condition *c, const struct options *o, struct slice s)
{
    switch (c->operation) {
    case OPERATION_EQ:
        return slice_eq(s, c->value.text);
    case OPERATION_NEQ:
        return !slice_eq(s, c->value.text);
    case OPERATION_GT:
    case OPERATION_GTE:
    case OPERATION_LT:
    case OPERATION_LTE:
        return order_fits(
            c->operation,
            letters_compare(o->text_compare == TEXT_COMPARE_BYTES ? COLLATION_BYTES : o->collation, s, c->value.text));
    case OPERATION_SUBSTRING:
        return letters_substring(s, c->value.text);
    case OPERATION_ISUBSTRING:
    case OPERATION_IPHRASE_MATCH:
        return lower_holds(c, s);
    case OPERATION_PHRASE_MATCH:
        return letters_phrase(s, c->value.text);
    case OPERATION_PREFIX:
        return slice_starts(s, c->value.text);
    case OPERATION_SUFFIX:
        return slice_ends(s, c->value.text);
    case OPERATION_REGEX:
        return pattern_found(c->pattern, s);
    case OPERATION_EMPTY:
        return s.n == 0;
    case OPERATION_IS_NULL:
    case N_OPERATIONS:
        break;
    }
    return false;
}

static bool item_holds(const struct condition *c, const struct options *o, struct slice s)
{
    if (c->joint == JOINT_LEAF)
        return text_holds(c, o, s);
    if (c->joint == JOINT_NOT)
        return !item_holds(&c->parts[0], o, s);
    for (size_t i = 0; i < c->n_parts; i++)
        if (item_holds(&c->parts[i], o, s) != (c->joint == JOINT_AND))
            return c->joint == JOINT_OR;
    return c->joint == JOINT_AND;
}

static bool list_holds(const struct filter *f, const struct options *o, const struct value *v)
{
    if (f->quantity == QUANTITY_ONE)
        return f->condition.operation == OPERATION_EMPTY && v->list.n == 0;
    for (size_t i = 0; i < v->list.n; i++)
        if (item_holds(&f->condition, o, v->list.items[i]) != (f->quantity == QUANTITY_ALL))
            return f->quantity == QUANTITY_ANY;
    return f->quantity == QUANTITY_ALL;
}

static bool upper_holds(const struct condition *c, const struct options *o, struct slice s)
{
    struct buffer upper = buffer_with_cap(0);
    letters_upper(&upper, s);
    bool holds = text_holds(c, o, buffer_slice(&upper));
    buffer_clear(&upper);
    return holds;
}

static int order_of_reals(double a, double b)
{
    return (a > b) - (a < b);
}

/* A null fulfils is_null and empty, and differs from everything. */
static bool value_holds(const struct filter *f, const struct options *o, const struct value *v)
{
    const struct condition *c = &f->condition;
    if (v->is_null)
        return c->operation == OPERATION_IS_NULL || c->operation == OPERATION_EMPTY || c->operation == OPERATION_NEQ;
    switch (columns[f->column].type) {
    case TYPE_TEXT:
        return f->in_upper_case ? upper_holds(c, o, v->text) : text_holds(c, o, v->text);
    case TYPE_LIST:
    case TYPE_WHOLES:
        return list_holds(f, o, v);
    case TYPE_WHOLE:
    case TYPE_MOMENT:
        return c->operation < OPERATION_SUBSTRING &&
               order_fits(c->operation, (v->whole > c->value.whole) - (v->whole < c->value.whole));
    case TYPE_REAL:
        return c->operation < OPERATION_SUBSTRING && order_fits(c->operation, order_of_reals(v->real, c->value.real));
    case TYPE_TRUTH:
        return c->operation < OPERATION_SUBSTRING && order_fits(c->operation, v->truth - c->value.truth);
    }
    return false;
}

bool filter_holds(const struct filter *filter, const struct options *options, const struct filter_subject *subject)
{
    if (filter->joint == JOINT_LEAF) {
        if (subject->any_link && filter->levels == LEVEL_LINK)
            return subject->any_link(subject->ctx, filter);
        struct value v = subject->value(subject->ctx, filter->column);
        return value_holds(filter, options, &v);
    }
    if (filter->joint == JOINT_NOT)
        return !filter_holds(&filter->parts[0], options, subject);
    for (size_t i = 0; i < filter->n_parts; i++)
        if (filter_holds(&filter->parts[i], options, subject) != (filter->joint == JOINT_AND))
            return filter->joint == JOINT_OR;
    return filter->joint == JOINT_AND;
}
