/* SPDX-License-Identifier: MIT
 *
 * The books: keys, teams, rows, units. Append-only entries, limits checked in the same step that records a hold. The
 * storage runs on a thread of its own; every function here is called on the thread of the event base, and answers come
 * back there. Nothing of the storage's library shows here, ids depend on no clock and no machine, and entries are
 * idempotent, so that another storage can stand behind the same words.
 */
#ifndef ANCHORAGE_PROXY_LEDGER_LEDGER_H
#define ANCHORAGE_PROXY_LEDGER_LEDGER_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "base/words/words.h"
#include "proxy/ledger/entries/types.h"

struct event_base;
struct ledger;

enum ledger_open_result { LEDGER_OPENED, LEDGER_HELD_BY_ANOTHER, LEDGER_BROKEN };

/* Open or create the books in the state directory. `base` may be NULL: then nothing is asynchronous, callbacks are
 * called before the function returns, and no thread is started (for the command line). Open holds of a dead process
 * become `unknown` entries before this returns. On failure *ret is untouched and `why` has one line. */
enum ledger_open_result ledger_open(struct event_base *base, const struct ledger_options *options, struct ledger **ret,
                                    struct buffer *why);

/* Wait for what is under way to be on disk, then close. Callbacks that have not come by then never come. NULL is
 * allowed. */
void ledger_close(struct ledger *l);

/* False while the storage has failed: holds and settles end with LEDGER_DOWN. */
bool ledger_serves(const struct ledger *l);

/* Take new limits and teams (after a reload). When memory is out the old ones stay. */
void ledger_set_limits(struct ledger *l, const struct ledger_options *options);

/* The day that units are counted from. */
int ledger_billing_day(const struct ledger *l);

/* Count units from this day, 1 to 28, of a month on, and remember it; only books opened with LEDGER_BILLING_DAY_KEPT
 * do. False when nothing changed. */
bool ledger_set_billing_day(struct ledger *l, int day);

/* ---- keys ---- */

/* Find the key of a token, by its SHA-256 in constant time. NULL when there is none. Lives until the next change of
 * keys; copy what must last. From memory, never from disk. */
const struct ledger_key *ledger_key_of_token(struct ledger *l, struct slice token);

/* How many keys there are, disabled ones too. */
uint32_t ledger_keys_count(const struct ledger *l);

/* ---- strangers ---- */

/* Remember it for `key list --unknown`, in memory; on disk within LEDGER_STRANGERS_MS and when the books are closed. */
enum { LEDGER_STRANGERS_MS = 60000 };
void ledger_saw_stranger(struct ledger *l, const struct ledger_stranger *call);

/* What stands for the key in the entries of such a call: "?" and ten digits of the token's digest, or "other" when
 * 10 000 others have such a name already. Lives as long as the ledger. */
struct slice ledger_stranger_name(struct ledger *l, struct slice token);

/* "?" and ten digits of the token's digest, as `key list --unknown` shows it; nothing is remembered. */
enum { LEDGER_STRANGER_SIZE = 12 };
void ledger_stranger_digest(struct ledger *l, struct slice token, char name[LEDGER_STRANGER_SIZE]);

/* ---- refusals ---- */

/* Count a call that was refused and has no entry, in memory; on disk within LEDGER_TRACES_MS and when the books are
 * closed. */
void ledger_saw_refusal(struct ledger *l, const struct ledger_refusal *call);

/* ---- the entries of a call ---- */

/* Write a fresh id (26 characters and a NUL) of random bits. */
void ledger_new_id(char id[LEDGER_ID_SIZE]);

/* What the limits leave for all of a call. */
struct ledger_room ledger_room(const struct ledger *l, struct slice id, struct slice team);

/* Set aside `rows` and `units` for all that a call may hold, what it holds already included, in memory alone: its holds
 * draw from it, so that within it they always fit; other calls' do not. Where several teams are configured, one team's
 * calls have their share of the whole's units (base/share.h): beyond it the outcome is LEDGER_WAIT, but for a call that
 * holds units already, which may have paid. Of `*allowance` more units as many are set aside as are free now and within
 * the share, and *allowance becomes these. LEDGER_DONE, or why not: then nothing has changed. A later one takes the
 * place of the one before. The end of the call ends it. */
[[nodiscard]] enum ledger_outcome ledger_set_aside(struct ledger *l, struct slice id, struct slice team,
                                                   struct rows rows, struct units units, struct units *allowance);

/* The call has done without a hold: what was set aside for it is free again. Else does nothing. */
void ledger_put_back(struct ledger *l, struct slice id);

/* Reserve `rows` and `units` for a call, checked against every limit of team and whole, held amounts included, in the
 * same step. Several holds for one id are allowed (one a page; `rows` and `units` are what is added). `done` is called
 * from the loop. When the outcome is not LEDGER_DONE nothing is held. */
