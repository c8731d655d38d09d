/* SPDX-License-Identifier: MIT
 *
 * All calls: how one begins, and how those under way end. way.c has the table of the steps.
 */
#ifndef ANCHORAGE_PROXY_CALL_WAY_H
#define ANCHORAGE_PROXY_CALL_WAY_H

#include "proxy/service/service.h"

/* A request came in. The call answers it, whatever happens. */
void call_begin(struct service *s, struct http_call *http);

/* A client was turned away unheard: it counts as a call that was refused, and `head` gets what every refusal says. It
 * has no line in the log: it may be one of a storm. */
void call_turned_away(struct service *s, struct buffer *head);

/* The same of a client that was refused since it spoke plain HTTP where TLS is spoken. */
void call_refused_plain(struct service *s, struct buffer *head);

/* End all calls under way without an answer, at the end of drain_timeout, and free them: their holds stay open and
 * become `unknown` at the next start. Nothing may be on the worker. */
void calls_give_up(struct service *s);

/* Free the calls that have ended; at the bottom of the loop. */
void calls_free_finished(struct service *s);

#endif
