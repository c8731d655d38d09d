/* SPDX-License-Identifier: MIT
 * Typed values: one reader a type. The readers know forms and ranges; what two options mean together is check.c's. */
#include "config/value.h"

#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "base/words/words.h"
#include "config/address.h"
#include "config/config.h"
#include "config/duration.h"

enum { QUOTE_MAX_BYTES = 60, PATH_MAX_BYTES = 4095, TEXT_MAX_BYTES = 200 };

/* What a reader works on. */
struct value {
    const struct config_option *option;
    struct slice text;
    const struct config_place *place;
    void *field;
    struct buffer *why;
};

void config_quote(struct buffer *b, struct slice s)
{
    if (words_look_secret(s)) { /* a key that was pasted in the wrong place */
        words_quote(b, s);
        return;
    }
    struct slice shown = s.n > QUOTE_MAX_BYTES ? slice_of(s.p, QUOTE_MAX_BYTES) : s;
    shown.n = utf8_valid_prefix(shown); /* do not cut a letter in two */
    buffer_put(b, '"');
    buffer_append(b, shown);
    buffer_str(b, shown.n < s.n ? "...\"" : "\"");
}

static void name_value(struct buffer *b, struct slice what)
{
    if (what.n)
        config_quote(b, what);
    else
        buffer_str(b, "the value");
}

static bool refuse(struct value *v, struct slice what, const char *is_wrong, const char *right)
{
    name_value(v->why, what);
    buffer_printf(v->why, " %s; %s", is_wrong, right);
    return false;
}

/* The same, with the option's own range as what would be right. */
static bool refuse_range(struct value *v, const char *is_wrong)
{
    name_value(v->why, v->text);
    buffer_printf(v->why, " %s; ", v->text.n ? is_wrong : "is empty");
    config_option_range(v->why, v->option);
    return false;
}

static void store_number(struct value *v, int64_t number)
{
    int32_t narrow = (int32_t)number;
    if (v->option->size == sizeof narrow)
        memcpy(v->field, &narrow, sizeof narrow);
    else
        memcpy(v->field, &number, sizeof number);
}

static bool read_word(struct value *v)
{
    for (const struct config_word *w = v->option->words; w->word.p; w++) {
        if (slice_eq(w->word, v->text)) {
            store_number(v, w->value);
            return true;
        }
    }
    return false;
}

static bool read_one_word(struct value *v)
{
    return read_word(v) || refuse_range(v, "is not known");
}

static bool read_number(struct value *v)
{
    if (read_word(v))
        return true;
    struct slice digits = v->text;
    bool negative = digits.n > 1 && digits.p[0] == '-';
    if (negative)
        digits = slice_from(digits, 1);
    for (size_t i = 0; i < digits.n; i++) {
        if (!is_digit(digits.p[i]))
            return refuse_range(v, "is not a number");
    }
    uint64_t number;
    if (negative || !parse_u64(digits, &number) || number < (uint64_t)v->option->least ||
        number > (uint64_t)v->option->most)
        return refuse_range(v, "is out of range");
    store_number(v, (int64_t)number);
    return true;
}

static bool read_duration(struct value *v)
{
    int64_t ms;
    switch (config_duration_read(v->text, &ms)) {
    case CONFIG_DURATION_NOT_ONE:
        return refuse(v, v->text, v->text.n ? "is not a duration" : "is empty",
                      "a number and ms, s, m, h or d, for example 60s");
    case CONFIG_DURATION_NO_UNIT:
        return refuse(v, v->text, "has no unit", "a number and ms, s, m, h or d, for example 60s");
    case CONFIG_DURATION_OK:
        break;
    }
    if (ms < v->option->least || ms > v->option->most)
        return refuse_range(v, "is out of range");
    store_number(v, ms);
    return true;
}

/* Who may connect is who may write. */
static bool read_mode(struct value *v)
{
    enum { MAX_DIGITS = 4, BITS_A_DIGIT = 3, ALL = 0777, WRITES = 0222 };
    int64_t mode = 0;
    bool good = v->text.n >= MAX_DIGITS - 1 && v->text.n <= MAX_DIGITS;
    for (size_t i = 0; good && i < v->text.n; i++) {
        good = v->text.p[i] >= '0' && v->text.p[i] <= '7';
        mode = mode << BITS_A_DIGIT | (v->text.p[i] - '0');
    }
    if (!good || mode > ALL)
        return refuse(v, v->text, v->text.n ? "is not a mode" : "is empty", "three octal digits, for example 0660");
    if (!(mode & WRITES))
        return refuse(v, v->text, "lets nobody connect, which needs the right to write", "for example 0660");
    store_number(v, mode);
    return true;
}

