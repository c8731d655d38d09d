/* SPDX-License-Identifier: MIT
 *
 * Random names: the ids of calls, the ids of keys, tokens. And the 16 bytes an id of a call is stored in.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_ENTRIES_IDS_H
#define ANCHORAGE_PROXY_LEDGER_ENTRIES_IDS_H

#include <stdint.h>

#include "base/slice.h"

enum { ID_TEXT = 26, ID_BYTES = 16, KEY_ID_TEXT = 8, TOKEN_TEXT = 40 };

/* Write a fresh id of a call (26 characters) of random bits, and a NUL. */
void call_id_make(char id[ID_TEXT + 1]);

/* Write a short random id for a key, and a NUL. */
void key_id_make(char id[KEY_ID_TEXT + 1]);

/* Write a random token of [a-z0-9], and a NUL. Straight from the kernel, never from a pool that stays in memory. */
void token_make(char token[TOKEN_TEXT + 1]);

/* The bytes of an id as call_id_make writes them; false for any other text. */
[[nodiscard]] bool id_pack(struct slice text, uint8_t bytes[ID_BYTES]);
void id_unpack(const uint8_t bytes[ID_BYTES], char text[ID_TEXT]);

#endif
