/* SPDX-License-Identifier: MIT
 * The pace, and where it leads. */
#include "proxy/ledger/entries/forecast.h"

#include "proxy/ledger/entries/rollup.h"

enum { HOUR_MS = 3600000, DAY_MS = 24 * HOUR_MS };

int64_t forecast_since_hour(int64_t now_ms)
{
    return hour_of_ms(now_ms) - FORECAST_HOURS + 1;
}

int64_t spent_left(const struct spent *s)
{
    __int128 left = (__int128)s->limit - s->used - s->held;
    return left > 0 ? (int64_t)(left < INT64_MAX ? left : INT64_MAX) : 0;
}

static int64_t within(__int128 n)
{
    return n > INT64_MAX ? INT64_MAX : n < 0 ? 0 : (int64_t)n;
}

static void project(struct forecast *f, const struct spent *s, struct period month, int64_t now_ms, int64_t elapsed)
{
    int64_t until_ms = day_start_ms(month.until), left = spent_left(s);
    int64_t recent = s->recent > 0 ? s->recent : 0;
    __int128 more = until_ms > now_ms ? ((__int128)recent * (until_ms - now_ms) + elapsed / 2) / elapsed : 0;
    if (s->limit > 0)
        f->permille_at_end = within(((__int128)s->used + s->held + more) * 1000 / s->limit);
    if (left == 0) {
        f->ends = true;
        f->end = day_of_ms(now_ms);
    } else if (more > left) {
        f->ends = true;
        f->end = day_of_ms(now_ms + (int64_t)((__int128)left * elapsed / recent));
    }
}

/* The clock may have been set back behind the first entry: then there is no pace either. */
struct forecast forecast_of(const struct spent *s, struct period month, int64_t now_ms)
{
    struct forecast f = { .permille_at_end = -1 };
    int64_t since_ms = forecast_since_hour(now_ms) * HOUR_MS;
    if (s->first_ms == INT64_MAX || now_ms - s->first_ms < FORECAST_LEAST_HOURS * (int64_t)HOUR_MS)
        return f;
    int64_t elapsed = now_ms - (s->first_ms > since_ms ? s->first_ms : since_ms);
    f.is_known = true;
    f.per_day = within(((__int128)(s->recent > 0 ? s->recent : 0) * DAY_MS + elapsed / 2) / elapsed);
    if (s->limit >= 0)
        project(&f, s, month, now_ms, elapsed);
    return f;
}
