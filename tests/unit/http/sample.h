/* SPDX-License-Identifier: MIT
 *
 * Samples of request streams as files: a few lines on what is to happen, a line "---", then the stream. In the
 * stream line ends of the file mean nothing; \r \n \t \0 \\ \xHH are bytes, and \{N*TEXT} is TEXT N times.
 */
#ifndef ANCHORAGE_TESTS_UNIT_HTTP_SAMPLE_H
#define ANCHORAGE_TESTS_UNIT_HTTP_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/text.h"

struct sample {
    char name[1024];
    int status;   /* of the last answer */
    int requests; /* handed out, faults not counted */
    bool closes;
    struct buffer seen;  /* what the requests were */
    struct buffer bytes; /* the stream */
};

static inline size_t sample_escape(struct slice s, size_t at, struct buffer *out);

/* Decode until the closing brace of a repetition, or the end; returns where it stopped. */
static inline size_t sample_decode(struct slice s, size_t at, struct buffer *out)
{
    while (at < s.n && s.p[at] != '}') {
        if (s.p[at] == '\\') {
            at = sample_escape(s, at + 1, out);
        } else {
            if (s.p[at] != '\n')
                buffer_put(out, s.p[at]);
            at++;
        }
    }
    return at;
}

static inline size_t sample_escape(struct slice s, size_t at, struct buffer *out)
{
    static const char from[] = "rnt0\\", to[] = "\r\n\t\0\\";
    assert_true(at < s.n);
    const char *known = strchr(from, s.p[at]);
    if (known) {
        buffer_put(out, to[known - from]);
        return at + 1;
    }
    if (s.p[at] == 'x') {
        buffer_put(out, (char)(hex_value(s.p[at + 1]) * 16 + hex_value(s.p[at + 2])));
        return at + 3;
    }
    assert_int_equal(s.p[at], '{');
    size_t star = at + slice_find(slice_from(s, at), '*');
    size_t end = at;
    for (int n = atoi(s.p + at + 1); n > 0; n--)
        end = sample_decode(s, star + 1, out);
    return end + 1;
}

static inline void sample_line(struct sample *sample, struct slice line)
{
    struct slice value;
    struct slice name = slice_split(line, ':', &value);
    value = slice_trim(value);
    if (slice_eq(name, S("status"))) {
        sample->status = atoi(value.p);
    } else if (slice_eq(name, S("requests"))) {
        sample->requests = atoi(value.p);
    } else if (slice_eq(name, S("closes"))) {
        sample->closes = slice_eq(value, S("yes"));
    } else if (slice_eq(name, S("seen"))) {
        sample_decode(value, 0, &sample->seen);
        buffer_put(&sample->seen, '\n');
    } else if (!slice_starts(line, S("#"))) {
        fail_msg("%s: what is \"%.*s\"?", sample->name, SLICE_ARGS(line));
    }
}

static inline void sample_read(struct sample *sample, const char *path)
{
    static char text[65536];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = 0;
    *sample = (struct sample){ .status = 0 };
    snprintf(sample->name, sizeof sample->name, "%s", path);
    struct slice rest = slice_of(text, n), line;
    while (!slice_eq(line = slice_split(rest, '\n', &rest), S("---"))) {
        if (!rest.p)
            fail_msg("%s: there is no line of ---", path);
        sample_line(sample, line);
    }
    sample_decode(rest, 0, &sample->bytes);
}

/* Call `use` with each sample of tests/unit/http/FOLDER; returns how many there were. */
static inline int sample_each(const char *folder, void (*use)(const struct sample *sample))
{
    char path[1024];
    snprintf(path, sizeof path, "%s/tests/unit/http/%s", SOURCE_DIR, folder);
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort), used = 0;
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        if (slice_ends(slice_str(entries[i]->d_name), S(".txt"))) {
            struct sample sample;
            snprintf(path, sizeof path, "%s/tests/unit/http/%s/%s", SOURCE_DIR, folder, entries[i]->d_name);
            sample_read(&sample, path);
            use(&sample);
            buffer_clear(&sample.seen);
            buffer_clear(&sample.bytes);
            used++;
        }
        free(entries[i]);
    }
    free(entries);
    return used;
}

#endif
