# SPDX-License-Identifier: MIT
"""What belongs to a v3 key: teams with a key of their own, and what v3 is asked about each key."""
import os
import re
import socket
import time
import unittest
import urllib.parse

from anchorage import OTHER_TOKEN, PATIENCE, TOKEN, Anchorage
from sandbox import Sandbox
from test_admin import Admin, parse_metrics

THIRD_TOKEN = "abcdefabcdefabcdefabcdefabcdefabcdefabcd"
FOURTH_TOKEN = "0000000000000000000000000000000000000000"
LIMITS = "/v3/subscription-info/limits-and-usage"
SELDOM = "5s"  # the first look comes within a tenth of it


def day_in(days):
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * 86400))


class WithKeys(Anchorage):
    """A proxy with more key files: `files` is a dict of name and key."""

    def __init__(self, sandbox, files=None, **options):
        super().__init__(sandbox, **options)
        for name, key in (files or {}).items():
            with open(os.path.join(self.path, name), "w", encoding="ascii") as file:
                file.write(key + "\n")

    def said(self, text, count=1):
        """Wait until the log has said it so often; the last line of it."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = [line for line in self.lines if text in line]
            if len(found) >= count:
                return found[-1]
            time.sleep(0.01)
        raise AssertionError(f"{text!r} was not said {count} times:\n" + "".join(self.lines))

    def metrics(self):
        """{name: {key: value}} of those about v3 keys."""
        found = parse_metrics(Admin(self).ask("/metrics").bytes.decode())
        return {name: {dict(labels)["key"]: value for labels, value in samples.items()}
                for name, (_, _, samples) in found.items() if name.startswith("anchorage_v3_")
                and all("key" in dict(labels) for labels in samples)}


def paid(sandbox):
    """The requests that were not looks."""
    return [entry for entry in sandbox.log() if entry["path"] != LIMITS]


class TeamKeys(unittest.TestCase):
    """seo has the main key; own has one of its own, twin the same in another file, copy the main one again."""

    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox(today=None, key=["main-key", "own-key"]).start()
        cls.addClassCleanup(cls.sandbox.stop)
        cls.proxy = WithKeys(
            cls.sandbox, {"own.key": "own-key", "twin.key": " own-key\n", "copy.key": "main-key"},
            proxy={"admin": "127.0.0.1:0", "queue_timeout": "300ms"}, upstream={"limits_interval": SELDOM},
            teams={"seo": {}, "own": {"api_key_file": "own.key"}, "twin": {"api_key_file": "twin.key"},
                   "copy": {"api_key_file": "copy.key"}},
            keys=[("seo", TOKEN), ("own", OTHER_TOKEN), ("twin", THIRD_TOKEN), ("copy", FOURTH_TOKEN)])
        cls.addClassCleanup(cls.proxy.close)
        cls.proxy.start()
        cls.proxy.said("v3 key own: plan")  # the looks are over
        cls.proxy.said("v3 key main: plan")

    def setUp(self):
        self.sandbox.reset()

    def keys_asked(self):
        return [entry["key"] for entry in paid(self.sandbox)]

    def test_each_team_asks_with_its_key(self):
        for token, key in ((TOKEN, 0), (OTHER_TOKEN, 1)):
            self.sandbox.reset()
            self.assertEqual(self.proxy.get(token=token, target="one.example").status, 200)
            self.assertEqual(set(self.keys_asked()), {key})

    def test_what_is_remembered_never_crosses_keys(self):
        own = self.proxy.get(token=OTHER_TOKEN, target="lower.example")
        asked = len(self.keys_asked())
        self.assertGreater(asked, 0)
        twin = self.proxy.get(token=THIRD_TOKEN, target="lower.example")
        self.assertEqual(twin.headers["x-anchorage-cache"], "hit")
        self.assertEqual(len(self.keys_asked()), asked)
        seo = self.proxy.get(target="lower.example")
        self.assertEqual(seo.headers["x-anchorage-cache"], "miss")
        self.assertEqual(self.keys_asked(), [1] * asked + [0] * asked)
        copy = self.proxy.get(token=FOURTH_TOKEN, target="lower.example")
        self.assertEqual(copy.headers["x-anchorage-cache"], "hit")
        self.assertEqual(own.json, seo.json)

    def test_one_key_that_is_denied_or_slowed_stops_nobody_else(self):
        self.sandbox.script({"match": "anchors", "query": {"target": "slow.example"}, "status": 429,
                             "headers": {"Retry-After": "1"}})
        calls = [{"token": token, "target": "slow.example"} for token in (TOKEN, FOURTH_TOKEN)]
        started = time.monotonic()
        slowed = self.proxy.get(**calls[0])
        self.assertEqual(slowed.fault, "upstream_down", slowed)
        other = self.proxy.get(token=OTHER_TOKEN, target="quick.example")
        self.assertEqual(other.fault, None, other)
        copy = self.proxy.get(**calls[1])  # the same key, though another file
        self.assertLess(time.monotonic() - started, 1)
        self.assertEqual(copy.fault, "too_busy", copy)
        deadline = time.monotonic() + PATIENCE
        while self.proxy.get(**calls[1]).fault and time.monotonic() < deadline:
            time.sleep(0.05)

    def test_metrics_name_each_key_once(self):
        metrics = self.proxy.metrics()
        for name in ("anchorage_v3_key_days_left", "anchorage_v3_units_used", "anchorage_v3_look_age_seconds",
                     "anchorage_v3_out_of_units"):
            self.assertEqual(set(metrics[name]), {"main", "own"}, name)

    def test_check_names_the_line(self):
        proxy = WithKeys(self.sandbox, {"empty.key": ""},
                         teams={"seo": {}, "a": {"api_key_file": "nowhere.key"}, "b": {"api_key_file": "empty.key"}})
        self.addCleanup(proxy.close)
        with open(proxy.config, encoding="utf-8") as file:
            lines = file.read().splitlines()
        said = proxy.run("check", check=1).stderr
        for team, word in (("a", "nowhere.key"), ("b", "empty.key")):
            line = lines.index(f"[team {team}]") + 1
            self.assertRegex(said, rf"(?m)^{re.escape(proxy.config)}:{line}: \[team {team}\] .*{word}")
        served = proxy.run("serve", check=78).stderr
        self.assertIn("nowhere.key", served)
        self.assertIn(f"{proxy.config}:{lines.index('[team a]') + 1}", served)


class Looks(unittest.TestCase):
    def test_the_plan_gives_the_row_cap(self):
        with Sandbox(today=None, plan="Lite") as sandbox, WithKeys(sandbox, upstream={"limits_interval": SELDOM},
                                                                   fidelity={"stats": "zero"}) as proxy:
            proxy.said('plan "Lite, billed monthly", 200000 units left, 100 rows an answer')
            sandbox.reset()
            answer = proxy.get(target="lower.example", limit=150)
            self.assertEqual(len(answer.anchors), 150)
            self.assertEqual([entry["query"]["limit"] for entry in paid(sandbox)], ["100", "50"])

    def test_a_name_may_promise_too_much(self):
        with Sandbox(today=None, subscription="ADVANCED (2024)", row_cap=100) as sandbox, \
                WithKeys(sandbox, upstream={"limits_interval": SELDOM}, fidelity={"stats": "zero"}) as proxy:
            proxy.said("500 rows an answer")
            answer = proxy.get(target="lower.example", limit=1000)
            self.assertEqual(len(answer.anchors), 200)
            sandbox.reset()
            self.assertEqual(len(proxy.get(target="lower.example", limit=150, order_by="backlinks").anchors), 150)
            self.assertEqual([entry["query"]["limit"] for entry in paid(sandbox)], ["100", "50"])

    def test_the_billing_day_is_learnt_and_kept(self):
        with Sandbox(today=None, reset_date="2030-01-31") as sandbox:
            proxy = WithKeys(sandbox, upstream={"limits_interval": SELDOM})
            self.addCleanup(proxy.close)
            proxy.start()
            proxy.said("units are counted from day 28 of the month, as usage_reset_date says (it is later")
            notes = [entry for entry in proxy.ledger() if entry["kind"] == "note" and entry["target"] == "billing_day=28"]
            self.assertEqual(len(notes), 1, proxy.ledger())
            proxy.stop()
        proxy.start()  # v3 is not there any more
        proxy.said("limits-and-usage: API v3: it cannot be reached")
        self.assertEqual(len([entry for entry in proxy.ledger() if entry["kind"] == "note"
                              and (entry["target"] or "").startswith("billing_day")]), 1)
        with open(os.path.join(proxy.path, "state", "learnt"), encoding="utf-8") as file:
            self.assertIn("plan = Enterprise, billed yearly\n", file.read())

    def test_what_was_learnt_counts_without_network_and_garbage_does_not(self):
        proxy = WithKeys("http://127.0.0.1:1/v3", proxy={"admin": "127.0.0.1:0"}, upstream={"limits_interval": "1s"})
        self.addCleanup(proxy.close)
        learnt = os.path.join(proxy.path, "state", "learnt")
        with open(learnt, "w", encoding="utf-8") as file:
            file.write(f"[main]\nplan = Lite\nexpires = {day_in(3)}T00:00:00Z\n[seo]\nexpires = 2001-01-01T00:00:00Z\n")
        proxy.start()
        proxy.said("WARNING: it ends in 2 days")
        explained = Admin(proxy).ask("/explain?call=" + urllib.parse.quote(proxy.params({"limit": 150}))).json
        self.assertEqual(explained["page_rows"], 100)
        proxy.stop()
        with open(learnt, "wb") as file:
            file.write(b"[main]\nplan\nexpires = soon\npage_rows = -7\nupper_case = 99999999999999999999\n=\n[\n\0\xff" * 99)
        proxy.start()
        self.assertEqual(proxy.metrics().get("anchorage_v3_key_days_left"), None)
        proxy.stop()

    def test_a_configured_day_stays(self):
        with Sandbox(today=None, reset_date="2030-01-15") as sandbox, \
                WithKeys(sandbox, upstream={"limits_interval": SELDOM, "billing_day": 3}) as proxy:
            proxy.said("v3 key main: plan")
            self.assertNotIn("billing_day=15", [entry["target"] for entry in proxy.ledger()])

    def test_the_end_of_the_key_is_warned_of(self):
        for days, words in ((40, None), (20, "v3 key main: it ends in"), (5, "WARNING: it ends in"),
                            (-2, "IT HAS ENDED")):
            with self.subTest(days=days), Sandbox(today=None, expires=day_in(days)) as sandbox, \
                    WithKeys(sandbox, proxy={"admin": "127.0.0.1:0"}, upstream={"limits_interval": "20ms"}) as proxy:
                proxy.said("v3 key main: plan")
                sandbox.wait(requests=4)
                left = proxy.metrics()["anchorage_v3_key_days_left"]["main"]
                self.assertIn(left, (days - 1, days - 2))  # whole days, and it ends as its day begins; midnight may pass
                proxy.stop()
                said = [line for line in proxy.lines if "it ends in" in line or "IT HAS ENDED" in line]
                self.assertEqual(len(said), 1 if words else 0, said)  # once a day, however often it is looked at
                if words:
                    self.assertIn(words, said[0])

    def test_drift_is_told_and_never_booked(self):
        with Sandbox(today=None) as sandbox, WithKeys(sandbox, proxy={"admin": "127.0.0.1:0"},
                                                      upstream={"limits_interval": "50ms"}) as proxy:
            proxy.said("v3 key main: plan")
            answer = proxy.get()
            self.assertGreater(answer.units, 0)
            self.wait_for(proxy, "anchorage_v3_units_counted_total", answer.units)
            self.wait_for(proxy, "anchorage_v3_units_booked_total", answer.units)
            self.wait_for(proxy, "anchorage_v3_units_drift", 0)
            spent = int(sandbox.anchors("small.example").headers["x-api-units-cost-total-actual"])  # somebody else
            proxy.said(f"Ahrefs counted {spent} units, our books 0: +{spent}, +{spent} since the start")
            self.wait_for(proxy, "anchorage_v3_units_drift", spent)
            self.assertEqual(set(proxy.usage()), {"seo"})
            self.assertEqual(proxy.usage()["seo"]["units"], answer.units)
            sandbox.reset()  # it counts from 0 again
            proxy.said("a new month of units has begun")
            self.assertEqual(proxy.metrics()["anchorage_v3_units_drift"]["main"], spent)

    def wait_for(self, proxy, name, value):
        deadline = time.monotonic() + PATIENCE
        while proxy.metrics()[name]["main"] != value:
            self.assertLess(time.monotonic(), deadline, f"{name} is not {value}: {proxy.metrics()}")

    def test_odd_answers_do_no_harm(self):
        bodies = ["", "[]", {"limits_and_usage": None}, {"limits_and_usage": {"units_limit_api_key": "many",
                  "usage_reset_date": 7, "subscription": ["Lite"], "api_key_expiration_date": "never"}}]
        with Sandbox(today=None) as sandbox:
            sandbox.script([{"match": "limits-and-usage", "body": body} for body in bodies],
                           {"match": "limits-and-usage", "flood": 1 << 20}, {"match": "limits-and-usage", "reset": True},
                           {"match": "limits-and-usage", "status": 403, "body": {"error": "Insufficient plan"}})
            with WithKeys(sandbox, proxy={"admin": "127.0.0.1:0"}, upstream={"limits_interval": "20ms"}) as proxy:
                proxy.said("Enterprise")
                self.assertEqual(proxy.get().fault, None)
                self.assertIn("anchorage_v3_key_days_left", proxy.metrics())
                self.assertEqual(len([line for line in proxy.lines if "limits-and-usage:" in line]), 2,
                                 "trouble is told once until it is over")
                self.assertEqual({entry["team"] for entry in proxy.ledger() if entry["kind"] == "settle"}, {"seo"})

    def test_trouble_for_ever_is_asked_about_calmly(self):
        """The pause doubles with each failure: more failures than a number has bits leave it a pause."""
        with Sandbox(today=None) as sandbox:
            sandbox.script({"match": "limits-and-usage", "times": 0, "body": []})
            with WithKeys(sandbox, upstream={"limits_interval": "10ms"}) as proxy:
                sandbox.wait(requests=70, timeout=PATIENCE)
                self.assertEqual(proxy.get().fault, None)

    def test_a_look_that_costs_is_booked_as_ours(self):
        with Sandbox(today=None) as sandbox:
            sandbox.script({"match": "limits-and-usage", "headers": {"x-api-units-cost-total-actual": "7"}})
            with WithKeys(sandbox, upstream={"limits_interval": SELDOM, "units_per_month": 1000}) as proxy:
                proxy.said("v3 key main: plan")
                settled = [entry for entry in proxy.ledger() if entry["kind"] == "settle"]
                self.assertEqual([(entry["team"], entry["key"], entry["units"], entry["rows"], entry["via"])
                                  for entry in settled], [("(anchorage)", None, 7, 0, "upstream")])


class OutOfUnits(unittest.TestCase):
    def test_a_free_look_opens_the_gate(self):
        with Sandbox(today=None, key_units=0) as sandbox, \
                WithKeys(sandbox, proxy={"admin": "127.0.0.1:0"}, upstream={"limits_interval": "100ms"}) as proxy:
            proxy.said("0 units left")
            self.assertEqual(proxy.get().fault, "upstream_out_of_units")
            self.assertEqual(proxy.metrics()["anchorage_v3_out_of_units"]["main"], 1)
            before = len(sandbox.log())
            sandbox.wait(requests=before + 3)
            self.assertEqual(proxy.get(target="other.example").fault, "upstream_out_of_units")
            self.assertEqual({entry["status"] for entry in paid(sandbox)}, {403})
            self.assertEqual(proxy.get(target="ahrefs.com").fault, None, "v3's free target needs no units")
            n_paid = len(paid(sandbox))
            sandbox.wait(requests=len(sandbox.log()) + 3)
            self.assertEqual(len(paid(sandbox)), n_paid,
                             "a paid request went out though the key has no units")
            sandbox.reset(key_units=100000)
            proxy.said("there are units again")
            self.assertEqual(proxy.get().fault, None)
            self.assertEqual(proxy.metrics()["anchorage_v3_out_of_units"]["main"], 0)


class Ourselves(unittest.TestCase):
    def test_an_url_that_leads_back_is_refused(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        for listen, admin, host in ((f"127.0.0.1:{port}", "", "127.0.0.1"), (f"*:{port}", "", "localhost"),
                                    ("127.0.0.1:0", f"127.0.0.1:{port}", "127.0.0.1"), (f"0.0.0.0:{port}", "", "127.0.0.9")):
            with self.subTest(listen=listen, admin=admin, host=host):
                proxy = WithKeys(f"http://{host}:{port}/v3", proxy={"listen": listen, "admin": admin})
                self.addCleanup(proxy.close)
                with open(proxy.config, encoding="utf-8") as file:
                    line = [text.split(" = ")[0] for text in file.read().splitlines()].index("url") + 1
                for command, code in (("check", 1), ("serve", 78)):
                    said = proxy.run(command, check=code).stderr
                    self.assertIn("leads back", said)
                    self.assertIn(f"{proxy.config}:{line}", said)

    def test_a_name_that_leads_back_is_seen_when_it_is_resolved(self):
        name = socket.gethostname()
        try:
            own = {info[4][0] for info in socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)}
            for address in own:
                with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as here:
                    here.bind((address, 0))
        except OSError as error:
            self.skipTest(f"{name} is no name of this machine: {error}")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with WithKeys(f"https://{name}:{port}/v3", proxy={"listen": f"*:{port}"},
                      upstream={"units_per_month": 1000000}) as proxy:
            proxy.address = ("127.0.0.1", port)
            answer = proxy.get()
            self.assertEqual(answer.fault, "upstream_down", answer)
            self.assertIn("leads back here", answer.json["error"])
            self.assertEqual([entry["kind"] for entry in proxy.entries(answer.id)], ["hold", "release"])


if __name__ == "__main__":
    unittest.main()
