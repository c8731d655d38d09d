/* SPDX-License-Identifier: MIT
 * Query strings and forms, as old programs really send them: raw = , : inside values, names without a value. */
#include "mapping/params.h"

#include "base/conceal.h"
#include "base/text.h"

static const struct {
    struct slice name;
    enum fault fault;
} rows[PARAM_COUNT] = {
    [PARAM_TOKEN] = { SLICE("token"), FAULT_UNKNOWN_KEY },
    [PARAM_FROM] = { SLICE("from"), FAULT_UNKNOWN_TABLE },
    [PARAM_TARGET] = { SLICE("target"), FAULT_BAD_TARGET },
    [PARAM_MODE] = { SLICE("mode"), FAULT_BAD_MODE },
    [PARAM_SELECT] = { SLICE("select"), FAULT_BAD_SELECT },
    [PARAM_WHERE] = { SLICE("where"), FAULT_BAD_WHERE },
    [PARAM_HAVING] = { SLICE("having"), FAULT_BAD_HAVING },
    [PARAM_ORDER_BY] = { SLICE("order_by"), FAULT_BAD_ORDER_BY },
    [PARAM_LIMIT] = { SLICE("limit"), FAULT_BAD_LIMIT },
    [PARAM_OFFSET] = { SLICE("offset"), FAULT_BAD_OFFSET },
    [PARAM_OUTPUT] = { SLICE("output"), FAULT_BAD_OUTPUT },
};

struct slice param_name(enum param p)
{
    return rows[p].name;
}

enum fault param_fault(enum param p)
{
    return rows[p].fault;
}

enum param param_find(struct slice name)
{
    int i = 0;
    while (i < PARAM_COUNT && !slice_eq(rows[i].name, name))
        i++;
    return (enum param)i;
}

enum { LIKE_MAX_BYTES = 24 };

/* How many letters have to be changed, put in or taken out; both are short. */
static size_t distance(struct slice a, struct slice b)
{
    size_t row[LIKE_MAX_BYTES + 1];
    for (size_t j = 0; j <= b.n; j++)
        row[j] = j;
    for (size_t i = 0; i < a.n; i++) {
        size_t corner = row[0]++;
        for (size_t j = 0; j < b.n; j++) {
            size_t same = corner + (a.p[i] != b.p[j]), other = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            corner = row[j + 1];
            row[j + 1] = same < other ? same : other;
        }
    }
    return row[b.n];
}

struct slice param_like(struct slice name)
{
    char low[LIKE_MAX_BYTES];
    struct slice given = slice_trim(name);
    if (slice_ends(given, S("[]")))
        given.n -= 2;
    if (given.n < 3 || given.n > sizeof low)
        return S("");
    for (size_t i = 0; i < given.n; i++)
        low[i] = given.p[i] >= 'A' && given.p[i] <= 'Z' ? (char)(given.p[i] + 32) : given.p[i];
    given.p = low;
    size_t best = given.n < 5 ? 2 : 3; /* more than this is another word */
    struct slice like = S("");
    for (int i = 0; i < PARAM_COUNT; i++) {
        size_t d = slice_starts(rows[i].name, given) ? 1 : distance(given, rows[i].name);
        if (d >= best)
            continue;
        best = d;
        like = rows[i].name;
    }
    return like;
}

enum decoded { DECODED, UNDECODABLE, NO_MEMORY };

/* Percent-decode into the arena; text without % and + is borrowed. */
static enum decoded decode(struct slice raw, struct arena *memory, struct slice *ret)
{
    struct slice text = raw;
    if (slice_find(raw, '%') < raw.n || slice_find(raw, '+') < raw.n) {
        char *room = arena_alloc(memory, raw.n + 1);
        if (!room)
            return NO_MEMORY;
        struct buffer out = { .p = room, .room = raw.n + 1, .max_bytes = raw.n + 1 };
        if (!percent_decode(&out, raw, NULL))
            return UNDECODABLE;
        text = buffer_slice(&out);
    }
    if (slice_find(text, 0) < text.n || utf8_valid_prefix(text) < text.n)
        return UNDECODABLE;
    *ret = text;
    return DECODED;
}

/* Percent-decoded whatever its bytes are, or as it is. False when memory is out. */
static bool decode_any(struct slice raw, struct arena *memory, struct slice *ret)
{
    char *room = arena_alloc(memory, raw.n + 1);
    struct buffer out = { .p = room, .room = raw.n + 1, .max_bytes = raw.n + 1 };
    if (room)
        *ret = percent_decode(&out, raw, NULL) ? buffer_slice(&out) : raw;
    return room;
}

