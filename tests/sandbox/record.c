/* SPDX-License-Identifier: MIT
 * Counts a target's record. */
#include "tests/sandbox/record.h"

#include <stdlib.h>

#include "tests/sandbox/dice.h"

enum { DOMAIN_NUMBERS = 1 << 18 };

const struct field_info fields_of_record[N_FIELDS] = {
#define FIELD(name_, type_, units_)                                                                                    \
    [FIELD_##name_] = { .name = SLICE(#name_), .type = FIELD_TYPE_##type_, .units = units_ },
#include "tests/sandbox/batch.def"
#undef FIELD
};

int field_find(struct slice name)
{
    for (int i = 0; i < N_FIELDS; i++)
        if (slice_eq(fields_of_record[i].name, name))
            return i;
    return -1;
}

unsigned fields_units(uint64_t set)
{
    unsigned units = 0;
    for (int i = 0; i < N_FIELDS; i++)
        if (set & field_bit((enum field)i))
            units += fields_of_record[i].units;
    return units;
}

/* ISO 3166-1, without the codes of places that nobody searches from. */
bool country_is_known(struct slice country)
{
    static const char codes[] =
        " ad ae af ag ai al am ao ar as at au aw az ba bb bd be bf bg bh bi bj bn bo br bs bt bw by bz ca cd cf cg ch "
        "ci ck cl cm cn co cr cu cv cy cz de dj dk dm do dz ec ee eg es et fi fj fm fo fr ga gb gd ge gf gg gh gi gl "
        "gm gn gp gq gr gt gu gy hk hn hr ht hu id ie il im in iq is it je jm jo jp ke kg kh ki kn kr kw ky kz la lb "
        "lc li lk ls lt lu lv ly ma mc md me mg mk ml mm mn mq mr ms mt mu mv mw mx my mz na nc ne ng ni nl no np nr "
        "nu nz om pa pe pf pg ph pk pl pn pr ps pt py qa re ro rs ru rw sa sb sc se sg sh si sk sl sm sn so sr st sv "
        "td tg th tj tk tl tm tn to tr tt tw tz ua ug us uy uz vc ve vg vi vn vu ws ye yt za zm zw ";
    return country.n == 2 && country.p[0] != ' ' && country.p[1] != ' ' &&
           memmem(codes, sizeof codes - 1, country.p, 2);
}

static void put_whole(struct record *r, enum field field, int64_t number)
{
    r->values[field].whole = number;
}

/* Domains seen, by number: which link at all, and which without nofollow. */
struct domains {
    uint64_t any[DOMAIN_NUMBERS / 64], dofollow[DOMAIN_NUMBERS / 64];
};

static int64_t count_bits(const uint64_t *bits)
{
    int64_t n = 0;
    for (size_t i = 0; i < DOMAIN_NUMBERS / 64; i++)
        n += __builtin_popcountll(bits[i]);
    return n;
}

static void see(struct domains *domains, const struct link *link)
{
    domains->any[link->domain / 64] |= (uint64_t)1 << link->domain % 64;
    if (link->is_dofollow)
        domains->dofollow[link->domain / 64] |= (uint64_t)1 << link->domain % 64;
}

static int by_address(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool count_addresses(struct record *r, const struct world *world, const struct domains *domains)
{
    size_t n = 0;
    uint32_t *addresses = calloc((size_t)count_bits(domains->any) + 1, sizeof *addresses);
    for (uint32_t d = 0; addresses && d < DOMAIN_NUMBERS; d++) {
        uint32_t address = domains->any[d / 64] >> d % 64 & 1 ? attribute_address(world, d) : 0;
        if (address)
            addresses[n++] = address;
    }
    if (!addresses)
        return false;
    qsort(addresses, n, sizeof *addresses, by_address);
    for (size_t i = 0; i < n; i++) {
        r->values[FIELD_refips].whole += i == 0 || addresses[i] != addresses[i - 1];
        r->values[FIELD_refips_subnets].whole += i == 0 || addresses[i] >> 8 != addresses[i - 1] >> 8;
    }
    free(addresses);
    return true;
}

static bool count_inward(struct record *r, const struct world *world, const struct scope *scope)
{
    struct domains *domains = calloc(1, sizeof *domains);
    int64_t links = 0, dofollow = 0, redirects = 0;
    for (size_t i = 0; domains && i < world->n_links; i++) {
        const struct link *link = &world->links[i];
        if (!scope_has(scope, link))
            continue;
        links++;
        dofollow += link->is_dofollow;
        redirects += attribute_is_redirect(world, link);
        see(domains, link);
    }
    bool good = domains && count_addresses(r, world, domains);
    put_whole(r, FIELD_backlinks, links);
    put_whole(r, FIELD_backlinks_dofollow, dofollow);
    put_whole(r, FIELD_backlinks_nofollow, links - dofollow);
    put_whole(r, FIELD_backlinks_redirect, redirects);
    if (good) {
        int64_t all = count_bits(domains->any), followed = count_bits(domains->dofollow);
        put_whole(r, FIELD_refdomains, all);
        put_whole(r, FIELD_refdomains_dofollow, followed);
        put_whole(r, FIELD_refdomains_nofollow, all - followed);
    }
    free(domains);
    return good;
}

static bool count_outward(struct record *r, const struct world *world, const struct scope *scope)
{
    struct domains *domains = calloc(1, sizeof *domains);
    struct link_list list = world_outward(world);
    int64_t links = 0, dofollow = 0;
    for (size_t i = 0; domains && list.links && i < list.n; i++) {
        if (!scope_has(scope, list.links[i]))
            continue;
        links++;
        dofollow += list.links[i]->is_dofollow;
        see(domains, list.links[i]);
    }
    put_whole(r, FIELD_outgoing_links, links);
    put_whole(r, FIELD_outgoing_links_dofollow, dofollow);
    if (domains) {
        put_whole(r, FIELD_linked_domains, count_bits(domains->any));
        put_whole(r, FIELD_linked_domains_dofollow, count_bits(domains->dofollow));
    }
    bool good = domains && list.links;
    free(domains);
    return good;
}

static int64_t throw_many(uint64_t *dice, uint32_t max_bits)
{
    return dice_throw(dice, 1u << dice_throw(dice, max_bits + 1));
}

/* What is searched: thrown for each target, scope and country. */
static void throw_search(struct record *r, const struct world *world, const struct target *target,
                         const struct scope *scope, struct slice country)
{
    static const enum field ranges[] = { FIELD_org_keywords_1_3, FIELD_org_keywords_4_10, FIELD_org_keywords_11_20,
                                         FIELD_org_keywords_21_50, FIELD_org_keywords_51_plus };
    uint64_t dice = dice_join(dice_text(world->seed + 6, target->host), dice_text(7, target->path));
    dice = dice_join(dice_join(dice, (uint64_t)scope->hosts << 32 | scope->paths), dice_text(8, country));
    int64_t all = 0;
    for (uint32_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        int64_t some = throw_many(&dice, 6 + i * 2);
        put_whole(r, ranges[i], some);
        all += some;
    }
    put_whole(r, FIELD_org_keywords, all);
    put_whole(r, FIELD_org_traffic, throw_many(&dice, 20));
    put_whole(r, FIELD_org_cost, throw_many(&dice, 28));
    put_whole(r, FIELD_paid_ads, throw_many(&dice, 4));
    put_whole(r, FIELD_paid_keywords, throw_many(&dice, 6));
    put_whole(r, FIELD_paid_traffic, throw_many(&dice, 10));
    put_whole(r, FIELD_paid_cost, throw_many(&dice, 16));
    put_whole(r, FIELD_backlinks_internal, throw_many(&dice, 14));
    put_whole(r, FIELD_org_traffic_top_by_country, r->values[FIELD_org_traffic].whole / 2);
}

static void put_address(struct record *r, struct arena *memory, const struct world *world)
{
    uint32_t address = attribute_address(world, (uint32_t)dice_text(world->seed, world->root));
    r->values[FIELD_ip].is_null = !address;
    if (address)
        r->values[FIELD_ip].text =
            arena_printf(memory, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}

bool record_fill(struct record *record, struct arena *memory, const struct world *world, const struct target *target,
                 const struct scope *scope, struct slice country, uint64_t wanted)
{
    const uint64_t inward =
        field_bit(FIELD_backlinks) | field_bit(FIELD_backlinks_dofollow) | field_bit(FIELD_backlinks_nofollow) |
        field_bit(FIELD_backlinks_redirect) | field_bit(FIELD_refdomains) | field_bit(FIELD_refdomains_dofollow) |
        field_bit(FIELD_refdomains_nofollow) | field_bit(FIELD_refips) | field_bit(FIELD_refips_subnets);
    const uint64_t outward = field_bit(FIELD_outgoing_links) | field_bit(FIELD_outgoing_links_dofollow) |
                             field_bit(FIELD_linked_domains) | field_bit(FIELD_linked_domains_dofollow);
    *record = (struct record){ 0 };
    record->values[FIELD_ip].is_null = true;
    if (!world)
        return true;
    if ((wanted & inward && !count_inward(record, world, scope)) ||
        (wanted & outward && !count_outward(record, world, scope)))
        return false;
    throw_search(record, world, target, scope, country);
    put_address(record, memory, world);
    put_whole(record, FIELD_ahrefs_rank, site_rank(world->seed, world->root));
    record->values[FIELD_domain_rating].real = site_rating(world->seed, world->root);
    record->values[FIELD_url_rating].real = site_url_rating(world, target);
    if (world->has_nulls)
        record->values[FIELD_ahrefs_rank].is_null = record->values[FIELD_org_cost].is_null = true;
    return true;
}
