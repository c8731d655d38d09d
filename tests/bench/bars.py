# SPDX-License-Identifier: MIT
"""The bars that measured figures are held to. A benchmark fails when it misses one; in a short slice (BENCH_ROUNDS=1), which
runs among other tests on whatever machine there is, only when it misses it by far."""
import os
import statistics

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
IS_SLICE = ROUNDS < 3


class Bars:
    def __init__(self):
        self.missed = []

    def _judge(self, what, figure, bar, holds, word):
        print(f"  bar: {what} {word} {bar:g}: {'met' if holds else 'MISSED'} with {figure:.2f}", flush=True)
        if not holds:
            self.missed.append(what)

    def at_least(self, what, figure, bar, in_slice=None):
        bar = in_slice if IS_SLICE and in_slice is not None else bar
        self._judge(what, figure, bar, figure >= bar, "at least")

    def at_most(self, what, figure, bar, in_slice=None):
        bar = in_slice if IS_SLICE and in_slice is not None else bar
        self._judge(what, figure, bar, figure <= bar, "at most")

    def status(self):
        """For sys.exit."""
        return f"missed: {', '.join(self.missed)}" if self.missed else 0


median = statistics.median
