/* SPDX-License-Identifier: MIT
 *
 * Looking after a v3 key: every limits_interval, and soon after v3 said that its units are used up, v3 is asked what it
 * says of the key. The answer is free; it gives the row cap, the billing day, the units left, the end of the key, and
 * how far v3's count of units and our books are apart.
 */
#ifndef ANCHORAGE_PROXY_DAEMON_KEY_WATCH_H
#define ANCHORAGE_PROXY_DAEMON_KEY_WATCH_H

#include <stdbool.h>

struct account;
struct look;
struct service;

#define LOOK_PATH "/subscription-info/limits-and-usage?output=json"

/* Begin for every account of `s`; the first look is a moment after the start. Nothing with limits_interval = 0. False
 * when memory is out. */
[[nodiscard]] bool looks_begin(struct service *s);

/* After ledger_close, before accounts_close. */
void looks_end(struct service *s);

/* Look within a second or so. */
void look_soon(struct look *l);

/* What follows from what account->subscription says now, for the service as a whole: the billing day, the gate of an
 * empty month; said in the log where it is news. */
void look_apply(struct service *s, struct account *a);

#endif
