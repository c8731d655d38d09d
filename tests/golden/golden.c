/* SPDX-License-Identifier: MIT
 * Plays the golden cases (README.md): each call through the mapping library, with recorded v3 answers. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/text.h"
#include "mapping/params.h"
#include "mapping/translation.h"
#include "proxy/upstream/reply.h"

enum { MAX_LINES = 16, MAX_REPLIES = 64 };

struct recorded {
    struct slice request; /* PATH?NAME=VALUE&…, or of a POST its path */
    struct slice post;    /* its body */
    int status;
    int64_t rows, units;
    bool cache_hit;
    struct slice body;
    bool used;
};

struct golden {
    struct slice name;
    struct slice today, method, target, type, form;
    struct slice config[MAX_LINES];
    size_t n_config;
    int64_t used_rows, limit_rows;
    struct slice subscription;
    struct recorded replies[MAX_REPLIES];
    size_t n_replies;
    struct slice verdict; /* of = or ! */
    bool refused;
    struct slice body; /* behind = or ~ */
};

struct outcome {
    struct refusal refusal;
    enum output output;
    struct translation_result result;
    const struct table *table;
    int64_t units; /* -1: not known */
    struct buffer body;
    struct slice twice; /* marks of the call alone */
};

static int failures, cases;
static const struct golden *playing;

static void wrong(const char *what, struct slice want, struct slice got)
{
    failures++;
    printf("%.*s: %s\n  expected: %.*s\n  got:      %.*s\n", SLICE_ARGS(playing->name), what, SLICE_ARGS(want),
           SLICE_ARGS(got));
}

/* ---- reading ---- */

static bool is_marker(struct slice line)
{
    return slice_starts(line, S("### ")) || (line.n >= 2 && strchr("#><=!~", line.p[0]) && line.p[1] == ' ');
}

static struct slice next_line(struct slice *text)
{
    return slice_split(*text, '\n', text);
}

static struct slice take_body(struct slice *text)
{
    const char *start = text->p;
    size_t n = 0;
    while (text->n) {
        struct slice rest = *text, line = next_line(&rest);
        if (is_marker(line))
            break;
        n = (size_t)(line.p - start) + line.n;
        *text = rest;
    }
    struct slice body = slice_of(start, n);
    while (body.n && body.p[body.n - 1] == '\n')
        body.n--;
    return body;
}

/* The value of NAME= among words; p NULL when absent. */
static struct slice word(struct slice line, const char *name)
{
    struct slice want = slice_str(name);
    while (line.n) {
        struct slice w = slice_split(line, ' ', &line);
        if (slice_starts(w, want) && w.n > want.n && w.p[want.n] == '=')
            return slice_from(w, want.n + 1);
    }
    return slice_of(NULL, 0);
}

static int64_t number(struct slice s, int64_t otherwise)
{
    int64_t n = otherwise;
    if (s.p && !parse_i64(s, &n))
        n = otherwise;
    return n;
}

static struct slice unhex(struct slice text)
{
    char *out = (char *)(uintptr_t)text.p; /* in place: it only gets shorter */
    size_t n = 0;
    for (size_t i = 0; i + 1 < text.n; i++) {
        if (hex_value(text.p[i]) < 0)
            continue;
        out[n++] = (char)(hex_value(text.p[i]) << 4 | hex_value(text.p[i + 1]));
        i++;
    }
    return slice_of(out, n);
}

static void read_reply(struct golden *g, struct slice line, struct slice *text)
{
    struct recorded *r = &g->replies[g->n_replies - 1];
    struct slice rest, status = slice_split(line, ' ', &rest);
    r->status = (int)number(status, 0);
    r->rows = number(word(rest, "rows"), -1);
    r->units = number(word(rest, "units"), -1);
    r->cache_hit = slice_eq(word(rest, "cache"), S("hit"));
    if (r->status != 200) {
        r->body = rest;
        r->rows = r->units = -1;
        take_body(text);
        return;
    }
    r->body = take_body(text);
    if (slice_eq(word(rest, "encoding"), S("hex")))
        r->body = unhex(r->body);
}

