/* SPDX-License-Identifier: MIT
 *
 * Code points that a target may not have, for who reads it does not see them or takes them for others.
 */
#ifndef ANCHORAGE_MAPPING_ODD_H
#define ANCHORAGE_MAPPING_ODD_H

#include <stdint.h>

#include "base/slice.h"

/* Valid UTF-8 without what is blank at both ends: white space of any script, spaces without width, byte order marks. */
struct slice odd_trim(struct slice text);

/* What is odd about a code point, as in "a control character"; NULL for what may stand anywhere. */
const char *odd_kind(uint32_t c);

/* The ASCII character that `c` looks like though it is another: one of . / @, as a full-width form; in a host whatever
 * has a meaning there. 0 when there is none. */
char odd_look_alike(uint32_t c, bool in_host);

/* A letter or digit of any script, or _. */
bool odd_begins_host(uint32_t c);

#endif
