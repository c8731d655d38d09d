/* SPDX-License-Identifier: MIT
 * A disk in memory. A file is what was synced and what came after; the directory likewise, for a name is on the disk
 * only after the directory was synced. */
#include "tests/crash/disk.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_FILES = 256, MAX_FD = 1024, MAX_NAME = 64, SECTOR = 512 };

struct change {
    const struct tape_record *record; /* a write or a truncate */
    const char *data;
};

struct file {
    struct buffer synced;
    struct change *changes;
    size_t n_changes, room;
};

/* A name is made, removed (file -1) or made another file's. */
struct naming {
    char name[MAX_NAME];
    int file;
};

struct disk {
    struct file files[MAX_FILES];
    int n_files;
    int of_fd[MAX_FD]; /* the file; -1: the directory */
    struct naming synced[MAX_FILES], since[MAX_FILES];
    int n_synced, n_since;
};

uint64_t disk_roll(uint64_t *dice, uint64_t n)
{
    *dice += 0x9E3779B97F4A7C15u;
    uint64_t z = *dice;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return n ? (z ^ z >> 31) % n : 0;
}

struct disk *disk_new(void)
{
    return calloc(1, sizeof(struct disk));
}

void disk_free(struct disk *d)
{
    for (int i = 0; i < d->n_files; i++) {
        buffer_clear(&d->files[i].synced);
        free(d->files[i].changes);
    }
    free(d);
}

static int find(const struct naming *names, int n, const char *name)
{
    while (--n >= 0 && strcmp(names[n].name, name) != 0)
        ;
    return n;
}

/* The file that has the name now, or -1. */
static int file_of(const struct disk *d, const char *name)
{
    int i = find(d->since, d->n_since, name);
    if (i >= 0)
        return d->since[i].file;
    i = find(d->synced, d->n_synced, name);
    return i >= 0 ? d->synced[i].file : -1;
}

static void set_name(struct naming *names, int *n, const char *name, int file)
{
    assert(*n < MAX_FILES);
    snprintf(names[*n].name, MAX_NAME, "%s", name);
    names[(*n)++].file = file;
}

static void apply(struct buffer *to, size_t at, const char *data, size_t n)
{
    if (at + n > to->n) {
        char *more = buffer_reserve(to, at + n - to->n);
        assert(more);
        memset(more, 0, at + n - to->n);
        to->n = at + n;
    }
    memcpy(to->p + at, data, n);
}

static void apply_whole(struct buffer *to, const struct change *c)
{
    size_t at = (size_t)c->record->at;
    if (c->record->kind == TAPE_WRITE) {
        apply(to, at, c->data, c->record->n);
    } else if (at <= to->n) {
        to->n = at;
    } else {
        apply(to, at - 1, "", 1);
    }
}

static void sync_names(struct disk *d)
{
    for (int i = 0; i < d->n_since; i++) {
        int at = find(d->synced, d->n_synced, d->since[i].name);
        if (at >= 0)
            d->synced[at].file = d->since[i].file;
        else
            set_name(d->synced, &d->n_synced, d->since[i].name, d->since[i].file);
    }
    d->n_since = 0;
}

static void sync_file(struct file *f)
{
    for (size_t i = 0; i < f->n_changes; i++)
        apply_whole(&f->synced, &f->changes[i]);
    f->n_changes = 0;
}

static void change(struct file *f, const struct tape_record *r, const char *data)
{
    if (f->n_changes == f->room) {
        f->room = f->room ? f->room * 2 : 64;
        f->changes = realloc(f->changes, f->room * sizeof *f->changes);
        assert(f->changes);
    }
    f->changes[f->n_changes++] = (struct change){ r, data };
}

static void open_file(struct disk *d, const struct tape_record *r, const char *name)
{
    int file = *name ? file_of(d, name) : -1;
    if (*name && file < 0) {
        assert(d->n_files < MAX_FILES);
        file = d->n_files++;
        set_name(d->since, &d->n_since, name, file);
    }
    d->of_fd[r->fd] = file;
}

