/* SPDX-License-Identifier: MIT
 * The target record: v3's batch-analysis. */
#include "mapping/record.h"

#include "base/json.h"
#include "base/text.h"
#include "mapping/table.h"

/* clang-format off */
static const struct field fields[RECORD_FIELDS] = {
    [RECORD_DOMAIN_RATING]         = { .v3 = SLICE("domain_rating"),       .type = VALUE_RATING, .units = 1, .nullable = true },
    [RECORD_AHREFS_RANK]           = { .v3 = SLICE("ahrefs_rank"),         .type = VALUE_WHOLE, .units = 1, .nullable = true },
    [RECORD_BACKLINKS]             = { .v3 = SLICE("backlinks"),           .type = VALUE_WHOLE, .units = 1 },
    [RECORD_BACKLINKS_DOFOLLOW]    = { .v3 = SLICE("backlinks_dofollow"),  .type = VALUE_WHOLE, .units = 1 },
    [RECORD_BACKLINKS_NOFOLLOW]    = { .v3 = SLICE("backlinks_nofollow"),  .type = VALUE_WHOLE, .units = 1 },
    [RECORD_BACKLINKS_REDIRECT]    = { .v3 = SLICE("backlinks_redirect"),  .type = VALUE_WHOLE, .units = 1 },
    [RECORD_BACKLINKS_INTERNAL]    = { .v3 = SLICE("backlinks_internal"),  .type = VALUE_WHOLE, .units = 1 },
    [RECORD_REFIPS]                = { .v3 = SLICE("refips"),              .type = VALUE_WHOLE, .units = 1 },
    [RECORD_REFIPS_SUBNETS]        = { .v3 = SLICE("refips_subnets"),      .type = VALUE_WHOLE, .units = 1 },
    [RECORD_LINKED_DOMAINS]        = { .v3 = SLICE("linked_domains"),      .type = VALUE_WHOLE, .units = 1 },
    [RECORD_OUTGOING_LINKS]        = { .v3 = SLICE("outgoing_links"),      .type = VALUE_WHOLE, .units = 1 },
    [RECORD_ORG_KEYWORDS]          = { .v3 = SLICE("org_keywords"),        .type = VALUE_WHOLE, .units = 1 },
    [RECORD_ORG_KEYWORDS_1_3]      = { .v3 = SLICE("org_keywords_1_3"),    .type = VALUE_WHOLE, .units = 1 },
    [RECORD_ORG_KEYWORDS_4_10]     = { .v3 = SLICE("org_keywords_4_10"),   .type = VALUE_WHOLE, .units = 1 },
    [RECORD_URL_RATING]            = { .v3 = SLICE("url_rating"),          .type = VALUE_RATING, .units = 1, .nullable = true },
    [RECORD_REFDOMAINS]            = { .v3 = SLICE("refdomains"),          .type = VALUE_WHOLE, .units = 5 },
    [RECORD_REFDOMAINS_DOFOLLOW]   = { .v3 = SLICE("refdomains_dofollow"), .type = VALUE_WHOLE, .units = 5 },
    [RECORD_REFDOMAINS_NOFOLLOW]   = { .v3 = SLICE("refdomains_nofollow"), .type = VALUE_WHOLE, .units = 5 },
    [RECORD_ORG_TRAFFIC]           = { .v3 = SLICE("org_traffic"),         .type = VALUE_WHOLE, .units = 10 },
    [RECORD_ORG_COST]              = { .v3 = SLICE("org_cost"),            .type = VALUE_WHOLE, .units = 10, .nullable = true },
};
/* clang-format on */

const struct report report_record = {
    .shape = REPORT_RECORD,
    .path = SLICE("/batch-analysis/batch-analysis"),
    .key = SLICE("targets"),
    .fields = fields,
    .n_fields = RECORD_FIELDS,
};

