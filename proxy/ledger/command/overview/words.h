/* SPDX-License-Identifier: MIT
 *
 * What was not exact and what was refused or failed, from the counts beside the entries; and tokens that nobody knows.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_COMMAND_OVERVIEW_WORDS_H
#define ANCHORAGE_PROXY_LEDGER_COMMAND_OVERVIEW_WORDS_H

#include "proxy/ledger/command/usage.h"

enum { MOST_WORDS = 256, MOST_BYTES = 8 * 1024 * 1024 /* of an answer, before keys are left out */ };

struct ended_word {
    int64_t calls, keys;
    int64_t last_ms;
    struct slice team, key; /* of the last; as long as the books are open, or in `texts` */
};

struct ended_words {
    struct names marks, faults;
    struct ended_word of_marks[MOST_WORDS], of_faults[MOST_WORDS];
    struct names pairs; /* of fault and key, to count keys */
    struct names texts;
    struct keys *keys;
    int64_t cached, shared;
    int64_t tokens, token_calls, token_last_ms;
};

[[nodiscard]] bool words_collect(struct ended_words *w, const struct usage_report *report, struct command *c,
                                 struct buffer *why);
void words_write(struct buffer *b, const struct ended_words *w);
void words_clear(struct ended_words *w);

#endif
