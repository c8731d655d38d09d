/* SPDX-License-Identifier: MIT
 *
 * Who is over a cap is told so and sent away by a thread of its own: in a flood that costs as much as a part of the
 * calls that are served, and the loop has those to see to.
 */
#ifndef ANCHORAGE_PROXY_HTTP_DOORMAN_H
#define ANCHORAGE_PROXY_HTTP_DOORMAN_H

#include "base/slice.h"

/* Of header lines that the owner adds. */
enum { DOORMAN_MAX_HEAD = 128 };

struct doorman;

/* NULL when memory is out. The thread begins with the first client. */
struct doorman *doorman_new(void);

/* Waits until all that were given to it are gone. NULL is allowed. */
void doorman_free(struct doorman *d);

/* Tell the client that there are too many, and close its socket, which is the doorman's from now on. `head` is added to
 * the answer: lines with their CRLF, DOORMAN_MAX_HEAD bytes at most, which are copied. When there is no thread to be
 * had, and when too many wait for it, all this is done before it returns; else it may wait for doorman_go. */
void doorman_turn_away(struct doorman *d, int fd, bool is_tls, struct slice head);

/* To be called behind a portion of them: a thread that is woken for each one takes as much as what it does. */
void doorman_go(struct doorman *d);

#endif
