/* SPDX-License-Identifier: MIT
 * The option table: options.def turned into rows, and finding one's way in it. */
#include "config/options.h"

#include "base/text.h"
#include "base/words/words.h"
#include "config/config.h"
#include "config/duration.h"

#define WORD(text, means)                                                                                              \
    {                                                                                                                  \
        .word = SLICE(text), .value = (means)                                                                          \
    }
#define WORDS(list, ...) static const struct config_word CONFIG_WORDS_##list[] = { __VA_ARGS__{ .value = 0 } }

/* clang-format off */
WORDS(NONE, );
WORDS(AUTO, WORD("auto", CONFIG_AUTO), );
WORDS(NO_LIMIT, WORD("", CONFIG_UNLIMITED), );
WORDS(UNITS_OF_ALL, WORD("unlimited", CONFIG_UNLIMITED), WORD("", CONFIG_UNSET), );
WORDS(FOREVER, WORD("forever", 0), );
WORDS(UNKNOWN_KEYS, WORD("refuse", UNKNOWN_KEYS_REFUSE), WORD("meter", UNKNOWN_KEYS_METER), );
WORDS(ERROR_STATUS, WORD("v2", ERROR_STATUS_V2), WORD("http", ERROR_STATUS_HTTP), );
WORDS(DEFAULT_MODE, WORD("exact", DEFAULT_MODE_EXACT), WORD("domain", DEFAULT_MODE_DOMAIN),
      WORD("subdomains", DEFAULT_MODE_SUBDOMAINS), WORD("prefix", DEFAULT_MODE_PREFIX),
      WORD("require", DEFAULT_MODE_REQUIRE), );
WORDS(LAST_VISITED, WORD("first_seen", LAST_VISITED_FIRST_SEEN), WORD("null", LAST_VISITED_NULL), );
WORDS(STATS, WORD("ask", STATS_ASK), WORD("zero", STATS_ZERO), );
WORDS(STATS_REFPAGES, WORD("estimate", STATS_REFPAGES_ESTIMATE), WORD("null", STATS_REFPAGES_NULL), );
WORDS(MISSING, WORD("empty", MISSING_EMPTY), WORD("null", MISSING_NULL), );
WORDS(ANCHOR_CASE, WORD("fold", ANCHOR_CASE_FOLD), WORD("keep", ANCHOR_CASE_KEEP), );
WORDS(APPROXIMATE, WORD("allow", APPROXIMATE_ALLOW), WORD("refuse", APPROXIMATE_REFUSE), );
WORDS(TOO_LONG, WORD("cut", TOO_LONG_CUT), WORD("refuse", TOO_LONG_REFUSE), );
WORDS(DURABILITY, WORD("full", DURABILITY_FULL), WORD("relaxed", DURABILITY_RELAXED), );

#define HOLDER_proxy struct config
#define HOLDER_upstream struct config
#define HOLDER_fidelity struct config
#define HOLDER_ledger struct config
#define HOLDER_team struct config_team

const struct config_option config_options[] = {
#define OPTION(s, n, f, t, u, d, lo, hi, w, c, b, h)                                                                   \
    { .section = CONFIG_SECTION_##s, .name = SLICE(#n), .offset = offsetof(HOLDER_##s, f),                             \
      .size = sizeof(((HOLDER_##s *)NULL)->f), .type = CONFIG_TYPE_##t, .unit = (u), .fallback = SLICE(d),             \
      .least = (lo), .most = (hi), .words = CONFIG_WORDS_##w, .change = CONFIG_CHANGE_##c,                             \
      .state = CONFIG_STATE_##b, .help = (h) },
#include "config/options.def"
#undef OPTION
};
/* clang-format on */

const size_t config_options_count = sizeof config_options / sizeof config_options[0];

static const struct slice sections[CONFIG_SECTIONS] = {
    [CONFIG_SECTION_proxy] = SLICE("proxy"),       [CONFIG_SECTION_upstream] = SLICE("upstream"),
    [CONFIG_SECTION_fidelity] = SLICE("fidelity"), [CONFIG_SECTION_ledger] = SLICE("ledger"),
    [CONFIG_SECTION_team] = SLICE("team"),
};

struct slice config_section_name(enum config_section section)
{
    return sections[section];
}

bool config_section_find(struct slice name, enum config_section *section)
{
    for (size_t i = 0; i < CONFIG_SECTIONS; i++) {
        if (slice_eq(sections[i], name)) {
            *section = (enum config_section)i;
            return true;
        }
    }
    return false;
}

const struct config_option *config_option_find(enum config_section section, struct slice name)
{
    for (size_t i = 0; i < config_options_count; i++) {
        if (config_options[i].section == section && slice_eq(config_options[i].name, name))
            return &config_options[i];
    }
    return NULL;
}

static void append_section(struct buffer *b, enum config_section section)
{
    buffer_printf(b, section == CONFIG_SECTION_team ? "[%.*s NAME]" : "[%.*s]", SLICE_ARGS(sections[section]));
}

void config_section_suggest(struct buffer *b, struct slice name)
{
    size_t nearest = CONFIG_SECTIONS;
    for (size_t i = 0, best = SIZE_MAX; i < CONFIG_SECTIONS; i++)
        nearest = words_is_near(name, sections[i], &best) ? i : nearest;
    if (nearest < CONFIG_SECTIONS) {
        buffer_str(b, "did you mean ");
        append_section(b, (enum config_section)nearest);
        buffer_put(b, '?');
        return;
    }
    for (size_t i = 0; i < CONFIG_SECTIONS; i++) {
        buffer_str(b, i ? ", " : "there are ");
        append_section(b, (enum config_section)i);
    }
}

void config_option_suggest(struct buffer *b, enum config_section section, struct slice name)
{
    const struct config_option *nearest = NULL, *elsewhere = NULL;
    size_t best = SIZE_MAX;
    for (const struct config_option *o = config_options; o < config_options + config_options_count; o++) {
        if (o->section == section && words_is_near(name, o->name, &best))
            nearest = o;
        if (slice_eq(o->name, name))
            elsewhere = o;
    }
    if (elsewhere) {
        buffer_str(b, "it belongs in ");
        append_section(b, elsewhere->section);
        return;
    }
    if (nearest) {
        buffer_printf(b, "did you mean %.*s?", SLICE_ARGS(nearest->name));
        return;
    }
    append_section(b, section);
    const char *between = " has ";
    for (const struct config_option *o = config_options; o < config_options + config_options_count; o++) {
        if (o->section == section) {
            buffer_printf(b, "%s%.*s", between, SLICE_ARGS(o->name));
            between = ", ";
        }
    }
}

static void append_words(struct buffer *b, const struct config_word *words, const char *between)
{
    for (; words->word.p; words++) {
        buffer_str(b, between);
        buffer_append(b, words->word.n ? words->word : S("empty"));
        between = words[1].word.p && words[2].word.p ? ", " : " or ";
    }
}

void config_option_range(struct buffer *b, const struct config_option *option)
{
    if (option->type == CONFIG_TYPE_NUMBER) {
        buffer_i64(b, option->least);
        buffer_str(b, " to ");
        buffer_i64(b, option->most);
        buffer_printf(b, "%s%s", option->unit[0] ? " " : "", option->unit);
        append_words(b, option->words, option->words[0].word.p && option->words[1].word.p ? ", " : " or ");
    } else if (option->type == CONFIG_TYPE_DURATION) {
        config_duration_write(b, option->least);
        buffer_str(b, " to ");
        config_duration_write(b, option->most);
    } else {
        append_words(b, option->words, "");
    }
}
