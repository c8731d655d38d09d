# SPDX-License-Identifier: MIT
"""Canaries: keys and tokens that stand nowhere else are looked for wherever the proxy writes, shows or leaves anything."""
import glob
import os
import shutil
import signal
import subprocess
import unittest
import urllib.parse

from anchorage import PATIENCE, SANITIZER, Anchorage
from sandbox import Sandbox
from test_admin import Admin

# Long enough to be told from chance; parts of them are looked for, too.
V3_KEY = "v3-Canary-7Qx9mWc2RtLk4ZbN8sYd"
ADMIN = "adminCanary5Hj3uPzE6vGa1XoTq0W"
OLD = "oldCanary8Fs2yKbD4nMi7LrVw3Cgx"
PLAIN = "plainCanary0Uz6tJqB9hEo5SkXm1Pv"
STRANGE = "strangeCanary3Wa8rNdG6lYf2IcTb"
LATER = "laterCanary4Gk7wQsZ1pHv9MxEu2Rn"
CANARIES = [V3_KEY, ADMIN, OLD, PLAIN, STRANGE, LATER]
PART = 14


def found(text, canaries=CANARIES):
    """Which canaries, or good parts of them, stand in the bytes, in whatever case, plain or in UTF-16."""
    low = text.lower()
    hits = []
    for canary in canaries:
        for at in range(0, len(canary) - PART + 1, 4):
            part = canary[at:at + PART].lower()
            if part.encode() in low or part.encode("utf-16-le") in low:
                hits.append(part)
                break
    return hits