static void store_string(struct value *v, struct slice s)
{
    memcpy(v->field, &s.p, sizeof s.p);
}

static bool read_text(struct value *v)
{
    if (!v->text.n || v->text.n > TEXT_MAX_BYTES)
        return refuse(v, v->text, v->text.n ? "is too long" : "is empty", "1 to 200 bytes of text");
    store_string(v, arena_dup(v->place->memory, v->text));
    return true;
}

/* The path as the process can open it. */
static struct slice resolve(const struct value *v, struct slice path)
{
    if (slice_starts(path, S("/")))
        return arena_dup(v->place->memory, path);
    return arena_printf(v->place->memory, "%.*s%.*s", SLICE_ARGS(v->place->directory), SLICE_ARGS(path));
}

static bool path_valid(struct value *v, struct slice path)
{
    return path.n + v->place->directory.n <= PATH_MAX_BYTES ||
           refuse(v, path, "is too long", "a path of at most 4095 bytes");
}

static bool read_path(struct value *v)
{
    if (!path_valid(v, v->text))
        return false;
    store_string(v, v->text.n ? resolve(v, v->text) : slice_of(NULL, 0));
    return true;
}

static bool read_directory(struct value *v)
{
    return v->text.n ? read_path(v) : refuse(v, v->text, "is empty", "a directory");
}

static bool read_key_file(struct value *v)
{
    if (!v->text.n && v->option->fallback.n)
        return refuse(v, v->text, "is empty", "a file that holds the key");
    bool bare = v->text.n && slice_find(v->text, '/') == v->text.n;
    if (bare && v->place->credentials) {
        struct slice path = arena_printf(v->place->memory, "%s/%.*s", v->place->credentials, SLICE_ARGS(v->text));
        if (path.p && access(path.p, F_OK) == 0) {
            store_string(v, path);
            return true;
        }
    }
    return read_path(v);
}

static bool read_url(struct value *v)
{
    struct config_url url;
    struct slice text = v->text;
    const char *wrong = config_url_parse(text, &url);
    if (!wrong && url.has_user)
        wrong = "a user in it";
    if (!wrong && !slice_eq(url.scheme, S("https")) && !slice_eq(url.scheme, S("http")))
        wrong = "neither https:// nor http://";
    if (!wrong && slice_eq(url.scheme, S("http")) && !config_host_is_loopback(url.host))
        wrong = "http:// to another machine would show the key to everyone between";
    if (wrong) {
        buffer_printf(v->why, "%s; https://HOST[:PORT][/PATH], or http:// to loopback", text.n ? wrong : "empty");
        return false;
    }
    while (text.p[text.n - 1] == '/')
        text.n--;
    store_string(v, arena_dup(v->place->memory, text));
    return true;
}

static bool read_proxy_url(struct value *v)
{
    static const struct slice schemes[] = { SLICE("http"), SLICE("https"), SLICE("socks5"), SLICE("socks5h") };
    struct config_url url;
    if (!v->text.n) {
        store_string(v, slice_of(NULL, 0));
        return true;
    }
    const char *wrong = config_url_parse(v->text, &url);
    bool known = false;
    for (size_t i = 0; !wrong && i < sizeof schemes / sizeof schemes[0]; i++)
        known |= slice_eq(schemes[i], url.scheme);
    if (!known) { /* without the text: there may be a password in it */
        buffer_printf(v->why, "%s; http://HOST:PORT, https://, socks5:// or socks5h://",
                      wrong ? wrong : "unknown scheme");
        return false;
    }
    store_string(v, arena_dup(v->place->memory, v->text));
    return true;
}

/* The next of the words in *rest; false at the end. */
static bool next_word(struct slice *rest, struct slice *word)
{
    *rest = slice_trim(*rest);
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
        n++;
    *word = slice_of(rest->p, n);
    *rest = slice_from(*rest, n);
    return n > 0;
}

