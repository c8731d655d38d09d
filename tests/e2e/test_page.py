# SPDX-License-Identifier: MIT
"""The page of the admin side as files over HTTP: what browsers are told, and who may see it."""
# quick
import hashlib
import json
import os
import re
import time
import unittest
import urllib.parse

from anchorage import Anchorage
from sandbox import Sandbox
from test_admin import Admin

SECRET = "t0ken+of/the=admin-side"
GUARDS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                               "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
                               "require-trusted-types-for 'script'; trusted-types 'none'",
    "x-content-type-options": "nosniff", "referrer-policy": "same-origin", "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin", "cross-origin-opener-policy": "same-origin",
}
ASSETS = {"/assets/page.css": "text/css", "/assets/page.js": "text/javascript", "/assets/chart.js": "text/javascript"}
DATA = ["/overview", "/calls", "/usage", "/unknown", "/explain?call=from%3Danchors", "/metrics"]
KIB = 1024


class Page(unittest.TestCase):
    """On loopback, without a token."""

    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox(today=None).start()
        cls.addClassCleanup(cls.sandbox.stop)
        cls.proxy = Anchorage(cls.sandbox, proxy={"admin": "127.0.0.1:0"})
        cls.addClassCleanup(cls.proxy.close)
        cls.proxy.start()
        cls.admin = Admin(cls.proxy)

    def test_guards_on_every_answer(self):
        for path in ["/", *ASSETS, "/healthz", "/readyz", "/none", "/login", "/usage?by=x", "/%00", *DATA]:
            for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS"]:
                answer = self.admin.ask(path, method)
                self.assertLessEqual(GUARDS.items(), dict(answer.headers).items(), (method, path))
                self.assertFalse([name for name in dict(answer.headers) if name.startswith("access-control")])
        self.assertNotIn("content-security-policy", self.proxy.get(limit=1).headers, "clients get none")

    def test_data_is_not_kept(self):
        for path in ["/none", "/usage?by=x", *DATA]:
            self.assertEqual(self.admin.ask(path).headers["cache-control"], "no-store", path)

    def test_a_document_with_its_assets(self):
        answer = self.admin.ask("/")
        text = answer.bytes.decode()
        self.assertEqual((answer.status, answer.headers["content-type"]), (200, "text/html; charset=utf-8"))
        self.assertNotIn("@", text)
        named = re.findall(r'(?:src|href)="(/assets/[^"]+)"', text)
        self.assertEqual(sorted(url.split("?")[0] for url in named), sorted(ASSETS))
        sizes = {"/": len(answer.bytes)}
        for url in named:
            path, _, version = url.partition("?v=")
            asset = self.admin.ask(url)
            self.assertEqual(version, hashlib.sha256(asset.bytes).hexdigest()[:12])
            self.assertEqual(asset.headers["content-type"], ASSETS[path] + "; charset=utf-8")
            self.assertEqual(asset.headers["cache-control"], "public, max-age=31536000, immutable")
            for other in [path, path + "?v=" + "0" * 12, url + "&v=1"]:
                self.assertEqual(self.admin.ask(other).headers["cache-control"], "no-cache")
            sizes[path] = len(asset.bytes)
        self.assertLessEqual(sum(sizes.values()), 280 * KIB)
        self.assertLessEqual(sum(sizes.values()) - sizes["/assets/chart.js"], 60 * KIB)

    def test_who_has_it_is_told_so(self):
        for path in ["/", *ASSETS]:
            tag = self.admin.ask(path).headers["etag"]
            for given, status in [(tag, 304), ("W/" + tag, 304), (f'"other", {tag}', 304), ('"other"', 200), (tag[:-1], 200)]:
                answer = self.admin.ask(path, **{"If-None-Match": given})
                self.assertEqual((answer.status, answer.bytes == b""), (status, status == 304), (path, given))
                self.assertEqual(answer.headers["etag"], tag)

    def test_no_sign_in_without_a_token(self):
        self.assertEqual(self.admin.ask("/login").status, 404)
        self.assertEqual(self.admin.ask("/logout", "POST").status, 404)
        self.assertIn('id="sign-out" method="post" action="/logout" hidden', self.admin.ask("/").bytes.decode())

    def test_latest_calls(self):
        """As the log has them, with mode, shape and milliseconds; a stranger's words are not kept."""
        good = [self.proxy.get(limit=n) for n in (1, 1, 2)]
        bad = [self.proxy.get(limit="x"), self.proxy.get(token="wrong" * 8, target="secret.example")]
        ids = [answer.id for answer in reversed(good + bad)]
        ask = lambda query: self.admin.ask("/calls?" + query).json
        whole = ask("limit=1000")
        self.assertEqual([call["id"] for call in whole["items"]][:5], ids)
        self.assertEqual(whole["kept"], len(whole["items"]))
        latest = whole["items"][2]
        self.assertEqual((latest["mode"], latest["table"], latest["rows"], latest["units"], latest["status"]),
                         ("subdomains", "anchors", good[-1].rows_charged, good[-1].units, 200))
        self.assertIn("anchors subdomains select:", latest["shape"])
        self.assertIsInstance(latest["ms"], int)
        for query, chosen in [("only=fault", ids[:2]), ("only=unknown", ids[:1]), ("fault=bad_limit", ids[1:2]), ("limit=1", ids[:1]),
                              ("team=nobody", []), ("key=" + latest["key"] + "&fault=bad_limit", ids[1:2]),
                              ("only=paid", [a.id for a in reversed(good) if a.units])]:
            self.assertEqual([call["id"] for call in ask(query)["items"] if call["id"] in ids], chosen, query)
        self.assertNotIn("secret.example", json.dumps(whole))

    def test_only_a_thousand_are_kept(self):
        raw = [f"/?from=anchors&token={number:040d}" for number in range(1100)]
        answers = [self.proxy.get(one) for one in raw]
        kept = self.admin.ask("/calls?limit=1000").json
        self.assertEqual((kept["kept"], len(kept["items"])), (1000, 1000))
        self.assertEqual([call["id"] for call in kept["items"]], [answer.id for answer in reversed(answers)][:1000])

    def test_pages_of_other_places(self):
        for path in DATA:
            self.assertEqual(self.admin.ask(path, **{"Sec-Fetch-Site": "cross-site"}).status, 403, path)
            self.assertEqual(self.admin.ask(path, **{"Sec-Fetch-Site": "same-origin"}).status, 200, path)