static void read_directive(struct golden *g, struct slice line)
{
    struct slice rest, name = slice_split(line, ' ', &rest);
    if (slice_eq(name, S("today")))
        g->today = rest;
    else if (slice_eq(name, S("config")))
        g->config[g->n_config++] = rest;
    else if (slice_eq(name, S("call")))
        g->method = slice_split(rest, ' ', &g->target);
    else if (slice_eq(name, S("type")))
        g->type = rest;
    else if (slice_eq(name, S("body")))
        g->form = rest;
    else if (slice_eq(name, S("usage"))) {
        g->used_rows = number(word(rest, "rows"), 0);
        g->limit_rows = number(word(rest, "limit"), -1);
        size_t at = 0;
        while (at < rest.n && !slice_starts(slice_from(rest, at), S("subscription=")))
            at++;
        g->subscription = slice_from(rest, at + 13);
    } else if (line.n) {
        fprintf(stderr, "%.*s: no such directive: %.*s\n", SLICE_ARGS(g->name), SLICE_ARGS(line));
        exit(2);
    }
}

/* PATH?NAME=VALUE&…, or POST PATH BODY. */
static struct recorded read_request(struct slice text)
{
    struct recorded r = { .request = text };
    if (slice_starts(text, S("POST ")))
        r.request = slice_split(slice_from(text, 5), ' ', &r.post);
    return r;
}

/* The next case of the file; false at its end. */
static bool read_case(struct slice *text, struct golden *g)
{
    *g = (struct golden){ .limit_rows = -1 };
    while (text->n && !slice_starts(*text, S("### ")))
        next_line(text);
    if (!text->n)
        return false;
    struct slice title;
    g->name = slice_split(slice_from(next_line(text), 4), ':', &title);
    while (text->n && !slice_starts(*text, S("### "))) {
        struct slice line = next_line(text);
        if (!is_marker(line)) {
            read_directive(g, line);
            continue;
        }
        struct slice rest = slice_from(line, 2);
        if (line.p[0] == '>')
            g->replies[g->n_replies++] = read_request(rest);
        else if (line.p[0] == '<')
            read_reply(g, rest, text);
        else if (line.p[0] == '=' || line.p[0] == '!') {
            g->verdict = rest;
            g->refused = line.p[0] == '!';
            if (!g->refused)
                g->body = take_body(text);
        } else if (line.p[0] == '~') {
            g->body = rest;
        }
    }
    return true;
}

/* ---- requests ---- */

static struct slice parameter(struct slice query, struct slice name, struct buffer *room)
{
    while (query.n) {
        struct slice value, pair = slice_split(query, '&', &query);
        struct slice n = slice_split(pair, '=', &value);
        if (!slice_eq(n, name))
            continue;
        size_t start = room->n;
        for (size_t i = 0; i < value.n; i++) { /* a plus is a plus here */
            if (value.p[i] == '%' && i + 2 < value.n + 0 && hex_value(value.p[i + 1]) >= 0) {
                buffer_put(room, (char)(hex_value(value.p[i + 1]) << 4 | hex_value(value.p[i + 2])));
                i += 2;
            } else {
                buffer_put(room, value.p[i]);
            }
        }
        return slice_of(room->p + start, room->n - start);
    }
    return slice_of(NULL, 0);
}

static int compare_texts(const void *a, const void *b)
{
    struct json_object *const *x = a, *const *y = b;
    return strcmp(json_object_get_string(*x), json_object_get_string(*y));
}

/* The columns of a body are a set. */
static void sort_select(struct json_object *body)
{
    struct json_object *select;
    if (json_object_is_type(body, json_type_object) && json_object_object_get_ex(body, "select", &select) &&
        json_object_is_type(select, json_type_array))
        json_object_array_sort(select, compare_texts);
}

