/* SPDX-License-Identifier: MIT
 * The gates before v3: one that counts failures, one for an empty month. */
#include "proxy/upstream/breaker.h"

enum { IN_ROW = 5, WINDOW = 20, OF_WINDOW = 10, LEAST_MS = 5000, MOST_MS = 60000, PROBING_MS = 1000 };

bool gate_lets(const struct gate *g, int64_t now_ms)
{
    return !g->shut || (!g->probing && now_ms >= g->until_ms);
}

bool gate_enter(struct gate *g)
{
    g->probing = g->shut;
    return g->shut;
}

void gate_open(struct gate *g)
{
    g->shut = g->probing = false;
    g->pause_ms = 0;
}

void gate_shut(struct gate *g, int64_t now_ms)
{
    g->pause_ms = g->pause_ms ? g->pause_ms * 2 : g->least_ms;
    g->pause_ms = g->pause_ms > g->most_ms ? g->most_ms : g->pause_ms;
    g->until_ms = now_ms + g->pause_ms;
    g->shut = true;
    g->probing = false;
}

void gate_unprobed(struct gate *g)
{
    g->probing = false;
}

int64_t gate_wait_ms(const struct gate *g, int64_t now_ms)
{
    if (!g->shut) {
        return 0;
    }
    if (g->until_ms > now_ms) {
        return g->until_ms - now_ms;
    }
    return g->probing ? PROBING_MS : 1;
}

void breaker_init(struct breaker *b)
{
    *b = (struct breaker){ .gate = { .least_ms = LEAST_MS, .most_ms = MOST_MS } };
}

static bool is_too_much(const struct breaker *b)
{
    return b->in_row >= IN_ROW || __builtin_popcount(b->window) >= OF_WINDOW;
}

void breaker_note(struct breaker *b, bool failed, bool was_probe, int64_t now_ms)
{
    if (b->gate.shut && !was_probe) {
        return; /* it set out before the gate was shut and tells nothing about now */
    }
    b->window = (b->window << 1 | failed) & ((1U << WINDOW) - 1);
    b->in_row = failed ? b->in_row + 1 : 0;
    if (was_probe ? failed : is_too_much(b)) {
        gate_shut(&b->gate, now_ms);
        b->window = b->in_row = 0;
    } else if (was_probe) {
        gate_open(&b->gate);
        b->window = b->in_row = 0;
    }
}
