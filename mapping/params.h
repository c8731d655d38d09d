/* SPDX-License-Identifier: MIT
 *
 * The raw parameters of a v2 call: from the bytes of a query string or a form to decoded values by name. Names that v2
 * did not have are ignored, as it did, and remembered; an empty value is as if absent.
 */
#ifndef ANCHORAGE_MAPPING_PARAMS_H
#define ANCHORAGE_MAPPING_PARAMS_H

#include "base/arena.h"
#include "base/buffer.h"
#include "mapping/fault.h"

enum param {
    PARAM_TOKEN,
    PARAM_FROM,
    PARAM_TARGET,
    PARAM_MODE,
    PARAM_SELECT,
    PARAM_WHERE,
    PARAM_HAVING,
    PARAM_ORDER_BY,
    PARAM_LIMIT,
    PARAM_OFFSET,
    PARAM_OUTPUT,
    PARAM_COUNT
};

/* How many ignored names are told, and how much of each. */
enum { PARAMS_MAX_IGNORED = 8, PARAMS_MAX_NAME = 64 };

struct params {
    struct slice value[PARAM_COUNT]; /* decoded, valid UTF-8, in the arena or borrowed from the input; n 0: absent */
    bool bad[PARAM_COUNT];           /* the first value could not be decoded (bad %, NUL, not UTF-8) */
    bool two_tokens;                 /* two different tokens were given */
    uint32_t twice;                  /* bit p: another value came behind the first */
    struct slice ignored[PARAMS_MAX_IGNORED]; /* names, each once, decoded where they can be; of any bytes */
    int n_ignored;
    bool more_ignored;
};

/* Add the pairs of `text` ("a=b&c=d", may be empty) behind those already there: of two different values the first
 * counts. Values may borrow from `text`. False when memory is out. */
[[nodiscard]] bool params_add(struct params *p, struct slice text, struct arena *memory);

/* `text` with every appearance of the call's token, as conceal() finds it, replaced, for what others may read: a
 * program may put its token into the wrong parameter as well. Borrowed when there is none, else in `memory`; empty when
 * memory is out. */
struct slice params_without_token(const struct params *p, struct slice text, struct arena *memory);

/* Append a query or a form (`text`, as it came) to `out`, which may hold the one before it: all its pairs but the
 * token's. What comes of it may hold the token in another place: see params_without_token. */
void params_write_text(struct slice text, struct buffer *out);

/* Append " mode,where": a blank and the names of the parameters that are there, but token and from. */
void params_write_names(const struct params *p, struct buffer *out);

/* Append "twice.limit" for each parameter of which the first of several values counts, comma-separated, also from what
 * `out` has already. `of_list`: the call is for a list; other calls look at the table and the output alone. */
void params_write_twice(const struct params *p, bool of_list, struct buffer *out);

/* Append the ignored names, comma-separated, as a header may have them: all bytes but letters, digits and "_.-" are
 * percent-encoded, a name ends after at most PARAMS_MAX_NAME of such bytes (never inside of %XX), each is there once,
 * and "..." follows when there are more. The call's own token is not shown. Nothing when there are none. */
void params_write_ignored(const struct params *p, struct buffer *out);
/* Whether the path is v2's only one: slashes alone, for old programs join an address that ends in one with a path that
 * begins with one; or nothing. */
bool params_path_is_root(struct slice path);
extern const struct slice params_other_path; /* what is said of any other */

/* Whether a body of this Content-Type holds parameters. */
bool params_are_form(struct slice content_type);

/* Whether a text is a command that begins with curl; and the address that it would ask, with all the parameters that it
 * would send behind the ?, in `memory`: quotes, $'…', line ends behind a backslash, -d and its kin, -G. On failure p is
 * NULL, and *why says what to write instead. */
bool params_are_curl(struct slice text);
struct slice params_of_curl(struct slice command, struct arena *memory, const char **why);

/* "order_by" */
struct slice param_name(enum param p);

/* PARAM_COUNT when v2 had none of this name. */
enum param param_find(struct slice name);

/* The known name that is most like one that v2 did not have; empty when none is. */
struct slice param_like(struct slice name);

/* The fault of a value that cannot be used. */
enum fault param_fault(enum param p);

#endif
