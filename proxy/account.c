/* SPDX-License-Identifier: MIT
 * Opening and closing what belongs to the v3 keys. */
#include "proxy/account.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "proxy/look.h"
#include "proxy/program.h"

/* ---- reading the keys ---- */

/* The key file of a team, or of nobody in particular, and where it was named. */
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
    if (setup_read_key(team ? team->api_key_file : config->api_key_file, key, why))
        return true;
    buffer_printf(why, " (%s:%d)", config->file, line_of(config, team));
    return false;
}

bool accounts_check(const struct config *config, struct buffer *out)
{
    bool ok = true;
    for (size_t i = 0; i <= config->n_teams; i++) {
        const struct config_team *team = i ? &config->teams[i - 1] : NULL;
        struct buffer *key = calloc(1, sizeof *key), why = { 0 };
        if (key && (!team || team->api_key_file) &&
            !setup_read_key(team ? team->api_key_file : config->api_key_file, key, &why)) {
            buffer_printf(out, "%s:%d: %s%s%s%.*s\n", config->file, line_of(config, team), team ? "[team " : "",
                          team ? team->name : "", team ? "] " : "", SLICE_ARGS(buffer_slice(&why)));
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
    if (a->look)
        look_soon(a->look);
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
    return a->upstream && a->cache;
}

/* A team may be called main, too. */
static void set_label(struct account *a, const struct config_team *team)
{
    bool is_main = team && strcmp(team->name, "main") == 0;
    snprintf(a->label, sizeof a->label, "%s%s", is_main ? "team " : "", team ? team->name : "main");
}

/* Find the account with this key among those read, or begin another. */
static struct account *account_of_key(struct accounts *a, struct buffer *keys, const struct buffer *key,
                                      const struct config_team *team, const char *key_file)
{
    for (size_t i = 0; i < a->n; i++)
        if (slice_eq(buffer_slice(&keys[i]), buffer_slice(key)))
            return &a->list[i];
    buffer_append(&keys[a->n], buffer_slice(key));
    if (keys[a->n].failed)
        return NULL;
    struct account *new = &a->list[a->n++];
    set_label(new, team);
    new->key_file = strdup(key_file);
    return new->key_file ? new : NULL;
}

static bool read_all(struct accounts *a, const struct config *config, struct buffer *keys, struct buffer *why)
{
    struct buffer *key = calloc(1, sizeof *key);
    bool ok = key && read_key(config, NULL, key, why) && account_of_key(a, keys, key, NULL, config->api_key_file);
    for (size_t i = 0; i < config->n_teams && ok; i++) {
        const struct config_team *team = &config->teams[i];
        a->of_team[i] = &a->list[0];
        if (!team->api_key_file)
            continue;
        explicit_bzero(key->p, key->n);
        key->n = 0;
        ok = read_key(config, team, key, why);
        if (ok)
            a->of_team[i] = account_of_key(a, keys, key, team, team->api_key_file);
        ok = ok && a->of_team[i];
    }
    if (key)
        forget(key, 1);
    return ok;
}

bool accounts_open(struct accounts *a, struct event_base *base, const struct config *config, size_t cache_bytes,
                   struct buffer *why)
{
    size_t most = config->n_teams + 1;
    struct buffer *keys = calloc(most, sizeof *keys);
    *a = (struct accounts){ .list = calloc(most, sizeof *a->list), .of_team = calloc(most, sizeof(struct account *)) };
    bool ok = keys && a->list && a->of_team && read_all(a, config, keys, why);
    for (size_t i = 0; i < a->n && ok; i++)
        ok = open_one(&a->list[i], base, config, buffer_slice(&keys[i]), cache_bytes / a->n, why);
    if (keys)
        forget(keys, most);
    return ok;
}

void accounts_close(struct accounts *a)
{
    for (size_t i = 0; i < a->n; i++) {
        upstream_free(a->list[i].upstream);
        cache_free(a->list[i].cache);
        free(a->list[i].key_file);
    }
    free(a->list);
    free(a->of_team);
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

void account_take(struct account *a, const struct subscription *s)
{
    bool another = a->subscription.plan[0] && s->plan[0] && strcmp(a->subscription.plan, s->plan) != 0;
    if (another)
        a->learnt_page_rows = 0;
    a->subscription = *s;
    a->looked_ms = clock_monotonic_ms();
}
