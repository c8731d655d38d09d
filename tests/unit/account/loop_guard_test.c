/* SPDX-License-Identifier: MIT
 * The upstream is not this proxy, by any of its addresses. */
#include "tests/unit/kit.h"

#include <event2/event.h>

#include "base/text.h"
#include "proxy/account/loop_guard.h"

static struct event_base *base;
static struct http_server *server;
static int port;

static void ignore(void *context, struct http_call *call, const struct http_request *request)
{
    (void)context, (void)call, (void)request;
}

static int begin(void **state)
{
    (void)state;
    const struct http_options options = { .max_connections = 1,
                                          .max_connections_per_address = 1,
                                          .on_request = ignore };
    struct buffer why = { 0 }, address = { 0 };
    kit_begin();
    kit_write("main.key", S("first"));
    kit_write("other.key", S("second"));
    base = event_base_new();
    server = http_server_new(base, &options);
    buffer_printf(&address, "unix:%s%c", kit_path("sock"), 0);
    assert_true(http_server_listen(server, "127.0.0.1:0", &why));
    assert_true(http_server_listen(server, address.p, &why));
    address.n = 0;
    assert_true(http_server_address(server, 0, &address));
    buffer_put(&address, '\0');
    port = atoi(strchr(address.p, ':') + 1);
    buffer_clear(&address);
    return port > 0 ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    http_server_free(server);
    event_base_free(base);
    kit_end();
    return 0;
}

/* Whether an upstream with this option at HOST:PORT leads back; its url is elsewhere when the option is `proxy`. */
static bool leads_back(const char *option, const char *host, int to_port)
{
    bool is_proxy = strcmp(option, "proxy") == 0;
    struct accounts a;
    struct buffer why = { 0 };
    const char *named = NULL;
    struct config *c = kit_config("[upstream]\nunits_per_month = 1\napi_key_file = main.key\n%s%s = http://%s:%d\n"
                                  "[team seo]\napi_key_file = other.key\n",
                                  is_proxy ? "url = https://api.example/v3\n" : "", option, host, to_port);
    assert_true(accounts_open(&a, base, c, 1 << 20, &why));
    assert_false(loop_guard_leads_back(&a, c, &named, &why)); /* nothing is forbidden yet */
    assert_true(loop_guard_forbid(&a, server));
    for (size_t i = 0; i < a.n; i++) /* every key's way to v3 */
        assert_int_equal(upstream_leads_back(a.list[i].upstream), upstream_leads_back(a.list[0].upstream));
    bool leads = loop_guard_leads_back(&a, c, &named, &why);
    if (leads) {
        assert_string_equal(named, option);
        kit_expect_in(&why, "leads back to an address that this proxy listens on itself");
    } else {
        assert_null(named);
        assert_int_equal(why.n, 0);
    }
    accounts_close(&a);
    config_free(c);
    return leads;
}

static void the_url_does_not_lead_back(void **state)
{
    (void)state;
    assert_true(leads_back("url", "127.0.0.1", port));
    assert_true(leads_back("url", "localhost", port));
    assert_false(leads_back("url", "127.0.0.1", port == 1 ? 2 : 1));
    assert_false(leads_back("url", "127.0.0.2", port)); /* another address of this machine */
}

static void a_proxy_in_between_does_not_lead_back(void **state)
{
    (void)state;
    assert_true(leads_back("proxy", "127.0.0.1", port));
    assert_false(leads_back("proxy", "127.0.0.1", port == 1 ? 2 : 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_url_does_not_lead_back, begin, end),
        cmocka_unit_test_setup_teardown(a_proxy_in_between_does_not_lead_back, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
