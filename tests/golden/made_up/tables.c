/* SPDX-License-Identifier: MIT
 * Tables that neither API has. They say in rows what the common code has to do; nothing of it knows their names. */
#include "mapping/answer_view.h"

enum { NAME, PLACE, COUNT, LIKED, SCORE, SHARE, SEEN, KIND, TAGS, NOTE };
enum { ALL, BEST, OPEN, PART_OF };
enum { SUMS };

/* clang-format off */
static const struct word kinds[] = {
    { SLICE("apple"), SLICE("fruit") }, { SLICE("pear"), SLICE("fruit") }, { SLICE("leek"), SLICE("plant") },
    { SLICE(""), SLICE("") },
};

static const struct field fields[] = {
    [NAME]  = { .v3 = SLICE("name"),    .type = VALUE_TEXT,   .units = 1 },
    [PLACE] = { .v3 = SLICE("place"),   .type = VALUE_TEXT,   .units = 1 },
    [COUNT] = { .v3 = SLICE("n"),       .type = VALUE_WHOLE,  .units = 2, .nullable = true },
    [LIKED] = { .v3 = SLICE("is_liked"), .type = VALUE_BOOL,  .units = 1 },
    [SCORE] = { .v3 = SLICE("score"),   .type = VALUE_RATING, .units = 1 },
    [SHARE] = { .v3 = SLICE("share"),   .type = VALUE_NUMBER, .units = 1 },
    [SEEN]  = { .v3 = SLICE("seen_at"), .type = VALUE_DATE,   .units = 1 },
    [KIND]  = { .v3 = SLICE("kind"),    .type = VALUE_TEXT,   .units = 1, .words = kinds },
    [TAGS]  = { .v3 = SLICE("tags"),    .type = VALUE_LIST,   .units = 1 },
    [NOTE]  = { .v3 = SLICE("note"),    .type = VALUE_TEXT,   .units = 1, .nullable = true },
};

static const struct report things = {
    .shape = REPORT_ROWS, .path = SLICE("/site-explorer/things"), .key = SLICE("items"),
    .fields = fields, .n_fields = sizeof fields / sizeof fields[0], .parameters = SLICE("sort=stable"),
};

static const struct field sum_fields[] = {
    [ALL]     = { .v3 = SLICE("all"),  .type = VALUE_WHOLE },
    [BEST]    = { .v3 = SLICE("best"), .type = VALUE_RATING, .nullable = true },
    [OPEN]    = { .v3 = SLICE("open"), .type = VALUE_BOOL },
    [PART_OF] = { .v3 = SLICE("part"), .type = VALUE_NUMBER },
};

static const struct report sums = {
    .shape = REPORT_OBJECT, .path = SLICE("/site-explorer/sums"), .key = SLICE("sums"),
    .fields = sum_fields, .n_fields = sizeof sum_fields / sizeof sum_fields[0],
};

static const struct part parts[] = {
    [SUMS] = { .name = SLICE("sums"), .what = SLICE("sums"), .report = &sums, .brings = SLICE("sums"), .purpose = "sums",
               .fields = BIT(ALL) | BIT(BEST) | BIT(OPEN) | BIT(PART_OF) },
};

static const struct column columns[] = {
    { .v2 = SLICE("thing"), .type = VALUE_TEXT, .field = NAME, .text = TEXT_HOST,
      .where = FIDELITY_EXACT, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("liked"), .type = VALUE_BOOL, .field = LIKED,
      .where = FIDELITY_EXACT, .having = FIDELITY_NEAR, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("count"), .type = VALUE_WHOLE, .field = COUNT,
      .where = FIDELITY_EXACT, .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("score"), .type = VALUE_RATING, .field = SCORE,
      .having = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("share"), .type = VALUE_NUMBER, .field = SHARE, .shown = FIDELITY_NEAR },
    { .v2 = SLICE("day"), .type = VALUE_DAY, .field = SEEN,
      .where = FIDELITY_EXACT, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("sort"), .type = VALUE_TEXT, .field = KIND, .text = TEXT_OF_WORDS,
      .where = FIDELITY_EXACT, .order_by = FIDELITY_NEAR, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("tag"), .type = VALUE_TEXT, .field = TAGS, .text = TEXT_IN_A_LIST,
      .where = FIDELITY_NEAR, .order_by = FIDELITY_MISSING, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("note"), .type = VALUE_TEXT, .field = NOTE, .text = TEXT_ANY_CASE, .null_when = NULL_VISITED,
      .where = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("owner"), .type = VALUE_TEXT, .from = FROM_TARGET, .order_by = FIDELITY_EXACT, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("lost"), .type = VALUE_WHOLE, .from = FROM_NOTHING,
      .where = FIDELITY_MISSING, .shown = FIDELITY_MISSING },
    { .v2 = SLICE("hidden"), .type = VALUE_TEXT, .field = PLACE, .only_named = true, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("page"), .type = VALUE_TEXT, .from = FROM_NOTHING, .text = TEXT_URL, .filter = { SLICE("page_to"), 3, false },
      .host = { SLICE("page_host"), 1, false }, .where = FIDELITY_NEAR },
};

