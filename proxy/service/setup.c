/* SPDX-License-Identifier: MIT
 * The configuration becomes what the ledger and the service are made with. */
#include "proxy/service/setup.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/find.h"
#include "proxy/account/account.h"
#include "proxy/account/secret_file.h"

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
        .billing_day = c->billing_day == CONFIG_AUTO ? LEDGER_BILLING_DAY_KEPT : c->billing_day,
        .keep_months = c->keep_months,
        .teams = teams,
        .n_teams = c->n_teams,
    };
    return true;
}

void setup_free_targets(const struct config *c, struct buffer *out)
{
    for (size_t i = 0; i < c->free_targets.n; i++) {
        if (i)
            buffer_put(out, ' ');
        buffer_str(out, c->free_targets.word[i]);
    }
}

#define DAEMON_USER "anchorage" /* of the unit for systemd */

static const char *user_name(uid_t uid, char number[24])
{
    const struct passwd *user = getpwuid(uid);
    snprintf(number, 24, "%lld", (long long)uid);
    return user ? user->pw_name : number;
}

/* Whose the books in the directory are: theirs, or, as long as there are none, the directory's. False: it is not there.
 */
static bool find_owner(const char *state_directory, struct stat *st, struct stat *books)
{
    char path[4096];
    if (stat(state_directory, st) != 0)
        return false;
    snprintf(path, sizeof path, "%s/ledger.db", state_directory);
    if (stat(path, books) != 0)
        *books = *st;
    return true;
}

bool setup_become_owner(const char *state_directory, struct buffer *why)
{
    struct stat st, books;
    char number[24];
    if (!find_owner(state_directory, &st, &books)) {
        if (geteuid() != 0 || errno != ENOENT || !getpwnam(DAEMON_USER))
            return true;
        buffer_printf(why,
                      "%s is not there, and the books would be root's and not the daemon's; make it first: "
                      "install -d -m 0700 -o " DAEMON_USER " -g " DAEMON_USER " %s",
                      state_directory, state_directory);
        return false;
    }
    if (geteuid() != 0 && books.st_uid != geteuid()) {
        const char *user = user_name(books.st_uid, number);
        buffer_printf(why, "the books in %s are those of user %s; ask as that user: sudo -u %s%s anchorage ...",
                      state_directory, user, user[0] >= '0' && user[0] <= '9' ? "#" : "", user);
        return false;
    }
    if (geteuid() != 0 || st.st_uid == 0)
        return true;
    if (books.st_uid != st.st_uid) {
        buffer_printf(why,
                      "the books in %s are those of user %s, and not of its owner; put it right: chown -R %lld:%lld %s",
                      state_directory, user_name(books.st_uid, number), (long long)st.st_uid, (long long)st.st_gid,
                      state_directory);
        return false;
    }
    if (setgroups(1, &st.st_gid) == 0 && setgid(st.st_gid) == 0 && setuid(st.st_uid) == 0)
        return true;
    buffer_printf(why, "cannot become the owner of %s: %s", state_directory, strerror(errno));
    return false;
}

bool setup_has_books(const char *state_directory)
{
    char path[4096];
    struct stat st;
    snprintf(path, sizeof path, "%s/ledger.db", state_directory);
    return stat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* The memory limit of the container, or 0 when there is none. */
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

bool setup_files_are_good(const struct config *config, struct buffer *out)
{
    struct buffer secret = { 0 }, why = { 0 };
    bool ok = accounts_check(config, out);
    if (config->admin_token_file && !secret_file_read_token(config->admin_token_file, &secret, &why)) {
        config_place(config, "proxy", "admin_token_file", out);
        buffer_printf(out, "%.*s\n", SLICE_ARGS(buffer_slice(&why)));
        ok = false;
    }
    if (secret.p)
        explicit_bzero(secret.p, secret.n);
    buffer_clear(&secret);
    buffer_clear(&why);
    return ok;
}
