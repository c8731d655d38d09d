# SPDX-License-Identifier: MIT
"""Shows that every check passes clean files and fails the ones it is there for."""
import contextlib
import io
import pathlib
import shutil
import tempfile
import unittest
import unittest.mock

import checks
import rooms
import source
import tree

HEAD = "/* SPDX-License-Identifier: MIT */\n"


class Checks(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def rule(self, name, value):
        """Let another rule of rooms.py hold for this test."""
        patch = unittest.mock.patch.object(rooms, name, value)
        patch.start()
        self.addCleanup(patch.stop)

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


class Names(Checks):
    TABLE = HEAD + 'static struct column c = { .v2 = SLICE("first_seen"), .filter = { SLICE("root_name"), 1 } };\n'

    def test_a_name_of_a_row(self):
        for name in ("first_seen", "root_name"):
            self.fails("mapping/plan.c:2", "names", mapping__table__anchors_DOT_c=self.TABLE,
                       mapping__plan_DOT_c=HEAD + f'static const char *x = "{name}";\n')
        self.passes("names", mapping__table__anchors_DOT_c=self.TABLE,
                    mapping__plan_DOT_c=HEAD + '/* "first_seen" */ static const char *x = "first";\n')

    def test_a_part_by_its_name(self):
        self.fails("proxy/call/fetch.c:2", "names", proxy__call__fetch_DOT_c=HEAD + "static int totals;\n")
        self.fails("mapping/plan.c:2", "names", mapping__plan_DOT_c=HEAD + "static bool is_info;\n")

    def test_a_part_where_it_belongs(self):
        self.passes("names", proxy__doctor__questions_DOT_c=HEAD + "static int totals;\n",
                    mapping__table__anchors_DOT_c=HEAD + "static int ratio;\n")


class Includes(Checks):
    HEADERS = {"base__slice_DOT_h": HEAD, "mapping__call_DOT_h": HEAD, "proxy__http__http_DOT_h": HEAD,
               "proxy__ledger__ledger_DOT_h": HEAD, "proxy__call__exchange_DOT_h": HEAD, "config__config_DOT_h": HEAD,
               "proxy__ledger__entries__types_DOT_h": HEAD, "proxy__ledger__store__store_DOT_h": HEAD}

    def setUp(self):
        super().setUp()
        self.rule("NOT_YET", ())
        self.rule("NO_MORE_THAN_USED", ())

    def case(self, name, header):
        return {**self.HEADERS, name: HEAD + f'#include "{header}"\n'}

    def test_downwards(self):
        self.passes("includes", **self.case("mapping__a_DOT_c", "base/slice.h"))
        self.passes("includes", **self.case("proxy__http__a_DOT_c", "base/slice.h"))
        self.passes("includes", **self.case("proxy__command__main_DOT_c", "proxy/call/exchange.h"))
        self.passes("includes", **self.case("proxy__call__a_DOT_c", "proxy/ledger/ledger.h"))
        self.passes("includes", **self.case("proxy__ledger__a_DOT_c", "proxy/ledger/entries/types.h"))
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

    def test_rooms_of_one_folder(self):
        self.fails("proxy/ledger/entries/a.c:2", "includes",
                   **self.case("proxy__ledger__entries__a_DOT_c", "proxy/ledger/ledger.h"))
        self.fails("proxy/ledger/store/a.c:2", "includes",
                   **self.case("proxy__ledger__store__a_DOT_c", "proxy/ledger/ledger.h"))
        self.fails("proxy/http/parse/a.c:2", "includes", **self.case("proxy__http__parse__a_DOT_c", "proxy/http/http.h"))

    def test_below_the_call_nobody_knows_it(self):
        for room in ("reuse", "account", "doctor", "service", "ledger", "http"):
            self.fails(f"proxy/{room}/x.c:2", "includes", **self.case(f"proxy__{room}__x_DOT_c", "proxy/call/exchange.h"))
        self.fails("proxy/reuse/y.c:2", "includes", **self.case("proxy__reuse__y_DOT_c", "proxy/ledger/ledger.h"))
        self.fails("proxy/http/y.c:2", "includes", **self.case("proxy__http__y_DOT_c", "mapping/call.h"))

    def test_exceptions_only_as_long_as_they_are_needed(self):
        self.rule("NOT_YET", (("reuse", "call"),))
        files = self.case("proxy__reuse__x_DOT_c", "proxy/call/exchange.h")
        self.passes("includes", **files)
        self.fails("tests/lint/rooms.py:1", "includes", **{**files, "proxy__reuse__x_DOT_c": HEAD})

    def test_no_more_than_used(self):
        self.rule("NO_MORE_THAN_USED", ("mapping",))
        self.passes("includes", **self.case("mapping__a_DOT_c", "base/slice.h"))
        self.fails("tests/lint/rooms.py:1", "includes", mapping__a_DOT_c=HEAD)

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
        one = HEAD + "#include <libpq-fe.h>\n"
        self.passes("third_party", proxy__ledger__store__a_DOT_c=one)
        self.fails("proxy/ledger/store/b.c:2", "third_party", proxy__ledger__store__b_DOT_c=one)
        self.fails("proxy/ledger/c.c:2", "third_party", proxy__ledger__c_DOT_c=one)


class Source(unittest.TestCase):
    CODE = HEAD + """#include "base/a.h"
/* no_call(); */
static int own(int x)
{
    return x;
}

[[nodiscard]] bool not_here(int x);

struct slice far(struct slice s, const struct long_name *name,
                 void (*done)(void *context))
{
    if (own(1))
        done(near(s, "text(1)"), name->pointed(s));
    return near(s);
}
"""

    def test_functions(self):
        code = source.plain(self.CODE)
        self.assertEqual(code.count("\n"), self.CODE.count("\n"))
        self.assertEqual(source.definitions(code), {"far"})
        self.assertEqual(source.declarations(code), {"not_here"})
        calls = source.calls(code)
        self.assertEqual(calls["near"], 15)
        self.assertFalse({"own", "text", "no_call"} & set(calls))

    def test_members(self):
        code = "struct a {\n    int b, *c[2];\n    void (*d)(int x, int y);\n    struct {\n        int e, f;\n    };\n" \
               "    struct {\n        int g, h;\n    } i;\n    enum { J, K } l : 3;\n};\n"
        self.assertEqual(list(source.structs(code)), [("a", 1, 7)])


class Circles(Checks):
    INCLUDES = {"base__a_DOT_h": HEAD + '#include "base/b.h"\nvoid a(void);\n', "base__a_DOT_c": HEAD + "void a(void)\n{\n}\n",
                "base__b_DOT_h": HEAD + "void b(void);\n"}

    def setUp(self):
        super().setUp()
        self.rule("CIRCLES", ())

    def test_includes(self):
        self.passes("circles", **self.INCLUDES)
        files = {**self.INCLUDES, "base__b_DOT_c": HEAD + '#include "base/a.h"\nvoid b(void)\n{\n}\n'}
        self.fails("base/a.h:2", "circles", **files)

    def test_calls(self):
        files = {f"base__{one}_DOT_c": HEAD + f"void {one}(void)\n{{\n    {other}();\n}}\n"
                 for one, other in (("a", "b"), ("b", "c"), ("c", "a"))}
        found = self.troubles("circles", **files)
        self.assertEqual(len(found), 1)
        for line in ("base/a.c:4: calls b of base/b.c", "base/b.c:4: calls c", "base/c.c:4: calls a"):
            self.assertIn(line, found[0])
        self.passes("circles", base__c_DOT_c=HEAD + "void c(void (*a)(void))\n{\n    (*a)();\n}\n")

    def test_a_header_kept_by_several_files(self):
        one = HEAD + '#include "base/a.h"\nvoid b(void)\n{\n}\n'
        self.passes("circles", base__a_DOT_h=HEAD + "void a(void);\nvoid b(void);\n", base__b_DOT_c=one,
                    base__a_DOT_c=HEAD + '#include "base/a.h"\nvoid a(void)\n{\n    b();\n}\n')

    def test_exceptions_only_as_long_as_they_are_needed(self):
        circle = {**self.INCLUDES, "base__b_DOT_c": HEAD + '#include "base/a.h"\nvoid b(void)\n{\n}\n'}
        self.rule("CIRCLES", (("why", "base/a base/b"),))
        self.passes("circles", **circle)
        self.rule("CIRCLES", (("why", "base/a base/b base/c"),))
        self.fails("tests/lint/rooms.py:1", "circles", **circle)
        self.rule("CIRCLES", (("why", "base/a base/c"),))
        self.fails("base/a.h:2", "circles", **circle)


class Sizes(Checks):
    def setUp(self):
        super().setUp()
        self.rule("MORE_FILES", {})
        self.rule("MORE_MEMBERS", {})

    def fill(self, folder, n):
        return {f"{folder}__f{i}_DOT_c": HEAD for i in range(n)}

    def test_folders(self):
        self.passes("folders", **self.fill("proxy__admin", rooms.MAX_FILES), **self.fill("mapping__table", 30),
                    **self.fill("tests__unit__base", 30), proxy__admin__a_DOT_h=HEAD)
        self.fails("proxy/admin:1", "folders", **self.fill("proxy__admin", rooms.MAX_FILES + 1))

    def test_folders_may_only_shrink(self):
        self.rule("MORE_FILES", {"mapping": 15})
        self.passes("folders", **self.fill("mapping", 15))
        self.fails("mapping:1", "folders", mapping__more_DOT_c=HEAD)
        for name in ("more.c", "f0.c"):
            (self.root / "mapping" / name).unlink()
        self.fails("tests/lint/rooms.py:1", "folders")

    def struct(self, name, n):
        return HEAD + f"struct {name} {{\n" + "".join(f"    int m{i};\n" for i in range(n)) + "};\n"

    def test_members(self):
        self.passes("members", base__a_DOT_h=self.struct("a", rooms.MAX_MEMBERS),
                    tests__sandbox__a_DOT_h=self.struct("b", rooms.MAX_MEMBERS + 1))
        self.fails("base/b.c:2", "members", base__b_DOT_c=self.struct("b", rooms.MAX_MEMBERS + 1))
        self.fails("proxy/call/exchange.h:2", "members",
                   proxy__call__exchange_DOT_h=self.struct("exchange", rooms.MAX_MEMBERS_OF["exchange"] + 1))

    def test_members_may_only_become_fewer(self):
        self.rule("MORE_MEMBERS", {"config": 40})
        self.passes("members", config__config_DOT_h=self.struct("config", 40))
        self.fails("config/config.h:2", "members", config__config_DOT_h=self.struct("config", 41))
        self.fails("tests/lint/rooms.py:1", "members", config__config_DOT_h=self.struct("config", 39))


class Writers(Checks):
    def setUp(self):
        super().setUp()
        self.rule("WRITERS", (rooms.Part("asked", ("proxy/call/", "proxy/daemon/"), ("proxy/call/read.c",)),))

    def test_the_owner_and_readers(self):
        line = "    x->asked.key = 1;\n"
        self.passes("writers", proxy__call__read_DOT_c=HEAD + line, proxy__http__a_DOT_c=HEAD + line,
                    proxy__call__a_DOT_c=HEAD + "    if (x->asked.key == 1 && x->asked.n <= 2 && !x->asked.team)\n"
                    "        n = x->asked.n - 1; /* x->asked.n = 1; */\n    x->asked_rows = 2;\n")

    def test_all_others(self):
        for number, line in enumerate(("x->asked = (struct asked){ 0 };", "x->asked.call.n = 1;", "x->asked.n++;",
                                       "--x->asked.n;", "x->asked.n |= 1;", "c->x->asked.list[2] = 1;",
                                       "x->asked.call.marks <<= 1;")):
            name = f"proxy__call__bad{number}_DOT_c"
            self.fails(f"proxy/call/bad{number}.c:3", "writers", **{name: HEAD + "\n    " + line + "\n"})
        self.fails("proxy/daemon/a.c:2", "writers", proxy__daemon__a_DOT_c=HEAD + "    x->asked.key = 1;\n")


class Steps(Checks):
    def setUp(self):
        super().setUp()
        self.rule("STEPS", ("hold", "fetch", "answer"))
        self.rule("STEP_FLOORS", (("hold",), ("fetch",), ("answer",)))
        self.rule("STEP_READS", ())
        self.rule("STEPS_NOT_YET", ())

    def case(self, step, header):
        return {**{f"proxy__call__{name}_DOT_h": HEAD for name in ("hold", "fetch", "answer", "way", "exchange")},
                f"proxy__call__{step}_DOT_c": HEAD + f'#include "proxy/call/{header}.h"\n'}

    def test_what_is_no_step(self):
        self.passes("steps", **self.case("fetch", "exchange"))
        self.passes("steps", **self.case("way", "hold"))

    def test_headers_and_calls(self):
        self.fails("proxy/call/fetch.c:2", "steps", **self.case("fetch", "hold"))
        self.fails("proxy/call/answer.c:4", "steps", proxy__call__hold_DOT_c=HEAD + "void hold_end(void)\n{\n}\n",
                   proxy__call__answer_DOT_c=HEAD + "void answer(void)\n{\n    hold_end();\n}\n")

    def test_reads_go_one_way_and_are_needed(self):
        self.rule("STEP_READS", (("fetch", "hold"),))
        self.passes("steps", **self.case("fetch", "hold"))
        self.rule("STEP_READS", (("fetch", "hold"), ("answer", "fetch")))
        self.fails("tests/lint/rooms.py:1", "steps", **self.case("fetch", "hold"))
        self.rule("STEP_READS", (("fetch", "answer"),))
        self.fails("tests/lint/rooms.py:1", "steps", **self.case("fetch", "answer"))

    def test_exceptions_only_as_long_as_they_are_needed(self):
        self.rule("STEPS_NOT_YET", (("hold", "fetch"),))
        self.passes("steps", **self.case("hold", "fetch"))
        self.fails("tests/lint/rooms.py:1", "steps", **self.case("hold", "exchange"))


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
