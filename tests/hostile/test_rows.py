# SPDX-License-Identifier: MIT
"""Rows that somebody outside has chosen: dates without end, texts that are none, anchors that a weak hash takes for one.
The daemon lives on, nobody loses another's row, and what could not be kept is said."""
import json
import unittest

import v2
from anchorage import Anchorage, OneProxy
from sandbox import Sandbox

CAP = 20
OPTIONS = {"upstream": {"max_rows_per_request": CAP}, "fidelity": {"stats": "zero"}}
BROKEN = "\ufffd"


def body(rows):
    """A list of v3, of (anchor, links) or (anchor, links, date); an anchor may be bytes of JSON's inside."""
    out = []
    for anchor, links, *date in rows:
        inside = anchor if isinstance(anchor, bytes) else json.dumps(anchor)[1:-1].encode()
        out.append(b'{"anchor":"' + inside + b'","links_to_target":%d,"refpages":1,"refdomains":1,"first_seen":"%s"}' %
                   (links, (date[0] if date else "2020-01-01T00:00:00Z").encode()))
    return (b'{"anchors":[' + b",".join(out) + b"]}").hex()


class Rows(OneProxy):
    proxy_options = OPTIONS

    def lives(self):
        self.assertEqual(self.proxy.get(target="one.example", mode="domain").status, 200)

    def list(self, *pages):
        """v3 gives these pages, one after the other."""
        for rows in pages:
            self.sandbox.script({"match": "anchors", "body_hex": body(rows), "headers": {"x-api-rows": str(len(rows))}})

    def test_dates_with_a_long_fraction(self):
        for digits in (1, 9, 10, 255, 256, 300, 60000):
            date = "2020-01-01T00:00:00." + "1" * digits + "Z"
            with self.subTest(digits=digits):
                self.list([("a", 1, date)])
                answer = self.proxy.get(target=f"fraction{digits}.example", mode="domain")
                if digits > 9:
                    self.refused(answer, "upstream_odd", 502)
                    self.assertIn("9 digits", answer.json["error"])
                else:
                    self.assertEqual(answer.anchors[0]["first_seen"], "2020-01-01T00:00:00Z")
                self.lives()

    def test_the_longest_text(self):
        """64 KiB of bytes that are no text become three times as many, and are remembered like others."""
        for n, status in ((65536, 200), (65537, 502)):
            self.list([(b"\xff" * n, 2), ("b", 1)])
            for _ in range(2):
                answer = self.proxy.get(target=f"long{n}.example", mode="domain", order_by="backlinks:desc", limit=2)
                self.assertEqual(answer.status, status, answer)
                if status == 200:
                    self.assertEqual(answer.anchors[0]["anchor"], BROKEN * n)
                else:
                    break
            self.lives()

    def test_anchors_that_a_product_hash_takes_for_one(self):
        """Two texts that differ in the same bit of two blocks, one on each page."""
        first = [("%07d!xyz!xyz!" % i, 1000 - i) for i in range(CAP)]
        second = [("%07daxyzaxyza" % i, 500 - i) for i in range(CAP)]
        for turn, pages in enumerate(((first, second), (second, first))):
            pages = [[(anchor, 1000 - i - n * CAP) for i, (anchor, _) in enumerate(rows)] for n, rows in enumerate(pages)]
            self.list(*pages)
            answer = self.proxy.get(target=f"hash{turn}.example", mode="domain", order_by="backlinks:desc",
                                    limit=2 * CAP)
            self.assertEqual([row["anchor"] for row in answer.anchors], [anchor for page in pages for anchor, _ in page])
            self.charged(answer, 1 + 2 * CAP)


class Broken(unittest.TestCase):
    """A v3 that gives some of its anchors broken, always the same ones."""

    def play(self, at, **options):
        """The anchors number `at` of the list are broken; calls of every kind against a proxy that remembers."""
        with Sandbox(today=None, anchor_case="fold") as sandbox:
            rows = v2.answer(v2.merged(v2.v3_rows(sandbox, "lower.example", "subdomains")))
            self.assertGreater(len(rows), 3 * CAP)
            names = [rows[i]["anchor"] for i in at]
            swap = {json.dumps(name, ensure_ascii=False): '"' + "\\ud83d" * 2 + '"' for name in names}
            sandbox.script({"match": "anchors", "times": 0, "replace": swap})
            for i in at:
                rows[i]["anchor"] = BROKEN * 2
            with Anchorage(sandbox, **{**OPTIONS, **options}) as proxy:
                yield from self.windows(proxy, rows)

    def windows(self, proxy, rows):
        for offset, limit in ((0, 1000), (0, 1000), (0, CAP), (5, CAP), (CAP, CAP), (CAP - 1, 2), (0, len(rows)),
                              (len(rows) - 1, 10), (0, 2 * CAP + 1), (2 * CAP, 5)):
            answer = proxy.get(target="lower.example", offset=offset or None, limit=limit)
            yield offset, limit, answer, rows[offset:offset + limit]

    @staticmethod
    def paid_for(through, at):
        """Rows of the list that its price and the allowance pay for, where the rows `at` are broken and a page begins
        behind the last whole row. Nothing is asked for that would bring no new row, and no row that came is lost."""
        def price(rows):
            return rows // CAP * (CAP * 9) + (max(50, rows % CAP * 9) if rows % CAP else 0)

        left, there = price(through) + max(50, price(through) // 4), 0
        while there < through:
            behind = max((i + 1 for i in range(there) if i not in at), default=0)
            rows = min(CAP, through - behind, left // 9 if left >= 50 else 0)
            if rows <= there - behind:
                break
            left, there = left - max(50, rows * 9), behind + rows
        return there

    def test_wherever_they_stand(self):
        """Every row comes; but where nearly all of a page come again with the next one, only those that are paid for."""
        cuts = 0
        last = CAP - 1
        for at in ([0], [last], [CAP], [last - 1, last], [last, CAP], list(range(1, CAP)), [5, last, CAP + 3, 2 * last]):
            for remember in ("1h", "0"):
                upstream = {**OPTIONS["upstream"], "answer_ttl": remember}
                for offset, limit, answer, expected in self.play(at, upstream=upstream):
                    with self.subTest(at=at, offset=offset, limit=limit, remember=remember):
                        through = offset + len(expected)
                        there = self.paid_for(through, at) if remember == "0" else through
                        self.assertEqual(answer.anchors, expected[:max(0, there - offset)])
                        shown = any(row["anchor"] == BROKEN * 2 for row in answer.anchors)
                        self.assertEqual("anchor.text" in answer.marks, shown, answer.marks)
                        self.assertEqual("rows" in answer.marks, there < through, answer.marks)
                        self.assertTrue(there == through or len(at) == CAP - 1, "nearly all of a page")
                        cuts += there < through
        self.assertEqual(cuts, 5)

    def test_a_page_of_them(self):
        """The list ends behind it, and says so every time; it is not remembered as the whole."""
        for at in (range(CAP), range(CAP, 2 * CAP), range(CAP - 3, 2 * CAP)):
            end = at[0] + CAP
            for offset, limit, answer, expected in self.play(list(at)):
                with self.subTest(at=at, offset=offset, limit=limit):
                    cut = offset + limit > end
                    self.assertEqual("rows" in answer.marks, cut, answer.marks)
                    self.assertEqual(answer.anchors, expected[:max(0, end - offset)])


if __name__ == "__main__":
    unittest.main()
