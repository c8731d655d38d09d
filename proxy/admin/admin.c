/* SPDX-License-Identifier: MIT
 * The paths of the admin side as a table, and what each of them answers. */
#include "proxy/admin/admin.h"

#include "base/text.h"
#include "proxy/admin/door.h"
#include "proxy/admin/page.h"
#include "proxy/admin/query.h"

enum { STATUS_DONE = 0, STATUS_MISUSED = 2 };

static const struct slice json = SLICE("application/json; charset=utf-8");
static const struct slice csv = SLICE("text/csv; charset=utf-8");
static const struct slice exposition = SLICE("text/plain; version=0.0.4; charset=utf-8");

typedef bool path_function(const struct admin_owner *owner, const struct query *query, void *asker,
                           struct admin_answer *answer);

/* ---- the paths ---- */

static bool healthz(const struct admin_owner *owner, const struct query *query, void *asker,
                    struct admin_answer *answer)
{
    (void)owner;
    (void)query;
    (void)asker;
    *answer = admin_begin(200, json);
    buffer_str(&answer->body, "{\"alive\":true}\n");
    return true;
}

static bool readyz(const struct admin_owner *owner, const struct query *query, void *asker, struct admin_answer *answer)
{
    (void)query;
    (void)asker;
    struct buffer why = buffer_with_cap(4096);
    if (owner->is_ready(owner->context, &why)) {
        *answer = admin_begin(200, json);
        buffer_str(&answer->body, "{\"ready\":true}\n");
    } else {
        *answer = admin_begin(503, json);
        buffer_str(&answer->body, "{\"ready\":false,\"error\":\"");
        buffer_json_any(&answer->body, buffer_slice(&why));
        buffer_str(&answer->body, "\"}\n");
    }
    buffer_clear(&why);
    return true;
}

static bool metrics(const struct admin_owner *owner, const struct query *query, void *asker,
                    struct admin_answer *answer)
{
    (void)query;
    (void)asker;
    *answer = admin_begin(200, exposition);
    struct metrics m = metrics_to(&answer->body);
    owner->gather(owner->context, &m);
    return true;
}

enum { EXPLAIN_CALL };

static bool explain(const struct admin_owner *owner, const struct query *query, void *asker,
                    struct admin_answer *answer)
{
    (void)asker;
    struct slice call = query->value[EXPLAIN_CALL];
    if (!call.n) {
        *answer = admin_error(400, S("call is missing: /explain?call=URL, the v2 URL percent-encoded"));
        return true;
    }
    *answer = admin_begin(200, json);
    owner->explain(owner->context, call, &answer->body);
    return true;
}

enum {
    USAGE_BY,
    USAGE_SINCE,
    USAGE_UNTIL,
    USAGE_MONTH,
    USAGE_TEAM,
    USAGE_KEY,
    USAGE_PER,
    USAGE_SORT,
    USAGE_TOP,
    USAGE_FORMAT
};

/* The command's words for the parameters; the values' meaning is the command's matter. */
static const char *const usage_options[] = {
    [USAGE_BY] = "--by",       [USAGE_SINCE] = "--since", [USAGE_UNTIL] = "--until",
    [USAGE_MONTH] = "--month", [USAGE_TEAM] = "--team",   [USAGE_KEY] = "--key",
    [USAGE_PER] = "--per",     [USAGE_SORT] = "--sort",   [USAGE_TOP] = "--top",
};
enum { USAGE_OPTIONS = sizeof usage_options / sizeof usage_options[0] };

/* The books answer, or too many are asking. */
static bool ask_books(const struct admin_owner *owner, void *asker, bool is_csv, int argc, const char *const *argv,
                      struct admin_answer *answer)
{
    if (owner->usage(owner->context, asker, is_csv, argc, argv))
        return false;
    *answer = admin_error(503, S("other questions of usage are under way; ask again in a moment"));
    answer->retry_s = 1;
    return true;
}

static bool usage(const struct admin_owner *owner, const struct query *query, void *asker, struct admin_answer *answer)
{
    const char *argv[2 * USAGE_OPTIONS + 3] = { "usage" };
    int argc = 1;
    bool is_csv = slice_eq(query->value[USAGE_FORMAT], S("csv"));
    if (!is_csv && query->value[USAGE_FORMAT].n && !slice_eq(query->value[USAGE_FORMAT], S("json"))) {
        *answer = admin_error(400, S("format is json or csv"));
        return true;
    }
    for (int i = 0; i < USAGE_OPTIONS; i++) {
        struct slice value = query->value[i];
        if (value.n && value.p[0] == '-') {
            *answer = admin_error(400, S("a value cannot begin with -"));
            return true;
        }
        if (value.n) {
            argv[argc++] = usage_options[i];
            argv[argc++] = value.p;
        }
    }
    argv[argc++] = "--format";
    argv[argc++] = is_csv ? "csv" : "json";
    return ask_books(owner, asker, is_csv, argc, argv, answer);
}

