# SPDX-License-Identifier: MIT
"""SIGHUP: the configuration is read again while calls are under way."""
import socket
import threading
import unittest

from anchorage import PATIENCE, Anchorage, read_answer
from gate import Gate
from sandbox import Sandbox


class Reload(unittest.TestCase):
    def play(self, gate=False, **options):
        """A sandbox, or the gate in front of it, and a proxy for one test."""
        upstream = sandbox = self.enterContext(Sandbox(today=None))
        if gate:
            upstream = self.enterContext(Gate(sandbox))
        return upstream, self.enterContext(Anchorage(upstream.url, **options))

    def start_call(self, proxy, **params):
        """A call on a connection of its own; its answer is read later."""
        connection = proxy.connect()
        self.addCleanup(connection.close)
        connection.sendall(f"GET {proxy.params(params)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        stream = connection.makefile("rb")
        self.addCleanup(stream.close)
        return stream

    def test_limits(self):
        _, proxy = self.play(teams={"seo": {"rows_per_month": 4}})
        self.assertEqual(proxy.get(limit=3).rows_charged, 4)
        self.assertEqual(proxy.get(limit=2).fault, "out_of_rows")
        self.assertIn("is taken: [team seo] rows_per_month", proxy.reload(team_seo={"rows_per_month": 10}))
        answer = proxy.get(limit=4)
        self.assertEqual((answer.rows_charged, answer.headers["x-anchorage-rows-left"]), (5, "1"))
        proxy.reload(team_seo={"rows_per_month": 2})
        answer = proxy.get(limit=1)
        self.assertEqual(answer.fault, "out_of_rows", "a limit below what is used refuses")
        self.assertEqual(answer.headers["x-anchorage-rows-left"], "0")
        self.assertEqual(proxy.usage()["seo"]["rows"], 9, "and takes nothing back")
        proxy.reload(team_seo={"rows_per_month": ""}, upstream={"units_per_month": 1})
        self.assertEqual(proxy.get(limit=1, target="other.example").fault, "out_of_units")
        proxy.reload(upstream={"units_per_month": "unlimited", "units_per_call": 1})
        self.assertEqual(proxy.get(limit=1, target="other.example").fault, "too_dear")

    def test_teams_come_and_go(self):
        _, proxy = self.play()
        new = "f" * 40
        said = proxy.reload(team_new={"rows_per_month": 100})
        self.assertIn("[team new] comes", said)
        proxy.run("key", "add", "--team", "new", "--token", new, check=0)
        self.assertEqual(proxy.get(token=new, limit=1).status, 200)
        self.assertEqual(proxy.usage()["new"]["rows_limit"], 100)
        self.assertIn("[team seo] goes", proxy.reload(team_seo=None))
        self.assertEqual(proxy.get().fault, "unknown_key")
        self.assertEqual(proxy.get(token=new, limit=1).fault, None)
        proxy.reload(team_seo={})
        self.assertEqual(proxy.get(limit=1).fault, None)

    def test_a_team_that_goes_keeps_its_limits(self):
        """Calls that had come wait for room; when the team goes they are not without a limit."""
        sandbox, proxy = self.play(teams={"seo": {"rows_per_month": 60}}, fidelity={"stats": "zero"})
        sandbox.script({"match": "anchors", "times": 0, "delay_ms": 400})
        streams = [self.start_call(proxy, target=f"m{number}.example", limit=50, output="json")
                   for number in range(10)]
        sandbox.wait(requests=1)
        proxy.get(from_="subscription_info")  # all have been read
        self.assertIn("[team seo] goes", proxy.reload(team_seo=None, team_other={}))
        answers = [read_answer(stream) for stream in streams]
        rows = [answer.rows_charged for answer in answers]
        self.assertGreater(sum(rows), 0)
        self.assertLessEqual(sum(rows), 60, answers)
        self.assertIn("out_of_rows", {answer.fault for answer in answers})

    def test_a_key_of_a_team_needs_a_restart(self):
        _, proxy = self.play()
        with open(proxy.path + "/other.key", "w", encoding="ascii") as file:
            file.write("other-key\n")
        since = len(proxy.lines)
        self.assertIn("is not taken", proxy.reload(team_new={"api_key_file": "other.key"}, proxy={"error_status": "http"}))
        proxy.says(r"anchorage.conf:[0-9]+: \[team new\] api_key_file: a v3 key that is new needs a restart", since)
        self.assertEqual(proxy.get(token="x").status, 200)
        self.assertIn("[team new] comes", proxy.reload(team_new={"api_key_file": "v3.key"}))

    def test_a_team_that_goes_finishes_its_calls(self):
        """Also those that wait for a turn; and a team that comes back finds them."""
        gate, proxy = self.play(gate=True, teams={"seo": {"concurrency": 1}, "other": {}})
        gate.shut()
        first = self.start_call(proxy, limit=1)
        gate.wait(1)
        second = self.start_call(proxy, limit=2)
        proxy.get(token="x" * 40)  # the second is in by now: connections are accepted in their order
        proxy.reload(team_seo=None)
        self.assertEqual(proxy.get().fault, "unknown_key")
        proxy.reload(team_seo={"concurrency": 1})
        third = self.start_call(proxy, limit=3)
        gate.open()
        for stream, limit in (first, 1), (second, 2), (third, 3):
            answer = read_answer(stream)
            self.assertEqual((answer.status, answer.fault, len(answer.anchors)), (200, None, limit), answer)
        self.assertEqual(proxy.usage()["seo"]["rows_held"], 0)

    def test_concurrency(self):
        """Raised, it lets those go on who wait; lowered, nobody is stopped."""
        gate, proxy = self.play(gate=True, teams={"seo": {"concurrency": 1}}, fidelity={"stats": "zero"})
        gate.shut()
        calls = [self.start_call(proxy, target=f"t{number}.example", limit=1) for number in range(3)]
        gate.wait(1)
        proxy.get(token="x" * 40)
        self.assertEqual(gate.came, 1)
        proxy.reload(team_seo={"concurrency": 3})
        gate.wait(3)
        proxy.reload(team_seo={"concurrency": 1})
        gate.open()
        for stream in calls:
            self.assertEqual(read_answer(stream).status, 200)
        self.assertEqual(proxy.get(limit=1).status, 200)

    def test_a_bad_configuration_changes_nothing(self):
        _, proxy = self.play()
        since = len(proxy.lines)
        said = proxy.reload(proxy={"error_status": "http", "listn": "127.0.0.1:1"}, team_seo={"concurrency": "many"})
        self.assertIn("is not taken, the old configuration stays", said)
        wrong = proxy.says(r"anchorage\.conf:([0-9]+): unknown name \"listn\"", since)
        many = proxy.says(r"anchorage\.conf:([0-9]+): concurrency: ", since)
        with open(proxy.config, encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertTrue(lines[int(wrong[1]) - 1].startswith("listn"))
        self.assertTrue(lines[int(many[1]) - 1].startswith("concurrency"))
        self.assertEqual(proxy.get(token="x").status, 200, "error_status stays v2")
        self.assertEqual(proxy.get(limit=1).fault, None)
        proxy.sections["proxy"].pop("listn")
        self.assertIn("is taken", proxy.reload(team_seo={"concurrency": 2}))
        self.assertEqual(proxy.get(token="x").status, 401)

    def test_check_comes_before(self):
        """The addresses are taken by the daemon that is to be reloaded, which is no fault."""
        _, proxy = self.play()
        proxy.sections["proxy"]["listen"] = proxy.addresses[0]
        proxy.write_config()
        self.assertIn("fine", proxy.run("check", check=0).stdout)
        proxy.stop()
        with socket.create_server(proxy.address):
            self.assertIn("in use", proxy.run("check", check=1).stderr)

    def test_what_needs_a_restart_is_named_and_stays(self):
        _, proxy = self.play()
        said = proxy.reload(proxy={"queue_timeout": "0", "max_connections": 1}, upstream={"timeout": "1s"})
        self.assertRegex(said, r"nothing has changed; only after a restart: "
                               r"\[proxy\] queue_timeout, \[proxy\] max_connections, \[upstream\] timeout")
        with proxy.connect(), proxy.connect():
            self.assertEqual(proxy.get(limit=1).status, 200)
        said = proxy.reload(proxy={"error_status": "http"})
        self.assertIn("[proxy] error_status; only after a restart: [proxy] queue_timeout", said)
        self.assertIn("nothing has changed", proxy.reload())

    def test_fidelity(self):
        """A call keeps the configuration that it began with, and a remembered answer of the old one is not given."""
        gate, proxy = self.play(gate=True)
        proxy.get()  # the proxy learns that letters are capital there
        before = proxy.get(limit=3)
        self.assertEqual(proxy.get(limit=3).headers["x-anchorage-cache"], "hit")
        gate.shut()
        call = self.start_call(proxy, target="tricky.example", limit=2)
        gate.wait(1)
        proxy.reload(fidelity={"last_visited": "null", "stats_refpages": "null", "anchor_case": "keep"})
        gate.open()
        old = read_answer(call)
        self.assertTrue(all(row["last_visited"] for row in old.anchors), old)
        self.assertIsNotNone(old.json["stats"]["refpages"])
        new = proxy.get(limit=3)
        self.assertEqual(new.rows_charged, 4)
        self.assertEqual([row["last_visited"] for row in new.anchors], [None] * 3)
        self.assertIsNone(new.json["stats"]["refpages"])
        proxy.reload(proxy={"free_targets": "small.example"})
        self.assertEqual(proxy.get(limit=3).rows_charged, 0)
        proxy.reload(fidelity={"last_visited": "first_seen", "stats_refpages": "estimate", "anchor_case": "fold"},
                     proxy={"free_targets": "ahrefs.com"})
        again = proxy.get(limit=3)
        self.assertEqual((again.headers["x-anchorage-cache"], again.json), ("hit", before.json))
        proxy.reload(fidelity={"approximate": "refuse"})
        self.assertEqual(proxy.get(mode=None).fault, "not_exact")

    def test_remembering_can_be_switched_off(self):
        sandbox, proxy = self.play()
        proxy.get(limit=3)
        proxy.reload(upstream={"answer_ttl": 0, "stats_ttl": 0})
        before = len(sandbox.log())
        self.assertEqual(proxy.get(limit=3).headers["x-anchorage-cache"], "miss")
        self.assertGreater(len(sandbox.log()), before)

    def test_a_hundred_times_under_load(self):
        _, proxy = self.play(teams={"seo": {"concurrency": 2}, "other": {}})
        over, answers, wrong, answered = threading.Event(), [0] * 4, [], threading.Semaphore(0)

        def load(index):
            with proxy.connect() as connection, connection.makefile("rb") as stream:
                while not over.is_set():
                    call = proxy.params({"limit": 1 + answers[index] % 3})
                    connection.sendall(f"GET {call} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                    answer = read_answer(stream)
                    if answer is None or answer.fault:
                        wrong.append(answer)
                        over.set()
                    answers[index] += 1
                    answered.release()

        threads = [threading.Thread(target=load, args=(index,)) for index in range(len(answers))]
        for thread in threads:
            thread.start()
        for number in range(100):
            answered.acquire(timeout=PATIENCE)
            answered.acquire(timeout=PATIENCE)
            said = proxy.reload(team_seo={"concurrency": 1 + number % 4, "rows_per_month": 10**9 + number},
                                team_other=None if number % 2 else {"rows_per_month": number},
                                proxy={"call_timeout": f"{number + 60}s"})
            self.assertIn("is taken: [proxy] call_timeout", said)
        over.set()
        for thread in threads:
            thread.join(PATIENCE)
        self.assertEqual(wrong, [])
        self.assertGreaterEqual(sum(answers), 200)
        usage = proxy.usage()["seo"]
        self.assertEqual((usage["calls"], usage["faults"], usage["rows_held"]), (sum(answers), 0, 0))


if __name__ == "__main__":
    unittest.main()
