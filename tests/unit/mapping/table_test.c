/* SPDX-License-Identifier: MIT
 * The tables: v2's columns in v2's order, nothing unused, prices; the words of faults and marks, which are promises. */
#include "tests/unit/mapping/kit.h"

static void columns_stand_in_the_order_of_v2(void **state)
{
    (void)state;
    static const char *const v2[] = { "anchor",     "backlinks",  "refpages",    "refdomain",
                                      "refdomains", "first_seen", "last_visited" };
    assert_int_equal(table_anchors.n_columns, sizeof v2 / sizeof v2[0]);
    for (size_t i = 0; i < table_anchors.n_columns; i++)
        assert_slice_equal(table_anchors.columns[i].v2, slice_str(v2[i]));
}

static bool kept(enum fidelity f)
{
    return f != FIDELITY_NONE && f != FIDELITY_MISSING && f != FIDELITY_LIVE_DAY;
}

/* Whether v2's type can show v3's. */
static bool shows(enum value_type column, enum value_type field)
{
    switch (column) {
    case VALUE_TEXT:
        return field == VALUE_TEXT || field == VALUE_LIST;
    case VALUE_DAY:
        return field == VALUE_DATE;
    case VALUE_NUMBER:
        return field == VALUE_NUMBER || field == VALUE_WHOLE;
    case VALUE_WHOLE:
    case VALUE_DATE:
    case VALUE_BOOL:
    case VALUE_RATING:
    case VALUE_LIST:
        break;
    }
    return column == field;
}

static void check_table(const struct table *t)
{
    uint64_t used = 0;
    assert_true(t->n_columns <= TABLE_MAX_COLUMNS && t->list->n_fields <= REPORT_MAX_FIELDS);
    assert_true(t->n_parts <= TABLE_MAX_PARTS && t->n_stats <= TABLE_MAX_STATS);
    for (size_t i = 0; i < t->n_columns; i++) {
        const struct column *c = &t->columns[i];
        assert_int_equal(table_column(t, c->v2), (int)i); /* unique */
        int field = column_field(c);
        assert_true(field < (int)t->list->n_fields);
        if (field >= 0) {
            used |= bit(field);
            assert_true(shows(c->type, t->list->fields[field].type));
        }
        /* what may be filtered has a name in v3 */
        if (kept(c->where) || kept(c->having))
            assert_true(field >= 0 || (c->filter.v3.n && c->filter.units > 0) || c->make_filter);
        if (kept(c->order_by))
            assert_true(field >= 0 || c->from == FROM_TARGET);
        if (kept(c->shown))
            assert_true(c->from != FROM_NOTHING);
        if (c->shown == FIDELITY_MISSING)
            assert_int_equal(c->from, FROM_NOTHING);
    }
    for (int i = 0; i < t->key.n; i++)
        assert_int_equal(t->list->fields[t->key.fields[i]].type, VALUE_TEXT);
    for (size_t i = 0; i < t->list->n_fields; i++) {
        if (t->list->fields[i].stand_in)
            used |= bit(t->list->fields[i].stand_in - 1);
        for (size_t k = 0; k < i; k++)
            assert_false(slice_eq(t->list->fields[i].v3, t->list->fields[k].v3));
    }
    for (int i = 0; i < t->key.n; i++)
        used |= bit(t->key.fields[i]);
    assert_int_equal(used, bit((int)t->list->n_fields) - 1);
    if (t->bound.is_known)
        assert_int_equal(t->parts[t->bound.part].report->fields[t->bound.field].type, VALUE_WHOLE);
}

static void every_list_is_whole_in_itself(void **state)
{
    (void)state;
    size_t n = 0;
    for (; table_at(n); n++) {
        assert_ptr_equal(table_find(table_at(n)->from), table_at(n));
        if (table_at(n)->kind == TABLE_LIST)
            check_table(table_at(n));
    }
    assert_true(n >= 2);
    assert_null(table_find(S("")));
    assert_null(table_find(S("anchor")));
    assert_null(table_find(S("ANCHORS")));
}

