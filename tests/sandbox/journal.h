/* SPDX-License-Identifier: MIT
 *
 * What has been asked so far: the v3 requests and how they ended, without the keys' values. */
#ifndef SANDBOX_JOURNAL_H
#define SANDBOX_JOURNAL_H

#include <stdio.h>

#include "base/buffer.h"
#include "tests/sandbox/http.h"
#include "tests/sandbox/query.h"

enum { MAX_JOURNAL = 10000 };

struct journal_entry {
    uint64_t number; /* from 1 */
    char *asked;     /* JSON members: method, path, query, headers */
    size_t asked_bytes;
    int key;    /* its index; below 0: none that is known */
    int status; /* 0: the answer was no HTTP */
    bool is_over, client_left, is_scripted;
    uint64_t rows, units;
    const char *cache; /* as the header says, or NULL */
    int64_t began_us, ended_us;
};

struct journal {
    struct journal_entry entries[MAX_JOURNAL]; /* a ring */
    uint64_t seen, over;                       /* since the last reset */
    uint64_t forgotten;                        /* numbers up to this are of before the reset */
    FILE *file;
};

/* A request has come; the entry's number. */
uint64_t journal_begin(struct journal *journal, const struct http_request *request, const struct query *query);

/* The entry of that number; NULL when the ring or a reset has overtaken it. */
struct journal_entry *journal_entry(struct journal *journal, uint64_t number);

void journal_end(struct journal *journal, uint64_t number, bool client_left);

/* Append {"seen":..., "over":..., "requests":[...]}, oldest first. */
void journal_write(const struct journal *journal, struct buffer *to);

void journal_reset(struct journal *journal);

/* Free what it holds and close its file. */
void journal_close(struct journal *journal);

#endif
