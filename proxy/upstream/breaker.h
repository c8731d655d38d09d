/* SPDX-License-Identifier: MIT
 *
 * When not to ask at all. A gate is open, or shut until a time; then one request may go through as a probe,
 * and its end opens the gate or shuts it for longer. The breaker is a gate that counts failures. Pure: the
 * clock is passed in, in milliseconds.
 */
#ifndef ANCHORAGE_PROXY_UPSTREAM_BREAKER_H
#define ANCHORAGE_PROXY_UPSTREAM_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

struct gate {
    bool shut, probing;
    int64_t until_ms;          /* a probe may go from then on */
    int64_t pause_ms;          /* how long it was shut last */
    int64_t least_ms, most_ms; /* pauses double from one to the other */
};

/* Whether a request may go now; as a probe when the gate is still shut. Changes nothing. */
bool gate_lets(const struct gate *g, int64_t now_ms);

/* A request that gate_lets goes now. True: it is the probe, and its end must be told by gate_open,
 * gate_shut or gate_unprobed. */
bool gate_enter(struct gate *g);

void gate_open(struct gate *g);
void gate_shut(struct gate *g, int64_t now_ms);

/* The probe ended without telling anything: another may go. */
void gate_unprobed(struct gate *g);

/* How long until asking again makes sense; at least 1 while shut, 0 when open. */
int64_t gate_wait_ms(const struct gate *g, int64_t now_ms);

struct breaker {
    struct gate gate;
    uint32_t window; /* the last requests, newest in bit 0; 1 is a failure */
    uint32_t in_row; /* failures */
};

void breaker_init(struct breaker *b);

/* How a request ended that went out while the gate was open, or that was the probe. */
void breaker_note(struct breaker *b, bool failed, bool was_probe, int64_t now_ms);

#endif