const struct part record_makes_answer = {
    .name = SLICE("record"),
    .what = SLICE("target record"),
    .brings = SLICE("target record"),
    .purpose = "the numbers of the answer (kept for stats_ttl)",
    .report = &report_record,
};

const struct part record_makes_stats = {
    .name = SLICE("record"),
    .what = SLICE("target record"),
    .brings = SLICE("stats"),
    .purpose = "the target record: stats (asked again after stats_ttl)",
    .report = &report_record,
};

/* What tells the rows of an answer apart, where there are several. */
static const struct slice index_name = SLICE("index");
enum { INDEX_UNITS = 1 };

struct slice record_field_name(enum record_field f)
{
    return fields[f].v3;
}

enum record_field record_field_find(struct slice name)
{
    for (int f = 0; f < RECORD_FIELDS; f++)
        if (slice_eq(fields[f].v3, name))
            return (enum record_field)f;
    return RECORD_FIELDS;
}

int64_t record_units(uint32_t set)
{
    int64_t units = 0;
    for (; set; set &= set - 1)
        units += fields[__builtin_ctz(set)].units;
    return units;
}

/* All that v3 counts for `n` targets, its least price aside. */
static int64_t counted(uint32_t set, size_t n)
{
    return (int64_t)n * (record_units(set) + (n > 1 ? INDEX_UNITS : 0));
}

int64_t record_price(uint32_t set, size_t n)
{
    int64_t units = counted(set, n);
    return units > REPORT_LEAST_UNITS ? units : REPORT_LEAST_UNITS;
}

uint32_t record_selected(uint32_t need, size_t n)
{
    uint32_t set = need;
    for (int f = 0; f < RECORD_FIELDS; f++) {
        if (set & 1u << f)
            continue;
        if (counted(set | 1u << f, n) > REPORT_LEAST_UNITS)
            break;
        set |= 1u << f;
    }
    return set;
}

void record_merge(struct record *into, const struct record *from)
{
    for (int f = 0; f < RECORD_FIELDS; f++)
        if (from->known & 1u << f)
            into->value[f] = from->value[f];
    into->nulls = (into->nulls & ~from->known) | from->nulls;
    into->known |= from->known;
}

void record_values(const struct record *r, struct part_values *ret)
{
    /* A rating that v3 does not know is 0 in v2, and nothing else. */
    const uint32_t ratings = 1u << RECORD_DOMAIN_RATING | 1u << RECORD_URL_RATING;
    *ret = (struct part_values){ .rows = 1, .known = r->known, .nulls = r->nulls & ~ratings };
    for (int f = 0; f < RECORD_FIELDS; f++) {
        ret->of[f].whole = r->value[f];
        ret->of[f].number = (double)r->value[f];
    }
}

/* ---- who is asked for together ---- */

/* Whether they may be one POST, and what that saves; less than 0: it would be dearer. */
static int64_t saved(const struct record_post *a, const struct record_post *b)
{
    size_t n = a->n + b->n;
    return n > RECORD_MAX_TARGETS ? -1 : a->units + b->units - record_price(a->need | b->need, n);
}

/* Of the POSTs behind `from`, the one that saves the most with it; 0: none does. */
static size_t best_partner(const struct record_post *posts, size_t n, size_t from)
{
    size_t best = 0;
    int64_t most = -1;
    for (size_t i = from + 1; i < n; i++) {
        int64_t s = posts[i].n ? saved(&posts[from], &posts[i]) : -1;
        if (s > most) {
            most = s;
            best = i;
        }
    }
    return best;
}

/* Put the POSTs together that are no dearer so. Those taken into another are left empty, with the other's index as
 * their need. */
static void unite(struct record_post *posts, size_t n)
{
    for (size_t i = 0, with; i < n; i++) {
        while (posts[i].n && (with = best_partner(posts, n, i))) {
            posts[i].need |= posts[with].need;
            posts[i].n += posts[with].n;
            posts[i].units = record_price(posts[i].need, posts[i].n);
            posts[with] = (struct record_post){ .need = (uint32_t)i };
        }
    }
}

