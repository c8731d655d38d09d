/* SPDX-License-Identifier: MIT
 * Where months begin and end. */
#include "proxy/ledger/entries/month.h"

static struct day month_start(int year, int month, int first_day)
{
    if (month < 1) {
        month += 12;
        year--;
    } else if (month > 12) {
        month -= 12;
        year++;
    }
    return day_from_civil((struct civil){ .year = year, .month = month, .day = first_day });
}

struct period month_of_day(struct day d, int first_day)
{
    struct civil c = day_to_civil(d);
    int month = c.day >= first_day ? c.month : c.month - 1;
    return (struct period){ .since = month_start(c.year, month, first_day),
                            .until = month_start(c.year, month + 1, first_day) };
}
