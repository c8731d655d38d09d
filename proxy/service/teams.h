/* SPDX-License-Identifier: MIT
 *
 * The teams of the service: each has its queue (team_queue.h), which a reload finds again by the team's name. Those of
 * a team that is gone stay until its last call is freed.
 */
#ifndef ANCHORAGE_PROXY_SERVICE_TEAMS_H
#define ANCHORAGE_PROXY_SERVICE_TEAMS_H

#include <stdbool.h>

#include "base/slice.h"

struct service;
struct settings;
struct team_queue;

/* The queue of a team; NULL when the configuration has no such team. */
struct team_queue *teams_find(struct service *s, struct slice team);

/* A call of the team begins: its queue stays until teams_call_ends was called as often. That may free them, and comes
 * when the call no longer waits for a turn and has none. */
void teams_call_begins(struct team_queue *t);
void teams_call_ends(struct service *s, struct team_queue *t);

/* Take settings into force, at the start and in between; the caller's count of them is taken over. Turns stay those of
 * the team with the same name. False, and nothing changed or taken, when memory is out. */
[[nodiscard]] bool teams_take_settings(struct service *s, struct settings *settings);

/* Forget the settings and all queues. No call may be left. */
void teams_drop_settings(struct service *s);

#endif
