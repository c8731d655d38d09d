/* SPDX-License-Identifier: MIT
 * explain: what a call becomes by this configuration; nothing is sent. */
#include "mapping/explain.h"

#include <stdio.h>

#include "base/clock.h"
#include "proxy/input.h"
#include "proxy/program.h"
#include "proxy/service.h"

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
    struct buffer text = { 0 }, out = { 0 }, free_targets = { 0 };
    if (strcmp(call, "-") != 0)
        buffer_str(&text, call);
    else if (!input_read(call, &text))
        return EXIT_WRONG;
    setup_free_targets(config, &free_targets);
    struct service s = { .config = config, .free_targets = buffer_slice(&free_targets) };
    struct explain_options options = service_explain_options(&s);
    enum fault fault = (json ? explain_json : explain_text)(buffer_slice(&text), &options, &out);
    fwrite(out.p, 1, out.n, stdout);
    buffer_clear(&text);
    buffer_clear(&out);
    buffer_clear(&free_targets);
    return fault ? EXIT_WRONG : EXIT_DONE;
}