static void a_row_of_v3_costs_what_its_columns_cost(void **state)
{
    (void)state;
    static const struct {
        const char *v3;
        int units;
    } rows[] = {
        { "anchor", 1 }, { "links_to_target", 1 }, { "refpages", 1 }, { "refdomains", 5 }, { "first_seen", 1 }
    };
    assert_int_equal(table_anchors.list->n_fields, sizeof rows / sizeof rows[0]);
    for (size_t i = 0; i < table_anchors.list->n_fields; i++) {
        assert_slice_equal(table_anchors.list->fields[i].v3, slice_str(rows[i].v3));
        assert_int_equal(table_anchors.list->fields[i].units, rows[i].units);
    }
}

static void rows_have_the_price_of_v2(void **state)
{
    (void)state;
    assert_int_equal(table_price(&table_anchors, 0, false, false), 1);
    assert_int_equal(table_price(&table_anchors, 2, false, false), 3);
    assert_int_equal(table_price(&table_anchors, 2, true, false), 8);
    assert_int_equal(table_price(&table_anchors, 2, false, true), 8);
    assert_int_equal(table_price(&table_anchors, 5000000, true, true), 5000011);
    assert_int_equal(table_price(&table_subscription_info, 0, false, false), 0);
}

static void a_fraction_is_rounded_up_once(void **state)
{
    (void)state;
    struct table t = { .prices = { .request_milli = 500, .result_milli = 1, .where_milli = 250, .having_milli = 249 } };
    assert_int_equal(table_price(&t, 0, false, false), 1);
    assert_int_equal(table_price(&t, 500, false, false), 1);
    assert_int_equal(table_price(&t, 501, false, false), 2);
    assert_int_equal(table_price(&t, 1, true, true), 1);
    assert_int_equal(table_price(&t, 2, true, true), 2);
}

struct fault_row {
    enum fault fault;
    const char *word;
    int v2, http;
    bool retries;
};

static void faults_are_what_was_promised(void **state)
{
    (void)state;
    static const struct fault_row rows[] = {
        { FAULT_UNKNOWN_KEY, "unknown_key", 200, 401, false },
        { FAULT_UNKNOWN_TABLE, "unknown_table", 200, 404, false },
        { FAULT_NOT_FOUND, "not_found", 200, 404, false },
        { FAULT_BAD_WHERE, "bad_where", 200, 400, false },
        { FAULT_BAD_HAVING, "bad_having", 200, 400, false },
        { FAULT_BAD_ORDER_BY, "bad_order_by", 200, 400, false },
        { FAULT_BAD_SELECT, "bad_select", 200, 400, false },
        { FAULT_BAD_LIMIT, "bad_limit", 200, 400, false },
        { FAULT_BAD_OFFSET, "bad_offset", 200, 400, false },
        { FAULT_BAD_MODE, "bad_mode", 200, 400, false },
        { FAULT_BAD_OUTPUT, "bad_output", 200, 400, false },
        { FAULT_BAD_TARGET, "bad_target", 200, 400, false },
        { FAULT_NOT_EXACT, "not_exact", 200, 400, false },
        { FAULT_TOO_DEAR, "too_dear", 200, 400, false },
        { FAULT_OUT_OF_ROWS, "out_of_rows", 200, 429, true },
        { FAULT_OUT_OF_UNITS, "out_of_units", 200, 429, true },
        { FAULT_TOO_BUSY, "too_busy", 503, 503, true },
        { FAULT_DRAINING, "draining", 503, 503, true },
        { FAULT_LEDGER_DOWN, "ledger_down", 503, 503, true },
        { FAULT_UPSTREAM_DOWN, "upstream_down", 503, 503, true },
        { FAULT_UPSTREAM_OUT_OF_UNITS, "upstream_out_of_units", 503, 503, true },
        { FAULT_UPSTREAM_DENIED, "upstream_denied", 502, 502, false },
        { FAULT_UPSTREAM_ODD, "upstream_odd", 502, 502, false },
        { FAULT_UPSTREAM_LATE, "upstream_late", 504, 504, false },
        { FAULT_BAD_REQUEST, "bad_request", 0, 0, false },
    };
    assert_int_equal(FAULT_COUNT - 1, sizeof rows / sizeof rows[0]);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct fault_row *r = &rows[i];
        assert_slice_equal(fault_word(r->fault), slice_str(r->word));
        assert_int_equal(fault_of_word(slice_str(r->word)), r->fault); /* unique */
        assert_int_equal(fault_status(r->fault, false), r->v2);
        assert_int_equal(fault_status(r->fault, true), r->http);
        assert_int_equal(fault_retries(r->fault), r->retries);
    }
    assert_int_equal(fault_word(FAULT_NONE).n, 0);
    assert_int_equal(fault_of_word(S("")), FAULT_NONE);
    assert_int_equal(fault_of_word(S("bad_wher")), FAULT_NONE);
}

