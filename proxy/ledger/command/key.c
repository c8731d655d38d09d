/* SPDX-License-Identifier: MIT
 * Commands on keys. A token is read, digested and forgotten; what is made here is shown once and never kept. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/shown.h"
#include "proxy/ledger/command/command.h"
#include "proxy/ledger/command/csv.h"
#include "proxy/ledger/command/token.h"
#include "proxy/ledger/entries/ids.h"
#include "proxy/ledger/entries/names.h"

enum { MAX_COMPLAINTS = 20 };

/* Keys to be written together, each with its note. */
struct changes {
    struct key_row *keys;
    struct entry **notes;
    size_t n, room;
};

static void changes_free(struct changes *ch)
{
    for (size_t i = 0; i < ch->n; i++) {
        free((void *)(uintptr_t)ch->keys[i].id.p);
        free((void *)(uintptr_t)ch->keys[i].team.p);
        free((void *)(uintptr_t)ch->keys[i].name.p);
        free(ch->notes[i]);
    }
    free(ch->keys);
    free(ch->notes);
}

static struct slice own(struct slice s)
{
    char *p = malloc(s.n + 1);
    if (p) {
        if (s.n)
            memcpy(p, s.p, s.n);
        p[s.n] = '\0';
    }
    return slice_of(p, p ? s.n : 0);
}

static bool changes_room(struct changes *ch)
{
    if (ch->n < ch->room)
        return true;
    size_t room = ch->room ? ch->room * 2 : 16;
    struct key_row *keys = realloc(ch->keys, room * sizeof *keys);
    if (!keys)
        return false;
    ch->keys = keys;
    struct entry **notes = realloc(ch->notes, room * sizeof(struct entry *));
    if (!notes)
        return false;
    ch->notes = notes;
    ch->room = room;
    return true;
}

/* The note says what was done to which key of which team; `was` is what it replaces, or empty. */
static bool change(struct changes *ch, const struct key_row *key, struct slice what, struct slice was)
{
    if (!changes_room(ch))
        return false;
    char id[LEDGER_ID_SIZE];
    call_id_make(id);
    struct entry note = {
        .time_ms = clock_wall_ms(),
        .kind = ENTRY_NOTE,
        .id = slice_str(id),
        .team = key->team,
        .key = key->id,
        .table = what,
        .target = was,
        .rows = ENTRY_NULL,
        .units = ENTRY_NULL,
    };
    struct key_row *row = &ch->keys[ch->n];
    *row = *key;
    row->id = own(key->id);
    row->team = own(key->team);
    row->name = own(key->name);
    ch->notes[ch->n] = entry_copy(&note);
    ch->n++;
    return row->id.p && row->team.p && row->name.p && ch->notes[ch->n - 1];
}

static int write_changes(struct command *c, const struct changes *ch)
{
    struct store_batch batch = { .entries = ch->notes, .n_entries = ch->n, .keys = ch->keys, .n_keys = ch->n };
    struct buffer why = { 0 };
    if (ch->n && !store_write(c->store, &batch, &why))
        return command_failed(c, &why);
    c->keys_changed = c->keys_changed || ch->n;
    return COMMAND_DONE;
}

/* ---- what is allowed ---- */

static void put_key(struct buffer *b, struct slice id, struct slice name, struct slice team)
{
    buffer_printf(b, "key %.*s", SLICE_ARGS(id));
    if (name.n)
        buffer_printf(b, " (%.*s)", SLICE_ARGS(name));
    buffer_printf(b, " of team %.*s", SLICE_ARGS(team));
}

static void known_teams(struct command *c, struct buffer *b)
{
    enum { NAMED = 20 };
    size_t n = c->limits->n_teams;
    for (size_t i = 0; i < n && i < NAMED; i++)
        buffer_printf(b, "%s%s", i ? ", " : "", c->limits->teams[i].name);
    if (n > NAMED)
        buffer_printf(b, " and %zu more", n - NAMED);
    if (!n)
        buffer_str(b, "none");
}

