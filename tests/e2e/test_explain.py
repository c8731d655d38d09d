# SPDX-License-Identifier: MIT
"""What `anchorage explain` says of a call: its verdict, its parts beside what they become, its price, its place."""
import json
import os
import pathlib
import pty
import re
import shlex
import subprocess
import tempfile
import termios
import unittest
import urllib.parse

from anchorage import BINARY, PATIENCE, SANITIZER

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEFAULT = "/etc/anchorage/anchorage.conf"
CALL = ("from=anchors&target=example.com/blog&mode=prefix&where=backlinks>5&order_by=last_visited:desc&limit=1000"
        "&wher=x")
TOKEN = "canary5Fb2tokenOfThisCall"
HOSTILE = ["\x1b[31mred", "a\u202eb", "\u0000", "x" * 400, "\u8a9e" * 300, "\U0001f600" * 90, "a,b " * 80, "%zz", "%ff"]


def explain(*words, text_in=None, config=None, env=None):
    """`anchorage explain WORDS`, by a configuration that has nothing but the defaults, or by `config`."""
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, "anchorage.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config or "[upstream]\nunits_per_month = unlimited\n")
        done = subprocess.run([BINARY, "explain", "--config", path, *words], input=text_in, capture_output=True, text=True,
                              timeout=PATIENCE, check=False, env=env)
    if SANITIZER.search(done.stderr):
        raise AssertionError(f"{words}: {done.stderr}")
    return done


def told(call, **more):
    return json.loads(explain("--format", "json", call, **more).stdout)


