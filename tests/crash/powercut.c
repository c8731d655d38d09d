/* SPDX-License-Identifier: MIT
 * The power is cut at many moments of one run, each in many ways, and the books must open and have all in them that was
 * acknowledged.
 *
 *   powercut LOAD TAPE.so [--calls N] [--states N] [--seed N] [--normal] [--keep]
 *
 * With --keep old entries are removed meanwhile: of what is gone the sums must be there.
 * LOAD runs once with the tape preloaded, and once more with another seed for each ten of CRASH_ROUNDS. With --normal
 * the load's books do not wait for the disk as they should: then losses must be found, or the simulator is no good. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/ledger/ledger.h"
#include "tests/crash/disk.h"

enum { MAX_WRONG = 10, ROWS = 7 /* of each settlement of the load */ };

struct options {
    const char *load, *tape;
    long calls, states;
    uint64_t seed;
    bool normal, keep;
};

/* What was acknowledged, in order: "settle ID". */
struct ack {
    char kind[12], id[LEDGER_ID_SIZE];
};

/* A line of an export. */
struct line {
    char id[LEDGER_ID_SIZE];
    char kind;
};

struct run {
    struct options options;
    char directory[256];
    struct buffer tape;
    struct ack *acks;
    size_t n_acks, room;
    long states, wrong, lost;
};

