/* SPDX-License-Identifier: MIT
 * Lists that v3 sorts by one column: a play of v3 with few ratings for many pages, and every row once, in the order of
 * two. */
#include "mapping/walk.h"

#include <stdio.h>

#include "tests/unit/mapping/kit.h"

enum { PAGES = 257, MOST = 100, URL_BYTES = 32 };

struct page {
    char url[URL_BYTES];
    double rating;
    int code;
};

/* How v3 fails. */
enum manner { HONEST, FINDS_NO_EQUAL, IGNORES_WHERE };

struct play {
    struct page pages[PAGES];
    enum manner manner;
    struct page answer[MOST];
    int n_answer, requests;
    struct page came[PAGES * 2];
    int n_came;
};

/* Ratings: a large group, some alike, and some alone. */
static void make_pages(struct play *p)
{
    for (int i = 0; i < PAGES; i++) {
        struct page *page = &p->pages[i];
        int place = i * 101 % PAGES; /* v3 has them in no order of ours */
        snprintf(page->url, sizeof page->url, "https://example.com/%03d", place);
        page->rating = place % 3 == 0 ? 0 : place % 3 == 1 ? (place % 7) * 1.5 : 10 + place / 10.0;
        page->code = place % 5 ? 200 : 404;
    }
}

static struct slice decoded(struct slice path, struct arena *memory)
{
    char *to = arena_alloc(memory, path.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] == '%') {
            to[n++] = (char)(hex_value(path.p[i + 1]) * 16 + hex_value(path.p[i + 2]));
            i += 2;
        } else {
            to[n++] = path.p[i];
        }
    }
    to[n] = '\0';
    return slice_of(to, n);
}

static int compare_to(const struct page *page, const char *field, const char *value)
{
    if (!strcmp(field, "url"))
        return strcmp(page->url, value);
    double number = !strcmp(field, "url_rating") ? page->rating : page->code, want = strtod(value, NULL);
    return (number > want) - (number < want);
}

/* Whether the page meets every condition in the request. */
static bool meets(const struct play *p, const struct page *page, const char *request)
{
    for (const char *at = strstr(request, "{\"field\":"); at; at = strstr(at + 1, "{\"field\":")) {
        char field[20], word[5], value[URL_BYTES];
        if (sscanf(at, "{\"field\":\"%19[a-z_]\",\"is\":[\"%4[a-z]\",\"%31[^\"]\"]", field, word, value) != 3 &&
            sscanf(at, "{\"field\":\"%19[a-z_]\",\"is\":[\"%4[a-z]\",%31[0-9.]]", field, word, value) != 3)
            fail_msg("no condition: %s", at);
        int c = compare_to(page, field, value);
        bool is_equal = !strcmp(word, "eq") && p->manner != FINDS_NO_EQUAL && c == 0;
        if (!is_equal && !(!strcmp(word, "gt") && c > 0) && !(!strcmp(word, "lt") && c < 0))
            return false;
    }
    return true;
}

static const char *sorting;
static bool descends;

static int by_sorting(const void *a, const void *b)
{
    const struct page *x = a, *y = b;
    int c = !strcmp(sorting, "url")          ? strcmp(x->url, y->url)
            : !strcmp(sorting, "url_rating") ? (x->rating > y->rating) - (x->rating < y->rating)
                                             : x->code - y->code;
    return descends ? -c : c;
}

/* v3's answer to the request, which orders by one column. */
static void answer(struct play *p, struct slice path, int64_t rows, struct arena *memory)
{
    static char column[20];
    char direction[5];
    const char *request = decoded(path, memory).p;
    struct page found[PAGES];
    size_t n = 0;
    assert_int_equal(sscanf(strstr(request, "&order_by="), "&order_by=%19[a-z_]:%4[a-z]", column, direction), 2);
    assert_false(strchr(strstr(request, ":") + 1, ',') && strstr(request, "asc,"));
    assert_true(rows > 0 && rows <= MOST);
    for (int i = 0; i < PAGES; i++)
        if (p->manner == IGNORES_WHERE || meets(p, &p->pages[i], request))
            found[n++] = p->pages[i];
    sorting = column;
    descends = !strcmp(direction, "desc");
    qsort(found, n, sizeof *found, by_sorting);
    p->n_answer = (int)n < rows ? (int)n : (int)rows;
    memcpy(p->answer, found, (size_t)p->n_answer * sizeof *found);
    p->requests++;
}

static bool take(void *context, const struct scan_value *values)
{
    struct play *p = context;
    struct page *page = &p->came[p->n_came++];
    snprintf(page->url, sizeof page->url, "%.*s", SLICE_ARGS(values[0].text));
    page->rating = values[3].number;
    page->code = (int)values[1].whole;
    assert_true(p->n_came < PAGES * 2);
    return true;
}

/* Fields of the table: url, http_code, title, url_rating. */
static void put_answer(struct play *p, struct walk *w)
{
    for (int i = 0; i < p->n_answer; i++) {
        struct scan_value values[REPORT_MAX_FIELDS] = {
            { .text = slice_str(p->answer[i].url), .plain = true },
            { .whole = p->answer[i].code },
            { .text = S(""), .plain = true },
            { .number = p->answer[i].rating },
        };
        walk_put(w, values);
    }
}

