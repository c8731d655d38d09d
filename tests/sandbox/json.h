/* SPDX-License-Identifier: MIT
 *
 * JSON from a stranger. */
#ifndef SANDBOX_JSON_H
#define SANDBOX_JSON_H

#include "base/slice.h"

struct json_object;

/* The value that `text` is, and nothing behind it; to be put. NULL when it is none, and for null. */
struct json_object *json_read(struct slice text);

/* The text of a JSON string; borrowed from it. */
struct slice json_text(struct json_object *string);

#endif
