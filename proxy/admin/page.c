/* SPDX-License-Identifier: MIT
 * The bytes stand in page.S. */
#include "proxy/admin/page.h"

#define PAGE_BYTES(name)                                                                                               \
    extern const char page_##name[];                                                                                   \
    extern const uint64_t page_##name##_bytes;                                                                         \
    extern const char page_##name##_version[]

PAGE_BYTES(html);
PAGE_BYTES(html_signed_in);
PAGE_BYTES(login);
PAGE_BYTES(login_wrong);
PAGE_BYTES(login_closed);
PAGE_BYTES(css);
PAGE_BYTES(js);
PAGE_BYTES(chart);

#define HTML SLICE("text/html; charset=utf-8")
#define SCRIPT SLICE("text/javascript; charset=utf-8")

static const struct row {
    struct slice path; /* of an asset; empty: it has none of its own */
    struct slice content_type;
    const char *bytes;
    const uint64_t *n;
    const char *version;
} rows[PAGE_FILES] = {
#define ROW(path, type, name)                                                                                          \
    {                                                                                                                  \
        SLICE(path), type, page_##name, &page_##name##_bytes, page_##name##_version                                    \
    }
    [PAGE_DOCUMENT] = ROW("", HTML, html),
    [PAGE_DOCUMENT_SIGNED_IN] = ROW("", HTML, html_signed_in),
    [PAGE_LOGIN] = ROW("", HTML, login),
    [PAGE_LOGIN_WRONG] = ROW("", HTML, login_wrong),
    [PAGE_LOGIN_CLOSED] = ROW("", HTML, login_closed),
    [PAGE_CSS] = ROW("/assets/page.css", SLICE("text/css; charset=utf-8"), css),
    [PAGE_JS] = ROW("/assets/page.js", SCRIPT, js),
    [PAGE_CHART] = ROW("/assets/chart.js", SCRIPT, chart),
#undef ROW
};

enum page_file page_find(struct slice path)
{
    for (int i = 0; i < PAGE_FILES; i++)
        if (path.n && slice_eq(rows[i].path, path))
            return (enum page_file)i;
    return PAGE_FILES;
}

/* Whether the header If-None-Match names this version, as "VERSION" or W/"VERSION". */
static bool has_it(struct slice if_none_match, struct slice version)
{
    for (struct slice rest = if_none_match; rest.p;) {
        struct slice one = slice_trim(slice_split(rest, ',', &rest));
        if (slice_starts(one, S("W/")))
            one = slice_from(one, 2);
        if (one.n == version.n + 2 && one.p[0] == '"' && slice_eq(slice_of(one.p + 1, version.n), version))
            return true;
    }
    return false;
}

struct admin_answer page_form(enum page_file file, int status)
{
    const struct row *row = &rows[file];
    struct admin_answer a = admin_begin(status, row->content_type);
    buffer_append(&a.body, slice_of(row->bytes, (size_t)*row->n));
    return a;
}

struct admin_answer page_answer(enum page_file file, const struct admin_question *q)
{
    const struct row *row = &rows[file];
    struct slice version = slice_str(row->version);
    bool is_versioned = row->path.n && slice_starts(q->query, S("v=")) && slice_eq(slice_from(q->query, 2), version);
    bool is_known = has_it(q->if_none_match, version);
    struct admin_answer a = is_known ? admin_begin(304, row->content_type) : page_form(file, 200);
    a.cache = is_versioned ? S("public, max-age=31536000, immutable") : S("no-cache");
    a.etag = version;
    return a;
}
