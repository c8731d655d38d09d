# SPDX-License-Identifier: MIT
"""The bars that measured figures are held to. A benchmark fails when it misses one; in a short slice (BENCH_ROUNDS=1), which
runs among other tests on whatever machine there is, only when it misses it by far."""
import operator
import os

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
IS_SLICE = ROUNDS < 3


class Bars:
    def __init__(self):
        self.missed = []

    def _judge(self, what, figure, bar, in_slice, word, holds):
        bar = in_slice if IS_SLICE and in_slice is not None else bar
        met = holds(figure, bar)
        print(f"  bar: {what} {word} {bar:g}: {'met' if met else 'MISSED'} with {figure:.2f}", flush=True)
        if not met:
            self.missed.append(what)

    def at_least(self, what, figure, bar, in_slice=None):
        self._judge(what, figure, bar, in_slice, "at least", operator.ge)

    def at_most(self, what, figure, bar, in_slice=None):
        self._judge(what, figure, bar, in_slice, "at most", operator.le)

    def status(self):
        """For sys.exit."""
        return f"missed: {', '.join(self.missed)}" if self.missed else 0
