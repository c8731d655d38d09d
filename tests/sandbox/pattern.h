/* SPDX-License-Identifier: MIT
 *
 * Regular expressions as RE2 has them: by PCRE2, with what RE2 lacks refused. */
#ifndef SANDBOX_PATTERN_H
#define SANDBOX_PATTERN_H

#include "base/slice.h"

struct pattern;

/* NULL when `text` is none of RE2's. */
struct pattern *pattern_new(struct slice text);
void pattern_free(void *pattern);

/* Whether it is found anywhere in `s`. A search that grows too long finds nothing. */
bool pattern_found(const struct pattern *pattern, struct slice s);

#endif
