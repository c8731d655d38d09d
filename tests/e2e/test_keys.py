# SPDX-License-Identifier: MIT
"""Keys: one old token in many programs, tokens that nobody knows, and thousands of keys at once."""
import contextlib
import csv
import glob
import hashlib
import http.client
import io
import json
import os
import socket
import threading
import time
import unittest
import urllib.parse

from anchorage import OTHER_TOKEN, PATIENCE, TOKEN, Anchorage, Answer, OneProxy, read_answer
from sandbox import Sandbox

ROWS = 3  # of an anchors call with limit=2


def name_of(token):
    """What stands for an unknown token in books and log."""
    return "?" + hashlib.sha256(token.encode()).hexdigest()[:10]


def call_from(proxy, source, address=None, headers=None, **params):
    """A call from an address of this machine; all of 127.0.0.0/8 is."""
    connection = http.client.HTTPConnection(*(address or proxy.address), timeout=PATIENCE, source_address=(source, 0))
    with contextlib.closing(connection):
        connection.request("GET", proxy.params({"limit": 2, **params}), headers=headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.getheaders(), response.read())


def strangers(proxy):
    """The rows of `key list --unknown` as dicts."""
    answer = json.loads(proxy.run("key", "list", "--unknown", "--format", "json", check=0).stdout)
    lines = list(csv.DictReader(io.StringIO(proxy.run("key", "list", "--unknown", "--format", "csv", check=0).stdout)))
    rows = [{name: str(value or "") for name, value in row.items()} for row in answer["items"]]
    assert rows == lines, (rows, lines)
    return rows


def pick(rows, *names):
    return sorted(tuple(row[name] for name in names) for row in rows)


