/* SPDX-License-Identifier: MIT
 *
 * What the terminal is like that text for people goes to.
 */
#ifndef ANCHORAGE_PROXY_COMMAND_TERMINAL_H
#define ANCHORAGE_PROXY_COMMAND_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buffer.h"

/* Whether standard output is a terminal. */
bool terminal_is_there(void);

/* How many columns `to` has, and `most` where it has more or is no terminal. */
size_t terminal_columns(FILE *to, size_t most);

/* Whether standard output is a terminal whose user wants colours: NO_COLOR is empty, and it is not a dumb one. */
bool terminal_has_colour(void);

/* Put colour around the verdict `word`, the first one in the text that is folded already, where there are colours. */
void terminal_mark(struct buffer *text, const char *word, bool is_good);

/* Fold messages for standard error where that is a terminal; else each stays a line, for programs that look for it. */
void terminal_fold_messages(struct buffer *text);

/* Write text, folded to 80 columns or to those of a narrower terminal; and forget it. terminal_say: messages, see
 * above.
 */
void terminal_write(FILE *to, struct buffer *text);
void terminal_say(struct buffer *text);

#endif
