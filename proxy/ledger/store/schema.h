/* SPDX-License-Identifier: MIT
 *
 * What the books look like in SQL, as the steps that lead from one version to the next.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_STORE_SCHEMA_H
#define ANCHORAGE_PROXY_LEDGER_STORE_SCHEMA_H

enum { SCHEMA_APPLICATION = 0x616E6B6C, SCHEMA_MAX_SHAPES = 10000 };

/* Step i leads from version i to version i + 1; a database is at the version its user_version says. Steps that have
 * been released never change: add one. */
extern const char *const schema_steps[];
extern const int schema_version;

#endif
