/* SPDX-License-Identifier: MIT
 * The doctor asks its questions one after the other, and writes its report. */
#include "proxy/doctor/doctor.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/day.h"
#include "proxy/doctor/inside.h"

enum { MEMORY = 8 * 1024 * 1024, MAX_BODY = 1024 * 1024, WITHIN_MS = 120000, SOON_DAYS = 30, VERY_SOON_DAYS = 7 };

#define REPORT_IT "run anchorage doctor --save FILE and send the file with a bug report"

void doctor_say(struct doctor *d, const char *name, enum verdict verdict, struct slice found, const char *advice)
{
    if (d->n_findings < MAX_FINDINGS && found.p)
        d->findings[d->n_findings++] =
            (struct finding){ .name = name, .verdict = verdict, .found = found, .advice = slice_str(advice) };
}

/* ---- the key and its plan ---- */

static void say_plan(struct doctor *d, const struct subscription *s)
{
    int64_t cap = subscription_row_cap(slice_str(s->plan)), configured = d->place.config->max_rows_per_request;
    if (cap == SUBSCRIPTION_UNKNOWN)
        doctor_say(d, "plan", NOTE,
                   FOUND(d, "\"%s\": how many rows it gives in one answer is not known by this name", s->plan),
                   "leave max_rows_per_request = auto, which learns it from answers, or set it to what Ahrefs states");
    else if (cap > 0 && configured > cap)
        doctor_say(d, "plan", WRONG,
                   FOUND(d, "\"%s\" gives %lld rows in one answer, max_rows_per_request says %lld", s->plan,
                         (long long)cap, (long long)configured),
                   "set max_rows_per_request = auto: what is above the plan's rows is cut off without a word");
    else if (cap > 0)
        doctor_say(d, "plan", FINE, FOUND(d, "\"%s\": %lld rows in one answer", s->plan, (long long)cap), "");
    else
        doctor_say(d, "plan", FINE, FOUND(d, "\"%s\": no cap of rows", s->plan), "");
}

static void say_units(struct doctor *d, const struct subscription *s)
{
    int64_t left = subscription_units_left(s), ours = d->place.config->units_per_month, theirs = s->workspace_limit;
    if (s->key_limit >= 0 && (theirs < 0 || s->key_limit < theirs))
        theirs = s->key_limit;
    if (left == SUBSCRIPTION_UNKNOWN)
        doctor_say(d, "units", NOTE, FOUND(d, "v3 does not say how many units are left"), "look into Ahrefs' settings");
    else if (left == SUBSCRIPTION_NO_LIMIT)
        doctor_say(d, "units", FINE, FOUND(d, "no limit"), "");
    else if (left < REPORT_LEAST_UNITS)
        doctor_say(d, "units", WRONG, FOUND(d, "%lld are left: fewer than any request costs", (long long)left),
                   "raise the limit of the key or of the workspace at Ahrefs, or wait for the next month of units");
    else
        doctor_say(d, "units", FINE, FOUND(d, "%lld are left", (long long)left), "");
    if (d->place.is_main && theirs >= 0 && (ours > theirs || ours == CONFIG_UNLIMITED))
        doctor_say(
            d, "units_per_month", NOTE,
            ours == CONFIG_UNLIMITED ? FOUND(d, "unlimited here, %lld at Ahrefs", (long long)theirs)
                                     : FOUND(d, "%lld here, %lld at Ahrefs", (long long)ours, (long long)theirs),
            "set units_per_month of [upstream] to what Ahrefs gives, so that calls are refused before it refuses");
}

static void say_month(struct doctor *d, const struct subscription *s)
{
    bool was_later;
    int day = subscription_billing_day(s, &was_later), ours = d->place.config->billing_day;
    if (!day)
        doctor_say(d, "month", NOTE, FOUND(d, "v3 does not say when its month of units begins"),
                   "set billing_day to the day that Ahrefs' settings show");
    else if (d->place.is_main && ours != CONFIG_AUTO && ours != day)
        doctor_say(d, "month", WRONG, FOUND(d, "units begin anew on day %d, billing_day says %d", day, ours),
                   "set billing_day = auto");
    else
        doctor_say(d, "month", FINE,
                   FOUND(d, "units begin anew on day %d of the month%s", day,
                         was_later ? " (v3's day is later; not every month has it)" : ""),
                   "");
}

