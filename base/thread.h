/* SPDX-License-Identifier: MIT
 *
 * A thread beside the loop: signals are for the loop's, so it gets none.
 */
#ifndef ANCHORAGE_BASE_THREAD_H
#define ANCHORAGE_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Run `run` with `context` on a thread that has to be joined. False when there is none to be had. */
[[nodiscard]] bool thread_start(pthread_t *thread, void *(*run)(void *context), void *context);

#endif
