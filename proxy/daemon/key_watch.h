/* SPDX-License-Identifier: MIT
 *
 * A v3 key is watched: every limits_interval, and soon after v3 said that its units are used up, v3 is asked what it
 * says of the key. The answer is free; it gives the row cap, the billing day, the units left, the end of the key, and
 * how far v3's count of units and our books are apart.
 */
#ifndef ANCHORAGE_PROXY_DAEMON_KEY_WATCH_H
#define ANCHORAGE_PROXY_DAEMON_KEY_WATCH_H

struct account;
struct key_watches;
struct service;

/* Begin for every account of `s`; the first look is a moment after the start. With limits_interval = 0 it does nothing.
 * NULL when memory is out. */
[[nodiscard]] struct key_watches *key_watches_new(struct service *s);

/* Call it after ledger_close and before accounts_close. NULL is allowed. */
void key_watches_free(struct key_watches *all);

/* Do what follows from what account->subscription says now, for the service as a whole: the billing day, the gate of an
 * empty month; the log says what is news. */
void key_watch_apply(struct service *s, struct account *a);

#endif
