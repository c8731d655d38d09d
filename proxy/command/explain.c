/* SPDX-License-Identifier: MIT
 * explain shows what a call becomes by this configuration; nothing is sent. */
#include "mapping/explain.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/shown.h"
#include "proxy/command/input.h"
#include "proxy/command/program.h"
#include "proxy/service/service.h"

static int usage(void)
{
    fputs("usage: anchorage explain [--config FILE] [--format text|json] CALL|-\n", stderr);
    return EXIT_USAGE;
}

int program_explain(const struct config *config, int argc, char **argv)
{
    const char *call = NULL;
    bool json = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--format") == 0 && i + 1 < argc) {
            i++;
            json = strcmp(argv[i], "json") == 0;
            if (!json && strcmp(argv[i], "text") != 0)
                return usage();
        } else if (!call && (argv[i][0] != '-' || argv[i][1] == 0)) {
            call = argv[i];
        } else {
            return usage();
        }
    }
    if (!call)
        return usage();
    struct buffer text = { 0 }, out = { 0 };
    if (strcmp(call, "-") != 0)
        buffer_str(&text, call);
    else if (!input_read("explain", call, &text))
        return EXIT_WRONG;
    struct settings *settings = settings_new(config, NULL);
    if (!settings)
        return EXIT_WRONG;
    struct explain_options options = settings_explain_options(settings, 0);
    enum fault fault = (json ? explain_json : explain_text)(buffer_slice(&text), &options, &out);
    if (!json)
        shown_clean(&out, 0);
    fwrite(out.p ? out.p : "", 1, out.n, stdout);
    buffer_clear(&text);
    buffer_clear(&out);
    settings_put(settings);
    return fault ? EXIT_WRONG : EXIT_DONE;
}
