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

#endif
