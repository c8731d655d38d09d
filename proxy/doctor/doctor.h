/* SPDX-License-Identifier: MIT
 *
 * The doctor: what a v3 key, its plan and API v3 really do. Asks limits-and-usage, which is free, then at most eight
 * requests on v3's free target, one after the other through the key's own rate; tells what was found and what to do
 * about it. What it learns of v3 is taken over into the account. The same code runs inside the daemon and by itself.
 */
#ifndef ANCHORAGE_PROXY_DOCTOR_DOCTOR_H
#define ANCHORAGE_PROXY_DOCTOR_DOCTOR_H

#include "proxy/account/account.h"
#include "proxy/ledger/ledger.h"

enum { DOCTOR_MAX_REQUESTS = 8 };

struct doctor;

struct doctor_place {
    const struct config *config;
    struct account *account;
    struct ledger *ledger;
    bool is_main; /* the account is the one of [upstream] */
};

/* Start; `done` comes from the loop, once, when all is asked. NULL when memory is out. */
struct doctor *doctor_new(const struct doctor_place *place, void (*done)(void *context), void *context);

/* Not before `done`, or after ledger_close and before accounts_close. NULL is allowed. */
void doctor_free(struct doctor *d);

bool doctor_is_over(const struct doctor *d);

/* After `done`: the findings in both forms, neither with a key or rows. True when nothing is wrong. */
bool doctor_report(const struct doctor *d, struct buffer *text, struct buffer *json);

#endif