void command_like_team(struct command *c, struct slice team, struct buffer *b)
{
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < c->limits->n_teams; i++)
        if (words_is_near(team, slice_str(c->limits->teams[i].name), &best))
            nearest = c->limits->teams[i].name;
    if (nearest)
        buffer_printf(b, "did you mean %s? ", nearest);
    buffer_str(b, "configured: ");
    known_teams(c, b);
}

void command_like_key(const struct keys *keys, struct slice word, struct buffer *b)
{
    const struct ledger_key *nearest = NULL;
    size_t best = SIZE_MAX;
    for (uint32_t i = 0; i < keys->n && word.n && word.n <= COMMAND_NAME_BYTES; i++) {
        const struct ledger_key *key = &keys->rows[i].key;
        if (slice_eq_nocase(key->name, word)) {
            nearest = key;
            break;
        }
        if (word.n <= 2 * KEY_ID_TEXT && words_is_near(word, key->id, &best))
            nearest = key;
    }
    if (!nearest)
        return;
    buffer_str(b, "; did you mean ");
    put_key(b, nearest->id, nearest->name, nearest->team);
    buffer_put(b, '?');
}

/* What is wrong with a team, as text in `wrong`. Team * needs no section: its calls are other teams'. */
static bool team_is_good(struct command *c, struct slice team, struct buffer *wrong)
{
    if (slice_eq(team, S("*")) || limits_team(c->limits, team))
        return true;
    buffer_printf(wrong, "no team \"%.*s\" is configured; ", SLICE_ARGS(team));
    command_like_team(c, team, wrong);
    return false;
}

static bool name_is_good(struct slice name, struct buffer *wrong)
{
    bool good = name.n <= COMMAND_NAME_BYTES && shown_is_plain(name);
    if (!good)
        buffer_printf(wrong, "a name is up to %d bytes of text, without control characters and marks of direction",
                      COMMAND_NAME_BYTES);
    return good;
}

/* A key that has the token already: fine when it is the same key, wrong when it is another's. */
static bool same_key(const struct ledger_key *there, struct slice team, struct slice name, struct buffer *wrong)
{
    if (!slice_eq(there->team, team)) {
        buffer_printf(wrong, "this token is key %.*s of team \"%.*s\" already; \"key assign\" moves it",
                      SLICE_ARGS(there->id), SLICE_ARGS(there->team));
        return false;
    }
    if (!slice_eq(there->name, name)) {
        /* Not which: in an import a token may have stood in the place of a name. */
        buffer_printf(wrong, "this token is key %.*s already, by another name", SLICE_ARGS(there->id));
        return false;
    }
    return true;
}

static void fresh_id(const struct keys *keys, char id[KEY_ID_TEXT + 1])
{
    do {
        key_id_make(id);
    } while (keys_of_id(keys, slice_str(id)));
}

/* ---- saying what was done ---- */

/* A made token cannot be had again: where standard output is the id alone, it stands in the messages. */
static void put_token(struct command *c, bool quiet, const char *made)
{
    buffer_printf(quiet ? c->err : c->out, "token: %s (shown this once: keep it)\n", made);
}

/* ---- key add ---- */

/* Names tell people which program has a key. */
static void warn_of_name(struct command *c, const struct keys *keys, struct slice name)
{
    for (uint32_t i = 0; i < keys->n && name.n; i++) {
        const struct ledger_key *key = &keys->rows[i].key;
        if (slice_eq(key->name, name)) {
            struct buffer what = { 0 };
            put_key(&what, key->id, S(""), key->team);
            buffer_str(&what, " has this name already; both are shown alike");
            buffer_put(&what, '\0');
            command_warn(c, what.failed ? "out of memory" : what.p);
            buffer_clear(&what);
            return;
        }
    }
}

