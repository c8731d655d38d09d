/* SPDX-License-Identifier: MIT
 * Which team an address belongs to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/networks.h"

#define UPSTREAM "[upstream]\nunits_per_month = unlimited\n"

static struct config *parse(const char *text)
{
    struct buffer errors = { 0 };
    struct config *c = config_parse("a.conf", slice_str(text), &errors);
    if (!c)
        fail_msg("%.*s", SLICE_ARGS(buffer_slice(&errors)));
    return c;
}

static void expect(const struct config *c, const char *address, const char *team)
{
    const struct config_team *found = config_team_of_address(c, slice_str(address));
    const char *name = found ? found->name : "-";
    if (strcmp(name, team) != 0)
        fail_msg("%s is of %s, not of %s", address, name, team);
}

static void the_narrowest_network_counts(void **state)
{
    (void)state;
    struct config *c = parse(UPSTREAM "[team wide]\naddresses = 10.0.0.0/8 2001:db8::/32\n"
                                      "[team office]\naddresses = 10.1.0.0/16 10.3.0.0/25\n"
                                      "[team one]\naddresses = 10.1.2.7 2001:db8:0:1::/64 ::1\n"
                                      "[team none]\n"
                                      "[team mapped]\naddresses = ::ffff:192.0.2.0/120\n");
    expect(c, "10.0.0.0", "wide");
    expect(c, "10.1.2.6", "office");
    expect(c, "10.1.2.7", "one");
    expect(c, "10.1.2.8", "office");
    expect(c, "10.1.255.255", "office");
    expect(c, "10.2.0.0", "wide");
    expect(c, "10.3.0.127", "office");
    expect(c, "10.3.0.128", "wide");
    expect(c, "10.255.255.255", "wide");
    expect(c, "9.255.255.255", "-");
    expect(c, "11.0.0.0", "-");
    expect(c, "2001:db8::1", "wide");
    expect(c, "2001:db8:0:1::", "one");
    expect(c, "2001:db8:0:1:ffff:ffff:ffff:ffff", "one");
    expect(c, "2001:db8:0:2::", "wide");
    expect(c, "2001:db9::", "-");
    expect(c, "::1", "one");
    expect(c, "192.0.2.255", "mapped");
    expect(c, "::ffff:10.1.2.7", "one");
    expect(c, "unix", "-");
    expect(c, "", "-");
    expect(c, "10.1.2.0/24", "-");
    config_free(c);
}

static void the_families_are_apart(void **state)
{
    (void)state;
    struct config *c = parse(UPSTREAM "[team v6]\naddresses = ::/0\n");
    expect(c, "10.1.2.7", "-");
    expect(c, "::1", "v6");
    config_free(c);
    c = parse(UPSTREAM "[team v6]\naddresses = ::/0\n[team v4]\naddresses = 0.0.0.0/0\n");
    expect(c, "0.0.0.0", "v4");
    expect(c, "255.255.255.255", "v4");
    expect(c, "ffff::", "v6");
    config_free(c);
    c = parse(UPSTREAM "[team v4]\n");
    expect(c, "10.1.2.7", "-");
    config_free(c);
}

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static uint32_t mask_of(unsigned bits)
{
    return bits ? 0xFFFFFFFFu << (32 - bits) : 0;
}

static uint32_t first_of(const struct config_range *r)
{
    return (uint32_t)r->bytes[0] << 24 | (uint32_t)r->bytes[1] << 16 | (uint32_t)r->bytes[2] << 8 | r->bytes[3];
}

static struct config *parse_random(uint32_t *seed)
{
    enum { NETWORKS = 400 };
    struct buffer text = { 0 };
    uint64_t taken[NETWORKS];
    buffer_str(&text, UPSTREAM);
    for (int i = 0; i < NETWORKS; i++) {
        unsigned bits = 8 + next(seed) % 25;
        uint32_t a = (10u << 24 | (next(seed) & 0x00F0F0F0)) & mask_of(bits);
        bool again = false;
        taken[i] = (uint64_t)a << 8 | bits;
        for (int k = 0; k < i; k++)
            again |= taken[k] == taken[i];
        if (!again)
            buffer_printf(&text, "[team t%d]\naddresses = %u.%u.%u.%u/%u\n", i, a >> 24, a >> 16 & 255, a >> 8 & 255,
                          a & 255, bits);
    }
    buffer_put(&text, '\0');
    struct config *c = parse(text.p);
    buffer_clear(&text);
    return c;
}

static void many_networks_agree_with_a_plain_search(void **state)
{
    (void)state;
    uint32_t seed = 1;
    struct config *c = parse_random(&seed);
    assert_true(c->n_networks > 200);
    for (int i = 0; i < 20000; i++) {
        const struct config_range *near = &c->networks[next(&seed) % c->n_networks].range;
        uint32_t a = i % 2 ? first_of(near) - i / 2 % 2 : 10u << 24 | (next(&seed) & 0x00FFFFFF);
        const struct config_network *expected = NULL;
        for (size_t k = 0; k < c->n_networks; k++) {
            const struct config_network *one = &c->networks[k];
            if ((a & mask_of(one->range.bits)) == first_of(&one->range) &&
                (!expected || one->range.bits > expected->range.bits))
                expected = one;
        }
        char ip[32];
        snprintf(ip, sizeof ip, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
        expect(c, ip, expected ? expected->team->name : "-");
    }
    config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_narrowest_network_counts),
        cmocka_unit_test(the_families_are_apart),
        cmocka_unit_test(many_networks_agree_with_a_plain_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
