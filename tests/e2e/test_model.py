# SPDX-License-Identifier: MIT
"""Random calls against a second opinion (model.py), byte for byte. A run is a fixed slice; for a long one by hand:

    MODEL_CALLS=5000 MODEL_SEED=7 python3 test_model.py
"""
import os
import random
import time
import unittest

from anchorage import Anchorage, TOKEN, OTHER_TOKEN, read_answer
from model import COLUMNS, NUMBERS, Model, Unsure, differences, fold, group, merge, spell
from sandbox import Sandbox

CALLS = int(os.environ.get("MODEL_CALLS", "120"))  # of each world
SEED = int(os.environ.get("MODEL_SEED", "1"))

# Sandbox, oracle's share of its options, [fidelity].
WORLDS = {
    "as shipped": ({}, {}),
    "folded upstream, small pages": ({"anchor_case": "fold", "row_cap": 7, "json": "escaped"}, {}),
    "kept case, small pages": ({"anchor_case": "keep", "row_cap": 7}, {}),
    "kept case, conditions on sums": ({"anchor_case": "keep", "row_cap": 100}, {"last_visited": "null"}),
    "keep": ({"row_cap": 30, "cache_case": "upper", "compression": "gzip"}, {"anchor_case": "keep"}),
    "another order of text": ({"collation": "locale-like", "anchor_case": "fold", "link_filters": "select",
                               "text_compare": "collation",
                               "row_cap": 40, "default_direction": "asc", "null_tests": "strict"}, {}),
    "order without case": ({"collation": "nocase", "text_compare": "collation", "default_order": "scattered",
                            "unknown_parameters": "refuse", "mixed_levels": "refuse"}, {"last_visited": "null"}),
}
DATA = ("anchor_case", "collation", "link_filters")  # what changes rows or their order, and so the oracle too

TARGETS = ["small.example", "tricky.example", "lower.example", "one.example", "lost.example", "empty.example",
           "ahrefs.com", "blog.ahrefs.com", "yep.com", "www.small.example", "shop.lower.example", "example.com",
           "nowhere.small.example", "xn--mnchen-3ya.example"]
MANY_SPELLINGS = ["small.example", "tricky.example", "ahrefs.com", "xn--mnchen-3ya.example", "site-a.example"]
PATHS = ["", "/", "/about", "/about/", "/blog/", "/blog/first-post", "/?p=12", "/News", "/a%20b", "/nothing"]
WORDS = ["seo", "SEO tools", "İstanbul", "Straße", "ΣΊΣΥΦΟΣ", "naïve café", "it's", 'say "x"', "a\\b", "a,b(c)",
         "%", "_", "the", "http://", "日本", "10", "ſ", "ǅ", "ẞ", "K", "ς", " ", "(", ".*", "\\d", "<b>", "&amp;"]


