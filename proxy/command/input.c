/* SPDX-License-Identifier: MIT
 * Commands read files and standard input here. */
#include "proxy/command/input.h"

#include <errno.h>
#include <stdio.h>

bool input_read(const char *command, const char *file, struct buffer *out)
{
    bool is_stdin = strcmp(file, "-") == 0;
    FILE *f = is_stdin ? stdin : fopen(file, "re");
    if (!f) {
        fprintf(stderr, "anchorage %s: %s: %s\n", command, file, strerror(errno));
        return false;
    }
    size_t n = 0;
    do {
        char *to = buffer_reserve(out, 65536);
        n = to ? fread(to, 1, 65536, f) : 0;
        out->n += n;
    } while (n);
    bool ok = !ferror(f) && !out->failed;
    if (!ok)
        fprintf(stderr, "anchorage %s: %s: cannot be read whole%s\n", command, file,
                out->failed ? ": it is too long" : "");
    if (!is_stdin)
        fclose(f);
    return ok;
}