size_t record_group(const uint32_t *needs, size_t n, size_t *post_of, struct record_post *posts)
{
    size_t n_posts = 0, kept = 0;
    for (size_t i = 0; i < n; i++) {
        size_t p = n_posts;
        while (p && (posts[p - 1].need != needs[i] || posts[p - 1].n == RECORD_MAX_TARGETS))
            p--;
        if (!p) {
            p = ++n_posts;
            posts[p - 1] = (struct record_post){ .need = needs[i] };
        }
        posts[p - 1].n++;
        post_of[i] = p - 1;
    }
    for (size_t p = 0; p < n_posts; p++)
        posts[p].units = record_price(posts[p].need, posts[p].n);
    unite(posts, n_posts);
    for (size_t i = 0; i < n; i++)
        while (!posts[post_of[i]].n)
            post_of[i] = posts[post_of[i]].need;
    /* Close the gaps: an empty one's place is of no more use once all know whose they are. */
    for (size_t p = 0; p < n_posts; p++) {
        if (!posts[p].n)
            continue;
        for (size_t i = 0; p != kept && i < n; i++)
            if (post_of[i] == p)
                post_of[i] = kept;
        posts[kept++] = posts[p];
    }
    return kept;
}

/* ---- a POST ---- */

struct slice record_target_name(struct slice v3)
{
    static const struct slice schemes[] = { SLICE("http://"), SLICE("https://") };
    for (size_t i = 0; i < 2; i++)
        if (slice_starts(v3, schemes[i]))
            return slice_from(v3, schemes[i].n);
    return v3;
}

static void put_names(struct buffer *out, uint32_t set, bool with_index)
{
    const char *between = "";
    for (int f = 0; f < RECORD_FIELDS; f++) {
        if (!(set & 1u << f))
            continue;
        buffer_str(out, between);
        buffer_json_string(out, fields[f].v3);
        between = ",";
    }
    if (with_index) {
        buffer_str(out, between);
        buffer_json_string(out, index_name);
    }
}

void record_body(struct buffer *out, uint32_t set, struct slice country, const struct record_target *targets, size_t n)
{
    buffer_str(out, "{\"select\":[");
    put_names(out, set, n > 1);
    buffer_str(out, "],\"targets\":[");
    for (size_t i = 0; i < n; i++) {
        buffer_str(out, i ? ",{\"url\":" : "{\"url\":");
        buffer_json_string(out, targets[i].v3);
        buffer_str(out, ",\"mode\":");
        buffer_json_string(out, mode_name(targets[i].mode));
        buffer_str(out, ",\"protocol\":\"both\"}");
    }
    buffer_put(out, ']');
    if (country.n) {
        buffer_str(out, ",\"country\":");
        buffer_json_string(out, country);
    }
    buffer_put(out, '}');
}

/* ---- its answer ---- */

/* A number of 18 digits fits, whatever they are. */
enum { MAX_EXPONENT = 100 };
static const int64_t most = 100000000000000000;

/* A number of JSON as its digits, the point behind the first `point` of them (which may be less than 0, or more than
 * there are). */
struct decimal {
    struct slice before, behind;
    int64_t point;
    bool is_negative;
};

static size_t digits_of(struct slice s)
{
    size_t n = 0;
    while (n < s.n && is_digit(s.p[n]))
        n++;
    return n;
}

