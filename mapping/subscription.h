/* SPDX-License-Identifier: MIT
 *
 * What v3 says of a key: its plan, what is left, when it ends; and its count of units held against another one. Pure:
 * the time is passed in. v3's side is in docs/api-v3.md, subscription-info/limits-and-usage.
 */
#ifndef ANCHORAGE_MAPPING_SUBSCRIPTION_H
#define ANCHORAGE_MAPPING_SUBSCRIPTION_H

#include <stdint.h>

#include "base/slice.h"

/* In place of an amount or a moment. */
enum { SUBSCRIPTION_UNKNOWN = -1, SUBSCRIPTION_NO_LIMIT = -2 };

enum { SUBSCRIPTION_NAME_SIZE = 65, SUBSCRIPTION_MAX_BYTES = 64 * 1024 };

struct subscription {
    char plan[SUBSCRIPTION_NAME_SIZE];  /* as v3 names it: "Enterprise, billed yearly"; "": not known */
    int64_t workspace_limit, key_limit; /* units a month, or one of the above */
    int64_t workspace_used, key_used;   /* or unknown */
    int64_t reset_s, expires_s;         /* Unix seconds, or unknown */
};

/* All unknown. */
struct subscription subscription_unknown(void);

/* {"limits_and_usage":{…}}; what is missing or of the wrong type is unknown. False, *ret untouched, for anything else.
 */
[[nodiscard]] bool subscription_parse(struct slice body, struct subscription *ret);

/* Take over the name of a plan, which is shown in logs: cut to its room, whole characters, a blank for each control and
 * each mark that turns the direction of writing. */
void subscription_take_plan(struct subscription *s, struct slice name);

/* Rows that a plan of this name gives in one answer, by a word of it in any case: 100, 250 or 500;
 * SUBSCRIPTION_NO_LIMIT; SUBSCRIPTION_UNKNOWN for other names. */
int64_t subscription_row_cap(struct slice plan);

/* What workspace and key both leave; or one of the words above. */
int64_t subscription_units_left(const struct subscription *s);

/* The day that the month of units begins, 1 to 28, and whether v3's was one of 29 to 31; 0 when it is not known. */
int subscription_billing_day(const struct subscription *s, bool *was_later);

/* Whole days until the key ends, negative afterwards. Only when expires_s is known. */
int64_t subscription_days_left(const struct subscription *s, int64_t now_s);

/* Two counts of the same units since the first look: v3's, and the books'. */
struct drift {
    bool has_base;
    int64_t base_used, base_reset_s, base_booked; /* at the last look that could be compared */
    int64_t counted, booked;                      /* in all */
    int64_t last_counted, last_booked;            /* between the last two looks */
};

enum drift_step { DRIFT_UNKNOWN, DRIFT_FIRST, DRIFT_COMPARED, DRIFT_NEW_MONTH };

/* Look again: `booked` is what the books have settled so far, of any beginning. After DRIFT_COMPARED last_counted and
 * last_booked are news. Over the turn of the month nothing is compared: v3 then counts from 0 at a moment of its own.
 */
enum drift_step drift_look(struct drift *d, const struct subscription *s, int64_t booked);

/* What v3 counted beyond the books; negative when the books have more. */
static inline int64_t drift_difference(const struct drift *d)
{
    return d->counted - d->booked;
}

#endif
