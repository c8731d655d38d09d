# SPDX-License-Identifier: MIT
"""Clients that come and go, a v3 that fails in every way, reloads, little memory, limits that are nearly used up, and an
end in the middle of it: the books are judged by what clients and v3 saw.

    CHAOS_SECONDS=60 CHAOS_CLIENTS=100 CHAOS_SEED=7 python3 test_chaos.py
"""
import json
import os
import random
import signal
import sys
import threading
import time
import unittest

from anchorage import Anchorage, read_answer
from sandbox import Sandbox

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "crash"))
from books import Books  # noqa: E402

SECONDS = float(os.environ.get("CHAOS_SECONDS", "3"))
CLIENTS = int(os.environ.get("CHAOS_CLIENTS", "40"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))
TEAMS = {"plenty": {"concurrency": 50}, "few": {"rows_per_month": 1500}, "narrow": {"concurrency": 2},
         "dear": {"units_per_month": 40000, "concurrency": 20}, "comes": {"concurrency": 1}}
TOKENS = {team: (team * 40)[:40] for team in TEAMS}
TARGETS = ["small.example", "lower.example", "big.example", "tricky.example", "one.example", "unknown.example",
           "ahrefs.com", *(f"m{n}.example" for n in range(20))]
PRICE = "x-api-units-cost-total-actual"
FAULTS = [{"status": 429, "headers": {"Retry-After": "0"}}, {"status": 503, "headers": {"Retry-After": "0"}},
          {"status": 500, "body": "x"}, {"status": 400, "body": {"error": "bad where: invalid filter expression"}},
          {"match": "anchors", "lie_rows": 7}, {"replace": {'"anchors"': '"rows"'}}, {"body": "{"},
          {"match": "anchors", "headers": {PRICE: None}}, {"match": "backlinks-stats", "headers": {PRICE: None}},
          {"delay_ms": 30}, {"delay_ms": 300}, {"truncate_at": 40}, {"reset": True, "truncate_at": 10},
          {"reset": True}, {"stall": True}, {"drip_ms": 20, "drip_bytes": 2000}]


class Chaos(unittest.TestCase):
    def setUp(self):
        self.dice = random.Random(SEED)
        cap = {"row_cap": 100} if SEED % 2 else {}
        self.sandbox = Sandbox(today=None, units="unlimited", **cap).start()
        self.addCleanup(self.sandbox.stop)
        self.proxy = Anchorage(self.sandbox, teams=dict(TEAMS), keys=list(TOKENS.items()),
                               proxy={"call_memory": "16", "queue_timeout": "500ms", "call_timeout": "1500ms",
                                      "drain_timeout": self.dice.choice(["500ms", "4s"])},
                               upstream={"timeout": "1s", "answer_ttl": "50ms", "stats_ttl": "200ms",
                                         "units_per_call": 20000})
        self.addCleanup(self.proxy.close)
        self.proxy.start()
        self.answers, self.unanswered, self.ends = [], [], False

    def call(self, dice):
        team = dice.choice(list(TEAMS))
        return team, {"token": TOKENS[team], "target": dice.choice(TARGETS), "mode": dice.choice(["domain", "exact"]),
                      "limit": dice.choice([0, 1, 20, 20, 60, 1000, 3000]), "offset": dice.choice([None, 0, 20, 40, 700]),
                      "order_by": dice.choice([None, "backlinks:desc"]), "output": dice.choice(["json", "xml"]),
                      "having": dice.choice([None, None, None, "refdomains>1"])}

    def one(self, dice, team, call):
        connection = self.proxy.connect()
        with connection, connection.makefile("rb") as stream:
            connection.sendall(f"GET {self.proxy.params(call)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            if dice.random() < 0.25:
                time.sleep(dice.choice([0, 0.005, 0.05, 0.5]))  # and leaves
                return
            answer = read_answer(stream)
            (self.answers if answer else self.unanswered).append((team, call["target"], answer))

    def client(self, number):
        dice = random.Random(SEED * 1000 + number)
        while not self.ends:
            try:
                self.one(dice, *self.call(dice))
            except (OSError, AssertionError) as error:
                if not self.ends:
                    self.unanswered.append(error)

    def stir(self):
        """One more trouble."""
        if self.dice.random() < 0.7:
            self.sandbox.script(*({"skip": self.dice.randrange(30), **self.dice.choice(FAULTS)} for _ in range(3)))
            return
        sections = self.proxy.sections
        if not sections.pop("team comes", None):
            sections["team comes"] = TEAMS["comes"]
        sections["team narrow"] = {"concurrency": self.dice.choice([1, 40])}
        sections["upstream"]["answer_ttl"] = self.dice.choice(["0", "50ms", "1h"])
        sections["fidelity"] = {"stats": self.dice.choice(["ask", "zero"])}
        self.proxy.write_config()
        self.proxy.process.send_signal(signal.SIGHUP)

    def test_the_books_are_right_whatever_happens(self):
        clients = [threading.Thread(target=self.client, args=(number,)) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        until = time.monotonic() + SECONDS
        while time.monotonic() < until and self.proxy.process.poll() is None:
            time.sleep(self.dice.uniform(0.02, 0.2))  # chaos has no events to wait for
            self.stir()
        lost, self.ends = list(self.unanswered), True
        self.proxy.terminate()
        for client in clients:
            client.join()
        self.proxy.finish()
        self.assertEqual(lost, [], "calls that nothing has answered")
        self.judge()

    def judge(self):
        self.proxy.sections["team comes"] = TEAMS["comes"]
        self.proxy.write_config()
        books = Books()
        wrong = books.read(self.proxy.run("ledger", "export", "--format", "jsonl", check=0).stdout)
        usage = self.proxy.usage("team", "--since", "2000-01-01")
        wrong += books.open_holds() + books.compare_usage(usage) + books.compare_answers(self.answers)
        wrong += books.compare_limits({"few": {"rows": TEAMS["few"]["rows_per_month"]}})
        booked, spent = sum(item["units"] for item in usage.values()), self.sandbox.state()["spent"]
        self.assertEqual(wrong, [])
        self.assertGreaterEqual(booked, spent)
        self.proxy.run("ledger", "verify", check=0)
        faults = {}
        for _, _, answer in self.answers:
            word = answer.fault or answer.headers.get("x-anchorage-cache")
            faults[word] = faults.get(word, 0) + 1
        self.assertGreater(faults.get("miss", 0), 5, faults)
        if "CHAOS_SECONDS" in os.environ:
            print(f"{len(self.answers)} answers: {json.dumps(faults)}; booked {booked}, spent {spent}")


if __name__ == "__main__":
    unittest.main()
