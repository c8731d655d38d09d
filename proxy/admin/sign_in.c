/* SPDX-License-Identifier: MIT
 * HMAC-SHA-256 over the expiry. */
#include "proxy/admin/sign_in.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <sys/random.h>

#include "base/text.h"

enum { MAC_BYTES = 32, MAC_DIGITS = 2 * MAC_BYTES };

static bool mac_of(const unsigned char key[SIGN_IN_KEY_BYTES], struct slice text, unsigned char mac[MAC_BYTES])
{
    unsigned n = 0;
    return HMAC(EVP_sha256(), key, SIGN_IN_KEY_BYTES, (const unsigned char *)text.p, text.n, mac, &n) && n == MAC_BYTES;
}

bool sign_in_begin(struct sign_in *s, struct slice token)
{
    unsigned char random[SIGN_IN_KEY_BYTES];
    *s = (struct sign_in){ 0 };
    return getrandom(random, sizeof random, 0) == (ssize_t)sizeof random && mac_of(random, token, s->key);
}

/* The signature of an expiry, in hexadecimal. */
static bool sign(const struct sign_in *s, struct slice expiry, char digits[MAC_DIGITS])
{
    unsigned char mac[MAC_BYTES];
    if (!mac_of(s->key, expiry, mac))
        return false;
    for (int i = 0; i < MAC_BYTES; i++) {
        digits[2 * i] = "0123456789abcdef"[mac[i] >> 4];
        digits[2 * i + 1] = "0123456789abcdef"[mac[i] & 15];
    }
    return true;
}

void sign_in_cookie(const struct sign_in *s, int64_t now_ms, struct buffer *out)
{
    char digits[MAC_DIGITS];
    buffer_str(out, SIGN_IN_COOKIE "=");
    size_t at = out->n;
    buffer_i64(out, now_ms / 1000 + SIGN_IN_SECONDS);
    if (!out->failed && sign(s, slice_from(buffer_slice(out), at), digits)) {
        buffer_put(out, '.');
        buffer_append(out, slice_of(digits, sizeof digits));
    }
}

static bool is_ours(const struct sign_in *s, struct slice value, int64_t now_ms)
{
    struct slice given, expiry = slice_split(value, '.', &given);
    char digits[MAC_DIGITS];
    int64_t until_s;
    return sign(s, expiry, digits) && slice_is_secret(given, slice_of(digits, sizeof digits)) &&
           parse_i64(expiry, &until_s) && now_ms / 1000 < until_s;
}

bool sign_in_is_valid(const struct sign_in *s, struct slice header, int64_t now_ms)
{
    for (struct slice rest = header; rest.p;) {
        struct slice value, name = slice_split(slice_trim(slice_split(rest, ';', &rest)), '=', &value);
        if (slice_eq(name, S(SIGN_IN_COOKIE)) && is_ours(s, value, now_ms))
            return true;
    }
    return false;
}

/* A clock that was set back opens the form rather than keep it closed. */
static bool is_recent(int64_t then_ms, int64_t now_ms)
{
    return then_ms && then_ms <= now_ms && now_ms - then_ms < SIGN_IN_CLOSED_MS;
}

int sign_in_closed_s(struct sign_in *s, int64_t now_ms)
{
    if (!is_recent(s->closed_ms, now_ms))
        return 0;
    return (int)((s->closed_ms + SIGN_IN_CLOSED_MS - now_ms + 999) / 1000);
}

void sign_in_was_wrong(struct sign_in *s, int64_t now_ms)
{
    s->wrong_ms[s->next_wrong] = now_ms;
    s->next_wrong = (s->next_wrong + 1) % SIGN_IN_MAX_WRONG;
    if (!is_recent(s->wrong_ms[s->next_wrong], now_ms))
        return;
    s->closed_ms = now_ms;
    memset(s->wrong_ms, 0, sizeof s->wrong_ms);
}
