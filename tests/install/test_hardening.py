# SPDX-License-Identifier: MIT
"""The programs as they are shipped: built so that a mistake in memory is hard to use."""
import platform
import re
import subprocess
import unittest

from place import BUILD, need

READELF = need("readelf")
PROGRAMS = ["anchorage", "anchorage-sandbox"]


def readelf(program, *options):
    return subprocess.run([READELF, "-W", *options, BUILD / program], capture_output=True, text=True, check=True).stdout


def offset_of(parts, address):
    """Where in the file the bytes of an address are; `parts` are (offset, address) of what is loaded."""
    return max((at, address - at + offset) for offset, at in parts if at <= address)[1]


class Hardening(unittest.TestCase):
    def each(self, *options):
        """(program, what readelf says) of both."""
        return [(program, readelf(program, *options)) for program in PROGRAMS]

    def test_position_independent(self):
        for _, head in self.each("-h"):
            self.assertRegex(head, r"Type:\s+DYN \(Position-Independent Executable")

    def test_relocations_are_read_only_at_once(self):
        for program, parts in self.each("-l"):
            self.assertIn("GNU_RELRO", parts)
            self.assertRegex(readelf(program, "-d"), r"\(FLAGS_1\).*\bNOW\b")

    def test_no_memory_is_written_and_run(self):
        for _, parts in self.each("-l"):
            self.assertRegex(parts, r"GNU_STACK(\s+\S+){5}\s+RW\s")
            self.assertNotRegex(parts, r"LOAD(\s+\S+){5}\s+RWE")

    def test_canaries_and_checked_functions(self):
        """Of the functions that _FORTIFY_SOURCE has a checked twin for, some must have become it."""
        for _, symbols in self.each("--dyn-syms"):
            self.assertIn("__stack_chk_fail", symbols)
            self.assertRegex(symbols, r"__(mem\w+|\w*printf|fdelt|read|recv)_chk")

    @unittest.skipUnless(platform.machine() == "x86_64", "of x86 alone")
    def test_control_flow(self):
        """Functions that may be called through a pointer begin with ENDBR64. The mark of the whole program needs start-up
        code of the C library that has it too, which is not ours."""
        for program, symbols in self.each("--symbols"):
            data = (BUILD / program).read_bytes()
            parts = [[int(word, 16) for word in part.split()] for part in
                     re.findall(r"LOAD +(0x\w+ 0x\w+) 0x\w+ (?=0x)", readelf(program, "-l"))]
            marked = {name for address, name in re.findall(r"^ *\d+: (\w+) +\d+ FUNC +\w+ +\w+ +\d+ (\w+)", symbols, re.M)
                      if data.startswith(b"\xf3\x0f\x1e\xfa", offset_of(parts, int(address, 16)))}
            self.assertIn("main", marked, program)
            self.assertGreater(len(marked), 50, program)

    def test_no_search_path_for_libraries(self):
        for _, dynamic in self.each("-d"):
            self.assertFalse(re.search(r"\((RPATH|RUNPATH)\)", dynamic))


if __name__ == "__main__":
    unittest.main()
