/* SPDX-License-Identifier: MIT
 * The grammar of where and having. It takes all that real programs were seen to send: `:` for `=`, bare words, quoted
 * numbers, \" \' \\, commas and parentheses inside quotes. */
#include "mapping/condition.h"

#include "base/text.h"

enum { MAX_CONDITIONS = 100 };

static const struct slice operators[OP_COUNT] = {
    [OP_EQ] = SLICE("="),
    [OP_NE] = SLICE("<>"),
    [OP_LT] = SLICE("<"),
    [OP_LE] = SLICE("<="),
    [OP_GT] = SLICE(">"),
    [OP_GE] = SLICE(">="),
    [OP_SUBSTRING] = SLICE("substring"),
    [OP_WORD] = SLICE("word"),
    [OP_SUBDOMAIN] = SLICE("subdomain"),
};

/* As they stand in the text: the longer first. */
static const struct {
    struct slice text;
    enum operator_kind op;
} symbols[] = {
    { SLICE("<>"), OP_NE }, { SLICE("<="), OP_LE }, { SLICE(">="), OP_GE }, { SLICE("="), OP_EQ },
    { SLICE(":"), OP_EQ },  { SLICE("<"), OP_LT },  { SLICE(">"), OP_GT },
};

struct parser {
    const struct table *table;
    enum clause clause;
    struct slice text;
    size_t at;                  /* bytes */
    size_t counted, characters; /* bytes that were counted, and the characters that begin in them */
    struct slice spot;          /* what is refused */
    struct arena *memory;
};

struct slice clause_name(enum clause c)
{
    return c == CLAUSE_WHERE ? S("where") : S("having");
}

enum fault clause_fault(enum clause c)
{
    return c == CLAUSE_WHERE ? FAULT_BAD_WHERE : FAULT_BAD_HAVING;
}

enum fidelity clause_fidelity(enum clause c, const struct column *column)
{
    return c == CLAUSE_WHERE ? column->where : column->having;
}

/* Whether API v3 can do it at all. */
static bool clause_is_kept(enum clause c, const struct column *column)
{
    enum fidelity f = clause_fidelity(c, column);
    return f != FIDELITY_NONE && f != FIDELITY_MISSING;
}

struct slice clause_says(enum clause c, const struct column *column)
{
    struct slice says = c == CLAUSE_WHERE ? column->where_says : column->having_says;
    return says.n ? says : S("compared in v3's order of text, which may not be that of bytes");
}

struct slice operator_name(enum operator_kind op)
{
    return operators[op];
}

struct refusal clause_refusal(enum clause c, enum fault fault, size_t at, struct arena *memory, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct slice why = arena_vprintf(memory, format, args);
    va_end(args);
    struct slice all =
        arena_printf(memory, "%.*s, character %zu: %.*s", SLICE_ARGS(clause_name(c)), at, SLICE_ARGS(why));
    return (struct refusal){ fault, all.p ? all : clause_name(c) };
}

/* Characters before the byte `at`, plus one. It is asked for in order, but where something is refused. */
static size_t position(struct parser *p, size_t at)
{
    size_t n = at < p->counted ? 0 : p->characters;
    for (size_t i = at < p->counted ? 0 : p->counted; i < at; i++)
        n += ((unsigned char)p->text.p[i] & 0xC0) != 0x80;
    p->counted = at;
    p->characters = n;
    return n + 1;
}

/* What stands at the byte `at`: all that was read since, else one character; empty at the end. Its position. */
static size_t refuse_at(struct parser *p, size_t at)
{
    size_t length = 0;
    struct slice rest = slice_from(p->text, at), read = slice_of(rest.p, p->at > at ? p->at - at : 0);
    if (!read.n && rest.n)
        (void)utf8_decode(rest.p, &length);
    p->spot = read.n ? slice_trim(read) : slice_of(rest.p, length);
    return position(p, at);
}

