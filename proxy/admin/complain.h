/* SPDX-License-Identifier: MIT
 *
 * Errors before there is a log, and where there is none.
 */
#ifndef ANCHORAGE_PROXY_ADMIN_COMPLAIN_H
#define ANCHORAGE_PROXY_ADMIN_COMPLAIN_H

#include "base/slice.h"

/* Write lines of an error to standard error, `before` in front of each, and their level where the journal of systemd
 * listens. What could act on a terminal is replaced. */
void complain(const char *before, struct slice lines);

#endif
