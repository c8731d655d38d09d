/* SPDX-License-Identifier: MIT
 *
 * The raw parameters of a v2 call: from the bytes of a query string or a form to decoded values by name. Unknown names
 * are dropped, as v2 did; an empty value is as if absent.
 */
#ifndef ANCHORAGE_MAPPING_PARAMS_H
#define ANCHORAGE_MAPPING_PARAMS_H

#include "base/arena.h"
#include "mapping/fault.h"

enum param {
    PARAM_TOKEN,
    PARAM_FROM,
    PARAM_TARGET,
    PARAM_MODE,
    PARAM_SELECT,
    PARAM_WHERE,
    PARAM_HAVING,
    PARAM_ORDER_BY,
    PARAM_LIMIT,
    PARAM_OFFSET,
    PARAM_OUTPUT,
    PARAM_COUNT
};

struct params {
    struct slice value[PARAM_COUNT]; /* decoded, valid UTF-8, in the arena or borrowed from the input; n 0: absent */
    bool bad[PARAM_COUNT];           /* the first value could not be decoded (bad %, NUL, not UTF-8) */
    bool two_tokens;                 /* two different tokens were given */
};

/* Add the pairs of `text` ("a=b&c=d", may be empty) behind those already there: of two different values the first
 * counts. Values may borrow from `text`. False when memory is out. */
[[nodiscard]] bool params_add(struct params *p, struct slice text, struct arena *memory);

/* `text` with every appearance of the call's token, as conceal() finds it, replaced, for what others may read: a
 * program may put its token into the wrong parameter as well. Borrowed when there is none, else in `memory`; empty when
 * memory is out. */
struct slice params_without_token(const struct params *p, struct slice text, struct arena *memory);

/* Whether a body of this Content-Type holds parameters. */
bool params_are_form(struct slice content_type);

/* "order_by" */
struct slice param_name(enum param p);

/* The fault of a value that cannot be used. */
enum fault param_fault(enum param p);

#endif
