/* SPDX-License-Identifier: MIT
 *
 * A thread beside the loop: signals are for the loop's, so it gets none.
 */
#ifndef ANCHORAGE_BASE_THREAD_H
#define ANCHORAGE_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Run `run` with `context` on a thread that has to be joined. False when there is none to be had. */
[[nodiscard]] bool thread_start(pthread_t *thread, void *(*run)(void *context), void *context);

/* free(3) for what may be large: the kernel takes a millisecond to take 20 MiB back, so from 4 MiB on another thread
 * waits for it. `n`: about its bytes. NULL is allowed. */
void thread_free(void *p, size_t n);

/* The calling thread asks for short turns on a core, of `us` microseconds (100 to 100 000). Whoever asks for less is
 * let in sooner: at once, where others asked for more. False when the kernel refuses; before Linux 6.12 it has no
 * effect. */
bool thread_set_turn_us(int us);

/* How long a turn of the calling thread may be; 0 when the kernel does not say. */
int64_t thread_turn_us(void);

#endif
