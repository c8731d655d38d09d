/* SPDX-License-Identifier: MIT
 * This file opens and closes what belongs to the v3 keys. */
#include "proxy/account/account.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "config/find.h"
#include "proxy/account/record_desk.h"
#include "proxy/account/secret_file.h"

/* ---- reading the keys ---- */

/* The line of the configuration that names the key file of a team; NULL stands for [upstream]. */
static int line_of(const struct config *config, const struct config_team *team)
{
    return team ? team->line : config_line_of(config, "upstream", "api_key_file");
}

static void forget(struct buffer *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (keys[i].p)
            explicit_bzero(keys[i].p, keys[i].n);
        buffer_clear(&keys[i]);
    }
    free(keys);
}

static bool read_key(const struct config *config, const struct config_team *team, struct buffer *key,
                     struct buffer *why)
{
    if (secret_file_read_key(team ? team->api_key_file : config->api_key_file, key, why))
        return true;
    int line = line_of(config, team);
    if (line)
        buffer_printf(why, " (%s:%d)", config->file, line);
    else
        buffer_printf(why, " (%s: api_key_file is not set)", config->file);
    return false;
}

/* Whether the file of team `i` is told of already. */
static bool is_known(const struct config *config, size_t i)
{
    const char *file = config->teams[i].api_key_file;
    bool known = strcmp(file, config->api_key_file) == 0;
    for (size_t k = 0; k < i && !known; k++)
        known = config->teams[k].api_key_file && strcmp(file, config->teams[k].api_key_file) == 0;
    return known;
}

bool accounts_check(const struct config *config, struct buffer *out)
{
    bool ok = true;
    for (size_t i = 0; i <= config->n_teams; i++) {
        const struct config_team *team = i ? &config->teams[i - 1] : NULL;
        if (team && (!team->api_key_file || is_known(config, i - 1)))
            continue;
        struct buffer *key = calloc(1, sizeof *key), why = { 0 };
        if (key && !secret_file_read_key(team ? team->api_key_file : config->api_key_file, key, &why)) {
            if (team)
                buffer_printf(out, "%s:%d: [team %s] ", config->file, team->line, team->name);
            else
                config_place(config, "upstream", "api_key_file", out);
            buffer_append(out, buffer_slice(&why));
            buffer_put(out, '\n');
            ok = false;
        }
        if (key)
            forget(key, 1);
        buffer_clear(&why);
    }
    return ok;
}

/* ---- opening ---- */

static void on_out_of_units(void *context)
{
    struct account *a = context;
    if (a->on_out_of_units)
        a->on_out_of_units(a->out_of_units_context);
}

/* Of a POST for target records. Where units went for what v3 calls free, nothing is free any more. */
static int64_t units_taken(void *context, const struct upstream_result *r, int64_t price, bool is_free,
                           int64_t whole_units)
{
    struct account *a = context;
    if (r->units < 0 || (!r->units && !r->cache_hit && !is_free))
        return -1;
    a->charges_free |= is_free && r->units > 0;
    int64_t full = price > REPORT_LEAST_UNITS ? price : REPORT_LEAST_UNITS;
    return !r->units || account_believes(a, r->units, full, whole_units) ? r->units : -1;
}

static bool open_one(struct account *a, struct event_base *base, const struct config *config, struct slice key,
                     size_t cache_bytes, struct buffer *why)
{
    struct upstream_options o = { .url = config->url,
                                  .api_key = key,
                                  .ca_file = config->ca_file,
                                  .proxy = config->upstream_proxy,
                                  .timeout_ms = config->upstream_timeout_ms,
                                  .requests_per_minute = config->requests_per_minute,
                                  .queue_timeout_ms = config->queue_timeout_ms,
                                  .on_out_of_units = on_out_of_units,
                                  .context = a };
    a->subscription = subscription_unknown();
    a->upstream = upstream_new(base, &o);
    if (!a->upstream)
        buffer_str(why, "libcurl does not start");
    a->cache = cache_new(cache_bytes);
    a->flights = flights_new(base);
    struct record_desk_options desk = {
        .upstream = a->upstream, .cache = a->cache, .taken = units_taken, .context = a
    };
    a->desk = a->upstream && a->cache ? record_desk_new(base, &desk) : NULL;
    return a->upstream && a->cache && a->flights && a->desk;
}

/* A team may be called main, too: its label is "team main". */
static void set_label(struct account *a, const struct config_team *team)
{
    bool is_main = team && strcmp(team->name, "main") == 0;
    snprintf(a->label, sizeof a->label, "%s%s", is_main ? "team " : "", team ? team->name : "main");
}

struct key_file {
    char *name;
    struct account *account;
};

