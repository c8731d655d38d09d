/* SPDX-License-Identifier: MIT
 * The pace of requests to v3: a bucket of tokens, and what a 429 does to it. */
#include "proxy/upstream/rate.h"

enum {
    REFILL_US = 61000000,
    BURST_SHARE = 6,
    GUESS_MS = 1000,
    MAX_PAUSE_MS = 60000,
    MAX_SLOW = 8,
    SLOW_US = 30000000,
};

void rate_init(struct rate *r, int64_t limit, int64_t now_us)
{
    int64_t burst = limit / BURST_SHARE > 1 ? limit / BURST_SHARE : 1;
    *r = (struct rate){ .burst = burst, .refill = limit - burst + 1, .at_us = now_us, .slow = 1 };
}

/* A bucket is full after 61 s at the latest when nothing slows it, so the time that counts is bounded and the
 * product stays far from overflow (1e8 tokens * 61e6 * 8). */
static int64_t level_at(const struct rate *r, int64_t now_us)
{
    int64_t passed = now_us - r->at_us;
    if (passed > (int64_t)REFILL_US * MAX_SLOW) {
        passed = (int64_t)REFILL_US * MAX_SLOW;
    }
    int64_t level = r->level + passed * r->refill / r->slow;
    int64_t full = r->burst * REFILL_US;
    return level > full ? full : level;
}

/* Bring the level up to now; only whole slow periods change the pace, so the division above loses at most
 * one 61-millionth of a token a call, on the safe side. */
static void refill(struct rate *r, int64_t now_us)
{
    while (r->slow > 1 && now_us >= r->slow_until_us) {
        r->level = level_at(r, r->slow_until_us);
        r->at_us = r->slow_until_us;
        r->slow /= 2;
        r->slow_until_us += SLOW_US;
    }
    r->level = level_at(r, now_us);
    r->at_us = now_us;
}

static int64_t time_for(const struct rate *r, int64_t missing)
{
    return (missing * r->slow + r->refill - 1) / r->refill;
}

int64_t rate_take(struct rate *r, int64_t now_us)
{
    if (now_us < r->paused_until_us) {
        return r->paused_until_us - now_us;
    }
    refill(r, now_us);
    if (r->level < REFILL_US) {
        return time_for(r, REFILL_US - r->level);
    }
    r->level -= REFILL_US;
    return 0;
}

int64_t rate_wait_us(const struct rate *r, int64_t n, int64_t now_us)
{
    struct rate later = *r;
    int64_t start = now_us < r->paused_until_us ? r->paused_until_us : now_us;
    refill(&later, start);
    int64_t most = INT64_MAX / 16 / REFILL_US;
    int64_t missing = (n < most ? n : most) * REFILL_US - later.level;
    return start - now_us + (missing > 0 ? time_for(&later, missing) : 0);
}

int64_t rate_tokens(const struct rate *r, int64_t now_us)
{
    struct rate now = *r;
    refill(&now, now_us);
    return now.level / REFILL_US;
}

int64_t rate_refused(struct rate *r, int64_t asked_ms, uint32_t jitter, int64_t now_us)
{
    int64_t pause = asked_ms;
    if (pause < 0) {
        pause = GUESS_MS << (r->refusals < 6 ? r->refusals : 6);
        pause += pause * (jitter % 256) / 512;
    }
    pause = pause > MAX_PAUSE_MS ? MAX_PAUSE_MS : pause;
    int64_t until = now_us + pause * 1000;
    /* Several requests were in flight: their refusals are one event. */
    if (now_us >= r->paused_until_us) {
        refill(r, now_us);
        r->refusals++;
        r->slow = r->slow < MAX_SLOW ? r->slow * 2 : MAX_SLOW;
    }
    if (until > r->paused_until_us) {
        r->paused_until_us = until;
        r->slow_until_us = until + SLOW_US;
    }
    return (r->paused_until_us - now_us) / 1000;
}

void rate_answered(struct rate *r)
{
    r->refusals = 0;
}
