/* SPDX-License-Identifier: MIT
 *
 * A disk that is played from a tape, and what may be left of it when the power goes: all that was synced, and of the
 * rest what the dice say.
 */
#ifndef ANCHORAGE_TESTS_CRASH_DISK_H
#define ANCHORAGE_TESTS_CRASH_DISK_H

#include "base/buffer.h"
#include "tests/crash/tape.h"

/* What becomes of writes that were not synced. */
enum loss {
    LOSS_ALL,     /* nothing of them is there */
    LOSS_NONE,    /* all of them are there */
    LOSS_WRITES,  /* each write is there or not, whatever came later */
    LOSS_SECTORS, /* each 512 bytes of each write are there or not */
    LOSS_TORN,    /* those up to some moment are there, the last one up to some byte */
    N_LOSSES
};

struct disk;

struct disk *disk_new(void);
void disk_free(struct disk *d);

/* What the process did next. `data` must outlive the disk. */
void disk_play(struct disk *d, const struct tape_record *r, const char *data);

/* Write to `directory`, which is empty, what may be left of the files now. */
void disk_cut(const struct disk *d, enum loss loss, uint64_t *dice, const char *directory);

/* A number below `n`. */
uint64_t disk_roll(uint64_t *dice, uint64_t n);

#endif
