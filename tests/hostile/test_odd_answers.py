# SPDX-License-Identifier: MIT
"""Answers of API v3 that say something else than they seem to: an error as a 200, an empty list of a target that has links,
a 404 that is about the target, or about the path."""
import unittest

from anchorage import Anchorage
from fake_v3 import FakeV3, answer, rows

PRICE = ["x-api-units-cost-total-actual: 50"]
KEY = "0a1b2c3d-SECRET-4e5f6a7b8c9d"


class V3:
    """Answers by path: `list`, `totals` are bytes or functions of the target."""

    def __init__(self):
        self.list = answer(rows("a"), headers=PRICE)
        self.totals = answer({"metrics": {"live": 1, "all_time": 1}}, headers=PRICE)
        self.lists = 0

    def __call__(self, connection, request):
        is_list = "/site-explorer/anchors" in request.path
        self.lists += is_list
        connection.send(self.list if is_list else self.totals)


class OddAnswers(unittest.TestCase):
    def begin(self, **options):
        play = V3()
        v3 = FakeV3(play)
        self.addCleanup(v3.__exit__)
        proxy = Anchorage(v3.__enter__().url, **options)
        self.addCleanup(proxy.close)
        return play, proxy.start()

    def test_an_error_as_a_200(self):
        play, proxy = self.begin()
        for name in "list", "totals":
            for number, body in enumerate(({"error": "out of <b>order</b>"}, {"error": {"message": "out of order"}},
                                           {"error": "out of order", "anchors": [], "metrics": {"live": 3}})):
                with self.subTest(name, body=body):
                    before, play.__dict__[name] = play.__dict__[name], answer(body)
                    got = proxy.get(target=f"{name}{number}.example")
                    self.assertEqual((got.status, got.fault), (502, "upstream_odd"), got)
                    self.assertIn("answered 200, but with an error: out of order", got.json["error"])
                    self.assertEqual(got.rows_charged, 0)
                    play.__dict__[name] = before
                    self.assertIsNone(proxy.get(target=f"{name}{number}.example").fault, "it was not remembered")

    def test_an_empty_list_of_a_target_with_links(self):
        play, proxy = self.begin()
        whole, play.list = play.list, answer(rows(), headers=PRICE)
        for number in 1, 2:
            got = proxy.get()
            self.assertIsNone(got.fault, got)
            self.assertEqual((got.anchors, got.rows_charged), ([], 1))
            self.assertEqual(play.lists, number + 1, "the list each time, once its greatest rows")
            self.assertIn("rows", got.marks)
        self.assertNotIn("rows", proxy.get(where='anchor="x"').marks, "a filter may leave nothing")
        play.list = whole
        got = proxy.get()
        self.assertEqual(len(got.anchors), 1, "what was empty is asked for again")
        self.assertNotIn("rows", got.marks)
        play.list, play.totals = answer(rows(), headers=PRICE), answer({"metrics": {"live": 0, "all_time": 0}}, headers=PRICE)
        for _ in range(2):
            got = proxy.get(target="none.example")
            self.assertNotIn("rows", got.marks)
        self.assertEqual(got.headers["x-anchorage-cache"], "hit")

    def test_a_404_of_targets_and_of_the_path(self):
        play, proxy = self.begin(fidelity={"stats": "zero"}, proxy={"error_status": "http"})
        good, play.list = play.list, answer({"error": "target not found"}, "404 Not Found")
        for number in 0, 1, 1, 2, 3, 4:
            got = proxy.get(target=f"t{number}.example")
            self.assertEqual((got.status, got.fault, got.units), (400, "bad_target", 0), got)
            self.assertIn("API v3 answered 404: target not found", got.json["error"])
            self.assertEqual([entry["kind"] for entry in proxy.entries(got.id)], ["hold", "release"])
        for number in 5, 0:
            got = proxy.get(target=f"t{number}.example")
            self.assertEqual((got.status, got.fault, got.units), (502, "upstream_odd", 0), got)
            self.assertIn("url of [upstream]", got.json["error"])
        proxy.says('"fault":"bad_target","why":"API v3 answered 404')
        play.list = good
        self.assertIsNone(proxy.get(target="good.example").fault)
        play.list = answer({"error": "target not found"}, "404 Not Found", ["x-api-units-cost-total-actual: 7"])
        got = proxy.get(target="t9.example")
        self.assertEqual((got.fault, got.units), ("bad_target", 7), "the path is there again; a price is a price")
        play.list = answer("<html>not here</html>", "404 Not Found")
        self.assertEqual(proxy.get(target="t10.example").fault, "upstream_odd")

    def test_words_with_a_piece_of_the_key(self):
        play, proxy = self.begin(fidelity={"stats": "zero"})
        with open(proxy.path + "/v3.key", "w", encoding="ascii") as file:
            file.write(KEY)
        proxy.stop()
        proxy.start()
        for number, words in enumerate((KEY, f"key {KEY[4:14]} ended", "0a1b<i>2c3d</i>", "%30a1b2c3d", "S E C R E T 4 e 5 f",
                                        "&#48;a1b2c3d", KEY.lower())):
            for status in ("400 No", "403 No", "404 No", "500 No", "200 OK"):
                play.list = answer({"error": words}, status)
                got = proxy.get(target=f"t{number}{status[:3]}.example", limit=1)
                if "several times" in got.json["error"]:
                    continue
                self.assertRegex(got.json["error"], r"^API v3 answered [0-9]+(, but with an error)?$")
            play.list = answer(rows("a"), headers=PRICE)
            self.assertIsNone(proxy.get(target=f"good{number}.example", limit=1).fault)
        self.assertNotIn("SECRET", "".join(proxy.lines))


if __name__ == "__main__":
    unittest.main()
