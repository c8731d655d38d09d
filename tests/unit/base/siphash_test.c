/* SPDX-License-Identifier: MIT
 * base/siphash: the published vectors, every length of a text, and what the tables of a process make of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/siphash.h"
#include "base/slice.h"

/* The vectors that implementations of SipHash-1-3 share: the key is the bytes 0 to 15, text number n the bytes 0 to
 * n - 1. */
static const uint64_t vectors[64] = {
    0xABAC0158050FC4DC, 0xC9F49BF37D57CA93, 0x82CB9B024DC7D44D, 0x8BF80AB8E7DDF7FB, 0xCF75576088D38328,
    0xDEF9D52F49533B67, 0xC50D2B50C59F22A7, 0xD3927D989BB11140, 0x369095118D299A8E, 0x25A48EB36C063DE4,
    0x79DE85EE92FF097F, 0x70C118C1F94DC352, 0x78A384B157B4D9A2, 0x306F760C1229FFA7, 0x605AA111C0F95D34,
    0xD320D86D2A519956, 0xCC4FDD1A7D908B66, 0x9CF2689063DBD80C, 0x8FFC389CB473E63E, 0xF21F9DE58D297D1C,
    0xC0DC2F46A6CCE040, 0xB992ABFE2B45F844, 0x7FFE7B9BA320872E, 0x525A0E7FDAE6C123, 0xF464AEB267349C8C,
    0x45CD5928705B0979, 0x3A3E35E3CA9913A5, 0xA91DC74E4ADE3B35, 0xFB0BED02EF6CD00D, 0x88D93CB44AB1E1F4,
    0x540F11D643C5E663, 0x2370DD1F8C21D1BC, 0x81157B6C16A7B60D, 0x4D54B9E57A8FF9BF, 0x759F12781F2A753E,
    0xCEA1A3BEBF186B91, 0x2CF508D3ADA26206, 0xB6101C2DA3C33057, 0xB3F47496AE3A36A1, 0x626B57547B108392,
    0xC1D2363299E41531, 0x667CC1923F1AD944, 0x65704FFEC8138825, 0x24F280D1C28949A6, 0xC2CA1CEDFAF8876B,
    0xC2164BFC9F042196, 0xA16E9C9368B1D623, 0x49FB169C8B5114FD, 0x9F3143F8DF074C46, 0xC6FDAF2412CC86B3,
    0x7EAF49D10A52098F, 0x1CF313559D292F9A, 0xC44A30DDA2F41F12, 0x36FAE98943A71ED0, 0x318FB34C73F0BCE6,
    0xA27ABF3670A7E980, 0xB4BCC0DB243C6D75, 0x23F8D852FDB71513, 0x8F035F4DA67D8A08, 0xD89CD0E5B7E8F148,
    0xF6F4E6BCF7A644EE, 0xAEC59AD80F1837F2, 0xC3B2F6154B6694E0, 0x9D199062B7BBB3A8,
};

static const struct siphash_key key = { 0x0706050403020100, 0x0F0E0D0C0B0A0908 };

static void the_published_vectors(void **state)
{
    (void)state;
    for (size_t n = 0; n < 64; n++) {
        char *text = malloc(n + 1); /* of just this size, so that a look beyond it is seen */
        for (size_t i = 0; i < n; i++)
            text[i] = (char)i;
        assert_true(siphash_1_3(key, text, n) == vectors[n]);
        free(text);
    }
    assert_true(siphash_1_3(key, NULL, 0) == vectors[0]);
}

static void the_key_counts(void **state)
{
    (void)state;
    struct siphash_key other = key;
    other.high ^= 1u << 31;
    assert_true(siphash_1_3(other, "", 0) != vectors[0]);
    other = (struct siphash_key){ key.low ^ 1, key.high };
    assert_true(siphash_1_3(other, "", 0) != vectors[0]);
    slice_hash_key((const uint64_t[]){ key.low, key.high });
    assert_true(slice_hash(S("\0\1\2")) == vectors[3]);
    slice_hash_key((const uint64_t[]){ 0, 0 });
    assert_true(slice_hash(S("\0\1\2")) != vectors[3]);
}

/* A product hash lets the highest bit of two blocks cancel out whatever its seed is. */
static void blocks_do_not_cancel_out(void **state)
{
    (void)state;
    uint64_t seen[256];
    for (unsigned n = 0; n < 256; n++) {
        char text[64] = { 0 };
        for (unsigned bit = 0; bit < 8; bit++)
            text[bit * 8 + 7] = (char)(n >> bit & 1 ? 0x80 : 0);
        seen[n] = siphash_1_3(key, text, sizeof text);
        for (unsigned m = 0; m < n; m++)
            assert_true(seen[m] != seen[n]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_vectors),
        cmocka_unit_test(the_key_counts),
        cmocka_unit_test(blocks_do_not_cancel_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
