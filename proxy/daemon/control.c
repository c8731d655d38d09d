/* SPDX-License-Identifier: MIT
 * The daemon's end of the control socket listens, reads questions, has them answered. */
#include "proxy/daemon/control.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "proxy/daemon/control_wire.h"

enum {
    MAX_QUESTION = 64 * 1024 * 1024,
    MAX_QUESTIONS = 128 * 1024 * 1024, /* held for all clients together */
    MAX_CLIENTS = 32,
    MAX_BUSY = 8,       /* clients whose command runs or whose answer has not gone: an export may be large */
    QUESTION_MS = 5000, /* for a question: it is there as a whole when the client connects */
    ANSWER_MS = 30000,
    ANSWER_BYTES_PER_MS = 1024,
    PAUSE_MS = 250, /* when descriptors are out */
};

struct client {
    struct control *control;
    struct link link; /* the oldest first */
    struct event *event;
    int fd;
    struct buffer in;
    struct buffer head, out, tail; /* of the answer: what stands before its output, that, and behind it */
    struct buffer words;           /* of its command, a NUL behind each */
    uint32_t n_words;
    int64_t goes_on; /* from where the command goes on when this portion has gone; 0: it has ended */
    size_t sent;
    int64_t until_ms; /* by then the question is here or the answer has gone, or the client is cut off */
    bool waits;       /* its question is whole, and others are at work */
    bool busy;        /* its command runs, or its answer is on its way */
};

struct control {
    struct event_base *base;
    struct ledger *ledger;
    struct event *event, *reopen;
    int fd;
    struct link clients;
    int n_clients, n_busy;
    bool ends;
    size_t question_bytes; /* held for questions that are not whole yet */
    struct sockaddr_un address;
    const char *word; /* the command that is not for the ledger */
    control_command *run;
    void *context;
};

/* Wipe a buffer that may hold a token, and free it. */
static void wipe(struct buffer *b)
{
    if (b->p)
        explicit_bzero(b->p, b->n);
    buffer_clear(b);
}

static void start_next(struct control *control);

static void client_free(struct client *c)
{
    struct control *control = c->control;
    link_out(&c->link);
    control->n_clients--;
    control->n_busy -= c->busy;
    if (c->event)
        event_free(c->event);
    close(c->fd);
    control->question_bytes -= c->in.room;
    wipe(&c->in);
    wipe(&c->words);
    buffer_clear(&c->head);
    buffer_clear(&c->out);
    buffer_clear(&c->tail);
    free(c);
    start_next(control);
}

static bool watch(struct client *c, short what);

static size_t answer_bytes(const struct client *c)
{
    return c->head.n + c->out.n + c->tail.n;
}

static void on_command_done(void *context, const struct ledger_answer *answer)
{
    struct client *c = context;
    int status = answer->next ? CONTROL_STATUS_MORE : answer->status;
    uint32_t n = (uint32_t)answer->out.n;
    c->goes_on = answer->next;
    c->sent = c->head.n = c->tail.n = 0;
    control_put_part(&c->head, slice_of((const char *)&status, sizeof status));
    buffer_append(&c->head, slice_of((const char *)&n, sizeof n));
    control_put_part(&c->tail, answer->err);
    buffer_clear(&c->out);
    if (answer->whole) { /* it may be long: not copied */
        c->out = *answer->whole;
        *answer->whole = (struct buffer){ 0 };
    } else {
        buffer_append(&c->out, answer->out);
    }
    c->until_ms = clock_monotonic_ms() + ANSWER_MS + (int64_t)(answer_bytes(c) / ANSWER_BYTES_PER_MS);
    if (c->head.failed || c->out.failed || c->tail.failed || !watch(c, EV_WRITE))
        client_free(c);
}

enum question { QUESTION_PARTLY, QUESTION_WHOLE, QUESTION_BAD };

