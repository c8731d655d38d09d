/* SPDX-License-Identifier: MIT
 * The chain of sums. The bytes summed are part of the format of the books: never change them. */
#include "proxy/ledger/entries/chain.h"

#include <endian.h>

static char *put_number(char *to, uint64_t v)
{
    v = htole64(v);
    memcpy(to, &v, sizeof v);
    return to + sizeof v;
}

static char *put_text(char *to, struct slice s)
{
    to = put_number(to, s.n);
    if (s.n)
        memcpy(to, s.p, s.n);
    return to + s.n;
}

bool chain_sum(struct digester *d, struct buffer *scratch, uint64_t before, const struct entry *e, uint64_t *sum)
{
    const struct slice texts[] = { e->id,     e->ref,   e->team,    e->key,   e->client,     e->table,
                                   e->target, e->shape, e->paid_by, e->fault, e->approximate };
    const int64_t numbers[] = { e->seq,    e->time_ms,         e->kind,        e->via,     e->rows,
                                e->units,  e->units_predicted, e->units_alone, e->results, e->where,
                                e->having, e->duration_ms };
    enum { N_TEXTS = sizeof texts / sizeof texts[0], N_NUMBERS = sizeof numbers / sizeof numbers[0] };
    size_t n = 8 * (1 + N_TEXTS + N_NUMBERS);
    for (size_t i = 0; i < N_TEXTS; i++)
        n += texts[i].n;
    scratch->n = 0;
    char *start = buffer_reserve(scratch, n);
    if (!start) {
        scratch->failed = false;
        return false;
    }
    char *to = put_number(start, before);
    for (size_t i = 0; i < N_NUMBERS; i++)
        to = put_number(to, (uint64_t)numbers[i]);
    for (size_t i = 0; i < N_TEXTS; i++)
        to = put_text(to, texts[i]);
    struct digest digest = digest_of(d, slice_of(start, n));
    memcpy(sum, digest.b, sizeof *sum);
    *sum = le64toh(*sum);
    return true;
}
