/* SPDX-License-Identifier: MIT
 *
 * Words to make texts of. */
#ifndef SANDBOX_WORDS_H
#define SANDBOX_WORDS_H

#include "base/buffer.h"

/* Anchors of every odd kind: empty, quotes, backslashes, emoji, markup, right to left... */
extern const struct slice odd_anchors[];
extern const size_t n_odd_anchors;

/* Letters that matching without case takes for one though lower-casing keeps them apart, their capitals, and words with
 * them. */
extern const struct slice twin_anchors[];
extern const size_t n_twin_anchors;

/* Append one to four words of one language; plain_words are English and lower case. */
void words_phrase(struct buffer *to, uint64_t *dice);
void words_plain(struct buffer *to, uint64_t *dice, unsigned count, char between);

/* Append the root domain name with that number; different numbers give different names. */
void words_domain(struct buffer *to, uint32_t number, uint64_t seed);

#endif
