/* SPDX-License-Identifier: MIT
 * Throws what only rows of links and domains show. */
#include "base/text.h"
#include "tests/sandbox/attribute_inside.h"
#include "tests/sandbox/dice.h"
#include "tests/sandbox/site.h"
#include "tests/sandbox/words.h"

enum { TWO_MONTHS = 60 * 86400 };

typedef struct value fact(struct subject *s);

/* Whether something that may be null is, this once of `sides`. */
static bool throw_null(const struct subject *s, uint64_t *dice, uint32_t sides)
{
    return dice_throw(dice, s->world->has_nulls ? 2 : sides) == 0;
}

static bool type_is(const struct subject *s, struct slice type)
{
    return slice_eq(attribute_link_type(s).text, type);
}

bool attribute_is_redirect(const struct world *world, const struct link *link)
{
    struct subject s = { .world = world, .link = link };
    return type_is(&s, S("redirect"));
}

static struct value is_alternate(struct subject *s)
{
    return truth(type_is(s, S("alternate")));
}

static struct value is_canonical(struct subject *s)
{
    return truth(type_is(s, S("canonical")));
}

static struct value is_form(struct subject *s)
{
    return truth(type_is(s, S("form")));
}

static struct value is_frame(struct subject *s)
{
    return truth(type_is(s, S("frame")));
}

static struct value is_image(struct subject *s)
{
    return truth(type_is(s, S("image")));
}

static struct value is_redirect(struct subject *s)
{
    return truth(type_is(s, S("redirect")));
}

static struct value is_rss(struct subject *s)
{
    return truth(type_is(s, S("rss")));
}

static struct value is_text(struct subject *s)
{
    return truth(type_is(s, S("text")));
}

static bool is_lost(const struct subject *s)
{
    return !link_is_live(s->link, s->as_of);
}

static struct value lost(struct subject *s)
{
    return truth(is_lost(s));
}

static struct value fresh(struct subject *s)
{
    return truth(s->link->first_seen > s->as_of - TWO_MONTHS);
}

static struct value lost_redirect(struct subject *s)
{
    return truth(is_lost(s) && type_is(s, S("redirect")));
}

static struct value one_in_three(struct subject *s)
{
    return truth(dice_throw(&s->of_page, 3) == 0); /* http_crawl, js_crawl */
}

static struct value yes(struct subject *s)
{
    (void)s;
    return truth(true);
}

static struct value is_root_target(struct subject *s)
{
    return truth(s->link->host == 0);
}

/* --- numbers --- */

static struct value rank_source(struct subject *s)
{
    return whole(1 + attribute_skewed(&s->of_domain, 26));
}

static struct value rank_target(struct subject *s)
{
    return whole(site_rank(s->world->seed, s->world->root));
}

static struct value rating_target(struct subject *s)
{
    return (struct value){ .real = site_rating(s->world->seed, s->world->root) };
}

double attribute_url_rating(const struct world *world, const struct link *link)
{
    uint64_t dice = dice_join(dice_join(world->seed, 'u'), link_page(link));
    if (world->has_halves)
        return attribute_half_rating(&dice, 6);
    return dice_throw(&dice, 3) ? dice_throw(&dice, 1 + dice_throw(&dice, 700)) / 10.0 : 0.0;
}

static struct value url_rating(struct subject *s)
{
    return (struct value){ .real = attribute_url_rating(s->world, s->link) };
}

static struct value of_page(struct subject *s)
{
    return whole(attribute_skewed(&s->of_page, 10)); /* links_internal */
}

static struct value page_size(struct subject *s)
{
    return whole(400 + attribute_skewed(&s->of_page, 18));
}

static struct value of_domain(struct subject *s)
{
    return whole(attribute_skewed(&s->of_domain, 14));
}

/* The same for every link to the site. */
static struct value of_site(struct subject *s)
{
    uint64_t dice = dice_text(s->world->seed + 5, s->world->root);
    return whole(attribute_skewed(&dice, 12));
}

static struct value http_code(struct subject *s)
{
    static const int codes[] = { 200, 200, 200, 200, 200, 200, 200, 301, 404, 0 };
    return whole(codes[dice_throw(&s->of_page, sizeof codes / sizeof codes[0])]);
}

static struct value http_code_target(struct subject *s)
{
    int code = site_code(s->world, s->link->host, s->link->path);
    return code ? whole(code) : nothing();
}

static struct value port_source(struct subject *s)
{
    (void)s;
    return whole(443);
}

static struct value port_target(struct subject *s)
{
    return whole(s->link->https ? 443 : 80);
}

/* Null but for redirects; a few say 0 in a world of nulls. */
static struct value redirect_code(struct subject *s)
{
    static const int codes[] = { 301, 301, 302, 307, 308 };
    if (s->world->has_nulls && dice_throw(&s->of_link, 4) == 0)
        return whole(0);
    return type_is(s, S("redirect")) ? whole(codes[dice_throw(&s->of_link, 5)]) : nothing();
}