static void say_end(struct doctor *d, const struct subscription *s)
{
    static const char *const advice = "make a new key in Ahrefs' settings, replace the file and restart";
    if (s->expires_s < 0) {
        doctor_say(d, "key_ends", NOTE, FOUND(d, "v3 does not say when the key ends"), "keys end after a year");
        return;
    }
    int64_t now_s = clock_wall_ms() / 1000, days = subscription_days_left(s, now_s);
    char day[11];
    day_format(day_of_ms(s->expires_s * 1000), day);
    if (s->expires_s < now_s)
        doctor_say(d, "key_ends", WRONG, FOUND(d, "it ended on %s", day), advice);
    else
        doctor_say(d, "key_ends",
                   days <= VERY_SOON_DAYS ? WRONG
                   : days <= SOON_DAYS    ? NOTE
                                          : FINE,
                   FOUND(d, "on %s, in %lld days", day, (long long)days), days <= SOON_DAYS ? advice : "");
}

static void read_limits(struct doctor *d, const struct own_answer *answer)
{
    struct subscription s;
    doctor_say(d, "key", FINE, FOUND(d, "v3 takes the key"), "");
    if (!subscription_parse(answer->body, &s)) {
        doctor_say(d, "limits", WRONG, FOUND(d, "v3's limits-and-usage has another form than expected"), REPORT_IT);
        return;
    }
    account_clean(d->place.account, &s);
    account_take(d->place.account, &s);
    say_plan(d, &s);
    say_units(d, &s);
    say_month(d, &s);
    say_end(d, &s);
}

/* ---- the way ---- */

static void end(struct doctor *d)
{
    d->is_over = true;
    d->done(d->context);
}

/* Read an answer that tells nothing but its fault. False when there is no point in asking on. */
static bool read_fault(struct doctor *d, const struct upstream_result *r)
{
    bool is_first = d->question < 0, denied = r->fault == FAULT_UPSTREAM_DENIED;
    bool is_answer = r->fault == FAULT_UPSTREAM_ODD || r->fault == FAULT_BAD_TARGET;
    const char *name = is_first ? "key" : doctor_questions[d->question].name;
    if (denied)
        doctor_say(
            d, name, WRONG, FOUND(d, "v3 does not take the key: %.*s", SLICE_ARGS(r->why)),
            "see that api_key_file holds a key of a plan with API that has not ended; keys end after a year, and "
            "with the account of who made them");
    else if (is_answer)
        doctor_say(d, name, WRONG, FOUND(d, "v3 did not answer as expected: %.*s", SLICE_ARGS(r->why)), REPORT_IT);
    else if (r->fault == FAULT_TOO_BUSY)
        doctor_say(d, name, WRONG, FOUND(d, "not asked: %.*s", SLICE_ARGS(r->why)), "try again when it is quieter");
    else
        doctor_say(d, name, WRONG, FOUND(d, "v3 cannot be reached: %.*s", SLICE_ARGS(r->why)),
                   "look at url, proxy and ca_file of [upstream], at the resolver and the way out of this machine");
    return is_answer;
}

static bool read_price(struct doctor *d, const struct upstream_result *r)
{
    bool is_question = d->question >= 0;
    if (is_question && r->units >= 0)
        d->place.account->charges_free = r->units > 0;
    if (r->units <= 0)
        return true;
    d->units += r->units;
    doctor_say(d, "free_target", WRONG, FOUND(d, "v3 took %lld units for a request on ahrefs.com", (long long)r->units),
               "the doctor asks no more of this key; the units are booked to the team " OWN_TEAM);
    return false;
}

static void go_on(struct doctor *d);