/* Read the number of words, the words with a NUL behind each, and the input. */
static enum question read_question(struct slice rest, struct buffer *words, uint32_t *n, struct slice *input)
{
    struct slice part;
    *n = 0;
    if (!control_take_part(&rest, &part))
        return rest.n >= 2 * sizeof *n ? QUESTION_BAD : QUESTION_PARTLY;
    if (part.n == sizeof *n)
        memcpy(n, part.p, sizeof *n);
    if (*n < 1 || *n > CONTROL_MAX_WORDS)
        return QUESTION_BAD;
    for (uint32_t i = 0; i < *n; i++) {
        if (!control_take_part(&rest, &part))
            return rest.n > CONTROL_MAX_WORDS_BYTES ? QUESTION_BAD : QUESTION_PARTLY;
        if (slice_find(part, 0) < part.n)
            return QUESTION_BAD;
        buffer_append(words, part);
        buffer_put(words, 0);
    }
    if (words->failed)
        return QUESTION_BAD;
    return control_take_part(&rest, input) ? QUESTION_WHOLE : QUESTION_PARTLY;
}

/* Have the command say what it has to say from `at` on. The client may be gone afterwards. */
static void run_command(struct client *c, struct slice input, int64_t at)
{
    struct control *control = c->control;
    const char *text = c->words.p, *word[CONTROL_MAX_WORDS] = { text };
    for (uint32_t i = 0; i < c->n_words; i++, text += strlen(text) + 1)
        word[i] = text;
    if (control->word && strcmp(word[0], control->word) == 0)
        control->run(control->context, (int)c->n_words, word, on_command_done, c);
    else
        ledger_command_start(control->ledger, (int)c->n_words, word, input, at, on_command_done, c);
}

/* Start the command when the question is whole and it is its turn. The client may be gone afterwards. */
static enum question start_question(struct client *c)
{
    struct control *control = c->control;
    struct slice input;
    wipe(&c->words);
    c->words = buffer_with_cap(CONTROL_MAX_WORDS_BYTES);
    enum question result = read_question(buffer_slice(&c->in), &c->words, &c->n_words, &input);
    c->waits = result == QUESTION_WHOLE && control->n_busy >= MAX_BUSY;
    if (result == QUESTION_WHOLE && !c->waits) {
        struct buffer question = c->in;
        c->in = buffer_with_cap(MAX_QUESTION);
        control->question_bytes -= question.room;
        c->busy = true;
        control->n_busy++;
        run_command(c, input, 0);
        wipe(&question);
    }
    return result;
}

/* Start the question that has waited longest. */
static void start_next(struct control *control)
{
    struct client *next = NULL;
    for (struct link *l = control->clients.next; l != &control->clients && !next; l = l->next) {
        struct client *c = LINKED(l, struct client, link);
        next = c->waits ? c : NULL;
    }
    if (next && control->n_busy < MAX_BUSY && !control->ends)
        (void)start_question(next);
}

static void on_client(evutil_socket_t fd, short what, void *context);

static bool watch(struct client *c, short what)
{
    int64_t left_ms = c->until_ms - clock_monotonic_ms();
    left_ms = left_ms > 0 ? left_ms : 0;
    struct timeval patience = { .tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000 };
    if (c->event)
        event_free(c->event);
    c->event = event_new(c->control->base, c->fd, what, on_client, c);
    return c->event && event_add(c->event, &patience) == 0;
}

/* False when the client is done with, well or not. */
static bool client_read(struct client *c)
{
    struct control *control = c->control;
    size_t room = c->in.room;
    char *to = buffer_reserve(&c->in, 65536);
    control->question_bytes += c->in.room - room;
    if (control->question_bytes > MAX_QUESTIONS)
        return false;
    ssize_t n = to ? read(c->fd, to, 65536) : -1;
    if (n < 0 && to && (errno == EAGAIN || errno == EINTR))
        return watch(c, EV_READ);
    if (n <= 0)
        return false;
    c->in.n += (size_t)n;
    switch (start_question(c)) {
    case QUESTION_PARTLY:
        return watch(c, EV_READ);
    case QUESTION_WHOLE:
        return true; /* the command's end goes on, or that of another one */
    case QUESTION_BAD:
        break;
    }
    return false;
}

