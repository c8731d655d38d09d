/* SPDX-License-Identifier: MIT
 * The form to sign in, and the way out. */
#include "proxy/admin/door.h"

#include "base/text.h"
#include "config/address.h"
#include "proxy/admin/page.h"
#include "proxy/admin/query.h"

enum { MAX_FORM = 1024 };

/* A page of a browser may give its own name this address; the browser then sends that name. */
bool door_host_is_ours(struct slice host)
{
    struct slice port;
    if (!host.n)
        return true; /* no browser: they always send one */
    if (host.p[0] == '[')
        host = slice_split(slice_from(host, 1), ']', &port);
    else
        host = slice_split(host, ':', &port);
    return config_host_is_loopback(host);
}

bool door_has_token(const struct admin_question *q, struct slice token)
{
    struct slice rest, scheme = slice_split(slice_trim(q->authorization), ' ', &rest);
    return slice_is_secret(slice_trim(rest), token) && slice_eq_nocase(scheme, S("Bearer"));
}

static struct admin_answer go_to(struct slice where)
{
    struct admin_answer a = admin_begin(303, S("text/plain; charset=utf-8"));
    buffer_append(&a.location, where);
    return a;
}

struct admin_answer door_to_login(const struct admin_question *q)
{
    struct buffer next = { 0 };
    struct admin_answer a = go_to(S("/login?next="));
    buffer_append(&next, q->path);
    if (q->query.p) {
        buffer_put(&next, '?');
        buffer_append(&next, q->query);
    }
    percent_encode(&a.location, buffer_slice(&next));
    buffer_clear(&next);
    return a;
}

/* A browser says where a form comes from: it has to be a page of ours. */
static bool is_from_us(const struct admin_question *q)
{
    if (!q->origin.n)
        return slice_eq(q->fetch_site, S("same-origin"));
    size_t at = 0;
    while (at < q->origin.n && q->origin.p[at] != '/')
        at++;
    struct slice host = slice_from(q->origin, at);
    return q->host.n && slice_starts(host, S("//")) && slice_eq_nocase(slice_from(host, 2), q->host);
}

/* A path of ours: a browser takes "//name" and "/\name" for another machine's. */
static bool is_path(struct slice next)
{
    return next.n && next.p[0] == '/' && !(next.n > 1 && (next.p[1] == '/' || next.p[1] == '\\'));
}

/* Append `text` of a form with its + as spaces. */
static void put_form(struct buffer *out, struct slice text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '+')
            buffer_str(out, "%20");
        else
            buffer_put(out, text.p[i]);
    }
}

/* Whether the form has the token in it. */
static bool form_has_token(struct slice body, struct slice token)
{
    static const struct slice names[QUERY_MAX_PARAMS] = { SLICE("token") };
    struct query form = { 0 };
    struct buffer text = { 0 };
    put_form(&text, body);
    bool has = query_read(&form, buffer_slice(&text), names) && slice_is_secret(form.value[0], token);
    if (form.bytes.p)
        explicit_bzero(form.bytes.p, form.bytes.n);
    if (text.p)
        explicit_bzero(text.p, text.n);
    query_clear(&form);
    buffer_clear(&text);
    return has;
}

static struct admin_answer sign_in(struct sign_in *s, struct slice token, struct slice next,
                                   const struct admin_question *q)
{
    struct admin_answer a;
    int closed_s = sign_in_closed_s(s, q->now_ms);
    if (closed_s) {
        a = page_form(PAGE_LOGIN_CLOSED, 429);
        a.retry_s = closed_s;
    } else if (!form_has_token(q->body, token)) {
        sign_in_was_wrong(s, q->now_ms);
        a = page_form(PAGE_LOGIN_WRONG, 401);
        a.says_who = true;
    } else {
        a = go_to(is_path(next) ? next : S("/"));
        sign_in_cookie(s, q->now_ms, &a.cookie);
        buffer_printf(&a.cookie, "; HttpOnly; SameSite=Strict; Path=/; Max-Age=%d%s", SIGN_IN_SECONDS,
                      slice_eq_nocase(q->forwarded_proto, S("https")) ? "; Secure" : "");
    }
    return a;
}

static struct admin_answer login(struct sign_in *s, struct slice token, const struct admin_question *q)
{
    static const struct slice names[QUERY_MAX_PARAMS] = { SLICE("next") };
    struct query query = { 0 };
    struct admin_answer a;
    if (!query_read(&query, q->query, names))
        a = admin_error(400, buffer_slice(&query.why));
    else if (q->is_read)
        a = page_form(PAGE_LOGIN, 200);
    else
        a = sign_in(s, token, query.value[0], q);
    query_clear(&query);
    return a;
}

static struct admin_answer logout(const struct admin_question *q)
{
    if (q->is_read) {
        struct admin_answer a = admin_error(405, S("signing out is a POST"));
        a.allow = S("POST");
        return a;
    }
    struct admin_answer a = go_to(S("/login"));
    buffer_str(&a.cookie, SIGN_IN_COOKIE "=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
    return a;
}

bool door_ask(struct sign_in *s, struct slice token, const struct admin_question *q, struct admin_answer *answer)
{
    bool is_login = slice_eq(q->path, S("/login"));
    if (!is_login && !slice_eq(q->path, S("/logout")))
        return false;
    if (!q->is_read && !is_from_us(q))
        *answer = admin_error(403, S("this comes from a page of another place: Origin has to be what Host says"));
    else if (q->body.n > MAX_FORM)
        *answer = admin_error(413, S("the form is longer than 1 KiB"));
    else
        *answer = is_login ? login(s, token, q) : logout(q);
    return true;
}
