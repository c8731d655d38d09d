/* SPDX-License-Identifier: MIT
 * The last step of reading a configuration: rules between options. */
#include "config/check.h"

#include <stdlib.h>

#include "config/address.h"
#include "config/find.h"
#include "config/networks.h"

struct check {
    const struct config *c;
    const struct config_read_lines *lines;
    struct config_errors *errors;
};

static int read_line_of(const struct check *k, enum config_section section, struct slice name)
{
    return k->lines->options[config_option_find(section, name) - config_options];
}

/* A refused value says nothing about what was meant: rules that need it are not looked at. */
static bool refused(const struct check *k, enum config_section section, struct slice name)
{
    return read_line_of(k, section, name) < 0;
}

/* The option's line, or where its section begins. */
static int line_near(const struct check *k, enum config_section section, struct slice name)
{
    int line = abs(read_line_of(k, section, name));
    return line ? line : k->lines->sections[section];
}

static void check_units(const struct check *k)
{
    if (k->c->units_per_month != CONFIG_UNSET || config_upstream_is_loopback(k->c) ||
        refused(k, CONFIG_SECTION_upstream, S("units_per_month")) || refused(k, CONFIG_SECTION_upstream, S("url")))
        return;
    config_error(k->errors, line_near(k, CONFIG_SECTION_upstream, S("units_per_month")),
                 "units_per_month must be set in [upstream]; a number of v3 units, or unlimited");
}

static void check_unknown_keys(const struct check *k)
{
    if (k->c->unknown_keys != UNKNOWN_KEYS_METER)
        return;
    const struct config_team *team = config_team(k->c, S("unassigned"));
    if (team && (team->rows_per_month != CONFIG_UNLIMITED || team->units_per_month != CONFIG_UNLIMITED))
        return;
    int line = team ? team->line : line_near(k, CONFIG_SECTION_proxy, S("unknown_keys"));
    config_error(k->errors, line,
                 "unknown_keys = meter needs a limit; [team unassigned] with rows_per_month or "
                 "units_per_month");
}

static void check_tls(const struct check *k)
{
    const struct config *c = k->c;
    if (refused(k, CONFIG_SECTION_proxy, S("listen_tls")) || refused(k, CONFIG_SECTION_proxy, S("tls_certificate")) ||
        refused(k, CONFIG_SECTION_proxy, S("tls_private_key")))
        return;
    if (c->tls_certificate.n != c->tls_private_key.n)
        config_error(k->errors, line_near(k, CONFIG_SECTION_proxy, S("tls_certificate")),
                     "tls_certificate names %zu and tls_private_key %zu; a key for each certificate, in the same order",
                     c->tls_certificate.n, c->tls_private_key.n);
    else if (c->listen_tls.n && !c->tls_certificate.n)
        config_error(k->errors, line_near(k, CONFIG_SECTION_proxy, S("listen_tls")),
                     "listen_tls has no certificate; tls_certificate and tls_private_key");
}

static void check_admin(const struct check *k)
{
    const struct config *c = k->c;
    if (c->admin_token_file || refused(k, CONFIG_SECTION_proxy, S("admin_token_file")))
        return;
    for (size_t i = 0; i < c->admin.n; i++) {
        if (config_listen_is_local(slice_str(c->admin.word[i])))
            continue;
        config_error(k->errors, line_near(k, CONFIG_SECTION_proxy, S("admin")),
                     "admin: %s is open to other machines and needs admin_token_file; a loopback address, "
                     "for example 127.0.0.1:9480",
                     c->admin.word[i]);
    }
}

/* Port 0 is another port each time. */
static bool same_place(const char *a, const char *b)
{
    return strcmp(a, b) == 0 && !slice_ends(slice_str(a), S(":0"));
}

/* No address may stand twice, be it in one list or in two. */
static void check_addresses(const struct check *k)
{
    const struct {
        struct slice name;
        const struct config_words *words;
    } lists[] = { { SLICE("listen"), &k->c->listen },
                  { SLICE("listen_tls"), &k->c->listen_tls },
                  { SLICE("admin"), &k->c->admin } };
    const char *seen[64];
    size_t n = 0;
    for (size_t l = 0; l < sizeof lists / sizeof lists[0]; l++) {
        for (size_t i = 0; i < lists[l].words->n; i++) {
            const char *address = lists[l].words->word[i];
            int line = line_near(k, CONFIG_SECTION_proxy, lists[l].name);
            if (n == sizeof seen / sizeof seen[0]) {
                config_error(k->errors, line, "too many addresses to listen on; at most %zu in all", n);
                return;
            }
            for (size_t j = 0; j < n; j++) {
                if (same_place(seen[j], address)) {
                    config_error(k->errors, line, "%.*s: %s is listened on already; each address once",
                                 SLICE_ARGS(lists[l].name), address);
                    break;
                }
            }
            seen[n++] = address;
        }
    }
}

static void check_teams(const struct check *k)
{
    const struct config_team *const *teams = k->c->teams_by_name, *first = NULL;
    for (size_t i = 0; i < k->c->n_teams; i++) {
        if (first && strcmp(first->name, teams[i]->name) == 0)
            config_error(k->errors, teams[i]->line, "[team %s] again, first in line %d; one section a team",
                         first->name, first->line);
        else
            first = teams[i];
    }
}

/* A network in two teams would be nobody's. */
static void check_networks(const struct check *k)
{
    for (size_t i = 1; i < k->c->n_networks; i++) {
        const struct config_network *one = &k->c->networks[i - 1], *two = &k->c->networks[i];
        if (memcmp(&one->range, &two->range, sizeof one->range) != 0)
            continue;
        config_error(k->errors, two->team->line,
                     "addresses of [team %s]: %s belongs to [team %s] already, line %d; each network once",
                     two->team->name, two->text, one->team->name, one->team->line);
    }
}

/* Keys may be of team *, but no call ends up there: a limit on it would hold nothing back. */
static void check_star(const struct check *k)
{
    const struct config_team *team = config_team(k->c, S("*"));
    if (team && (team->rows_per_month != CONFIG_UNLIMITED || team->units_per_month != CONFIG_UNLIMITED ||
                 team->addresses.n || team->api_key_file))
        config_error(k->errors, team->line,
                     "[team *] has no calls of its own; limits, addresses and a v3 key belong to the teams that the "
                     "calls are booked to, or to [team unassigned]");
}

void config_check(const struct config *c, const struct config_read_lines *lines, struct config_errors *errors)
{
    const struct check k = { c, lines, errors };
    check_teams(&k);
    check_networks(&k);
    check_star(&k);
    check_addresses(&k);
    check_tls(&k);
    check_admin(&k);
    check_unknown_keys(&k);
    check_units(&k);
}
