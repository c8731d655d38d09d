/* SPDX-License-Identifier: MIT
 * The doctor answers at the daemon's control socket. */
#include "proxy/daemon/doctor_control.h"

#include <stdlib.h>

#include "proxy/daemon/key_watch.h"
#include "proxy/doctor/doctor.h"
#include "proxy/service/service.h"
#include "proxy/service/teams.h"

struct doctor_control {
    struct service *service;
    struct account *account;
    struct doctor *doctor;     /* the last one, at work or not */
    struct settings *settings; /* those it works by */
    ledger_command_done *done;
    void *done_context;
};

static void on_over(void *context)
{
    struct doctor_control *c = context;
    struct buffer out = { 0 }, json = { 0 };
    bool good = doctor_report(c->doctor, &out, &json);
    buffer_put(&out, '\0');
    buffer_append(&out, buffer_slice(&json));
    if (c->account->looked_ms)
        key_watch_apply(c->service, c->account);
    service_keep_learnt(c->service);
    c->done(c->done_context,
            &(struct ledger_answer){ .status = good ? EXIT_DONE : EXIT_WRONG, .out = buffer_slice(&out) });
    buffer_clear(&out);
    buffer_clear(&json);
}

static void refuse(ledger_command_done *done, void *context, int status, struct slice why)
{
    done(context, &(struct ledger_answer){ .status = status, .err = why });
}

void doctor_control_run(void *context, int argc, const char *const *argv, ledger_command_done *done, void *done_context)
{
    struct doctor_control *c = context;
    struct service *s = c->service;
    struct slice team = argc > 1 ? slice_str(argv[1]) : S("");
    struct team_queue *queue = team.n ? teams_find(s, team) : NULL;
    if (c->doctor && !doctor_is_over(c->doctor)) {
        refuse(done, done_context, EXIT_WRONG, S("anchorage: a doctor is at work already; wait for it\n"));
        return;
    }
    if (team.n && !queue) {
        refuse(done, done_context, EXIT_USAGE, S("anchorage: the running daemon has no such team\n"));
        return;
    }
    doctor_free(c->doctor);
    settings_put(c->settings);
    c->settings = settings_hold(s->settings);
    c->account = queue ? queue->account : &s->accounts.list[0];
    c->done = done;
    c->done_context = done_context;
    const struct doctor_place place = { .config = c->settings->config,
                                        .account = c->account,
                                        .ledger = s->ledger,
                                        .is_main = c->account == service_main_account(s) };
    c->doctor = doctor_new(&place, on_over, c);
    if (!c->doctor)
        refuse(done, done_context, EXIT_WRONG, S("anchorage: memory is out\n"));
}

struct doctor_control *doctor_control_new(struct service *s)
{
    struct doctor_control *c = calloc(1, sizeof *c);
    if (c)
        c->service = s;
    return c;
}

void doctor_control_free(struct doctor_control *c)
{
    if (!c)
        return;
    doctor_free(c->doctor);
    settings_put(c->settings);
    free(c);
}
