/* SPDX-License-Identifier: MIT
 * The files of the page as bytes of the program. page.cmake says which they are. */
#ifdef __CET__
#include <cet.h>
#endif

/* What proxy/admin/page.c declares: the bytes, how many they are, and the version with a NUL. */
#define PAGE(name, file, version)                                     \
    .global page_##name, page_##name##_bytes, page_##name##_version ; \
    page_##name: .incbin file ;                                       \
    page_##name##_end: .balign 8 ;                                    \
    page_##name##_bytes: .quad page_##name##_end - page_##name ;      \
    page_##name##_version: .asciz version

    .section .rodata
    PAGE(html, PAGE_HTML_FILE, PAGE_HTML_VERSION)
    PAGE(html_signed_in, PAGE_HTML_SIGNED_IN_FILE, PAGE_HTML_SIGNED_IN_VERSION)
    PAGE(login, PAGE_LOGIN_FILE, PAGE_LOGIN_VERSION)
    PAGE(login_wrong, PAGE_LOGIN_WRONG_FILE, PAGE_LOGIN_WRONG_VERSION)
    PAGE(login_closed, PAGE_LOGIN_CLOSED_FILE, PAGE_LOGIN_CLOSED_VERSION)
    PAGE(css, PAGE_CSS_FILE, PAGE_CSS_VERSION)
    PAGE(js, PAGE_JS_FILE, PAGE_JS_VERSION)
    PAGE(chart, PAGE_CHART_FILE, PAGE_CHART_VERSION)

    .section .note.GNU-stack, "", %progbits