class Generator:
    """Calls as bytes, with odd spellings and now and then something wrong."""

    def __init__(self, dice, model, wrong=0.12, merging=False):
        self.dice, self.model, self.wrong, self.merging = dice, model, wrong, merging

    def one_of(self, *choices):
        return self.dice.choice(choices)

    def quoted(self, text):
        """A literal in quotes, as PHP and node write it."""
        quote = self.one_of('"', '"', '"', "'")
        out = ""
        for letter in text:
            if letter == "\0":
                out += "\\0"
            elif letter in ("\\", quote) or (letter in "'\"" and self.dice.random() < 0.7):
                out += "\\" + letter
            else:
                out += letter
        return quote + out + quote

    def literal(self, text):
        bare = text and not set(text) & set(",()\"'\\=<>:\0") and text == text.strip()
        return text if bare and self.dice.random() < 0.3 else self.quoted(text)

    def anchor(self, rows):
        """A text to look for: an anchor, a part of it, a word, in any case."""
        text = self.dice.choice(rows)["anchor"] if rows and self.dice.random() < 0.75 else self.dice.choice(WORDS)
        if self.dice.random() < 0.5 and text:
            start = self.dice.randrange(len(text))
            text = text[start:start + self.dice.randrange(1, 12)]
        return self.one_of(text, text, text.upper(), text.lower(), text.title())

    def condition(self, clause, rows):
        blank = self.one_of("", "", "", " ")
        operator = self.one_of("=", ":", "<>", "<", "<=", ">", ">=")
        columns = ["anchor", "anchor", "backlinks", "refpages", "first_seen", "last_visited"]
        column = self.dice.choice(columns + (["refdomain", "refdomain"] if clause == "where" else ["refdomains"]))
        row = self.dice.choice(rows) if rows else None
        if column in ("anchor", "refdomain"):
            text = self.anchor(rows) if column == "anchor" else \
                self.one_of("example.org", "Blog.example", "com", "e", "example.net", "spam.example", "site")
            if self.dice.random() < 0.5:
                function = self.one_of("substring", "word", *(["subdomain"] if column == "refdomain" else []))
                return f"{function}({blank}{column},{blank}{self.literal(text or 'x')})"
            return f"{column}{blank}{operator}{blank}{self.literal(text)}"
        if column in ("backlinks", "refpages", "refdomains"):
            number = row[column] if row and self.dice.random() < 0.7 else self.dice.randrange(-2, 60)
            text = self.one_of(str(number), str(number), f'"{number}"')
            if number >= 0 and self.dice.random() < 0.1:
                text = "0" + text if text[0] != '"' else text
            return f"{column}{blank}{operator}{blank}{text}"
        if column == "last_visited":
            return f"last_visited{self.one_of('>', '>=')}{self.literal('2018-01-01')}"
        moment = row["first_seen"] if row and self.dice.random() < 0.8 else "2019-05-04T00:00:00Z"
        text = self.one_of(moment[:10], moment[:10], moment)
        if text == moment and self.dice.random() < 0.7:
            return f'first_seen{operator}"{text}"'
        return f"first_seen{blank}{operator}{blank}{self.one_of(text, self.quoted(text))}"

    def merged_condition(self, clause, rows):
        """One that spellings of an anchor meet, and their sum perhaps not."""
        spellings = self.dice.choice([some for some in group(rows, fold).values() if len(some) > 1])
        column = self.one_of(*NUMBERS[:2 if clause == "where" else 3])
        numbers = [row[column] for row in spellings]
        return f"{column}{self.one_of('<', '<=', '<>', ':', '>')}{self.dice.randrange(max(numbers), sum(numbers) + 2)}"

    def clause(self, clause, rows):
        if self.merging and len(merge(rows)) < len(rows) and self.dice.random() < 0.7:
            return self.merged_condition(clause, rows)
        return ",".join(self.condition(clause, rows) for _ in range(self.one_of(1, 1, 2, 3)))

    def target(self):
        host, mode = self.dice.choice(MANY_SPELLINGS if self.merging else TARGETS), self.one_of("exact", "domain", "subdomains", "prefix")
        path = self.dice.choice(PATHS) if self.dice.random() < 0.4 or mode == "exact" else ""
        text = self.one_of("", "", "", "http://", "HTTPS://") + self.one_of(host, host, host.upper())
        if mode in ("domain", "subdomains") and self.dice.random() < 0.1:
            text += ":8080"
        text += path
        return (" " + text + " " if self.dice.random() < 0.05 else text), host, mode, path

    def parameters(self):
        target, host, mode, path = self.target()
        seen = self.model.rows(host, "subdomains")
        found = {"token": TOKEN, "from": "anchors", "target": target, "mode": mode}
        if self.dice.random() < 0.08:
            del found["mode"]
        if self.dice.random() < 0.7:
            found["output"] = self.one_of("json", "json", "xml", "php")
        if self.dice.random() < 0.5:
            names = self.dice.sample(COLUMNS, self.dice.randrange(1, 7))
            found["select"] = ",".join(self.one_of(names, names, names + names[:1], ["*"]))
        if self.dice.random() < 0.35:
            found["where"] = self.clause("where", seen)
        if self.dice.random() < (0.8 if self.merging else 0.35):
            found["having"] = self.clause("having", seen)
        if self.dice.random() < 0.5:
            found["order_by"] = ",".join(self.dice.choice(COLUMNS) + self.one_of("", ":asc", ":desc", ":desc")
                                         for _ in range(self.one_of(1, 1, 2, 3)))
        if self.dice.random() < 0.7:
            found["limit"] = self.one_of("1", "2", "3", "010", "25", "26", "99", "1000", "1e+05", "0", "5000000")
        if self.dice.random() < 0.25:
            found["offset"] = self.one_of("0", "1", "5", "30", "007", "100000")
        return found

    def spoil(self, found):
        """One thing wrong."""
        name, value = self.one_of(
            ("token", "x" * 40), ("token", None), ("from", "links"), ("from", None), ("from", "ANCHORS"),
            ("target", None), ("target", "user@small.example"), ("target", "small example"), ("target", "http://"),
            ("mode", "url"), ("output", "csv"), ("limit", "-1"), ("limit", "1.5"), ("limit", "5000001"),
            ("limit", "abc"), ("offset", "-1"), ("offset", "x"), ("select", "nope"), ("select", "anchor,refdomain"),
            ("order_by", "backlinks:down"), ("order_by", "refdomain"), ("order_by", "nope:asc"),
            ("where", "refdomains>1"), ("where", "nope=1"), ("where", "backlinks>x"), ("where", 'anchor="open'),
            ("where", "backlinks>9223372036854775808"), ("where", "substring(backlinks,1)"), ("where", "backlinks>"),
            ("where", 'anchor="a" backlinks>1'), ("where", 'like(anchor,"a")'), ("where", "first_seen>2018"),
            ("where", 'first_seen>"2018-02-30"'), ("where", "backlinks>1.5"), ("where", "word(first_seen,2018)"),
            ("having", 'refdomain="x"'), ("having", "backlinks!1"), ("having", "last_visited<2018-01-01"),
            ("having", "last_visited>2026-11-01"), ("having", ",backlinks>1"), ("having", "backlinks>1,"))
        if value is None:
            found.pop(name, None)
        else:
            found[name] = value

    def call(self):
        """The bytes of a query, and those of a form (None: GET)."""
        found = self.parameters()
        if self.dice.random() < self.wrong:
            self.spoil(found)
        style = self.one_of("percent", "plus", "mixed", "raw")
        pairs = [name.encode() + b"=" + (b"1e+05" if value == "1e+05" and self.dice.random() < 0.5 else
                                         spell(value, self.dice, style)) for name, value in found.items()]
        self.dice.shuffle(pairs)
        if self.dice.random() < 0.1:
            pairs.append(self.dice.choice(pairs))
        if self.dice.random() < 0.05 and "limit" in found:
            pairs.append(b"limit=3")
        if self.dice.random() < 0.05:
            pairs.append(self.one_of(b"where=backlinks>1", b"having=%ZZ", b"target=other.example", b"output=json", b"mode=exact"))
        for stray in (b"data", b"country=us", b"x=%00%ZZ\xff", b"", b"where=", b"order_by="):
            name = stray.split(b"=")[0].decode("latin-1")
            if name not in found and self.dice.random() < 0.05:
                pairs.insert(self.dice.randrange(len(pairs) + 1), stray)
        cut = self.one_of(len(pairs), len(pairs), len(pairs), 0, self.dice.randrange(len(pairs) + 1))
        form = None if cut == len(pairs) and self.dice.random() < 0.8 else b"&".join(pairs[cut:])
        return b"&".join(pairs[:cut]), form