static int add_key(struct command *c, const struct keys *keys, struct slice token, const char *made)
{
    struct slice team = slice_str(c->option[KEY_ADD_TEAM]), name = slice_str(c->option[KEY_ADD_NAME]);
    struct digester *digester = digester_new();
    if (!digester)
        return command_wrong(c, "out of memory");
    struct digest digest = digest_of(digester, token);
    digester_free(digester);
    const struct stored_key *there = keys_of_digest(keys, &digest);
    if (there) {
        struct buffer wrong = { 0 };
        /* Without --name the name is not asked about. */
        bool same = same_key(&there->key, team, c->option[KEY_ADD_NAME] ? name : there->key.name, &wrong);
        int status = same ? COMMAND_DONE : command_wrong(c, "%.*s", SLICE_ARGS(buffer_slice(&wrong)));
        if (same)
            buffer_printf(c->out, "%.*s\n", SLICE_ARGS(there->key.id));
        if (same && token.n < TOKEN_SHORT)
            command_warn(c, TOKEN_SHORT_WARNING);
        if (same && !c->option[KEY_ADD_QUIET]) {
            buffer_str(c->err, "there already: ");
            put_key(c->err, there->key.id, there->key.name, team);
            buffer_put(c->err, '\n');
        }
        buffer_clear(&wrong);
        return status;
    }
    struct changes ch = { 0 };
    char id[KEY_ID_TEXT + 1];
    fresh_id(keys, id);
    struct key_row row = {
        .id = slice_str(id), .digest = digest, .team = team, .name = name, .created_ms = clock_wall_ms()
    };
    int status = change(&ch, &row, S("key.add"), S("")) ? write_changes(c, &ch) : command_wrong(c, "out of memory");
    changes_free(&ch);
    if (status == COMMAND_DONE) {
        bool quiet = c->option[KEY_ADD_QUIET];
        if (token.n < TOKEN_SHORT)
            command_warn(c, TOKEN_SHORT_WARNING);
        warn_of_name(c, keys, name);
        buffer_printf(c->out, "%s\n", id);
        if (!quiet) {
            buffer_str(c->err, "added: ");
            put_key(c->err, slice_str(id), name, team);
            buffer_put(c->err, '\n');
        }
        if (made)
            put_token(c, quiet, made);
    }
    return status;
}

static struct keys *read_keys(struct command *c)
{
    struct buffer why = { 0 };
    struct keys *keys = keys_read(c->store, &why);
    if (!keys)
        command_failed(c, &why);
    return keys;
}

int key_add_check(struct command *c)
{
    if (c->option[KEY_ADD_TOKEN] && c->option[KEY_ADD_TOKEN_FILE])
        return command_misused(c, "give --token or --token-file, not both");
    return 0;
}

int key_add(struct command *c)
{
    const char *given = c->option[KEY_ADD_TOKEN];
    char made[TOKEN_TEXT + 1] = "";
    bool make = !given && !c->option[KEY_ADD_TOKEN_FILE];
    if (make)
        token_make(made);
    struct slice token = make ? slice_str(made) : slice_trim(c->input);
    if (given && strcmp(given, "-") != 0)
        token = slice_str(given);
    struct buffer wrong = { 0 };
    int status = COMMAND_WRONG;
    store_lock(c->store);
    if (!team_is_good(c, slice_str(c->option[KEY_ADD_TEAM]), &wrong) || !token_check(token, &wrong) ||
        !name_is_good(slice_str(c->option[KEY_ADD_NAME]), &wrong)) {
        command_wrong(c, "%.*s", SLICE_ARGS(buffer_slice(&wrong)));
    } else {
        struct keys *keys = read_keys(c);
        if (keys)
            status = add_key(c, keys, token, make ? made : NULL);
        keys_free(keys);
    }
    store_unlock(c->store);
    buffer_clear(&wrong);
    explicit_bzero(made, sizeof made);
    return status;
}

/* ---- key import ---- */

struct import {
    struct command *c;
    struct keys *keys;
    struct digester *digester;
    struct changes changes;
    struct names ids; /* of the new keys */
    uint32_t *slots;  /* of changes, by digest: index + 1, or 0 */
    size_t n_slots;
    int team, name, token; /* columns */
    struct names used;     /* names of keys, there and new */
    int already, wrong, n_short, n_twice;
    struct buffer warnings;
};

/* "anchorage key import: FILE:LINE: " */
static void put_place(const struct import *im, struct buffer *b, int line)
{
    const char *file = im->c->argument[0];
    buffer_printf(b, "anchorage key import: %s:%d: ", strcmp(file, "-") == 0 ? "standard input" : file, line);
}

