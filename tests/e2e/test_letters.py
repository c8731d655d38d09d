# SPDX-License-Identifier: MIT
"""Letters that matching without case takes for one though v2's lower case kept them apart: a condition on an anchor finds
the rows that v2 would have found, by the proxy's own fold and by the filters that it sends."""
# quick
import unittest

import v2
from anchorage import Anchorage
from sandbox import Sandbox

TARGET = {"target": "twins.example", "mode": "subdomains", "limit": 1000}


class Letters(unittest.TestCase):
    def play(self, fold_there):
        with Sandbox(today=None, units="unlimited", anchor_case=fold_there) as sandbox, \
                Anchorage(sandbox, fidelity={"stats": "zero"}) as proxy:
            rows = v2.merged(v2.v3_rows(sandbox, "twins.example", "subdomains"))
            texts = [row["anchor"] for row in rows]
            self.assertEqual(len(texts), len(set(texts)))
            self.assertLess({"seo", "ſeo", "s", "ſ", "k", "в", "ᲀ", "ς", "σ", "θ", "ϑ", "ꙋ", "ᲈ", "вода", "ᲀода"}, set(texts))
            self.assertFalse({"K", "\u212a", "\u03f4", "Å", "\u212b"} & set(texts))
            for text in texts:
                for clause in ("where", "having"):
                    with self.subTest(text=text, clause=clause):
                        answer = proxy.get(**TARGET, **{clause: f'anchor="{text}"'})
                        self.assertEqual(answer.anchors, v2.answer(rows, where=lambda r: r["anchor"] == text))
            for text in ("seo", "ᲀода", "θ"):
                answer = proxy.get(**TARGET, having=f'anchor<>"{text}"')
                self.assertEqual(answer.anchors, v2.answer(rows, where=lambda r: r["anchor"] != text), text)
                answer = proxy.get(**TARGET, having=f'subdomain(anchor,"{text}")')
                self.assertEqual(answer.anchors, v2.answer(rows, where=lambda r: r["anchor"] == text), text)
            answer = proxy.get(**TARGET, having='anchor="SEO"')
            self.assertEqual([row["anchor"] for row in answer.anchors], ["seo"])

    def test_v3_keeps_case(self):
        self.play("keep")

    def test_v3_folds_case(self):
        self.play("fold")


if __name__ == "__main__":
    unittest.main()