class OldToken(OneProxy):
    """A key of team *: the address says whose call it is."""

    proxy_options = {
        "proxy": {"listen": "127.0.0.1:0 [::1]:0"},
        "teams": {"seo": {"addresses": "127.0.0.0/28 192.0.2.0/24", "rows_per_month": 1000},
                  "sales": {"addresses": "127.0.0.2 127.0.0.4/30"},
                  "six": {"addresses": "::/0"},
                  "none": {"addresses": "127.0.0.3", "rows_per_month": 0, "subscription": "None"}},
        "keys": [("*", TOKEN), ("seo", OTHER_TOKEN)]}

    def test_the_narrowest_network_counts(self):
        for source, team in [("127.0.0.1", "seo"), ("127.0.0.2", "sales"), ("127.0.0.4", "sales"),
                             ("127.0.0.7", "sales"), ("127.0.0.8", "seo"), ("127.0.0.15", "seo")]:
            with self.subTest(source=source):
                entry = self.charged(call_from(self.proxy, source), ROWS)
                self.assertEqual((entry["team"], entry["client"]), (team, source))

    def test_an_address_of_ipv6(self):
        host, _, port = self.proxy.addresses[1].rpartition(":")
        self.assertEqual(host, "[::1]")
        entry = self.charged(call_from(self.proxy, "::1", ("::1", int(port))), ROWS)
        self.assertEqual((entry["team"], entry["client"]), ("six", "::1"))

    def test_the_team_is_whole(self):
        """Limits, what is left and subscription_info are those of the address's team."""
        self.refused(call_from(self.proxy, "127.0.0.3"), "out_of_rows")
        self.assertEqual(call_from(self.proxy, "127.0.0.3", from_="x", **{"from": "subscription_info"})
                         .json["info"]["subscription"], "None")
        answer = call_from(self.proxy, "127.0.0.1")
        self.assertEqual(int(answer.headers["x-anchorage-rows-left"]), self.proxy.usage()["seo"]["rows_left"])
        self.assertNotIn("x-anchorage-rows-left", call_from(self.proxy, "127.0.0.2").headers)

    def test_no_network_no_team(self):
        self.refused(call_from(self.proxy, "127.0.0.16"), "unknown_key")
        self.assertEqual(strangers(self.proxy), [], "the token is known")
        key = self.proxy.run("key", "list", check=0).stdout.splitlines()
        id = next(line.split()[0] for line in key if line.split()[1] == "*")
        self.assertIn(f'"key":"{id}"', [line for line in self.proxy.lines if "127.0.0.16" in line][-1])

    def test_a_key_of_a_team_does_not_ask_for_the_address(self):
        for source in ["127.0.0.2", "127.0.0.99"]:
            self.assertEqual(self.charged(call_from(self.proxy, source, token=OTHER_TOKEN), ROWS)["team"], "seo")

    def test_usage(self):
        def sums(*by):
            return [sum(item["rows"] for item in self.proxy.usage(one).values()) for one in by]

        before = self.proxy.usage("client")
        for source in ["127.0.0.1", "127.0.0.2", "127.0.0.2"]:
            self.charged(call_from(self.proxy, source, target="other.example"), ROWS)
        after = self.proxy.usage("client")
        grown = {client: item["rows"] - before.get(client, {"rows": 0})["rows"] for client, item in after.items()}
        self.assertEqual({client: rows for client, rows in grown.items() if rows},
                         {"127.0.0.1": ROWS, "127.0.0.2": 2 * ROWS})
        self.assertEqual(after["127.0.0.2"]["calls"] - before.get("127.0.0.2", {"calls": 0})["calls"], 2)
        self.assertEqual(len(set(sums("team", "key", "client", "day", "hour", "table", "target"))), 1)
        self.assertEqual(self.proxy.usage("target")["other.example"]["rows"], 3 * ROWS)
        self.assertIn("127.0.0.2,", self.proxy.run("usage", "--by", "client", "--format", "csv", check=0).stdout)
        self.assertIn("127.0.0.2 ", self.proxy.run("usage", "--by", "client", check=0).stdout)

    def test_assign_and_back(self):
        token = "moved" * 8
        id = self.proxy.run("key", "add", "--team", "seo", "--token", token, check=0).stdout.strip()
        self.proxy.run("key", "assign", id, "*", check=0)
        self.assertEqual(self.charged(call_from(self.proxy, "127.0.0.2", token=token), ROWS)["team"], "sales")
        self.proxy.run("key", "assign", id, "seo", check=0)
        self.assertEqual(self.charged(call_from(self.proxy, "127.0.0.2", token=token), ROWS)["team"], "seo")
        entries = [entry for entry in self.proxy.ledger() if entry["kind"] == "note" and entry["key"] == id]
        self.assertEqual([(entry["table"], entry["team"], entry["target"]) for entry in entries],
                         [("key.add", "seo", None), ("key.assign", "*", "seo"), ("key.assign", "seo", "*")])