/* Remember a name that v2 did not have. False when memory is out. */
static bool ignore(struct params *p, struct slice raw, enum decoded d, struct slice name, struct arena *memory)
{
    if (!raw.n || p->more_ignored)
        return true;
    if (d != DECODED && !decode_any(raw, memory, &name))
        return false;
    for (int i = 0; i < p->n_ignored; i++)
        if (slice_eq(p->ignored[i], name))
            return true;
    if (p->n_ignored == PARAMS_MAX_IGNORED)
        p->more_ignored = true;
    else
        p->ignored[p->n_ignored++] = name;
    return true;
}

static bool add_pair(struct params *p, struct slice pair, struct arena *memory)
{
    struct slice raw_value, name = { 0 }, value = { 0 };
    if (!pair.n)
        return true;
    struct slice raw_name = slice_split(pair, '=', &raw_value);
    enum decoded d = decode(raw_name, memory, &name);
    if (d == NO_MEMORY)
        return false;
    int i = d == DECODED ? (int)param_find(name) : PARAM_COUNT;
    if (i == PARAM_COUNT)
        return ignore(p, raw_name, d, name, memory);
    if (!raw_value.n)
        return true;
    d = decode(raw_value, memory, &value);
    if (d == NO_MEMORY)
        return false;
    bool first = !p->value[i].n && !p->bad[i];
    if (!first) {
        bool same = d == DECODED && !p->bad[i] && slice_eq(value, p->value[i]);
        if (i == PARAM_TOKEN && !same)
            p->two_tokens = true;
        if (!same)
            p->twice |= 1u << i;
        return true;
    }
    p->value[i] = value;
    p->bad[i] = d == UNDECODABLE;
    return true;
}

const struct slice params_other_path = SLICE("there is only the path /: send the call as /?from=…&target=…&token=…");

bool params_path_is_root(struct slice path)
{
    size_t n = 0;
    while (n < path.n && path.p[n] == '/')
        n++;
    return n == path.n;
}

bool params_are_form(struct slice content_type)
{
    struct slice type = slice_of(content_type.p, slice_find(content_type, ';'));
    return slice_eq_nocase(slice_trim(type), S("application/x-www-form-urlencoded"));
}

bool params_add(struct params *p, struct slice text, struct arena *memory)
{
    while (text.n) {
        struct slice rest;
        if (!add_pair(p, slice_split(text, '&', &rest), memory))
            return false;
        text = rest;
    }
    return true;
}

/* "token" in any way of writing it. */
static bool is_token(struct slice raw_name)
{
    enum { LONGEST = 3 * 5 /* each of its letters as %XX */ };
    char room[LONGEST];
    struct buffer name = { .p = room, .room = sizeof room, .max_bytes = sizeof room };
    if (raw_name.n > LONGEST || slice_find(raw_name, '%') == raw_name.n)
        return slice_eq(raw_name, rows[PARAM_TOKEN].name);
    return percent_decode(&name, raw_name, NULL) && slice_eq(buffer_slice(&name), rows[PARAM_TOKEN].name);
}

void params_write_text(struct slice text, struct buffer *out)
{
    while (text.n) {
        struct slice value, pair = slice_split(text, '&', &text);
        if (!pair.n || is_token(slice_split(pair, '=', &value)))
            continue;
        if (out->n)
            buffer_put(out, '&');
        buffer_append(out, pair);
    }
}

void params_write_names(const struct params *p, struct buffer *out)
{
    bool any = false;
    for (int i = 0; i < PARAM_COUNT; i++) {
        if (i == PARAM_TOKEN || i == PARAM_FROM || (!p->value[i].n && !p->bad[i]))
            continue;
        buffer_put(out, any ? ',' : ' ');
        buffer_append(out, rows[i].name);
        any = true;
    }
}

struct slice params_without_token(const struct params *p, struct slice text, struct arena *memory)
{
    struct buffer b = { 0 };
    if (!conceal(text, p->value[PARAM_TOKEN], S("[token]"), &b))
        return text;
    struct slice kept = b.failed ? S("") : arena_dup(memory, buffer_slice(&b));
    buffer_clear(&b);
    return kept.p ? kept : S("");
}

void params_write_twice(const struct params *p, bool of_list, struct buffer *out)
{
    for (int i = 0; i < PARAM_COUNT; i++) {
        bool is_read = of_list || i == PARAM_FROM || i == PARAM_OUTPUT;
        if (!(p->twice & 1u << i) || !is_read)
            continue;
        if (out->n)
            buffer_put(out, ',');
        buffer_str(out, "twice.");
        buffer_append(out, rows[i].name);
    }
}

