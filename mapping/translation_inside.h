/* SPDX-License-Identifier: MIT
 * The inside of a call on its way, shared by translation.c (asking) and finish.c (what comes of it). */
#ifndef ANCHORAGE_MAPPING_TRANSLATION_INSIDE_H
#define ANCHORAGE_MAPPING_TRANSLATION_INSIDE_H

#include "mapping/translation.h"
#include "mapping/walk.h"

enum asking { NOT_NEEDED, TO_ASK, ASKING, ANOTHER_ASKS, ANSWERED };

/* How much of the list is asked for. */
struct share {
    int64_t limit;  /* results of the answer at most */
    bool one_more;  /* a row behind them is asked for */
    int64_t units;  /* that further pages may take */
    int64_t refill; /* rows of the last page that made up for merged ones; 0: none was asked for */
};

/* Why the list ended before it had all that was wanted of it. */
struct ending {
    bool paid_out, full; /* no more units, no more memory */
    bool stuck;          /* a full page brought nothing new */
    bool behind;         /* more rows came than the answer needs: they are remembered only */
    bool unkept;         /* or not even that */
    bool kept_whole;     /* nothing is behind the rows that are remembered */
    bool cut_short;      /* there may be more rows, but no way to ask for them */
};

/* One of the things that v3 is asked. */
struct asked {
    enum asking state;
    bool by_itself;
    struct scanner *scanner; /* of rows, while they come */
    struct buffer body;      /* of an object */
    const struct part *part; /* NULL: the list */
    uint64_t fields;         /* that are wanted of it */
    struct part_values values;
    bool is_full; /* the list has brought as much of it as it would bring itself */
};

struct translation {
    const struct plan *plan;
    struct arena *memory;
    struct asked asks[ASK_COUNT];
    struct translation_seen seen_before;
    struct refusal refusal;

    struct row_list *rows; /* NULL: the answer is one object */
    struct walk *walk;     /* of a list that v3 sorts by one column; NULL: not needed */
    int64_t page, asked, came,
        came_new;                  /* of the page under way: number from 0, rows asked for, rows taken, new ones */
    int64_t came_in_all, replayed; /* rows that were not there before; of these, not asked for */
    struct {
        int64_t from, until;
    } own;                   /* the distinct rows, by place, that whole pages have brought which were asked for */
    struct arena *next_page; /* of the path of a further page, which has texts of rows in it; made anew for each */
    struct buffer packed;    /* rows to be remembered */
    size_t packed_sound;     /* bytes of it up to the last row whose texts were whole */
    bool keeps_rows;
    int64_t page_rows, learnt_page_rows;
    struct share share;
    struct ending ending;
    bool whole_list;

    int64_t results;
    struct stats stats;
};

/* NULL while it is not there. */
static inline const struct part_values *known_part(const struct translation *t, size_t part)
{
    const struct asked *a = &t->asks[ASK_PARTS + part];
    return a->state == ANSWERED || t->plan->parts[part].is_in_list ? &a->values : NULL;
}

/* Rows of the list that the answer needs, skipped ones included. */
static inline int64_t needed_rows(const struct translation *t)
{
    return t->plan->call->offset + t->share.limit;
}

/* Say why the call cannot be answered; the first reason counts. Always false. */
bool translation_fail(struct translation *t, enum fault fault, const char *why);

#endif
