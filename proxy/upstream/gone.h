/* SPDX-License-Identifier: MIT
 *
 * Whether a 404 is about the target or about the path. v3 says 404 for a target that it does not know; a wrong url or a
 * path that is gone says the same of every target. Pure.
 */
#ifndef ANCHORAGE_PROXY_UPSTREAM_GONE_H
#define ANCHORAGE_PROXY_UPSTREAM_GONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum { GONE_PATHS = 16, GONE_TARGETS = 5 };

struct gone_path {
    uint64_t path; /* hash; 0: free */
    int n;
    uint64_t targets[GONE_TARGETS]; /* hashes of those that were not found since the path last answered, no two alike */
};

/* Of one v3 key. Begins zeroed. */
struct gone {
    struct gone_path paths[GONE_PATHS];
    size_t next; /* to be forgotten when all are taken */
};

/* A request ("/v3/site-explorer/anchors?target=…&…") was answered with 404. True: that is about the path, as there is
 * no target, or as GONE_TARGETS others in a row were not found there. */
[[nodiscard]] bool gone_note_404(struct gone *g, struct slice request);

/* It was answered in another way: the path is there. */
void gone_note_answer(struct gone *g, struct slice request);

#endif