static void die(const char *what)
{
    fprintf(stderr, "powercut: %s: %s\n", what, strerror(errno));
    exit(2);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void remove_all(const char *path)
{
    nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- the run that is recorded ---- */

static void play_load(struct run *r)
{
    char state[300], tape[300], calls[24], directory_is[320], tape_is[320], preload_is[600];
    snprintf(state, sizeof state, "%s/load", r->directory);
    snprintf(tape, sizeof tape, "%s/tape", r->directory);
    snprintf(calls, sizeof calls, "%ld", r->options.calls);
    snprintf(directory_is, sizeof directory_is, "TAPE_DIRECTORY=%s", state);
    snprintf(tape_is, sizeof tape_is, "TAPE_FILE=%s", tape);
    snprintf(preload_is, sizeof preload_is, "LD_PRELOAD=%s", r->options.tape);
    char *argv[] = { (char *)(uintptr_t)r->options.load, state, calls,
                     r->options.keep ? (char *)(uintptr_t) "keep" : NULL, NULL };
    char *environment[] = { directory_is,
                            tape_is,
                            preload_is,
                            (char *)(uintptr_t) "ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0",
                            r->options.normal ? (char *)(uintptr_t) "TAPE_NORMAL=1" : NULL,
                            NULL };
    pid_t pid;
    int status = 0;
    if (mkdir(state, 0700) != 0 || posix_spawn(&pid, argv[0], NULL, NULL, argv, environment) != 0 ||
        waitpid(pid, &status, 0) != pid || status != 0)
        die("the load did not run through");
    int fd = open(tape, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0 || !buffer_reserve(&r->tape, (size_t)st.st_size))
        die(tape);
    for (ssize_t n; (n = read(fd, r->tape.p + r->tape.n, (size_t)st.st_size - r->tape.n)) > 0;)
        r->tape.n += (size_t)n;
    close(fd);
    remove_all(state);
    unlink(tape);
}

/* ---- the judge ---- */

static int by_id(const void *a, const void *b)
{
    return memcmp(((const struct line *)a)->id, ((const struct line *)b)->id, LEDGER_ID_SIZE - 1);
}

/* The value behind "name":" in a line, or NULL. */
static const char *text_of(struct slice line, const char *name)
{
    const char *p = memmem(line.p, line.n, name, strlen(name));
    return p ? p + strlen(name) : NULL;
}

static struct line *read_lines(struct slice export, size_t *n)
{
    struct line *lines = NULL;
    size_t room = 0;
    *n = 0;
    for (struct slice rest; export.n; export = rest) {
        struct slice one = slice_split(export, '\n', &rest);
        const char *kind = text_of(one, "\"kind\":\""), *id = text_of(one, "\"id\":\"");
        if (!kind || !id)
            continue;
        if (*n == room) {
            room = room ? room * 2 : 1024;
            lines = realloc(lines, room * sizeof *lines);
            if (!lines)
                die("memory");
        }
        lines[*n].kind = *kind;
        memcpy(lines[*n].id, id, LEDGER_ID_SIZE - 1);
        lines[(*n)++].id[LEDGER_ID_SIZE - 1] = '\0';
    }
    if (*n)
        qsort(lines, *n, sizeof *lines, by_id);
    return lines;
}

static int count(const struct line *lines, size_t n, const char *id, char kind)
{
    struct line key;
    memcpy(key.id, id, sizeof key.id);
    const struct line *at = n ? bsearch(&key, lines, n, sizeof key, by_id) : NULL;
    int found = 0;
    if (!at)
        return 0;
    while (at > lines && by_id(at - 1, &key) == 0)
        at--;
    for (; at < lines + n && by_id(at, &key) == 0; at++)
        found += at->kind == kind;
    return found;
}

static void say(struct run *r, const char *state, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void say(struct run *r, const char *state, const char *format, ...)
{
    if (r->wrong++ >= MAX_WRONG || r->options.normal)
        return;
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", state);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

static void judge_acks(struct run *r, const char *state, struct slice export)
{
    size_t n;
    struct line *lines = read_lines(export, &n);
    long lost = 0;
    for (size_t i = 0; i < r->n_acks; i++) {
        const struct ack *a = &r->acks[i];
        char kind = a->kind[0];
        if (kind == 'o')
            continue;
        int there =
            kind == 'e' ? count(lines, n, a->id, 'r') + count(lines, n, a->id, 'u') : count(lines, n, a->id, kind);
        bool good = kind == 'h' ? there > 0 : there == 1;
        lost += !good;
        if (!good)
            say(r, state, "%s of %s was acknowledged and stands %d times in the books", a->kind, a->id, there);
    }
    r->lost += lost > 0;
    free(lines);
}

/* A command on the books; its output. */
static bool command(struct run *r, const char *state, struct ledger *l, const char *word, struct buffer *out)
{
    struct buffer err = { 0 };
    const char *argv[] = { "ledger", word };
    int64_t at = 0;
    bool good;
    do
        good = ledger_command(l, 2, argv, S(""), &at, out, &err) == 0;
    while (good && at);
    if (!good)
        say(r, state, "ledger %s: %.*s", word, SLICE_ARGS(buffer_slice(&err)));
    buffer_clear(&err);
    return good;
}

/* Rows of all time, the removed entries' among them: at least those that were acknowledged. */
static void judge_sums(struct run *r, const char *state, struct ledger *l)
{
    struct buffer out = { 0 }, err = { 0 };
    const char *argv[] = { "usage", "--by", "table", "--since", "2000-01-01", "--format", "csv" };
    long long settled = 0, rows = 0;
    for (size_t i = 0; i < r->n_acks; i++)
        settled += strcmp(r->acks[i].kind, "settle") == 0 || strcmp(r->acks[i].kind, "o-settle") == 0;
    int status = ledger_command(l, 7, argv, S(""), &(int64_t){ 0 }, &out, &err);
    buffer_put(&out, '\0');
    const char *line = status == 0 ? strstr(out.p, "\nanchors,") : NULL;
    if (line)
        sscanf(line, "\nanchors,%*d,%*d,%lld", &rows);
    if (status != 0 || rows < settled * ROWS)
        say(r, state, "usage has %lld rows of %lld that were acknowledged", rows, settled * ROWS);
    buffer_clear(&out);
    buffer_clear(&err);
}

static void count_done(void *context, enum ledger_outcome outcome)
{
    *(int *)context += outcome == LEDGER_DONE;
}

/* The books go on from where they are. */
static void judge_going_on(struct run *r, const char *state, struct ledger *l)
{
    struct ledger_call call = { .id = S("0123456789abcdefghjkmnpqrs"), .team = S("seo") };
    struct ledger_settlement s = { .rows = { 1 }, .units = 50, .via = "upstream" };
    int done = 0;
    ledger_hold(l, &call, (struct rows){ 1 }, (struct units){ 50 }, count_done, &done);
    ledger_settle(l, &call, &s, count_done, &done);
    struct buffer out = { 0 };
    if (done != 2)
        say(r, state, "the books cannot be written any more");
    command(r, state, l, "verify", &out);
    buffer_clear(&out);
}

static void judge(struct run *r, const char *state, const char *directory)
{
    struct ledger_team teams[] = { { "seo", 1000000, 100000000 }, { "sales", 1000000, LEDGER_NO_LIMIT } };
    struct ledger_options options = {
        .state_directory = directory, .units_per_month = LEDGER_NO_LIMIT, .billing_day = 1, .teams = teams, .n_teams = 2
    };
    struct ledger *l = NULL;
    struct buffer why = { 0 }, out = { 0 };
    if (ledger_open(NULL, &options, &l, &why) != LEDGER_OPENED) {
        say(r, state, "the books do not open: %.*s", SLICE_ARGS(buffer_slice(&why)));
        r->lost++;
    } else {
        if (command(r, state, l, "verify", &out))
            out.n = 0;
        if (command(r, state, l, "export", &out))
            judge_acks(r, state, buffer_slice(&out));
        judge_sums(r, state, l);
        judge_going_on(r, state, l);
        ledger_close(l);
    }
    buffer_clear(&why);
    buffer_clear(&out);
}

/* ---- the moments ---- */

/* Acknowledgements are lines that were written to the file of that name, of which the disk knows nothing. */
static void take_ack(struct run *r, struct slice line)
{
    if (r->n_acks == r->room) {
        r->room = r->room ? r->room * 2 : 1024;
        r->acks = realloc(r->acks, r->room * sizeof *r->acks);
        if (!r->acks)
            die("memory");
    }
    struct slice id;
    struct slice kind = slice_split(line, ' ', &id);
    struct ack *a = &r->acks[r->n_acks++];
    snprintf(a->kind, sizeof a->kind, "%.*s", SLICE_ARGS(kind));
    snprintf(a->id, sizeof a->id, "%.*s", LEDGER_ID_SIZE - 1, id.p);
}

static void cut(struct run *r, const struct disk *d, long moment, uint64_t *dice)
{
    static const char *const words[N_LOSSES] = { "all lost", "all kept", "writes lost", "sectors lost", "torn" };
    char directory[300], state[120];
    snprintf(directory, sizeof directory, "%s/state", r->directory);
    enum loss loss = (enum loss)disk_roll(dice, N_LOSSES);
    snprintf(state, sizeof state, "seed %llu, record %ld, %s", (unsigned long long)r->options.seed, moment,
             words[loss]);
    if (mkdir(directory, 0700) != 0)
        die(directory);
    disk_cut(d, loss, dice, directory);
    judge(r, state, directory);
    remove_all(directory);
    r->states++;
}

static long count_records(const struct run *r)
{
    long n = 0;
    for (size_t at = 0; at < r->tape.n; n++) {
        struct tape_record record;
        memcpy(&record, r->tape.p + at, sizeof record);
        at += sizeof record + record.n;
    }
    return n;
}

static void cut_at_moments(struct run *r)
{
    struct disk *d = disk_new();
    struct tape_record *records = malloc(((size_t)count_records(r) + 1) * sizeof *records);
    long n = count_records(r), moment = 0;
    uint64_t dice = r->options.seed;
    int acks = -1;
    if (!d || !records)
        die("memory");
    for (size_t at = 0; at < r->tape.n; moment++) {
        struct tape_record *record = &records[moment];
        memcpy(record, r->tape.p + at, sizeof *record);
        const char *data = r->tape.p + at + sizeof *record;
        at += sizeof *record + record->n;
        if (record->kind == TAPE_OPEN && slice_eq(slice_of(data, record->n), S("acks")))
            acks = record->fd;
        else if (record->kind == TAPE_WRITE && record->fd == acks)
            take_ack(r, slice_trim(slice_of(data, record->n)));
        else
            disk_play(d, record, data);
        /* So many states in all, spread evenly; more where something was acknowledged a moment ago. */
        for (uint64_t share = (uint64_t)r->options.states * 1000000 / (uint64_t)n; share;) {
            if (disk_roll(&dice, 1000000) < share)
                cut(r, d, moment, &dice);
            share = share > 1000000 ? share - 1000000 : 0;
        }
    }
    disk_free(d);
    free(records);
}

static struct options read_options(int argc, char **argv)
{
    struct options o = { .calls = 400, .states = 200, .seed = 1 };
    if (argc < 3)
        exit(2);
    o.load = argv[1];
    o.tape = argv[2];
    for (int i = 3; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--normal") == 0)
            o.normal = true;
        else if (strcmp(argv[i], "--keep") == 0)
            o.keep = true;
        else if (strcmp(argv[i], "--calls") == 0)
            o.calls = atol(value);
        else if (strcmp(argv[i], "--states") == 0)
            o.states = atol(value);
        else if (strcmp(argv[i], "--seed") == 0)
            o.seed = strtoull(value, NULL, 10);
    }
    return o;
}

static bool run_once(const struct options *options)
{
    struct run r = { .options = *options };
    const char *temporary = getenv("TMPDIR");
    /* Thousands of books are opened: in memory where that can be. */
    if (access("/dev/shm", W_OK) == 0)
        temporary = "/dev/shm";
    snprintf(r.directory, sizeof r.directory, "%s/powercut-XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(r.directory))
        die(r.directory);
    play_load(&r);
    cut_at_moments(&r);
    remove_all(r.directory);
    bool good = r.options.normal ? r.lost > 0 : r.wrong == 0 && r.states > 0;
    printf("synchronous = %s, seed %llu: %ld states, %zu acknowledgements, %ld states with a loss, %ld complaints\n",
           r.options.normal ? "NORMAL" : "FULL", (unsigned long long)r.options.seed, r.states, r.n_acks, r.lost,
           r.wrong);
    if (!good)
        fprintf(stderr, "powercut: %s\n", r.options.normal ? "nothing was lost where it must be" : "wrong");
    buffer_clear(&r.tape);
    free(r.acks);
    return good;
}

int main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);
    const char *rounds = getenv("CRASH_ROUNDS");
    bool good = true;
    for (long i = rounds ? 1 + atol(rounds) / 10 : 1; i > 0 && good; i--) {
        good = run_once(&options);
        options.seed++;
    }
    return good ? 0 : 1;
}
