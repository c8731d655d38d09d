/* SPDX-License-Identifier: MIT
 *
 * Looking into small JSON without building it: no memory is needed, so none can be missing.
 */
#ifndef ANCHORAGE_BASE_JSON_H
#define ANCHORAGE_BASE_JSON_H

#include "base/slice.h"

enum { JSON_MAX_DEPTH = 8 };

/* Find the value of a member: `object` is a whole JSON text (RFC 8259, UTF-8), an object at most JSON_MAX_DEPTH deep,
 * and is looked through to its end. The last one counts when there are several; a name with an escape in it is another
 * name. *value is the text of the value, in `object`. False, with *value untouched, when it is not there or `object` is
 * not what it should be. */
[[nodiscard]] bool json_member(struct slice object, struct slice name, struct slice *value);

/* A walk over the members of an object, or the items of a list: `value` is the whole text of one, UTF-8, at most
 * JSON_MAX_DEPTH deep. */
struct json_walk {
    struct slice rest;
    char close;  /* what ends it; 0: it is over */
    bool begun;  /* one has been given */
    bool failed; /* the text is none, or goes on behind its end */
};

void json_walk_begin(struct json_walk *w, struct slice value);

/* The next one, in the order of the text; both lie in the text. *name is what stands between the quotes, as it is
 * there; empty in a list. False at the end, or with w->failed. */
[[nodiscard]] bool json_walk_next(struct json_walk *w, struct slice *name, struct slice *value);

#endif