class Text(unittest.TestCase):
    def text(self, *words, status=0, **more):
        done = explain(*words, **more)
        self.assertEqual(done.returncode, status, done)
        for line in done.stdout.splitlines():
            self.assertLessEqual(len(line), 100, line)
        self.assertNotIn("\x1b", done.stdout)
        return done.stdout

    def test_verdict_parts_notes_price(self):
        text = self.text(CALL)
        self.assertEqual(text.splitlines()[0].split("; ")[:2], ["served", "4 things not exact, 1 parameter ignored"])
        for line in [r"from=anchors +site-explorer/anchors +exact", r"where=backlinks>5 +where links_to_target > 5 +not exact \[1\]",
                     r"order_by=last_visited:desc +order_by=first_seen:desc,anchor:asc +not exact \[2\]",
                     r"wher=x +- +ignored \[5\]", r"\(stats\) +backlinks-stats, and the 25 greatest anchors +not exact \[4\]",
                     r"\[1\] where\.backlinks: v2 looked at each referring domain of an anchor; v3 has the sum only",
                     r"\[3\] last_visited: answered with first_seen", r"\[5\] wher: .*; did you mean where\?"]:
            self.assertRegex(text, f"(?m)^  {line}$")
        self.assertRegex(text, r"(?m)^rows   1 call \+ 1,000 results \+ 5 where +=")

    def test_price_is_a_sum(self):
        """The summands of text and JSON add up to what the verdict says."""
        for more in ["", "&having=backlinks>1", "&limit=0", "&limit=1", "&limit=25&order_by=backlinks:desc", "&offset=7",
                     "&limit=4000000"]:
            call = "from=anchors&target=a.com&mode=domain" + more
            answer = told(call)
            for what in ["rows", "units"]:
                self.assertEqual(sum(n for _, n in answer["price"][what]), answer[f"{what}_at_most"], call)
            lines = {line.split()[0]: line for line in explain(call).stdout.splitlines() if line[:5] in ("rows ", "units")}
            self.assertIn("= " + format(answer["rows_at_most"], ",") + " at most", lines["rows"])

    def test_caret(self):
        for more, value, at, length in [
                ("where", "backlinks>5,refdomainz>3", 12, 10), ("where", "backlinks>", 10, 0), ("where", "anchor=\"é\" x", 11, 1),
                ("where", "backlinks>\"x\"", 10, 3), ("where", "foo(anchor,1)", 0, 3), ("where", "anchor=\"x", 7, 1),
                ("where", "last_visited<\"2020-01-01\"", 0, 25), ("having", "refdomain=1", 0, 9), ("select", "anchor,foo", 7, 3),
                ("order_by", "anchor, foo:up", 8, 6), ("limit", " 1x", 1, 2), ("offset", "-1", 0, 2), ("mode", "any", 0, 3),
                ("output", "csv", 0, 3), ("target", "me@a.com", 0, 3), ("target", "nothing", 0, 7), ("target", "a.com/\u3000x", 6, 1),
                ("target", "\uff41\uff0ecom", 1, 1)]:
            call = {"from": "anchors", "target": "a.com", "mode": "domain", more: value}
            with self.subTest(more=more, value=value):
                query = urllib.parse.urlencode(call)
                spot = told(query)["spot"]
                self.assertEqual(spot, {"parameter": more, "at": at, "length": length})
                lines = self.text(query, status=1).splitlines()
                shown = next(i for i, line in enumerate(lines) if line.startswith(f"  {more}="))
                self.assertEqual(lines[shown + 1], " " * (3 + len(more) + at) + "^" + "~" * (length - 1))
        self.assertEqual(told("from=anchrs&target=a")["spot"], {"parameter": "from", "at": 0, "length": 6})
        self.assertEqual(told("from=anchors&target=a%ZZ")["spot"], {"parameter": "target", "at": 1, "length": 1})
        self.assertIsNone(told("target=a.com")["spot"])
        long = "&where=" + "anchor<>\"x\"," * 60 + "foo=1" + ",anchor<>\"y\"" * 30
        lines = self.text("from=anchors&target=a.com" + long, status=1).splitlines()
        self.assertEqual(lines[-2][lines[-1].index("^"):][:3], "foo")

    def test_widths_hold_for_whatever_comes(self):
        """Served alone with all its parts, and each parameter refused, one a line."""
        for odd in HOSTILE:
            quoted = odd.replace("\x00", "")[:60]
            served = {"from": "anchors", "target": "a.com/" + "x" * 200, "mode": "exact", "limit": 5000000, "token": odd,
                      "where": f'anchor="{odd}",anchor<"{quoted}"', "having": 'backlinks>1,anchor<>"y"', odd: quoted}
            if "%" in odd or "\x00" in odd:
                served.pop("where")
            query = urllib.parse.urlencode(served)
            with self.subTest(query=query):
                self.text(query)
                told(query)
            lines = [urllib.parse.urlencode({"from": "anchors", "target": "a.com", name: f'foo="{odd}"'}) + "&" + raw
                     for name in ["target", "where", "having", "select", "order_by", "limit", "mode", "output", "from"]
                     for raw in ["", f"{urllib.parse.quote(name)}={odd}".replace("\x00", "%00").replace("\n", "")]]
            for words in [["-"], ["--curl", "-"]]:
                text = self.text(*words, status=1, text_in="\n".join(lines))
                self.assertTrue(text.isprintable() or set(c for c in text if not c.isprintable()) <= {"\n", "\U0001f600"})
            for line in explain("--format", "json", "-", text_in="\n".join(lines)).stdout.splitlines():
                self.assertEqual(json.loads(line)["verdict"], "refused", line)

    def test_marks_are_all_said(self):
        """What the header would name beforehand has a sentence, and nothing else has."""
        for more in ["", "where=anchor<\"b\",refdomain=\"x.com\",first_seen>\"2020-01-01\"&having=last_visited>\"2015-01-01\"",
                     "order_by=last_visited&limit=3&limit=4&output=xml&output=php", "select=anchor&mode=exact&limit=0"]:
            answer = told("from=anchors&target=a.com&" + more)
            self.assertIsNone(answer["fault"], answer)
            marks = {part["mark"] for part in answer["parts"]} - {None}
            self.assertEqual(marks, set(answer["approximate"]))
            self.assertTrue(all(part["say"] for part in answer["parts"] if not part["exact"]), answer)

    def test_options_of_fidelity(self):
        config = "[upstream]\nunits_per_month = unlimited\n[fidelity]\nlast_visited = null\nstats = zero\n"
        text = self.text(CALL, config=config)
        self.assertIn("last_visited: answered with null", text)
        self.assertRegex(text, r"\(stats\) +- +not exact")
        refused = told(CALL, config=config.replace("stats = zero", "approximate = refuse"))
        self.assertEqual((refused["fault"], refused["spot"]), ("not_exact", {"parameter": "where", "at": 0, "length": 11}))


