/* SPDX-License-Identifier: MIT
 *
 * What has to be known of the books when they are opened: what every team has used, which holds are open.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_STORE_RECOVERY_H
#define ANCHORAGE_PROXY_LEDGER_STORE_RECOVERY_H

#include "proxy/ledger/store/store.h"

struct used_day {
    struct slice team; /* in `teams` */
    struct day day;
    int64_t rows, units;
};

struct entry_list {
    struct entry **entries;
    size_t n, room;
};

struct recovery {
    struct used_day *days;
    size_t n_days, days_room;
    struct entry_list open;    /* one a call: its first hold, with the rows and units that all its holds come
                                * to and the time of the newest */
    struct entry_list settled; /* settlements after the seq that was surely acknowledged, not corrected */
    struct limit_row *limits;
    size_t n_limits, limits_room;
    bool failed; /* memory ran out */
};

/* Read it from an open store. NULL on failure; `why` gets one line. */
struct recovery *recovery_read(struct store *s, int64_t sure_seq, struct day today, struct buffer *why);
void recovery_free(struct recovery *r);

/* Show every open hold, one entry a call as above, in the order they began. */
[[nodiscard]] bool open_holds(struct store *s, struct entry_list *open, struct buffer *why);
void entry_list_clear(struct entry_list *list);

#endif
