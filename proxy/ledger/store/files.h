/* SPDX-License-Identifier: MIT
 *
 * The files of the books, before any database comes in: their directory, the lock, their names on the disk.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_STORE_FILES_H
#define ANCHORAGE_PROXY_LEDGER_STORE_FILES_H

#include "proxy/ledger/store/store.h"

/* "directory/name", to be freed; NULL when memory is out. */
char *files_path(const char *directory, const char *name);

/* Make the directory if need be, and take the lock that keeps a second process away, also from opening while we are
 * between closing and opening again. *fd is -1 or the lock that is held already. */
enum store_result files_lock(const char *directory, int *fd, struct buffer *why);

/* Make the file if need be: here rather than by a library, so that it is never readable by others and its name is on
 * disk. */
[[nodiscard]] bool files_create(const char *file, const char *directory, struct buffer *why);

/* Make a file that may not be there yet. */
[[nodiscard]] bool files_create_new(const char *file, struct buffer *why);

#endif
