/* SPDX-License-Identifier: MIT
 *
 * What the tests of the upper folders share: a folder of their own with files in it, and configurations.
 */
#ifndef ANCHORAGE_TESTS_UNIT_KIT_H
#define ANCHORAGE_TESTS_UNIT_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"

static char kit_folder[128];

static inline void kit_begin(void)
{
    const char *temporary = getenv("TMPDIR");
    snprintf(kit_folder, sizeof kit_folder, "%s/anchorage-test-XXXXXX", temporary ? temporary : "/tmp");
    assert_non_null(mkdtemp(kit_folder));
}

static inline int kit_remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static inline void kit_end(void)
{
    nftw(kit_folder, kit_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The path of a file in the folder; valid until the fourth call after this one. */
static inline const char *kit_path(const char *name)
{
    static char paths[4][256];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", kit_folder, name);
    return path;
}

static inline void kit_write(const char *name, struct slice bytes)
{
    FILE *f = fopen(kit_path(name), "we");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes.p, 1, bytes.n, f), bytes.n);
    assert_int_equal(fclose(f), 0);
}

/* What the file holds; NULL when there is none. The caller frees it. */
static inline char *kit_read(const char *name)
{
    FILE *f = fopen(kit_path(name), "re");
    if (!f)
        return NULL;
    char *text = calloc(1, 65536);
    text[fread(text, 1, 65535, f)] = '\0';
    fclose(f);
    return text;
}

/* A configuration in the folder, as test.conf. */
__attribute__((format(printf, 1, 2))) static inline struct config *kit_config(const char *format, ...)
{
    char text[4096];
    struct buffer errors = { 0 };
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct config *c = config_parse(kit_path("test.conf"), slice_str(text), &errors);
    buffer_put(&errors, '\0');
    if (!c)
        fail_msg("%s", errors.p);
    buffer_clear(&errors);
    return c;
}

/* Whether the buffer says just that; then it is empty again. */
static inline void kit_expect(struct buffer *b, const char *text)
{
    buffer_put(b, '\0');
    assert_string_equal(b->p, text);
    buffer_clear(b);
}

static inline void kit_expect_in(struct buffer *b, const char *part)
{
    buffer_put(b, '\0');
    if (!strstr(b->p, part))
        fail_msg("\"%s\" is not in: %s", part, b->p);
    buffer_clear(b);
}

#endif