/* False for what is no number of JSON, or has an exponent beyond reason. */
static bool decimal_read(struct slice text, struct decimal *d)
{
    *d = (struct decimal){ 0 };
    d->is_negative = text.n && text.p[0] == '-';
    text = slice_from(text, d->is_negative);
    d->before = slice_of(text.p, digits_of(text));
    text = slice_from(text, d->before.n);
    if (!d->before.n)
        return false;
    if (text.n && text.p[0] == '.') {
        text = slice_from(text, 1);
        d->behind = slice_of(text.p, digits_of(text));
        text = slice_from(text, d->behind.n);
    }
    d->point = (int64_t)d->before.n;
    if (!text.n)
        return true;
    bool down = text.n > 1 && text.p[1] == '-';
    uint64_t exponent;
    text = slice_from(text, 1 + (text.n > 1 && (down || text.p[1] == '+')));
    if (!parse_u64(text, &exponent) || exponent > MAX_EXPONENT)
        return false;
    d->point += down ? -(int64_t)exponent : (int64_t)exponent;
    return true;
}

static int digit_at(const struct decimal *d, int64_t at)
{
    if (at < 0)
        return 0;
    size_t i = (size_t)at;
    if (i < d->before.n)
        return d->before.p[i] - '0';
    i -= d->before.n;
    return i < d->behind.n ? d->behind.p[i] - '0' : 0;
}

/* The number rounded half up, exactly; *is_whole tells whether that changed it. False when it is none, is below 0 or
 * does not fit. */
static bool number_read(struct slice text, int64_t *number, bool *is_whole)
{
    struct decimal d;
    if (!decimal_read(text, &d))
        return false;
    int64_t n = 0, all = (int64_t)(d.before.n + d.behind.n), last = d.point > all ? d.point : all;
    bool fraction = false;
    for (int64_t i = d.point < 0 ? d.point : 0; i < last; i++) {
        int digit = digit_at(&d, i);
        if (i >= d.point)
            fraction = fraction || digit;
        else if (n >= most)
            return false;
        else
            n = n * 10 + digit;
    }
    if (d.is_negative && (n || fraction))
        return false;
    *number = n + (digit_at(&d, d.point) >= 5);
    *is_whole = !fraction;
    return true;
}

static const char *read_value(enum record_field f, struct slice text, struct record *r)
{
    bool is_whole = true;
    if (slice_eq(text, S("null"))) {
        if (!fields[f].nullable)
            return "a field of a target is null, which API v3 says it never is";
        r->nulls |= 1u << f;
        r->value[f] = 0;
    } else if (!number_read(text, &r->value[f], &is_whole) || (!is_whole && fields[f].type != VALUE_RATING)) {
        return "a field of a target has a value of another type than API v3 promises";
    }
    r->known |= 1u << f;
    return NULL;
}

/* One row. *index becomes what it says of itself; -1: nothing. */
static const char *read_row(struct slice row, uint32_t set, struct record *r, int64_t *index)
{
    struct json_walk walk;
    struct slice name, value;
    *r = (struct record){ 0 };
    *index = -1;
    if (!row.n || row.p[0] != '{')
        return "a target's row is not an object";
    json_walk_begin(&walk, row);
    while (json_walk_next(&walk, &name, &value)) {
        enum record_field f = record_field_find(name);
        uint64_t n;
        const char *why = NULL;
        if (slice_eq(name, index_name)) {
            if (*index >= 0 || !parse_u64(value, &n) || n > INT64_MAX)
                return "a target's row has no valid index";
            *index = (int64_t)n;
        } else if (f != RECORD_FIELDS && set & 1u << f) {
            why = r->known & 1u << f ? "a key stands twice in one object" : read_value(f, value, r);
        }
        if (why)
            return why;
    }
    if (walk.failed)
        return "it is not JSON";
    return r->known == set ? NULL : "a target's row lacks a field that was asked for";
}

/* The one list of the answer. */
static const char *find_list(struct slice body, struct slice *list)
{
    struct json_walk walk;
    struct slice name, value;
    *list = (struct slice){ 0 };
    if (utf8_valid_prefix(body) < body.n)
        return "it is not UTF-8";
    json_walk_begin(&walk, body);
    if (walk.close != '}')
        return "it is not an object";
    while (json_walk_next(&walk, &name, &value)) {
        if (!slice_eq(name, S("targets")))
            continue;
        if (list->n)
            return "the list of targets stands twice";
        *list = value;
    }
    if (walk.failed)
        return "it is not JSON";
    return list->n && list->p[0] == '[' ? NULL : "it has no list of targets";
}