void disk_play(struct disk *d, const struct tape_record *r, const char *data)
{
    char name[MAX_NAME], *to;
    snprintf(name, sizeof name, "%.*s", (int)r->n, r->n ? data : "");
    switch ((enum tape_kind)r->kind) {
    case TAPE_OPEN:
        open_file(d, r, name);
        break;
    case TAPE_WRITE:
    case TAPE_TRUNCATE:
        change(&d->files[d->of_fd[r->fd]], r, data);
        break;
    case TAPE_SYNC:
        if (d->of_fd[r->fd] < 0)
            sync_names(d);
        else
            sync_file(&d->files[d->of_fd[r->fd]]);
        break;
    case TAPE_UNLINK:
        set_name(d->since, &d->n_since, name, -1);
        break;
    case TAPE_RENAME:
        to = strndup(data + strlen(name) + 1, r->n - strlen(name) - 1);
        set_name(d->since, &d->n_since, to, file_of(d, name));
        set_name(d->since, &d->n_since, name, -1);
        free(to);
        break;
    }
}

/* ---- the power goes ---- */

static void apply_sectors(struct buffer *to, const struct change *c, uint64_t *dice)
{
    if (c->record->kind != TAPE_WRITE) {
        if (disk_roll(dice, 2))
            apply_whole(to, c);
        return;
    }
    uint64_t kept = disk_roll(dice, 5); /* of four: from none to all */
    for (uint64_t at = 0; at < c->record->n;) {
        uint64_t n = SECTOR - ((uint64_t)c->record->at + at) % SECTOR;
        n = n < c->record->n - at ? n : c->record->n - at;
        if (disk_roll(dice, 4) < kept)
            apply(to, (size_t)c->record->at + at, c->data + at, n);
        at += n;
    }
}

static void apply_torn(struct buffer *to, const struct file *f, uint64_t *dice)
{
    size_t whole = f->n_changes ? disk_roll(dice, f->n_changes) : 0;
    for (size_t i = 0; i < whole; i++)
        apply_whole(to, &f->changes[i]);
    if (whole < f->n_changes && f->changes[whole].record->kind == TAPE_WRITE)
        apply(to, (size_t)f->changes[whole].record->at, f->changes[whole].data,
              disk_roll(dice, f->changes[whole].record->n));
}

static void cut_file(const struct file *f, enum loss loss, uint64_t *dice, struct buffer *to)
{
    buffer_append(to, buffer_slice(&f->synced));
    if (loss == LOSS_TORN)
        apply_torn(to, f, dice);
    for (size_t i = 0; i < f->n_changes; i++) {
        if (loss == LOSS_NONE || (loss == LOSS_WRITES && disk_roll(dice, 2)))
            apply_whole(to, &f->changes[i]);
        else if (loss == LOSS_SECTORS)
            apply_sectors(to, &f->changes[i], dice);
    }
}

static void put_file(const char *directory, const char *name, const struct buffer *content)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert(fd >= 0);
    ssize_t n = write(fd, content->n ? content->p : "", content->n);
    assert(n == (ssize_t)content->n);
    close(fd);
}

void disk_cut(const struct disk *d, enum loss loss, uint64_t *dice, const char *directory)
{
    struct naming names[2 * MAX_FILES];
    int n = 0;
    for (int i = 0; i < d->n_synced; i++)
        set_name(names, &n, d->synced[i].name, d->synced[i].file);
    for (int i = 0; i < d->n_since; i++) {
        if (loss == LOSS_ALL || (loss != LOSS_NONE && disk_roll(dice, 2)))
            continue;
        int at = find(names, n, d->since[i].name);
        if (at >= 0)
            names[at].file = d->since[i].file;
        else
            set_name(names, &n, d->since[i].name, d->since[i].file);
    }
    for (int i = 0; i < n; i++) {
        if (names[i].file < 0)
            continue;
        struct buffer content = { 0 };
        cut_file(&d->files[names[i].file], loss, dice, &content);
        put_file(directory, names[i].name, &content);
        buffer_clear(&content);
    }
}
