/* SPDX-License-Identifier: MIT
 * The daemon does the doctor's requests at its own rate when one runs; else they are done here. */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/shown.h"
#include "config/find.h"
#include "proxy/account/learnt.h"
#include "proxy/command/program.h"
#include "proxy/command/terminal.h"
#include "proxy/daemon/control.h"
#include "proxy/doctor/doctor.h"
#include "proxy/service/setup.h"

enum { CACHE_BYTES = 1024 * 1024 };

/* ---- without a daemon ---- */

struct here {
    struct event_base *base;
    struct accounts accounts;
    struct ledger_options options;
    struct ledger *ledger;
    struct doctor *doctor;
};

static void on_over(void *context)
{
    struct here *h = context;
    event_base_loopbreak(h->base);
}

static bool open_here(struct here *h, const struct config *config, struct buffer *why)
{
    h->base = event_base_new();
    if (!h->base || !setup_ledger_options(config, &h->options) ||
        !accounts_open(&h->accounts, h->base, config, CACHE_BYTES, why) ||
        !setup_become_owner(config->state_directory, why))
        return false;
    if (ledger_open(h->base, &h->options, &h->ledger, why) != LEDGER_OPENED)
        return false;
    learnt_read(config->state_directory, &h->accounts);
    return true;
}

static void close_here(struct here *h)
{
    ledger_close(h->ledger);
    doctor_free(h->doctor);
    accounts_close(&h->accounts);
    if (h->base)
        event_base_free(h->base);
    free((void *)(uintptr_t)h->options.teams);
}

/* Keep what it learnt for the next daemon. */
static void keep(struct here *h, const struct config *config, const struct account *a, struct buffer *err)
{
    struct buffer why = { 0 };
    bool was_later;
    int day = subscription_billing_day(&a->subscription, &was_later);
    if (a == &h->accounts.list[0] && day)
        (void)ledger_set_billing_day(h->ledger, day);
    if (!learnt_write(config->state_directory, &h->accounts, &why))
        buffer_printf(err, "anchorage doctor: %.*s\n", SLICE_ARGS(buffer_slice(&why)));
    buffer_clear(&why);
}

static int run_here(const struct config *config, const struct config_team *team, struct buffer *out, struct buffer *err)
{
    struct here h = { 0 };
    struct buffer why = { 0 }, json = { 0 };
    int status = EXIT_WRONG;
    signal(SIGPIPE, SIG_IGN);
    bool opened = open_here(&h, config, &why);
    struct account *a = !opened ? NULL : team ? accounts_of_team(&h.accounts, team) : &h.accounts.list[0];
    const struct doctor_place place = {
        .config = config, .account = a, .ledger = h.ledger, .is_main = a == h.accounts.list
    };
    if (opened)
        h.doctor = doctor_new(&place, on_over, &h);
    if (h.doctor) {
        event_base_dispatch(h.base);
        status = doctor_report(h.doctor, out, &json) ? EXIT_DONE : EXIT_WRONG;
        buffer_put(out, '\0');
        buffer_append(out, buffer_slice(&json));
        keep(&h, config, a, err);
    } else {
        buffer_printf(err, "anchorage doctor: %.*s\n", SLICE_ARGS(why.n ? buffer_slice(&why) : S("memory is out")));
    }
    close_here(&h);
    buffer_clear(&why);
    buffer_clear(&json);
    return status;
}

/* ---- the command ---- */

static bool save(const char *file, struct slice json)
{
    FILE *f = fopen(file, "we");
    bool ok = f && fwrite(json.p, 1, json.n, f) == json.n;
    if (f)
        ok = fclose(f) == 0 && ok;
    if (!ok)
        fprintf(stderr, "anchorage doctor: %s: %s\n", file, strerror(errno));
    return ok;
}

/* Also without a daemon, which would not know the team either. */
static int no_such_team(const struct config *config, const char *team)
{
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < config->n_teams; i++)
        if (words_is_near(slice_str(team), slice_str(config->teams[i].name), &best))
            nearest = config->teams[i].name;
    struct buffer said = { 0 };
    buffer_printf(&said, "anchorage doctor: no team \"%s\" is configured%s%s%s\n", team,
                  nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
    terminal_say(&said);
    buffer_clear(&said);
    return EXIT_WRONG;
}

int program_doctor(const struct config *config, const struct words *words)
{
    const char *name = words_value(words, "--team"), *file = words_value(words, "--save");
    const char *format = words_value(words, "--format");
    bool wants_json = format && strcmp(format, "json") == 0;
    struct buffer out = { 0 }, err = { 0 };
    int status = EXIT_WRONG;
    const struct config_team *team = name ? config_team(config, slice_str(name)) : NULL;
    if (name && !team)
        return no_such_team(config, name);
    const char *asked[] = { "doctor", name };
    if (control_ask(config->state_directory, name ? 2 : 1, asked, S(""), NULL, NULL, &status, &out, &err) ==
        CONTROL_NO_DAEMON)
        status = run_here(config, team, &out, &err);
    struct slice json, text = slice_split(buffer_slice(&out), '\0', &json);
    struct buffer shown = { 0 };
    buffer_append(&shown, wants_json ? json : text);
    if (!wants_json) {
        shown_clean(&shown, 0); /* v3's words stand in it */
        terminal_write(stdout, &shown);
    }
    fwrite(shown.p ? shown.p : "", 1, shown.n, stdout);
    buffer_clear(&shown);
    terminal_say(&err);
    if (file && json.n && !save(file, json))
        status = EXIT_WRONG;
    buffer_clear(&out);
    buffer_clear(&err);
    return status;
}