const char *record_read(struct slice body, uint32_t set, size_t n, struct record *records)
{
    struct slice list, row, name;
    struct json_walk walk;
    size_t seen = 0;
    for (size_t i = 0; i < n; i++)
        records[i] = (struct record){ 0 };
    const char *why = find_list(body, &list);
    if (why)
        return why;
    json_walk_begin(&walk, list);
    while (json_walk_next(&walk, &name, &row)) {
        struct record one;
        int64_t index;
        if ((why = read_row(row, set, &one, &index)))
            return why;
        if (n == 1 && index < 0)
            index = 0;
        if (seen == n)
            return "it has more rows than targets were asked for";
        if (index < 0 || index >= (int64_t)n)
            return "a row has the index of no target that was asked for";
        if (records[index].known)
            return "two rows have the same index";
        records[index] = one;
        seen++;
    }
    if (walk.failed)
        return "it is not JSON";
    return seen == n ? NULL : "it has fewer rows than targets were asked for";
}

/* ---- a refusal ---- */

/* A byte that goes on a host or a URL. */
static bool goes_on(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80 ||
           (c && strchr("-._~/:?#@!$&*+=%", c));
}

/* Whether what stands before a target ends there; the scheme that it was given without may stand before it. */
static bool begins_whole(struct slice before)
{
    return !before.n || !goes_on(before.p[before.n - 1]) || slice_ends(before, S("http://")) ||
           slice_ends(before, S("https://"));
}

/* Likewise behind it, where v3 may add a slash, and a sentence its end. */
static bool ends_whole(struct slice behind)
{
    if (behind.n && behind.p[0] == '/')
        behind = slice_from(behind, 1);
    while (behind.n && strchr(".,:;!?", behind.p[0]))
        behind = slice_from(behind, 1);
    return !behind.n || !goes_on(behind.p[0]);
}

static bool names(struct slice words, struct slice target)
{
    for (size_t i = 0; i + target.n <= words.n; i++) {
        struct slice at = slice_from(words, i);
        if (slice_starts(at, target) && begins_whole(slice_of(words.p, i)) && ends_whole(slice_from(at, target.n)))
            return true;
    }
    return false;
}

int record_named(struct slice words, const struct record_target *targets, size_t n)
{
    int named = -1;
    for (size_t i = 0; i < n; i++) {
        if (!names(words, targets[i].v3))
            continue;
        if (named >= 0)
            return -1;
        named = (int)i;
    }
    return named;
}

/* ---- who pays ---- */

void record_split(int64_t units, const int64_t *weights, size_t n, int64_t *shares)
{
    int64_t sum = 0, left = n ? units : 0;
    for (size_t i = 0; i < n; i++)
        sum += weights[i];
    for (size_t i = 0; i < n; i++) {
        shares[i] = (int64_t)(sum ? (__int128)units * weights[i] / sum : units / (int64_t)n);
        left -= shares[i];
    }
    /* Fewer are left than there are members. The largest remainder that has not been served yet comes next: members are
     * few, so it is looked for each time. */
    int64_t below = INT64_MAX;
    for (size_t after = 0; left > 0; left--) {
        int64_t best = -1;
        size_t who = 0;
        for (size_t i = 0; i < n; i++) {
            int64_t rest = (int64_t)(sum ? (__int128)units * weights[i] % sum : units % (int64_t)n);
            bool is_next = rest < below || (rest == below && i >= after);
            if (is_next && rest > best) {
                best = rest;
                who = i;
            }
        }
        shares[who]++;
        below = best;
        after = who + 1;
    }
}
