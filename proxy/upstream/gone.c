/* SPDX-License-Identifier: MIT
 * Paths of v3 and the targets that were not found there. */
#include "proxy/upstream/gone.h"

#include "base/text.h"

static struct gone_path *find(struct gone *g, uint64_t path)
{
    for (size_t i = 0; i < GONE_PATHS; i++) {
        if (g->paths[i].path == path) {
            return &g->paths[i];
        }
    }
    return NULL;
}

static uint64_t hash_of(struct slice s)
{
    uint64_t hash = slice_hash(s);
    return hash ? hash : 1;
}

/* The value of target=, still encoded: we encode equal ones alike. p NULL: there is none. */
static struct slice target_of(struct slice query)
{
    while (query.n) {
        struct slice value, name = slice_split(slice_split(query, '&', &query), '=', &value);
        if (slice_eq(name, S("target"))) {
            return value;
        }
    }
    return slice_of(NULL, 0);
}

static struct gone_path *take(struct gone *g, uint64_t path)
{
    struct gone_path *p = find(g, path);
    if (!p && !(p = find(g, 0))) {
        p = &g->paths[g->next++ % GONE_PATHS];
    }
    if (p->path != path) {
        *p = (struct gone_path){ .path = path };
    }
    return p;
}

bool gone_note_404(struct gone *g, struct slice request)
{
    struct slice query, path = slice_split(request, '?', &query), target = target_of(query);
    if (!target.n) {
        return true;
    }
    struct gone_path *p = take(g, hash_of(path));
    uint64_t hash = hash_of(target);
    if (p->n == GONE_TARGETS) {
        return true;
    }
    for (int i = 0; i < p->n; i++) {
        if (p->targets[i] == hash) {
            return false;
        }
    }
    p->targets[p->n++] = hash;
    return false;
}

void gone_note_answer(struct gone *g, struct slice request)
{
    struct slice query;
    struct gone_path *p = find(g, hash_of(slice_split(request, '?', &query)));
    if (p) {
        *p = (struct gone_path){ 0 };
    }
}
