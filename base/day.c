/* SPDX-License-Identifier: MIT
 * Days and seconds of the UTC calendar. */
#include "base/day.h"

#include <stdio.h>

#include "base/text.h"

enum { SECONDS_A_DAY = 86400, FIRST_DAY = -719528 /* 0000-01-01 */, LAST_DAY = 2932896 /* 9999-12-31 */ };

static const int64_t first_second = (int64_t)FIRST_DAY * SECONDS_A_DAY;
static const int64_t last_second = (int64_t)LAST_DAY * SECONDS_A_DAY + SECONDS_A_DAY - 1;

static int64_t within(int64_t n, int64_t least, int64_t most)
{
    return n < least ? least : n > most ? most : n;
}

struct day day_from_civil(struct civil c)
{
    int64_t month = c.month, y = (int64_t)c.year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + c.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (struct day){ (int32_t)within(era * 146097 + day_of_era - 719468, INT32_MIN, INT32_MAX) };
}

struct civil day_to_civil(struct day d)
{
    int64_t z = (int64_t)d.n + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int day_of_era = (int)(z - era * 146097);
    int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int m = (5 * day_of_year + 2) / 153;
    int month = m < 10 ? m + 3 : m - 9;
    return (struct civil){ .year = year_of_era + (int)era * 400 + (month <= 2),
                           .month = month,
                           .day = day_of_year - (153 * m + 2) / 5 + 1 };
}

struct day day_of_ms(int64_t unix_ms)
{
    int64_t day_ms = (int64_t)SECONDS_A_DAY * 1000;
    int64_t n = unix_ms / day_ms - (unix_ms % day_ms < 0);
    return (struct day){ (int32_t)within(n, FIRST_DAY, LAST_DAY) };
}

/* `count` digits at s.p[at]; the caller has checked the length. -1 when one is not a digit. */
static int digits(struct slice s, size_t at, size_t count)
{
    int v = 0;
    for (size_t i = at; i < at + count; i++) {
        if (!is_digit(s.p[i]))
            return -1;
        v = v * 10 + (s.p[i] - '0');
    }
    return v;
}

bool day_parse(struct slice s, struct day *day)
{
    if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-')
        return false;
    struct civil c = { digits(s, 0, 4), digits(s, 5, 2), digits(s, 8, 2) };
    if (c.year < 0 || c.month < 1 || c.month > 12 || c.day < 1 || c.day > 31)
        return false;
    struct day d = day_from_civil(c);
    if (c.day > 28 && day_to_civil(d).day != c.day)
        return false;
    *day = d;
    return true;
}

/* `value` as exactly `count` digits. */
static void write_digits(char *out, int count, int value)
{
    for (int i = count - 1; i >= 0; i--, value /= 10)
        out[i] = (char)('0' + value % 10);
}

void day_format(struct day d, char out[11])
{
    struct civil c = day_to_civil((struct day){ (int32_t)within(d.n, FIRST_DAY, LAST_DAY) });
    write_digits(out, 4, c.year);
    out[4] = '-';
    write_digits(out + 5, 2, c.month);
    out[7] = '-';
    write_digits(out + 8, 2, c.day);
    out[10] = 0;
}

void day_words(struct day d, char out[DAY_WORDS])
{
    static const char *const months[] = { "January", "February", "March",     "April",   "May",      "June",
                                          "July",    "August",   "September", "October", "November", "December" };
    char day[11];
    day_format(d, day); /* knows what years there are */
    int month = (day[5] - '0') * 10 + day[6] - '0';
    snprintf(out, DAY_WORDS, "%s %s %.4s", day + 8 + (day[8] == '0'), months[month - 1], day);
}

bool timestamp_parse(struct slice s, int64_t *unix_s)
{
    struct day day;
    if (s.n < 20 || s.p[10] != 'T' || s.p[13] != ':' || s.p[16] != ':' || s.p[s.n - 1] != 'Z' ||
        !day_parse(slice_of(s.p, 10), &day))
        return false;
    int h = digits(s, 11, 2), m = digits(s, 14, 2), sec = digits(s, 17, 2);
    if (h < 0 || h > 23 || m < 0 || m > 59 || sec < 0 || sec > 59)
        return false;
    if (s.n > 20) {
        if (s.p[19] != '.' || s.n < 22 || s.n > 21 + TIMESTAMP_MAX_FRACTION)
            return false;
        for (size_t i = 20; i < s.n - 1; i++)
            if (!is_digit(s.p[i]))
                return false;
    }
    *unix_s = (int64_t)day.n * SECONDS_A_DAY + h * 3600 + m * 60 + sec;
    return true;
}

void timestamp_format(int64_t unix_s, char out[21])
{
    unix_s = within(unix_s, first_second, last_second);
    struct day d = day_of_ms(unix_s * 1000);
    int in_day = (int)(unix_s - (int64_t)d.n * SECONDS_A_DAY);
    day_format(d, out);
    out[10] = 'T';
    write_digits(out + 11, 2, in_day / 3600);
    out[13] = ':';
    write_digits(out + 14, 2, in_day / 60 % 60);
    out[16] = ':';
    write_digits(out + 17, 2, in_day % 60);
    out[19] = 'Z';
    out[20] = 0;
}

void timestamp_format_ms(int64_t unix_ms, char out[25])
{
    unix_ms = within(unix_ms, first_second * 1000, last_second * 1000 + 999);
    int64_t ms = unix_ms % 1000 < 0 ? unix_ms % 1000 + 1000 : unix_ms % 1000;
    timestamp_format((unix_ms - ms) / 1000, out);
    out[19] = '.';
    write_digits(out + 20, 3, (int)ms);
    out[23] = 'Z';
    out[24] = 0;
}
