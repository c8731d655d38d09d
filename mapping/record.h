/* SPDX-License-Identifier: MIT
 *
 * The target record: all that v3 says of one target in a row of its batch-analysis, which answers up to a hundred
 * targets in one POST. What a call needs of it, what is asked for at that price, who is asked for together, what came
 * back, and who pays which part. Pure. v3's side is in docs/api-v3.md, batch-analysis.
 */
#ifndef ANCHORAGE_MAPPING_RECORD_H
#define ANCHORAGE_MAPPING_RECORD_H

#include "base/buffer.h"
#include "mapping/report.h"
#include "mapping/target.h"

/* In the order in which a request with units to spare takes more of them along: cheap ones first. */
enum record_field {
    RECORD_DOMAIN_RATING,
    RECORD_AHREFS_RANK,
    RECORD_BACKLINKS,
    RECORD_BACKLINKS_DOFOLLOW,
    RECORD_BACKLINKS_NOFOLLOW,
    RECORD_BACKLINKS_REDIRECT,
    RECORD_BACKLINKS_INTERNAL,
    RECORD_REFIPS,
    RECORD_REFIPS_SUBNETS,
    RECORD_LINKED_DOMAINS,
    RECORD_OUTGOING_LINKS,
    RECORD_ORG_KEYWORDS,
    RECORD_ORG_KEYWORDS_1_3,
    RECORD_ORG_KEYWORDS_4_10,
    RECORD_URL_RATING,
    RECORD_REFDOMAINS,
    RECORD_REFDOMAINS_DOFOLLOW,
    RECORD_REFDOMAINS_NOFOLLOW,
    RECORD_ORG_TRAFFIC,
    RECORD_ORG_COST,
    RECORD_FIELDS
};

/* A set of fields: bit i is field i. */
static inline uint32_t record_bit(enum record_field f)
{
    return 1u << f;
}

enum {
    RECORD_ALL = (1u << RECORD_FIELDS) - 1,
    /* The same in every record of a host, whatever the mode. */
    RECORD_OF_HOST = 1u << RECORD_DOMAIN_RATING | 1u << RECORD_AHREFS_RANK
};

enum {
    RECORD_MAX_TARGETS = 100,  /* of one POST */
    RECORD_MAX_BYTES = 1 << 20 /* of an answer: far more than a hundred rows have */
};

extern const struct report report_record;

/* The record as a part of a table (mapping/table.h): it makes the whole answer of an object, or the stats of a list. */
struct part;
extern const struct part record_makes_answer;
extern const struct part record_makes_stats;

struct slice record_field_name(enum record_field f);

/* RECORD_FIELDS when there is none of this name. */
enum record_field record_field_find(struct slice name);

/* Units of one target for these fields. */
int64_t record_units(uint32_t fields);

/* What a POST of `n` targets that need `need` together asks for: more than that where it costs nothing. */
uint32_t record_selected(uint32_t need, size_t n);

/* Units of a POST that asks `n` targets for exactly these fields: v3's least price, or more. */
int64_t record_price(uint32_t fields, size_t n);

/* What a record holds. Numbers are whole: a rating is rounded half up, as v2 showed it. */
struct record {
    uint32_t known; /* fields that were asked for and came */
    uint32_t nulls; /* of these, those that came as null: their value is 0 */
    int64_t value[RECORD_FIELDS];
};

/* Take over the fields of `from`. */
void record_merge(struct record *into, const struct record *from);

/* The same as the numbers of a part of report_record. */
void record_values(const struct record *r, struct part_values *ret);

/* ---- who is asked for together ---- */

struct record_post {
    uint32_t need; /* of all its targets together */
    size_t n;      /* targets, RECORD_MAX_TARGETS at most */
    int64_t units; /* what it will cost */
};

/* Put `n` targets, each with what it needs (at least one field), into POSTs: those that need the same go together, and
 * two kinds do when that is not dearer. post_of[i] becomes the index of target i's POST in `posts`, which has room for
 * `n`; the targets of a POST keep their order. Returns the number of POSTs. No memory is needed. */
size_t record_group(const uint32_t *needs, size_t n, size_t *post_of, struct record_post *posts);

/* ---- a POST ---- */

/* What tells targets apart: v3's text without its scheme, for a record is of both. */
struct slice record_target_name(struct slice v3);

/* One target of a POST. */
struct record_target {
    struct slice v3;
    enum mode mode;
};

/* Append the body: JSON. `country` is v3's two letters, or empty. */
void record_body(struct buffer *out, uint32_t fields, struct slice country, const struct record_target *targets,
                 size_t n);

/* Read the answer of a POST that asked `n` targets for `fields`: records[i] is target i's. NULL, or what was wrong, a
 * literal; then `records` holds nothing of use. */
const char *record_read(struct slice body, uint32_t fields, size_t n, struct record *records);

/* The index of the one target that v3's words name, whole ("a.example" does not stand in "aa.example"); -1 when they
 * name none, or more than one. */
int record_named(struct slice words, const struct record_target *targets, size_t n);

/* Split `units` over `n` members by their weights: the sum is exactly `units`. What is left after rounding down goes to
 * those with the largest remainders, one each, earlier ones first. Members of no weight at all count alike; without
 * members nothing happens. */
void record_split(int64_t units, const int64_t *weights, size_t n, int64_t *shares);

#endif
