/* SPDX-License-Identifier: MIT
 *
 * The rows of options.def as data: what each option is called, takes and means. Reading (read.c),
 * anchorage.conf and the manual page are made from it.
 */
#ifndef ANCHORAGE_CONFIG_OPTIONS_H
#define ANCHORAGE_CONFIG_OPTIONS_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

enum config_section {
    CONFIG_SECTION_proxy,
    CONFIG_SECTION_upstream,
    CONFIG_SECTION_fidelity,
    CONFIG_SECTION_ledger,
    CONFIG_SECTION_team, /* repeats, with a name; its fields are those of struct config_team */
    CONFIG_SECTIONS
};

/* What a value is, and in which C type it is kept. */
enum config_type {
    CONFIG_TYPE_WORD,      /* one of the words: an enum, or int32_t */
    CONFIG_TYPE_NUMBER,    /* digits, or one of the words: int32_t or int64_t */
    CONFIG_TYPE_DURATION,  /* 10ms, 60s, 5m, 1h, 7d; 0 where least is 0: int64_t, milliseconds */
    CONFIG_TYPE_MODE,      /* of a file, octal: int32_t */
    CONFIG_TYPE_ADDRESSES, /* where to listen: struct config_words */
    CONFIG_TYPE_NETWORKS,  /* 10.1.2.0/24, 2001:db8::/32, 10.1.2.7: struct config_words */
    CONFIG_TYPE_HOSTS,     /* host names, lower case: struct config_words */
    CONFIG_TYPE_PATHS,     /* resolved: struct config_words */
    CONFIG_TYPE_PATH,      /* resolved: const char *, NULL when empty */
    CONFIG_TYPE_DIRECTORY, /* the same, never empty */
    CONFIG_TYPE_KEY_FILE,  /* a path, also looked for in $CREDENTIALS_DIRECTORY; empty only where the default is */
    CONFIG_TYPE_URL,       /* http:// or https://, no slash at the end: const char * */
    CONFIG_TYPE_PROXY_URL, /* http://, https://, socks5://, socks5h://: const char *, NULL when empty */
    CONFIG_TYPE_TEXT,      /* one line, not empty: const char * */
    CONFIG_TYPES
};

/* A word that stands for a value; the empty word is the empty value. */
struct config_word {
    struct slice word;
    int64_t value;
};

enum config_change { CONFIG_CHANGE_RELOAD, CONFIG_CHANGE_RESTART };

enum config_state {
    CONFIG_STATE_MAY,
    CONFIG_STATE_MUST /* written without a comment sign in anchorage.conf */
};

struct config_option {
    enum config_section section;
    struct slice name;
    size_t offset; /* in struct config or struct config_team */
    size_t size;
    enum config_type type;
    const char *unit;      /* what a number counts, in words */
    struct slice fallback; /* the default as it would stand in the file */
    int64_t least, most;
    const struct config_word *words; /* ends with a word whose p is NULL */
    enum config_change change;
    enum config_state state;
    const char *help; /* lines without a newline at the end */
};

/* All rows, those of a section together and sections in the order of the enum. */
extern const struct config_option config_options[];
extern const size_t config_options_count;

/* "proxy"; all are constants. */
struct slice config_section_name(enum config_section section);

/* False when there is no section of that name. */
[[nodiscard]] bool config_section_find(struct slice name, enum config_section *section);

/* NULL when the section has no such option. */
const struct config_option *config_option_find(enum config_section section, struct slice name);

/* Append what would be right in place of an unknown name: the nearest name, the section that has it, or all. */
void config_section_suggest(struct buffer *b, struct slice name);
void config_option_suggest(struct buffer *b, enum config_section section, struct slice name);

/* Append what values the option takes: "refuse or meter", "1 to 5000000 rows or auto", "10ms to 1d"; nothing
 * for types without a range. */
void config_option_range(struct buffer *b, const struct config_option *option);

#endif
