# SPDX-License-Identifier: MIT
"""A sandbox of API v3 for a test: starts anchorage-sandbox, scripts it, asks what it has seen.

    with Sandbox(anchor_case="fold") as sandbox:
        sandbox.script({"match": "anchors", "status": 502, "body": "<html>", "content_type": "text/html"})
        answer = sandbox.anchors("small.example", history="live")
        sandbox.wait(finished=1)
        print(sandbox.log()[0]["status"])
"""
import gzip
import http.client
import json
import os
import subprocess
import unittest
import urllib.parse

BUILD_DIR = os.environ.get("BUILD_DIR", "build")
TODAY = "2026-08-01"  # every test has the same day unless it asks for another

# Every column of a row.
ALL = "anchor,links_to_target,dofollow_links,new_links,lost_links,refdomains,refpages,first_seen,last_seen," \
      "top_domain_rating,is_spam"
COST_HEADERS = ["x-api-rows", "x-api-units-cost-row", "x-api-units-cost-total", "x-api-units-cost-total-actual",
                "x-api-cache"]


def leaf(field, *what):
    """A leaf of a where filter: leaf("anchor", "eq", "x"), leaf("last_seen", "is_null")."""
    return {"field": field, "is": what[0] if len(what) == 1 else list(what)}


class Answer:
    """Status, headers (names in lower case) and body of an answer."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.bytes = response.read()

    @property
    def text(self):
        body = gzip.decompress(self.bytes) if self.headers.get("content-encoding") == "gzip" else self.bytes
        return body.decode()

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def rows(self):
        """The list that the answer is."""
        [rows] = self.json.values()
        return rows

    @property
    def cost(self):
        """rows, cost-row, total, actual as numbers, and the cache's word."""
        names = ["rows", "units-cost-row", "units-cost-total", "units-cost-total-actual"]
        return [int(self.headers["x-api-" + name]) for name in names] + [self.headers["x-api-cache"]]

    def __repr__(self):
        return f"<{self.status} {self.bytes[:200]!r}>"


class Sandbox:
    """Options are those of the command line with _ for -; without a rate there is no limit of it."""

    key = "sandbox-key"

    def __init__(self, binary=None, **options):
        options = {"rate": 0, "today": TODAY, **options}
        self.arguments = [binary or os.path.join(BUILD_DIR, "anchorage-sandbox")]
        for name, value in options.items():
            for one in value if isinstance(value, (list, tuple)) else [value]:
                if one is not None:
                    self.arguments += ["--" + name.replace("_", "-"), str(one)]
        if "key" in options:
            self.key = options["key"] if isinstance(options["key"], str) else options["key"][0]
        self.process = self.connection = None

    def start(self):
        self.process = subprocess.Popen(self.arguments, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            self.process.wait()
            raise RuntimeError(f"{' '.join(self.arguments)} did not start: {line!r}")
        self.url = line.split()[-1]
        self.port = urllib.parse.urlsplit(self.url).port
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        return self

    def stop(self):
        """End it; whatever a sanitizer found on the way out is an error."""
        if not self.process:
            return
        self.connection.close()
        self.process.terminate()
        code = self.process.wait(20)
        self.process.stdout.close()
        self.process = None
        if code:
            raise RuntimeError(f"anchorage-sandbox ended with {code}")

    def __enter__(self):
        return self.start()

    def __exit__(self, *error):
        self.stop()

    def request(self, method, path, body=None, headers=None):
        """A request exactly as told, over the connection kept for this."""
        self.connection.request(method, path, body, headers or {})
        return Answer(self.connection.getresponse())

    def get(self, path, params=None, key=None, headers=None):
        """GET /v3/PATH with the key; a parameter None is left out."""
        params = {name: value for name, value in (params or {}).items() if value is not None}
        if "where" in params and not isinstance(params["where"], str):
            params["where"] = json.dumps(params["where"])
        query = urllib.parse.urlencode(params, quote_via=urllib.parse.quote)
        sent = {"Authorization": f"Bearer {key or self.key}", "User-Agent": "test"}
        sent.update(headers or {})
        return self.request("GET", f"/v3/{path}" + ("?" + query if query else ""), headers=sent)

    def anchors(self, target, select="anchor,links_to_target", **params):
        return self.get("site-explorer/anchors", {"target": target, "select": select, **params})

    def list(self, report, target, select, **params):
        """GET /v3/site-explorer/REPORT."""
        return self.get("site-explorer/" + report, {"target": target, "select": select, **params})

    def batch(self, targets, select, key=None, **parts):
        """POST batch-analysis. A target is (url, mode), or (url, mode, protocol), or whatever the body shall have."""
        asked = [dict(zip(("url", "mode", "protocol"), (*one, "both")[:3])) if isinstance(one, tuple) else one
                 for one in targets]
        select = select.split(",") if isinstance(select, str) else select
        return self.post("batch-analysis/batch-analysis", {"select": select, "targets": asked, **parts}, key)

    def post(self, path, body, key=None):
        """POST /v3/PATH with the key; a body that is no text is JSON."""
        body = body if isinstance(body, (str, bytes)) else json.dumps(body)
        sent = {"Authorization": f"Bearer {key or self.key}", "User-Agent": "test", "Content-Type": "application/json"}
        return self.request("POST", f"/v3/{path}", body, sent)

    def stats(self, target, date=TODAY, **params):
        return self.get("site-explorer/backlinks-stats", {"target": target, "date": date, **params})

    def limits(self, key=None):
        return self.get("subscription-info/limits-and-usage", key=key).json["limits_and_usage"]

    def control(self, method, path, body=None):
        """Ask /_sandbox/PATH on a connection of its own; its JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, "/_sandbox/" + path, None if body is None else json.dumps(body))
            answer = Answer(connection.getresponse())
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{method} /_sandbox/{path}: {answer.text}")
        return answer.json

    def script(self, *entries):
        """Add entries, or lists of them, to the script."""
        flat = [e for entry in entries for e in (entry if isinstance(entry, list) else [entry])]
        return self.control("POST", "script", flat)

    def log(self):
        """The v3 requests since the last reset, oldest first."""
        return self.control("GET", "log")["requests"]

    def state(self):
        return self.control("GET", "state")

    def reset(self, **limits):
        """Forget log, script and spent units; units=, key_units=, rate= set the limits (None: none)."""
        return self.control("POST", "reset", limits)

    def wait(self, requests=0, finished=0, timeout=10):
        """Return once so many requests have come, and so many answers have gone."""
        return self.control("GET", f"wait?requests={requests}&finished={finished}&timeout_ms={int(timeout * 1000)}")


class OneSandbox(unittest.TestCase):
    """Tests that share a sandbox; each begins with an empty log, script and bill."""

    options = {}

    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox(**cls.options).start()
        cls.addClassCleanup(cls.sandbox.stop)

    def setUp(self):
        self.sandbox.reset()

    def refused(self, answer, status, text):
        self.assertEqual((answer.status, answer.json), (status, {"error": text}))
        self.assertFalse(set(COST_HEADERS) & set(answer.headers), "a refused request has no cost headers")
        self.assertEqual(self.sandbox.state()["spent"], 0, "a refused request costs nothing")
