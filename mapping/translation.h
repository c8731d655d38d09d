/* SPDX-License-Identifier: MIT
 *
 * One call on its way: which v3 requests to make, what comes of their bytes, and the v2 answer. I/O is the caller's:
 *
 *     t = translation_new(&plan, …);
 *     translation_know_part(t, ask, …);                    what a cache already holds
 *     while (translation_next(t, &request))                send them side by side
 *     …bytes come…  translation_feed(t, ask, bytes)
 *     …one ends…    translation_end(t, ask, rows header)  then translation_next again: there may be another page
 *     translation_is_whole(t) -> translation_finish(t, &result), translation_write(t, &body)
 *
 * The exchange does this over HTTP, the golden cases over recorded bytes. A part of the target record may be asked for
 * as any other, by a POST for this target alone; or it comes from where many calls' records are asked for together, and
 * is handed in by translation_know_part.
 */
#ifndef ANCHORAGE_MAPPING_TRANSLATION_H
#define ANCHORAGE_MAPPING_TRANSLATION_H

#include "mapping/packed_rows.h"
#include "mapping/render.h"

struct v3_request {
    enum plan_ask ask;
    struct slice path; /* and query; lives as long as the translation */
    struct slice body; /* JSON, of a POST; p NULL: a GET */
    bool has_rows;     /* the answer is a list of them; else one small object */
    int64_t rows;      /* asked for */
    int64_t units;     /* what it costs at most */
};

/* What earlier answers of the same v3 have shown of it. */
struct translation_seen {
    bool upper_case; /* keys hold upper-case letters */
    bool disorder;   /* its order of texts is not that of bytes */
};

/* The list goes on behind the rows of translation_cut; its pages have taken the units of translation_pay; its rows have
 * taken the memory that they may hold. */
enum translation_cut { CUT_NOT, CUT_SHORTER, CUT_PAID_OUT, CUT_FULL };

struct translation_result {
    int64_t results; /* rows in the answer */
    int64_t rows;    /* v2 rows it costs */
    struct marks marks;
    bool whole_list;          /* the list has every row that the call asks for: nothing is behind it */
    enum translation_cut cut; /* why the caller's limits ended the list, though there may be more rows */
    struct translation_seen seen;
    int64_t learnt_page_rows; /* v3 gives no more than this in one answer; 0: nothing learnt */
    /* Parts that the list has brought, though they were not asked for; in the arena of the translation. */
    struct learnt_part {
        enum plan_ask ask;
        struct slice bytes;
    } learnt[TABLE_MAX_PARTS];
    int n_learnt;
    unsigned given; /* bit of an ask: a part that the answer needs and that this call did not ask for itself */
    int64_t rows_came, rows_replayed; /* of v3, before merging; of these, remembered from earlier calls */
};

struct translation;

/* `plan` must outlive it. `max_bytes`: what its rows may hold. NULL when memory is out. */
struct translation *translation_new(const struct plan *plan, struct translation_seen seen, size_t max_bytes,
                                    struct arena *memory);
void translation_free(struct translation *t);

/* Before anything is asked: rows take what they hold from this budget. */
void translation_set_budget(struct translation *t, struct budget *budget);

/* Bytes that it holds beside its rows, and about what its answer will have. */
size_t translation_bytes(const struct translation *t);
size_t translation_answer_bytes(const struct translation *t);

/* A part before it is asked by translation_next, or after translation_await: no need to ask. `bytes`: what
 * translation_part has handed out, of a part of that name. */
void translation_know_part(struct translation *t, enum plan_ask ask, struct slice bytes);

/* Whether it is still to be asked. */
bool translation_needs(const struct translation *t, enum plan_ask ask);

/* A part that it needs: another call is asking right now, what it brings is handed in by translation_know_part.
 * translation_ask_after_all: it brought nothing. */
void translation_await(struct translation *t, enum plan_ask ask);
void translation_ask_after_all(struct translation *t, enum plan_ask ask);

/* What came of a part, after translation_end or translation_finish: bytes of this machine. */
struct slice translation_part(const struct translation *t, enum plan_ask ask);

/* Rows that the whole list cannot have more of: INT64_MAX while nothing says so. The ask that would say it is
 * plan_bound_ask(plan); of its bytes plan_bound reads it. */
int64_t translation_most_rows(const struct translation *t);

/* Before the first translation_next: the list begins with these rows (mapping/packed_rows.h), which came earlier; those
 * that are not needed are not taken. May be called again for the next ones, until translation_has_enough. Then
 * translation_replayed: `whole` says that nothing is behind them. The answer is the same as if v3 had been asked. */
[[nodiscard]] bool translation_replay(struct translation *t, struct slice rows);
bool translation_has_enough(const struct translation *t);
void translation_replayed(struct translation *t, bool whole);

/* From now on keep the rows that v3 gives, at most `max_bytes`. translation_take_rows moves those of whole pages out
 * into *rows, which the caller clears; false when there is nothing, or not all. */
void translation_keep_rows(struct translation *t, size_t max_bytes);
bool translation_take_rows(struct translation *t, struct buffer *rows, bool *whole);

/* Before the list is asked for, after translation_replayed: the answer has at most `results` rows, fewer than the
 * call asks for. `one_more`: a row more is asked for, to know whether there are more. */
void translation_cut(struct translation *t, int64_t results, bool one_more);

/* The list's further pages may take so many units. At first what plan.h says of the list and its allowance. */
void translation_pay(struct translation *t, int64_t units);

/* No memory is left for more rows: the list ends with those that are there. */
void translation_end_rows(struct translation *t);

/* Whether nothing of the list has to be asked for (any more). */
bool translation_knows_list(const struct translation *t);

/* Whether it is not there yet, whichever call asks for it. */
bool translation_lacks(const struct translation *t, enum plan_ask ask);

/* Take the next request that can be sent now. False when there is none (for now, or when refused). */
bool translation_next(struct translation *t, struct v3_request *ret);
/* The same of one ask. */
bool translation_next_of(struct translation *t, enum plan_ask ask, struct v3_request *ret);

/* The next bytes of the answer to the request that is under way. False: refused, see translation_refusal.
 */
[[nodiscard]] bool translation_feed(struct translation *t, enum plan_ask ask, struct slice bytes);

/* Its end; `rows_header` is what v3 said about rows, or -1. True when this answer is good: a part can be so
 * though the list was refused. */
[[nodiscard]] bool translation_end(struct translation *t, enum plan_ask ask, int64_t rows_header);

/* Rows of the list's page under way, or of the last one, that have come. */
int64_t translation_page_rows(const struct translation *t);

/* Distinct rows of the list so far, skipped ones included. */
int64_t translation_rows(const struct translation *t);

/* Rows of the answer (behind `offset`, within `limit`) that whole pages have brought which this call asked for itself.
 */
int64_t translation_own_results(const struct translation *t);

/* Nothing is under way, nothing has to be asked any more. */
bool translation_is_whole(const struct translation *t);

/* Order, cut and count; once, when it is whole. */
[[nodiscard]] bool translation_finish(struct translation *t, struct translation_result *ret);

/* Append the v2 body, after translation_finish. */
void translation_write(const struct translation *t, struct buffer *out);

/* Why something above was false: FAULT_UPSTREAM_ODD or FAULT_TOO_BUSY. */
struct refusal translation_refusal(const struct translation *t);

#endif
