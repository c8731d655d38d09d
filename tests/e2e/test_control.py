# SPDX-License-Identifier: MIT
"""The control socket and those of its group who mean no good: the daemon goes on, and so do commands."""
import json
import os
import resource
import select
import socket
import struct
import subprocess
import time
import unittest

from anchorage import BINARY, Anchorage
from sandbox import Sandbox

MIB = 1 << 20
PATIENCE = 60
CLIENTS = 32          # that the daemon lets in at once
BUSY = 8              # at work for
MOST = 128 * MIB      # of all questions together


def part(data):
    return struct.pack("=I", len(data)) + data


def words(*all):
    return part(struct.pack("=I", len(all))) + b"".join(part(word.encode()) for word in all)


class Control(unittest.TestCase):
    def setUp(self):
        sandbox = self.enterContext(Sandbox(today=None))
        self.proxy = self.enterContext(Anchorage(sandbox))

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        self.addCleanup(connection.close)
        connection.settimeout(PATIENCE)
        connection.connect(os.path.join(self.proxy.path, "state", "control.sock"))
        return connection

    def ask(self, data):
        """The whole answer; empty when the question was not taken."""
        connection = self.connect()
        try:
            connection.sendall(data)
            answer = b""
            while got := connection.recv(65536):
                answer += got
            return answer
        except (ConnectionResetError, BrokenPipeError):
            return b""

    def serves(self):
        self.assertEqual(self.proxy.get(limit=1).fault, None)
        self.assertEqual(list(self.proxy.usage()), ["seo"])

    def test_questions_that_are_none(self):
        self.assertIn(b"usage: anchorage", self.ask(words("key", "--help") + part(b"")))
        many = words(*["key"] * 64)
        self.assertNotEqual(self.ask(many + part(b"")), b"")
        for what, data in {"no word": words(), "too many words": words(*["key"] * 65), "a count that is none": part(b"12345"),
                           "a count without end": struct.pack("=I", 1 << 30) + b"12345",
                           "words too long": words("key", "x" * 66000) + part(b""),
                           "long words that are not whole": part(struct.pack("=I", 2)) + part(b"key") +
                           struct.pack("=I", 1 << 30) + b"x" * 80000}.items():
            with self.subTest(what):
                self.assertEqual(self.ask(data), b"")
        self.serves()

    def test_one_that_leaves_while_its_command_runs(self):
        for _ in range(20):
            connection = self.connect()
            connection.sendall(words("ledger", "verify") + part(b""))
            connection.close()
        self.serves()

    def test_a_long_export_is_never_held_whole(self):
        """As portions to whoever reads them; also by a slow reader, and one that leaves half way."""
        calls = [{"target": f"site{n}.example", "limit": 1} for n in range(400)]
        for n in range(8):
            self.proxy.many(calls)
        lines = self.proxy.run("ledger", "export", check=0).stdout.splitlines()
        self.assertEqual([json.loads(line)["seq"] for line in lines], list(range(1, len(lines) + 1)))
        self.assertGreater(len(lines), 5000)
        connection = self.connect()
        connection.sendall(words("ledger", "export") + part(b""))
        statuses, text, answer = [], b"", b""
        while got := connection.recv(1 << 16):
            answer += got
        while answer:
            parts = []
            for _ in range(3):
                n, = struct.unpack_from("=I", answer)
                parts.append(answer[4:4 + n])
                answer = answer[4 + n:]
            self.assertLess(len(parts[1]), 2 * MIB)
            statuses.append(struct.unpack("=i", parts[0])[0])
            text += parts[1]
        self.assertEqual(statuses, [-1] * (len(statuses) - 1) + [0])
        self.assertGreater(len(statuses), 2)
        self.assertEqual(text.decode().splitlines(), lines)
        leaves = self.connect()
        leaves.sendall(words("ledger", "export") + part(b""))
        leaves.recv(100)
        leaves.close()
        head = subprocess.run(f"{BINARY} ledger export --config {self.proxy.config} | head -n 3", shell=True,
                              stdout=subprocess.PIPE, check=True, text=True)
        self.assertEqual(head.stdout.splitlines(), lines[:3])
        self.serves()

    def test_questions_together_have_a_limit(self):
        """All that may come in ask for much and never end."""
        crowd = {self.connect(): 0 for _ in range(CLIENTS)}
        for connection in crowd:
            connection.sendall(words("key", "import", "-") + struct.pack("=I", 1 << 31))
            connection.setblocking(False)
        piece, cut = b"x" * MIB, set()
        deadline = time.monotonic() + PATIENCE
        while len(cut) < CLIENTS - 2 and time.monotonic() < deadline:
            _, ready, _ = select.select([], [one for one in crowd if one not in cut], [], 1)
            for connection in ready:
                try:
                    crowd[connection] += connection.send(piece)
                except (BrokenPipeError, ConnectionResetError):
                    cut.add(connection)
        self.assertGreaterEqual(len(cut), CLIENTS - 2)
        self.assertLess(sum(crowd.values()), 6 * MOST)  # who was cut gave way to others; without a limit it is 16 times
        for connection in crowd:
            connection.close()
        self.serves()

    def test_answers_that_are_not_read_have_a_limit(self):
        """So many at once; who comes later gets his turn when one of them has gone."""
        keys = "team,name,token\n" + "".join(f"seo,name-{n},{n:040d}\n" for n in range(8000))
        self.proxy.run("key", "import", "-", text_in=keys, check=0)
        crowd = []
        for _ in range(BUSY):
            crowd.append(self.connect())
            crowd[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            crowd[-1].sendall(words("key", "list") + part(b""))
        for connection in crowd:
            self.assertEqual(len(connection.recv(1)), 1)  # it has begun, and is more than the socket holds
        late = [self.connect() for _ in range(3)]
        for connection in late:
            connection.sendall(words("key", "--help") + part(b""))
        self.assertEqual(select.select(late, [], [], 0.3)[0], [])
        crowd.pop().close()
        for connection in late:  # one after the other
            self.assertIn(b"usage: anchorage key", connection.recv(65536))
            connection.close()
        for connection in crowd:
            connection.close()
        self.serves()

    def test_drips_do_not_keep_others_out(self):
        """The time for a question is that of the whole."""
        crowd = [self.connect() for _ in range(CLIENTS)]
        question, since = words("key", "list"), time.monotonic()
        for at in range(len(question)):
            for connection in crowd:
                try:
                    connection.send(question[at:at + 1])
                except OSError:
                    pass
            if self.proxy.run("key", "list").returncode == 0:
                break
            time.sleep(0.4)  # between drips
        self.assertLess(time.monotonic() - since, 10)
        self.serves()

    def test_out_of_descriptors(self):
        pid, files = self.proxy.process.pid, resource.RLIMIT_NOFILE
        soft, hard = resource.prlimit(pid, files)
        resource.prlimit(pid, files, (len(os.listdir(f"/proc/{pid}/fd")), hard))
        waiting = self.connect()
        waiting.sendall(words("key", "list") + part(b""))

        def cpu():
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                fields = file.read().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

        before = cpu()
        time.sleep(1)  # in which nothing should happen
        self.assertLess(cpu() - before, 0.2)
        resource.prlimit(pid, files, (soft, hard))
        self.assertIn(b"seo", waiting.recv(65536))
        self.serves()


if __name__ == "__main__":
    unittest.main()
