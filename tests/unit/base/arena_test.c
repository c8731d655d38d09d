/* SPDX-License-Identifier: MIT
 * base/arena: the cap holds and is remembered, memory is aligned, what was adopted is put back newest first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"

static void allocations_do_not_overlap(void **state)
{
    (void)state;
    struct arena *a = arena_new(1 << 20);
    unsigned char *piece[300];
    for (size_t i = 0; i < 300; i++) {
        piece[i] = arena_alloc(a, i);
        assert_non_null(piece[i]);
        assert_int_equal((uintptr_t)piece[i] % _Alignof(max_align_t), 0);
        memset(piece[i], (int)(i & 0xFF), i);
    }
    for (size_t i = 0; i < 300; i++)
        for (size_t j = 0; j < i; j++)
            assert_int_equal(piece[i][j], i & 0xFF);
    assert_false(arena_failed(a));
    assert_true(arena_used(a) >= 300 * 299 / 2);
    arena_free(a);
}

static void a_big_piece_fits(void **state)
{
    (void)state;
    struct arena *a = arena_new(4 << 20);
    unsigned char *big = arena_zalloc(a, 3 << 20);
    assert_non_null(big);
    assert_int_equal(big[0] | big[(3 << 20) - 1], 0);
    assert_non_null(arena_alloc(a, 100));
    arena_free(a);
}

static void the_cap_holds(void **state)
{
    (void)state;
    struct arena *a = arena_new(10000);
    size_t got = 0;
    while (arena_alloc(a, 100))
        got += 100;
    assert_true(got >= 8000);
    assert_true(got <= 10000);
    assert_true(arena_used(a) <= 10000);
    assert_true(arena_failed(a));
    arena_free(a);
}

static void absurd_sizes_are_refused(void **state)
{
    (void)state;
    struct arena *a = arena_new(10000);
    assert_null(arena_alloc(a, 10001));
    assert_null(arena_alloc(a, SIZE_MAX));
    assert_null(arena_alloc(a, SIZE_MAX - 7));
    assert_null(arena_array(a, uint64_t, SIZE_MAX / 8 + 1));
    assert_null(arena_dup(a, slice_of("x", SIZE_MAX)).p);
    assert_true(arena_failed(a));
    arena_free(a);
}

/* A cap of all there is must not make sums wrap. */
static void no_cap(void **state)
{
    (void)state;
    struct arena *a = arena_new(SIZE_MAX);
    assert_null(arena_alloc(a, SIZE_MAX));
    assert_null(arena_alloc(a, SIZE_MAX - 15));
    assert_null(arena_alloc(a, SIZE_MAX - 40));
    assert_non_null(arena_alloc(a, 1));
    arena_free(a);
}

static void copies_end_in_nul(void **state)
{
    (void)state;
    struct arena *a = arena_new(10000);
    struct slice s = arena_dup(a, S("a\0b"));
    assert_int_equal(s.n, 3);
    assert_memory_equal(s.p, "a\0b", 4);
    struct slice empty = arena_dup(a, slice_of(NULL, 0));
    assert_non_null(empty.p);
    assert_int_equal(empty.n, 0);
    assert_int_equal(*empty.p, 0);
    struct slice text = arena_printf(a, "%s-%d", "x", 42);
    assert_int_equal(text.n, 4);
    assert_string_equal(text.p, "x-42");
    int *zeroes = arena_array(a, int, 10);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(zeroes[i], 0);
    arena_free(a);
}

static char put_back[8];
static size_t n_put_back;

static void put(void *object)
{
    put_back[n_put_back++] = *(char *)object;
}

static void adopted_are_put_back_newest_first(void **state)
{
    (void)state;
    n_put_back = 0;
    struct arena *a = arena_new(10000);
    static char objects[] = "abc";
    for (size_t i = 0; i < 3; i++)
        assert_true(arena_adopt(a, &objects[i], put));
    assert_int_equal(n_put_back, 0);
    arena_free(a);
    assert_int_equal(n_put_back, 3);
    assert_memory_equal(put_back, "cba", 3);
}

static void adopting_without_room_puts_at_once(void **state)
{
    (void)state;
    n_put_back = 0;
    static char object = 'x';
    struct arena *a = arena_new(8);
    assert_false(arena_adopt(a, &object, put));
    assert_int_equal(n_put_back, 1);
    arena_free(a);
    assert_int_equal(n_put_back, 1);
    arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_do_not_overlap),
        cmocka_unit_test(a_big_piece_fits),
        cmocka_unit_test(the_cap_holds),
        cmocka_unit_test(absurd_sizes_are_refused),
        cmocka_unit_test(no_cap),
        cmocka_unit_test(copies_end_in_nul),
        cmocka_unit_test(adopted_are_put_back_newest_first),
        cmocka_unit_test(adopting_without_room_puts_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
