# SPDX-License-Identifier: MIT
"""Target records: what scorecards of many programs cost when v3 is asked for a hundred targets at once, and that every
unit it takes is booked to one of them, whatever happens on the way."""
import json
import os
import threading
import time
import unittest

from anchorage import OTHER_TOKEN, TOKEN, Anchorage, read_answer
from sandbox import Sandbox
from test_sharing import Background

OBJECTS = ("domain_rating", "metrics", "metrics_extended", "positions_metrics")
PLENTY = {"units_per_month": "unlimited"}
ENDS = ("settle", "release", "unknown")


def units_of(entry):
    return entry["units_predicted"] if entry["units"] is None else entry["units"]


class Records(unittest.TestCase):
    def proxy(self, v3=None, upstream=None, files=None, **sections):
        self.v3 = Sandbox(today=None, units="unlimited", **(v3 or {}))
        self.addCleanup(self.v3.stop)
        self.v3.start()
        proxy = Anchorage(self.v3, upstream={**PLENTY, **(upstream or {})}, **sections)
        self.addCleanup(proxy.close)
        for name, text in (files or {}).items():
            with open(os.path.join(proxy.path, name), "w", encoding="ascii") as file:
                file.write(text)
        return proxy.start()

    def at_once(self, proxy, calls):
        """All sent before any is read, each on a connection of its own; their answers in the same order."""
        clients = [proxy.connect() for _ in calls]
        for client, call in zip(clients, calls):
            client.sendall(f"GET {proxy.params(call)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answers = []
        for client in clients:
            with client, client.makefile("rb") as stream:
                answers.append(read_answer(stream))
        return answers

    def over(self, proxy, connections, calls):
        """The calls over so many kept connections."""
        answers, left, lock = [None] * len(calls), list(range(len(calls))), threading.Lock()

        def one():
            with proxy.connect() as connection, connection.makefile("rb") as stream:
                while True:
                    with lock:
                        if not left:
                            return
                        index = left.pop(0)
                    connection.sendall(f"GET {proxy.params(calls[index])} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                    answers[index] = read_answer(stream)

        threads = [threading.Thread(target=one) for _ in range(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def booked(self, proxy):
        """Units of all calls, each of which has held and ended once."""
        ends = {}
        for entry in proxy.ledger():
            if entry["kind"] in ENDS:
                self.assertNotIn(entry["id"], ends)
                ends[entry["id"]] = entry
        self.assertEqual(proxy.run("ledger", "verify").returncode, 0)
        return sum(units_of(entry) for entry in ends.values())

    def spent(self, proxy, requests, units):
        """No more than these, and all of it booked."""
        state = self.v3.state()
        self.assertLessEqual(state["seen"], requests)
        self.assertLessEqual(state["spent"], units)
        self.assertEqual(self.booked(proxy), state["spent"])

    def good(self, answers):
        for answer in answers:
            self.assertIsNone(answer.fault, answer)


def ratings(n, **more):
    return [{"from": "domain_rating", "target": f"t{i}.example", "mode": "domain", **more} for i in range(n)]


class Prices(Records):
    def test_one_scorecard(self):
        calls = [{"from": table, "target": "lower.example", "mode": "subdomains"} for table in OBJECTS]
        proxy = self.proxy()
        self.good([proxy.get(**call) for call in calls])
        self.spent(proxy, 1, 50)
        self.good(self.at_once(proxy, [{**call, "target": "small.example"} for call in calls]))
        self.spent(proxy, 2, 100)

    def test_a_thousand_targets_at_once(self):
        proxy = self.proxy(teams={"seo": {"concurrency": 1000}})
        answers = self.at_once(proxy, ratings(1000))
        self.good(answers)
        self.spent(proxy, 12, 4000)
        self.assertEqual(sum(answer.units for answer in answers), self.v3.state()["spent"])
        self.assertEqual({answer.rows_charged for answer in answers}, {1})

    def test_the_same_over_32_connections(self):
        proxy = self.proxy()
        self.good(self.over(proxy, 32, ratings(1000)))
        self.spent(proxy, 45, 4000)

    def test_one_bad_among_a_hundred(self):
        for names, requests in (("yes", 2), ("no", 16)):
            with self.subTest(names=names):
                proxy = self.proxy(v3={"batch_names_bad": names}, teams={"seo": {"concurrency": 100}})
                calls = ratings(100)
                calls[70]["target"] = "refused.example"
                answers = self.at_once(proxy, calls)
                self.assertEqual([answer.fault for answer in answers], [None] * 70 + ["bad_target"] + [None] * 29)
                self.assertEqual((answers[70].units, answers[70].rows_charged), (0, 0))
                self.assertIn("bad target", answers[70].json["error"])
                self.spent(proxy, requests, 700)  # the halves have their least price each

    def test_one_that_v3_does_not_know(self):
        proxy = self.proxy(v3={"batch_unknown": "refuse"}, teams={"seo": {"concurrency": 100}})
        calls = ratings(20)
        calls[7]["target"] = "unknown.example"
        answers = self.at_once(proxy, calls)
        self.assertLessEqual([i for i, answer in enumerate(answers) if answer.fault], [7])

    def test_shares_and_who_pays(self):
        proxy = self.proxy(teams={"seo": {}, "ads": {}}, keys=[("seo", TOKEN), ("ads", OTHER_TOKEN)])
        calls = [{"from": "metrics_extended", "target": "small.example", "mode": "domain", "token": token}
                 for token in (TOKEN, OTHER_TOKEN)]
        calls += [{"from": "domain_rating", "target": "small.example", "mode": "exact"}]  # the rating is the host's
        answers = self.at_once(proxy, calls)
        self.good(answers)
        self.spent(proxy, 1, 50)
        ends = [self.settle(proxy, answer) for answer in answers]
        [payer] = [end for end in ends if not end["paid_by"]]
        self.assertEqual((payer["units"], payer["units_alone"], payer["via"]), (50, 50, "upstream"))
        for end in ends:
            if end is not payer:
                self.assertEqual((end["units"], end["units_alone"], end["via"], end["paid_by"]),
                                 (0, 50, "shared", payer["id"]))
        later = self.settle(proxy, proxy.get(from_="positions_metrics", target="small.example", mode="domain"))
        self.assertEqual((later["units"], later["units_alone"], later["via"], later["paid_by"]),
                         (0, 50, "cache", payer["id"]))
        two = self.at_once(proxy, ratings(2))
        for end in (self.settle(proxy, answer) for answer in two):
            self.assertEqual((end["units"], end["units_alone"], end["via"]), (25, 50, "upstream"))
            hold, lower = [e for e in proxy.known_entries(end["id"]) if e["kind"] == "hold"]
            self.assertEqual((hold["units"], hold["ref"], lower["units"], lower["ref"]), (50, None, 25, end["id"]))

    def test_totals_of_anchors_from_a_record(self):
        proxy = self.proxy()
        self.good([proxy.get(from_="metrics", target="small.example", mode="domain")])
        before = self.v3.state()["seen"]
        answer = proxy.get(from_="anchors", target="small.example", mode="domain", limit=1)
        self.good([answer])
        self.assertNotIn("backlinks-stats", [one["path"].rpartition("/")[2] for one in self.v3.log()[before:]])
        self.assertEqual(answer.json["stats"]["backlinks"],
                         self.v3.stats("small.example", mode="domain").json["metrics"]["live"])

    def test_prices_that_are_not_believed(self):
        proxy = self.proxy()
        self.v3.script({"match": "batch-analysis", "times": 1, "headers": {"x-api-units-cost-total-actual": "999999"}})
        answers = self.at_once(proxy, ratings(2))
        self.good(answers)
        self.assertEqual([self.settle(proxy, answer)["units"] for answer in answers], [None, None])
        self.assertEqual(self.booked(proxy), 50)
        proxy.says("not believed")

    def settle(self, proxy, answer):
        return next(entry for entry in proxy.entries(answer.id) if entry["kind"] == "settle")

    def test_what_explain_says(self):
        """An object is one result, whatever limit says."""
        proxy = self.proxy()
        for call, rows in (({"from": "positions_metrics", "where": 'country="us"', "select": "traffic"}, 7),
                           ({"from": "metrics_extended", "limit": 1000}, 2), ({"from": "metrics"}, 1),
                           ({"from": "domain_rating", "order_by": "x"}, 1)):
            said = json.loads(proxy.run("explain", "--format", "json", proxy.params(call)[2:], check=0).stdout)
            self.assertEqual((said["rows_at_most"], said["units_at_most"]), (rows, 50), call)
            self.assertEqual(proxy.get(**call).rows_charged, rows)

    def test_countries_and_free_targets_stay_apart(self):
        proxy = self.proxy()
        calls = [{"from": "positions_metrics", "target": "small.example", "mode": "domain", "where": where}
                 for where in (None, 'country="us"', 'country:"DE"')]
        calls.append({"from": "domain_rating", "target": "ahrefs.com", "mode": "domain"})
        answers = self.at_once(proxy, calls)
        self.good(answers)
        self.assertEqual([answer.rows_charged for answer in answers], [2, 7, 7, 0])
        self.assertEqual([answer.units for answer in answers], [50, 50, 50, 0])
        self.spent(proxy, 4, 150)

    def test_two_keys_never_share(self):
        proxy = self.proxy(v3={"key": ["one", "two"]}, files={"own.key": "two"},
                           teams={"seo": {}, "own": {"api_key_file": "own.key"}},
                           keys=[("seo", TOKEN), ("own", OTHER_TOKEN)])
        answers = self.at_once(proxy, [{**ratings(1)[0], "token": token} for token in (TOKEN, OTHER_TOKEN)])
        self.good(answers)
        self.assertEqual([answer.units for answer in answers], [50, 50])
        self.spent(proxy, 2, 100)


class Misfortunes(Records):
    def waits(self, requests):
        self.v3.wait(requests=requests)

    def test_clients_that_leave(self):
        """Before the POST nothing is asked for them; behind it they owe their share."""
        proxy = self.proxy(upstream={"gather": "500ms"})
        early = Background(proxy, **ratings(1)[0])
        stays = [Background(proxy, **call) for call in ratings(4)[1:]]
        proxy.get(from_="subscription_info")  # all have been read
        early.leave()
        self.good([client.answer() for client in stays])
        self.assertEqual(len(self.v3.log()), 1)
        self.spent(proxy, 1, 50)
        self.v3.script({"match": "batch-analysis", "delay_ms": 400})
        calls = ratings(8)[4:]
        clients = [Background(proxy, **call) for call in calls]
        self.waits(2)
        clients[0].leave()
        self.good([client.answer() for client in clients[1:]])
        deadline = time.monotonic() + 20
        while self.booked(proxy) < self.v3.state()["spent"] and time.monotonic() < deadline:
            time.sleep(0.05)
        self.spent(proxy, 2, 100)

    def test_a_kill_in_the_middle(self):
        """Nobody knows what was taken: what each would have paid is counted."""
        proxy = self.proxy()
        self.v3.script({"match": "batch-analysis", "stall": True})
        clients = [Background(proxy, **call) for call in ratings(40)]
        self.waits(1)
        proxy.kill()
        for client in clients:
            client.leave()
        proxy.start()
        self.assertEqual(self.booked(proxy), self.v3.state()["spent"])
        ends = [entry for entry in proxy.ledger() if entry["kind"] == "unknown"]
        self.assertEqual({entry["fault"] for entry in ends}, {"crash"})

    def test_the_end_of_their_time(self):
        proxy = self.proxy(proxy={"call_timeout": "700ms"})
        self.v3.script({"match": "batch-analysis", "stall": True})
        answers = self.at_once(proxy, ratings(10))
        self.assertEqual({answer.fault for answer in answers}, {"upstream_late"})
        self.assertEqual(self.booked(proxy), self.v3.state()["spent"])

    def test_v3_in_trouble(self):
        proxy = self.proxy()
        self.v3.script({"match": "batch-analysis", "times": 1, "status": 429, "body": {"error": "slow"}},
                       {"match": "batch-analysis", "times": 1, "status": 503, "body": "busy"})
        self.good(self.at_once(proxy, ratings(5)))
        self.v3.script({"match": "batch-analysis", "times": 1, "status": 500, "body": "broken"})
        answers = self.at_once(proxy, ratings(9)[5:])
        self.assertEqual({answer.fault for answer in answers}, {"upstream_down"})

    def test_limits_in_the_middle(self):
        """What the limits leave pays for some; nobody passes them, and who is refused owes nothing."""
        proxy = self.proxy(upstream={"units_per_month": 400}, teams={"seo": {"concurrency": 100, "rows_per_month": 60}})
        answers = self.at_once(proxy, ratings(100))
        faults = {answer.fault for answer in answers}
        self.assertLessEqual(faults, {None, "out_of_rows", "out_of_units"})
        for answer in answers:
            if answer.fault:
                self.assertEqual((answer.units, answer.rows_charged), (0, 0), answer)
        self.assertLessEqual(self.booked(proxy), 400)
        self.assertEqual(self.booked(proxy), self.v3.state()["spent"])
        self.assertGreater(sum(answer.fault is None for answer in answers), 30)

    def test_an_odd_answer_is_paid_for(self):
        proxy = self.proxy()
        self.v3.script({"match": "batch-analysis", "times": 1, "status": 200, "body": {"targets": []},
                        "headers": {"x-api-units-cost-total-actual": "51"}})
        answers = self.at_once(proxy, ratings(3))
        self.assertEqual({answer.fault for answer in answers}, {"upstream_odd"})
        self.assertEqual(sorted(answer.units for answer in answers), [17, 17, 17])

    def test_asked_anew(self):
        proxy = self.proxy()
        call = ratings(1)[0]
        self.good([proxy.get(**call), proxy.get(**call, headers={"X-Anchorage-Fresh": "yes"})])
        self.spent(proxy, 2, 100)


if __name__ == "__main__":
    unittest.main()