static bool unknown(const struct admin_owner *owner, const struct query *query, void *asker,
                    struct admin_answer *answer)
{
    bool is_csv = slice_eq(query->value[0], S("csv"));
    const char *argv[] = { "key", "list", "--unknown", "--format", is_csv ? "csv" : "json" };
    if (is_csv || !query->value[0].n || slice_eq(query->value[0], S("json")))
        return ask_books(owner, asker, is_csv, 5, argv, answer);
    *answer = admin_error(400, S("format is json or csv"));
    return true;
}

enum { OVERVIEW_TEAM, OVERVIEW_KEY, OVERVIEW_PERIOD, OVERVIEW_SINCE, OVERVIEW_UNTIL, OVERVIEW_OPTIONS };

/* The daemon's command takes them as they are asked for: name=value. */
static bool overview(const struct admin_owner *owner, const struct query *query, void *asker,
                     struct admin_answer *answer)
{
    static const char *const names[OVERVIEW_OPTIONS] = { "team", "key", "period", "since", "until" };
    const char *argv[OVERVIEW_OPTIONS + 1] = { "overview" };
    struct buffer words = { 0 };
    int argc = 1;
    size_t at[OVERVIEW_OPTIONS];
    for (int i = 0; i < OVERVIEW_OPTIONS; i++) {
        if (!query->value[i].n)
            continue;
        at[argc++ - 1] = words.n;
        buffer_printf(&words, "%s=%s", names[i], query->value[i].p);
        buffer_put(&words, '\0');
    }
    for (int i = 1; i < argc && !words.failed; i++)
        argv[i] = words.p + at[i - 1];
    bool answered = true;
    if (words.failed)
        *answer = admin_error(503, S("memory is out; try again later"));
    else
        answered = ask_books(owner, asker, false, argc, argv, answer);
    buffer_clear(&words);
    return answered;
}

enum { CALLS_TEAM, CALLS_KEY, CALLS_FAULT, CALLS_ONLY, CALLS_LIMIT };

static bool calls(const struct admin_owner *owner, const struct query *query, void *asker, struct admin_answer *answer)
{
    enum { USUAL_LIMIT = 60, MOST_LIMIT = 1000 };
    static const struct slice words[] = { [ADMIN_ALL] = SLICE(""),
                                          [ADMIN_FAULTS] = SLICE("fault"),
                                          [ADMIN_INEXACT] = SLICE("inexact"),
                                          [ADMIN_PAID] = SLICE("paid"),
                                          [ADMIN_UNKNOWN] = SLICE("unknown") };
    enum { WORDS = sizeof words / sizeof words[0] };
    (void)asker;
    struct admin_calls choice = { .team = query->value[CALLS_TEAM],
                                  .key = query->value[CALLS_KEY],
                                  .fault = query->value[CALLS_FAULT],
                                  .limit = USUAL_LIMIT };
    struct slice limit = query->value[CALLS_LIMIT];
    int only = 0;
    while (only < WORDS && !slice_eq(words[only], query->value[CALLS_ONLY]))
        only++;
    if (only == WORDS) {
        *answer = admin_error(400, S("only is fault, inexact, paid or unknown"));
    } else if (limit.n && (!parse_i64(limit, &choice.limit) || choice.limit < 1 || choice.limit > MOST_LIMIT)) {
        *answer = admin_error(400, S("limit is a number from 1 to 1000"));
    } else {
        choice.only = (enum admin_only)only;
        *answer = admin_begin(200, json);
        owner->calls(owner->context, &choice, &answer->body);
    }
    return true;
}

enum who { ANYBODY, TOKEN, PAGE };

static const struct path {
    struct slice path;
    enum who who; /* asks, where there is a token */
    path_function *answer;
    struct slice params[QUERY_MAX_PARAMS];
} paths[] = {
    { SLICE("/healthz"), ANYBODY, healthz, { SLICE("") } },
    { SLICE("/readyz"), ANYBODY, readyz, { SLICE("") } },
    { SLICE("/metrics"), TOKEN, metrics, { SLICE("") } },
    { SLICE("/usage"),
      TOKEN,
      usage,
      { SLICE("by"), SLICE("since"), SLICE("until"), SLICE("month"), SLICE("team"), SLICE("key"), SLICE("per"),
        SLICE("sort"), SLICE("top"), SLICE("format") } },
    { SLICE("/overview"),
      TOKEN,
      overview,
      { SLICE("team"), SLICE("key"), SLICE("period"), SLICE("since"), SLICE("until") } },
    { SLICE("/unknown"), TOKEN, unknown, { SLICE("format") } },
    { SLICE("/explain"), TOKEN, explain, { SLICE("call") } },
    { SLICE("/calls"), TOKEN, calls, { SLICE("team"), SLICE("key"), SLICE("fault"), SLICE("only"), SLICE("limit") } },
    { SLICE("/"), PAGE, NULL, { SLICE("") } },
};
enum { N_PATHS = sizeof paths / sizeof paths[0] };

