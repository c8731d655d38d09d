/* SPDX-License-Identifier: MIT
 *
 * The parameters of the endpoints, read and refused as API v3 does. Each returns false after it has
 * left the error in the call's answer. */
#ifndef SANDBOX_PARAMETERS_H
#define SANDBOX_PARAMETERS_H

#include "tests/sandbox/answer.h"

/* No offset, nothing twice, no history unless it is in `known`, only names of `known` (ends in NULL) where unknown ones
 * are refused, and an output that we have. */
[[nodiscard]] bool parameters_check(struct call *call, const char *const *known);

/* target, mode and protocol: the world and where in it. */
struct aim {
    struct target target;
    enum mode mode;
    enum protocol protocol;
    const struct world *world;
};
[[nodiscard]] bool parameters_aim(struct call *call, struct aim *aim);

/* history, into a scope that has its as_of. */
[[nodiscard]] bool parameters_history(struct call *call, struct scope *scope);

/* A whole number from 0; *value is the default before. */
[[nodiscard]] bool parameters_number(struct call *call, const char *name, uint64_t *value);

/* A required day, not after today. */
[[nodiscard]] bool parameters_date(struct call *call, struct day *day);

/* aggregation, as the kind of rows. */
[[nodiscard]] bool parameters_aggregation(struct call *call, enum rows *kind);

/* select and order_by: sets of columns of the call's report, in the order asked. Rows that are one link each have no
 * count of their group. */
struct selection {
    const struct report_column *columns[MAX_REPORT_COLUMNS];
    size_t n;
};
[[nodiscard]] bool parameters_select(struct call *call, enum rows kind, struct selection *selection);
[[nodiscard]] bool parameters_order(struct call *call, struct order *order);

/* where: NULL when there is none. */
[[nodiscard]] bool parameters_where(struct call *call, const struct filter **filter);

/* The order when nothing is asked. */
void parameters_default_order(const struct call *call, struct order *order);

/* The last second of a day. */
int64_t day_end(struct day day);

#endif
