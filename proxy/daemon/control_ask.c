/* SPDX-License-Identifier: MIT
 * The command's end of the control socket asks, and reads all portions of the answer. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/daemon/control.h"
#include "proxy/daemon/control_wire.h"

bool control_is_there(const char *state_directory)
{
    struct sockaddr_un address;
    int fd = control_address(&address, state_directory) ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    bool there = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        close(fd);
    return there;
}

static bool send_all(int fd, struct slice bytes)
{
    while (bytes.n) {
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes = slice_from(bytes, (size_t)n);
    }
    return true;
}

struct portion {
    int status;
    struct slice out, err;
    size_t bytes; /* length of the whole portion */
};

static bool take_portion(struct slice in, struct portion *ret)
{
    struct slice rest = in, status;
    if (!control_take_part(&rest, &status) || status.n != sizeof ret->status || !control_take_part(&rest, &ret->out) ||
        !control_take_part(&rest, &ret->err))
        return false;
    memcpy(&ret->status, status.p, sizeof ret->status);
    ret->bytes = in.n - rest.n;
    return true;
}

/* Read until `in` begins with a whole portion, or the other end has closed. False when it cannot be read. */
static bool read_portion(int fd, struct buffer *in, size_t from, struct portion *ret)
{
    for (;;) {
        if (take_portion(slice_from(buffer_slice(in), from), ret))
            return true;
        char *to = buffer_reserve(in, 65536);
        ssize_t n = to ? read(fd, to, 65536) : -1;
        if (n < 0 && to && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        in->n += (size_t)n;
    }
}

/* Read all portions of the answer. */
static bool read_answer(int fd, control_portion *show, void *context, int *status, struct buffer *out,
                        struct buffer *err)
{
    struct buffer in = { 0 };
    struct portion p;
    size_t at = 0;
    bool good;
    while ((good = read_portion(fd, &in, at, &p))) {
        buffer_append(out, p.out);
        buffer_append(err, p.err);
        at += p.bytes;
        if (p.status != CONTROL_STATUS_MORE)
            break;
        if (show && !show(context, out, err)) {
            p.status = 0; /* the reader has gone */
            break;
        }
        in.n -= at;
        memmove(in.p, in.p + at, in.n);
        at = 0;
    }
    *status = good ? p.status : *status;
    good = good && !out->failed && !err->failed;
    buffer_clear(&in);
    return good;
}

/* The daemon would not read more, and would say nothing of it. */
static bool are_askable(int argc, const char *const *argv)
{
    size_t bytes = 0;
    for (int i = 0; i < argc; i++)
        bytes += strlen(argv[i]) + 1;
    return argc <= CONTROL_MAX_WORDS && bytes <= CONTROL_MAX_WORDS_BYTES;
}

enum control_result control_ask(const char *state_directory, int argc, const char *const *argv, struct slice input,
                                control_portion *portion, void *context, int *status, struct buffer *out,
                                struct buffer *err)
{
    struct sockaddr_un address;
    struct buffer question = { 0 };
    uint32_t n = (uint32_t)argc;
    if (!control_address(&address, state_directory))
        return CONTROL_NO_DAEMON;
    if (!are_askable(argc, argv)) {
        buffer_printf(err, "anchorage: the command line is too long: at most %d words of %d bytes in all\n",
                      CONTROL_MAX_WORDS, CONTROL_MAX_WORDS_BYTES);
        *status = EXIT_USAGE;
        return CONTROL_DONE;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        bool denied = errno == EACCES;
        if (denied)
            buffer_printf(err, "anchorage: %s: %s (the socket is for the daemon's user and group)\n", address.sun_path,
                          strerror(errno));
        if (fd >= 0)
            close(fd);
        return denied ? CONTROL_BROKEN : CONTROL_NO_DAEMON;
    }
    control_put_part(&question, slice_of((const char *)&n, sizeof n));
    for (int i = 0; i < argc; i++)
        control_put_part(&question, slice_str(argv[i]));
    control_put_part(&question, input);
    bool ok = send_all(fd, buffer_slice(&question)) && read_answer(fd, portion, context, status, out, err);
    if (!ok)
        buffer_str(err, "anchorage: the daemon did not answer; see its log\n");
    if (question.p)
        explicit_bzero(question.p, question.n); /* it may hold a token */
    buffer_clear(&question);
    close(fd);
    return ok ? CONTROL_DONE : CONTROL_BROKEN;
}
