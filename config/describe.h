/* SPDX-License-Identifier: MIT
 *
 * The option table as text for people.
 */
#ifndef ANCHORAGE_CONFIG_DESCRIBE_H
#define ANCHORAGE_CONFIG_DESCRIBE_H

#include "base/buffer.h"
#include "config/options.h"

/* Append the whole anchorage.conf: every option with its help and its default commented out, what must be set
 * without the comment sign. */
void config_describe(struct buffer *b);

/* Append one sentence or two on an option: what it takes, and when a change counts. */
void config_describe_value(struct buffer *b, const struct config_option *option);

#endif
