/* SPDX-License-Identifier: MIT
 * Texts in XML: what becomes of each character, wherever it stands in a block of bytes. */
#include "kit.h"
#include "mapping/render.h"

static void put_form(struct buffer *b, uint32_t c, const char *bytes, size_t n)
{
    bool is_none = (c < 0x20 && c != '\t' && c != '\n') || c == 0xFFFE || c == 0xFFFF;
    buffer_append(b, c == '&'    ? S("&amp;")
                     : c == '<'  ? S("&lt;")
                     : c == '>'  ? S("&gt;")
                     : c == '\r' ? S("&#13;")
                     : is_none   ? S("\xEF\xBF\xBD")
                                 : slice_of(bytes, n));
}

/* `c` behind so many letters and before so many others. */
static void one(uint32_t c, size_t before, size_t behind)
{
    struct buffer text = { 0 }, want = { 0 }, got = { 0 };
    char bytes[4];
    size_t n = utf8_encode(c, bytes);
    buffer_str(&want, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><AhrefsApiResponse><error>");
    for (size_t i = 0; i < before; i++)
        buffer_put(&text, 'a');
    buffer_append(&want, buffer_slice(&text));
    buffer_append(&text, slice_of(bytes, n));
    put_form(&want, c, bytes, n);
    for (size_t i = 0; i < behind; i++) {
        buffer_put(&text, 'b');
        buffer_put(&want, 'b');
    }
    buffer_str(&want, "</error></AhrefsApiResponse>");
    render_error(OUTPUT_XML, buffer_slice(&text), &got);
    assert_slice_equal(buffer_slice(&got), buffer_slice(&want));
    buffer_clear(&text);
    buffer_clear(&want);
    buffer_clear(&got);
}

static void every_character(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10FFFF; c += c < 0x11000 ? 1 : 97)
        if (c < 0xD800 || c > 0xDFFF)
            one(c, c % 19, c % 3 * 8);
}

static void everywhere(void **state)
{
    static const uint32_t all[] = { 0,   '\t', '\n',   '\r',   0x1F,   '&',    '<',    '>',
                                    'x', 0xE4, 0xFFFC, 0xFFFD, 0xFFFE, 0xFFFF, 0x1F600 };
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        for (size_t before = 0; before < 36; before++)
            for (size_t behind = 0; behind < 20; behind++)
                one(all[i], before, behind);
}

/* Nothing reads behind a text that ends in the middle of a character, as only a mistake of ours could make it. */
static void a_cut_character_stands_as_it_is(void **state)
{
    (void)state;
    static const char *const texts[] = { "a\xEF", "a\xEF\xBF", "\xEF\xBF" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct buffer got = { 0 };
        char *exact = strdup(texts[i]);
        render_error(OUTPUT_XML, slice_str(exact), &got);
        assert_non_null(memmem(got.p, got.n, texts[i], strlen(texts[i])));
        free(exact);
        buffer_clear(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character),
        cmocka_unit_test(everywhere),
        cmocka_unit_test(a_cut_character_stands_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
