/* SPDX-License-Identifier: MIT
 *
 * One value: text of the file into a field of struct config or struct config_team, as its row says.
 */
#ifndef ANCHORAGE_CONFIG_VALUE_H
#define ANCHORAGE_CONFIG_VALUE_H

#include "base/arena.h"
#include "config/options.h"

/* Where values live and what paths are relative to. */
struct config_place {
    struct arena *memory;    /* holds all strings and lists */
    struct slice directory;  /* of the file, with its slash; empty: the working directory */
    const char *credentials; /* $CREDENTIALS_DIRECTORY, or NULL */
};

/* Read `text` (trimmed, no control bytes but tabs) into the option's field of `holder`. False when it does not fit:
 * then the field is untouched and `why` gets "what is wrong; what would be right". When memory is out it is true and
 * arena_failed(place->memory) tells. */
[[nodiscard]] bool config_value_read(const struct config_option *option, struct slice text,
                                     const struct config_place *place, void *holder, struct buffer *why);

/* Append `s` in quotes, shortened when it is long. */
void config_quote(struct buffer *b, struct slice s);

#endif
