/* SPDX-License-Identifier: MIT
 * The three output formats as rows of functions: how each writes a value, a member, a list. Inside render.c. */
#ifndef ANCHORAGE_MAPPING_FORMAT_H
#define ANCHORAGE_MAPPING_FORMAT_H

#include "base/buffer.h"
#include "mapping/call.h"

struct format {
    /* The whole document, whose one object has `members` members. */
    void (*begin)(struct buffer *b, size_t members);
    void (*end)(struct buffer *b);
    /* What stands before and behind the value of a member. `first`: nothing stands before it. */
    void (*member)(struct buffer *b, struct slice name, bool first);
    void (*member_end)(struct buffer *b, struct slice name);
    /* An object as a value. */
    void (*object)(struct buffer *b, size_t members);
    void (*object_end)(struct buffer *b);
    /* A list of objects as a value. */
    void (*list)(struct buffer *b, int64_t n);
    void (*list_end)(struct buffer *b);
    void (*item)(struct buffer *b, struct slice element, int64_t i, size_t members);
    void (*item_end)(struct buffer *b, struct slice element);
    /* A row is its values between texts that are the same in every row, and a plain text stands as it is. */
    bool is_plain;
    /* Values; `plain`: the text needs no escape in JSON. A text stands between two quotes. */
    struct slice quote;
    void (*text)(struct buffer *b, struct slice text, bool plain);
    void (*whole)(struct buffer *b, int64_t value);
    void (*number)(struct buffer *b, double value);
    void (*truth)(struct buffer *b, bool value);
    void (*null)(struct buffer *b);
    struct slice content_type;
};

extern const struct format formats[OUTPUT_COUNT];

#endif
