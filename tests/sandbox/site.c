/* SPDX-License-Identifier: MIT
 * Invents the site's pages. A further page has the path /archive/NUMBER and is on the bare domain. */
#include "tests/sandbox/site.h"

#include <assert.h>

#include "base/text.h"
#include "tests/sandbox/dice.h"
#include "tests/sandbox/words.h"

const struct slice site_hosts[N_HOSTS] = { SLICE(""),        SLICE("www."),  SLICE("blog."),
                                           SLICE("m.blog."), SLICE("shop."), SLICE("de.") };
const struct slice site_paths[N_PATHS] = {
    SLICE("/"),        SLICE("/about"),      SLICE("/about/"),        SLICE("/blog/"), SLICE("/blog/first-post"),
    SLICE("/pricing"), SLICE("/tools"),      SLICE("/tools/checker"), SLICE("/?p=12"), SLICE("/News"),
    SLICE("/a%20b"),   SLICE("/index.html"),
};

static uint64_t page_dice(const struct world *w, unsigned host, uint32_t number, char what)
{
    return dice_join(dice_join(dice_text(w->seed + 3, w->root), host << 20 | number), (uint64_t)what);
}

int site_code(const struct world *world, unsigned host, uint32_t number)
{
    static const int codes[] = { 200, 200, 200, 200, 200, 200, 200, 200, 200, 200,
                                 200, 200, 301, 301, 404, 404, 410, 500, 0 };
    uint64_t dice = page_dice(world, host, number, 'c');
    return number ? codes[dice_throw(&dice, sizeof codes / sizeof codes[0])] : 200;
}

static uint32_t n_further(const struct world *w)
{
    return w->has_halves ? 400 : w->n_anchors > 100 ? (uint32_t)w->n_anchors / 8 : 0;
}

size_t site_pages_max(const struct world *world)
{
    return (size_t)2 * (N_HOSTS * N_PATHS + n_further(world));
}

static void put_path(struct buffer *b, uint32_t number)
{
    if (number < N_PATHS)
        buffer_append(b, site_paths[number]);
    else
        buffer_printf(b, "/archive/%u", number - N_PATHS);
}

static bool path_fits(const struct target *target, enum mode mode, uint32_t number)
{
    char bytes[40];
    struct slice path = number < N_PATHS
                            ? site_paths[number]
                            : slice_of(bytes, (size_t)snprintf(bytes, sizeof bytes, "/archive/%u", number - N_PATHS));
    if (mode == MODE_EXACT || (mode == MODE_PREFIX && target->is_home))
        return slice_eq(path, target->path);
    return mode != MODE_PREFIX || slice_starts(path, target->path);
}

/* 2019 to the middle of 2026: first seen, then crawled, then tried. What is after as_of has not happened yet. */
static int64_t moment(const struct world *w, const struct page *p, int64_t as_of, enum column column)
{
    uint64_t dice = page_dice(w, p->host, p->number, p->https ? 'm' : 'M');
    int64_t first = 1546300800 + dice_throw(&dice, 200000000);
    int64_t crawled = first + dice_throw(&dice, 1782000000 - 1546300800 - 200000000);
    int64_t tried = crawled + (dice_throw(&dice, 3) ? 0 : dice_throw(&dice, 800000));
    crawled = crawled > as_of ? first : crawled;
    tried = tried > as_of ? crawled : tried;
    return column == COLUMN_page_first_seen ? first : column == COLUMN_page_last_crawled ? crawled : tried;
}

/* Add the page under the schemes that are wanted and that it has. */
static size_t add_page(const struct world *w, unsigned host, uint32_t number, const struct scope *scope,
                       struct page *to)
{
    uint64_t dice = page_dice(w, host, number, 'p');
    bool plain_too = dice_throw(&dice, 4) == 0 && w->n_anchors > 1;
    size_t n = 0;
    for (int https = 1; https >= 0 && site_code(w, host, number); https--) {
        struct page page = { number, (uint8_t)host, https };
        bool wanted = scope->protocol == PROTOCOL_BOTH || (scope->protocol == PROTOCOL_HTTPS) == page.https;
        if (wanted && (https || plain_too) && moment(w, &page, scope->as_of, COLUMN_page_first_seen) <= scope->as_of)
            to[n++] = page;
    }
    return n;
}