#define REFUSE(p, where_at, ...)                                                                                       \
    clause_refusal((p)->clause, clause_fault((p)->clause), refuse_at((p), (where_at)), (p)->memory, __VA_ARGS__)

static const struct refusal fine = { 0 };

static struct refusal no_memory(void)
{
    return (struct refusal){ FAULT_TOO_BUSY, S("the call needs more memory than one call may have") };
}

static bool at_end(const struct parser *p)
{
    return p->at == p->text.n;
}

static char peek(const struct parser *p)
{
    return at_end(p) ? 0 : p->text.p[p->at];
}

static void skip_spaces(struct parser *p)
{
    for (char c = peek(p); c == ' ' || c == '\t' || c == '\r' || c == '\n'; c = peek(p))
        p->at++;
}

static bool is_name_byte(char c)
{
    return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct slice take_name(struct parser *p)
{
    size_t start = p->at;
    while (!at_end(p) && is_name_byte(peek(p)))
        p->at++;
    return slice_of(p->text.p + start, p->at - start);
}

/* The columns that the clause takes, for messages. */
static struct slice allowed_columns(const struct parser *p)
{
    struct slice all = S("");
    for (size_t i = 0; i < p->table->n_columns && all.p; i++) {
        const struct column *c = &p->table->columns[i];
        if (clause_is_kept(p->clause, c))
            all = arena_printf(p->memory, "%.*s%s%.*s", SLICE_ARGS(all), all.n ? ", " : "", SLICE_ARGS(c->v2));
    }
    return all.n ? all : S("no column of this table");
}

static struct refusal find_column(struct parser *p, struct slice name, size_t at, struct condition *c)
{
    c->column = table_column(p->table, name);
    c->at = position(p, at);
    if (c->column < 0)
        return REFUSE(p, at, "there is no column \"%.*s\"; %.*s takes %.*s", SLICE_ARGS(name),
                      SLICE_ARGS(clause_name(p->clause)), SLICE_ARGS(allowed_columns(p)));
    if (clause_fidelity(p->clause, &p->table->columns[c->column]) == FIDELITY_NONE)
        return REFUSE(p, at, "column \"%.*s\" cannot be used in %.*s, which takes %.*s", SLICE_ARGS(name),
                      SLICE_ARGS(clause_name(p->clause)), SLICE_ARGS(allowed_columns(p)));
    if (!clause_is_kept(p->clause, &p->table->columns[c->column]))
        return clause_refusal(p->clause, FAULT_NOT_EXACT, c->at, p->memory,
                              "API v3 cannot tell \"%.*s\"; %.*s takes %.*s", SLICE_ARGS(name),
                              SLICE_ARGS(clause_name(p->clause)), SLICE_ARGS(allowed_columns(p)));
    return fine;
}

/* `raw`, which does not end in a backslash of its own, without its escapes; p is NULL when memory is out. */
static struct slice unescaped(struct slice raw, struct arena *memory)
{
    size_t i = slice_find(raw, '\\'), n = i;
    char *out = i < raw.n ? arena_alloc(memory, raw.n) : NULL;
    if (!out)
        return i < raw.n ? slice_of(NULL, 0) : raw;
    memcpy(out, raw.p, i);
    for (; i < raw.n; i++) {
        char c = raw.p[i];
        if (c == '\\') {
            c = raw.p[++i];
            c = c == '0' ? 0 : c;
        }
        out[n++] = c;
    }
    return slice_of(out, n);
}

/* "…" or '…' with backslash escapes; the parser stands at the quote. */
static struct refusal take_quoted(struct parser *p, struct slice *ret)
{
    size_t start = p->at, end = start + 1;
    char quote = p->text.p[start];
    while (end < p->text.n && p->text.p[end] != quote)
        end += p->text.p[end] == '\\' ? 2 : 1;
    if (end >= p->text.n)
        return REFUSE(p, start, "the string that begins here has no closing quote (write \\%c for a quote inside)",
                      quote);
    p->at = end + 1;
    *ret = unescaped(slice_of(p->text.p + start + 1, end - start - 1), p->memory);
    return ret->p ? fine : no_memory();
}

static struct refusal take_value(struct parser *p, struct slice *ret)
{
    skip_spaces(p);
    if (peek(p) == '"' || peek(p) == '\'')
        return take_quoted(p, ret);
    size_t start = p->at;
    while (!at_end(p) && peek(p) != ',' && peek(p) != ')')
        p->at++;
    *ret = slice_trim(slice_of(p->text.p + start, p->at - start));
    if (!ret->n)
        return REFUSE(p, start, "a value is missing: write a number, or a text or day in double quotes");
    return fine;
}

/* A boolean is equal to true, false, 1 or 0, or not; and it may be more than 0. */
static struct refusal set_bool(struct parser *p, struct slice text, size_t at, struct condition *c)
{
    bool is_true = slice_eq(text, S("true")) || slice_eq(text, S("1"));
    bool is_false = slice_eq(text, S("false")) || slice_eq(text, S("0"));
    c->whole = is_true;
    if (c->op == OP_GT && is_false) {
        c->op = OP_EQ;
        c->whole = 1;
        return fine;
    }
    if ((c->op == OP_EQ || c->op == OP_NE) && (is_true || is_false))
        return fine;
    struct slice name = p->table->columns[c->column].v2;
    return REFUSE(p, at, "%.*s is true or false: write %.*s=true or %.*s=false", SLICE_ARGS(name), SLICE_ARGS(name),
                  SLICE_ARGS(name));
}

static struct refusal set_value(struct parser *p, struct slice text, size_t at, struct condition *c)
{
    const struct column *column = &p->table->columns[c->column];
    switch (column->type) {
    case VALUE_TEXT:
    case VALUE_LIST:
        c->text = text;
        return fine;
    case VALUE_BOOL:
        return set_bool(p, text, at, c);
    case VALUE_WHOLE:
    case VALUE_RATING:
    case VALUE_NUMBER:
        if (!literal_whole(text, &c->whole))
            return REFUSE(p, at, "\"%.*s\" is no whole number of 64 bits, which %.*s is compared with",
                          SLICE_ARGS(text), SLICE_ARGS(column->v2));
        return fine;
    case VALUE_DATE:
    case VALUE_DAY:
        if (!literal_date(text, &c->date))
            return REFUSE(p, at, "\"%.*s\" is no date: write \"2018-01-31\" or \"2018-01-31T08:00:00Z\"",
                          SLICE_ARGS(text));
        return fine;
    }
    return fine;
}

/* func(column, value); the parser stands at the parenthesis. */
static struct refusal take_function(struct parser *p, struct slice name, size_t name_at, struct condition *c)
{
    for (c->op = OP_SUBSTRING; c->op < OP_COUNT; c->op++)
        if (slice_eq(operators[c->op], name))
            break;
    if (c->op == OP_COUNT)
        return REFUSE(p, name_at, "there is no function \"%.*s\"; there are substring, word and subdomain",
                      SLICE_ARGS(name));
    p->at++;
    skip_spaces(p);
    size_t column_at = p->at, value_at;
    struct slice value, column = take_name(p);
    struct refusal r = find_column(p, column, column_at, c);
    if (r.fault)
        return r;
    if (p->table->columns[c->column].type != VALUE_TEXT)
        return REFUSE(p, name_at,
                      "%.*s is for texts, and %.*s is none; compare it with = <> < <= > >=", SLICE_ARGS(name),
                      SLICE_ARGS(column));
    skip_spaces(p);
    if (peek(p) != ',')
        return REFUSE(p, p->at, "a comma and a value are missing, as in %.*s(%.*s,\"value\")", SLICE_ARGS(name),
                      SLICE_ARGS(column));
    p->at++;
    skip_spaces(p);
    value_at = p->at;
    r = take_value(p, &value);
    if (r.fault)
        return r;
    skip_spaces(p);
    if (peek(p) != ')')
        return REFUSE(p, p->at, "a closing parenthesis is missing");
    p->at++;
    return set_value(p, value, value_at, c);
}

static struct refusal take_comparison(struct parser *p, struct slice name, size_t name_at, struct condition *c)
{
    struct refusal r = find_column(p, name, name_at, c);
    if (r.fault)
        return r;
    skip_spaces(p);
    c->op = OP_COUNT;
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        if (slice_starts(slice_from(p->text, p->at), symbols[i].text)) {
            c->op = symbols[i].op;
            p->at += symbols[i].text.n;
            break;
        }
    }
    if (c->op == OP_COUNT)
        return REFUSE(p, p->at, "an operator is missing behind \"%.*s\": one of = : <> < <= > >=", SLICE_ARGS(name));
    skip_spaces(p);
    if (!at_end(p) && strchr("=:<>", peek(p)))
        return REFUSE(p, p->at, "there is no such operator; there are = : <> < <= > >=");
    size_t value_at = p->at;
    struct slice value;
    r = take_value(p, &value);
    return r.fault ? r : set_value(p, value, value_at, c);
}

