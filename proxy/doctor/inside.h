/* SPDX-License-Identifier: MIT
 *
 * The inside of the doctor: doctor.c asks and reports, questions.c knows what to ask and how to read the answers.
 */
#ifndef ANCHORAGE_PROXY_DOCTOR_INSIDE_H
#define ANCHORAGE_PROXY_DOCTOR_INSIDE_H

#include "base/arena.h"
#include "proxy/account/own_request.h"
#include "proxy/doctor/doctor.h"

enum verdict { FINE, NOTE, WRONG };

struct finding {
    const char *name;
    enum verdict verdict;
    struct slice found, advice; /* advice may be empty */
};

enum { MAX_FINDINGS = 32, SAMPLE_ROWS = 100 };

/* Rows of one answer. */
struct sample {
    int n;
    struct slice anchor[SAMPLE_ROWS];
    int64_t links[SAMPLE_ROWS];
};

struct doctor {
    struct doctor_place place;
    void (*done)(void *context);
    void *context;
    struct own_request ask;
    struct arena *memory;
    int question; /* index of the one under way; -1: the one for limits */
    int requests;
    bool is_over;
    int64_t units; /* what the questions cost after all */
    struct finding findings[MAX_FINDINGS];
    int n_findings;

    struct sample order, top, exact; /* rows by anchor; rows by links; all rows of one page */
    struct sample answer;            /* rows of the question under way */
    bool knows_case;
    int pivot; /* the row of `order` that the next page was asked to begin behind */
};

/* A question, and how its answer is read. */
struct doctor_question {
    const char *name;
    /* Append path and query; false when the question need not be asked. */
    bool (*ask)(struct doctor *d, struct buffer *path);
    void (*read)(struct doctor *d, const struct own_answer *answer);
};

extern const struct doctor_question doctor_questions[];
extern const int doctor_n_questions;

/* Add a finding. The advice may be "". */
void doctor_say(struct doctor *d, const char *name, enum verdict verdict, struct slice found, const char *advice);

/* Text for `found`. */
#define FOUND(d, ...) arena_printf((d)->memory, __VA_ARGS__)

#endif