/* One name as it is shown, in `room`. */
static struct slice shown_name(struct slice name, char room[PARAMS_MAX_NAME])
{
    static const char digits[] = "0123456789ABCDEF";
    size_t n = 0;
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        bool plain =
            is_digit((char)c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '-';
        if (n + (plain ? 1 : 3) > PARAMS_MAX_NAME)
            break;
        if (!plain) {
            room[n++] = '%';
            room[n++] = digits[c >> 4];
        }
        room[n++] = plain ? (char)c : digits[c & 15];
    }
    return slice_of(room, n);
}

void params_write_ignored(const struct params *p, struct buffer *out)
{
    char rooms[PARAMS_MAX_IGNORED][PARAMS_MAX_NAME];
    struct slice shown[PARAMS_MAX_IGNORED];
    size_t start = out->n;
    for (int i = 0; i < p->n_ignored; i++) {
        struct buffer without = { 0 };
        bool has_token = conceal(p->ignored[i], p->value[PARAM_TOKEN], S("[token]"), &without);
        shown[i] = shown_name(has_token ? buffer_slice(&without) : p->ignored[i], rooms[i]);
        out->failed |= without.failed;
        buffer_clear(&without);
        bool is_new = true;
        for (int j = 0; j < i && is_new; j++)
            is_new = !slice_eq(shown[j], shown[i]);
        if (is_new && out->n > start)
            buffer_put(out, ',');
        if (is_new)
            buffer_append(out, shown[i]);
    }
    if (p->more_ignored)
        buffer_str(out, ",...");
}

/* ---- a pasted command ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char byte_at(struct slice s, size_t at)
{
    return at < s.n ? s.p[at] : 0;
}

/* Digits of a number at `at`, at most `most` of them; how many there are. */
static size_t read_digits(struct slice s, size_t at, unsigned base, size_t most, uint32_t *ret)
{
    size_t n = 0;
    *ret = 0;
    for (int v; n < most && (v = hex_value(byte_at(s, at + n))) >= 0 && (unsigned)v < base; n++)
        *ret = *ret * base + (unsigned)v;
    return n;
}

/* What a backslash in $'…' makes of the bytes behind it, at `at`; how many they are. */
static size_t put_escape(struct slice s, size_t at, struct buffer *out)
{
    static const char letters[] = "abefnrtv", means[] = "\a\b\033\f\n\r\t\v";
    char four[4], c = byte_at(s, at);
    const char *letter = c ? strchr(letters, c) : NULL;
    uint32_t v;
    size_t n;
    if (letter) {
        buffer_put(out, means[letter - letters]);
        return 1;
    }
    if ((c == 'u' || c == 'U') && (n = read_digits(s, at + 1, 16, c == 'u' ? 4 : 8, &v)) && v <= 0x10FFFF) {
        buffer_append(out, slice_of(four, utf8_encode(v, four)));
        return n + 1;
    }
    if (c == 'x' && (n = read_digits(s, at + 1, 16, 2, &v))) {
        buffer_put(out, (char)v);
        return n + 1;
    }
    if ((n = read_digits(s, at, 8, 3, &v))) {
        buffer_put(out, (char)v);
        return n;
    }
    buffer_put(out, c);
    return 1;
}

/* A backslash outside of quotes, or between double ones; the byte behind the pair. */
static size_t put_backslash(struct slice s, size_t at, bool quoted, struct buffer *out)
{
    char c = byte_at(s, at + 1);
    bool ends_line = c == '\n' || (c == '\r' && byte_at(s, at + 2) == '\n');
    if (ends_line)
        return at + (c == '\r' ? 3 : 2);
    if (quoted && !strchr("\"\\$`", c))
        buffer_put(out, '\\');
    if (at + 1 < s.n)
        buffer_put(out, c);
    return at + 2;
}

/* What stands between quotes; `at` is behind the first, the result behind the last. past s.n: it does not end. */
static size_t put_quoted(struct slice s, size_t at, char quote, bool dollar, struct buffer *out)
{
    while (at < s.n && s.p[at] != quote) {
        if (s.p[at] == '\\' && dollar)
            at += 1 + put_escape(s, at + 1, out);
        else if (s.p[at] == '\\' && quote == '"')
            at = put_backslash(s, at, true, out);
        else
            buffer_put(out, s.p[at++]);
    }
    return at + 1;
}