class World:
    """A sandbox, its oracle, a proxy between, and one connection kept to it."""

    def __init__(self, options, fidelity):
        self.sandbox = Sandbox(today=None, units="unlimited", **options).start()
        data = {name: value for name, value in options.items() if name in DATA}
        self.oracle = Sandbox(today=None, units="unlimited", text_compare="collation", **data).start()
        self.proxy = Anchorage(self.sandbox, fidelity=fidelity, keys=[("seo", TOKEN), ("seo", OTHER_TOKEN)],
                               upstream={"units_per_call": 0,
                                         "max_rows_per_request": options.get("row_cap", "auto")}).start()
        self.model = Model(self.oracle, (TOKEN, OTHER_TOKEN), fidelity.get("anchor_case") != "keep",
                           null_dates=fidelity.get("last_visited") == "null", page=options.get("row_cap", 1000),
                           collated=options.get("text_compare") == "collation")
        self.connection = self.proxy.connect()
        self.stream = self.connection.makefile("rb")

    def close(self):
        self.stream.close()
        self.connection.close()
        self.proxy.close()
        self.sandbox.stop()
        self.oracle.stop()

    def ask(self, query, form=None):
        if form is None:
            head = b"GET /?" + query + b" HTTP/1.1\r\nHost: x\r\n\r\n"
        else:
            head = b"POST /?" + query + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n" \
                b"Content-Length: %d\r\n\r\n" % len(form) + form
        self.connection.sendall(head)
        answer = read_answer(self.stream)
        if answer is None or answer.headers.get("connection") == "close":
            self.stream.close()
            self.connection.close()
            self.connection = self.proxy.connect()
            self.stream = self.connection.makefile("rb")
        return answer

    def check(self, query, form=None):
        """The differences, after a line that shows the call; Unsure passes through."""
        expected = self.model.answer(query + (b"&" + form if form is not None else b""))
        answer = self.ask(query, form)
        if answer is None:
            return ["no answer"], None
        return differences(expected, answer), answer


