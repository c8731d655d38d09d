/* SPDX-License-Identifier: MIT
 *
 * The state directory on the file system: who has it, and a file in it that only its owner can read.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_DIRECTORY_H
#define ANCHORAGE_PROXY_LEDGER_DIRECTORY_H

#include "base/buffer.h"

enum directory_lock { DIRECTORY_LOCKED, DIRECTORY_TAKEN, DIRECTORY_BROKEN };

/* "DIRECTORY/NAME", allocated; NULL when memory is out. */
char *directory_path(const char *directory, const char *name);

/* Lock the directory, made if need be, against a second process for as long as *fd is open. On failure *fd is untouched
 * and `why` gets one line. */
enum directory_lock directory_take_lock(const char *directory, int *fd, struct buffer *why);

/* Make sure that there is the file `path` in it, for the owner's eyes only, and that its name is on disk. False with a
 * line in `why`. */
[[nodiscard]] bool directory_create_file(const char *directory, const char *path, struct buffer *why);

#endif
