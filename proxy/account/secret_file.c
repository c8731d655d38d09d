/* SPDX-License-Identifier: MIT
 * A secret is read into a buffer that the caller wipes. */
#include "proxy/account/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/words/words.h"

enum { MAX_KEY_BYTES = 4096, MIN_TOKEN_BYTES = 16 };

/* A key that was pasted in place of its file's name is told of by four characters. */
static void cannot_read(const char *what, const char *file, struct buffer *why)
{
    const char *reason = strerror(errno), *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    bool pasted = (errno == ENOENT || errno == ENAMETOOLONG) && words_look_secret(slice_str(name));
    if (pasted) {
        buffer_printf(why, "cannot read the %s: ", what);
        words_quote(why, slice_str(name));
        buffer_str(why, " looks like the key itself; the name of a file that holds it");
    } else {
        buffer_printf(why, "cannot read the %s: %s: %s", what, file, reason);
    }
}

/* It uses read(2), since stdio would leave a copy in its buffer. */
static bool read_secret(const char *what, const char *file, struct buffer *secret, struct buffer *why)
{
    char bytes[MAX_KEY_BYTES];
    size_t n = 0;
    ssize_t got = 0;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && n < sizeof bytes && (got = read(fd, bytes + n, sizeof bytes - n)) > 0)
        n += (size_t)got;
    bool is_read = fd >= 0 && got >= 0;
    if (!is_read)
        cannot_read(what, file, why);
    if (fd >= 0)
        close(fd);
    struct slice text = slice_trim(slice_of(bytes, n));
    bool ok = is_read && text.n > 0 && n < sizeof bytes;
    for (size_t i = 0; i < text.n; i++)
        ok &= (unsigned char)text.p[i] > ' ' && (unsigned char)text.p[i] < 0x7F;
    if (is_read && !ok)
        buffer_printf(why, "%s: this is no %s: one word of printable characters is expected", file, what);
    if (ok)
        buffer_append(secret, text);
    if (secret->failed)
        buffer_str(why, "memory is out");
    explicit_bzero(bytes, sizeof bytes);
    return ok && !secret->failed;
}

bool secret_file_read_key(const char *file, struct buffer *key, struct buffer *why)
{
    return read_secret("API v3 key", file, key, why);
}

bool secret_file_read_token(const char *file, struct buffer *token, struct buffer *why)
{
    if (!read_secret("token of the admin side", file, token, why))
        return false;
    if (token->n < MIN_TOKEN_BYTES)
        buffer_printf(why, "%s: this token can be guessed: at least %d characters are expected", file, MIN_TOKEN_BYTES);
    return token->n >= MIN_TOKEN_BYTES;
}
