/* SPDX-License-Identifier: MIT
 *
 * The doctor finds out what a v3 key, its plan and API v3 really do. It asks for limits-and-usage, which is free, then
 * sends at most eight requests on v3's free target, one after the other through the key's own rate, and tells what it
 * found and what to do about it. The account takes over what it learns of v3. The same code runs inside the daemon and
 * by itself.
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

/* Start a doctor. `done` is called once, from the loop, when all is asked. NULL when memory is out. */
struct doctor *doctor_new(const struct doctor_place *place, void (*done)(void *context), void *context);

/* Call it after `done`, or after ledger_close and before accounts_close. NULL is allowed. */
void doctor_free(struct doctor *d);

bool doctor_is_over(const struct doctor *d);

/* After `done`, append the findings in both forms; neither has a key or rows in it. True when nothing is wrong. */
bool doctor_report(const struct doctor *d, struct buffer *text, struct buffer *json);

#endif