static struct stat_value rows_that_came(const struct answer_view *v)
{
    return (struct stat_value){ v->rows_came, !v->has_every_row };
}

static const struct table_stat stats[] = {
    { .v2 = SLICE("every"), .type = VALUE_WHOLE,  .from = FROM_PART, .fields = BIT(ALL),     .shown = FIDELITY_EXACT },
    { .v2 = SLICE("part"),  .type = VALUE_NUMBER, .from = FROM_PART, .fields = BIT(PART_OF), .shown = FIDELITY_BOUND },
    { .v2 = SLICE("none"),  .type = VALUE_WHOLE,  .from = FROM_NOTHING, .shown = FIDELITY_MISSING },
    { .v2 = SLICE("came"),  .type = VALUE_WHOLE,  .shown = FIDELITY_NEAR, .make = rows_that_came },
};

static const struct column object_columns[] = {
    { .v2 = SLICE("all"),  .type = VALUE_WHOLE,  .from = FROM_PART, .fields = BIT(ALL),     .shown = FIDELITY_EXACT },
    { .v2 = SLICE("best"), .type = VALUE_RATING, .from = FROM_PART, .fields = BIT(BEST),    .shown = FIDELITY_EXACT },
    { .v2 = SLICE("open"), .type = VALUE_BOOL,   .from = FROM_PART, .fields = BIT(OPEN),    .shown = FIDELITY_NEAR },
    { .v2 = SLICE("part"), .type = VALUE_NUMBER, .from = FROM_PART, .fields = BIT(PART_OF), .shown = FIDELITY_EXACT },
    { .v2 = SLICE("who"),  .type = VALUE_TEXT,   .from = FROM_TARGET, .shown = FIDELITY_EXACT },
    { .v2 = SLICE("lost"), .type = VALUE_NUMBER, .from = FROM_NOTHING, .shown = FIDELITY_MISSING },
};
/* clang-format on */

static const struct table table_things = {
    .from = SLICE("things"),
    .rows = SLICE("stuff"),
    .row_element = SLICE("piece"),
    .columns = columns,
    .n_columns = sizeof columns / sizeof columns[0],
    .list = &things,
    .key = { .fields = { NAME, PLACE }, .n = 2 },
    .parts = parts,
    .n_parts = sizeof parts / sizeof parts[0],
    .stats = stats,
    .n_stats = sizeof stats / sizeof stats[0],
    .bound = { .is_known = true, .part = SUMS, .field = ALL },
    .prices = { .request_milli = 2000, .result_milli = 300, .where_milli = 4000, .having_milli = 1000 },
};

static const struct table table_doubles = {
    .from = SLICE("doubles"),
    .rows = SLICE("stuff"),
    .row_element = SLICE("piece"),
    .columns = columns,
    .n_columns = sizeof columns / sizeof columns[0],
    .list = &things,
    .key = { .fields = { NAME, PLACE }, .n = 2, .repeats = true },
    .rows_are_near = true,
    .prices = { .request_milli = 1000, .result_milli = 1000 },
};

static const struct table table_sums = {
    .from = SLICE("sums"),
    .kind = TABLE_OBJECT,
    .rows = SLICE("whole"),
    .columns = object_columns,
    .n_columns = sizeof object_columns / sizeof object_columns[0],
    .parts = parts,
    .n_parts = sizeof parts / sizeof parts[0],
    .prices = { .request_milli = 1000, .result_milli = 500 },
};

static const struct table table_never = {
    .from = SLICE("never"),
    .kind = TABLE_REFUSED,
    .advice = SLICE("ask a neighbour"),
};

static const struct table table_later = { .from = SLICE("later"), .kind = TABLE_UNBUILT };

/* In place of the real ones, wherever this file is linked. */
const struct table *const table_list[] = {
    &table_things, &table_doubles, &table_sums, &table_never, &table_later, NULL,
};

const struct table_hint table_hints[] = {
    { SLICE("thing"), SLICE("it is things now") },
    { SLICE(""), SLICE("") },
};
