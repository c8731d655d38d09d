/* SPDX-License-Identifier: MIT
 * Opening and closing what belongs to one v3 key. */
#include "proxy/account.h"

#include "proxy/program.h"

bool account_open(struct account *a, struct event_base *base, const struct config *config, const char *key_file,
                  size_t cache_bytes, struct buffer *why)
{
    struct buffer key = { 0 };
    *a = (struct account){ .key_file = key_file };
    if (!setup_read_key(key_file, &key, why))
        return false;
    struct upstream_options o = { .url = config->url,
                                  .api_key = buffer_slice(&key),
                                  .ca_file = config->ca_file,
                                  .proxy = config->upstream_proxy,
                                  .timeout_ms = config->upstream_timeout_ms,
                                  .requests_per_minute = config->requests_per_minute,
                                  .queue_timeout_ms = config->queue_timeout_ms };
    a->upstream = upstream_new(base, &o);
    explicit_bzero(key.p, key.n);
    buffer_clear(&key);
    if (!a->upstream)
        buffer_str(why, "libcurl does not start");
    a->cache = cache_new(cache_bytes);
    a->shares = shares_new(base);
    return a->upstream && a->cache && a->shares;
}

void account_close(struct account *a)
{
    upstream_free(a->upstream);
    cache_free(a->cache);
    shares_free(a->shares);
    *a = (struct account){ 0 };
}