/* Read a list; `take` checks one word and gives what to keep, or refuses. */
static bool read_list(struct value *v, bool (*take)(struct value *v, struct slice word, struct slice *kept))
{
    struct config_words words = { .n = 0 };
    struct slice rest = v->text, word;
    while (next_word(&rest, &word))
        words.n++;
    words.word = arena_array(v->place->memory, const char *, words.n);
    if (!words.word)
        words.n = 0;
    rest = v->text;
    for (size_t i = 0; i < words.n && next_word(&rest, &word); i++) {
        struct slice kept;
        if (!take(v, word, &kept))
            return false;
        words.word[i] = kept.p;
    }
    memcpy(v->field, &words, sizeof words);
    return true;
}

static bool take_address(struct value *v, struct slice word, struct slice *kept)
{
    static const struct slice scheme = SLICE("unix:");
    if (!slice_starts(word, scheme)) {
        *kept = arena_dup(v->place->memory, word);
        return config_listen_valid(word) ||
               refuse(v, word, "is not an address to listen on",
                      "ADDRESS:PORT in numbers, for example 127.0.0.1:8080, [::1]:8080 or *:8080, or unix:PATH");
    }
    struct slice path = slice_from(word, scheme.n);
    struct slice resolved = resolve(v, path);
    if (!path.n || resolved.n >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return refuse(v, word, path.n ? "is too long for a socket" : "has no path", "unix:PATH of at most 107 bytes");
    *kept = arena_printf(v->place->memory, "unix:%.*s", SLICE_ARGS(resolved));
    return true;
}

static bool take_network(struct value *v, struct slice word, struct slice *kept)
{
    *kept = arena_dup(v->place->memory, word);
    return config_range_read(word, &(struct config_range){ 0 }) ||
           refuse(v, word, "is not a network", "for example 10.1.2.0/24, 2001:db8::/32 or 10.1.2.7");
}

static bool take_host(struct value *v, struct slice word, struct slice *kept)
{
    if (!config_host_valid(word))
        return refuse(v, word, "is not a host name", "for example ahrefs.com, which its subdomains belong to");
    char lower[256]; /* a valid host is shorter */
    for (size_t i = 0; i < word.n; i++)
        lower[i] = (char)(word.p[i] >= 'A' && word.p[i] <= 'Z' ? word.p[i] + 32 : word.p[i]);
    *kept = arena_dup(v->place->memory, slice_of(lower, word.n));
    return true;
}

static bool take_path(struct value *v, struct slice word, struct slice *kept)
{
    *kept = resolve(v, word);
    return path_valid(v, word);
}

static bool read_addresses(struct value *v)
{
    return read_list(v, take_address);
}

static bool read_networks(struct value *v)
{
    return read_list(v, take_network);
}

static bool read_hosts(struct value *v)
{
    return read_list(v, take_host);
}

static bool read_paths(struct value *v)
{
    return read_list(v, take_path);
}

static bool (*const readers[CONFIG_TYPES])(struct value *v) = {
    [CONFIG_TYPE_WORD] = read_one_word,       [CONFIG_TYPE_NUMBER] = read_number,
    [CONFIG_TYPE_DURATION] = read_duration,   [CONFIG_TYPE_MODE] = read_mode,
    [CONFIG_TYPE_ADDRESSES] = read_addresses, [CONFIG_TYPE_NETWORKS] = read_networks,
    [CONFIG_TYPE_HOSTS] = read_hosts,         [CONFIG_TYPE_PATHS] = read_paths,
    [CONFIG_TYPE_PATH] = read_path,           [CONFIG_TYPE_DIRECTORY] = read_directory,
    [CONFIG_TYPE_KEY_FILE] = read_key_file,   [CONFIG_TYPE_URL] = read_url,
    [CONFIG_TYPE_PROXY_URL] = read_proxy_url, [CONFIG_TYPE_TEXT] = read_text,
};

bool config_value_read(const struct config_option *option, struct slice text, const struct config_place *place,
                       void *holder, struct buffer *why)
{
    struct value v = { option, text, place, (char *)holder + option->offset, why };
    if (text.n > 1 && (text.p[0] == '"' || text.p[0] == '\'') && text.p[text.n - 1] == text.p[0]) {
        buffer_str(why, "quotes do not belong to the form; the value without them");
        return false;
    }
    return readers[option->type](&v);
}