static enum walk_end walk_all(struct play *p, const char *order, int64_t limit, const union cell *behind)
{
    struct arena *memory = arena_new(8 << 20);
    struct plan_options options = kit_options();
    struct call call;
    struct plan plan;
    struct slice query = arena_printf(
        memory, "from=pages&target=example.com&mode=domain&select=url,ahrefs_rank,http_code&token=t&order_by=%s",
        order);
    assert_int_equal(kit_plan(query, &options, memory, &call, &plan).fault, FAULT_NONE);
    assert_true(walk_is_needed(&plan));
    struct walk *w = walk_new(&plan, memory);
    enum walk_end end = WALK_GOES_ON;
    if (behind)
        walk_begin_behind(w, behind);
    p->n_came = p->requests = 0;
    while (end == WALK_GOES_ON && p->n_came < limit) {
        int64_t rows = walk_rows(w, limit - p->n_came);
        rows = rows > MOST ? MOST : rows;
        struct slice path = walk_path(w, rows);
        assert_non_null(path.p);
        answer(p, path, rows, memory);
        put_answer(p, w);
        end = walk_end(w, p->n_answer == rows, take, p);
        assert_true(p->requests < 60);
    }
    walk_free(w);
    arena_free(memory);
    return end;
}

static const struct {
    const char *order, *column;
    bool descends, url_descends;
} orders[] = {
    { "ahrefs_rank:desc", "url_rating", true, false },
    { "ahrefs_rank:asc", "url_rating", false, false },
    { "ahrefs_rank:desc,url:desc", "url_rating", true, true },
    { "http_code:asc", "http_code", false, false },
};

/* The pages in an order of two, which the library's sort has to be told in two steps. */
static void expected(struct play *p, size_t which, struct page *sorted)
{
    memcpy(sorted, p->pages, sizeof p->pages);
    sorting = "url";
    descends = orders[which].url_descends;
    qsort(sorted, PAGES, sizeof *sorted, by_sorting);
    for (int i = 1; i < PAGES; i++) { /* stable */
        struct page page = sorted[i];
        int at = i;
        sorting = orders[which].column;
        descends = orders[which].descends;
        for (; at && by_sorting(&sorted[at - 1], &page) > 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = page;
    }
}

static void every_row_comes_once_in_the_order_of_two(void **state)
{
    (void)state;
    static const int64_t limits[] = { 1, 2, 7, 99, 100, 101, 150, 256, 257, 300 };
    static struct play p;
    static struct page sorted[PAGES];
    make_pages(&p);
    for (size_t which = 0; which < sizeof orders / sizeof orders[0]; which++) {
        expected(&p, which, sorted);
        for (size_t k = 0; k < sizeof limits / sizeof limits[0]; k++) {
            enum walk_end end = walk_all(&p, orders[which].order, limits[k], NULL);
            int n = limits[k] < PAGES ? (int)limits[k] : PAGES;
            assert_true(end != WALK_IS_STUCK && p.n_came >= n && p.n_came <= PAGES);
            assert_true(limits[k] <= PAGES || end == WALK_IS_OVER);
            for (int i = 0; i < p.n_came; i++)
                assert_string_equal(p.came[i].url, sorted[i].url);
        }
    }
}

static void the_best_page_is_one_request(void **state)
{
    (void)state;
    static struct play p;
    make_pages(&p);
    walk_all(&p, "ahrefs_rank:desc", 1, NULL);
    assert_int_equal(p.requests, 1);
    assert_int_equal(p.n_came, 1);
}

static void it_goes_on_behind_a_row_that_was_remembered(void **state)
{
    (void)state;
    static struct play p;
    static struct page sorted[PAGES];
    make_pages(&p);
    expected(&p, 0, sorted);
    for (int at = 0; at < PAGES; at += 37) {
        union cell behind[REPORT_MAX_FIELDS] = { 0 };
        behind[0].text = slice_str(sorted[at].url);
        behind[3].number = sorted[at].rating;
        enum walk_end end = walk_all(&p, "ahrefs_rank:desc", 300, behind);
        assert_int_equal(end, WALK_IS_OVER);
        assert_int_equal(p.n_came, PAGES - at - 1);
        for (int i = 0; i < p.n_came; i++)
            assert_string_equal(p.came[i].url, sorted[at + 1 + i].url);
    }
}

static void what_cannot_be_ends_it(void **state)
{
    (void)state;
    static struct play p;
    make_pages(&p);
    for (enum manner manner = FINDS_NO_EQUAL; manner <= IGNORES_WHERE; manner++) {
        p.manner = manner;
        assert_int_equal(walk_all(&p, "ahrefs_rank:desc", 300, NULL), WALK_IS_STUCK);
        for (int i = 1; i < p.n_came; i++) /* no row twice */
            assert_true(p.came[i - 1].rating > p.came[i].rating || strcmp(p.came[i - 1].url, p.came[i].url) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_comes_once_in_the_order_of_two),
        cmocka_unit_test(the_best_page_is_one_request),
        cmocka_unit_test(it_goes_on_behind_a_row_that_was_remembered),
        cmocka_unit_test(what_cannot_be_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