/* Where the next word begins. A backslash with blanks behind it was the end of a line before a field for one line took
 * that away. */
static size_t skip_blanks(struct slice s, size_t at)
{
    while (is_blank(byte_at(s, at)) || (byte_at(s, at) == '\\' && is_blank(byte_at(s, at + 1))))
        at++;
    return at;
}

/* The next word as a shell reads it. False at the end of the command: p is NULL in *ret when a quote is open. */
static bool next_word(struct slice *rest, struct arena *memory, struct slice *ret)
{
    struct slice s = *rest;
    size_t at = skip_blanks(s, 0);
    *ret = S("");
    if (at >= s.n || strchr("|;<>&", s.p[at]))
        return false;
    struct buffer out = buffer_with_cap(s.n * 4 + 4); /* no escape makes more of its bytes */
    while (at < s.n && !is_blank(s.p[at])) {
        char c = s.p[at], next = byte_at(s, at + 1);
        if (c == '\'' || c == '"')
            at = put_quoted(s, at + 1, c, false, &out);
        else if (c == '$' && next == '\'')
            at = put_quoted(s, at + 2, '\'', true, &out);
        else if (c == '\\')
            at = put_backslash(s, at, false, &out);
        else
            buffer_put(&out, s.p[at++]);
    }
    *ret = at > s.n || out.failed ? slice_of(NULL, 0) : arena_dup(memory, buffer_slice(&out));
    buffer_clear(&out);
    if (ret->p)
        *rest = slice_from(s, at);
    return ret->p;
}

struct curl {
    struct slice url;
    struct buffer query, form;
    bool get, not_form;
    const char *why;
};

enum curl_kind { CURL_VALUE, CURL_DATA, CURL_RAW, CURL_ENCODED, CURL_IN_QUERY, CURL_HEADER, CURL_URL, CURL_OTHER_BODY };

/* Options that have a value with a meaning for us; of the short ones, which else have a value. */
static const struct {
    struct slice name;
    char letter;
    enum curl_kind kind;
} curl_options[] = {
    { SLICE("--data"), 'd', CURL_DATA },
    { SLICE("--data-ascii"), 0, CURL_DATA },
    { SLICE("--data-binary"), 0, CURL_DATA },
    { SLICE("--data-raw"), 0, CURL_RAW },
    { SLICE("--data-urlencode"), 0, CURL_ENCODED },
    { SLICE("--url-query"), 0, CURL_IN_QUERY },
    { SLICE("--header"), 'H', CURL_HEADER },
    { SLICE("--url"), 0, CURL_URL },
    { SLICE("--json"), 0, CURL_OTHER_BODY },
    { SLICE("--form"), 'F', CURL_OTHER_BODY },
    { SLICE("--form-string"), 0, CURL_OTHER_BODY },
};
static const char curl_values[] = "AbcCDeEhKmoPQrtTuUwxXyYz";

/* Long ones without a value; of all others the next word is the value unless it looks like something else. */
static const char curl_switches[] =
    " --compressed --silent --show-error --fail --fail-with-body --insecure --location --include --verbose --get "
    "--head "
    "--http1.0 --http1.1 --http2 --http3 --globoff --ipv4 --ipv6 --no-buffer --no-keepalive --path-as-is "
    "--progress-bar "
    "--remote-name --tlsv1.2 --tlsv1.3 --anyauth --basic --no-progress-meter --disable --styled-output ";

static void add_data(struct buffer *to, struct slice text)
{
    if (to->n)
        buffer_put(to, '&');
    buffer_append(to, text);
}

/* content, =content or name=content. */
static void add_encoded(struct curl *c, struct buffer *to, struct slice text)
{
    struct slice content, name = slice_split(text, '=', &content);
    if (slice_find(name, '@') < name.n) {
        c->why = "curl would read a file for @: put its text there";
        return;
    }
    add_data(to, content.p ? name : S(""));
    if (content.p && name.n)
        buffer_put(to, '=');
    percent_encode(to, content.p ? content : text);
}

static void take_value(struct curl *c, enum curl_kind kind, struct slice value)
{
    struct slice content, name;
    switch (kind) {
    case CURL_DATA:
        if (byte_at(value, 0) == '@')
            c->why = "curl would read a file for @: put its text there";
        add_data(&c->form, value);
        return;
    case CURL_RAW:
        add_data(&c->form, value);
        return;
    case CURL_ENCODED:
        add_encoded(c, &c->form, value);
        return;
    case CURL_IN_QUERY:
        add_encoded(c, &c->query, value);
        return;
    case CURL_HEADER:
        name = slice_split(value, ':', &content);
        if (slice_eq_nocase(slice_trim(name), S("Content-Type")))
            c->not_form = !params_are_form(slice_trim(content));
        return;
    case CURL_URL:
        if (!c->url.p)
            c->url = value;
        return;
    case CURL_OTHER_BODY:
        c->not_form = true;
        return;
    case CURL_VALUE:
        return;
    }
}

