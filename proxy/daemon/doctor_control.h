/* SPDX-License-Identifier: MIT
 *
 * A doctor inside the daemon is asked for over the control socket. One works at a time, and what it learns counts at
 * once.
 */
#ifndef ANCHORAGE_PROXY_DAEMON_DOCTOR_CONTROL_H
#define ANCHORAGE_PROXY_DAEMON_DOCTOR_CONTROL_H

#include "proxy/daemon/control.h"

struct doctor_control;
struct service;

/* NULL when memory is out. */
struct doctor_control *doctor_control_new(struct service *s);

/* Call it after ledger_close and before accounts_close. NULL is allowed. */
void doctor_control_free(struct doctor_control *c);

/* A control_command: its words are "doctor" and the name of a team or nothing. The output is the report as text, a NUL,
 * and the report as JSON. */
void doctor_control_run(void *control, int argc, const char *const *argv, ledger_command_done *done,
                        void *done_context);

#endif
