/* SPDX-License-Identifier: MIT
 *
 * A target: whose links are asked for, and which of them. */
#ifndef SANDBOX_TARGET_H
#define SANDBOX_TARGET_H

#include "base/arena.h"
#include "tests/sandbox/options.h"

enum mode { MODE_SUBDOMAINS, MODE_DOMAIN, MODE_PREFIX, MODE_EXACT };
enum protocol { PROTOCOL_BOTH, PROTOCOL_HTTP, PROTOCOL_HTTPS };

struct target {
    struct slice host; /* lower case */
    struct slice root; /* the registrable part of it; ends where host ends */
    struct slice path; /* with the query; "/" when none was given */
    bool is_home;      /* no path but / */
    bool is_free;
};

/* Read a domain or URL; the slices live in `memory`. On failure *why becomes the text of the 400. */
[[nodiscard]] bool target_read(struct arena *memory, const struct options *options, struct slice text, enum mode mode,
                               struct target *target, struct slice *why);

#endif
