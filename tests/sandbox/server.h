/* SPDX-License-Identifier: MIT
 *
 * The whole sandbox: answers v3 requests, breaks answers as the script says, keeps the journal. */
#ifndef SANDBOX_SERVER_H
#define SANDBOX_SERVER_H

#include "tests/sandbox/options.h"

struct event_base;
struct server;

/* Listen as options say. NULL after a line on stderr. */
struct server *server_new(struct event_base *base, const struct options *options);
uint16_t server_port(const struct server *server);
void server_free(struct server *server);

#endif
