/* SPDX-License-Identifier: MIT
 *
 * The files of the page for browsers, which are part of the program.
 */
#ifndef ANCHORAGE_PROXY_ADMIN_PAGE_H
#define ANCHORAGE_PROXY_ADMIN_PAGE_H

#include "proxy/admin/answer.h"

enum page_file {
    PAGE_DOCUMENT,
    PAGE_DOCUMENT_SIGNED_IN, /* the same with "Sign out" */
    PAGE_LOGIN,
    PAGE_LOGIN_WRONG,  /* the form after a wrong token */
    PAGE_LOGIN_CLOSED, /* after many */
    PAGE_CSS,
    PAGE_JS,
    PAGE_CHART,
    PAGE_FILES
};

/* The asset of this path; PAGE_FILES when there is none. */
enum page_file page_find(struct slice path);

/* Answer with a file: 200, or 304 to who has it. Assets may be kept for ever when the query names their version, other
 * files are asked about each time. */
struct admin_answer page_answer(enum page_file file, const struct admin_question *q);

/* The form, with this status; never kept. */
struct admin_answer page_form(enum page_file file, int status);

#endif
