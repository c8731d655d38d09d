/* SPDX-License-Identifier: MIT
 * Reading a configuration: lines (line.c) are matched with the option table (options.c), their values stored by type
 * (value.c), and the whole checked (check.c). All errors are collected; one of them is enough to fail. */
#include "config/config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/text.h"
#include "config/check.h"
#include "config/line.h"
#include "config/networks.h"
#include "config/value.h"

enum {
    MEMORY_MAX_BYTES = 64 * CONFIG_MAX_BYTES,
    TEAM_NAME_MAX_BYTES = 64,
    WHY_MAX_BYTES = 4096,
    FILE_MAX_BYTES = 2048 /* its directory comes before the paths in it, whose defaults must always fit */
};

/* A file being read. */
struct reading {
    struct config *c;
    struct config_place place;
    struct config_errors errors;
    struct config_read_lines lines;
    int *team_lines; /* like lines.options, for the team being read */
    size_t teams_room;
    /* Where we are. */
    enum config_section section;
    bool skip; /* no section yet, or one that was refused: what stands in it cannot be judged */
    bool begun;
    int line;
};

static void set_defaults(struct reading *r, bool team, void *holder)
{
    struct buffer why = buffer_with_cap(WHY_MAX_BYTES);
    for (size_t i = 0; i < config_options_count; i++) {
        const struct config_option *o = &config_options[i];
        if ((o->section == CONFIG_SECTION_team) == team) {
            bool fits = config_value_read(o, o->fallback, &r->place, holder, &why);
            assert(fits);
        }
    }
    buffer_clear(&why);
}

static bool team_name_valid(struct slice name)
{
    if (slice_eq(name, S("*")))
        return true;
    if (!name.n || name.n > TEAM_NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!is_digit(c) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !strchr("._-", c))
            return false;
    }
    return true;
}

/* A place for one more team; NULL when memory is out. */
static struct config_team *add_team(struct reading *r)
{
    struct config *c = r->c;
    if (c->n_teams == r->teams_room) {
        size_t room = r->teams_room ? r->teams_room * 2 : 16;
        struct config_team *teams = arena_array(r->place.memory, struct config_team, room);
        if (!teams)
            return NULL;
        if (c->n_teams)
            memcpy(teams, c->teams, c->n_teams * sizeof *teams);
        c->teams = teams;
        r->teams_room = room;
    }
    return &c->teams[c->n_teams++];
}

/* Say `what` about the quoted text, and what would be right. */
static void refuse_name(struct reading *r, const char *what, struct slice text, const struct buffer *right)
{
    struct buffer quoted = buffer_with_cap(WHY_MAX_BYTES);
    if (text.n) {
        buffer_put(&quoted, ' ');
        config_quote(&quoted, text);
    }
    config_error(&r->errors, r->line, "%s%.*s; %.*s", what, SLICE_ARGS(buffer_slice(&quoted)),
                 SLICE_ARGS(buffer_slice(right)));
    buffer_clear(&quoted);
}

static void enter_team(struct reading *r, struct slice name)
{
    if (!team_name_valid(name)) {
        struct buffer right = buffer_with_cap(WHY_MAX_BYTES);
        buffer_str(&right, "[team NAME] with 1 to 64 letters, digits, '.', '_' and '-'");
        refuse_name(r, name.n ? "a team cannot be called" : "a team without a name", name, &right);
        buffer_clear(&right);
        return;
    }
    struct config_team *team = add_team(r);
    if (!team)
        return;
    set_defaults(r, true, team);
    team->name = arena_dup(r->place.memory, name).p;
    team->line = r->line;
    memset(r->team_lines, 0, config_options_count * sizeof *r->team_lines);
    r->skip = false;
}

static void enter_section(struct reading *r, struct slice text)
{
    size_t n = 0;
    while (n < text.n && text.p[n] != ' ' && text.p[n] != '\t')
        n++;
    struct slice name = slice_of(text.p, n), rest = slice_trim(slice_from(text, n));
    r->begun = true;
    r->skip = true;
    if (!config_section_find(name, &r->section)) {
        struct buffer right = buffer_with_cap(WHY_MAX_BYTES);
        config_section_suggest(&right, name);
        refuse_name(r, "unknown section", text, &right);
        buffer_clear(&right);
        return;
    }
    if (r->section == CONFIG_SECTION_team) {
        enter_team(r, rest);
        return;
    }
    r->skip = false;
    int *first = &r->lines.sections[r->section];
    if (rest.n)
        config_error(&r->errors, r->line, "only teams have names; [%.*s]", SLICE_ARGS(name));
    else if (*first)
        config_error(&r->errors, r->line, "[%.*s] again, first in line %d; all its options in one section",
                     SLICE_ARGS(name), *first);
    if (!*first)
        *first = r->line;
}

static void read_value(struct reading *r, const struct config_option *option, struct slice text, int *seen)
{
    bool team = r->section == CONFIG_SECTION_team;
    void *holder = team ? (void *)&r->c->teams[r->c->n_teams - 1] : (void *)r->c;
    struct buffer why = buffer_with_cap(WHY_MAX_BYTES);
    *seen = r->line;
    if (!config_value_read(option, text, &r->place, holder, &why)) {
        config_error(&r->errors, r->line, "%.*s: %.*s", SLICE_ARGS(option->name), SLICE_ARGS(buffer_slice(&why)));
        *seen = -r->line;
    }
    buffer_clear(&why);
}