/* Nothing that may be a token is ever said, and it may stand anywhere: columns are swapped, quotes broken. */
static void complain(struct import *im, int line, int column, const char *what)
{
    if (im->wrong++ >= MAX_COMPLAINTS)
        return;
    put_place(im, im->c->err, line);
    buffer_str(im->c->err, what);
    if (column)
        buffer_printf(im->c->err, " (column %d%s)", column,
                      column == im->team + 1    ? ", team"
                      : column == im->name + 1  ? ", name"
                      : column == im->token + 1 ? ", token"
                                                : "");
    buffer_put(im->c->err, '\n');
}

/* The key of this import that has the digest, or the slot it would go to. */
static uint32_t *slot_of(struct import *im, const struct digest *digest)
{
    uint32_t hash;
    memcpy(&hash, digest->b, sizeof hash);
    size_t i = hash & (im->n_slots - 1);
    while (im->slots[i] && !digest_eq(&im->changes.keys[im->slots[i] - 1].digest, digest))
        i = (i + 1) & (im->n_slots - 1);
    return &im->slots[i];
}

static bool import_new(struct import *im, struct slice team, struct slice name, const struct digest *digest,
                       struct buffer *wrong)
{
    uint32_t *slot = slot_of(im, digest);
    if (*slot) {
        const struct key_row *twin = &im->changes.keys[*slot - 1];
        struct ledger_key key = { .id = S("(of a line above)"), .team = twin->team, .name = twin->name };
        im->already++;
        return same_key(&key, team, name, wrong);
    }
    char id[KEY_ID_TEXT + 1];
    do {
        fresh_id(im->keys, id);
    } while (names_find(&im->ids, slice_str(id)) >= 0);
    struct key_row row = {
        .id = slice_str(id), .digest = *digest, .team = team, .name = name, .created_ms = clock_wall_ms()
    };
    if (names_add(&im->ids, slice_str(id)) < 0 || !change(&im->changes, &row, S("key.add"), S(""))) {
        buffer_str(wrong, "out of memory");
        return false;
    }
    *slot = (uint32_t)im->changes.n;
    return true;
}

/* A few letters at the place of a team, and no team at the place of a token. */
static bool is_no_token(struct import *im, struct slice team, struct slice token)
{
    bool letters = team.n > 0 && team.n < TOKEN_SHORT;
    for (size_t i = 0; i < team.n && letters; i++)
        letters = (team.p[i] >= 'a' && team.p[i] <= 'z') || (team.p[i] >= 'A' && team.p[i] <= 'Z');
    return letters && !limits_team(im->c->limits, token);
}

static bool import_team_is_good(struct import *im, struct slice team, struct slice token, struct buffer *wrong)
{
    if (is_no_token(im, team, token) || slice_eq(team, S("*")) || limits_team(im->c->limits, team))
        return team_is_good(im->c, team, wrong);
    buffer_str(wrong, "no such team is configured; configured: ");
    known_teams(im->c, wrong);
    return false;
}

static void import_warn(struct import *im, int line, const char *what)
{
    put_place(im, &im->warnings, line);
    buffer_printf(&im->warnings, "warning: %s\n", what);
}

/* *column becomes that of what is wrong, from 1; 0: the whole line. */
static bool import_record(struct import *im, const struct csv *csv, int *column, struct buffer *wrong)
{
    *column = csv->wrong ? csv->wrong_field : 0;
    if (csv->wrong) {
        buffer_str(wrong, csv->wrong);
        return false;
    }
    if (csv->n != 3) {
        buffer_printf(wrong, "a line has three fields with commas between them, team,name,token; this one has %d%s",
                      csv->n, csv->n > 3 ? "; what has a comma in it needs quotes" : "");
        return false;
    }
    struct slice team = slice_trim(csv->fields[im->team]), name = slice_trim(csv->fields[im->name]);
    struct slice token = slice_trim(csv->fields[im->token]);
    *column = im->team + 1;
    if (!import_team_is_good(im, team, token, wrong))
        return false;
    *column = im->name + 1;
    if (!name_is_good(name, wrong))
        return false;
    *column = im->token + 1;
    if (!token_check(token, wrong))
        return false;
    if (token.n < TOKEN_SHORT && im->n_short++ < MAX_COMPLAINTS)
        import_warn(im, csv->line, TOKEN_SHORT_WARNING);
    struct digest digest = digest_of(im->digester, token);
    const struct stored_key *there = keys_of_digest(im->keys, &digest);
    if (!there) {
        size_t n = im->changes.n;
        if (!import_new(im, team, name, &digest, wrong))
            return false;
        if (im->changes.n == n || !name.n)
            return true;
        /* Not which name: a token may have stood in its place. */
        if (names_find(&im->used, name) >= 0 && im->n_twice++ < MAX_COMPLAINTS)
            import_warn(im, csv->line, "another key has this name already; both are shown alike");
        (void)names_add(&im->used, name); /* without it a warning is missing */
        return true;
    }
    im->already++;
    return same_key(&there->key, team, name, wrong);
}