class Terminal(unittest.TestCase):
    def shown(self, columns, **env):
        """What stands on a terminal so wide."""
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, columns))
        env = {"PATH": os.environ["PATH"], "TERM": "xterm", **env}
        with tempfile.TemporaryDirectory() as place:
            path = os.path.join(place, "anchorage.conf")
            with open(path, "w", encoding="utf-8") as file:
                file.write("[upstream]\nunits_per_month = unlimited\n")
            with subprocess.Popen([BINARY, "explain", "--config", path, CALL], stdout=theirs, env=env) as program:
                os.close(theirs)
                text = b""
                while True:
                    try:
                        text += os.read(ours, 65536)
                    except OSError:  # the other end is closed
                        break
                self.assertEqual(program.wait(PATIENCE), 0)
        os.close(ours)
        return text.decode().replace("\r\n", "\n")

    def test_colour_and_width(self):
        for columns in [40, 63, 80, 100, 200]:
            text = self.shown(columns)
            self.assertTrue(text.startswith("\x1b[1;32mserved\x1b[0m; 4 things"), text)
            self.assertEqual(text.count("\x1b"), 2)
            plain = self.shown(columns, NO_COLOR="1")
            self.assertEqual(plain, re.sub("\x1b[^m]*m", "", text))
            self.assertLessEqual(max(map(len, plain.splitlines())), min(columns, 100))
        self.assertNotIn("\x1b", self.shown(80, TERM="dumb"))


class Parts(unittest.TestCase):
    def test_places(self):
        """Where a part stands in what was given, in characters."""
        for call in [CALL, "https://apiv2.ahrefs.com/?" + CALL, "/?output=json&" + CALL.replace(">5", ">5,anchor=\"b\""),
                     "from=anchors&target=\u0442\u0435\u0441\u0442.example&mode=domain&where=anchor=\"\u00e9\",backlinks>1"]:
            for part in told(call)["parts"]:
                with self.subTest(call=call, part=part):
                    if part["v2"].startswith("("):
                        self.assertEqual((part["at"], part["length"]), (None, None))
                    else:
                        self.assertEqual(call[part["at"]:part["at"] + part["length"]], part["v2"])

    def test_encoded_places(self):
        call = "from=anchors&target=a.com&where=anchor%3D%22%C3%A9%22%2Cbacklinks%3E5"
        conditions = [part for part in told(call)["parts"] if "links" in part["v2"] or "where" in part["v2"]]
        self.assertEqual([(p["v2"], call[p["at"]:p["at"] + p["length"]]) for p in conditions],
                         [("where=anchor=\"\u00e9\"", "where=anchor%3D%22%C3%A9%22"), ("backlinks>5", "backlinks%3E5")])

    def test_ignored(self):
        for name, like in [("wher", "where"), ("Target", "target"), ("where[]", "where"), ("order", "order_by"), ("limti", "limit"),
                           ("offest", "offset"), ("foo", None), ("sort", None), ("x", None), ("zzzz" * 9, None)]:
            answer = told(f"from=anchors&target=a.com&{urllib.parse.quote(name)}=1")
            self.assertEqual(answer["ignored"], [{"name": urllib.parse.quote(name), "like": like}])
            self.assertEqual(answer["parts"][-1]["v3"], None)
        many = told("from=anchors&target=a.com&" + "&".join(f"x{i}=1" for i in range(12)))
        self.assertEqual([one["name"] for one in many["ignored"]], [f"x{i}" for i in range(8)] + ["..."])
        self.assertIn("line 1: served; exact, 1 parameter", explain("-", text_in="from=subscription_info&x\n" * 2).stdout)

    def test_the_token_is_not_shown(self):
        for call in [f"from=anchors&target=a.com&token={TOKEN}", f"from={TOKEN}&token={TOKEN}", f"{TOKEN}=1&from=anchors&token={TOKEN}",
                     f"from=anchors&target=a.com&where=anchor=\"{TOKEN}\",foo=1&token={TOKEN}",
                     f"from=anchors&target={TOKEN}.com&mode=exact&token={TOKEN}",
                     f"curl -H 'Authorization: {TOKEN}' 'https://x/?from=anchors&target=a.com&select={TOKEN}' -d token={TOKEN}"]:
            for words in [[], ["--format", "json"], ["--curl"]]:
                for text_in in [call, call + "\n" + call]:
                    done = explain(*words, "-", text_in=text_in)
                    self.assertNotIn(TOKEN.lower(), (done.stdout + done.stderr).lower(), (call, words))