static void read_setting(struct reading *r, const struct config_line *line)
{
    if (r->skip) {
        if (!r->begun)
            config_error(&r->errors, r->line, "a setting before any section; [proxy] or another in front of it");
        return;
    }
    const struct config_option *option = config_option_find(r->section, line->name);
    if (!option) {
        struct buffer right = buffer_with_cap(WHY_MAX_BYTES);
        config_option_suggest(&right, r->section, line->name);
        refuse_name(r, "unknown name", line->name, &right);
        buffer_clear(&right);
        return;
    }
    int *seen = (option->section == CONFIG_SECTION_team ? r->team_lines : r->lines.options) + (option - config_options);
    if (*seen)
        config_error(&r->errors, r->line, "%.*s again, first in line %d; once a section", SLICE_ARGS(option->name),
                     abs(*seen));
    else
        read_value(r, option, line->value, seen);
}

static void read_lines(struct reading *r, struct slice text)
{
    struct config_lines lines = { .rest = text };
    struct config_line line;
    while (config_line_next(&lines, &line) && !arena_failed(r->place.memory)) {
        r->line = line.number;
        switch (line.kind) {
        case CONFIG_LINE_SECTION:
            enter_section(r, line.name);
            break;
        case CONFIG_LINE_SETTING:
            read_setting(r, &line);
            break;
        case CONFIG_LINE_FAULT:
            config_error(&r->errors, r->line, "%s", line.why);
            break;
        }
    }
}

static int by_name(const void *left, const void *right)
{
    const struct config_team *a = *(const struct config_team *const *)left;
    const struct config_team *b = *(const struct config_team *const *)right;
    int c = strcmp(a->name, b->name);
    return c ? c : (a->line > b->line) - (a->line < b->line);
}

static void sort_teams(struct config *c)
{
    c->teams_by_name = arena_array(c->memory, const struct config_team *, c->n_teams + 1);
    if (!c->teams_by_name)
        return;
    for (size_t i = 0; i < c->n_teams; i++)
        c->teams_by_name[i] = &c->teams[i];
    qsort(c->teams_by_name, c->n_teams, sizeof(c->teams_by_name[0]), by_name);
}

/* NULL when memory is out. */
static struct config *new_config(struct reading *r, const char *file)
{
    struct arena *memory = arena_new(MEMORY_MAX_BYTES);
    struct config *c = memory ? arena_zalloc(memory, sizeof *c) : NULL;
    if (!c) {
        arena_free(memory);
        return NULL;
    }
    c->memory = memory;
    c->file = arena_dup(memory, slice_str(file)).p;
    r->lines.options = arena_array(memory, int, config_options_count);
    r->team_lines = arena_array(memory, int, config_options_count);
    c->option_lines = r->lines.options;
    const char *slash = strrchr(file, '/');
    r->place = (struct config_place){
        .memory = memory,
        .directory = slice_of(file, slash ? (size_t)(slash + 1 - file) : 0),
        .credentials = getenv("CREDENTIALS_DIRECTORY"),
    };
    r->c = c;
    return c;
}

/* *refused: it is the text that is wrong, not the machine that has too little memory. */
static struct config *parse(const char *file, struct slice text, bool *refused, struct buffer *errors)
{
    struct reading r = { .errors = { .file = file, .out = errors }, .skip = true };
    struct config *c = new_config(&r, file);
    if (text.n > CONFIG_MAX_BYTES)
        config_error(&r.errors, 0, "the file is too big; at most 1 MiB");
    else if (c && !arena_failed(c->memory)) {
        set_defaults(&r, false, c);
        read_lines(&r, text);
        sort_teams(c);
        c->networks = config_networks_make(c->teams, c->n_teams, c->memory, &c->n_networks);
    }
    *refused = c && !arena_failed(c->memory);
    if (!*refused)
        config_error(&r.errors, 0, "no memory for it; fewer teams or a bigger machine");
    else if (text.n <= CONFIG_MAX_BYTES)
        config_check(c, &r.lines, &r.errors);
    config_errors_end(&r.errors);
    if (!r.errors.count)
        return c;
    config_free(c);
    return NULL;
}

struct config *config_parse(const char *file, struct slice text, struct buffer *errors)
{
    bool refused;
    return parse(file, text, &refused, errors);
}

/* All of the file, but not more than one byte past the most that is taken. */
static bool read_file(const char *file, struct buffer *text)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return false;
    ssize_t n = 0;
    do {
        char *to = buffer_reserve(text, 65536);
        n = to ? read(fd, to, 65536) : -1;
        if (n > 0)
            text->n += (size_t)n;
    } while ((n > 0 && text->n <= CONFIG_MAX_BYTES) || (n < 0 && errno == EINTR));
    int why = errno;
    close(fd);
    errno = why;
    return n >= 0;
}

/* Whether a file that could not be read will be the same the next time. */
static bool is_there_to_stay(int error)
{
    return error == ENOENT || error == EACCES || error == EPERM || error == EISDIR || error == ENOTDIR ||
           error == ELOOP || error == ENAMETOOLONG;
}

struct config *config_read_for_start(const char *file, bool *refused, struct buffer *errors)
{
    struct buffer text = buffer_with_cap(2 * CONFIG_MAX_BYTES);
    struct config *c = NULL;
    *refused = true;
    if (strlen(file) > FILE_MAX_BYTES) {
        buffer_printf(errors, "%.40s...: the file's path is too long; at most %d bytes\n", file, FILE_MAX_BYTES);
    } else if (read_file(file, &text)) {
        c = parse(file, buffer_slice(&text), refused, errors);
    } else {
        struct config_errors e = { .file = file, .out = errors };
        *refused = is_there_to_stay(errno);
        config_error(&e, 0, "cannot be read: %s; a configuration that this user may read", strerror(errno));
        config_errors_end(&e);
    }
    buffer_clear(&text);
    return c;
}

struct config *config_read(const char *file, struct buffer *errors)
{
    bool refused;
    return config_read_for_start(file, &refused, errors);
}

void config_free(struct config *c)
{
    if (c)
        arena_free(c->memory);
}
