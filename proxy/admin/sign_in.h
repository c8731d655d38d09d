/* SPDX-License-Identifier: MIT
 *
 * The cookie of those who have signed in, EXPIRY.HMAC, and how often a wrong token may be tried. The token is not in
 * the cookie, and nothing is kept of who is signed in: a new process, or a new token, ends them all.
 */
#ifndef ANCHORAGE_PROXY_ADMIN_SIGN_IN_H
#define ANCHORAGE_PROXY_ADMIN_SIGN_IN_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

enum { SIGN_IN_SECONDS = 43200, SIGN_IN_KEY_BYTES = 32, SIGN_IN_MAX_WRONG = 10, SIGN_IN_CLOSED_MS = 60000 };

struct sign_in {
    unsigned char key[SIGN_IN_KEY_BYTES];
    int64_t wrong_ms[SIGN_IN_MAX_WRONG]; /* when the latest wrong tokens came, Unix time; 0: none */
    int next_wrong;
    int64_t closed_ms; /* when the form was closed; 0: it is not */
};

/* False when there is nothing random, or memory is out. */
[[nodiscard]] bool sign_in_begin(struct sign_in *s, struct slice token);

/* Write the cookie NAME=EXPIRY.HMAC for who signs in now. `out` fails when memory is out. */
void sign_in_cookie(const struct sign_in *s, int64_t now_ms, struct buffer *out);

/* Whether the header Cookie has one of ours that has not run out. */
bool sign_in_is_valid(const struct sign_in *s, struct slice header, int64_t now_ms);

/* How many seconds the form stays closed yet; 0: it is open. */
int sign_in_closed_s(struct sign_in *s, int64_t now_ms);

/* A wrong token came in by the form. The tenth within a minute closes it. */
void sign_in_was_wrong(struct sign_in *s, int64_t now_ms);

#define SIGN_IN_COOKIE "anchorage_admin"

#endif