/* A first line that names the three columns, in any order, is a header. */
static bool take_header(struct import *im, const struct csv *csv)
{
    int column[3] = { -1, -1, -1 };
    static const struct slice names[3] = { SLICE("team"), SLICE("name"), SLICE("token") };
    for (int i = 0; i < 3 && csv->n == 3; i++) {
        for (int k = 0; k < 3; k++) {
            if (slice_eq_nocase(slice_trim(csv->fields[i]), names[k]))
                column[k] = i;
        }
    }
    if (column[0] < 0 || column[1] < 0 || column[2] < 0)
        return false;
    im->team = column[0];
    im->name = column[1];
    im->token = column[2];
    return true;
}

static void import_lines(struct import *im)
{
    struct csv csv;
    csv_start(&csv, im->c->input);
    for (bool first = true; csv_next(&csv); first = false) {
        if (first && take_header(im, &csv))
            continue;
        struct buffer wrong = { 0 };
        int column;
        if (!import_record(im, &csv, &column, &wrong)) {
            buffer_put(&wrong, '\0');
            complain(im, csv.line, column, wrong.failed ? "out of memory" : wrong.p);
        }
        buffer_clear(&wrong);
    }
    csv_end(&csv);
}

static int finish_import(struct import *im)
{
    struct command *c = im->c;
    if (im->wrong > MAX_COMPLAINTS)
        buffer_printf(c->err, "anchorage key import: and %d more\n", im->wrong - MAX_COMPLAINTS);
    if (im->wrong)
        return command_wrong(c, "nothing was imported");
    bool dry = c->option[KEY_IMPORT_DRY_RUN];
    int status = dry ? COMMAND_DONE : write_changes(c, &im->changes);
    buffer_append(c->err, buffer_slice(&im->warnings));
    if (im->n_short > MAX_COMPLAINTS)
        buffer_printf(c->err, "anchorage key import: warning: and %d more short tokens\n",
                      im->n_short - MAX_COMPLAINTS);
    if (im->n_twice > MAX_COMPLAINTS)
        buffer_printf(c->err, "anchorage key import: warning: and %d more names twice\n", im->n_twice - MAX_COMPLAINTS);
    if (status == COMMAND_DONE && c->option[KEY_IMPORT_QUIET]) {
        for (size_t i = 0; i < im->changes.n && !dry; i++)
            buffer_printf(c->out, "%.*s\n", SLICE_ARGS(im->changes.keys[i].id));
    } else if (status == COMMAND_DONE)
        buffer_printf(c->out, "%s %zu, already there %d\n", dry ? "would add" : "added", im->changes.n, im->already);
    return status;
}

int key_import(struct command *c)
{
    struct import im = { .c = c, .team = 0, .name = 1, .token = 2, .n_slots = 1024 };
    /* No more lines than bytes / 4, so that the table never fills up. */
    while (im.n_slots < c->input.n / 2)
        im.n_slots *= 2;
    int status = COMMAND_WRONG;
    store_lock(c->store);
    im.keys = read_keys(c);
    im.digester = digester_new();
    im.slots = calloc(im.n_slots, sizeof *im.slots);
    if (im.keys && im.digester && im.slots) {
        for (uint32_t i = 0; i < im.keys->n; i++)
            (void)names_add(&im.used, im.keys->rows[i].key.name); /* without it a warning is missing */
        import_lines(&im);
        status = finish_import(&im);
    } else if (im.keys) {
        command_wrong(c, "out of memory");
    }
    store_unlock(c->store);
    changes_free(&im.changes);
    names_clear(&im.ids);
    names_clear(&im.used);
    buffer_clear(&im.warnings);
    free(im.slots);
    digester_free(im.digester);
    keys_free(im.keys);
    return status;
}

