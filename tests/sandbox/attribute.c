/* SPDX-License-Identifier: MIT
 * Throws the values of a link from its dice, those of its page and domain from theirs, so that two
 * links of one page agree. */
#include "tests/sandbox/attribute_inside.h"

#include <assert.h>

#include "tests/sandbox/dice.h"
#include "tests/sandbox/words.h"

struct slice attribute_keep(struct scratch *scratch, struct buffer *b)
{
    size_t n = b->n;
    if (n > sizeof scratch->bytes - scratch->used)
        n = 0;
    char *to = scratch->bytes + scratch->used;
    if (n)
        memcpy(to, b->p, n);
    scratch->used += n;
    buffer_clear(b);
    return slice_of(to, n);
}

/* Mostly small, sometimes large. */
int64_t attribute_skewed(uint64_t *dice, unsigned max_bits)
{
    return dice_throw(dice, 1u << dice_throw(dice, max_bits + 1));
}

struct value attribute_one_of(const char *const *words, uint64_t *dice)
{
    uint32_t n = 0;
    while (words[n])
        n++;
    return text(slice_str(words[dice_throw(dice, n)]));
}

bool attribute_is_root_host(const struct world *world, const struct link *link)
{
    uint64_t dice = dice_join(dice_join(world->seed, 'h'), link_page(link));
    return dice_throw(&dice, 4) > 0;
}

void attribute_put_host(struct buffer *b, const struct world *world, const struct link *link)
{
    if (!attribute_is_root_host(world, link))
        buffer_str(b, link->page % 2 ? "blog." : "www.");
    words_domain(b, link->domain, world->seed);
}

void attribute_url_from(struct buffer *b, const struct world *world, const struct link *link)
{
    uint64_t dice = dice_join(dice_join(world->seed, 1000 + COLUMN_url_from), link_page(link));
    buffer_str(b, "https://");
    attribute_put_host(b, world, link);
    buffer_put(b, '/');
    if (link->page) {
        words_plain(b, &dice, 3, '-');
        buffer_printf(b, "-%u.html", link->page);
    }
}

/* Links that are not of the world's list, being those of the site to others, have no text made before. */
static struct value url_of(const struct subject *s, unsigned which,
                           void (*make)(struct buffer *to, const struct world *world, const struct link *link))
{
    const struct world *w = s->world;
    bool is_listed = s->link >= w->links && s->link < w->links + w->n_links;
    const struct slice *texts = is_listed ? world_texts(w, which, make) : NULL;
    if (texts)
        return text(texts[s->link - w->links]);
    struct buffer b = buffer_with_cap(0);
    make(&b, w, s->link);
    return text(attribute_keep(s->scratch, &b));
}

static struct value title(const struct subject *s)
{
    struct buffer b = buffer_with_cap(0);
    uint64_t dice = s->of_page;
    words_phrase(&b, &dice);
    buffer_str(&b, " | ");
    words_domain(&b, s->link->domain, s->world->seed);
    return text(attribute_keep(s->scratch, &b));
}

static struct value snippet(const struct subject *s)
{
    struct buffer b = buffer_with_cap(0);
    uint64_t dice = s->of_link;
    if (dice_throw(&dice, 5))
        words_phrase(&b, &dice);
    return text(attribute_keep(s->scratch, &b));
}

static struct value author(const struct subject *s)
{
    static const char *const names[] = { "Ana Silva", "Jürgen Groß", "O'Brien", "李明", "J. Doe", "", NULL };
    uint64_t dice = s->of_page;
    return dice_throw(&dice, 3) ? nothing() : attribute_one_of(names, &dice);
}

static struct value words_of(uint64_t dice, const char *const *words, uint32_t max)
{
    struct value v = { 0 };
    for (uint32_t n = dice_throw(&dice, max + 1); n; n--)
        v.list.items[v.list.n++] = attribute_one_of(words, &dice).text;
    return v;
}

struct value attribute_link_type(const struct subject *s)
{
    uint64_t dice = dice_join(s->link->dice, 't');
    if (dice_throw(&dice, 10) < 7)
        return text(S("text"));
    return attribute_one_of(columns[COLUMN_link_type].words, &dice);
}

/* The addresses a redirect goes through, and at last the target's when asked for. */
static struct value redirects(const struct subject *s, bool with_target)
{
    struct value v = { 0 };
    uint64_t dice = dice_join(s->link->dice, 'r');
    if (!slice_eq(attribute_link_type(s).text, S("redirect")))
        return v;
    for (uint32_t n = 1 + dice_throw(&dice, 3); n; n--) {
        struct buffer b = buffer_with_cap(0);
        buffer_str(&b, "https://");
        words_domain(&b, dice_throw(&dice, 5000), s->world->seed);
        buffer_str(&b, "/go");
        v.list.items[v.list.n++] = attribute_keep(s->scratch, &b);
    }
    if (with_target) {
        struct buffer b = buffer_with_cap(0);
        link_url_to(&b, s->world, s->link);
        v.list.items[v.list.n++] = attribute_keep(s->scratch, &b);
    }
    return v;
}

/* One word of a lost link's fate: either it was lost for a reason or its page was dropped. */
static struct value fate(const struct subject *s, enum column column)
{
    uint64_t dice = dice_join(s->link->dice, 'f');
    bool was_dropped = dice_throw(&dice, 4) == 0;
    if (link_is_live(s->link, s->as_of) || was_dropped != (column == COLUMN_drop_reason))
        return nothing();
    return attribute_one_of(columns[column].words, &dice);
}

