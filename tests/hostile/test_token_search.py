# SPDX-License-Identifier: MIT
"""A stranger's form in which the token almost stands, over and over: it is looked for in what goes to the log and to the
lists, and that took the product of both lengths, 0.6 s of the loop for 64 KiB. Processor time is compared, so that a busy
machine changes nothing."""
import os
import unittest

from anchorage import Anchorage
from sandbox import Sandbox

CALLS, MOST_MS = 10, 60  # a call, with sanitizers; half a millisecond in a release


def cpu_ms(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


class TokenSearch(unittest.TestCase):
    def test_a_form_full_of_beginnings(self):
        half = 65500 // 2
        forms = {"beginnings": "from=" + "a" * half + "&token=" + "a" * (half - 20) + "b",
                 "short and many": "from=" + "aaab" * (half // 2 - 20) + "&token=aaaaaaaa",
                 "encoded": "from=" + "%2561" * (half // 4) + "&token=" + "a" * (half // 4) + "b",
                 "names": "token=" + "a" * 20000 + "b&from=x&" + "&".join("a" * 5000 + str(i) for i in range(8))}
        with Sandbox(today=None) as sandbox, Anchorage(sandbox) as proxy:
            for name, form in forms.items():
                self.assertLess(len(form), 65536)
                began = cpu_ms(proxy.process.pid)
                for _ in range(CALLS):
                    answer = proxy.get("/", "POST", form, {"Content-Type": "application/x-www-form-urlencoded",
                                                           "User-Agent": "a" * 15000})
                    self.assertEqual(answer.fault, "unknown_key", name)
                took = cpu_ms(proxy.process.pid) - began
                self.assertLess(took / CALLS, MOST_MS, name)


if __name__ == "__main__":
    unittest.main()