/* ---- key list ---- */

struct last_use {
    const struct keys *keys;
    int64_t *hours; /* by the index of the key */
};

static void take_use(void *context, struct slice key_id, int64_t hour)
{
    struct last_use *uses = context;
    const struct stored_key *key = keys_of_id(uses->keys, key_id);
    if (key)
        uses->hours[key - uses->keys->rows] = hour;
}

static void put_row(struct buffer *b, enum command_format format, const struct stored_key *row, int64_t hour)
{
    const struct ledger_key *key = &row->key;
    char created[21], used[21] = "";
    timestamp_format(row->created_ms / 1000, created);
    if (hour != INT64_MIN)
        timestamp_format(hour * 3600, used);
    const struct slice texts[] = {
        key->id, key->team, key->name, key->disabled ? S("disabled") : S("enabled"), slice_str(created), slice_str(used)
    };
    static const char *const names[] = { "{\"key\":",   ",\"team\":",    ",\"name\":",
                                         ",\"state\":", ",\"created\":", ",\"last_used\":" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        buffer_str(b, format == FORMAT_JSON ? names[i] : i ? "," : "");
        command_put_text(b, format, texts[i]);
    }
    buffer_str(b, format == FORMAT_JSON ? "}" : "\n");
}

static void write_keys(struct buffer *b, enum command_format format, const struct keys *keys, const int64_t *hours)
{
    bool is_json = format == FORMAT_JSON;
    buffer_str(b, is_json ? "{\"items\":[" : "key,team,name,state,created,last_used\n");
    for (uint32_t i = 0; i < keys->n; i++) {
        buffer_str(b, is_json && i ? "," : "");
        put_row(b, format, &keys->rows[i], hours[i]);
    }
    buffer_str(b, is_json ? "]}\n" : "");
}

/* ---- the list for people ---- */

enum { GAP = 2, WIDEST_TEAM = 16, MOMENT = 20, LEAST_NAME = 8, DAY = 10, USED = 17 };

struct key_layout {
    size_t team, name;
    int created, used;
};

/* The time of day goes when there is no room for it, then the days. */
static struct key_layout lay_out(const struct keys *keys, size_t columns)
{
    struct key_layout l = { 4, 4, MOMENT, USED };
    size_t rest = KEY_ID_TEXT + 8 + 5 * GAP;
    for (uint32_t i = 0; i < keys->n; i++) {
        size_t team = shown_width(keys->rows[i].key.team), name = shown_width(keys->rows[i].key.name);
        l.team = team > l.team ? team : l.team;
        l.name = name > l.name ? name : l.name;
    }
    if (rest + l.team + l.name + MOMENT + USED <= columns)
        return l;
    l.created = l.used = DAY;
    l.team = l.team < WIDEST_TEAM ? l.team : WIDEST_TEAM;
    if (rest + l.team + LEAST_NAME + 2 * DAY > columns) {
        l.created = 0;
        rest -= GAP;
    }
    if (rest + l.team + LEAST_NAME + DAY > columns) {
        l.used = 0;
        rest -= GAP;
    }
    rest += l.team + (size_t)l.created + (size_t)l.used;
    size_t room = rest + 4 < columns ? columns - rest : 4;
    l.name = l.name < room ? l.name : room;
    return l;
}

static void put_columns(struct buffer *b, const struct key_layout *l, struct slice id, struct slice team,
                        struct slice name)
{
    shown_padded(b, id, KEY_ID_TEXT + GAP);
    shown_padded(b, team, l->team + GAP);
    shown_padded(b, name, l->name + GAP);
}

/* What did not fit into its column, on a line of its own. */
static void put_below(const struct command *c, const char *what, struct slice text, size_t width)
{
    struct buffer *b = c->out;
    if (shown_width(text) <= width)
        return;
    buffer_printf(b, "  %s: ", what);
    shown_cut(b, text, c->columns - 2 - strlen(what) - 2);
    buffer_put(b, '\n');
}