static struct value redirect_kind(struct subject *s)
{
    static const char *const codes[] = { "301", "302", "307" };
    struct value v = { 0 };
    for (uint32_t n = type_is(s, S("redirect")) ? 1 + dice_throw(&s->of_link, 3) : 0; n; n--)
        v.list.items[v.list.n++] = slice_str(codes[dice_throw(&s->of_link, 3)]);
    return v;
}

/* --- moments --- */

static struct value first_seen_link(struct subject *s)
{
    return whole(s->link->first_seen);
}

static struct value first_seen_page(struct subject *s)
{
    return whole(1262304000 + dice_throw(&s->of_page, 63000000)); /* 2010 and 2011, before all links */
}

static struct value last_seen(struct subject *s)
{
    return is_lost(s) ? whole(s->link->last_seen) : nothing();
}

/* Between the first visit and the loss, or today. */
static struct value last_visited(struct subject *s)
{
    int64_t end = is_lost(s) ? s->link->last_seen : s->as_of;
    int64_t age = end - s->link->first_seen;
    return whole(end - dice_throw(&s->of_link, (uint32_t)(age < TWO_MONTHS ? age + 1 : TWO_MONTHS)));
}

static struct value last_visited_target(struct subject *s)
{
    uint64_t dice = dice_join(dice_join(s->world->seed, 'v'), (uint64_t)s->link->host << 8 | s->link->path);
    if (throw_null(s, &dice, 6))
        return nothing();
    return whole(s->as_of / 86400 * 86400 - dice_throw(&dice, TWO_MONTHS));
}

static struct value publish_date(struct subject *s)
{
    if (throw_null(s, &s->of_page, 2))
        return nothing();
    return whole(1262304000 + (int64_t)dice_throw(&s->of_page, 700) * 86400);
}

/* --- texts --- */

static struct value phrase_or_null(struct subject *s, uint64_t dice, uint32_t sides)
{
    struct buffer b = buffer_with_cap(0);
    if (throw_null(s, &dice, sides))
        return nothing();
    if (dice_throw(&dice, 5))
        words_phrase(&b, &dice);
    return text(attribute_keep(s->scratch, &b));
}

/* Images have one, perhaps empty. */
static struct value alt(struct subject *s)
{
    return type_is(s, S("image")) || s->world->has_nulls ? phrase_or_null(s, s->of_link, 5) : nothing();
}

static struct value of_page_or_null(struct subject *s)
{
    static const char *const words[] = { "article", "blog", "forum", "shop", "news", NULL };
    return throw_null(s, &s->of_page, 3) ? nothing() : attribute_one_of(words, &s->of_page);
}

static struct value encoding(struct subject *s)
{
    static const char *const words[] = { "utf8", "utf8", "utf8", "iso-8859-1", "windows-1251", "", NULL };
    return attribute_one_of(words, &s->of_page);
}

/* Another page that a broken redirect led to, or why it broke; null when there was none. */
static bool broke(const struct subject *s)
{
    uint64_t dice = dice_join(s->link->dice, 'b');
    return is_lost(s) && dice_throw(&dice, 3) == 0;
}

static struct value broken_url(struct subject *s)
{
    struct buffer b = buffer_with_cap(0);
    if (!broke(s))
        return nothing();
    buffer_str(&b, "https://");
    words_domain(&b, dice_throw(&s->of_link, 5000), s->world->seed);
    buffer_put(&b, '/');
    return text(attribute_keep(s->scratch, &b));
}

static struct value broken_reason(struct subject *s)
{
    return broke(s) ? attribute_one_of(columns[COLUMN_broken_redirect_reason].words, &s->of_link) : nothing();
}

uint32_t attribute_address(const struct world *world, uint32_t domain)
{
    uint64_t dice = dice_join(dice_join(world->seed, 'i'), domain);
    if (dice_throw(&dice, world->has_nulls ? 2 : 10) == 0)
        return 0;
    uint32_t subnet = dice_throw(&dice, 60);
    return 198u << 24 | 18u << 16 | subnet << 8 | (1 + dice_throw(&dice, 4));
}

