/* SPDX-License-Identifier: MIT
 *
 * What can be the token of a key: something that programs send, and not what a spreadsheet has made of it.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_COMMAND_TOKEN_H
#define ANCHORAGE_PROXY_LEDGER_COMMAND_TOKEN_H

#include "base/buffer.h"
#include "base/slice.h"

enum { TOKEN_SHORT = 16 /* characters: with fewer it can be guessed */ };

#define TOKEN_SHORT_WARNING "a token of fewer than 16 characters can be guessed; \"key rotate\" makes a long one"

/* False, and in `wrong` what is wrong and what would be right, never the token, when it can be none. */
[[nodiscard]] bool token_check(struct slice token, struct buffer *wrong);

#endif
