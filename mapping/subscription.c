/* SPDX-License-Identifier: MIT
 * v3's limits-and-usage, read as from a stranger. */
#include "mapping/subscription.h"

#include <json-c/json.h>

#include "base/day.h"
#include "base/text.h"

enum { MAX_DEPTH = 8, DAY_S = 86400, LAST_BILLING_DAY = 28 };

static const struct {
    struct slice word;
    int64_t rows;
} plans[] = {
    { SLICE("lite"), 100 },
    { SLICE("standard"), 250 },
    { SLICE("advanced"), 500 },
    { SLICE("enterprise"), SUBSCRIPTION_NO_LIMIT },
};

struct subscription subscription_unknown(void)
{
    return (struct subscription){ .workspace_limit = SUBSCRIPTION_UNKNOWN,
                                  .key_limit = SUBSCRIPTION_UNKNOWN,
                                  .workspace_used = SUBSCRIPTION_UNKNOWN,
                                  .key_used = SUBSCRIPTION_UNKNOWN,
                                  .reset_s = SUBSCRIPTION_UNKNOWN,
                                  .expires_s = SUBSCRIPTION_UNKNOWN };
}

/* ---- the JSON ---- */

static int64_t amount_of(struct json_object *o, const char *name, int64_t of_null)
{
    struct json_object *value;
    if (!json_object_object_get_ex(o, name, &value))
        return SUBSCRIPTION_UNKNOWN;
    if (!value)
        return of_null;
    if (!json_object_is_type(value, json_type_int) || json_object_get_uint64(value) > INT64_MAX)
        return SUBSCRIPTION_UNKNOWN;
    int64_t n = json_object_get_int64(value);
    return n < 0 ? SUBSCRIPTION_UNKNOWN : n;
}

static struct slice text_of(struct json_object *o, const char *name)
{
    struct json_object *value;
    if (!json_object_object_get_ex(o, name, &value) || !json_object_is_type(value, json_type_string))
        return S("");
    return slice_of(json_object_get_string(value), (size_t)json_object_get_string_len(value));
}

/* A date, or a date with its time. */
static int64_t moment_of(struct json_object *o, const char *name)
{
    struct slice text = text_of(o, name);
    struct day day;
    int64_t s;
    if (day_parse(text, &day))
        s = (int64_t)day.n * DAY_S;
    else if (!timestamp_parse(text, &s))
        return SUBSCRIPTION_UNKNOWN;
    return s < 0 ? SUBSCRIPTION_UNKNOWN : s;
}

void subscription_take_plan(struct subscription *s, struct slice name)
{
    size_t n = 0, length;
    if (name.n >= SUBSCRIPTION_NAME_SIZE)
        name.n = SUBSCRIPTION_NAME_SIZE - 1;
    name.n = utf8_valid_prefix(name);
    for (size_t i = 0; i < name.n; i += length) {
        bool shows = !utf8_is_control(utf8_decode(name.p + i, &length));
        memcpy(s->plan + n, shows ? name.p + i : " ", shows ? length : 1);
        n += shows ? length : 1;
    }
    s->plan[n] = '\0';
}

static struct subscription read_fields(struct json_object *o)
{
    struct subscription s = {
        .workspace_limit = amount_of(o, "units_limit_workspace", SUBSCRIPTION_NO_LIMIT),
        .key_limit = amount_of(o, "units_limit_api_key", SUBSCRIPTION_NO_LIMIT),
        .workspace_used = amount_of(o, "units_usage_workspace", SUBSCRIPTION_UNKNOWN),
        .key_used = amount_of(o, "units_usage_api_key", SUBSCRIPTION_UNKNOWN),
        .reset_s = moment_of(o, "usage_reset_date"),
        .expires_s = moment_of(o, "api_key_expiration_date"),
    };
    subscription_take_plan(&s, text_of(o, "subscription"));
    return s;
}