void ledger_hold(struct ledger *l, const struct ledger_call *call, struct rows rows, struct units units,
                 ledger_done *done, void *context);

/* Whose holds ledger_hold of so much more would wait for now, as far as is known without trying: LEDGER_WAY_FREE when
 * it would not end with LEDGER_WAIT. And ledger_set_aside of so much in all. */
enum ledger_way ledger_way(const struct ledger *l, struct slice id, struct slice team, struct rows rows,
                           struct units units);
enum ledger_way ledger_way_aside(const struct ledger *l, struct slice id, struct slice team, struct rows rows,
                                 struct units units);

/* Hold `less` units less than so far, which are held now: one more hold entry, with all that the call holds from now
 * on, stands in place of those before it. What a crash would count is less from then on; for limits the units stay set
 * aside until the call ends, so it can always hold them again. `done` comes when it is durable. Never refused for a
 * limit; LEDGER_DOWN, too, for a call that holds nothing or has ended. */
void ledger_lower(struct ledger *l, const struct ledger_call *call, struct units less, ledger_done *done,
                  void *context);

/* End all holds of the call with its exact price. `done` comes when it is durable. Never refused for a limit, and
 * allowed without a hold. After LEDGER_DOWN the books see to it themselves that no rows are owed for the call; do not
 * end it again. */
void ledger_settle(struct ledger *l, const struct ledger_call *call, const struct ledger_settlement *s,
                   ledger_done *done, void *context);

/* End all holds of the call: surely nothing was spent. */
void ledger_release(struct ledger *l, const struct ledger_call *call, struct slice fault, ledger_done *done,
                    void *context);

/* End all holds of the call: 0 rows, and `units` may have been taken. */
void ledger_unknown(struct ledger *l, const struct ledger_call *call, struct units units, struct slice fault,
                    ledger_done *done, void *context);

/* ---- what is left ---- */

struct ledger_left {
    int64_t rows_used; /* settled */
    int64_t rows_limit,
        rows_left;      /* LEDGER_NO_LIMIT each when there is none; left: limit - settled - held, at least 0 */
    int64_t units_used; /* settled, of the team */
    int64_t units_limit, units_left; /* of the team; likewise */
    int64_t whole_units_left;
};

/* Of the running month. From memory. */
struct ledger_left ledger_left(const struct ledger *l, struct slice team);

/* Of all time, as far as the books reach: only what is on disk, so that it never shrinks. */
struct ledger_totals {
    int64_t calls, rows, units, faults;
};
struct ledger_totals ledger_totals(const struct ledger *l, struct slice team);

/* A client was turned away unheard: with many calls open, larger batches are written for the next tenth of a second. */
void ledger_storm(struct ledger *l);

/* More has come back from the disk than a round of the loop could tell, or waits for it than one batch takes. */
bool ledger_is_behind(const struct ledger *l);

void ledger_stats(const struct ledger *l, struct ledger_stats *ret);

/* Milliseconds until the row month ends (UTC). */
int64_t ledger_month_ends_in_ms(const struct ledger *l);

/* The same for units, which are counted from the billing day. */
int64_t ledger_billing_month_ends_in_ms(const struct ledger *l);

/* ---- commands ---- */

/* Run a command on the books: argv[0] is "key", "usage" or "ledger", as on the command line, without --config. `input`
 * is what the command reads as its file or standard input: the caller reads them, the command never opens a file to
 * read. They are named by `--token -` and `--token-file FILE` of `key add` and the argument of `key import` ("-" or a
 * file); input is ignored elsewhere. The file of `ledger backup` is written by the process that runs the command: make
 * its name absolute before it goes to a daemon. Output and messages go to `out` and `err`; the exit status is returned
 * (0, 1, 2). A command that has much to say says it in portions of about a megabyte: *at, which is 0 at first, is then
 * where it wants to be run again from, with the same words; else 0. The same code serves the command line and the
 * control socket. Blocks the loop as long as it takes. `l` may be NULL for --help, and to learn what is wrong with a
 * command line. */
int ledger_command(struct ledger *l, int argc, const char *const *argv, struct slice input, int64_t *at,
                   struct buffer *out, struct buffer *err);

/* Judge such words alone: nothing is opened or asked. WORDS_GOOD: *ret has them, borrowed from argv; WORDS_HELP: `out`
 * has what --help says; WORDS_WRONG: `err` says what is wrong. */
[[nodiscard]] enum words_result ledger_command_words(int argc, const char *const *argv, struct words *ret,
                                                     struct buffer *out, struct buffer *err);

/* ledger_command for a daemon: the command runs on a thread of its own, argv and input are copied, and `done` is called
 * from the loop. With books without a base it is called before this returns. Never called after ledger_close, which
 * waits for commands that run. */
void ledger_command_start(struct ledger *l, int argc, const char *const *argv, struct slice input, int64_t at,
                          ledger_command_done *done, void *context);

#endif