size_t site_pages(const struct world *world, const struct target *target, enum mode mode, const struct scope *scope,
                  struct page *to)
{
    size_t n = 0;
    uint32_t paths = world->n_anchors > 1 ? N_PATHS : (uint32_t)world->n_anchors;
    for (unsigned host = 0; host < (world->n_anchors > 1 ? N_HOSTS : 1); host++) {
        for (uint32_t i = 0; scope->hosts >> host & 1 && i < paths + (host ? 0 : n_further(world)); i++)
            if (path_fits(target, mode, i))
                n += add_page(world, host, i, scope, to + n);
    }
    return n;
}

double site_page_rating(const struct world *world, unsigned host, uint32_t number)
{
    uint64_t dice = page_dice(world, host, number, 'r');
    if (world->has_halves)
        return attribute_half_rating(&dice, number < N_PATHS ? 6 : 2);
    if (!number)
        return 20 + dice_throw(&dice, 500) / 10.0;
    return dice_throw(&dice, 2) ? dice_throw(&dice, 1 + dice_throw(&dice, 200)) / 10.0 : 0.0;
}

double site_url_rating(const struct world *world, const struct target *target)
{
    uint32_t paths = world->n_anchors > 1 ? N_PATHS : (uint32_t)world->n_anchors;
    struct scope scope = { 0 };
    scope_aim(&scope, world, target, MODE_EXACT);
    for (unsigned host = 0; host < N_HOSTS; host++)
        for (uint32_t i = 0; scope.hosts >> host & 1 && i < paths + (host ? 0 : n_further(world)); i++)
            if (path_fits(target, MODE_EXACT, i) && site_code(world, host, i))
                return site_page_rating(world, host, i);
    return 0;
}

static struct value title(const struct world *w, const struct page *p, struct scratch *scratch)
{
    uint64_t dice = page_dice(w, p->host, p->number, 't');
    struct buffer b = buffer_with_cap(0);
    uint32_t fate = dice_throw(&dice, w->has_nulls ? 3 : 12);
    if (!fate)
        return (struct value){ .is_null = true };
    if (fate > 1)
        words_phrase(&b, &dice);
    return (struct value){ .text = attribute_keep(scratch, &b) };
}

static struct value url(const struct world *w, const struct page *p, struct scratch *scratch)
{
    struct buffer b = buffer_with_cap(0);
    buffer_str(&b, p->https ? "https://" : "http://");
    buffer_append(&b, site_hosts[p->host]);
    buffer_append(&b, w->root);
    put_path(&b, p->number);
    return (struct value){ .text = attribute_keep(scratch, &b) };
}

struct value page_value(const struct world *world, const struct page *page, int64_t as_of, enum column column,
                        struct scratch *scratch)
{
    scratch->used = 0;
    switch ((int)column) {
    case COLUMN_page_url:
        return url(world, page, scratch);
    case COLUMN_page_title:
        return title(world, page, scratch);
    case COLUMN_page_http_code:
        return (struct value){ .whole = site_code(world, page->host, page->number) };
    case COLUMN_page_rating:
        return (struct value){ .real = site_page_rating(world, page->host, page->number) };
    }
    return (struct value){ .whole = moment(world, page, as_of, column) };
}

double site_rating(uint64_t seed, struct slice root)
{
    uint64_t dice = dice_join(dice_text(seed + 4, root), 'd');
    if (slice_eq(root, S("ratings.example")))
        return 60.5;
    return dice_throw(&dice, 1000) / 10.0;
}

int64_t site_rank(uint64_t seed, struct slice root)
{
    uint64_t dice = dice_join(dice_text(seed + 4, root), 'a');
    return 1 + (int64_t)dice_throw(&dice, 1u << (7 + dice_throw(&dice, 19)));
}
