/* SPDX-License-Identifier: MIT
 * From the configuration to what the rooms are made with. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

/* The limit that a container has, or 0. */
static size_t memory_of_group(void)
{
    unsigned long long bytes = 0;
    FILE *f = fopen("/sys/fs/cgroup/memory.max", "r");
    if (!f)
        return 0;
    if (fscanf(f, "%llu", &bytes) != 1)
        bytes = 0; /* "max" */
    fclose(f);
    return (size_t)bytes;
}

size_t setup_call_memory(const struct config *c)
{
    enum { MIB = 1024 * 1024, PART = 4, LEAST = 64 * MIB };
    if (c->call_memory_mib != CONFIG_AUTO)
        return (size_t)c->call_memory_mib * MIB;
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    size_t all = pages > 0 && size > 0 ? (size_t)pages * (size_t)size : 0, group = memory_of_group();
    if (group && (!all || group < all))
        all = group;
    return all / PART > LEAST ? all / PART : LEAST;
}
