/* SPDX-License-Identifier: MIT
 *
 * A configuration in force, counted: the service has the present one, a call keeps the one it began with, and a
 * team's turns keep the last one that had the team.
 */
#ifndef ANCHORAGE_PROXY_SERVICE_SETTINGS_H
#define ANCHORAGE_PROXY_SERVICE_SETTINGS_H

#include "base/buffer.h"
#include "config/config.h"
#include "mapping/explain.h"
#include "mapping/plan.h"

struct settings {
    const struct config *config;
    struct config *owned;       /* freed with the settings; NULL: the configuration is somebody else's */
    struct buffer free_targets; /* the hosts as one text */
    size_t users;
};

/* With one user. `owned` is `config` or NULL; it is not taken on failure (NULL: memory is out). */
[[nodiscard]] struct settings *settings_new(const struct config *config, struct config *owned);

/* One user more; one less (the last one frees; NULL is allowed). */
struct settings *settings_hold(struct settings *s);
void settings_put(struct settings *s);

/* The plan's options by the configuration; today is UTC. `page_rows` is v3's row cap as far as it is
 * known (account_page_rows). */
struct plan_options settings_plan_options(const struct settings *s, int64_t page_rows);

/* The same for explaining a call. */
struct explain_options settings_explain_options(const struct settings *s, int64_t page_rows);

/* What of the configuration an answer's bytes and rows depend on, beyond what v3 is asked: a small number. */
unsigned settings_answer_shape(const struct settings *s);

#endif
