/* SPDX-License-Identifier: MIT
 * Folding: every code point, and the letters that are known for trouble. */
#include "mapping/fold.h"

#include <utf8proc.h>

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

/* ---- what regular expressions take for one without case ---- */

enum { CODE_POINTS = 0x110000, LONGEST = 4 };

/* A code point and what full case folding makes of it; those that it makes equal are one for simple folding, too, by
 * this or another version of Unicode. */
struct folding {
    utf8proc_int32_t to[LONGEST];
    utf8proc_int32_t letter;
};

static int by_folding(const void *a, const void *b)
{
    const struct folding *x = a, *y = b;
    for (int i = 0; i < LONGEST; i++)
        if (x->to[i] != y->to[i])
            return x->to[i] < y->to[i] ? -1 : 1;
    return x->letter < y->letter ? -1 : x->letter > y->letter;
}

static bool is_one(const struct folding *a, const struct folding *b)
{
    return memcmp(a->to, b->to, sizeof a->to) == 0;
}

/* `forms` of the class `of`: whether they are those that fold to c. */
static void check_forms(const struct folding *of, size_t n, uint32_t c)
{
    struct slice forms = fold_forms_apart(c);
    char room[8], own[8];
    struct slice folded = slice_of(own, utf8_encode(c, own));
    struct buffer expected = { 0 };
    bool apart = false;
    buffer_append(&expected, folded);
    for (size_t i = 0; i < n; i++) {
        char four[4];
        struct slice letter = slice_of(four, utf8_encode((uint32_t)of[i].letter, four));
        bool ours = slice_eq(fold(letter, room), folded);
        apart |= !ours;
        if (ours && (uint32_t)of[i].letter != c)
            buffer_append(&expected, letter);
    }
    if (!apart)
        expected.n = 0;
    if (!slice_eq(forms, buffer_slice(&expected)))
        fail_msg("U+%04X: \"%.*s\" instead of \"%.*s\"", c, SLICE_ARGS(forms), SLICE_ARGS(buffer_slice(&expected)));
    buffer_clear(&expected);
}

static struct folding folding_of(utf8proc_int32_t c)
{
    struct folding f = { .letter = c };
    int boundary = 0;
    assert_in_range(utf8proc_decompose_char(c, f.to, LONGEST, UTF8PROC_CASEFOLD, &boundary), 1, LONGEST);
    return f;
}

/* What v2's lower case makes one, usual matching takes for one, too; but for the letter that becomes two. */
static void what_folding_joins_is_joined(utf8proc_int32_t c)
{
    char four[4], room[8];
    size_t length;
    struct slice to = fold(slice_of(four, utf8_encode((uint32_t)c, four)), room);
    struct folding a = folding_of(c), b = folding_of((utf8proc_int32_t)utf8_decode(to.p, &length));
    if (c != 0x130)
        assert_true(length == to.n && is_one(&a, &b));
}

static void letters_apart_are_all_known(void **state)
{
    (void)state;
    struct folding *all = calloc(CODE_POINTS, sizeof *all);
    size_t n = 0, n_apart = 0, end;
    for (utf8proc_int32_t c = 0; c < CODE_POINTS; c++) {
        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        all[n++] = folding_of(c);
        what_folding_joins_is_joined(c);
    }
    qsort(all, n, sizeof *all, by_folding);
    for (size_t i = 0; i < n; i = end) {
        for (end = i + 1; end < n && is_one(&all[i], &all[end]); end++)
            continue;
        for (size_t k = i; k < end; k++) {
            char four[4], room[8];
            struct slice letter = slice_of(four, utf8_encode((uint32_t)all[k].letter, four));
            if (slice_eq(fold(letter, room), letter)) {
                check_forms(all + i, end - i, (uint32_t)all[k].letter);
                n_apart += fold_forms_apart((uint32_t)all[k].letter).n > 0;
            }
        }
    }
    assert_true(n_apart >= 44); /* all of the table, but for letters that a newer Unicode has put together */
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point),
        cmocka_unit_test(letters_known_for_trouble),
        cmocka_unit_test(the_worst_text_has_room),
        cmocka_unit_test(without_memory_there_is_no_text),
        cmocka_unit_test(letters_apart_are_all_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
