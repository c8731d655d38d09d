/* SPDX-License-Identifier: MIT
 * The doctor at the daemon's control socket. */
#include "proxy/daemon/doctor_control.h"

#include <stdlib.h>

#include "proxy/daemon/key_watch.h"
#include "proxy/doctor/doctor.h"
#include "proxy/service/service.h"

struct doctor_desk {
    struct service *service;
    struct account *account;
    struct doctor *doctor;     /* the last one */
    struct settings *settings; /* those it works by */
    ledger_command_done *done;
    void *done_context;
};

static void on_over(void *context)
{
    struct doctor_desk *desk = context;
    struct buffer out = { 0 }, json = { 0 };
    bool good = doctor_report(desk->doctor, &out, &json);
    buffer_put(&out, '\0');
    buffer_append(&out, buffer_slice(&json));
    if (desk->account->looked_ms)
        key_watch_apply(desk->service, desk->account);
    service_keep_learnt(desk->service);
    desk->done(desk->done_context,
               &(struct ledger_answer){ .status = good ? EXIT_DONE : EXIT_WRONG, .out = buffer_slice(&out) });
    buffer_clear(&out);
    buffer_clear(&json);
}

static void refuse(ledger_command_done *done, void *context, int status, struct slice why)
{
    done(context, &(struct ledger_answer){ .status = status, .err = why });
}

void doctor_desk_run(void *context, int argc, const char *const *argv, ledger_command_done *done, void *done_context)
{
    struct doctor_desk *desk = context;
    struct service *s = desk->service;
    struct slice team = argc > 1 ? slice_str(argv[1]) : S("");
    struct turns *turns = team.n ? service_turns(s, team) : NULL;
    if (desk->doctor && !doctor_is_over(desk->doctor)) {
        refuse(done, done_context, EXIT_WRONG, S("anchorage: a doctor is at work already; wait for it\n"));
        return;
    }
    if (team.n && !turns) {
        refuse(done, done_context, EXIT_USAGE, S("anchorage: the running daemon has no such team\n"));
        return;
    }
    doctor_free(desk->doctor);
    settings_put(desk->settings);
    desk->settings = settings_hold(s->settings);
    desk->account = turns ? turns->account : &s->accounts.list[0];
    desk->done = done;
    desk->done_context = done_context;
    const struct doctor_place place = { .config = desk->settings->config,
                                        .account = desk->account,
                                        .ledger = s->ledger,
                                        .is_main = desk->account == service_main_account(s) };
    desk->doctor = doctor_new(&place, on_over, desk);
    if (!desk->doctor)
        refuse(done, done_context, EXIT_WRONG, S("anchorage: memory is out\n"));
}

struct doctor_desk *doctor_desk_new(struct service *s)
{
    struct doctor_desk *desk = calloc(1, sizeof *desk);
    if (desk)
        desk->service = s;
    return desk;
}

void doctor_desk_free(struct doctor_desk *desk)
{
    if (!desk)
        return;
    doctor_free(desk->doctor);
    settings_put(desk->settings);
    free(desk);
}
