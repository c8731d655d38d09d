/* SPDX-License-Identifier: MIT
 * libcurl on libevent: what to watch on which socket, when to wake it, and what it has finished.
 *
 * A connection that goes back to the pool stays watched for reading: asking epoll again for each request would
 * cost more than the request's own system calls. So watches are kept by socket, from the first word about it
 * until it is closed, and not by transfer.
 *
 * Whatever comes on a connection while nothing is asked would be read as the answer to the next request: libcurl 7.88
 * only looks whether it is closed. So a kept connection that becomes readable is closed here, behind libcurl's back:
 * its number gets a dead socket in its place, which libcurl finds closed. And just before a request leaves, its
 * connection is looked at once more. */
#include "proxy/upstream/multi.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/util.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/round.h"
#include "proxy/upstream/forbidden.h"

enum { KEPT_CONNECTIONS = 256 /* at least */, WIPED_BYTES = 16 * 1024, PORT_BUCKETS = 256 };

/* Of one round of the loop. */
enum { READING_US = 600, FINISHING_US = 1000 };

struct watch {
    struct event event;
    struct multi *multi;
    int fd;
    short wanted;              /* EV_READ | EV_WRITE as libcurl wants it; 0: it does not care now */
    short armed;               /* as the loop knows it; 0: the event is not added */
    bool connected;            /* a request has gone over it; libcurl tells us before it closes it */
    bool dead;                 /* we have closed it */
    const void *user;          /* the transfer that is on it, or that connects it; NULL: it is kept for the next one */
    struct link line;          /* in `ready`, while it waits to be read */
    struct link kin;           /* in `opening` until it is connected, then in `by_port` */
    int port;                  /* ours, when it is connected */
    char ip[INET6_ADDRSTRLEN]; /* the other side's */
};

/* A transfer that is in, and its socket once it is connected; -1 before. */
struct flier {
    void *easy;
    int fd;
};

/* A transfer that libcurl has done with, and that was not handed out yet. */
struct ended {
    void *easy;
    int code;
};

struct multi {
    struct event_base *base;
    struct multi_callbacks callbacks;
    void *context;
    CURLM *curl;
    const struct forbidden *forbidden;
    bool met_own;
    struct event turn, timer, rested, round_ends;
    struct round reading, finishing;
    struct link ready;   /* sockets that wait to be read, who came first in front */
    struct ended *ended; /* from first_ended until n_ended */
    int first_ended, n_ended;
    bool turn_is_due, kick_is_due, in_turn;
    bool lost_sight;      /* memory was out: some transfer may wait for a socket that nobody watches */
    struct flier *fliers; /* all that are in; `added` of them */
    int room;             /* of both lists; for all that are in or ended, so that an end needs no memory */
    int64_t timer_ms;     /* when the timer fires, INT64_MAX: it is not set */
    int inside;
    bool goes_on; /* what rested, which has a share of its own */
    int added, running;
    struct link opening;               /* sockets that are being connected */
    struct link by_port[PORT_BUCKETS]; /* those that are connected */
    int dead;                          /* a socket whose other end is closed */
    unsigned long connects;
    struct watches {
        struct watch **of; /* by socket */
        size_t n;
    } watches;
};

static struct watch *watch_of(struct multi *m, int fd)
{
    if ((size_t)fd >= m->watches.n) {
        size_t n = (size_t)fd + 64;
        struct watch **grown = realloc(m->watches.of, n * sizeof(struct watch *));
        if (!grown) {
            return NULL;
        }
        memset(grown + m->watches.n, 0, (n - m->watches.n) * sizeof(struct watch *));
        m->watches.of = grown;
        m->watches.n = n;
    }
    struct watch *w = m->watches.of[fd];
    if (!w && (w = calloc(1, sizeof(*w)))) {
        w->multi = m;
        w->fd = fd;
        link_init(&w->line);
        link_init(&w->kin);
        m->watches.of[fd] = w;
    }
    return w;
}