static struct slice or_dots(struct slice text, size_t width)
{
    return shown_width(text) > width ? S("\xE2\x80\xA6") : text.n ? text : S("-");
}

/* A time of `width` columns, or nothing where it has none. */
static void put_time(struct buffer *b, const char *time, int width)
{
    if (width)
        buffer_printf(b, "  %-*.*s", width, width, time);
}

static void end_line(struct buffer *b)
{
    while (b->n && b->p[b->n - 1] == ' ')
        b->n--;
    buffer_put(b, '\n');
}

static void print_keys(const struct command *c, const struct keys *keys, const int64_t *hours)
{
    struct buffer *b = c->out;
    struct key_layout l = lay_out(keys, c->columns);
    command_begin_head(c);
    put_columns(b, &l, S("id"), S("team"), S("name"));
    buffer_printf(b, "%-8s", "state");
    put_time(b, "created", l.created);
    put_time(b, "last_used", l.used);
    end_line(b);
    command_end_head(c);
    for (uint32_t i = 0; i < keys->n; i++) {
        const struct stored_key *row = &keys->rows[i];
        char created[21], used[24] = "never";
        timestamp_format(row->created_ms / 1000, created);
        if (hours[i] != INT64_MIN) {
            timestamp_format(hours[i] * 3600, used);
            memcpy(used + 16, "Z", 2); /* hours have no seconds */
        }
        put_columns(b, &l, row->key.id, or_dots(row->key.team, l.team), or_dots(row->key.name, l.name));
        buffer_printf(b, "%-8s", row->key.disabled ? "disabled" : "enabled");
        put_time(b, created, l.created);
        put_time(b, used, l.used);
        end_line(b);
        put_below(c, "team", row->key.team, l.team);
        put_below(c, "name", row->key.name, l.name);
    }
}

int key_list(struct command *c)
{
    enum command_format format = command_format(c->option[KEY_LIST_FORMAT]);
    if (c->option[KEY_LIST_UNKNOWN])
        return key_list_unknown(c);
    struct keys *keys = read_keys(c);
    if (!keys)
        return COMMAND_WRONG;
    struct buffer why = { 0 };
    int64_t *hours = malloc((keys->n + 1) * sizeof *hours);
    int status = COMMAND_WRONG;
    for (uint32_t i = 0; hours && i < keys->n; i++)
        hours[i] = INT64_MIN;
    if (!hours)
        command_wrong(c, "out of memory");
    else if (!store_key_uses(c->store, take_use, &(struct last_use){ keys, hours }, &why))
        command_failed(c, &why);
    else
        status = COMMAND_DONE;
    if (status == COMMAND_DONE && format == FORMAT_TEXT)
        print_keys(c, keys, hours);
    else if (status == COMMAND_DONE)
        write_keys(c->out, format, keys, hours);
    free(hours);
    keys_free(keys);
    return status;
}

/* ---- key disable, enable, assign, rotate ---- */

/* What a command makes of a key; false when there is nothing to change. */
typedef bool key_edit(struct command *c, struct key_row *row);

/* "disabled: key mmweefpx (mailer) of team sales"; or what it was already. `what` is the word of the note. */
static void tell_edit(struct command *c, const struct key_row *row, struct slice what, bool changed)
{
    static const struct {
        struct slice what;
        const char *done, *is;
    } words[] = { { SLICE("key.disable"), "disabled", "disabled already" },
                  { SLICE("key.enable"), "enabled", "enabled already" },
                  { SLICE("key.assign"), "assigned", "there already" },
                  { SLICE("key.rotate"), "rotated", "not rotated" } };
    bool shows_id = slice_eq(what, S("key.rotate"));
    if (c->option[KEY_EDIT_QUIET] || shows_id)
        buffer_printf(c->out, "%.*s\n", SLICE_ARGS(row->id));
    if (c->option[KEY_EDIT_QUIET])
        return;
    struct buffer line = { 0 };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (slice_eq(words[i].what, what))
            buffer_printf(&line, "%s: ", changed ? words[i].done : words[i].is);
    put_key(&line, row->id, row->name, row->team);
    buffer_put(&line, '\n');
    words_fold(&line, 0, c->columns);
    buffer_append(shows_id ? c->err : c->out, buffer_slice(&line));
    buffer_clear(&line);
}