class SignIn(unittest.TestCase):
    """With a token."""

    def setUp(self):
        sandbox = Sandbox(today=None).start()
        self.addCleanup(sandbox.stop)
        self.proxy = Anchorage(sandbox, proxy={"admin": "127.0.0.1:0", "admin_token_file": "admin.token"})
        self.addCleanup(self.proxy.close)
        with open(os.path.join(self.proxy.path, "admin.token"), "w", encoding="ascii") as file:
            file.write(SECRET + "\n")
        self.proxy.start()
        self.admin = Admin(self.proxy)
        self.host = f"127.0.0.1:{self.admin.address[1]}"

    def post(self, path, body, **headers):
        headers = {"Origin": f"http://{self.host}", "Content-Type": "application/x-www-form-urlencoded", **headers}
        return self.admin.ask(path, "POST", body, **{name: value for name, value in headers.items() if value})

    def login(self, token=SECRET, next_="/", **headers):
        where = "/login?" + urllib.parse.urlencode({"next": next_})
        return self.post(where, urllib.parse.urlencode({"token": token}), **headers)

    def test_in_and_out(self):
        away = self.admin.ask("/?team=a%26b&view=usage")
        self.assertEqual(away.status, 303)
        self.assertEqual(urllib.parse.unquote(away.headers["location"]), "/login?next=/?team=a%26b&view=usage")
        form = self.admin.ask(away.headers["location"])
        self.assertEqual((form.status, form.headers["cache-control"]), (200, "no-store"))
        self.assertNotIn("@", form.bytes.decode())
        before = time.time()
        answer = self.post(away.headers["location"], urllib.parse.urlencode({"token": SECRET}))
        self.assertEqual((answer.status, answer.headers["location"]), (303, "/?team=a%26b&view=usage"))
        given = answer.headers["set-cookie"]
        self.assertTrue(given.endswith("; HttpOnly; SameSite=Strict; Path=/; Max-Age=43200"), given)
        self.assertNotIn(SECRET, given)
        cookie = given.split(";")[0]
        until = int(re.fullmatch(r"anchorage_admin=(\d+)\.[0-9a-f]{64}", cookie)[1])
        self.assertAlmostEqual(until, before + 43200, delta=10)
        page = self.admin.ask("/", Cookie=cookie)
        self.assertIn('action="/logout">', page.bytes.decode())
        for path in DATA:
            self.assertEqual(self.admin.ask(path, Cookie="a=b; " + cookie).status, 200, path)
        out = self.post("/logout", "", Cookie=cookie)
        self.assertEqual((out.status, out.headers["location"]), (303, "/login"))
        self.assertIn("anchorage_admin=;", out.headers["set-cookie"])
        self.assertIn("; Secure", self.login(**{"X-Forwarded-Proto": "https"}).headers["set-cookie"])
        self.proxy.stop()
        self.proxy.start()
        self.admin = Admin(self.proxy)
        self.assertEqual(self.admin.ask("/overview", Cookie=cookie).status, 401, "a restart ends it")

    def test_other_cookies(self):
        cookie = self.login().headers["set-cookie"].split(";")[0]
        name, _, value = cookie.partition("=")
        until, _, mac = value.partition(".")
        for bad in ["", value[:-1], value + "0", f"{int(until) + 1}.{mac}", f"{until}.{'0' * 64}", until, mac, f".{mac}",
                    f"0{until}.{mac}", f"{until}.{mac.upper()}", SECRET]:
            self.assertEqual(self.admin.ask("/overview", Cookie=f"{name}={bad}").status, 401, bad)
            self.assertEqual(self.admin.ask("/", Cookie=f"{name}={bad}").status, 303, bad)
        self.assertEqual(self.admin.ask("/overview", Cookie=f"x{cookie}").status, 401)
        self.assertEqual(self.admin.ask("/overview", Cookie=cookie, **{"Sec-Fetch-Site": "cross-site"}).status, 403)

    def test_where_forms_come_from(self):
        for origin, site, status in [(f"http://{self.host}", None, 303), (f"https://{self.host}", "same-origin", 303),
                                     (None, "same-origin", 303), (None, None, 403), ("null", None, 403),
                                     ("null", "same-origin", 403), ("http://evil.example", "same-origin", 403),
                                     (f"http://{self.host}.evil.example", None, 403), (self.host, None, 403),
                                     (None, "same-site", 403), (None, "cross-site", 403), (None, "none", 403)]:
            headers = {"Origin": origin, "Sec-Fetch-Site": site}
            self.assertEqual(self.login(**headers).status, status, headers)
            self.assertEqual(self.post("/logout", "", **headers).status, status, headers)
        for path in ["/", "/overview", "/assets/page.css"]:
            self.assertIn(self.post(path, "").status, (401, 405), path)
        self.assertEqual(self.admin.ask("/logout").status, 405)
        self.assertEqual(self.login(token="x" * 1024).status, 413)

    def test_next_is_a_path_of_ours(self):
        for next_ in ["//evil.example", "/\\evil.example", "https://evil.example", "evil", ""]:
            self.assertEqual(self.login(next_=next_).headers["location"], "/", next_)
        for next_ in ["/?view=explain", "/"]:
            self.assertEqual(self.login(next_=next_).headers["location"], next_)
        for next_ in ["/\t/evil.example", "/\r\nSet-Cookie: a=b"]:
            self.assertEqual(self.login(next_=next_).status, 400, next_)

    def test_ten_wrong_tokens(self):
        for _ in range(10):
            answer = self.login(token=SECRET + "x")
            self.assertEqual((answer.status, "not the admin token" in answer.bytes.decode()), (401, True))
            self.assertNotIn("set-cookie", answer.headers)
        answer = self.login()
        self.assertEqual(answer.status, 429)
        self.assertIn(int(answer.headers["retry-after"]), range(1, 61))
        self.assertEqual(self.admin.ask("/overview", Authorization="Bearer " + SECRET).status, 200)

    def test_open_paths(self):
        for path in [*ASSETS, "/healthz", "/readyz", "/login"]:
            self.assertEqual(self.admin.ask(path).status, 200, path)
        for path in ["/none", *DATA]:
            self.assertEqual(self.admin.ask(path).status, 401, path)


if __name__ == "__main__":
    unittest.main()
