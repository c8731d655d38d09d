/* SPDX-License-Identifier: MIT
 * anchorage-sandbox: reads its options, listens, says so, and serves until it is told to end. */
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

#include "tests/sandbox/server.h"

static void on_signal(evutil_socket_t number, short what, void *ctx)
{
    (void)number;
    (void)what;
    event_base_loopbreak(ctx);
}

static bool write_port(const struct options *options, uint16_t port)
{
    if (!options->port_file)
        return true;
    FILE *file = fopen(options->port_file, "we");
    bool good = file && fprintf(file, "%u\n", port) > 0;
    if (file)
        good = !fclose(file) && good;
    if (!good)
        fprintf(stderr, "anchorage-sandbox: %s: %s\n", options->port_file, strerror(errno));
    return good;
}

static int serve(struct event_base *base, const struct options *options)
{
    struct server *server = server_new(base, options);
    if (!server)
        return 1;
    uint16_t port = server_port(server);
    bool good = write_port(options, port);
    if (good) {
        bool is_six = strchr(options->address, ':');
        printf("listening on http://%s%s%s:%u/v3\n", is_six ? "[" : "", options->address, is_six ? "]" : "", port);
        fflush(stdout);
        event_base_dispatch(base);
    }
    server_free(server);
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct options options;
    if (!options_read(argc, argv, &options))
        return 2;
    if (options.help) {
        options_help(stdout);
        return 0;
    }
    signal(SIGPIPE, SIG_IGN);
    struct event_base *base = event_base_new();
    struct event *term = evsignal_new(base, SIGTERM, on_signal, base);
    struct event *interrupt = evsignal_new(base, SIGINT, on_signal, base);
    event_add(term, NULL);
    event_add(interrupt, NULL);
    int code = serve(base, &options);
    event_free(term);
    event_free(interrupt);
    event_base_free(base);
    return code;
}