class Secrets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox(today=None, key=V3_KEY).start()
        cls.addClassCleanup(cls.sandbox.stop)

    def setUp(self):
        self.sandbox.reset()
        self.seen = []  # (where, bytes)
        self.proxy = Anchorage(self.sandbox, proxy={"admin": "127.0.0.1:0", "admin_token_file": "admin.token",
                                                    "error_status": "http"},
                               upstream={"timeout": "1s"}, keys=[], teams={"seo": {"rows_per_month": 100000}})
        self.addCleanup(self.proxy.close)
        for name, text in [("admin.token", ADMIN), ("old-token", OLD)]:
            with open(os.path.join(self.proxy.path, name), "w", encoding="ascii") as file:
                file.write(text + "\n")
        self.command("key", "add", "--team", "seo", "--name", "old", "--token-file", "old-token")
        self.command("key", "add", "--team", "seo", "--token", "-", text_in=PLAIN + "\n")
        self.proxy.start()

    def command(self, *words, text_in=None):
        done = self.proxy.run(*words, text_in=text_in)
        self.seen.append((" ".join(words), (done.stdout + done.stderr).encode()))
        return done

    def call(self, raw=None, **params):
        headers = params.pop("headers", None)
        answer = self.proxy.get(raw, headers=headers, **params)
        self.seen.append((f"the answer to {raw or params}", repr(answer.headers).encode() + answer.bytes))
        return answer

    def ask(self, path, **headers):
        answer = Admin(self.proxy).ask(path, **headers)
        self.seen.append((f"the admin side's answer to {path}", repr(answer.headers).encode() + answer.bytes))
        return answer

    @staticmethod
    def everywhere(token):
        return {"User-Agent": f"x/1 {token.upper()}", "Referer": f"http://x/?token={token}", "Cookie": token,
                "X-Token": token, "Authorization": "Bearer " + token}

    def calls(self):
        """Good calls, tokens in wrong places, and every kind of fault."""
        self.assertEqual(self.call(token=OLD).status, 200)
        self.assertEqual(self.call(token=PLAIN, limit=3).status, 200)
        self.assertEqual(self.call(token=OLD, from_="subscription_info").status, 200)
        self.assertEqual(self.call(token=STRANGE).fault, "unknown_key")
        self.assertEqual(self.call(f"/?token={OLD}&token={STRANGE}&from=anchors&target=a.example").fault, "bad_request")
        self.assertEqual(self.call(f"/{OLD}?from=anchors").fault, "not_found")
        self.call(f"/?from=anchors&target=small.example&mode=domain&{OLD}")
        self.assertEqual(self.call(token=OLD, headers=self.everywhere(OLD)).status, 200)
        self.call(token=OLD, headers={"Host": OLD})
        self.assertEqual(self.call(token=STRANGE, headers=self.everywhere(STRANGE)).fault, "unknown_key")
        for name in ["from_", "target", "mode", "select", "where", "having", "order_by", "limit", "offset", "output"]:
            self.call(token=OLD, **{name: OLD})
            self.call(token=OLD, **{name: f'eq(anchor,"{OLD}")'})
            self.call(token=OLD, **{name: f"a.example/{OLD}"})
        post = urllib.parse.urlencode({"token": OLD, "from": "anchors", "target": "small.example"})
        answer = self.proxy.get("/", "POST", post, {"Content-Type": "application/x-www-form-urlencoded"})
        self.seen.append(("the answer to a POST", answer.bytes))
        self.assertEqual(answer.status, 200)
        for line in [f"GET /?token={OLD} HTTP/9.9", f"{OLD} / HTTP/1.1", f"GET http://{OLD}@x/ HTTP/1.1", f"GET /?{OLD}\x01"]:
            self.seen.append((line, self.proxy.raw(line.encode() + b"\r\nHost: x\r\n\r\n", count=0)))

    def upstream(self):
        """An upstream that gives the key away."""
        key, number = V3_KEY, 0
        echo = {"X-Echo": f"Bearer {key}", "Set-Cookie": key}
        for script in [{"status": 400, "body": {"error": f"bad key {key}"}}, {"status": 401, "body": {"message": key}},
                       {"status": 403, "body": ["Error", f"{key} {key.upper()}"]}, {"status": 404, "body": key * 200},
                       {"status": 500, "body": f"<html><b>{key}</b>", "content_type": "text/html"},
                       {"status": 429, "body": {"error": key}, "headers": {**echo, "Retry-After": key}},
                       {"status": 200, "body": {"error": key}, "headers": echo}, {"status": 200, "body": key},
                       {"status": 200, "headers": {"Content-Type": key}}, {"status": 302, "headers": {"Location": f"/{key}"}},
                       {"status": 200, "headers": {"Content-Encoding": key}}, {"status": 503, "body": {"error": {"message": key}}},
                       {"raw": f"{key}\r\n\r\n"}, {"raw": f"HTTP/1.1 {key}\r\n\r\n"}, {"raw": f"HTTP/1.1 200 {key}\r\n{key}\r\n\r\n"},
                       {"raw": f"HTTP/1.1 200 OK\r\nContent-Length: {key}\r\n\r\n"},
                       {"raw": f"HTTP/1.1 200 OK\r\nTransfer-Encoding: {key}\r\n\r\n"},
                       {"truncate_at": 10, "status": 400, "body": {"error": key}}, {"stall": True}, {"reset": True}]:
            number += 1
            self.sandbox.reset()
            self.sandbox.script({"match": "anchors", "headers": echo, **script})
            self.call(token=OLD, target=f"t{number}.example", limit=1)
            if number % 4 == 0:  # before the breaker opens
                self.sandbox.reset()
                self.assertEqual(self.call(token=OLD, target=f"good{number}.example", limit=1).status, 200)

    def admin(self):
        right = {"Authorization": "Bearer " + ADMIN}
        for path in ["/metrics", "/usage?by=key", "/usage?by=target", "/usage?by=client", "/none/" + OLD, "/usage?by=" + OLD[:8]]:
            self.ask(path, **right)
            self.ask(path)
        for headers in [{"Authorization": "Bearer " + STRANGE}, {"Authorization": "Basic " + ADMIN}]:
            self.assertEqual(self.ask("/metrics", **headers).status, 401)
        for call in [f"https://apiv2.ahrefs.com/?from=anchors&target=small.example&mode=domain&token={OLD}",
                     f"from={OLD}&token={OLD}", f"from=anchors&target={OLD}.example&mode=domain&token={OLD}",
                     f"from=anchors&target=a.example&where=eq(anchor,%22{OLD}%22)&token={OLD}", f"https://x/{OLD}?from=x"]:
            self.ask("/explain?" + urllib.parse.urlencode({"call": call}), **right)
            self.command("explain", call)
            self.command("explain", "-", text_in=call)

    def commands(self):
        with open(os.path.join(self.proxy.path, "later"), "w", encoding="ascii") as file:
            file.write(LATER)
        self.command("key", "add", "--team", "seo", "--token-file", "later")
        self.command("key", "add", "--team", "seo", "--token-file", "later")
        self.command("key", "import", "-", text_in=f"team,name,token\nnone,x,{STRANGE}\n")
        self.command("key", "list")
        self.assertEqual(self.call(token=LATER, limit=2).status, 200)
        for words in ["usage --by key", "usage --by target", "ledger export", "ledger export --format csv", "ledger verify",
                      "check"]:
            self.command(*words.split())
        self.command("ledger", "backup", "backup.db")

    def files(self, folder):
        """All that stands in a folder but the files that hold the secrets because they were put there."""
        for name in glob.glob(os.path.join(folder, "**"), recursive=True):
            if os.path.isfile(name) and os.path.basename(name) not in ("v3.key", "admin.token", "old-token", "later"):
                with open(name, "rb") as file:
                    self.seen.append((name, file.read()))

    def nothing_found(self):
        for where, text in self.seen:
            for part in found(text):
                at = text.lower().find(part.encode())
                self.fail(f"{where} has {part} at {at}: {text[max(at - 300, 0):at + 300]!r}")
        self.seen.clear()

    def test_nothing_is_written_or_shown(self):
        self.calls()
        self.upstream()
        self.admin()
        self.commands()
        pid = self.proxy.process.pid
        for name in ["environ", "cmdline", "status", "comm", "maps"]:
            try:
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    self.seen.append((name, file.read()))
            except PermissionError:
                pass  # not dumpable: others of the same user may not look
        self.files(self.proxy.path)
        self.assertIn("ledger.db-wal", [os.path.basename(where) for where, _ in self.seen])
        self.proxy.stop()
        self.seen.append(("the log", "".join(self.proxy.lines).encode()))
        self.files(self.proxy.path)
        self.assertGreater(len(self.proxy.lines), 60)
        self.nothing_found()

    def test_metered_strangers(self):
        """A token that is no key's is served and listed without being kept."""
        self.proxy.stop()
        self.proxy.sections["proxy"]["unknown_keys"] = "meter"
        self.proxy.sections["team unassigned"] = {"rows_per_month": 1000}
        self.proxy.write_config()
        self.proxy.start()
        self.assertEqual(self.call(token=STRANGE, limit=1, headers=self.everywhere(STRANGE)).status, 200)
        self.call(token=STRANGE, from_=STRANGE)
        self.assertIn("127.0.0.1", self.command("key", "list", "--unknown").stdout)
        self.ask("/usage?by=key", Authorization="Bearer " + ADMIN)
        self.command("ledger", "export")
        self.files(self.proxy.path)
        self.proxy.stop()
        self.seen.append(("the log", "".join(self.proxy.lines).encode()))
        self.files(self.proxy.path)
        self.nothing_found()

    @staticmethod
    def guises(token):
        """What old programs make of a token on its way into another field."""
        every = "".join(f"%{byte:02x}" for byte in token.encode())
        return [token, token.swapcase(), every, every.upper(), "x/" + token[:2] + every[6:],
                urllib.parse.quote(every), f'?token={every}&x="{token}"']

    def test_other_guises(self):
        """Short tokens, and encoded ones: of keys and of strangers, in answers, explanations, log, ledger and lists."""
        tokens = ["kq7-Z", "sk,Short9", "fifteen-chars_5", "Sk8=+/Blank-and-16 x"]
        for number, token in enumerate(tokens[:3]):
            self.command("key", "add", "--team", "seo", "--name", f"n{number}", "--token", "-", text_in=token + "\n")
        for token in tokens:
            for guise in self.guises(token):
                for name in ["from_", "target", "mode", "select", "where", "order_by", "limit", "output"]:
                    self.call(token=token, **{name: guise})
                self.call(token=token, where=f'anchor="{guise}"', limit=1)
                self.call(token=token, target="small.example/" + guise, mode="prefix", limit=1)
                call = urllib.parse.urlencode({"from": "anchors", "target": "a.example", "token": token,
                                               "where": f'anchor="{guise}",anchor<>"{token}"'})
                for one in [call, call + "&limit=" + urllib.parse.quote(guise)]:
                    self.command("explain", "-", text_in=one)
                    self.command("explain", "--format", "json", "-", text_in=one)
            for guise in self.guises("no-" + token):
                self.call(token="no-" + token, from_=guise, headers={"User-Agent": f"x/1 {guise} ({guise})"})
        self.command("key", "list", "--unknown")
        self.command("ledger", "export")
        self.command("usage", "--by", "target")
        self.proxy.stop()
        self.seen.append(("the log", "".join(self.proxy.lines).encode()))
        for where, text in self.seen:
            read = text.decode("utf-8", "replace").lower()
            for _ in range(4):
                for token in tokens:
                    for one in [read, read.replace("\\", ""), read.replace("+", " ")]:
                        at = one.find(token.lower())
                        self.assertEqual(at, -1, f"{where} has {token}: {one[max(at - 200, 0):at + 200]!r}")
                read = urllib.parse.unquote(read).lower()

    def test_a_crash_leaves_nothing(self):
        self.call(token=OLD)
        os.kill(self.proxy.process.pid, signal.SIGSEGV)
        self.proxy.process.wait(PATIENCE)
        self.proxy.reader.join()
        self.proxy.process = None
        log = "".join(self.proxy.lines)
        self.assertTrue(self.sanitized() or not SANITIZER.search(log))
        self.seen.append(("the log", log.encode()))
        self.files(self.proxy.path)
        self.assertFalse([where for where, _ in self.seen if "core" in os.path.basename(where)])
        self.nothing_found()

    def sanitized(self):
        with open(self.binary(), "rb") as file:
            return b"__asan_init" in file.read()

    @staticmethod
    def binary():
        return os.path.abspath(os.path.join(os.environ.get("BUILD_DIR", "build"), "anchorage"))

    def test_a_core_made_by_root(self):
        """Nobody else can make one. The v3 key is not in it; the tokens of the last calls may be, in buffers not yet used
        again."""
        if not shutil.which("gcore") or os.geteuid() != 0:
            self.skipTest("needs gcore and root")
        if self.sanitized():
            self.skipTest("a sanitizer keeps freed memory, and a core of it is terabytes")
        for limit in range(1, 20):
            self.assertEqual(self.call(token=OLD, limit=limit).status, 200)
        self.assertEqual(self.ask("/metrics", Authorization="Bearer " + ADMIN).status, 200)
        core = os.path.join(self.proxy.path, "gcore")
        done = subprocess.run(["gcore", "-o", core, str(self.proxy.process.pid)], capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        files = glob.glob(core + ".*")
        if not files:
            self.skipTest("gcore cannot make one here: " + done.stderr[-300:])
        with open(files[0], "rb") as file:
            dump = file.read()
        os.unlink(files[0])
        self.assertIn(b"anchorage", dump)
        self.assertEqual(found(dump, [V3_KEY]), [])

    def test_the_search_can_find(self):
        self.assertEqual(len(found(b"x" + V3_KEY.lower().encode() + b"x")), 1)
        self.assertEqual(len(found(OLD[6:24].encode("utf-16-le"))), 1)
        self.assertEqual(found(b"nothing"), [])


if __name__ == "__main__":
    unittest.main()
