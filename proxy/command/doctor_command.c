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
#include "proxy/daemon/control.h"
#include "proxy/doctor/doctor.h"
#include "proxy/service/setup.h"

enum { CACHE_BYTES = 1024 * 1024 };

struct words {
    const char *team, *save;
    bool json;
};

static int usage(void)
{
    fputs("usage: anchorage doctor [--config FILE] [--team TEAM] [--save FILE] [--format text|json]\n\n"
          "What the v3 key, its plan and API v3 really do. Asks limits-and-usage and at most eight requests on\n"
          "ahrefs.com; neither costs units. Says what to do about what it finds, and remembers what it learns.\n\n"
          "  --team TEAM    the key of this team instead of the main one\n"
          "  --save FILE    also write the findings, without key or rows, for a bug report\n"
          "  --format       text (the default) or json\n",
          stderr);
    return EXIT_USAGE;
}

/* False when the words are wrong. */
static bool read_words(int argc, char **argv, struct words *w)
{
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (value && strcmp(argv[i], "--team") == 0)
            w->team = value;
        else if (value && strcmp(argv[i], "--save") == 0)
            w->save = value;
        else if (value && strcmp(argv[i], "--format") == 0 && strcmp(value, "json") == 0)
            w->json = true;
        else if (value && strcmp(argv[i], "--format") == 0 && strcmp(value, "text") == 0)
            w->json = false;
        else
            return false;
    }
    return true;
}

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
        buffer_printf(err, "anchorage: %.*s\n", SLICE_ARGS(buffer_slice(&why)));
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
        buffer_printf(err, "anchorage: %.*s\n", SLICE_ARGS(why.n ? buffer_slice(&why) : S("memory is out")));
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
        fprintf(stderr, "anchorage: %s: %s\n", file, strerror(errno));
    return ok;
}

int program_doctor(const struct config *config, int argc, char **argv)
{
    struct words w = { 0 };
    struct buffer out = { 0 }, err = { 0 };
    int status = EXIT_WRONG;
    if (!read_words(argc, argv, &w))
        return usage();
    const struct config_team *team = w.team ? config_team(config, slice_str(w.team)) : NULL;
    if (w.team && !team) {
        fprintf(stderr, "anchorage doctor: there is no [team %s] in %s\n", w.team, config->file);
        return EXIT_USAGE;
    }
    const char *words[] = { "doctor", w.team };
    if (control_ask(config->state_directory, w.team ? 2 : 1, words, S(""), NULL, NULL, &status, &out, &err) ==
        CONTROL_NO_DAEMON)
        status = run_here(config, team, &out, &err);
    struct slice json, text = slice_split(buffer_slice(&out), '\0', &json);
    struct buffer shown = { 0 };
    buffer_append(&shown, w.json ? json : text);
    if (!w.json)
        shown_clean(&shown, 0); /* v3's words stand in it */
    fwrite(shown.p ? shown.p : "", 1, shown.n, stdout);
    buffer_clear(&shown);
    fwrite(err.p ? err.p : "", 1, err.n, stderr);
    if (w.save && json.n && !save(w.save, json))
        status = EXIT_WRONG;
    buffer_clear(&out);
    buffer_clear(&err);
    return status;
}
