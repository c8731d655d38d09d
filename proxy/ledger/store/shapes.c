/* SPDX-License-Identifier: MIT
 * The shapes of calls in memory. */
#include "proxy/ledger/store/shapes.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEP = 64 };

void shapes_clear(struct shapes *s)
{
    names_clear(&s->texts);
    free(s->list);
    s->list = NULL;
}

int32_t shapes_add(struct shapes *s, struct slice text, struct slice word, int32_t last_day)
{
    int32_t number = s->texts.n;
    if (number % STEP == 0) {
        struct shape *more = realloc(s->list, (size_t)(number + STEP) * sizeof *more);
        if (!more)
            return -1;
        s->list = more;
    }
    snprintf(s->list[number].word, sizeof s->list[number].word, "%.*s", SLICE_ARGS(word));
    s->list[number].last_day = last_day;
    return names_add(&s->texts, text) == number ? number : -1;
}

void shapes_tell(const struct shapes *s, int64_t shape, struct entry *e)
{
    if (shape < 1 || shape > s->texts.n)
        return;
    e->shape = slice_str(s->list[shape - 1].word);
    e->shape_text = names_text(&s->texts, shape - 1);
}

void shapes_word(const struct digest *digest, char word[SHAPE_WORD + 1])
{
    for (int i = 0; i < SHAPE_WORD / 2; i++)
        snprintf(word + 2 * i, 3, "%02x", digest->b[i]);
}