static void note_running(struct multi *m, int running)
{
    m->running = running;
    if (running < m->added) {
        multi_wake(m);
    }
}

static bool is_over(struct multi *m, struct round *share, int64_t most_us)
{
    if (!share->until_us)
        event_active(&m->round_ends, EV_TIMEOUT, 0); /* behind all that is ready now */
    return round_is_over(share, most_us);
}

static bool has_ended(const struct multi *m)
{
    return m->first_ended < m->n_ended;
}

bool multi_is_behind(const struct multi *m)
{
    return !link_is_alone(&m->ready) || has_ended(m);
}

bool multi_is_to_rest(struct multi *m)
{
    return !m->goes_on && is_over(m, &m->reading, READING_US);
}

static void round_ends(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    struct multi *m = context;
    round_end(&m->reading);
    round_end(&m->finishing);
}

static void socket_action(struct multi *m, int fd, int bits)
{
    int running = 0;
    if (m->lost_sight) {
        return; /* all will end in the coming turn */
    }
    m->inside++;
    if (curl_multi_socket_action(m->curl, fd, bits, &running)) {
        m->lost_sight = true;
        multi_wake(m);
    }
    m->inside--;
    note_running(m, running);
}

static void disarm(struct watch *w)
{
    if (w->armed) {
        event_del(&w->event);
        w->armed = 0;
    }
}

static void socket_ready(evutil_socket_t fd, short what, void *context);

static bool arm(struct watch *w, short events)
{
    if (w->armed == events) {
        return true;
    }
    disarm(w);
    event_assign(&w->event, w->multi->base, w->fd, (short)(events | EV_PERSIST), socket_ready, w);
    if (event_add(&w->event, NULL)) {
        return false;
    }
    w->armed = events;
    return true;
}

/* What it wanted may not be what it wants now; whoever does not want it any more is not in the line. */
static void watch_again(struct multi *m, struct watch *w)
{
    if (w->wanted && !arm(w, w->wanted)) {
        m->lost_sight = true;
        multi_wake(m);
    }
}

/* Nobody has asked for anything. */
static bool is_idle(const struct watch *w)
{
    return w->connected && !w->user && !w->wanted;
}

/* The connection ends now, and its number stays libcurl's until it comes by: it finds it closed, over TLS, too. */
static void end_idle(struct watch *w)
{
    disarm(w);
    w->dead = dup3(w->multi->dead, w->fd, O_CLOEXEC) == w->fd;
}

/* It goes back to the pool. Should memory be out, it is looked at before it is used, that is all. */
static void watch_idle(struct watch *w)
{
    if (!w->dead) {
        (void)arm(w, EV_READ);
    }
}

/* In the order in which they became ready, and as far as this round goes. */
static void read_ready(struct multi *m)
{
    while (!link_is_alone(&m->ready)) {
        if (is_over(m, &m->reading, READING_US)) {
            multi_rest(m);
            return;
        }
        struct watch *w = LINKED(m->ready.next, struct watch, line);
        int fd = w->fd;
        link_out(&w->line);
        socket_action(m, fd, CURL_CSELECT_IN);
        if (m->watches.of[fd] == w) {
            watch_again(m, w);
        }
    }
}

/* True: now. Else it stands in line. The kernel would tell of it again in each round, and of thousands that took longer
 * than to read some: at the second time, it is told not to. */
static bool may_read(struct multi *m, struct watch *w)
{
    if (!link_is_alone(&w->line)) {
        disarm(w);
        return false;
    }
    if (link_is_alone(&m->ready) && !is_over(m, &m->reading, READING_US)) {
        return true;
    }
    link_before(&m->ready, &w->line);
    multi_rest(m);
    return false;
}