static struct account *account_of_file(const struct accounts *a, const char *name)
{
    for (size_t i = 0; i < a->n_files; i++)
        if (strcmp(a->files[i].name, name) == 0)
            return a->files[i].account;
    return NULL;
}

struct account *accounts_of_team(const struct accounts *a, const struct config_team *team)
{
    return team->api_key_file ? account_of_file(a, team->api_key_file) : &a->list[0];
}

/* Find the account with this key among those read, or begin another. NULL when memory is out. */
static struct account *account_of_key(struct accounts *a, struct buffer *keys, const struct buffer *key,
                                      const struct config_team *team)
{
    for (size_t i = 0; i < a->n; i++)
        if (slice_eq(buffer_slice(&keys[i]), buffer_slice(key)))
            return &a->list[i];
    buffer_append(&keys[a->n], buffer_slice(key));
    if (keys[a->n].failed)
        return NULL;
    struct account *new = &a->list[a->n++];
    *new = (struct account){ 0 };
    set_label(new, team);
    return new;
}

/* Read a key file that was not read yet. */
static bool take_file(struct accounts *a, const struct config *config, const struct config_team *team,
                      struct buffer *keys, struct buffer *why)
{
    const char *name = team ? team->api_key_file : config->api_key_file;
    if (account_of_file(a, name))
        return true;
    struct buffer *key = calloc(1, sizeof *key);
    struct key_file *file = &a->files[a->n_files];
    bool ok = key && read_key(config, team, key, why);
    if (ok) {
        file->account = account_of_key(a, keys, key, team);
        file->name = strdup(name);
        ok = file->account && file->name;
        a->n_files += file->name != NULL;
    }
    if (key)
        forget(key, 1);
    return ok;
}

static bool read_all(struct accounts *a, const struct config *config, struct buffer *keys, struct buffer *why)
{
    bool ok = take_file(a, config, NULL, keys, why);
    for (size_t i = 0; i < config->n_teams && ok; i++)
        ok = !config->teams[i].api_key_file || take_file(a, config, &config->teams[i], keys, why);
    return ok;
}

bool accounts_open(struct accounts *a, struct event_base *base, const struct config *config, size_t cache_bytes,
                   struct buffer *why)
{
    size_t most = config->n_teams + 1;
    struct buffer *keys = calloc(most, sizeof *keys);
    *a = (struct accounts){ .list = calloc(most, sizeof *a->list), .files = calloc(most, sizeof *a->files) };
    bool ok = keys && a->list && a->files && read_all(a, config, keys, why);
    for (size_t i = 0; i < a->n && ok; i++)
        ok = open_one(&a->list[i], base, config, buffer_slice(&keys[i]), cache_bytes / a->n, why);
    if (keys)
        forget(keys, most);
    return ok;
}

void accounts_close(struct accounts *a)
{
    for (size_t i = 0; i < a->n; i++) {
        record_desk_free(a->list[i].desk);
        upstream_free(a->list[i].upstream);
        cache_free(a->list[i].cache);
        flights_free(a->list[i].flights);
    }
    free(a->list);
    for (size_t i = 0; i < a->n_files; i++)
        free(a->files[i].name);
    free(a->files);
    *a = (struct accounts){ 0 };
}

/* ---- what is known ---- */

int64_t account_page_rows(const struct account *a)
{
    int64_t cap = subscription_row_cap(slice_str(a->subscription.plan));
    if (cap < 0)
        return a->learnt_page_rows;
    return a->learnt_page_rows && a->learnt_page_rows < cap ? a->learnt_page_rows : cap;
}

bool account_believes(struct account *a, int64_t units, int64_t price, int64_t whole)
{
    enum { TIMES = 20 }; /* v3 may raise its prices, but not so */
    bool is_odd = units > TIMES * price || (whole >= 0 && units > whole);
    a->odd_prices += is_odd;
    if (is_odd)
        a->odd_units = units;
    return !is_odd;
}

bool account_shouts(struct account *a)
{
    enum { SHOUT_MS = 60000 };
    int64_t now_ms = clock_monotonic_ms();
    if (a->shouted_ms && now_ms - a->shouted_ms < SHOUT_MS)
        return false;
    a->shouted_ms = now_ms;
    return true;
}

void account_clean(const struct account *a, struct subscription *s)
{
    if (upstream_leaks(a->upstream, slice_str(s->plan)))
        s->plan[0] = '\0';
}

void account_take(struct account *a, const struct subscription *s)
{
    bool another = a->subscription.plan[0] && s->plan[0] && strcmp(a->subscription.plan, s->plan) != 0;
    if (another)
        a->learnt_page_rows = 0;
    a->subscription = *s;
    a->looked_ms = clock_monotonic_ms();
}
