/* SPDX-License-Identifier: MIT
 * Totals and the ratio that stands in for the number of linking pages. */
#include "mapping/totals.h"

#include <json-c/json.h>

enum { MAX_DEPTH = 8 };

static bool whole_number(struct json_object *o, int64_t *ret)
{
    if (!json_object_is_type(o, json_type_int))
        return false;
    int64_t n = json_object_get_int64(o);
    if (n < 0 || json_object_get_uint64(o) > INT64_MAX)
        return false;
    *ret = n;
    return true;
}

bool totals_parse(struct slice body, int64_t *live)
{
    struct json_tokener *tokener = json_tokener_new_ex(MAX_DEPTH);
    if (!tokener)
        return false;
    if (body.n > INT32_MAX) {
        json_tokener_free(tokener);
        return false;
    }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *root = json_tokener_parse_ex(tokener, body.p, (int)body.n), *metrics, *value;
    bool whole = json_tokener_get_error(tokener) == json_tokener_success &&
                 slice_trim(slice_from(body, json_tokener_get_parse_end(tokener))).n == 0;
    bool ok = whole && json_object_is_type(root, json_type_object) &&
              json_object_object_get_ex(root, "metrics", &metrics) && json_object_is_type(metrics, json_type_object) &&
              json_object_object_get_ex(metrics, "live", &value) && whole_number(value, live);
    json_object_put(root);
    json_tokener_free(tokener);
    return ok;
}

static int64_t add(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

void ratio_add(struct ratio *r, int64_t links, int64_t refpages)
{
    r->links = add(r->links, links);
    r->refpages = add(r->refpages, refpages);
}

int64_t ratio_apply(const struct ratio *r, int64_t live)
{
    if (r->links <= 0 || r->refpages <= 0)
        return 0;
    __int128 doubled = (__int128)live * r->refpages * 2 + r->links;
    __int128 pages = doubled / ((__int128)r->links * 2);
    return pages > live ? live : (int64_t)pages;
}