class Elsewhere(unittest.TestCase):
    def test_unassigned_takes_the_rest(self):
        """Also a client of a socket of the file system, which has no address."""
        with Sandbox(today=None) as sandbox, \
                Anchorage(sandbox, proxy={"listen": "127.0.0.1:0 unix:front.sock"}, keys=[("*", TOKEN)],
                          teams={"seo": {"addresses": "127.0.0.2"}, "unassigned": {}}) as proxy:
            self.assertEqual(proxy.entries(call_from(proxy, "127.0.0.2").id)[-1]["team"], "seo")
            self.assertEqual(proxy.entries(call_from(proxy, "127.0.0.3").id)[-1]["team"], "unassigned")
            with socket.socket(socket.AF_UNIX) as one:
                one.connect(os.path.join(proxy.path, "front.sock"))
                one.sendall(f"GET {proxy.params({'limit': 2})} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                with one.makefile("rb") as stream:
                    entry = proxy.entries(read_answer(stream).id)[-1]
            self.assertEqual((entry["team"], entry["client"]), ("unassigned", "unix"))
            # Tokens that are nobody's are refused all the same.
            self.assertEqual(call_from(proxy, "127.0.0.3", token="nobody's").fault, "unknown_key")

    def test_what_is_refused(self):
        def wrong(teams, text):
            proxy = Anchorage("http://127.0.0.1:1/v3", proxy={"unknown_keys": "meter"}, teams=teams)
            with contextlib.closing(proxy):
                with open(proxy.config, encoding="utf-8") as file:
                    lines = file.read().split("\n")
                where = next(i + 1 for i, line in enumerate(lines) if line in text[0])
                self.assertIn(f"{proxy.config}:{where}: {text[1]}", proxy.run("check", check=1).stderr)

        wrong({"seo": {}}, (["unknown_keys = meter"], "unknown_keys = meter needs a limit"))
        wrong({"unassigned": {}}, (["[team unassigned]"], "unknown_keys = meter needs a limit"))
        wrong({"unassigned": {"rows_per_month": 1, "addresses": "10.0.0.0/8"}, "b": {"addresses": "10.0.0.0/8"}},
              (["[team b]"], "addresses of [team b]: 10.0.0.0/8 belongs to [team unassigned] already"))


class Metered(OneProxy):
    """unknown_keys = meter."""

    proxy_options = {"proxy": {"unknown_keys": "meter"},
                     "teams": {"seo": {"addresses": "127.0.0.2"},
                               "unassigned": {"rows_per_month": 40, "subscription": "Lite"}}}

    def test_served_within_unassigned(self):
        token = "old program's token"
        answer = call_from(self.proxy, "127.0.0.2", token=token, headers={"User-Agent": "old/1.0"})
        entry = self.charged(answer, ROWS)
        self.assertEqual((entry["team"], entry["key"], entry["client"]), ("unassigned", name_of(token), "127.0.0.2"))
        self.assertEqual(int(answer.headers["x-anchorage-rows-left"]), self.proxy.usage()["unassigned"]["rows_left"])
        self.assertEqual(self.proxy.usage("key")[name_of(token)]["rows"], ROWS)
        info = call_from(self.proxy, "127.0.0.3", token=token, **{"from": "subscription_info"})
        self.assertEqual((info.fault, info.json["info"]["subscription"], info.rows_charged), (None, "Lite", 0))
        rows = [row for row in strangers(self.proxy) if row["key"] == name_of(token)]
        self.assertEqual(pick(rows, "client", "state", "calls", "tables", "user_agent"),
                         [("127.0.0.2", "metered", "1", "anchors", "old/1.0"),
                          ("127.0.0.3", "metered", "1", "subscription_info", "")])
        self.assertIn(f'"team":"unassigned","key":"{name_of(token)}"',
                      next(line for line in self.proxy.lines if answer.id in line))

    def test_no_token_is_no_token(self):
        for token in [None, "", "%"]:
            raw = "/?from=anchors&target=small.example&mode=domain" + ("" if token is None else "&token=" + token)
            self.refused(self.proxy.get(raw), "unknown_key")
        self.assertNotIn(name_of(""), pick(strangers(self.proxy), "key"))

    def test_a_disabled_key_is_no_stranger(self):
        id = self.proxy.run("key", "add", "--team", "seo", "--token", "closed", check=0).stdout.strip()
        self.proxy.run("key", "disable", id, check=0)
        self.refused(self.proxy.get(token="closed"), "unknown_key")
        self.assertNotIn((name_of("closed"),), pick(strangers(self.proxy), "key"))
        # Its old token is a stranger's once it has another.
        self.proxy.run("key", "rotate", id, check=0)
        self.assertEqual(self.charged(self.proxy.get(token="closed", limit=1), 2)["key"], name_of("closed"))

    def test_a_key_takes_it_off_the_list(self):
        for token in ["soon-known", "soon-imported"]:
            self.charged(self.proxy.get(token=token, limit=1), 2)
            self.assertIn((name_of(token),), pick(strangers(self.proxy), "key"))
        self.proxy.run("key", "add", "--team", "seo", "--token", "soon-known", check=0)
        self.assertNotIn((name_of("soon-known"),), pick(strangers(self.proxy), "key"))
        self.proxy.run("key", "import", "-", text_in="team,name,token\n*,,soon-imported\n", check=0)
        self.assertNotIn((name_of("soon-imported"),), pick(strangers(self.proxy), "key"))
        self.assertEqual(self.charged(self.proxy.get(token="soon-known", limit=1), 2)["team"], "seo")
        self.assertEqual(call_from(self.proxy, "127.0.0.9", token="soon-imported").fault, None)
        self.assertEqual(self.proxy.ledger()[-1]["team"], "unassigned")


class Lives(unittest.TestCase):
    """What is on disk, and when."""

    def test_a_limit_and_restarts(self):
        teams = {"seo": {}, "unassigned": {"rows_per_month": 2 * ROWS}}
        with Sandbox(today=None) as sandbox, Anchorage(sandbox, proxy={"unknown_keys": "meter"}, teams=teams) as proxy:
            for token in ["first", "second"]:
                self.assertEqual(call_from(proxy, "127.0.0.2", token=token).rows_charged, ROWS)
            self.assertEqual(call_from(proxy, "127.0.0.2", token="third").fault, "out_of_rows")
            self.assertEqual(proxy.get(limit=2).rows_charged, ROWS, "a team has its own rows")
            before = strangers(proxy)
            self.assertEqual(pick(before, "key", "calls"), sorted((name_of(t), "1") for t in ["first", "second", "third"]))
            proxy.stop()
            # No daemon: the command opens the books itself, and says the same.
            self.assertEqual(strangers(proxy), before)
            proxy.run("key", "add", "--team", "seo", "--token", "second", check=0)
            self.assertEqual(pick(strangers(proxy), "key"), sorted((name_of(t),) for t in ["first", "third"]))
            proxy.start()
            self.assertEqual(call_from(proxy, "127.0.0.2", token="first").fault, "out_of_rows")
            self.assertEqual(pick([row for row in strangers(proxy) if row["key"] == name_of("first")], "calls"), [("2",)])
            proxy.kill()
            # What was not written yet is lost, nothing else.
            self.assertEqual(pick(strangers(proxy), "key"), sorted((name_of(t),) for t in ["first", "third"]))
            self.assertIn(name_of("first"), proxy.usage("key"))
            proxy.run("ledger", "verify", check=0)
            self.no_token(proxy, ["first-token-of-all"])

    def no_token(self, proxy, tokens):
        files = [os.path.join(proxy.path, "state", name) for name in os.listdir(os.path.join(proxy.path, "state"))]
        text = "".join(proxy.lines).encode()
        for path in files:
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    text += file.read()
        for token in tokens:
            self.assertNotIn(token.encode(), text)

    def test_refused_and_listed(self):
        with Sandbox(today=None) as sandbox, Anchorage(sandbox) as proxy:
            token = "a token that was never added"
            for source, agent, table in [("127.0.0.2", "report.pl/3", "backlinks"), ("127.0.0.2", "report.pl/3", "anchors"),
                                         ("127.0.0.3", "x" * 500, "no/such table")]:
                answer = call_from(proxy, source, token=token, headers={"User-Agent": agent}, **{"from": table})
                self.assertEqual(answer.fault, "unknown_key")
            rows = strangers(proxy)
            self.assertEqual([row["client"] for row in rows], ["127.0.0.3", "127.0.0.2"], "the last one first")
            self.assertEqual(pick(rows, "key", "state", "calls", "tables"),
                             [(name_of(token), "refused", "1", "no?such?table"),
                              (name_of(token), "refused", "2", "backlinks,anchors")])
            self.assertEqual(rows[1]["user_agent"], "report.pl/3")
            self.assertRegex(rows[0]["user_agent"], r"^x{80,130}\.\.\.$")
            self.assertEqual([item for item in proxy.usage("key")], [], "refused calls are not booked")
            proxy.stop()
            self.assertEqual(strangers(proxy), rows)
            self.no_token(proxy, [token])

    def test_a_flood_is_not_written(self):
        """Random tokens without end: the files grow by one list of bounded size, at the end."""
        with Sandbox(today=None) as sandbox, Anchorage(sandbox) as proxy:
            self.assertEqual(call_from(proxy, "127.0.0.2", token="the-old-program").fault, "unknown_key")
            state = os.path.join(proxy.path, "state")

            def size():
                return sum(os.stat(path).st_size for path in glob.glob(state + "/ledger.db*"))

            before = size()
            with proxy.connect() as one, one.makefile("rb") as stream:
                for batch in range(30):
                    one.sendall(b"".join(b"GET /?token=%d-%d HTTP/1.1\r\nHost: x\r\n\r\n" % (batch, i)
                                         for i in range(50)))
                    self.assertEqual({read_answer(stream).fault for _ in range(50)}, {"unknown_key"})
            self.assertEqual(size(), before)
            rows = strangers(proxy)
            self.assertEqual(len([row for row in rows if row["client"] == "127.0.0.1"]), 100)
            self.assertEqual(rows[-1]["key"], name_of("the-old-program"))
            proxy.stop()
            self.assertLess(size(), before + 200000)
            self.assertEqual(strangers(proxy), rows)


class Thousands(unittest.TestCase):
    KEYS = 5000

    def test_an_import_while_calls_are_answered(self):
        """Answers go on coming; what the loop itself answers does not wait for the import."""
        lines = "".join(f'"seo","program ""{i}""",token-{i:06}\r\n' for i in range(self.KEYS))
        text = "\ufeffTeam,Name,Token\r\n" + lines + lines[:100 * 40].rpartition("\r\n")[0] + "\r\n"
        with Sandbox(today=None) as sandbox, Anchorage(sandbox) as proxy:
            self.assertEqual(proxy.get(limit=2).fault, None)
            over, slowest, faults = threading.Event(), {"paid": 0, "free": 0}, set()

            def ask(kind, path):
                request = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
                with proxy.connect() as one, one.makefile("rb") as stream:
                    while not over.is_set():
                        began = time.monotonic()
                        one.sendall(request)
                        faults.add(read_answer(stream).fault)
                        slowest[kind] = max(slowest[kind], time.monotonic() - began)

            threads = [threading.Thread(target=ask, args=one)
                       for one in [("paid", proxy.params({"limit": 2})), ("free", "/nothing")]]
            for thread in threads:
                thread.start()
            try:
                dry = proxy.run("key", "import", "--dry-run", "-", text_in=text, check=0).stdout
                self.assertEqual(proxy.get(token="token-000000").fault, "unknown_key")
                done = proxy.run("key", "import", "-", text_in=text, check=0).stdout
                again = proxy.run("key", "import", "-", text_in=text, check=0).stdout
            finally:
                over.set()
                for thread in threads:
                    thread.join()
            twice = text.count("token-") - self.KEYS
            self.assertGreater(twice, 50)
            self.assertEqual(dry, f"would add {self.KEYS}, already there {twice}\n")
            self.assertEqual(done, f"added {self.KEYS}, already there {twice}\n")
            self.assertEqual(again, f"added 0, already there {self.KEYS + twice}\n")
            self.assertEqual(faults, {None, "not_found"})
            self.assertLess(slowest["free"], 1, f"the loop stood still: {slowest}")
            for token in ["token-000000", f"token-{self.KEYS - 1:06}"]:
                self.assertEqual(proxy.get(token=token, limit=2).fault, None)
            listed = proxy.run("key", "list", check=0).stdout.splitlines()
            self.assertEqual(len(listed), 1 + 1 + self.KEYS)
            self.assertIn('program "17"', "".join(listed))
            proxy.run("ledger", "verify", check=0)

    def test_an_import_with_one_bad_line(self):
        text = "seo,a,token-a\nnobody,b,token-b\nseo,c,token c\n"
        with Sandbox(today=None) as sandbox, Anchorage(sandbox) as proxy:
            done = proxy.run("key", "import", "-", text_in=text, check=1)
            self.assertIn(":2: no team \"nobody\"", done.stderr)
            self.assertIn(":3: the token has a space", done.stderr)
            self.assertEqual(proxy.get(token="token-a").fault, "unknown_key")


if __name__ == "__main__":
    unittest.main()
