/* SPDX-License-Identifier: MIT
 * The client side is set up as the configuration wants it. */
#include "proxy/daemon/front.h"

#include <inttypes.h>
#include <sys/resource.h>

#include "config/find.h"

enum {
    MAX_PAIRS = 64,
    /* Besides the clients', descriptors go to the loop, the ledger, the log, the admin side and the control socket;
     * some are spare. */
    OWN_DESCRIPTORS = 264 + HTTP_MOST_LEAVING,
    MEBIBYTE = 1024 * 1024,
};

struct telling {
    const struct config *config;
    struct buffer *lines;
};

static void say(void *context, size_t n, bool about_key, bool is_warning, const char *line)
{
    const struct telling *t = context;
    (void)n;
    buffer_printf(t->lines, "%s%s:%d: %s%s", t->lines->n ? "\n" : "", t->config->file,
                  config_line_of(t->config, "proxy", about_key ? "tls_private_key" : "tls_certificate"),
                  is_warning ? "warning: " : "", line);
}

bool front_load_tls(const struct config *c, struct http_server *http, struct buffer *lines)
{
    struct telling telling = { c, lines };
    struct http_tls_pair pairs[MAX_PAIRS];
    size_t n = c->tls_certificate.n;
    if (!n)
        return true;
    if (n > MAX_PAIRS) {
        say(&telling, 0, false, false, "more than 64 certificates");
        return false;
    }
    for (size_t i = 0; i < n; i++)
        pairs[i] = (struct http_tls_pair){ c->tls_certificate.word[i], c->tls_private_key.word[i] };
    return http_server_load_tls(http, pairs, n, say, &telling);
}

bool front_listen(const struct config *c, struct socket_activation *handed_in, struct http_server *server,
                  const struct config_words *addresses, const char *option, struct buffer *why)
{
    bool is_tls = strcmp(option, "listen_tls") == 0;
    int fd = socket_activation_take(handed_in, option);
    if (fd >= 0) {
        bool good = true;
        for (; good && fd >= 0; fd = good ? socket_activation_take(handed_in, option) : -1)
            good = http_server_inherit(server, fd, is_tls, why);
        return good;
    }
    for (size_t i = 0; i < addresses->n; i++) {
        if (!(is_tls ? http_server_listen_tls : http_server_listen)(server, addresses->word[i], why)) {
            buffer_printf(why, " (%s:%d)", c->file, config_line_of(c, "proxy", option));
            return false;
        }
    }
    return true;
}

/* The most connections to v3: each call that may go on asks for a list and the parts beside it at once, and the
 * connections stay open behind them. */
static int64_t most_connections(const struct config *c)
{
    int64_t most = 0;
    for (size_t i = 0; i < c->n_teams; i++)
        most += c->teams[i].concurrency;
    return ASK_COUNT * (most < c->max_connections ? most : c->max_connections);
}

void front_raise_descriptors(struct service *s)
{
    struct rlimit files;
    int64_t wanted = s->config->max_connections + most_connections(s->config) + OWN_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0 && getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    if (files.rlim_cur != RLIM_INFINITY && files.rlim_cur < (rlim_t)wanted)
        service_warn(s,
                     "warning: max_connections = %d and the teams' concurrency need about %" PRId64
                     " file descriptors, and the system allows %" PRIu64
                     "; raise its limit (LimitNOFILE= in systemd, ulimit -n) or lower them",
                     s->config->max_connections, wanted, (uint64_t)files.rlim_cur);
}

static void announce_memory(struct service *s, uint64_t cache_bytes)
{
    uint64_t each, front = http_server_most_bytes(s->http, &each), calls = s->memory.max;
    service_say(s,
                "memory: at most %" PRIu64 " MiB: %d connections of %" PRIu64 " KiB and answers on their way, %" PRIu64
                " MiB; calls at work, %" PRIu64 " MiB; caches, %" PRIu64 " MiB",
                (front + calls + cache_bytes) / MEBIBYTE, s->config->max_connections, each / 1024, front / MEBIBYTE,
                calls / MEBIBYTE, cache_bytes / MEBIBYTE);
}

/* What runs here: the first line of a start. */
static void announce_ourselves(struct service *s)
{
    enum { TEAMS_NAMED = 10 };
    struct buffer teams = { 0 };
    const struct config *c = s->config;
    uint32_t keys = ledger_keys_count(s->ledger);
    for (size_t i = 0; i < c->n_teams && i < TEAMS_NAMED; i++)
        buffer_printf(&teams, "%s%s", i ? ", " : ": ", c->teams[i].name);
    if (c->n_teams > TEAMS_NAMED)
        buffer_str(&teams, ", ...");
    service_say(s, "version " ANCHORAGE_VERSION ", configuration %s, %zu team%s%.*s; %" PRIu32 " key%s in %s", c->file,
                c->n_teams, c->n_teams == 1 ? "" : "s", SLICE_ARGS(buffer_slice(&teams)), keys, keys == 1 ? "" : "s",
                c->state_directory);
    buffer_clear(&teams);
}

void front_announce(struct service *s, uint64_t cache_bytes)
{
    struct buffer address = { 0 };
    announce_ourselves(s);
    for (size_t i = 0; http_server_address(s->http, i, &address); i++) {
        service_say(s, "listening on %.*s%s", SLICE_ARGS(buffer_slice(&address)),
                    http_server_is_tls(s->http, i) ? " with TLS" : "");
        address.n = 0;
    }
    buffer_clear(&address);
    announce_memory(s, cache_bytes);
}