bool subscription_parse(struct slice body, struct subscription *ret)
{
    struct json_tokener *tokener = json_tokener_new_ex(MAX_DEPTH);
    if (!tokener || body.n > SUBSCRIPTION_MAX_BYTES) {
        json_tokener_free(tokener);
        return false;
    }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *root = json_tokener_parse_ex(tokener, body.p, (int)body.n), *fields;
    bool ok = json_tokener_get_error(tokener) == json_tokener_success &&
              slice_trim(slice_from(body, json_tokener_get_parse_end(tokener))).n == 0 &&
              json_object_is_type(root, json_type_object) &&
              json_object_object_get_ex(root, "limits_and_usage", &fields) &&
              json_object_is_type(fields, json_type_object);
    if (ok)
        *ret = read_fields(fields);
    json_object_put(root);
    json_tokener_free(tokener);
    return ok;
}

/* ---- what follows from it ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int64_t subscription_row_cap(struct slice plan)
{
    for (size_t at = 0, end; at < plan.n; at = end + 1) {
        for (end = at; end < plan.n && is_letter(plan.p[end]); end++)
            continue;
        for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++)
            if (slice_eq_nocase(slice_of(plan.p + at, end - at), plans[i].word))
                return plans[i].rows;
    }
    return SUBSCRIPTION_UNKNOWN;
}

static int64_t left_of(int64_t limit, int64_t used)
{
    if (limit < 0)
        return limit;
    if (used < 0)
        return SUBSCRIPTION_UNKNOWN;
    return used < limit ? limit - used : 0;
}

int64_t subscription_units_left(const struct subscription *s)
{
    int64_t workspace = left_of(s->workspace_limit, s->workspace_used), key = left_of(s->key_limit, s->key_used);
    if (workspace >= 0 && key >= 0)
        return workspace < key ? workspace : key;
    if (workspace >= 0 || key >= 0)
        return workspace >= 0 ? workspace : key;
    bool unlimited = workspace == SUBSCRIPTION_NO_LIMIT || key == SUBSCRIPTION_NO_LIMIT;
    bool half_known = s->workspace_limit >= 0 || s->key_limit >= 0;
    return unlimited && !half_known ? SUBSCRIPTION_NO_LIMIT : SUBSCRIPTION_UNKNOWN;
}

int subscription_billing_day(const struct subscription *s, bool *was_later)
{
    if (s->reset_s < 0)
        return 0;
    int day = day_to_civil(day_of_ms(s->reset_s * 1000)).day;
    *was_later = day > LAST_BILLING_DAY;
    return *was_later ? LAST_BILLING_DAY : day;
}

int64_t subscription_days_left(const struct subscription *s, int64_t now_s)
{
    int64_t left = s->expires_s - now_s;
    return left >= 0 ? left / DAY_S : -((-left + DAY_S - 1) / DAY_S);
}

/* ---- drift ---- */

static int64_t sum(int64_t a, int64_t b)
{
    int64_t result;
    return __builtin_add_overflow(a, b, &result) ? INT64_MAX : result;
}

enum drift_step drift_look(struct drift *d, const struct subscription *s, int64_t booked)
{
    if (s->key_used < 0)
        return DRIFT_UNKNOWN;
    bool reset_moved = s->reset_s >= 0 && d->base_reset_s >= 0 && s->reset_s != d->base_reset_s;
    enum drift_step step = !d->has_base                                ? DRIFT_FIRST
                           : reset_moved || s->key_used < d->base_used ? DRIFT_NEW_MONTH
                                                                       : DRIFT_COMPARED;
    if (step == DRIFT_COMPARED) {
        d->last_counted = s->key_used - d->base_used;
        d->last_booked = booked - d->base_booked;
        d->counted = sum(d->counted, d->last_counted);
        d->booked = sum(d->booked, d->last_booked);
    }
    d->has_base = true;
    d->base_used = s->key_used;
    d->base_reset_s = s->reset_s;
    d->base_booked = booked;
    return step;
}
