/* SPDX-License-Identifier: MIT
 *
 * The doctor inside the daemon: one at a time, asked for over the control socket; what it learns counts at once.
 */
#ifndef ANCHORAGE_PROXY_DAEMON_DOCTOR_CONTROL_H
#define ANCHORAGE_PROXY_DAEMON_DOCTOR_CONTROL_H

#include "proxy/daemon/control.h"

struct doctor_control;
struct service;

/* NULL when memory is out. */
struct doctor_control *doctor_control_new(struct service *s);

/* After ledger_close, before accounts_close. NULL is allowed. */
void doctor_control_free(struct doctor_control *c);

/* "doctor", and the name of a team or nothing: a control_command. The output is the report as text, a NUL, and as JSON.
 */
void doctor_control_run(void *control, int argc, const char *const *argv, ledger_command_done *done,
                        void *done_context);

#endif