static void on_answer(void *context, const struct own_answer *answer)
{
    struct doctor *d = context;
    bool more = true;
    if (answer->ledger_down) {
        doctor_say(d, "ledger", WRONG, FOUND(d, "the ledger cannot write, and nothing is asked that it cannot book"),
                   "see that state_directory's disk has room and is well");
        more = false;
    } else if (answer->result->fault) {
        more = read_price(d, answer->result) && read_fault(d, answer->result);
    } else {
        more = read_price(d, answer->result);
        if (d->question < 0)
            read_limits(d, answer);
        else if (more)
            doctor_questions[d->question].read(d, answer);
    }
    if (more)
        go_on(d);
    else
        end(d);
}

static bool ask(struct doctor *d, struct slice path)
{
    bool is_first = d->question < 0;
    const struct own_question q = { .path = path,
                                    .purpose = is_first ? S("limits") : S("doctor"),
                                    .target = is_first ? S("") : S("ahrefs.com"),
                                    .hold = !is_first,
                                    .max_bytes = is_first ? SUBSCRIPTION_MAX_BYTES : MAX_BODY,
                                    .within_ms = WITHIN_MS };
    d->requests += !is_first;
    return own_request_start(&d->ask, d->place.account, d->place.ledger, &q, on_answer, d);
}

static void go_on(struct doctor *d)
{
    struct buffer path = { 0 };
    bool has_next = false, asked = false;
    while (!has_next && ++d->question < doctor_n_questions && d->requests < DOCTOR_MAX_REQUESTS)
        has_next = doctor_questions[d->question].ask(d, &path);
    if (has_next)
        asked = !path.failed && ask(d, buffer_slice(&path));
    buffer_clear(&path);
    if (asked)
        return;
    if (has_next)
        doctor_say(d, "memory", WRONG, S("memory is out"), "");
    end(d);
}

struct doctor *doctor_new(const struct doctor_place *place, void (*done)(void *context), void *context)
{
    struct doctor *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->place = *place;
    d->done = done;
    d->context = context;
    d->question = -1;
    d->memory = arena_new(MEMORY);
    if (d->memory && ask(d, S(LIMITS_PATH)))
        return d;
    doctor_free(d);
    return NULL;
}

void doctor_free(struct doctor *d)
{
    if (!d)
        return;
    own_request_clear(&d->ask);
    arena_free(d->memory);
    free(d);
}

bool doctor_is_over(const struct doctor *d)
{
    return d->is_over;
}

/* ---- the report ---- */

static const char *const verdicts[] = { [FINE] = "fine", [NOTE] = "note", [WRONG] = "wrong" };

static void put_text(struct buffer *b, const char *before, struct slice value)
{
    buffer_str(b, before);
    buffer_json_string(b, value);
}

static void report_json(const struct doctor *d, struct buffer *b)
{
    char time[21];
    timestamp_format(clock_wall_ms() / 1000, time);
    put_text(b, "{\"version\":", S(ANCHORAGE_VERSION));
    put_text(b, ",\"time\":", slice_str(time));
    put_text(b, ",\"key\":", slice_str(d->place.account->label));
    buffer_printf(b, ",\"requests\":%d,\"units\":%lld,\"findings\":[", d->requests, (long long)d->units);
    for (int i = 0; i < d->n_findings; i++) {
        const struct finding *f = &d->findings[i];
        put_text(b, i ? ",{\"name\":" : "{\"name\":", slice_str(f->name));
        put_text(b, ",\"verdict\":", slice_str(verdicts[f->verdict]));
        put_text(b, ",\"found\":", f->found);
        put_text(b, ",\"do\":", f->advice);
        buffer_put(b, '}');
    }
    buffer_str(b, "]}\n");
}

bool doctor_report(const struct doctor *d, struct buffer *text, struct buffer *json)
{
    bool good = true;
    report_json(d, json);
    for (int i = 0; i < d->n_findings; i++) {
        const struct finding *f = &d->findings[i];
        good &= f->verdict != WRONG;
        buffer_printf(text, "%-5s  %s: %.*s\n", verdicts[f->verdict], f->name, SLICE_ARGS(f->found));
        if (f->advice.n)
            buffer_printf(text, "       -> %.*s\n", SLICE_ARGS(f->advice));
    }
    buffer_printf(text, "%d requests on ahrefs.com, %lld units\n", d->requests, (long long)d->units);
    return good;
}
