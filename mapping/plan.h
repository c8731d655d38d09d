/* SPDX-License-Identifier: MIT
 *
 * From a v2 call to what API v3 has to be asked: columns, filter, order, price, and what is approximated. Pure: the
 * same call on the same day gives the same plan.
 */
#ifndef ANCHORAGE_MAPPING_PLAN_H
#define ANCHORAGE_MAPPING_PLAN_H

#include "mapping/call.h"
#include "mapping/filter.h"

struct plan_options {
    unsigned nulls;            /* bit r: the option of null_rule r says null */
    bool stats_zero;           /* stats = zero */
    bool fold;                 /* anchor_case = fold */
    bool upper_case;           /* v3's keys were seen to hold upper-case letters: folding may make rows one */
    bool refuse_approximate;   /* approximate = refuse */
    struct slice free_targets; /* separated by spaces */
    const bool *none_is_free;  /* true once v3 has taken units for targets that it calls free; NULL: never */
    int64_t page_rows;         /* what v3 gives at most in one answer, 0: not known */
    bool page_rows_is_guess;   /* it may be less: a page of a plan's cap is taken for a cut one */
    struct day today;          /* UTC */
    size_t url_bytes; /* of the URL of every request, what stands before its path: "https://api.ahrefs.com/v3" */
};

/* What v3 is asked for a call: the list first, then the parts of the table. */
enum plan_ask { ASK_LIST, ASK_PARTS, ASK_COUNT = ASK_PARTS + TABLE_MAX_PARTS };

/* A part of the table's, for this call. */
struct plan_part {
    bool is_asked;
    bool is_in_list; /* the first rows of the list bring it: it need not be asked for */
    uint64_t fields; /* that the answer needs */
};

struct plan {
    const struct call *call;
    struct plan_options options;
    uint64_t fields; /* selected from v3 */
    struct field_order order[REPORT_MAX_FIELDS];
    size_t n_order;
    struct slice select, order_by; /* as v3 wants them */
    struct slice *filters;         /* one expression a condition */
    size_t n_filters;
    struct filter_check *checks; /* what merged rows must meet */
    size_t n_checks;
    int units_per_row;
    bool free_of_rows;  /* a free target of ours: costs no v2 rows */
    bool free_of_units; /* a free target of v3, by what v3 says; see plan_is_free */
    int64_t page_rows;  /* rows of one page at most, 0: not known */
    bool ask_list;
    struct plan_part parts[TABLE_MAX_PARTS];
    struct slice country; /* two letters, where a condition asks for one */
    union cell host;      /* of the target, as a text */
    union cell page;      /* its URL, where a column shows it */
    struct marks marks;   /* known before anything is asked */
};

enum { PLAN_FREE_PAGE_ROWS = 100 };

/* The longest URL that is sent, scheme and host included. */
enum { PLAN_MAX_URL = 16 * 1024 };

/* Refuses with FAULT_NOT_EXACT; with FAULT_BAD_WHERE, FAULT_BAD_HAVING or FAULT_BAD_TARGET what makes the URL of a
 * request too long; FAULT_TOO_BUSY when memory is out. `call` must outlive the plan. */
struct refusal plan_make(const struct call *call, const struct plan_options *options, struct arena *memory,
                         struct plan *ret);

/* All that can be marked before the answer is known; what depends on it is not among them. */
struct marks plan_marks(const struct plan *p);

/* v3 takes no units for the call's requests, as far as it has been seen to keep its word. */
bool plan_is_free(const struct plan *p);

/* v3's price of a list of `rows` rows, in units; 0 on its free targets. plan_price: as if the target were not free. */
int64_t plan_units(const struct plan *p, int64_t rows);
int64_t plan_price(const struct plan *p, int64_t rows);

/* The same in pages of the plan's cap, 0 for no row; and the most rows that `units` pay for, INT64_MAX on v3's free
 * targets. */
int64_t plan_list_units(const struct plan *p, int64_t rows);
int64_t plan_rows_paid_by(const struct plan *p, int64_t units);

/* Rows that v3's least price of a request pays for; 1 at least. */
int64_t plan_floor_rows(const struct plan *p);

/* What a list of that price may take beyond it: for rows that fold into others, where keys are folded, and for those
 * that neighbouring pages share. */
int64_t plan_allowance(const struct plan *p, int64_t list_units);

/* FAULT_TOO_DEAR for a call that would cost `units`, in words. */
struct refusal plan_too_dear(const struct plan *p, int64_t units, int64_t ceiling, struct arena *memory);

/* What v3 took for a request by its headers: units, or -1 when that is not known (no header, or 0 on what is not free).
 */
int64_t plan_units_taken(const struct plan *p, int64_t units_header, bool cache_hit);

/* The most that one part, and all of them, can cost; price: as if the target were not free. */
int64_t plan_part_price(const struct plan *p, enum plan_ask ask);
int64_t plan_part_units(const struct plan *p, enum plan_ask ask);
int64_t plan_parts_units(const struct plan *p);

/* The most that the call can cost: v2 rows; v3 units, where `ceiling` is what one call may take, 0: all. */
int64_t plan_max_rows(const struct plan *p);
int64_t plan_max_units(const struct plan *p, int64_t ceiling);

/* The table's part that is asked for, and its report. */
const struct part *plan_part_of(const struct plan *p, enum plan_ask ask);

/* Paths and queries of the requests, percent-encoded, in `memory`; p is NULL when memory is out. `after` is a further
 * filter expression or empty. */
struct slice plan_list_path(const struct plan *p, struct slice after, int64_t rows, struct arena *memory);
struct slice plan_part_path(const struct plan *p, enum plan_ask ask, struct arena *memory);

/* Of a list that v3 sorts by one column (mapping/walk.h): ordered by column `place` of the order alone. */
struct slice plan_step_path(const struct plan *p, int place, struct slice after, int64_t rows, struct arena *memory);

/* The ask whose numbers bound the rows of the whole list, ASK_COUNT when there is none; and the bound by the bytes of
 * that part. */
enum plan_ask plan_bound_ask(const struct plan *p);
int64_t plan_bound(const struct plan *p, struct slice part);

/* What stands for the whole question where answers are remembered and shared; p is NULL when memory is out. */
struct slice plan_question(const struct plan *p, struct arena *memory);

/* Whether the URL with such a path is too long to be sent. */
bool plan_is_too_long(const struct plan *p, struct slice path);

#endif