static struct value discovered(const struct subject *s)
{
    uint64_t dice = s->of_link;
    return dice_throw(&dice, 6) ? attribute_one_of(columns[COLUMN_discovered_status].words, &dice) : nothing();
}

static bool is_marked(const struct subject *s, char mark)
{
    uint64_t dice = dice_join(s->link->dice, (uint64_t)mark);
    return !s->link->is_dofollow && dice_throw(&dice, 3) == 0;
}

double attribute_half_rating(uint64_t *dice, uint32_t n)
{
    static const double wholes[] = { 0, 29, 30, 3, 61, 99 }, parts[] = { 0, 0.4, 0.5, 0.6 };
    double rating = wholes[dice_throw(dice, n)];
    return rating + parts[dice_throw(dice, 4)];
}

double attribute_domain_rating(const struct world *world, const struct link *link)
{
    uint64_t dice = dice_join(dice_join(world->seed, 'd'), link->domain);
    if (world->has_halves)
        return attribute_half_rating(&dice, 6);
    return dice_throw(&dice, 1 + dice_throw(&dice, 1000)) / 10.0;
}

bool attribute_is_spam(const struct world *world, const struct link *link)
{
    uint64_t dice = dice_join(dice_join(world->seed, 's'), link->domain);
    return dice_throw(&dice, 12) == 0;
}

static struct value root_name(const struct subject *s)
{
    struct buffer b = buffer_with_cap(0);
    words_domain(&b, s->link->domain, s->world->seed);
    return text(attribute_keep(s->scratch, &b));
}

static struct value text_value(struct subject *s, enum column column)
{
    switch ((int)column) {
    case COLUMN_discovered_status:
        return discovered(s);
    case COLUMN_drop_reason:
    case COLUMN_lost_reason:
        return fate(s, column);
    case COLUMN_link_type:
        return attribute_link_type(s);
    case COLUMN_root_domain_name:
        return root_name(s);
    case COLUMN_snippet_left:
    case COLUMN_snippet_right:
        return snippet(s);
    case COLUMN_source_page_author:
        return author(s);
    case COLUMN_title:
        return title(s);
    case COLUMN_url_from:
        return url_of(s, 0, attribute_url_from);
    case COLUMN_url_to:
        return url_of(s, 1, link_url_to);
    }
    return text(s->world->anchors[s->link->anchor]);
}

static struct value truth_value(struct subject *s, enum column column)
{
    switch ((int)column) {
    case COLUMN_is_dofollow:
        return truth(s->link->is_dofollow);
    case COLUMN_is_nofollow:
        return truth(!s->link->is_dofollow);
    case COLUMN_is_sponsored:
        return truth(is_marked(s, 'p'));
    case COLUMN_is_ugc:
        return truth(is_marked(s, 'u'));
    case COLUMN_is_content:
        return truth(dice_throw(&s->of_link, 3) > 0);
    case COLUMN_is_homepage_link:
        return truth(s->link->page == 0);
    case COLUMN_is_root_domain:
        return truth(attribute_is_root_host(s->world, s->link));
    case COLUMN_is_spam:
        return truth(attribute_is_spam(s->world, s->link));
    }
    return truth(dice_throw(&s->of_page, 15) == 0); /* is_non_html, noindex */
}

static struct value whole_value(struct subject *s, enum column column)
{
    switch ((int)column) {
    case COLUMN_len_url_redirect:
        return whole((int64_t)redirects(s, false).list.n);
    case COLUMN_traffic_domain:
        return whole(attribute_skewed(&s->of_domain, 24));
    case COLUMN_positions_source_domain:
        return whole(attribute_skewed(&s->of_domain, 18));
    case COLUMN_refdomains_source:
        return whole(attribute_skewed(&s->of_page, 12));
    }
    return whole(attribute_skewed(&s->of_page, 10)); /* linked_domains, links_external, positions, traffic_page */
}

static struct value list_value(struct subject *s, enum column column)
{
    static const char *const codes[] = { "en", "de", "fr", "ru", "ja", "es", "tr", "ar", NULL };
    static const char *const makers[] = { "WordPress", "PHP", "Drupal", "React", "Shopify", "nginx", NULL };
    if (column == COLUMN_languages)
        return words_of(s->of_page, codes, 2);
    if (column == COLUMN_powered_by)
        return words_of(s->of_domain, makers, 3);
    return redirects(s, column == COLUMN_url_redirect_with_target);
}

struct value attribute_value(const struct world *world, const struct link *link, int64_t as_of, enum column column,
                             struct scratch *scratch)
{
    uint64_t salt = dice_join(world->seed, 1000 + column);
    struct subject s = { .world = world,
                         .link = link,
                         .as_of = as_of,
                         .of_link = dice_join(salt, link->dice),
                         .of_page = dice_join(salt, link_page(link)),
                         .of_domain = dice_join(salt, link->domain),
                         .scratch = scratch };
    struct value value;
    scratch->used = 0;
    if (attribute_of_row(&s, column, &value))
        return value;
    switch (columns[column].type) {
    case TYPE_TEXT:
        return text_value(&s, column);
    case TYPE_TRUTH:
        return truth_value(&s, column);
    case TYPE_WHOLE:
        return whole_value(&s, column);
    case TYPE_LIST:
        return list_value(&s, column);
    case TYPE_REAL:
        return (struct value){ .real = attribute_domain_rating(world, link) };
    case TYPE_MOMENT:
    case TYPE_WHOLES:
        break;
    }
    assert(!"a column that no link has");
    return nothing();
}
