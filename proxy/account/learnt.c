/* SPDX-License-Identifier: MIT
 * The file has a line "[key]" for each key and lines "name = value" behind it. A new file is written beside the old one
 * and renamed, so that a reader finds one of them whole; it need not survive a power cut. */
#include "proxy/account/learnt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/day.h"
#include "base/text.h"

enum { MAX_BYTES = 1024 * 1024, MAX_NUMBER = 5000000 /* more rows come in no answer */ };

static void say_path(struct buffer *b, const char *state_directory, const char *name)
{
    buffer_printf(b, "%s/%s", state_directory, name);
    buffer_put(b, '\0');
}

static void read_whole(const char *state_directory, struct buffer *out)
{
    struct buffer path = { 0 };
    say_path(&path, state_directory, "learnt");
    FILE *f = path.failed ? NULL : fopen(path.p, "re");
    buffer_clear(&path);
    for (size_t n = 1; f && n;) {
        char *to = buffer_reserve(out, 4096);
        n = to ? fread(to, 1, 4096, f) : 0;
        out->n += n;
    }
    if (f)
        fclose(f);
}

/* ---- reading ---- */

static void take(struct account *a, struct slice name, struct slice value)
{
    int64_t n;
    bool is_number = parse_i64(value, &n) && n >= 0 && n <= MAX_NUMBER;
    if (slice_eq(name, S("plan")))
        subscription_take_plan(&a->subscription, value);
    else if (slice_eq(name, S("upper_case")))
        a->seen.upper_case |= is_number && n == 1;
    else if (slice_eq(name, S("disorder")))
        a->seen.disorder |= is_number && n == 1;
    else if (slice_eq(name, S("page_rows")) && is_number && n <= CALL_MAX_LIMIT)
        a->learnt_page_rows = n;
    else if (slice_eq(name, S("expires")))
        (void)!timestamp_parse(value, &a->subscription.expires_s);
}

static struct account *account_of_label(struct accounts *a, struct slice label)
{
    for (size_t i = 0; i < a->n; i++)
        if (slice_eq(slice_str(a->list[i].label), label))
            return &a->list[i];
    return NULL;
}

void learnt_read(const char *state_directory, struct accounts *a)
{
    struct buffer text = buffer_with_cap(MAX_BYTES);
    read_whole(state_directory, &text);
    struct slice rest = buffer_slice(&text), line, value;
    struct account *at = NULL;
    while (rest.n) {
        line = slice_trim(slice_split(rest, '\n', &rest));
        if (line.n > 2 && line.p[0] == '[' && line.p[line.n - 1] == ']') {
            at = account_of_label(a, slice_of(line.p + 1, line.n - 2));
            continue;
        }
        struct slice name = slice_trim(slice_split(line, '=', &value));
        if (at && value.p)
            take(at, name, slice_trim(value));
    }
    buffer_clear(&text);
}

/* ---- writing ---- */

static void put_number(struct buffer *b, const char *name, int64_t value)
{
    if (value > 0)
        buffer_printf(b, "%s = %lld\n", name, (long long)value);
}

static void put_account(struct buffer *b, const struct account *a)
{
    buffer_printf(b, "[%s]\n", a->label);
    if (a->subscription.plan[0])
        buffer_printf(b, "plan = %s\n", a->subscription.plan);
    if (a->subscription.expires_s >= 0) {
        char text[21];
        timestamp_format(a->subscription.expires_s, text);
        buffer_printf(b, "expires = %s\n", text);
    }
    put_number(b, "page_rows", a->learnt_page_rows);
    put_number(b, "upper_case", a->seen.upper_case);
    put_number(b, "disorder", a->seen.disorder);
}

static bool replace(const char *from, const char *to, struct slice text)
{
    FILE *f = fopen(from, "we");
    if (!f)
        return false;
    bool ok = fwrite(text.p, 1, text.n, f) == text.n;
    ok = fclose(f) == 0 && ok;
    if (ok && rename(from, to) == 0)
        return true;
    int error = errno;
    (void)remove(from);
    errno = error;
    return false;
}

bool learnt_write(const char *state_directory, const struct accounts *a, struct buffer *why)
{
    struct buffer text = buffer_with_cap(MAX_BYTES), before = buffer_with_cap(MAX_BYTES), from = { 0 }, to = { 0 };
    buffer_str(&text, "; What anchorage has learnt of API v3. It may be deleted while no daemon runs.\n");
    for (size_t i = 0; i < a->n; i++)
        put_account(&text, &a->list[i]);
    read_whole(state_directory, &before);
    say_path(&from, state_directory, "learnt.new");
    say_path(&to, state_directory, "learnt");
    bool ok = !text.failed && !from.failed && !to.failed;
    if (ok && !slice_eq(buffer_slice(&text), buffer_slice(&before)))
        ok = replace(from.p, to.p, buffer_slice(&text));
    if (!ok)
        buffer_printf(why, "cannot write what was learnt of API v3: %s/learnt: %s", state_directory, strerror(errno));
    buffer_clear(&text);
    buffer_clear(&before);
    buffer_clear(&from);
    buffer_clear(&to);
    return ok;
}