static bool same_json(struct slice a, struct slice b)
{
    struct json_object *x = NULL, *y = NULL;
    struct json_tokener *t = json_tokener_new_ex(64);
    x = json_tokener_parse_ex(t, a.p, (int)a.n);
    json_tokener_reset(t);
    y = json_tokener_parse_ex(t, b.p, (int)b.n);
    sort_select(x);
    sort_select(y);
    bool same = x && y && json_object_equal(x, y);
    json_object_put(x);
    json_object_put(y);
    json_tokener_free(t);
    return same;
}

/* Equal as sets of words separated by commas. */
static bool same_set(struct slice a, struct slice b)
{
    int n[2] = { 0, 0 };
    struct slice sides[2] = { a, b };
    for (int k = 0; k < 2; k++) {
        struct slice rest = sides[k];
        while (rest.n) {
            struct slice w = slice_split(rest, ',', &rest), other = sides[!k];
            bool found = false;
            while (other.n)
                found |= slice_eq(slice_split(other, ',', &other), w);
            if (!found)
                return false;
            n[k]++;
        }
    }
    return n[0] == n[1];
}

static bool same_request(struct slice want, struct slice got)
{
    struct slice want_query, got_query, rest;
    struct slice prefix = S("/site-explorer/");
    if (!slice_starts(got, prefix))
        return false;
    got = slice_from(got, prefix.n);
    if (!slice_eq(slice_split(want, '?', &want_query), slice_split(got, '?', &got_query)))
        return false;
    int n[2] = { 0, 0 };
    for (rest = want_query; rest.n; n[0]++)
        slice_split(rest, '&', &rest);
    for (rest = got_query; rest.n; n[1]++)
        slice_split(rest, '&', &rest);
    bool same = n[0] == n[1];
    struct buffer room = { 0 };
    buffer_reserve(&room, 256 * 1024); /* slices of it must stay where they are */
    for (rest = want_query; rest.n && same;) {
        struct slice name = slice_split(slice_split(rest, '&', &rest), '=', &(struct slice){ 0 });
        struct slice a = parameter(want_query, name, &room), b = parameter(got_query, name, &room);
        same = b.p && (slice_eq(name, S("where"))    ? same_json(a, b)
                       : slice_eq(name, S("select")) ? same_set(a, b)
                                                     : slice_eq(a, b));
    }
    buffer_clear(&room);
    return same;
}

static bool same_post(const struct recorded *want, const struct v3_request *got)
{
    struct slice path = slice_starts(got->path, S("/")) ? slice_from(got->path, 1) : got->path;
    return want->post.p && got->body.p && slice_eq(want->request, path) && same_json(want->post, got->body);
}

static struct recorded *find_reply(struct golden *g, const struct v3_request *got)
{
    for (size_t i = 0; i < g->n_replies; i++) {
        struct recorded *r = &g->replies[i];
        bool is_post = r->post.p || got->body.p;
        if (!r->used && (is_post ? same_post(r, got) : same_request(r->request, got->path)))
            return r;
    }
    return NULL;
}

/* ---- playing ---- */

static struct slice config_of(const struct golden *g, const char *name, const char *otherwise)
{
    for (size_t i = 0; i < g->n_config; i++) {
        struct slice value, n = slice_split(g->config[i], '=', &value);
        if (slice_eq(n, slice_str(name)))
            return value;
    }
    return slice_str(otherwise);
}

static bool config_is(const struct golden *g, const char *name, const char *otherwise, const char *value)
{
    return slice_eq(config_of(g, name, otherwise), slice_str(value));
}

