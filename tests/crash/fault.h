/* SPDX-License-Identifier: MIT
 *
 * What a test and the library that fails on its behalf share: a file that both have mapped. disk.py knows the same.
 */
#ifndef ANCHORAGE_TESTS_CRASH_FAULT_H
#define ANCHORAGE_TESTS_CRASH_FAULT_H

#include <stdint.h>

struct fault_plan {
    uint64_t calls;       /* made so far */
    uint64_t first, last; /* those from `first` on, until before `last`, fail; counted from 1 */
    uint64_t error;       /* errno of them */
    uint64_t failed;      /* so many have */
};

#endif
