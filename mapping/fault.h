/* SPDX-License-Identifier: MIT
 *
 * The stable words for what can go wrong with a call. The rows stand in fault.def; they are in this
 * room because it is the lowest one that refuses.
 */
#ifndef ANCHORAGE_MAPPING_FAULT_H
#define ANCHORAGE_MAPPING_FAULT_H

#include "base/slice.h"

enum fault {
    FAULT_NONE = 0,
#define FAULT(NAME, word, v2_status, http_status, retry_after) FAULT_##NAME,
#include "mapping/fault.def"
#undef FAULT
    FAULT_COUNT
};

/* A refusal: the word, and for people what is wrong and what would be right. `why` never holds a
 * secret; it lives as long as the arena it was made in, or is a literal. */
struct refusal {
    enum fault fault;
    struct slice why;
};

/* "bad_where"; empty for FAULT_NONE. */
struct slice fault_word(enum fault f);

/* FAULT_NONE when no fault has this word. */
enum fault fault_of_word(struct slice word);

/* The HTTP status of an answer with this fault; 0 for FAULT_BAD_REQUEST. */
int fault_status(enum fault f, bool as_http);

/* What v2 itself said, where old programs compare it to the byte; empty when the words are ours. */
struct slice fault_v2_words(enum fault f);

/* Whether the answer carries Retry-After (only together with 429 and 503). */
bool fault_retries(enum fault f);

#endif
