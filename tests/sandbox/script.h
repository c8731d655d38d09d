/* SPDX-License-Identifier: MIT
 *
 * The script: what is to go wrong with which requests. The language is told in docs/sandbox.md. */
#ifndef SANDBOX_SCRIPT_H
#define SANDBOX_SCRIPT_H

#include "tests/sandbox/http.h"
#include "tests/sandbox/query.h"

struct json_object;
struct script;

/* What happens to one answer. The slices and json live until the script is changed. */
struct fault {
    int status;             /* 0: as it would be */
    bool has_body, has_raw; /* body instead of the answer's; raw instead of head and body */
    struct slice body, raw;
    struct slice content_type;   /* p NULL: as it would be */
    struct json_object *headers; /* name: text, or null to take it away */
    struct json_object *replace; /* text in the body: what stands there instead */
    int64_t lie_rows, lie_units; /* -1: the truth */
    int64_t lie_length;          /* added to Content-Length */
    uint64_t flood;              /* so many more bytes of body */
    bool gzip, chunked, skips_length;
    struct http_delivery delivery;
};

struct script *script_new(void);
void script_free(struct script *script);
void script_clear(struct script *script);

/* Add the entries of a JSON list, or one entry. False, nothing added, *why what is wrong. */
[[nodiscard]] bool script_add(struct script *script, struct arena *memory, struct slice json, struct slice *why);

/* Entries that have not been used up. */
size_t script_left(const struct script *script);

/* The fault of the first entry that matches; it is used up by one. NULL when there is none. The result
 * lives until the next call of script_take, script_add or script_clear. */
const struct fault *script_take(struct script *script, struct slice path, const struct query *query, struct slice body);

#endif