class ModelTest(unittest.TestCase):
    """Each world below is a test."""


class Found(unittest.TestCase):
    """What long runs have brought to light, each as small as it gets."""

    def world(self, **options):
        sandbox = Sandbox(today=None, **options).start()
        self.addCleanup(sandbox.stop)
        proxy = Anchorage(sandbox)
        self.addCleanup(proxy.close)
        return sandbox, proxy.start()

    def test_pages_by_offset_give_each_row_once(self):
        _, proxy = self.world()
        full = [row["anchor"] for row in proxy.get(target="ahrefs.com").anchors]
        paged = []
        for offset in range(0, len(full), 50):
            paged += [row["anchor"] for row in proxy.get(target="ahrefs.com", limit=50, offset=offset).anchors]
        self.assertEqual(sorted(paged), sorted(full))

    def test_no_row_is_lost_in_silence(self):
        for collation in ("nocase", "locale-like"):
            _, proxy = self.world(collation=collation, plan="Lite")
            answer = proxy.get(target="ahrefs.com")
            if not answer.fault and not answer.marks & {"order_by.anchor", "anchor.case"}:
                self.assertEqual(sum(row["backlinks"] for row in answer.anchors), answer.json["stats"]["backlinks"])

    def test_refpages_of_a_complete_list_are_its_sum(self):
        _, proxy = self.world()
        for select in ("backlinks,refpages", "refpages"):
            answer = proxy.get(target="ahrefs.com", select=select)
            self.assertEqual(answer.json["stats"]["refpages"], sum(row["refpages"] for row in answer.anchors), select)

    def test_an_anchor_is_found_by_its_text(self):
        self.found_by_text("i\u0307stanbul")

    def test_sigmas_differ(self):
        self.found_by_text("\u03bf\u03b4\u03c5\u03c3\u03c3\u03b5\u03cd\u03c2")

    def found_by_text(self, text):
        _, proxy = self.world()
        self.assertIn(text, [row["anchor"] for row in proxy.get(target="tricky.example").anchors])
        answer = proxy.get(target="tricky.example", having=f'anchor="{text}"')
        self.assertEqual([row["anchor"] for row in answer.anchors], [text])

    def test_totals_of_the_sandbox_stay(self):
        sandbox, _ = self.world()
        before = sandbox.stats("small.example", mode="domain").json
        with Sandbox() as sandbox:
            sandbox.anchors("small.example", mode="domain", history="live")
            for path in ("", "about", "about/", "blog/", "blog/first-post", "pricing", "tools", "tools/checker", "News",
                         "a%20b", "index.html"):
                sandbox.anchors("small.example/" + path, mode="exact", history="live")
            self.assertEqual(sandbox.stats("small.example", mode="domain").json, before)


def add_world(name, options, fidelity):
    def test(self):
        world = World(options, fidelity)
        self.addCleanup(world.close)
        dice = random.Random(f"{SEED} {name}")
        generator = Generator(dice, world.model, merging="conditions" in name)
        wrong, first = world.check(f"token={TOKEN}&from=anchors&target=tricky.example&mode=domain".encode())
        self.assertEqual(wrong, [])  # from now on the proxy has seen upper case, if there is any
        compared, charged, failures, start = 0, 0, [], time.monotonic()
        for _ in range(CALLS):
            query, form = generator.call()
            try:
                wrong, answer = world.check(query, form)
            except Unsure:
                continue
            compared += 1
            charged += answer.rows_charged if answer and "x-anchorage-rows" in answer.headers else 0
            if wrong:
                failures.append(f"{query!r} {form!r}:\n    " + "\n    ".join(wrong))
        if CALLS > 1000:
            print(f"{name}: {compared} compared, {len(failures)} wrong, {time.monotonic() - start:.1f} s", flush=True)
        self.assertFalse(failures, f"{len(failures)} of {compared}\n" + "\n".join(failures[:int(os.environ.get(
            "MODEL_SHOW", "5"))]))
        usage = world.proxy.usage()["seo"]
        self.assertEqual(usage["rows"] - charged, first.rows_charged)
        self.assertEqual(usage["units"], world.sandbox.state()["spent"])
    setattr(ModelTest, "test_" + name.replace(" ", "_").replace(",", ""), test)


for world_name, (world_options, world_fidelity) in WORLDS.items():
    add_world(world_name, world_options, world_fidelity)

if __name__ == "__main__":
    unittest.main()
