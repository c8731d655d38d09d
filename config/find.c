/* SPDX-License-Identifier: MIT
 * Looking things up in a configuration that was read. */
#include "config/find.h"

#include "config/address.h"
#include "config/options.h"

const struct config_team *config_team(const struct config *c, struct slice name)
{
    size_t low = 0, high = c->n_teams;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = slice_cmp(slice_str(c->teams_by_name[middle]->name), name);
        if (order == 0)
            return c->teams_by_name[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

int config_line_of(const struct config *c, const char *section, const char *name)
{
    enum config_section known;
    if (!config_section_find(slice_str(section), &known) || known == CONFIG_SECTION_team)
        return 0;
    const struct config_option *option = config_option_find(known, slice_str(name));
    return option ? c->option_lines[option - config_options] : 0;
}

bool config_upstream_is_loopback(const struct config *c)
{
    struct config_url url;
    return !config_url_parse(slice_str(c->url), &url) && config_host_is_loopback(url.host);
}

void config_place(const struct config *c, const char *section, const char *name, struct buffer *out)
{
    int line = config_line_of(c, section, name);
    if (line)
        buffer_printf(out, "%s:%d: ", c->file, line);
    else
        buffer_printf(out, "%s: %s, which is not set: ", c->file, name);
}