static struct plan_options plan_options_of(const struct golden *g)
{
    struct plan_options o = {
        .stats_zero = config_is(g, "stats", "ask", "zero"),
        .fold = config_is(g, "anchor_case", "fold", "fold"),
        .refuse_approximate = config_is(g, "approximate", "allow", "refuse"),
        .free_targets = config_of(g, "free_targets", "ahrefs.com"),
        .page_rows = number(config_of(g, "max_rows_per_request", "0"), 0),
    };
    if (config_is(g, "last_visited", "first_seen", "null"))
        o.nulls |= 1u << NULL_VISITED;
    if (config_is(g, "stats_refpages", "estimate", "null"))
        o.nulls |= 1u << NULL_ESTIMATE;
    if (config_is(g, "missing", "empty", "null"))
        o.nulls |= 1u << NULL_MISSING;
    if (!day_parse(g->today, &o.today))
        exit(2);
    return o;
}

static struct refusal error_of(const struct recorded *r, struct arena *memory)
{
    struct reply reply;
    struct buffer words = { 0 };
    reply_init(&reply);
    reply.status = r->status;
    if (r->body.n)
        reply_error_bytes(&reply, r->body);
    reply_words(&reply, S(""), &words);
    struct refusal refusal = { reply_judge(&reply).fault, arena_dup(memory, buffer_slice(&words)) };
    buffer_clear(&words);
    return refusal;
}

/* Hand over one reply, in pieces of `piece` bytes (0: at once). */
static bool play_reply(struct golden *g, const struct plan *plan, struct translation *t,
                       const struct v3_request *request, struct outcome *o, size_t piece, struct arena *memory)
{
    struct recorded *r = find_reply(g, request);
    if (!r) {
        wrong("a v3 request that is not in the case", S("one of its > lines"),
              request->body.p ? request->body : request->path);
        o->refusal.fault = FAULT_UPSTREAM_DOWN;
        return false;
    }
    r->used = true;
    if (r->status != 200) {
        o->refusal = error_of(r, memory);
        return false;
    }
    int64_t taken = plan_units_taken(plan, r->units, r->cache_hit);
    o->units = taken < 0 || o->units < 0 ? -1 : o->units + taken;
    struct slice rest = r->body;
    while (rest.n) {
        size_t n = piece && piece < rest.n ? piece : rest.n;
        char *copy = malloc(n); /* so that a sanitizer sees reads beyond a piece */
        memcpy(copy, rest.p, n);
        bool ok = translation_feed(t, request->ask, slice_of(copy, n));
        free(copy);
        if (!ok)
            return false;
        rest = slice_from(rest, n);
    }
    return translation_end(t, request->ask, r->rows);
}

/* The call as far as its ceiling pays for it. False: not for one row. */
static bool cut_to_ceiling(struct golden *g, const struct plan *plan, struct translation *t, struct outcome *o)
{
    int64_t ceiling = number(config_of(g, "units_per_call", "100000"), 100000), left = ceiling - plan_parts_units(plan);
    int64_t rows = plan_rows_paid_by(plan, left), results = rows > plan->call->offset ? rows - plan->call->offset : 0;
    int64_t list = plan_list_units(plan, plan->call->offset + plan->call->limit),
            all = list + plan_allowance(plan, list);
    if (!ceiling)
        return true;
    if (left < 0 || (plan->ask_list && !results)) {
        o->refusal = (struct refusal){ FAULT_TOO_DEAR, S("units_per_call") };
        return false;
    }
    if (plan->ask_list && results < plan->call->limit)
        translation_cut(t, results, false);
    translation_pay(t, all < left ? all : left);
    return true;
}

/* Rounds of requests until the translation is whole. */
static bool play_requests(struct golden *g, const struct plan *plan, struct translation *t, struct outcome *o,
                          size_t piece, struct arena *memory)
{
    if (!cut_to_ceiling(g, plan, t, o))
        return false;
    while (!translation_is_whole(t)) {
        struct v3_request requests[ASK_COUNT];
        int n = 0;
        while (n < ASK_COUNT && translation_next(t, &requests[n]))
            n++;
        for (int i = 0; i < n; i++)
            if (!play_reply(g, plan, t, &requests[i], o, piece, memory))
                return false;
        if (!n)
            return translation_is_whole(t);
    }
    return true;
}

