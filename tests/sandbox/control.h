/* SPDX-License-Identifier: MIT
 *
 * /_sandbox/...: how tests set the script, read the journal and wait. */
#ifndef SANDBOX_CONTROL_H
#define SANDBOX_CONTROL_H

#include "tests/sandbox/account.h"
#include "tests/sandbox/http.h"
#include "tests/sandbox/journal.h"
#include "tests/sandbox/script.h"

struct event_base;
struct control;

struct control *control_new(struct event_base *base, struct account *account, struct script *script,
                            struct journal *journal);
void control_free(struct control *control);

/* Answer a request whose path begins with /_sandbox/, perhaps later. */
void control_request(struct control *control, struct http_exchange *exchange, const struct http_request *request);

/* The exchange of such a request is over. */
void control_done(struct control *control, struct http_exchange *exchange);

/* The journal has grown: answer those who waited for that. */
void control_wake(struct control *control);

#endif
