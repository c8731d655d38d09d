/* SPDX-License-Identifier: MIT
 * From the configuration to what the rooms are made with. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/program.h"

enum { MAX_KEY_BYTES = 4096, DEFAULT_BILLING_DAY = 1 };

static int64_t limit_of(int64_t configured)
{
    return configured < 0 ? LEDGER_NO_LIMIT : configured;
}

bool setup_ledger_options(const struct config *c, struct ledger_options *ret)
{
    struct ledger_team *teams = calloc(c->n_teams ? c->n_teams : 1, sizeof *teams);
    if (!teams)
        return false;
    for (size_t i = 0; i < c->n_teams; i++)
        teams[i] = (struct ledger_team){ .name = c->teams[i].name,
                                         .rows_per_month = limit_of(c->teams[i].rows_per_month),
                                         .units_per_month = limit_of(c->teams[i].units_per_month) };
    *ret = (struct ledger_options){
        .state_directory = c->state_directory,
        .relaxed = c->durability == DURABILITY_RELAXED,
        .units_per_month = limit_of(c->units_per_month),
        .billing_day = c->billing_day == CONFIG_AUTO ? DEFAULT_BILLING_DAY : c->billing_day,
        .keep_months = c->keep_months,
        .teams = teams,
        .n_teams = c->n_teams,
    };
    return true;
}

bool setup_read_key(const char *file, struct buffer *key, struct buffer *why)
{
    char bytes[MAX_KEY_BYTES];
    FILE *f = fopen(file, "re");
    if (!f) {
        buffer_printf(why, "cannot read the API v3 key: %s: %s", file, strerror(errno));
        return false;
    }
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    struct slice text = slice_trim(slice_of(bytes, n));
    bool ok = text.n > 0 && n < sizeof bytes;
    for (size_t i = 0; i < text.n; i++)
        ok &= (unsigned char)text.p[i] > ' ' && (unsigned char)text.p[i] < 0x7F;
    if (ok)
        buffer_append(key, text);
    else
        buffer_printf(why, "%s: this is no API v3 key: one word of printable characters is expected", file);
    explicit_bzero(bytes, sizeof bytes);
    return ok;
}

void setup_free_targets(const struct config *c, struct buffer *out)
{
    for (size_t i = 0; i < c->free_targets.n; i++) {
        if (i)
            buffer_put(out, ' ');
        buffer_str(out, c->free_targets.word[i]);
    }
}