static struct refusal take_condition(struct parser *p, struct condition *c)
{
    skip_spaces(p);
    size_t name_at = p->at;
    struct slice name = take_name(p);
    if (!name.n)
        return REFUSE(p, name_at, "a condition is missing: write column, operator, value, as in backlinks>10");
    skip_spaces(p);
    struct refusal r = peek(p) == '(' ? take_function(p, name, name_at, c) : take_comparison(p, name, name_at, c);
    c->source = slice_trim(slice_of(p->text.p + name_at, p->at - name_at));
    skip_spaces(p);
    return r;
}

static struct refusal take_conditions(struct parser *p, struct conditions *ret)
{
    size_t room = 4, n = 0;
    struct condition *list = arena_array(p->memory, struct condition, room);
    if (!list)
        return no_memory();
    for (;;) {
        if (n == MAX_CONDITIONS)
            return REFUSE(p, p->at, "there are more than %d conditions", MAX_CONDITIONS);
        if (n == room) {
            struct condition *more = arena_array(p->memory, struct condition, room *= 2);
            if (!more)
                return no_memory();
            memcpy(more, list, n * sizeof *list);
            list = more;
        }
        list[n].clause = p->clause;
        struct refusal r = take_condition(p, &list[n]);
        if (r.fault)
            return r;
        n++;
        if (at_end(p))
            break;
        if (peek(p) != ',')
            return REFUSE(p, p->at, "a comma is missing between two conditions");
        p->at++;
    }
    *ret = (struct conditions){ .list = list, .n = n };
    return fine;
}

struct refusal conditions_parse(const struct table *table, enum clause clause, struct slice text, struct arena *memory,
                                struct conditions *ret)
{
    struct parser p = { .table = table, .clause = clause, .text = text, .memory = memory };
    struct refusal r = take_conditions(&p, ret);
    if (r.fault)
        *ret = (struct conditions){ .spot = p.spot };
    return r;
}

/* Bytes of a character in a JSON string in a URL. Folding may make a letter of two or more bytes another such one; the
 * Kelvin sign alone becomes a letter of ASCII. */
static size_t least_url(uint32_t c)
{
    enum { KELVIN_SIGN = 0x212A };
    bool plain = c < 0x80 && (is_name_byte((char)c) || c == '-' || c == '.' || c == '~');
    if (plain || c == KELVIN_SIGN)
        return 1;
    return c >= 0x80 || c < 0x20 || c == '"' || c == '\\' ? 6 : 3;
}

size_t conditions_least_url(const struct conditions *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++) {
        struct slice text = c->list[i].text;
        for (size_t at = 0, length; at < text.n; at += length)
            n += least_url(utf8_decode(text.p + at, &length));
    }
    return n;
}