static void marks_are_written_in_their_order(void **state)
{
    (void)state;
    struct buffer b = { 0 };
    struct marks none = { 0 };
    struct marks all = { .plain = (1u << MARK_COUNT) - 1,
                         .shown = 64,
                         .stats = 2,
                         .spellings = 1,
                         .broken = 1,
                         .where = 127,
                         .having = 3,
                         .order_by = 65 };
    assert_true(marks_none(&none));
    marks_write(&none, &table_anchors, &b);
    assert_int_equal(b.n, 0);
    buffer_str(&b, "before ");
    marks_write(&all, &table_anchors, &b);
    assert_slice_equal(
        buffer_slice(&b),
        S("before "
          "last_visited,stats.refpages,stats,anchor.case,mode,anchor.text,rows,tlds,where.anchor,where.backlinks,"
          "where.refpages,where.refdomain,where.refdomains,where.first_seen,where.last_visited,"
          "having.anchor,having.backlinks,order_by.anchor,order_by.last_visited"));
    buffer_clear(&b);
    for (int i = 0; i < MARK_COUNT; i++) {
        struct marks one = { 0 };
        marks_add(&one, (enum mark)i);
        assert_true(marks_has(&one, (enum mark)i) && !marks_none(&one));
        assert_int_equal(one.plain, 1u << i);
    }
    assert_false(marks_none(&(struct marks){ .shown = 1 }));
    assert_false(marks_none(&(struct marks){ .stats = 1 }));
    assert_false(marks_none(&(struct marks){ .spellings = 1 }));
    assert_false(marks_none(&(struct marks){ .broken = 1 }));
    assert_false(marks_none(&(struct marks){ .where = 1 }));
    assert_false(marks_none(&(struct marks){ .having = 1 }));
    assert_false(marks_none(&(struct marks){ .order_by = 1 }));
}

static void params_have_names_and_faults(void **state)
{
    (void)state;
    for (int i = 0; i < PARAM_COUNT; i++) {
        assert_true(param_name((enum param)i).n && param_fault((enum param)i) != FAULT_NONE);
        for (int k = 0; k < i; k++)
            assert_false(slice_eq(param_name((enum param)i), param_name((enum param)k)));
    }
    assert_true(params_are_form(S("application/x-www-form-urlencoded")));
    assert_true(params_are_form(S(" Application/X-WWW-Form-Urlencoded ; charset=UTF-8")));
    assert_false(params_are_form(S("text/plain")));
    assert_false(params_are_form(S("")));
    assert_false(params_are_form(S("application/x-www-form-urlencoded2")));
}

static void a_slip_of_the_hand_is_known(void **state)
{
    (void)state;
    assert_true(slice_eq(table_like(S("ancors")), S("anchors")));
    assert_true(slice_eq(table_like(S("back_links")), S("backlinks")));
    assert_int_equal(table_like(S("organic_keywords")).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_stand_in_the_order_of_v2),
        cmocka_unit_test(every_list_is_whole_in_itself),
        cmocka_unit_test(a_row_of_v3_costs_what_its_columns_cost),
        cmocka_unit_test(rows_have_the_price_of_v2),
        cmocka_unit_test(a_fraction_is_rounded_up_once),
        cmocka_unit_test(faults_are_what_was_promised),
        cmocka_unit_test(marks_are_written_in_their_order),
        cmocka_unit_test(params_have_names_and_faults),
        cmocka_unit_test(a_slip_of_the_hand_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
