/* SPDX-License-Identifier: MIT
 * How answers of the admin side begin. */
#include "proxy/admin/answer.h"

#include "base/text.h"

enum { MAX_BODY = 64 * 1024 * 1024 };

struct admin_answer admin_begin(int status, struct slice content_type)
{
    return (struct admin_answer){
        .status = status, .content_type = content_type, .cache = S("no-store"), .body = buffer_with_cap(MAX_BODY)
    };
}

struct admin_answer admin_error(int status, struct slice why)
{
    struct admin_answer a = admin_begin(status, S("application/json; charset=utf-8"));
    buffer_str(&a.body, "{\"error\":\"");
    buffer_json_any(&a.body, why);
    buffer_str(&a.body, "\"}\n");
    return a;
}

void admin_answer_clear(struct admin_answer *a)
{
    buffer_clear(&a->location);
    buffer_clear(&a->cookie);
    buffer_clear(&a->body);
}
