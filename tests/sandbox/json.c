/* SPDX-License-Identifier: MIT
 * Strict JSON by json-c. */
#include "tests/sandbox/json.h"

#include <json-c/json.h>

#include "base/buffer.h"

struct json_object *json_read(struct slice text)
{
    struct buffer b = buffer_with_cap(0);
    struct json_tokener *tokener = json_tokener_new();
    buffer_append(&b, text);
    buffer_put(&b, '\0'); /* without it json-c waits for more digits of a number */
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *value = b.failed ? NULL : json_tokener_parse_ex(tokener, b.p, (int)b.n);
    bool whole =
        json_tokener_get_error(tokener) == json_tokener_success && json_tokener_get_parse_end(tokener) == text.n;
    if (!whole) {
        json_object_put(value);
        value = NULL;
    }
    json_tokener_free(tokener);
    buffer_clear(&b);
    return value;
}

struct slice json_text(struct json_object *string)
{
    return slice_of(json_object_get_string(string), (size_t)json_object_get_string_len(string));
}