static void play_list(struct golden *g, const struct call *call, struct outcome *o, size_t piece, struct arena *memory)
{
    struct plan_options options = plan_options_of(g);
    struct plan plan;
    o->refusal = plan_make(call, &options, memory, &plan);
    if (o->refusal.fault)
        return;
    struct translation *t = translation_new(&plan, (struct translation_seen){ 0 }, 64 << 20, memory);
    if (play_requests(g, &plan, t, o, piece, memory) && translation_finish(t, &o->result))
        translation_write(t, &o->body);
    else if (!o->refusal.fault)
        o->refusal = translation_refusal(t);
    translation_free(t);
}

static void play_books(const struct golden *g, const struct call *call, struct outcome *o)
{
    struct books_view books = { g->used_rows, g->limit_rows, g->subscription };
    render_books(call->output, call->table, &books, &o->body);
}

static void play(struct golden *g, struct outcome *o, size_t piece, struct arena *memory)
{
    struct params params = { 0 };
    struct call call = { 0 };
    struct buffer twice = { 0 };
    struct slice query, path = slice_split(g->target, '?', &query);
    bool form = params_are_form(g->type);
    if (!params_add(&params, query, memory) || (form && !params_add(&params, g->form, memory)))
        exit(2);
    struct call_options options = { mode_find(config_of(g, "default_mode", "subdomains")) };
    if (!params_path_is_root(path)) {
        o->refusal = (struct refusal){ FAULT_NOT_FOUND, S("there is only /") };
    } else if (params.two_tokens) {
        o->refusal = (struct refusal){ FAULT_BAD_REQUEST, S("token") };
    } else if (!params.value[PARAM_TOKEN].n) {
        o->refusal = (struct refusal){ FAULT_UNKNOWN_KEY, S("token") };
        if (!params.bad[PARAM_OUTPUT])
            call_parse(&params, &options, memory, &call);
    } else {
        o->refusal = call_parse(&params, &options, memory, &call);
    }
    o->output = call.output;
    o->table = call.table;
    if (o->refusal.fault)
        return;
    params_write_twice(&params, !table_is_of_books(call.table), &twice);
    o->twice = arena_dup(memory, buffer_slice(&twice));
    buffer_clear(&twice);
    if (table_is_of_books(call.table))
        play_books(g, &call, o);
    else
        play_list(g, &call, o, piece, memory);
}

/* ---- comparing ---- */

static bool matches(struct slice pattern, struct slice text)
{
    static const struct slice any = SLICE("\xE2\x80\xA6");
    size_t at = 0;
    while (at < pattern.n && !slice_starts(slice_from(pattern, at), any))
        at++;
    struct slice piece = slice_of(pattern.p, at);
    if (!slice_starts(text, piece))
        return false;
    if (at == pattern.n)
        return text.n == piece.n;
    pattern = slice_from(pattern, at + any.n);
    for (size_t i = piece.n; i <= text.n; i++)
        if (matches(pattern, slice_from(text, i)))
            return true;
    return false;
}

static bool contains(struct slice text, struct slice part)
{
    for (size_t i = 0; part.n <= text.n && i <= text.n - part.n; i++)
        if (slice_starts(slice_from(text, i), part))
            return true;
    return false;
}

static void compare_refusal(struct golden *g, struct outcome *o, struct arena *memory)
{
    struct slice rest, fault = slice_split(g->verdict, ' ', &rest);
    struct slice status = slice_split(rest, ' ', &rest), at = word(rest, "at"), part = word(rest, "contains");
    if (!slice_eq(fault, fault_word(o->refusal.fault)))
        wrong("the fault", fault,
              arena_printf(memory, "%.*s: %.*s", SLICE_ARGS(fault_word(o->refusal.fault)), SLICE_ARGS(o->refusal.why)));
    int want = (int)number(status, 0), got = fault_status(o->refusal.fault, config_is(g, "error_status", "v2", "http"));
    if (got && want != got)
        wrong("the status", status, arena_printf(memory, "%d", got));
    if (at.p && !contains(o->refusal.why, arena_printf(memory, "character %.*s:", SLICE_ARGS(at))))
        wrong("the position", at, o->refusal.why);
    if (part.p && !contains(o->refusal.why, part))
        wrong("the words", part, o->refusal.why);
    struct buffer body = { 0 };
    struct slice v2 = config_is(g, "error_status", "v2", "http") ? S("") : fault_v2_words(o->refusal.fault);
    render_error(o->output, v2.n ? v2 : o->refusal.why, &body);
    if (g->body.p && !matches(g->body, buffer_slice(&body)))
        wrong("the body", g->body, buffer_slice(&body));
    buffer_clear(&body);
}

