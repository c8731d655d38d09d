# SPDX-License-Identifier: MIT
"""What v3 says of prices: believed as far as it can be, and what is free is what it takes nothing for."""
import unittest

from anchorage import TOKEN, Anchorage
from sandbox import Sandbox
from test_admin import Admin, parse_metrics

QUIET = {"stats": "zero"}
ACTUAL = "x-api-units-cost-total-actual"


class Prices(unittest.TestCase):
    def play(self, **options):
        box = self.enterContext(Sandbox(today=None, anchor_case="fold"))
        return box, self.enterContext(Anchorage(box, fidelity=QUIET, **options))

    def metric(self, proxy, name):
        [value] = parse_metrics(Admin(proxy).ask("/metrics").bytes.decode())[name][2].values()
        return value

    def settle(self, proxy, answer):
        return next(entry for entry in proxy.settled(answer.id) if entry["kind"] == "settle")

    def test_an_absurd_price_locks_nobody_out(self):
        sandbox, proxy = self.play(upstream={"units_per_month": 20000}, proxy={"admin": "127.0.0.1:0"})
        for number, price in enumerate([900 * 20 + 1, 20001, 999999999]):
            sandbox.script({"match": "anchors", "headers": {ACTUAL: str(price)}})
            answer = proxy.get(target=f"m{number}.example", limit=100 if number == 0 else 1000)
            self.assertEqual(answer.fault, None)
            entry = self.settle(proxy, answer)
            self.assertEqual(entry["units"], None)
            self.assertGreater(entry["units_predicted"], 0)
            self.assertLess(entry["units_predicted"], 9001)
            self.assertEqual(answer.units, entry["units_predicted"])
        proxy.says("main: API v3 says that a request took 18001 units.*not believed.*ledger correct")
        self.assertEqual(self.metric(proxy, "anchorage_v3_odd_prices_total"), 3)
        self.assertEqual(proxy.get(target="other.example", limit=10).fault, None)
        proxy.run("ledger", "verify", check=0)

    def test_what_was_booked_wrong_is_corrected(self):
        """By the running daemon, whose limits count it at once, and without one."""
        sandbox, proxy = self.play(upstream={"units_per_month": 20000}, teams={"seo": {"units_per_month": 10000}})
        first, second = (proxy.get(target=f"m{number}.example", limit=100) for number in range(2))
        done = proxy.run("ledger", "correct", first.id, "--units", "9950", check=0)
        self.assertRegex(done.stdout, rf"^[a-z0-9]{{26}} corrects {first.id}: {first.units} units were booked, 9950 are")
        self.assertEqual(proxy.get(target="m3.example", limit=100).fault, "out_of_units")
        self.assertEqual(proxy.usage()["seo"]["units"], 9950 + second.units)
        id = proxy.run("ledger", "correct", "--quiet", first.id, "--units=0", check=0).stdout.strip()
        [entry] = proxy.entries(id)
        self.assertEqual((entry["kind"], entry["ref"], entry["units"], entry["rows"], entry["team"], entry["target"]),
                         ("correct", first.id, -9950, 0, "seo", "m0.example"))
        self.assertEqual(proxy.get(target="m3.example", limit=100).fault, None)
        self.assertIn("nothing to correct: 0 units", proxy.run("ledger", "correct", first.id, "--units", "0").stdout)
        self.assertEqual(proxy.run("ledger", "correct", "--quiet", first.id, "--units", "0").stdout, "")
        for words, status, what in [
                ((first.id,), 2, "--units N is missing"), ((first.id, "--units", "-3"), 2, "a whole number from 0"),
                ((first.id, "--units", "1e3"), 2, "a whole number from 0"), (("x", "--units", "3"), 2, "26 letters"),
                (("0" * 26, "--units", "3"), 1, "no call 0{26} is in the books"), ((id, "--units", "3"), 1, "no call but"),
                (("--units", "3"), 2, "an argument is missing")]:
            self.assertRegex(proxy.run("ledger", "correct", *words, check=status).stderr, what)
        proxy.run("ledger", "verify", check=0)
        sandbox.script({"match": "anchors", "stall": True})
        with proxy.connect() as client:
            client.sendall(f"GET {proxy.params({'target': 'open.example'})} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            sandbox.wait(requests=4)
            hold = next(entry for entry in proxy.ledger() if entry["target"] == "open.example")
            self.assertIn("has not ended", proxy.run("ledger", "correct", hold["id"], "--units", "1", check=1).stderr)
        proxy.kill()
        proxy.run("ledger", "correct", second.id, "--units", "7", check=0)
        self.assertEqual([entry["units"] for entry in proxy.ledger() if entry["ref"] == second.id],
                         [7 - second.units])
        proxy.run("ledger", "verify", check=0)

    def test_a_call_that_asks_and_costs_nothing_leaves_one_entry(self):
        sandbox, proxy = self.play()
        def kinds(**params):
            answer = proxy.get(limit=0, **params)
            self.assertEqual((answer.fault, answer.units), (None, 0))
            proxy.settled(answer.id)
            return [entry["kind"] for entry in proxy.entries(answer.id)]
        self.assertEqual(kinds(target="ahrefs.com"), ["settle"])
        self.assertEqual(kinds(target="ahrefs.com"), ["settle"], "remembered or not")
        self.assertEqual(kinds(target="m1.example"), ["hold", "settle"], "a row")
        self.assertEqual(len(sandbox.log()), 0)
        answer = proxy.get(target="ahrefs.com", limit=1)
        self.assertEqual([entry["kind"] for entry in proxy.entries(answer.id)], ["hold", "settle"], "v3 is asked")
        proxy.run("ledger", "verify", check=0)

    def test_a_target_is_kept_as_it_was_understood(self):
        _, proxy = self.play()
        path = "a" * 2000
        for given, mode, kept in [("+" * 30000 + "HTTP://Ahrefs.COM:80/x?y" + "%E3%80%80" * 3000, "domain", "ahrefs.com"),
                                  ("M1.Example./", "subdomains", "m1.example"),
                                  (f"m1.EXAMPLE/{path}", "prefix", f"m1.example/{path}"),
                                  ("https://M1.example/A", "exact", "https://m1.example/A")]:
            answer = proxy.get(raw="/", method="POST", headers={"Content-Type": "application/x-www-form-urlencoded"},
                               body=f"from=anchors&token={TOKEN}&limit=1&output=json&mode={mode}&target={given}".encode())
            self.assertEqual({entry["target"] for entry in proxy.entries(answer.id)}, {kept}, answer)
        self.assertEqual(proxy.get(target="m1.example?" + "a" * 2037, mode="exact").fault, "bad_target")

    def test_a_price_that_was_raised_is_believed(self):
        sandbox, proxy = self.play(upstream={"units_per_month": 20000})
        sandbox.script({"match": "anchors", "headers": {ACTUAL: str(900 * 20)}})
        self.assertEqual(self.settle(proxy, proxy.get(target="m1.example", limit=100))["units"], 18000)
        answer = proxy.get(target="big.example", limit=1000)
        self.assertRegex(answer.headers["x-anchorage-why"], "units_per_month leaves 2000 ")
        self.assertLessEqual(answer.units, 2000)

    def test_free_is_what_is_taken_for_free(self):
        sandbox, proxy = self.play(upstream={"units_per_month": 28 * 180, "max_rows_per_request": 20}, proxy={"admin": "127.0.0.1:0"})
        self.assertEqual(proxy.get(target="ahrefs.com", limit=300).units, 0)
        self.assertEqual(self.metric(proxy, "anchorage_v3_charges_free"), 0)
        sandbox.script({"match": "anchors", "times": 0, "headers": {ACTUAL: "180"}})
        answer = proxy.get(target="ahrefs.com", order_by="backlinks:desc", limit=60)
        proxy.says("API v3 took 180 units for ahrefs.com, which it calls free")
        self.assertLessEqual(sandbox.state()["spent"], 5000)
        self.assertEqual(self.metric(proxy, "anchorage_v3_charges_free"), 1)
        [hold] = [entry for entry in proxy.entries(answer.id) if entry["kind"] == "hold"]
        self.assertEqual((hold["units"], len(answer.anchors)), (0, 20), "nothing was set aside for the pages behind")
        self.assertIn("rows", answer.marks)
        self.assertIn("API v3 took units for a target that it calls free", answer.headers["x-anchorage-why"])
        for number in range(40):
            answer = proxy.get(target=f"a{number}.ahrefs.com", limit=100)
            self.assertEqual(answer.rows_charged, 0, "for the client it stays free")
            if answer.fault:
                break
        self.assertEqual(answer.fault, "out_of_units")
        used = sum(item["units"] for item in proxy.usage().values())
        self.assertLessEqual(used, 28 * 180)
        # v3 takes nothing any more, and the doctor has seen it.
        sandbox.reset()
        proxy.run("doctor")
        self.assertEqual(self.metric(proxy, "anchorage_v3_charges_free"), 0)
        self.assertEqual(proxy.get(target="b.ahrefs.com", limit=100).units, 0)

    def test_what_costs_nothing_is_served_when_a_limit_is_used_up(self):
        sandbox, proxy = self.play(teams={"seo": {"units_per_month": 600, "rows_per_month": 100}})
        known = proxy.get(target="m1.example", limit=10)
        self.assertEqual(proxy.get(target="m1.example", limit=10).headers["x-anchorage-cache"], "hit")
        sandbox.script({"match": "anchors", "headers": {ACTUAL: "600"}})
        self.assertEqual(proxy.get(target="m2.example", limit=10).fault, None)  # the units are used up
        self.assertEqual(proxy.get(target="m3.example", limit=1).fault, "out_of_units")
        for params in {"target": "m1.example"}, {"target": "ahrefs.com"}, {"target": "m1.example", "limit": 3}:
            answer = proxy.get(**{"limit": 5, **params})
            self.assertEqual((answer.fault, answer.units), (None, 0), answer)
        self.assertEqual(proxy.get(target="ahrefs.com", limit=1000).rows_charged, 0)
        self.assertEqual(known.fault, None)


if __name__ == "__main__":
    unittest.main()