enum { N_CURL_OPTIONS = sizeof curl_options / sizeof curl_options[0] };

/* -sSG, -XPOST, -dlimit=1: letters, the last of them perhaps with a value. */
static void take_letters(struct curl *c, struct slice word, struct slice *rest, struct arena *memory)
{
    for (size_t i = 1; i < word.n; i++) {
        int k = 0;
        while (k < N_CURL_OPTIONS && curl_options[k].letter != word.p[i])
            k++;
        c->get |= word.p[i] == 'G';
        if (k == N_CURL_OPTIONS && !strchr(curl_values, word.p[i]))
            continue;
        struct slice value = slice_from(word, i + 1);
        if (value.n || next_word(rest, memory, &value))
            take_value(c, k < N_CURL_OPTIONS ? curl_options[k].kind : CURL_VALUE, value);
        return;
    }
}

static bool looks_like_a_call(struct slice word)
{
    return byte_at(word, 0) == '-' || slice_find(word, '?') < word.n || memmem(word.p, word.n, "://", 3);
}

static void take_long(struct curl *c, struct slice word, struct slice *rest, struct arena *memory)
{
    int k = 0;
    struct slice value, before = *rest;
    while (k < N_CURL_OPTIONS && !slice_eq(curl_options[k].name, word))
        k++;
    c->get |= slice_eq(word, S("--get"));
    if (k == N_CURL_OPTIONS) {
        const char *at = memmem(curl_switches, sizeof curl_switches - 1, word.p, word.n);
        if (at && at[-1] == ' ' && at[word.n] == ' ')
            return;
        if (!next_word(rest, memory, &value) || looks_like_a_call(value))
            *rest = before;
        return;
    }
    if (next_word(rest, memory, &value))
        take_value(c, curl_options[k].kind, value);
}

static struct slice without_prompt(struct slice text)
{
    text = slice_trim(text);
    return slice_starts(text, S("$ ")) ? slice_trim(slice_from(text, 2)) : text;
}

bool params_are_curl(struct slice text)
{
    struct slice command = without_prompt(text);
    return slice_starts(command, S("curl")) && (command.n == 4 || is_blank(command.p[4]));
}

/* The address, with what --url-query and -G add to its query, and then the form, as they are read. */
static struct slice curl_address(struct curl *c, struct arena *memory)
{
    struct slice query, url = slice_of(c->url.p, slice_find(c->url, '#'));
    struct buffer all = { 0 }, address = { 0 };
    buffer_append(&address, slice_split(url, '?', &query));
    buffer_append(&all, query.p ? query : S(""));
    if (c->query.n)
        add_data(&all, buffer_slice(&c->query));
    if (c->form.n && (c->get || !c->not_form))
        add_data(&all, buffer_slice(&c->form));
    buffer_put(&address, '?');
    buffer_append(&address, buffer_slice(&all));
    struct slice whole = arena_dup(memory, buffer_slice(&address));
    if (all.failed || address.failed || c->query.failed || c->form.failed || !whole.p)
        c->why = "memory is out";
    buffer_clear(&all);
    buffer_clear(&address);
    return whole;
}

struct slice params_of_curl(struct slice command, struct arena *memory, const char **why)
{
    struct slice word, rest = slice_from(without_prompt(command), 4), address = S("");
    struct curl c = { 0 };
    while (!c.why && next_word(&rest, memory, &word)) {
        if (slice_eq(word, S("--next")))
            break;
        if (slice_starts(word, S("--")))
            take_long(&c, word, &rest, memory);
        else if (byte_at(word, 0) == '-' && word.n > 1)
            take_letters(&c, word, &rest, memory);
        else
            take_value(&c, CURL_URL, word);
    }
    if (!c.why && !word.p)
        c.why = arena_failed(memory) ? "memory is out" : "a quote in the curl command has no end";
    if (!c.why && !c.url.p)
        c.why = "there is no address in the curl command";
    if (!c.why)
        address = curl_address(&c, memory);
    buffer_clear(&c.query);
    buffer_clear(&c.form);
    *why = c.why;
    return c.why ? slice_of(NULL, 0) : address;
}
