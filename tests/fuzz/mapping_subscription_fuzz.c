/* SPDX-License-Identifier: MIT
 * What v3 says of a key, from any bytes: amounts and moments are in their range or unknown, the plan's name is one line
 * of valid text, and what follows from them does not overflow, whatever the books have counted. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mapping/subscription.h"

static void must_hold(bool what)
{
    if (!what)
        abort();
}

static void check_plan(struct slice plan)
{
    must_hold(utf8_valid_prefix(plan) == plan.n);
    for (size_t i = 0; i < plan.n; i++)
        must_hold((unsigned char)plan.p[i] >= ' ' && plan.p[i] != 0x7F);
    (void)subscription_row_cap(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct subscription s;
    struct drift d = { 0 };
    bool was_later;
    if (!subscription_parse(slice_of((const char *)data, size), &s))
        return 0;
    check_plan(slice_str(s.plan));
    must_hold(s.workspace_limit >= SUBSCRIPTION_NO_LIMIT && s.key_limit >= SUBSCRIPTION_NO_LIMIT);
    must_hold(s.workspace_used >= SUBSCRIPTION_UNKNOWN && s.key_used >= SUBSCRIPTION_UNKNOWN);
    must_hold(s.reset_s >= SUBSCRIPTION_UNKNOWN && s.expires_s >= SUBSCRIPTION_UNKNOWN);
    int64_t left = subscription_units_left(&s);
    must_hold(left < 0 || left <= s.workspace_limit || left <= s.key_limit);
    int day = subscription_billing_day(&s, &was_later);
    must_hold(day >= 0 && day <= 28);
    if (s.expires_s >= 0)
        (void)subscription_days_left(&s, 1790000000);
    for (int i = 0; i < 3; i++) {
        (void)drift_look(&d, &s, (int64_t)i * INT32_MAX);
        s.key_used = s.key_used >= 0 ? INT64_MAX : s.key_used;
    }
    must_hold(d.counted >= 0 && d.booked >= 0);
    return 0;
}