static struct value ip_source(struct subject *s)
{
    struct buffer b = buffer_with_cap(0);
    uint32_t a = attribute_address(s->world, s->link->domain);
    if (!a)
        return nothing();
    buffer_printf(&b, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
    return text(attribute_keep(s->scratch, &b));
}

static struct value name_source(struct subject *s)
{
    struct buffer b = buffer_with_cap(0);
    attribute_put_host(&b, s->world, s->link);
    return text(attribute_keep(s->scratch, &b));
}

static struct value name_target(struct subject *s)
{
    struct buffer b = buffer_with_cap(0);
    buffer_append(&b, site_hosts[s->link->host]);
    buffer_append(&b, s->world->root);
    return text(attribute_keep(s->scratch, &b));
}

static struct value root_target(struct subject *s)
{
    return text(s->world->root);
}

static struct value without_scheme(struct subject *s,
                                   void (*make)(struct buffer *to, const struct world *world, const struct link *link))
{
    struct buffer b = buffer_with_cap(0);
    make(&b, s->world, s->link);
    struct slice url = attribute_keep(s->scratch, &b);
    return text(slice_from(url, slice_find(url, '/') + 2));
}

static struct value url_from_plain(struct subject *s)
{
    return without_scheme(s, attribute_url_from);
}

static struct value url_to_plain(struct subject *s)
{
    return without_scheme(s, link_url_to);
}

static struct value own_url(struct subject *s)
{
    struct buffer b = buffer_with_cap(0);
    link_url_to(&b, s->world, s->link);
    return text(attribute_keep(s->scratch, &b));
}

static struct value class_of(struct slice domain)
{
    return text(slice_ends(domain, S(".gov")) ? S("gov") : slice_ends(domain, S(".edu")) ? S("edu") : S("normal"));
}

static struct value tld_source(struct subject *s)
{
    struct buffer b = buffer_with_cap(0);
    words_domain(&b, s->link->domain, s->world->seed);
    return class_of(attribute_keep(s->scratch, &b));
}

static struct value tld_target(struct subject *s)
{
    return class_of(s->world->root);
}

static fact *const facts[N_COLUMNS] = {
    [COLUMN_ahrefs_rank_source] = rank_source,
    [COLUMN_ahrefs_rank_target] = rank_target,
    [COLUMN_alt] = alt,
    [COLUMN_broken_redirect_new_target] = broken_url,
    [COLUMN_broken_redirect_reason] = broken_reason,
    [COLUMN_broken_redirect_source] = broken_url,
    [COLUMN_class_c] = of_domain,
    [COLUMN_dofollow_linked_domains] = of_domain,
    [COLUMN_dofollow_refdomains] = of_domain,
    [COLUMN_domain_rating_target] = rating_target,
    [COLUMN_encoding] = encoding,
    [COLUMN_first_seen_link] = first_seen_link,
    [COLUMN_first_seen_page] = first_seen_page,
    [COLUMN_http_code] = http_code,
    [COLUMN_http_code_target] = http_code_target,
    [COLUMN_http_crawl] = one_in_three,
    [COLUMN_ip_source] = ip_source,
    [COLUMN_is_alternate] = is_alternate,
    [COLUMN_is_canonical] = is_canonical,
    [COLUMN_is_form] = is_form,
    [COLUMN_is_frame] = is_frame,
    [COLUMN_is_image] = is_image,
    [COLUMN_is_lost] = lost,
    [COLUMN_is_new] = fresh,
    [COLUMN_is_redirect] = is_redirect,
    [COLUMN_is_redirect_lost] = lost_redirect,
    [COLUMN_is_root_row] = yes,
    [COLUMN_is_root_target] = is_root_target,
    [COLUMN_is_rss] = is_rss,
    [COLUMN_is_text] = is_text,
    [COLUMN_js_crawl] = one_in_three,
    [COLUMN_last_seen_link] = last_seen,
    [COLUMN_last_visited] = last_visited,
    [COLUMN_last_visited_target] = last_visited_target,
    [COLUMN_linked_domains_source_domain] = of_domain,
    [COLUMN_linked_domains_target_domain] = of_site,
    [COLUMN_links_internal] = of_page,
    [COLUMN_name_source] = name_source,
    [COLUMN_name_target] = name_target,
    [COLUMN_own_url] = own_url,
    [COLUMN_page_category_source] = of_page_or_null,
    [COLUMN_page_size] = page_size,
    [COLUMN_page_type_source] = of_page_or_null,
    [COLUMN_port_source] = port_source,
    [COLUMN_port_target] = port_target,
    [COLUMN_redirect_code] = redirect_code,
    [COLUMN_redirect_kind] = redirect_kind,
    [COLUMN_refdomains_source_domain] = of_domain,
    [COLUMN_refdomains_target_domain] = of_site,
    [COLUMN_root_name_target] = root_target,
    [COLUMN_source_page_publish_date] = publish_date,
    [COLUMN_tld_class_source] = tld_source,
    [COLUMN_tld_class_target] = tld_target,
    [COLUMN_url_from_plain] = url_from_plain,
    [COLUMN_url_rating_source] = url_rating,
    [COLUMN_url_to_plain] = url_to_plain,
};

bool attribute_of_row(struct subject *s, enum column column, struct value *value)
{
    if (!facts[column])
        return false;
    *value = facts[column](s);
    return true;
}
