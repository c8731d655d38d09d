/* SPDX-License-Identifier: MIT
 *
 * When the next request may go out. Pure: the clock is passed in, in microseconds of any clock that does
 * not go back.
 *
 * A bucket of `burst` tokens that refills over 61 seconds, not 60: so no closed window of 60 s sees more than
 * the limit, with a second to spare for what the network adds. With B = burst and R = limit - B + 1 a window
 * of w < 61 s sees at most B + R*w/61 < limit + 1 requests. The bucket starts empty: what went out before
 * a restart and what goes out after it still add up to that.
 */
#ifndef ANCHORAGE_PROXY_UPSTREAM_RATE_H
#define ANCHORAGE_PROXY_UPSTREAM_RATE_H

#include <stdint.h>

struct rate {
    int64_t burst, refill;   /* tokens; tokens in 61 s */
    int64_t level;           /* in 1/61000000 of a token */
    int64_t at_us;           /* when `level` was true */
    int64_t paused_until_us; /* nothing goes out before */
    int64_t refusals;        /* in a row, for the growing guess */
    int64_t slow;            /* the refill is divided by this: 1, 2, 4 or 8 */
    int64_t slow_until_us;   /* then it halves */
};

/* `limit` requests a minute, 1 to 100000000. */
void rate_init(struct rate *r, int64_t limit, int64_t now_us);

/* Take a token: 0 when there was one, else how long to wait before asking again. */
int64_t rate_take(struct rate *r, int64_t now_us);

/* How long until `n` more requests could have gone out; takes nothing. */
int64_t rate_wait_us(const struct rate *r, int64_t n, int64_t now_us);

/* How many could go out at once, were nothing paused; takes nothing. */
int64_t rate_tokens(const struct rate *r, int64_t now_us);

/* v3 said 429. `asked_ms` is its Retry-After, or -1: then our own guess grows with each refusal. Nothing
 * goes out for that long (at most a minute), afterwards at half the pace for a while. `jitter` is any
 * random number. Returns the pause in ms. */
int64_t rate_refused(struct rate *r, int64_t asked_ms, uint32_t jitter, int64_t now_us);

/* v3 answered: the guess starts small again. */
void rate_answered(struct rate *r);

#endif