static void socket_ready(evutil_socket_t fd, short what, void *context)
{
    struct watch *w = context;
    if (is_idle(w)) {
        end_idle(w);
        return;
    }
    if (!w->wanted) {
        disarm(w); /* its transfer rests */
        return;
    }
    if ((what & EV_READ) && !may_read(w->multi, w)) {
        return;
    }
    socket_action(w->multi, (int)fd, (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *unused)
{
    (void)unused;
    struct multi *m = context;
    struct watch *w = watch_of(m, fd);
    if (!w) {
        /* An error here would end all transfers of this libcurl for good. */
        m->lost_sight = true;
        multi_wake(m);
        return 0;
    }
    if (what == CURL_POLL_REMOVE) {
        w->wanted = 0;
        link_out(&w->line);
        if (is_idle(w)) {
            watch_idle(w);
        } else if (!w->connected || w->armed != EV_READ) {
            disarm(w);
        }
        return 0;
    }
    w->user = easy;
    w->wanted = (short)((what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
    watch_again(m, w);
    return 0;
}

/* libcurl closes a socket that lost the race to connect without a word, and may then get the same number again
 * for the next address: what we watch under that number must then be watched anew. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct multi *m = context;
    if (forbidden_has(m->forbidden, &address->addr)) {
        m->met_own = true;
        return CURL_SOCKET_BAD;
    }
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
    if (fd < 0) {
        return CURL_SOCKET_BAD;
    }
    struct watch *w = watch_of(m, fd);
    if (!w) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    m->connects++;
    link_out(&w->line);
    link_out(&w->kin);
    disarm(w);
    w->connected = w->dead = false;
    w->user = NULL;
    link_before(&m->opening, &w->kin);
    if (w->wanted && !arm(w, w->wanted)) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    return fd;
}

static int close_socket(void *context, curl_socket_t fd)
{
    struct multi *m = context;
    if ((size_t)fd < m->watches.n && m->watches.of[fd]) {
        link_out(&m->watches.of[fd]->line);
        link_out(&m->watches.of[fd]->kin);
        disarm(m->watches.of[fd]);
        free(m->watches.of[fd]);
        m->watches.of[fd] = NULL;
    }
    return close(fd);
}

/* libcurl moves its timer with every transfer. Ours only ever moves to an earlier time; one that fires with
 * nothing due costs less than setting it anew for each request. */
static int on_timer(CURLM *curl, long wait_ms, void *context)
{
    (void)curl;
    struct multi *m = context;
    if (wait_ms == 0) {
        m->kick_is_due = true;
        if (!m->in_turn) {
            multi_wake(m);
        }
    } else if (wait_ms > 0) {
        int64_t at = clock_monotonic_ms() + wait_ms;
        if (at < m->timer_ms) {
            struct timeval wait = { .tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000 };
            m->timer_ms = at;
            if (evtimer_add(&m->timer, &wait)) {
                event_active(&m->timer, EV_TIMEOUT, 0); /* too early, rather than never */
            }
        }
    }
    return 0;
}

static void timer_fired(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    struct multi *m = context;
    m->timer_ms = INT64_MAX;
    /* This also makes libcurl call on_timer again when there is something left. */
    socket_action(m, CURL_SOCKET_TIMEOUT, 0);
}

static int place_of(const struct multi *m, const void *easy)
{
    int i = 0;
    while (m->fliers[i].easy != easy) {
        i++;
    }
    return i;
}

static void take_out(struct multi *m, void *easy)
{
    m->inside++;
    curl_multi_remove_handle(m->curl, easy);
    m->inside--;
    int i = place_of(m, easy), fd = m->fliers[i].fd;
    m->fliers[i] = m->fliers[--m->added];
    struct watch *w = fd >= 0 ? m->watches.of[fd] : NULL;
    if (w && w->user == easy) {
        w->user = NULL;
        watch_idle(w);
    }
}

/* At once, so that nobody takes what is whole for late, however long it waits to be handed out. */
static void collect_ended(struct multi *m)
{
    int left;
    CURLMsg *message;
    while (m->running < m->added && (message = curl_multi_info_read(m->curl, &left))) {
        struct ended e = { message->easy_handle, (int)message->data.result };
        take_out(m, e.easy);
        if (m->n_ended == m->room) {
            m->n_ended -= m->first_ended;
            memmove(m->ended, &m->ended[m->first_ended], (size_t)m->n_ended * sizeof(*m->ended));
            m->first_ended = 0;
        }
        m->ended[m->n_ended++] = e;
    }
}

bool multi_take_ended(struct multi *m, void *easy, int *code)
{
    collect_ended(m);
    for (int i = m->first_ended; i < m->n_ended; i++) {
        if (m->ended[i].easy == easy) {
            *code = m->ended[i].code;
            m->n_ended--;
            memmove(&m->ended[i], &m->ended[i + 1], (size_t)(m->n_ended - i) * sizeof(*m->ended));
            return true;
        }
    }
    return false;
}

static void hand_out_ended(struct multi *m)
{
    for (collect_ended(m); has_ended(m); collect_ended(m)) {
        if (is_over(m, &m->finishing, FINISHING_US)) {
            multi_rest(m);
            return;
        }
        struct ended e = m->ended[m->first_ended++];
        if (!has_ended(m)) {
            m->first_ended = m->n_ended = 0;
        }
        m->callbacks.on_finished(m->context, e.easy, e.code);
    }
}

/* libcurl had no memory to name a socket. It does not name it again, and its table of that socket may be half made: to
 * use it would end the process. So every transfer ends here, and its connection with it. */
static void give_up(struct multi *m)
{
    m->lost_sight = false;
    for (int n = m->added; n > 0 && m->added > 0; n--) {
        void *easy = m->fliers[0].easy;
        take_out(m, easy);
        m->running = m->running > 0 ? m->running - 1 : 0;
        m->callbacks.on_finished(m->context, easy, CURLE_OUT_OF_MEMORY);
    }
}

static void take_turn(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    struct multi *m = context;
    m->in_turn = true;
    hand_out_ended(m);
    m->turn_is_due = false;
    if (m->lost_sight) {
        give_up(m);
    }
    m->callbacks.on_turn(m->context);
    if (m->kick_is_due) {
        m->kick_is_due = false;
        socket_action(m, CURL_SOCKET_TIMEOUT, 0);
    }
    m->in_turn = false;
    if (m->turn_is_due || m->kick_is_due || m->lost_sight) {
        m->turn_is_due = false;
        multi_wake(m);
    }
}

void multi_wake(struct multi *m)
{
    if (!m->turn_is_due) {
        m->turn_is_due = true;
        if (!m->in_turn) {
            event_active(&m->turn, EV_TIMEOUT, 0);
        }
    }
}

/* An event made active by hand would come in this round, before what else has become ready. */
void multi_rest(struct multi *m)
{
    static const struct timeval next_round = { 0 };
    if (!evtimer_pending(&m->rested, NULL) && evtimer_add(&m->rested, &next_round)) {
        event_active(&m->rested, EV_TIMEOUT, 0);
    }
}

static void has_rested(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    struct multi *m = context;
    m->callbacks.on_rested(m->context);
    read_ready(m);
    if (m->running < m->added || has_ended(m)) {
        multi_wake(m);
    }
}

/* libcurl copies the key into each request that it sends: what it frees is wiped. Its buffers for answers are larger
 * than any request of ours, and wiping them would cost as much as parsing them. */
static void wiping_free(void *p)
{
    size_t n = p ? malloc_usable_size(p) : 0;
    if (n && n <= WIPED_BYTES) {
        explicit_bzero(p, n);
    }
    free(p);
}

static void *wiping_realloc(void *p, size_t n)
{
    size_t had = p ? malloc_usable_size(p) : 0;
    if (n <= had && p) {
        return p;
    }
    void *more = malloc(n);
    if (more && p) {
        memcpy(more, p, had);
        wiping_free(p);
    }
    return more;
}

/* What stands in the place of a connection that was closed here: whoever reads from it finds the end. */
static int new_dead_socket(void)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
        return -1;
    }
    close(ends[1]);
    return ends[0];
}

/* OpenSSL says goodbye on connections that are gone; who has chosen something for SIGPIPE keeps it. */
static void ignore_broken_pipes(void)
{
    struct sigaction pipe;
    if (sigaction(SIGPIPE, NULL, &pipe) == 0 && pipe.sa_handler == SIG_DFL) {
        signal(SIGPIPE, SIG_IGN);
    }
}

struct multi *multi_new(struct event_base *base, const struct multi_callbacks *callbacks,
                        const struct forbidden *forbidden, void *context)
{
    struct multi *m = calloc(1, sizeof(*m));
    if (!m) {
        return NULL;
    }
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wiping_free, wiping_realloc, strdup, calloc) ||
        !(m->curl = curl_multi_init())) {
        free(m);
        return NULL;
    }
    m->base = base;
    m->forbidden = forbidden;
    m->callbacks = *callbacks;
    m->context = context;
    m->timer_ms = INT64_MAX;
    link_init(&m->ready);
    link_init(&m->opening);
    for (int i = 0; i < PORT_BUCKETS; i++) {
        link_init(&m->by_port[i]);
    }
    ignore_broken_pipes();
    m->dead = new_dead_socket();
    event_assign(&m->turn, base, -1, 0, take_turn, m);
    evtimer_assign(&m->timer, base, timer_fired, m);
    evtimer_assign(&m->rested, base, has_rested, m);
    event_assign(&m->round_ends, base, -1, 0, round_ends, m);
    curl_multi_setopt(m->curl, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(m->curl, CURLMOPT_SOCKETDATA, m);
    curl_multi_setopt(m->curl, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(m->curl, CURLMOPT_TIMERDATA, m);
    curl_multi_setopt(m->curl, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    curl_multi_setopt(m->curl, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
    if (m->dead < 0) {
        multi_free(m);
        return NULL;
    }
    return m;
}

void multi_free(struct multi *m)
{
    if (!m) {
        return;
    }
    curl_multi_cleanup(m->curl);
    event_del(&m->turn);
    event_del(&m->timer);
    event_del(&m->rested);
    event_del(&m->round_ends);
    for (size_t i = 0; i < m->watches.n; i++) {
        if (m->watches.of[i]) {
            disarm(m->watches.of[i]);
            free(m->watches.of[i]);
        }
    }
    free(m->watches.of);
    free(m->fliers);
    if (m->dead >= 0) {
        close(m->dead);
    }
    free(m->ended);
    free(m);
    curl_global_cleanup();
}

void multi_adopt(struct multi *m, void *easy)
{
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, m);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, m);
}

/* For one more. */
static bool make_room(struct multi *m)
{
    if (m->added + m->n_ended - m->first_ended < m->room) {
        return true;
    }
    int room = m->room ? m->room * 2 : 64;
    struct flier *fliers = realloc(m->fliers, (size_t)room * sizeof(*fliers));
    if (!fliers) {
        return false;
    }
    m->fliers = fliers;
    struct ended *ended = realloc(m->ended, (size_t)room * sizeof(*ended));
    if (!ended) {
        return false;
    }
    m->ended = ended;
    m->room = room;
    if (room > KEPT_CONNECTIONS) {
        /* libcurl counts those in use, too: were there more of them, each one that is done would be closed */
        curl_multi_setopt(m->curl, CURLMOPT_MAXCONNECTS, (long)room);
    }
    return true;
}

bool multi_add(struct multi *m, void *easy)
{
    if (!make_room(m) || curl_multi_add_handle(m->curl, easy)) {
        return false;
    }
    m->fliers[m->added++] = (struct flier){ easy, -1 };
    m->running++;
    return true;
}

/* The transfer may have ended without our knowing yet, so fewer may be running than this says; never more: then
 * nothing finished is overlooked. */
void multi_remove(struct multi *m, void *easy)
{
    int code;
    if (multi_take_ended(m, easy, &code)) {
        return;
    }
    take_out(m, easy);
    m->running = m->running > 0 ? m->running - 1 : 0;
}

int multi_go_on(struct multi *m, void *easy)
{
    m->inside++;
    m->goes_on = true;
    int code = (int)curl_easy_pause(easy, CURLPAUSE_CONT);
    m->goes_on = false;
    m->inside--;
    return code;
}

bool multi_is_inside(const struct multi *m)
{
    return m->inside > 0;
}

/* ---- before a request leaves ---- */

static struct link *bucket_of(struct multi *m, int port)
{
    return &m->by_port[port % PORT_BUCKETS];
}

static struct watch *kept_watch(struct multi *m, const char *ip, int port)
{
    struct link *bucket = bucket_of(m, port);
    for (struct link *l = bucket->next; l != bucket; l = l->next) {
        struct watch *w = LINKED(l, struct watch, kin);
        if (w->port == port && strcmp(w->ip, ip) == 0) {
            return w;
        }
    }
    return NULL;
}

static int port_of(const struct sockaddr_storage *address, char *ip)
{
    if (address->ss_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof(v6));
        evutil_inet_ntop(AF_INET6, &v6.sin6_addr, ip, INET6_ADDRSTRLEN);
        return ntohs(v6.sin6_port);
    }
    struct sockaddr_in v4;
    memcpy(&v4, address, sizeof(v4));
    evutil_inet_ntop(AF_INET, &v4.sin_addr, ip, INET6_ADDRSTRLEN);
    return ntohs(v4.sin_port);
}

/* Whether a socket is that connection. Its number may be another's by now: see open_socket. */
static bool is_between(int fd, const char *ip, int own_port)
{
    struct sockaddr_storage own, other;
    socklen_t n_own = sizeof(own), n_other = sizeof(other);
    char own_ip[INET6_ADDRSTRLEN] = "", other_ip[INET6_ADDRSTRLEN] = "";
    if (getsockname(fd, (struct sockaddr *)&own, &n_own) || getpeername(fd, (struct sockaddr *)&other, &n_other)) {
        return false;
    }
    port_of(&other, other_ip);
    return port_of(&own, own_ip) == own_port && strcmp(other_ip, ip) == 0;
}

/* One of those that were opened for this transfer, and maybe not seen by on_socket yet. The others of it have lost. */
static struct watch *fresh_watch(struct multi *m, const void *easy, const char *ip, int port)
{
    struct watch *found = NULL;
    for (struct link *l = m->opening.next, *next; l != &m->opening; l = next) {
        struct watch *w = LINKED(l, struct watch, kin);
        next = l->next;
        if (w->user && w->user != easy) {
            continue;
        }
        if (!found && is_between(w->fd, ip, port)) {
            found = w;
            link_out(&w->kin);
            link_before(bucket_of(m, port), &w->kin);
            w->connected = true;
            w->port = port;
            snprintf(w->ip, sizeof(w->ip), "%s", ip);
        } else if (w->user) {
            link_out(&w->kin);
        }
    }
    return found;
}

/* Nothing waits to be read, and it is not closed. */
static bool is_quiet(const struct watch *w, bool may_be_closed)
{
    char c;
    ssize_t n = w->dead ? 0 : recv(w->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
    return n < 0 ? may_be_closed || errno == EAGAIN || errno == EINTR : n == 0 && may_be_closed;
}

bool multi_is_connected(struct multi *m, void *easy, const char *ip, int own_port, bool is_fresh_watched)
{
    m->met_own = false;
    struct watch *w = kept_watch(m, ip, own_port);
    bool is_fresh = !w;
    if (is_fresh) {
        w = fresh_watch(m, easy, ip, own_port);
    }
    if (!w) {
        return true; /* an address of another kind */
    }
    w->user = easy;
    m->fliers[place_of(m, easy)].fd = w->fd;
    return is_fresh ? !is_fresh_watched || is_quiet(w, true) : is_quiet(w, false);
}

bool multi_met_own(const struct multi *m)
{
    return m->met_own;
}

unsigned long multi_connects(const struct multi *m)
{
    return m->connects;
}
