# SPDX-License-Identifier: MIT
"""Shows that every check passes clean files and fails the ones it is there for."""
import contextlib
import io
import pathlib
import shutil
import tempfile
import unittest

import checks
import tree

HEAD = "/* SPDX-License-Identifier: MIT */\n"


class Checks(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def troubles(self, check, **files):
        """Write `files` (in names, __ stands for / and _DOT_ for a dot) and run the check."""
        for name, text in files.items():
            path = self.root / name.replace("__", "/").replace("_DOT_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with contextlib.redirect_stdout(io.StringIO()):
            return list(checks.CHECKS[check](tree.Tree(self.root)))

    def fails(self, where, check, **files):
        found = self.troubles(check, **files)
        self.assertTrue(any(t.startswith(where + ":") for t in found), f"{check} did not name {where}: {found}")

    def passes(self, check, **files):
        self.assertEqual(self.troubles(check, **files), [])


class Includes(Checks):
    HEADERS = {"base__slice_DOT_h": HEAD, "mapping__call_DOT_h": HEAD, "proxy__http__http_DOT_h": HEAD,
               "proxy__ledger__ledger_DOT_h": HEAD, "proxy__exchange_DOT_h": HEAD, "config__config_DOT_h": HEAD}

    def case(self, name, header):
        return {**self.HEADERS, name: HEAD + f'#include "{header}"\n'}

    def test_downwards(self):
        self.passes("includes", **self.case("mapping__a_DOT_c", "base/slice.h"))
        self.passes("includes", **self.case("proxy__http__a_DOT_c", "base/slice.h"))
        self.passes("includes", **self.case("proxy__main_DOT_c", "proxy/ledger/ledger.h"))
        self.passes("includes", **self.case("tests__unit__http__a_DOT_c", "proxy/http/http.h"))

    def test_upwards(self):
        self.fails("base/a.c:2", "includes", **self.case("base__a_DOT_c", "mapping/call.h"))

    def test_mapping_knows_no_proxy_and_no_config(self):
        self.fails("mapping/a.c:2", "includes", **self.case("mapping__a_DOT_c", "config/config.h"))
        self.fails("mapping/b.h:2", "includes", **self.case("mapping__b_DOT_h", "proxy/http/http.h"))

    def test_siblings(self):
        self.fails("proxy/http/a.c:2", "includes", **self.case("proxy__http__a_DOT_c", "proxy/ledger/ledger.h"))
        self.fails("proxy/ledger/a.h:2", "includes", **self.case("proxy__ledger__a_DOT_h", "proxy/http/http.h"))
        self.fails("proxy/http/b.c:2", "includes", **self.case("proxy__http__b_DOT_c", "proxy/call/exchange.h"))

    def test_sandbox_knows_no_mapping(self):
        self.fails("tests/sandbox/a.c:2", "includes", **self.case("tests__sandbox__a_DOT_c", "mapping/call.h"))

    def test_no_short_paths(self):
        self.fails("base/a.c:2", "includes", **self.case("base__a_DOT_c", "slice.h"))


class ThirdParty(Checks):
    def test_places(self):
        self.passes("third_party", proxy__upstream__a_DOT_c=HEAD + "#include <curl/curl.h>\n#include <stdio.h>\n")
        self.fails("proxy/http/a.c:2", "third_party", proxy__http__a_DOT_c=HEAD + "#include <curl/curl.h>\n")
        self.fails("base/a.c:2", "third_party", base__a_DOT_c=HEAD + "#include <json-c/json.h>\n")
        self.fails("proxy/admin/a.c:2", "third_party", proxy__admin__a_DOT_c=HEAD + "#include <event2/bufferevent.h>\n")

    def test_never_in_a_header(self):
        self.fails("proxy/upstream/a.h:2", "third_party", proxy__upstream__a_DOT_h=HEAD + "#include <curl/curl.h>\n")

    def test_unknown(self):
        self.fails("base/a.c:2", "third_party", base__a_DOT_c=HEAD + "#include <glib.h>\n")

    def test_one_file_only(self):
        one = HEAD + "#include <sqlite3.h>\n"
        self.passes("third_party", proxy__ledger__a_DOT_c=one)
        self.fails("proxy/ledger/b.c:2", "third_party", proxy__ledger__b_DOT_c=one)


class Texts(Checks):
    def test_whitespace(self):
        self.passes("whitespace", a_DOT_c="int a;\n", tests__fuzz__corpus__x__1=b"\t \r\n")
        self.fails("tab.c:1", "whitespace", tab_DOT_c="\tint a;\n")
        self.fails("blank.md:2", "whitespace", blank_DOT_md="a\nb \n")
        self.fails("crlf.py:1", "whitespace", crlf_DOT_py="a\r\n")
        self.fails("short.h:1", "whitespace", short_DOT_h="int a;")
        self.fails("long.h:3", "whitespace", long_DOT_h="int a;\n\n")

    def test_licence(self):
        self.passes("licence", a_DOT_c=HEAD, b="#!/bin/sh\n# SPDX-License-Identifier: MIT\n")
        self.fails("c.c:1", "licence", c_DOT_c="\n" + HEAD)
        self.fails("d.def:1", "licence", d_DOT_def="X(1)\n")
        self.fails("e.py:1", "licence", e_DOT_py="import os\n")
        self.fails("f:1", "licence", f="#!/bin/sh\necho\n")

    def test_words(self):
        self.passes("words", a_DOT_md="A User-Agent, user_agent and a TLS session ticket; color: #123; helper functions\n"
                                      "/usr/share/doc, the shared cache, &#10; %#04x said again\n")
        for number, text in enumerate((
                "see /wo" "rk/main", "in sha" "red/design.md", "fixes #" "12", "as iss" "ue 3 says", "an A" "I wrote it",
                "the ag" "ent", "last ses" "sion", "from py" "pi.org", "a hel" "per process", "/ro" "ot/x")):
            name = f"bad{number}_DOT_md"
            self.fails(f"bad{number}.md:1", "words", **{name: text + "\n"})

    def test_links(self):
        self.passes("links", docs__a_DOT_md="# The head: of it\n[b](b.md#part-two) [me](#the-head-of-it) `[x](y)`\n",
                    docs__b_DOT_md="## Part two\n[up](../docs/a.md) [web](https://example.com/x)\n```\n[no](no.md)\n```\n")
        self.fails("c.md:2", "links", c_DOT_md="\n[x](gone.md)\n")
        self.fails("d.md:1", "links", d_DOT_md="[x](docs/b.md#part-three)\n")

    def test_options(self):
        table = HEAD + 'OPTION(proxy, listen, X)\nOPTION(proxy, admin, X)\n'
        with self.assertRaises(tree.Skip):
            self.troubles("options", config__options_DOT_def=table)
        self.passes("options", config__anchorage_DOT_conf="[proxy]\nlisten = a ; why\n; admin = b\n")
        self.fails("config/options.def:3", "options", config__anchorage_DOT_conf="[proxy]\nlisten = a\n")
        self.fails("config/anchorage.conf:4", "options",
                   config__anchorage_DOT_conf="[proxy]\nlisten = a\nadmin = b\nold = c\n")
        self.fails("config/options.def:1", "options", config__options_DOT_def=HEAD + "ROW(1)\n")

    def test_length(self):
        function = "static int f(void)\n{\n%s}\n"
        self.passes("length", a_DOT_c=HEAD + function % ("    f();\n" * checks.MAX_FUNCTION))
        self.fails("b.c:3", "length", b_DOT_c=HEAD + function % ("    f();\n" * (checks.MAX_FUNCTION + 1)))
        self.fails(f"c.h:{checks.MAX_FILE + 1}", "length", c_DOT_h="\n" * (checks.MAX_FILE + 1))


class Tools(Checks):
    @unittest.skipUnless(shutil.which("clang-format"), "clang-format is not installed")
    def test_format(self):
        style = pathlib.Path(__file__).resolve().parents[2] / ".clang-format"
        (self.root / ".clang-format").write_bytes(style.read_bytes())
        self.passes("format", a_DOT_c="int a;\n")
        self.fails("b.c:1", "format", b_DOT_c="int   b;\n")

    @unittest.skipUnless(shutil.which("shellcheck"), "shellcheck is not installed")
    def test_shell(self):
        self.passes("shell", good="#!/bin/sh\necho \"$1\"\n")
        self.fails("bad.sh:2", "shell", bad_DOT_sh="#!/bin/sh\ncat $1\n")

    @unittest.skipUnless(shutil.which("cppcheck"), "cppcheck is not installed")
    def test_cppcheck(self):
        try:
            self.passes("cppcheck", base__good_DOT_c="int f(int *p)\n{\n    return *p;\n}\n")
            self.fails("base/bad.c:4", "cppcheck",
                       base__bad_DOT_c="int f(void)\n{\n    int *p = 0;\n    return *p;\n}\n")
        except tree.Skip as skip:
            self.skipTest(str(skip))



class Metrics(Checks):
    TABLE = HEAD + 'METRIC(A, "anchorage_a_total", COUNTER, "", "All.")\nMETRIC(B, "anchorage_b", HISTOGRAM, "", "Some.")\n'
    PAGE = "| `anchorage_a_total` | counter |  | All. |\n| `anchorage_b` | histogram |  | Some. |\n"

    def case(self, **files):
        return {"proxy__admin__counters_DOT_def": self.TABLE, "docs__admin_DOT_md": self.PAGE, **files}

    def test_they_agree(self):
        self.passes("metrics", **self.case(docs__alerts_DOT_yml="expr: rate(anchorage_b_bucket[1m]) > anchorage_a_total\n"))

    def test_the_page(self):
        self.fails("proxy/admin/counters.def:2", "metrics", **self.case(docs__admin_DOT_md=self.PAGE.replace("All", "None")))
        self.fails("docs/admin.md:3", "metrics", **self.case(docs__admin_DOT_md=self.PAGE + "| `anchorage_c` | gauge |  | x |\n"))

    def test_other_names(self):
        self.fails("docs/alerts.yml:1", "metrics", **self.case(docs__alerts_DOT_yml="expr: anchorage_a > 1\n"))
        self.fails("docs/grafana-dashboard.json:1", "metrics",
                   **{**self.case(), "docs__grafana-dashboard_DOT_json": "{\"expr\": \"anchorage_b_quantile\"}\n"})
        self.fails("docs/operations.md:1", "metrics", **self.case(docs__operations_DOT_md="`anchorage_gone_total`\n"))

    def test_the_dashboard(self):
        files = {"docs__alerts_DOT_yml": "groups: []\n", "docs__grafana-dashboard_DOT_json": "{\"panels\":\n"}
        self.fails("docs/grafana-dashboard.json:1", "alerts", **files)
        if shutil.which("promtool"):
            good = '{"panels":[{"targets":[{"expr":"rate(a[$__rate_interval])"}]}]}\n'
            self.passes("alerts", **{**files, "docs__grafana-dashboard_DOT_json": good})
            self.fails("docs/grafana-dashboard.json:1", "alerts",
                       **{**files, "docs__grafana-dashboard_DOT_json": good.replace("rate(", "rat(")})
            self.fails("docs/alerts.yml:1", "alerts",
                       **{"docs__alerts_DOT_yml": "groups: 7\n", "docs__grafana-dashboard_DOT_json": good})


if __name__ == "__main__":
    unittest.main()