/* As send(2): what has not left yet. */
static ssize_t send_answer(const struct client *c)
{
    const struct buffer *all[] = { &c->head, &c->out, &c->tail };
    struct iovec parts[3];
    size_t n = 0, skip = c->sent;
    for (int i = 0; i < 3; i++) {
        if (skip < all[i]->n)
            parts[n++] = (struct iovec){ all[i]->p + skip, all[i]->n - skip };
        skip -= skip < all[i]->n ? skip : all[i]->n;
    }
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = n };
    return sendmsg(c->fd, &message, MSG_NOSIGNAL);
}

static bool client_write(struct client *c)
{
    ssize_t n = send_answer(c);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return watch(c, EV_WRITE);
    if (n <= 0)
        return false;
    c->sent += (size_t)n;
    if (c->sent < answer_bytes(c))
        return watch(c, EV_WRITE);
    if (!c->goes_on)
        return false;
    run_command(c, S(""), c->goes_on); /* the client may be gone */
    return true;
}

static void on_client(evutil_socket_t fd, short what, void *context)
{
    struct client *c = context;
    (void)fd;
    bool goes_on = what & EV_READ ? client_read(c) : what & EV_WRITE ? client_write(c) : false;
    if (!goes_on)
        client_free(c);
}

static void on_reopen(evutil_socket_t fd, short what, void *context)
{
    struct control *control = context;
    (void)fd;
    (void)what;
    event_add(control->event, NULL);
}

/* A shortage stays for a while, and the loop would spin on the connection that waits. */
static void pause_accepting(struct control *control)
{
    struct timeval pause = { .tv_usec = PAUSE_MS * 1000 };
    if (event_add(control->reopen, &pause) == 0)
        event_del(control->event);
}

static void on_connection(evutil_socket_t fd, short what, void *context)
{
    struct control *control = context;
    (void)what;
    int client_fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client_fd < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            pause_accepting(control);
        return;
    }
    struct client *c = control->n_clients < MAX_CLIENTS ? calloc(1, sizeof *c) : NULL;
    if (!c) {
        close(client_fd);
        return;
    }
    *c = (struct client){ .control = control,
                          .fd = client_fd,
                          .in = buffer_with_cap(MAX_QUESTION),
                          .until_ms = clock_monotonic_ms() + QUESTION_MS };
    link_before(&control->clients, &c->link);
    control->n_clients++;
    if (!watch(c, EV_READ))
        client_free(c);
}

/* The ledger is ours by now, so a socket that is there was left by a dead daemon. */
static bool listen_there(struct control *c)
{
    unlink(c->address.sun_path);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return false;
    mode_t before = umask(0117);
    bool bound = bind(c->fd, (const struct sockaddr *)&c->address, sizeof c->address) == 0;
    umask(before);
    return bound && listen(c->fd, MAX_CLIENTS) == 0;
}

struct control *control_new(struct event_base *base, const char *state_directory, struct ledger *ledger,
                            struct buffer *why)
{
    struct control *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->base = base;
    c->ledger = ledger;
    c->fd = -1;
    link_init(&c->clients);
    if (!control_address(&c->address, state_directory)) {
        buffer_printf(why, "state_directory %s is too long for a socket in it (107 bytes in all)", state_directory);
        free(c);
        return NULL;
    }
    if (listen_there(c))
        c->event = event_new(base, c->fd, EV_READ | EV_PERSIST, on_connection, c);
    c->reopen = event_new(base, -1, 0, on_reopen, c);
    if (!c->event || !c->reopen || event_add(c->event, NULL) != 0) {
        buffer_printf(why, "cannot listen on %s: %s", c->address.sun_path, strerror(errno));
        control_free(c);
        return NULL;
    }
    return c;
}

void control_serve(struct control *c, const char *word, control_command *run, void *context)
{
    c->word = word;
    c->run = run;
    c->context = context;
}

void control_free(struct control *c)
{
    if (!c)
        return;
    c->ends = true;
    while (!link_is_alone(&c->clients))
        client_free(LINKED(c->clients.next, struct client, link));
    if (c->event) {
        event_free(c->event);
        unlink(c->address.sun_path);
    }
    if (c->reopen)
        event_free(c->reopen);
    if (c->fd >= 0)
        close(c->fd);
    free(c);
}