static struct admin_answer too_long(struct admin_answer *answer)
{
    admin_answer_clear(answer);
    return admin_error(503, S("memory is out, or the answer is too long; try again later"));
}

struct admin_answer admin_usage_answer(bool is_csv, int status, struct buffer *out, struct slice err)
{
    if (status == STATUS_DONE) {
        struct admin_answer a = admin_begin(200, is_csv ? csv : json);
        if (out->failed || out->n > a.body.max_bytes)
            return too_long(&a);
        a.body = *out;
        *out = buffer_with_cap(out->max_bytes);
        return a;
    }
    /* The first line says what is wrong; what follows are the options of the command line. What the command itself says
     * is about the question; the rest is the books' trouble. */
    struct slice rest, why = slice_split(err, '\n', &rest);
    if (slice_starts(why, S("anchorage usage: ")))
        why = slice_from(why, 10);
    if (slice_starts(why, S("anchorage overview: ")))
        why = slice_from(why, 20);
    bool is_asked_wrong = status == STATUS_MISUSED || slice_starts(why, S("usage: there is no "));
    if (slice_starts(why, S("usage: ")))
        why = slice_from(why, 7);
    if (slice_starts(why, S("--")))
        why = slice_from(why, 2);
    return admin_error(is_asked_wrong ? 400 : 503, why.n ? why : S("the books did not answer"));
}

/* ---- who asks, and what ---- */

static struct admin_answer who_are_you(void)
{
    struct admin_answer a = admin_error(401, S("the admin side asks for its token: Authorization: Bearer TOKEN"));
    a.says_who = true;
    return a;
}

static struct admin_answer no_such_path(void)
{
    struct admin_answer a = admin_begin(404, json);
    buffer_str(&a.body, "{\"error\":\"there is no such path here\",\"paths\":[");
    for (int i = 0; i < N_PATHS; i++) {
        buffer_str(&a.body, i ? "," : "");
        buffer_json_string(&a.body, paths[i].path);
    }
    buffer_str(&a.body, "]}\n");
    return a;
}

static bool ask(const struct path *path, const struct admin_owner *owner, const struct admin_question *q, void *asker,
                struct admin_answer *answer)
{
    struct query query = { 0 };
    bool answers = true;
    if (query_read(&query, q->query, path->params))
        answers = path->answer(owner, &query, asker, answer);
    else
        *answer = admin_error(400, buffer_slice(&query.why));
    query_clear(&query);
    return answers;
}

static const struct path *find(struct slice path)
{
    for (int i = 0; i < N_PATHS; i++)
        if (slice_eq(path, paths[i].path))
            return &paths[i];
    return NULL;
}

/* Without the token there are the files that the form needs, and what a load balancer asks. */
static bool is_for_anybody(const struct path *path, const struct admin_question *q)
{
    return (path && path->who == ANYBODY) || page_find(q->path) != PAGE_FILES;
}

/* What does not depend on the numbers. False: `path` is to be asked. */
static bool ask_page(const struct path *path, bool is_signed_in, const struct admin_question *q,
                     struct admin_answer *answer)
{
    enum page_file file = page_find(q->path);
    if (path && path->who == PAGE)
        file = is_signed_in ? PAGE_DOCUMENT_SIGNED_IN : PAGE_DOCUMENT;
    if (!path && file == PAGE_FILES) {
        *answer = no_such_path();
    } else if (!q->is_read) {
        *answer = admin_error(405, S(ADMIN_READ_ONLY));
        answer->allow = S(ADMIN_ALLOW);
    } else if (file != PAGE_FILES) {
        *answer = page_answer(file, q);
    } else if (path->who == TOKEN && slice_eq(q->fetch_site, S("cross-site"))) {
        *answer = admin_error(403, S("a page of another place asks for this"));
    } else {
        return false;
    }
    return true;
}

bool admin_ask(const struct admin_owner *owner, const struct admin_question *q, void *asker,
               struct admin_answer *answer)
{
    const struct path *path = find(q->path);
    bool has_token = owner->token.n > 0;
    bool is_signed_in = has_token && sign_in_is_valid(owner->sign_in, q->cookie, q->now_ms);
    bool may_ask = !has_token || is_signed_in || is_for_anybody(path, q) || door_has_token(q, owner->token);
    if (!has_token && !door_host_is_ours(q->host))
        *answer = admin_error(403, S("the admin side answers to localhost and its addresses only, not to this name"));
    else if (has_token && door_ask(owner->sign_in, owner->token, q, answer))
        ;
    else if (!may_ask && path && path->who == PAGE && q->is_read)
        *answer = door_to_login(q);
    else if (!may_ask)
        *answer = who_are_you();
    else if (!ask_page(path, is_signed_in, q, answer) && !ask(path, owner, q, asker, answer))
        return false;
    if (answer->body.failed || answer->location.failed || answer->cookie.failed)
        *answer = too_long(answer);
    return true;
}
