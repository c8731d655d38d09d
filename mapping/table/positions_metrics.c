/* SPDX-License-Identifier: MIT
 * v2 `positions_metrics`: the keywords that a target ranks for, the visits they bring and what these would cost
 * (docs/compatibility.md). */
#include "mapping/condition.h"
#include "mapping/filter.h"
#include "mapping/record.h"

/* Those that v3 has numbers for. */
static const struct slice countries =
    SLICE("ad ae af ag ai al am ao ar as at au aw az ba bb bd be bf bg bh bi bj bn bo br bs bt bw by bz ca cd cf cg ch "
          "ci ck cl cm cn co cr cu cv cy cz de dj dk dm do dz ec ee eg es et fi fj fm fo fr ga gb gd ge gf gg gh gi gl "
          "gm gn gp gq gr gt gu gy hk hn hr ht hu id ie il im in iq is it je jm jo jp ke kg kh ki kn kr kw ky kz la lb "
          "lc li lk ls lt lu lv ly ma mc md me mg mk ml mm mn mq mr ms mt mu mv mw mx my mz na nc ne ng ni nl no np nr "
          "nu nz om pa pe pf pg ph pk pl pn pr ps pt py qa re ro rs ru rw sa sb sc se sg sh si sk sl sm sn so sr st sv "
          "td tg th tj tk tl tm tn to tr tt tw tz ua ug us uy uz vc ve vg vi vn vu ws ye yt za zm zw");

enum { COUNTRY_BYTES = 3 /* of one, with the blank */ };

static bool is_country(const char two[2])
{
    for (size_t i = 0; i + 2 <= countries.n; i += COUNTRY_BYTES)
        if (memcmp(countries.p + i, two, 2) == 0)
            return true;
    return false;
}

/* The country is one of the whole question, and no filter. */
static struct refusal take_country(const struct filter_making *m, const struct condition *c, struct slice *ret)
{
    char two[2] = { 0 };
    for (size_t i = 0; i < 2 && c->text.n == 2; i++)
        two[i] = (char)(c->text.p[i] >= 'A' && c->text.p[i] <= 'Z' ? c->text.p[i] + ('a' - 'A') : c->text.p[i]);
    if (c->op != OP_EQ)
        return clause_refusal(c->clause, FAULT_BAD_WHERE, c->at, m->memory,
                              "country can only be equal to one: write country=\"us\"");
    if (!is_country(two))
        return clause_refusal(c->clause, FAULT_BAD_WHERE, c->at, m->memory,
                              "there are no numbers of this country: give two letters such as country=\"us\"");
    if (m->country->n && memcmp(m->country->p, two, 2) != 0)
        return clause_refusal(c->clause, FAULT_BAD_WHERE, c->at, m->memory,
                              "two countries are asked for at once: ask for each in a call of its own");
    *m->country = arena_dup(m->memory, slice_of(two, 2));
    *ret = S("");
    struct refusal refusal = { 0 };
    if (!m->country->p)
        refusal = (struct refusal){ FAULT_TOO_BUSY, S("the call needs more memory than one call may have") };
    return refusal;
}

/* clang-format off */
#define NUMBER(name, kind, set)                                                                                        \
    { .v2 = SLICE(name), .type = (kind), .from = FROM_PART, .fields = (set), .shown = FIDELITY_EXACT }
#define UNKNOWN(name)                                                                                                  \
    { .v2 = SLICE(name), .type = VALUE_NUMBER, .from = FROM_NOTHING, .shown = FIDELITY_MISSING,                        \
      .null_when = NULL_MISSING }

/* The cost is in cents in both. */
static const struct column columns[] = {
    NUMBER("positions", VALUE_WHOLE, BIT(RECORD_ORG_KEYWORDS)),
    NUMBER("positions_top10", VALUE_WHOLE, BIT(RECORD_ORG_KEYWORDS_1_3) | BIT(RECORD_ORG_KEYWORDS_4_10)),
    NUMBER("positions_top3", VALUE_WHOLE, BIT(RECORD_ORG_KEYWORDS_1_3)),
    NUMBER("traffic", VALUE_NUMBER, BIT(RECORD_ORG_TRAFFIC)),
    UNKNOWN("traffic_top10"),
    UNKNOWN("traffic_top3"),
    NUMBER("cost", VALUE_NUMBER, BIT(RECORD_ORG_COST)),
    UNKNOWN("cost_top10"),
    UNKNOWN("cost_top3"),
    { .v2 = SLICE("country"), .type = VALUE_TEXT, .from = FROM_NOTHING, .where = FIDELITY_EXACT,
      .make_filter = take_country },
};
/* clang-format on */

const struct table table_positions_metrics = {
    .from = SLICE("positions_metrics"),
    .kind = TABLE_OBJECT,
    .rows = SLICE("metrics"),
    .columns = columns,
    .n_columns = sizeof columns / sizeof columns[0],
    .parts = &record_makes_answer,
    .n_parts = 1,
    .prices = { .request_milli = 1000, .result_milli = 1000, .where_milli = 5000 },
};
