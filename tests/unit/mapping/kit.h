/* SPDX-License-Identifier: MIT
 *
 * What the tests of this room share: a call from its query to its plan, and rows of v3.
 */
#ifndef ANCHORAGE_TESTS_UNIT_MAPPING_KIT_H
#define ANCHORAGE_TESTS_UNIT_MAPPING_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"
#include "mapping/translation.h"

#define TEXT(literal) slice_of(literal, sizeof(literal) - 1)

#define assert_slice_equal(a, b) assert_slice_equal_((a), (b), __FILE__, __LINE__)

static inline void assert_slice_equal_(struct slice got, struct slice want, const char *file, int line)
{
    if (!slice_eq(got, want)) {
        print_error("got:      %.*s\nexpected: %.*s\n", SLICE_ARGS(got), SLICE_ARGS(want));
        _fail(file, line);
    }
}

static inline struct plan_options kit_options(void)
{
    return (struct plan_options){ .fold = true, .free_targets = S("ahrefs.com"), .today = { 20781 } };
}

/* Parse and plan; the first refusal. */
static inline struct refusal kit_plan(struct slice query, const struct plan_options *options, struct arena *memory,
                                      struct call *call, struct plan *plan)
{
    struct params params = { 0 };
    struct call_options call_options = { MODE_SUBDOMAINS };
    if (!params_add(&params, query, memory))
        return (struct refusal){ FAULT_TOO_BUSY, S("memory is out") };
    struct refusal r = call_parse(&params, &call_options, memory, call);
    if (!r.fault && !table_is_of_books(call->table))
        r = plan_make(call, options, memory, plan);
    return r;
}

/* A row of anchors as the scanner hands it out. */
struct kit_row {
    const char *anchor;
    int64_t links, refpages, refdomains;
    const char *first_seen;
};

static inline enum rows_added kit_add(struct row_list *rows, struct kit_row r)
{
    struct scan_value values[REPORT_MAX_FIELDS] = {
        { .text = slice_str(r.anchor), .plain = true },
        { .whole = r.links },
        { .whole = r.refpages },
        { .whole = r.refdomains },
        { .text = slice_str(r.first_seen ? r.first_seen : "2020-01-01T00:00:00Z"), .plain = true },
    };
    return rows_add(rows, values);
}

#endif
