/* SPDX-License-Identifier: MIT
 * Each part has its length before it. */
#include "proxy/daemon/control_wire.h"

bool control_address(struct sockaddr_un *a, const char *state_directory)
{
    *a = (struct sockaddr_un){ .sun_family = AF_UNIX };
    struct buffer path = { .p = a->sun_path, .room = sizeof a->sun_path, .max_bytes = sizeof a->sun_path };
    buffer_printf(&path, "%s/control.sock", state_directory);
    return !path.failed;
}

void control_put_part(struct buffer *b, struct slice part)
{
    uint32_t n = (uint32_t)part.n;
    buffer_append(b, slice_of((const char *)&n, sizeof n));
    buffer_append(b, part);
}

bool control_take_part(struct slice *in, struct slice *part)
{
    uint32_t n;
    if (in->n < sizeof n)
        return false;
    memcpy(&n, in->p, sizeof n);
    if (in->n - sizeof n < n)
        return false;
    *part = slice_of(in->p + sizeof n, n);
    *in = slice_from(*in, sizeof n + n);
    return true;
}
