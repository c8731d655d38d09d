/* SPDX-License-Identifier: MIT
 *
 * Settings are a configuration in force, with a count of its users: the service has the present ones, a call keeps
 * those it began with, and a team's queue keeps the last ones that had the team.
 */
#ifndef ANCHORAGE_PROXY_SERVICE_SETTINGS_H
#define ANCHORAGE_PROXY_SERVICE_SETTINGS_H

#include "base/buffer.h"
#include "config/config.h"
#include "mapping/explain.h"
#include "mapping/plan.h"

struct settings {
    const struct config *config;
    struct config *owned;       /* freed with the settings; NULL: the configuration belongs to another */
    struct buffer free_targets; /* the hosts as one text */
    size_t users;
};

/* Make settings with one user. `owned` is `config` or NULL; it is not taken on failure. NULL when memory is out. */
[[nodiscard]] struct settings *settings_new(const struct config *config, struct config *owned);

/* Add a user; take one away. The settings are freed with their last user; settings_put allows NULL. */
struct settings *settings_hold(struct settings *s);
void settings_put(struct settings *s);

/* The plan's options by the configuration; today is UTC. `page_rows` is v3's row cap as far as it is known
 * (account_page_rows). */
struct plan_options settings_plan_options(const struct settings *s, int64_t page_rows);

/* The options for explaining a call, likewise. */
struct explain_options settings_explain_options(const struct settings *s, int64_t page_rows);

/* A small number that differs when the configuration would give an answer other bytes or rows though v3 is asked the
 * same. */
unsigned settings_answer_shape(const struct settings *s);

#endif