static int edit_found(struct command *c, const struct stored_key *key, struct slice what, key_edit *edit)
{
    struct key_row row = { .id = key->key.id,
                           .digest = key->digest,
                           .team = key->key.team,
                           .name = key->key.name,
                           .disabled = key->key.disabled,
                           .created_ms = key->created_ms };
    if (!edit(c, &row)) {
        tell_edit(c, &row, what, false);
        return COMMAND_DONE;
    }
    struct changes ch = { 0 };
    struct slice was = slice_eq(row.team, key->key.team) ? S("") : key->key.team;
    int status = change(&ch, &row, what, was) ? write_changes(c, &ch) : command_wrong(c, "out of memory");
    changes_free(&ch);
    if (status == COMMAND_DONE)
        tell_edit(c, &row, what, true);
    return status;
}

/* What was typed may be a token, and is no id then; a slip of the hand is one of few letters. */
static void no_such_key(struct command *c, const struct keys *keys, struct slice id)
{
    struct buffer like = { 0 };
    command_like_key(keys, id, &like);
    if (id.n == KEY_ID_TEXT)
        command_wrong(c, "there is no key %.*s%.*s; \"key list\" shows them", SLICE_ARGS(id),
                      SLICE_ARGS(buffer_slice(&like)));
    else
        command_wrong(c, "that is no id of a key, which has %d characters%.*s; \"key list\" shows them", KEY_ID_TEXT,
                      SLICE_ARGS(buffer_slice(&like)));
    buffer_clear(&like);
}

static int edit_key(struct command *c, struct slice what, key_edit *edit)
{
    store_lock(c->store);
    struct keys *keys = read_keys(c);
    int status = COMMAND_WRONG;
    if (keys) {
        const struct stored_key *key = keys_of_id(keys, slice_str(c->argument[0]));
        if (key)
            status = edit_found(c, key, what, edit);
        else
            no_such_key(c, keys, slice_str(c->argument[0]));
    }
    store_unlock(c->store);
    keys_free(keys);
    return status;
}

static bool edit_disable(struct command *c, struct key_row *row)
{
    (void)c;
    bool before = row->disabled;
    row->disabled = true;
    return !before;
}

static bool edit_enable(struct command *c, struct key_row *row)
{
    (void)c;
    bool before = row->disabled;
    row->disabled = false;
    return before;
}

static bool edit_team(struct command *c, struct key_row *row)
{
    struct slice before = row->team;
    row->team = slice_str(c->argument[1]);
    return !slice_eq(before, row->team);
}

int key_disable(struct command *c)
{
    return edit_key(c, S("key.disable"), edit_disable);
}

int key_enable(struct command *c)
{
    return edit_key(c, S("key.enable"), edit_enable);
}

int key_assign_check(struct command *c)
{
    bool good = words_is_team(slice_str(c->argument[1]));
    return good ? 0 : command_misused(c, "TEAM is " WORDS_TEAM_IS);
}

int key_assign(struct command *c)
{
    struct buffer wrong = { 0 };
    bool good = team_is_good(c, slice_str(c->argument[1]), &wrong);
    int status =
        good ? edit_key(c, S("key.assign"), edit_team) : command_wrong(c, "%.*s", SLICE_ARGS(buffer_slice(&wrong)));
    buffer_clear(&wrong);
    return status;
}

/* The new token goes through c->input, the only place of a command that may hold one. */
static bool edit_token(struct command *c, struct key_row *row)
{
    struct digester *digester = digester_new();
    if (!digester)
        return false;
    row->digest = digest_of(digester, c->input);
    digester_free(digester);
    return true;
}

int key_rotate(struct command *c)
{
    char made[TOKEN_TEXT + 1] = "";
    token_make(made);
    c->input = slice_str(made);
    int status = edit_key(c, S("key.rotate"), edit_token);
    if (status == COMMAND_DONE && c->keys_changed)
        put_token(c, c->option[KEY_EDIT_QUIET], made);
    c->input = S("");
    explicit_bzero(made, sizeof made);
    return status;
}