class Given(unittest.TestCase):
    """The forms in which a call can be given."""

    SAME = {"from": "anchors", "target": "a.com", "mode": "domain", "where": 'anchor="it\'s & \u00e9"', "limit": "7"}

    def requests(self, call):
        answer = told(call)
        self.assertIsNone(answer["fault"], (call, answer))
        return [one["url"] for one in answer["requests"]]

    def test_forms_say_the_same(self):
        query = urllib.parse.urlencode(self.SAME)
        want = self.requests(query)
        start = "from=anchors&target=a.com&mode=domain&limit=7"
        for call in [f"?{query}", f"/?{query}", f"https://apiv2.ahrefs.com/?{query}", f"http://127.0.0.1:8080?{query}#part",
                     f"GET /?{query} HTTP/1.1", f" {query}\n",
                     f"curl 'https://apiv2.ahrefs.com/?{query}'", f"$ curl -sS --compressed https://x/?{query} | jq .",
                     f"curl \"https://x/?{query}\" -H 'Accept: */*' -H 'Cookie: a=b' -o out -u me:secret --retry 3 -m 9",
                     f"curl --get https://x/ -d '{query}'", f"curl -X POST https://x/ --data-raw '{query}'",
                     f"curl -Gd '{start}' https://x/ \\\n  --data-urlencode $'where=anchor=\"it\\'s & \\u00e9\"' \\\n  -A 'x y'",
                     f"curl -G \\\r\n -d'{start}' \\\r\n --data-urlencode \"where=anchor=\\\"it's & \u00e9\\\"\" x.example",
                     f"curl 'https://x/?{start}' --url-query 'where=anchor=\"it'\\''s & \u00e9\"' -sSL --user-agent 'a b'",
                     f"curl --url 'https://x/?{start}' -G --data-urlencode where=anchor=$'\"it\\x27s & \\303\\251\"'"]:
            with self.subTest(call=call):
                self.assertEqual(self.requests(call), want)

    def test_words_that_a_shell_took_apart(self):
        done = explain("--format", "json", "curl", "-G", "https://x/", "-d", "from=anchors&target=a.com&mode=domain&limit=7",
                       "--data-urlencode", f"where={self.SAME['where']}")
        self.assertEqual([one["url"] for one in json.loads(done.stdout)["requests"]],
                         self.requests(urllib.parse.urlencode(self.SAME)))

    def test_what_would_not_arrive(self):
        for call, fault in [("curl 'https://x/?from=anchors", "bad_request"), ("curl -d @file https://x/", "bad_request"),
                            ("curl -s", "bad_request"), ("https://x/v3/?from=anchors&target=a.com", "not_found"),
                            ("curl https://x/ -H 'Content-Type: application/json' -d 'from=anchors&target=a.com'", "unknown_table"),
                            ("curl -F from=anchors https://x/", "unknown_table"), ("https://apiv2.ahrefs.com/", "unknown_table"),
                            ("x", "unknown_table")]:
            answer = told(call)
            self.assertEqual((answer["fault"], answer["verdict"]), (fault, "refused"), call)
        self.assertEqual(told("from=anchors&target=a.com/x?y=1&mode=exact")["parts"][1]["v2"], "target=a.com/x?y=1")

    def test_many(self):
        lines = "from=anchors&target=a.com\n\ncurl -G https://x/ \\\n  -d from=anchors \\\n  -d target=b.com\nfrom=x\n"
        done = explain("-", text_in=lines)
        self.assertEqual(done.returncode, 1, done)
        self.assertEqual(re.findall(r"(?m)^line (\d): (\w+)", done.stdout), [("1", "served"), ("3", "served"), ("6", "refused")])
        self.assertTrue(done.stdout.endswith("\n3 calls: 2 served, 1 refused\n"), done.stdout)
        answers = [json.loads(line) for line in explain("--format=json", "-", text_in=lines).stdout.splitlines()]
        self.assertEqual([(one["line"], one["fault"]) for one in answers], [(1, None), (3, None), (6, "unknown_table")])
        self.assertEqual(explain("-", text_in="from=anchors&target=a.com\n" * 2).returncode, 0)
        for one in ["from=anchors&target=a.com\n", "curl -G https://x/ \\\n  -d from=anchors -d target=a.com"]:
            self.assertIn("\nrows   ", explain("-", text_in=one).stdout)