static void compare_answer(struct golden *g, struct outcome *o, struct arena *memory)
{
    if (o->refusal.fault) {
        wrong("refused", g->verdict,
              arena_printf(memory, "%.*s: %.*s", SLICE_ARGS(fault_word(o->refusal.fault)), SLICE_ARGS(o->refusal.why)));
        return;
    }
    struct buffer marks = { 0 };
    if (!table_is_of_books(o->table))
        marks_write(&o->result.marks, o->table, &marks);
    if (marks.n && o->twice.n)
        buffer_put(&marks, ',');
    buffer_append(&marks, o->twice);
    struct slice want_marks = word(g->verdict, "approximate");
    if (!same_set(slice_eq(want_marks, S("-")) ? S("") : want_marks, buffer_slice(&marks)))
        wrong("the marks", want_marks, buffer_slice(&marks));
    buffer_clear(&marks);
    if (number(word(g->verdict, "rows"), -1) != o->result.rows)
        wrong("v2 rows", word(g->verdict, "rows"), arena_printf(memory, "%lld", (long long)o->result.rows));
    if (word(g->verdict, "results").p && number(word(g->verdict, "results"), -1) != o->result.results)
        wrong("results", word(g->verdict, "results"), arena_printf(memory, "%lld", (long long)o->result.results));
    if (number(word(g->verdict, "units"), -1) != o->units)
        wrong("units", word(g->verdict, "units"), arena_printf(memory, "%lld", (long long)o->units));
    if (!slice_eq(g->body, buffer_slice(&o->body)))
        wrong("the body", g->body, buffer_slice(&o->body));
    for (size_t i = 0; i < g->n_replies; i++)
        if (!g->replies[i].used)
            wrong("a v3 request was not made", g->replies[i].request, S("nothing"));
}

static void play_case(struct golden *g, size_t piece)
{
    struct arena *memory = arena_new(16 << 20);
    struct outcome o = { 0 };
    playing = g;
    for (size_t i = 0; i < g->n_replies; i++)
        g->replies[i].used = false;
    play(g, &o, piece, memory);
    if (g->refused)
        compare_refusal(g, &o, memory);
    else
        compare_answer(g, &o, memory);
    buffer_clear(&o.body);
    arena_free(memory);
}

static struct slice read_file(const char *name)
{
    struct buffer b = { 0 };
    FILE *f = fopen(name, "rb");
    if (!f) {
        perror(name);
        exit(2);
    }
    for (;;) {
        char *to = buffer_reserve(&b, 65536);
        size_t n = fread(to, 1, 65536, f);
        if (!n)
            break;
        b.n += n;
    }
    fclose(f);
    return buffer_slice(&b);
}

int main(int argc, char **argv)
{
    static const size_t pieces[] = { 0, 1, 7 };
    for (int i = 1; i < argc; i++) {
        struct slice file = read_file(argv[i]), text = file;
        struct golden g;
        while (read_case(&text, &g)) {
            int before = failures;
            for (size_t k = 0; k < sizeof pieces / sizeof pieces[0] && failures == before; k++)
                play_case(&g, pieces[k]);
            cases++;
        }
        free((void *)(uintptr_t)file.p);
    }
    printf("%d cases, %d failures\n", cases, failures);
    return failures || !cases;
}
