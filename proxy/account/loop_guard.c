/* SPDX-License-Identifier: MIT
 * Every way to v3 is told the addresses that we listen on. */
#include "proxy/account/loop_guard.h"

bool loop_guard_forbid(struct accounts *a, const struct http_server *server)
{
    struct buffer address = { 0 };
    bool ok = true;
    for (size_t i = 0; ok && http_server_address(server, i, &address); i++) {
        buffer_put(&address, '\0');
        for (size_t k = 0; k < a->n && ok; k++)
            ok = !address.failed && upstream_forbid(a->list[k].upstream, address.p);
        address.n = 0;
    }
    buffer_clear(&address);
    return ok;
}

bool loop_guard_leads_back(const struct accounts *a, const struct config *config, const char **option,
                           struct buffer *why)
{
    if (!upstream_leads_back(a->list[0].upstream))
        return false;
    *option = config->upstream_proxy ? "proxy" : "url";
    buffer_printf(why, "%s: %s leads back to an address that this proxy listens on itself", *option,
                  config->upstream_proxy ? config->upstream_proxy : config->url);
    return true;
}
