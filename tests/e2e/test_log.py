# SPDX-License-Identifier: MIT
"""The log on standard error: one line of JSON a call, whatever the call is, and nobody has to read it."""
# quick
import json
import random
import threading
import unittest
import urllib.parse

from anchorage import TOKEN, Anchorage, OneProxy, read_answer
from sandbox import Sandbox

ROOMS = ["read", "plan", "admit", "fetch", "render", "settle"]
REFUSALS = 1500  # lines that no pipe holds


class Patient(Anchorage):
    """A proxy whose standard error is read only when `reads` is set, once it is ready."""

    def __init__(self, *args, **options):
        self.reads = threading.Event()
        super().__init__(*args, **options)

    def _read(self, stderr):
        with stderr:
            for line in stderr:
                self.lines.append(line)
                if line.startswith("anchorage: ready"):
                    self.ready.set()
                    self.reads.wait()
        self.ready.set()


class Lines(OneProxy):
    proxy_options = {"teams": {"seo": {}}}

    def finished_lines(self):
        """The access lines of the proxy, which has ended then, by id."""
        self.proxy.stop()
        return {line["id"]: line for line in self.access_lines()}

    def access_lines(self):
        for line in self.proxy.lines:
            if line.startswith("anchorage: "):
                continue
            self.assertTrue(line.endswith("}\n"), line)
            yield json.loads(line)

    def test_lines(self):
        calls = [{"limit": 2}, {"limit": 2}, {"limit": 2}, {"token": "wrong" * 8}, {"token": None}, {"limit": "x"}, {"from_": "a\"b\\"},
                 {"from_": "subscription_info"}, {"target": "evil\x1b[2J\x7f\x9b .example"}, {"where": "\x00\r\n\u2028"},
                 {"raw": "/nothing\"here?token=" + TOKEN, "headers": {"User-Agent": "a\"}\\"}},
                 {"target": "ahrefs.com", "mode": "domain", "limit": 1}]
        dice = random.Random(7)
        for _ in range(60):
            noise = bytes(dice.choice(b"\"\\\x00\x1b\x7f\x80\x9f\xc2\xe2\xff.a/") for _ in range(dice.randrange(1, 12)))
            name = dice.choice(["target", "where", "select", "limit", "mode", "output", "order_by", "from", "x"])
            query = urllib.parse.urlencode({"token": TOKEN, "from": "anchors", "target": "small.example", "mode": "domain",
                                            "limit": 1, name: noise})
            calls.append({"raw": "/?" + query})
        answers = [self.proxy.get(**call) for call in calls]
        lines = self.finished_lines()
        self.assertEqual(len(lines), len(calls))
        for answer in answers:
            line = lines[answer.id]
            self.assertEqual(line["status"], answer.status)
            self.assertEqual((line["rows"], line["units"]), (answer.rows_charged, answer.units))
            self.assertEqual(line.get("fault"), answer.fault)
            self.assertEqual(set(line.get("approximate", [])), answer.marks)
            self.assertEqual(line.get("cache"), answer.headers.get("x-anchorage-cache"))
            self.assertEqual(list(line["us"]), ROOMS)
            self.assertGreaterEqual(line["total_us"], max(line["us"].values()))
            self.assertEqual(line["client"], "127.0.0.1")
            if answer.fault and answer.fault not in ("too_busy", "bad_request"):
                self.assertTrue(line["why"])
        first, _, again, stranger = (lines[answer.id] for answer in answers[:4])
        self.assertEqual((first["team"], first["table"], first["target"]), ("seo", "anchors", "small.example"))
        self.assertEqual((first["cache"], again["cache"]), ("miss", "hit"))
        self.assertTrue(first["key"])
        self.assertEqual((stranger["team"], stranger["key"], stranger["target"]), ("", "", ""))
        text = "".join(self.proxy.lines)
        for secret in [TOKEN, "wrong" * 8, self.sandbox.key]:
            self.assertNotIn(secret, text)
        for byte in "\x1b\x7f\x9b\x00\r\u2028":
            self.assertNotIn(byte, text)
        self.proxy.start()

    def test_nobody_reads(self):
        """Calls are answered though standard error is full; what was kept comes when it is read again."""
        with Sandbox(today=None) as sandbox:
            proxy = Patient(sandbox)
            try:
                proxy.start()
                request = b"GET /?token=" + b"w" * 40 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
                with proxy.connect() as connection, connection.makefile("rb") as stream:
                    for _ in range(REFUSALS // 10):
                        connection.sendall(request * 10)
                        for _ in range(10):
                            self.assertEqual(read_answer(stream).fault, "unknown_key")
                self.assertEqual(proxy.get(limit=1).status, 200)
                self.assertLess(len(proxy.lines), 10)
                proxy.reads.set()
                proxy.stop()
                self.assertEqual(sum(line.startswith("{") for line in proxy.lines), REFUSALS + 1)
                self.assertFalse([line for line in proxy.lines if "lost" in line])
            finally:
                proxy.reads.set()
                proxy.close()


class Operator(unittest.TestCase):
    """The log knows more than a client may."""

    def make(self, url, **options):
        proxy = Anchorage(url, **options)
        self.addCleanup(proxy.close)
        return proxy

    def test_which_case_of_unknown_key(self):
        proxy = self.make("http://127.0.0.1:1/v3", teams={"seo": {}, "sales": {}},
                          keys=[("seo", TOKEN), ("sales", "s" * 20), ("*", "t" * 20)])
        proxy.start()
        id = next(line.split()[0] for line in proxy.run("key", "list").stdout.splitlines() if " seo " in line)
        self.assertEqual(proxy.run("key", "disable", id, check=0).stdout, f"disabled: key {id} of team seo\n")
        proxy.reload(team_sales=None)
        answers = [proxy.get(token=token) for token in (TOKEN, "s" * 20, "t" * 20, "nobody" * 4, None)]
        self.assertEqual(len({answer.headers["x-anchorage-why"] for answer in answers[:4]}), 1)
        digest = next(line.split()[0] for line in proxy.run("key", "list", "--unknown").stdout.splitlines()[2:])
        proxy.stop()
        lines = {line["id"]: line for line in map(json.loads, (line for line in proxy.lines if line.startswith("{")))}
        for answer, says in zip(answers, ("the key is disabled", "no [team sales]", "of team *", digest, "token is missing")):
            self.assertIn(says, lines[answer.id]["why"])
        self.assertNotIn("nobodynobody", "".join(proxy.lines))

    def test_inner_addresses(self):
        proxy = self.make("http://127.0.0.1:1/v3")
        proxy.start()
        answer = proxy.get(limit=1)
        self.assertEqual(answer.fault, "upstream_down")
        self.assertNotIn("127.0.0.1", answer.bytes.decode())
        self.assertIn("cannot be reached", answer.bytes.decode())
        proxy.stop()
        self.assertRegex("".join(proxy.lines), r"cannot be reached \(.*127\.0\.0\.1")

    def test_start_and_end(self):
        proxy = self.make("http://127.0.0.1:1/v3", teams={"seo": {}, "sales": {}})
        proxy.start()
        proxy.stop()
        text = "".join(proxy.lines)
        self.assertRegex(text, rf"(?m)^anchorage: version [0-9.]+, configuration {proxy.config}, 2 teams: seo, sales; 1 key in "
                               rf"{proxy.path}/state$")
        self.assertRegex(text, r"(?m)^anchorage: ended: nothing was given up$")
        with Sandbox(today=None, latency="60s") as slow:
            proxy = self.make(slow, proxy={"drain_timeout": "1s"})
            proxy.start()
            with proxy.connect() as connection:
                connection.sendall(f"GET {proxy.params({'limit': 1})} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                slow.wait(requests=1)
                proxy.stop()
            self.assertRegex("".join(proxy.lines), r"(?m)^anchorage: ended: 1 call under way was given up; ")


if __name__ == "__main__":
    unittest.main()