class Curl(unittest.TestCase):
    def test_lines_are_commands(self):
        done = explain("--curl", CALL)
        commands = [line for line in done.stdout.splitlines() if not line.startswith("#")]
        self.assertEqual([shlex.split(line)[:4] for line in commands],
                         [["curl", "-sS", "-H", "Authorization: Bearer $AHREFS_V3_KEY"]] * 3)
        answer = told(CALL)
        self.assertEqual([shlex.split(line)[4] for line in commands], [one["url"] for one in answer["requests"]])
        self.assertEqual(commands, [one["curl"] for one in answer["requests"]])
        refused = explain("--curl", "from=x")
        self.assertEqual((refused.returncode, refused.stdout.split()[:3]), (1, ["#", "refused:", "unknown_table:"]))


class Words(unittest.TestCase):
    def run_words(self, *words):
        return subprocess.run([BINARY, "explain", *words], capture_output=True, text=True, timeout=PATIENCE, check=False)

    def test_wrong_words(self):
        """They are judged before a file is opened."""
        for words in [[], ["--format"], ["--format", "xml", "a"], ["--format=", "a"], ["--nope", "a"], ["a", "b"], ["-x"],
                      ["--curl", "--format", "json", "a"], ["--curl"]]:
            for config in [[], ["--config", "/does/not/exist"]]:
                done = self.run_words(*config, *words)
                self.assertEqual((done.returncode, done.stdout), (2, ""), (words, done))
                self.assertRegex(done.stderr, r"\Aanchorage( explain)?: ")
                self.assertLessEqual(len(done.stderr.splitlines()), 3, done)

    def test_no_configuration(self):
        missing = self.run_words("--config", "/does/not/exist", "from=anchors&target=a.com")
        self.assertEqual((missing.returncode, missing.stdout), (1, ""))
        if os.path.exists(DEFAULT):
            self.skipTest(f"there is a {DEFAULT}")
        done = self.run_words("from=anchors&target=a.com")
        self.assertEqual((done.returncode, done.stdout), (0, explain("from=anchors&target=a.com").stdout))
        self.assertIn("the defaults were used", done.stderr)

    def test_examples(self):
        """Every example in the papers is one that is served."""
        n = 0
        for paper in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
            for line in paper.read_text(encoding="utf-8").splitlines():
                if not line.startswith("anchorage explain ") or "CALL" in line:
                    continue
                n += 1
                words = shlex.split(line, comments=True)[2:]
                if "<" in words:
                    continue
                done = explain(*words)
                self.assertEqual((done.returncode, done.stderr), (0, ""), f"{paper}: {line}")
        self.assertGreaterEqual(n, 3)


if __name__ == "__main__":
    unittest.main()
