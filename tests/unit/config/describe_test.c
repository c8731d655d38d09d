/* SPDX-License-Identifier: MIT
 * config/anchorage.conf: what the option table yields, and a file to begin with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/describe.h"
#include "config/find.h"

static const char path[] = SOURCE_DIR "/config/anchorage.conf";

static struct buffer read_shipped(void)
{
    struct buffer text = { 0 };
    FILE *file = fopen(path, "rb");
    if (!file)
        return text;
    int c;
    while ((c = fgetc(file)) != EOF)
        buffer_put(&text, (char)c);
    fclose(file);
    return text;
}

static void update(const struct buffer *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text->p, 1, text->n, file), text->n);
    assert_int_equal(fclose(file), 0);
}

static void shipped_file_is_what_the_table_yields(void **state)
{
    (void)state;
    struct buffer described = { 0 };
    config_describe(&described);
    if (getenv("UPDATE_ANCHORAGE_CONF"))
        update(&described);
    struct buffer shipped = read_shipped();
    if (!slice_eq(buffer_slice(&described), buffer_slice(&shipped)))
        fail_msg("config/anchorage.conf differs from config/options.def; run this test with UPDATE_ANCHORAGE_CONF=1, "
                 "look at the difference and commit it");
    buffer_clear(&shipped);
    buffer_clear(&described);
}

/* Append `text` with every occurrence of `from` replaced; how many there were. */
static size_t replace(struct buffer *b, struct slice text, struct slice from, const char *to)
{
    size_t count = 0;
    while (text.n) {
        if (slice_starts(text, from)) {
            buffer_str(b, to);
            text = slice_from(text, from.n);
            count++;
        } else {
            buffer_put(b, text.p[0]);
            text = slice_from(text, 1);
        }
    }
    return count;
}

static void shipped_file_asks_for_units_only(void **state)
{
    (void)state;
    struct buffer text = read_shipped(), errors = { 0 };
    assert_null(config_parse("c", buffer_slice(&text), &errors));
    struct slice rest;
    struct slice line = slice_split(buffer_slice(&errors), '\n', &rest);
    assert_int_equal(rest.n, 0);
    if (!slice_ends(line, S("units_per_month must be set in [upstream]; a number of v3 units, or unlimited")))
        fail_msg("%.*s", SLICE_ARGS(line));
    buffer_clear(&errors);
    buffer_clear(&text);
}

static void shipped_file_works_once_filled(void **state)
{
    (void)state;
    struct buffer text = read_shipped(), filled = { 0 }, errors = { 0 };
    assert_int_equal(replace(&filled, buffer_slice(&text), S("\nunits_per_month ="), "\nunits_per_month = 2000000"), 1);
    struct config *c = config_parse(path, buffer_slice(&filled), &errors);
    if (!c)
        fail_msg("%.*s", SLICE_ARGS(buffer_slice(&errors)));
    assert_int_equal(c->units_per_month, 2000000);
    assert_int_equal(c->n_teams, 0);
    assert_string_equal(c->api_key_file, SOURCE_DIR "/config/v3.key");
    config_free(c);
    buffer_clear(&filled);
    buffer_clear(&text);
}

/* Every option is there, and the commented text is its default in a form that is taken. */
static void shipped_file_works_with_the_signs_taken_off(void **state)
{
    (void)state;
    struct buffer text = read_shipped(), open = { 0 }, filled = { 0 }, errors = { 0 };
    for (struct slice rest = buffer_slice(&text); rest.p;) {
        struct slice line = slice_split(rest, '\n', &rest);
        bool is_default = line.n > 1 && line.p[0] == ';' && line.p[1] != ' ';
        buffer_append(&open, is_default ? slice_from(line, 1) : line);
        buffer_put(&open, '\n');
    }
    assert_int_equal(replace(&filled, buffer_slice(&open), S("url = https://api.ahrefs.com/v3"), "url = http://[::1]"),
                     1);
    struct config *c = config_parse("anchorage.conf", buffer_slice(&filled), &errors);
    if (!c)
        fail_msg("%.*s", SLICE_ARGS(buffer_slice(&errors)));
    assert_int_equal(c->n_teams, 1);
    assert_string_equal(c->teams[0].name, "seo");
    for (size_t i = 0; i < config_options_count; i++) {
        const struct config_option *o = &config_options[i];
        if (o->section != CONFIG_SECTION_team && !config_line_of(c, config_section_name(o->section).p, o->name.p))
            fail_msg("%s stands nowhere in config/anchorage.conf", o->name.p);
    }
    config_free(c);
    buffer_clear(&filled);
    buffer_clear(&open);
    buffer_clear(&text);
}

static void lines_are_not_wide(void **state)
{
    (void)state;
    struct buffer text = { 0 };
    config_describe(&text);
    for (struct slice rest = buffer_slice(&text); rest.p;) {
        struct slice line = slice_split(rest, '\n', &rest);
        if (line.n > 120)
            fail_msg("wider than 120 columns: %.*s", SLICE_ARGS(line));
    }
    buffer_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_file_is_what_the_table_yields),
        cmocka_unit_test(shipped_file_asks_for_units_only),
        cmocka_unit_test(shipped_file_works_once_filled),
        cmocka_unit_test(shipped_file_works_with_the_signs_taken_off),
        cmocka_unit_test(lines_are_not_wide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
