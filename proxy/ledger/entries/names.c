/* SPDX-License-Identifier: MIT
 * A hash table from texts to small numbers. */
#include "proxy/ledger/entries/names.h"

#include <stdlib.h>

void names_clear(struct names *t)
{
    for (int32_t i = 0; i < t->n; i++)
        free((void *)(uintptr_t)t->text[i].p);
    free(t->text);
    free(t->slots);
    *t = (struct names){ 0 };
}

int32_t names_find(const struct names *t, struct slice text)
{
    if (!t->n_slots)
        return -1;
    for (uint32_t i = (uint32_t)slice_hash(text);; i++) {
        int32_t slot = t->slots[i & (t->n_slots - 1)];
        if (!slot || slice_eq(t->text[slot - 1], text))
            return slot - 1;
    }
}

static void take_slot(struct names *t, int32_t number)
{
    uint32_t i = (uint32_t)slice_hash(t->text[number]);
    while (t->slots[i & (t->n_slots - 1)])
        i++;
    t->slots[i & (t->n_slots - 1)] = number + 1;
}

static bool grow(struct names *t)
{
    int32_t room = t->room ? t->room * 2 : 16;
    struct slice *text = realloc(t->text, (size_t)room * sizeof *text);
    if (!text)
        return false;
    t->text = text;
    int32_t *slots = calloc((size_t)room * 2, sizeof *slots);
    if (!slots)
        return false;
    free(t->slots);
    t->slots = slots;
    t->n_slots = (uint32_t)room * 2;
    t->room = room;
    for (int32_t i = 0; i < t->n; i++)
        take_slot(t, i);
    return true;
}

int32_t names_add(struct names *t, struct slice text)
{
    int32_t there = names_find(t, text);
    if (there >= 0)
        return there;
    if (t->n == t->room && !grow(t))
        return -1;
    char *copy = malloc(text.n + 1);
    if (!copy)
        return -1;
    if (text.n)
        memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    t->text[t->n] = slice_of(copy, text.n);
    take_slot(t, t->n);
    return t->n++;
}
