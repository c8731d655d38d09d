/* SPDX-License-Identifier: MIT
 *
 * One kit and what one client got, new for each test.
 */
#ifndef ANCHORAGE_TESTS_UNIT_HTTP_FIXTURE_H
#define ANCHORAGE_TESTS_UNIT_HTTP_FIXTURE_H

#include "kit.h"

static struct kit kit;
static struct got got;

static int begin(void **state)
{
    (void)state;
    memset(&kit, 0, sizeof kit);
    memset(&got, 0, sizeof got);
    return 0;
}

static int end(void **state)
{
    (void)state;
    kit_stop(&kit);
    return 0;
}

static UNUSED void connect_all(int *fds, int n)
{
    for (int i = 0; i < n; i++)
        fds[i] = kit_connect(&kit);
    KIT_UNTIL(&kit, http_server_connections(kit.server) == (size_t)n);
}

static UNUSED void close_all(const int *fds, int n)
{
    for (int i = 0; i < n; i++)
        close(fds[i]);
}

#endif
