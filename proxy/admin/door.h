/* SPDX-License-Identifier: MIT
 *
 * Who may ask the admin side, and how one signs in and out of it.
 */
#ifndef ANCHORAGE_PROXY_ADMIN_DOOR_H
#define ANCHORAGE_PROXY_ADMIN_DOOR_H

#include "proxy/admin/answer.h"
#include "proxy/admin/sign_in.h"

/* Whether the header Host names this machine. */
bool door_host_is_ours(struct slice host);

/* Whether the question comes with the token itself. */
bool door_has_token(const struct admin_question *q, struct slice token);

/* Answer /login and /logout; false when it is another path. */
bool door_ask(struct sign_in *s, struct slice token, const struct admin_question *q, struct admin_answer *answer);

/* The way to the form, and back from there to what is asked. */
struct admin_answer door_to_login(const struct admin_question *q);

#endif
