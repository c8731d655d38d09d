/* SPDX-License-Identifier: MIT
 * The fault table as functions. */
#include "mapping/fault.h"

#include <assert.h>

struct row {
    struct slice word;
    int v2_status;
    int http_status;
    bool retry_after;
};

static const struct row rows[FAULT_COUNT] = {
#define FAULT(NAME, word, v2_status, http_status, retry_after)                                                         \
    [FAULT_##NAME] = { SLICE(#word), v2_status, http_status, retry_after },
#include "mapping/fault.def"
#undef FAULT
};

static const struct row *row_of(enum fault f)
{
    assert((unsigned)f < FAULT_COUNT);
    return &rows[f];
}

struct slice fault_word(enum fault f)
{
    return row_of(f)->word;
}

enum fault fault_of_word(struct slice word)
{
    for (int f = FAULT_NONE + 1; f < FAULT_COUNT; f++)
        if (slice_eq(rows[f].word, word))
            return (enum fault)f;
    return FAULT_NONE;
}

int fault_status(enum fault f, bool as_http)
{
    return as_http ? row_of(f)->http_status : row_of(f)->v2_status;
}

struct slice fault_v2_words(enum fault f)
{
    switch ((int)f) {
    case FAULT_UNKNOWN_KEY:
        return S("invalid token");
    case FAULT_OUT_OF_ROWS:
        return S("Integration limit is exceeded");
    }
    return S("");
}

bool fault_retries(enum fault f)
{
    return row_of(f)->retry_after;
}
