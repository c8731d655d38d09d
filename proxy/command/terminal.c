/* SPDX-License-Identifier: MIT
 * How wide the terminal is, and whether it has colours. */
#include "proxy/command/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/words/words.h"

size_t terminal_columns(FILE *to, size_t most)
{
    struct winsize size;
    int fd = fileno(to);
    bool known = isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col;
    return known && size.ws_col < most ? size.ws_col : most;
}

bool terminal_is_there(void)
{
    return isatty(STDOUT_FILENO);
}

bool terminal_has_colour(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return terminal_is_there() && !(no && no[0]) && !(term && strcmp(term, "dumb") == 0);
}

void terminal_mark(struct buffer *text, const char *word, bool is_good)
{
    struct buffer marked = { 0 };
    const char *found = terminal_has_colour() && text->n ? memmem(text->p, text->n, word, strlen(word)) : NULL;
    if (!found)
        return;
    size_t at = (size_t)(found - text->p);
    buffer_append(&marked, slice_of(text->p, at));
    buffer_printf(&marked, "\033[1;%dm%s\033[0m", is_good ? 32 : 31, word);
    buffer_append(&marked, slice_from(buffer_slice(text), at + strlen(word)));
    text->n = 0;
    buffer_append(text, buffer_slice(&marked));
    buffer_clear(&marked);
}

void terminal_fold_messages(struct buffer *text)
{
    if (isatty(STDERR_FILENO))
        words_fold(text, 0, terminal_columns(stderr, WORDS_COLUMNS));
}

void terminal_say(struct buffer *text)
{
    terminal_fold_messages(text);
    fwrite(text->p ? text->p : "", 1, text->n, stderr);
    text->n = 0;
}

void terminal_write(FILE *to, struct buffer *text)
{
    words_fold(text, 0, terminal_columns(to, WORDS_COLUMNS));
    fwrite(text->p ? text->p : "", 1, text->n, to);
    text->n = 0;
}
