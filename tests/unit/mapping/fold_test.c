/* SPDX-License-Identifier: MIT
 * Folding: every code point, and the letters that are known for trouble. */
#include "mapping/fold.h"

#include "tests/unit/mapping/kit.h"

static struct slice fold(struct slice text, char *room)
{
    return slice_of(room, fold_write(text, room));
}

static void every_code_point(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        char four[4], once[8], twice[16];
        struct slice text = slice_of(four, utf8_encode(c, four)), folded = fold(text, once);
        assert_true(folded.n && folded.n <= fold_room(text.n));
        assert_int_equal(utf8_valid_prefix(folded), folded.n);
        assert_int_equal(fold_changes(text), !slice_eq(text, folded));
        assert_false(fold_changes(folded));
        assert_slice_equal(fold(folded, twice), folded);
    }
}

static void letters_known_for_trouble(void **state)
{
    (void)state;
    static const struct {
        const char *text, *folded;
    } rows[] = {
        { "", "" },
        { "abc 123 ~", "abc 123 ~" },
        { "ABCXYZ@[`{", "abcxyz@[`{" },
        { "\u0130stanbul", "i\u0307stanbul" },          /* dotted capital I */
        { "I\u0131", "i\u0131" },                       /* no Turkish rules */
        { "stra\u00DFe", "stra\u00DFe" },               /* sharp s stays */
        { "\u1E9E", "\u00DF" },                         /* its capital */
        { "\u03A3\u039F\u03A3", "\u03C3\u03BF\u03C3" }, /* no final sigma */
        { "\u03C2", "\u03C2" },                         /* nor back */
        { "\u212A", "k" },                              /* the Kelvin sign shrinks */
        { "\u023A\u023E", "\u2C65\u2C66" },             /* these grow */
        { "\u01C5", "\u01C6" },                         /* title case */
        { "A\u0301", "a\u0301" },                       /* no normalisation */
        { "\U00010400", "\U00010428" },                 /* beyond the first plane */
        { "\uFF21", "\uFF41" },                         /* full width */
        { "\u041F\u0420\u0418", "\u043F\u0440\u0438" },
    };
    char room[64];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice text = slice_str(rows[i].text), want = slice_str(rows[i].folded);
        assert_slice_equal(fold(text, room), want);
        assert_int_equal(fold_changes(text), !slice_eq(text, want));
    }
}

static void the_worst_text_has_room(void **state)
{
    (void)state;
    struct arena *memory = arena_new(1 << 20);
    struct buffer b = { 0 };
    for (int i = 0; i < 1000; i++)
        buffer_str(&b, "\u0130\u023A");
    struct slice folded = fold_dup(buffer_slice(&b), memory);
    assert_non_null(folded.p);
    assert_int_equal(folded.n, 6000);
    assert_true(folded.n <= fold_room(b.n));
    buffer_clear(&b);
    arena_free(memory);
}

static void without_memory_there_is_no_text(void **state)
{
    (void)state;
    struct arena *memory = arena_new(16);
    assert_null(fold_dup(S("more than sixteen bytes"), memory).p);
    assert_non_null(fold_dup(S("few"), memory).p);
    arena_free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point),
        cmocka_unit_test(letters_known_for_trouble),
        cmocka_unit_test(the_worst_text_has_room),
        cmocka_unit_test(without_memory_there_is_no_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
