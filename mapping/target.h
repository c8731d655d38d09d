/* SPDX-License-Identifier: MIT
 *
 * The target of a call: a host, a directory or a URL, read the way v2 did and written the way v3 wants it.
 */
#ifndef ANCHORAGE_MAPPING_TARGET_H
#define ANCHORAGE_MAPPING_TARGET_H

#include "base/arena.h"
#include "mapping/fault.h"

enum mode { MODE_EXACT, MODE_DOMAIN, MODE_SUBDOMAINS, MODE_PREFIX, MODE_COUNT };

struct target {
    struct slice host; /* lower case, composed (NFC), without port */
    struct slice v3;   /* what v3 is asked for, 2 048 bytes at most: also what stands in the books */
    enum mode v3_mode;
    struct slice spot; /* of a target that was refused: the part of the text that is wrong; p is NULL when not known */
};

struct slice mode_name(enum mode m);

/* MODE_COUNT when there is none of this name. */
enum mode mode_find(struct slice name);

/* Read `text`, which is valid UTF-8, for `mode`; blanks at its ends do not count. On failure a refusal with
 * FAULT_BAD_TARGET, and the spot is set; when memory is out, FAULT_TOO_BUSY. */
struct refusal target_parse(struct slice text, enum mode mode, struct arena *memory, struct target *ret);

/* Whether `host` is one of the space-separated `names` or below one of them. */
bool host_is_under(struct slice host, struct slice names);

/* v3's own free targets: they cost no units and give 100 rows a page at most. */
extern const struct slice v3_free_targets;

#endif
