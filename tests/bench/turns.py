# SPDX-License-Identifier: MIT
"""The longest turn of the loop for the worst request of each kind that the limits allow: each parameter at its longest,
each output, each fault, the worst answers of v3, the admin side. What is measured is the time that the loop's thread has
of the processor between two questions to the kernel, so that other processes do not count.

    BUILD_DIR=build-release python3 tests/bench/turns.py [WORD...]

With words: only the cases whose name holds one of them. BENCH_ROUNDS=N: how often each is played; the best of them counts,
for what disturbs it comes from outside.
"""
import mmap
import os
import random
import socket
import socketserver
import struct
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from anchorage import BUILD_DIR, TOKEN, Anchorage, read_answer  # noqa: E402 (the path comes first)
from bars import IS_SLICE, ROUNDS, Bars  # noqa: E402

BODY, LINE = 65536, 8192  # bytes of a form and of a request line
PRELOADED = os.path.abspath(os.path.join(BUILD_DIR, "tests", "bench", "turn.so"))
OUTPUTS = ("xml",) if IS_SLICE else ("json", "xml", "php")
TARGETS = 400 if IS_SLICE else 8000  # in the books
SIZE = int(os.environ.get("TURNS_MIB", "8" if IS_SLICE else "24")) << 20  # of v3's large answers


class Turns:
    """The numbers that the preloaded library keeps."""

    def __init__(self):
        self.file = tempfile.NamedTemporaryFile(prefix="anchorage-turns-")
        self.file.truncate(24)
        self.map = mmap.mmap(self.file.fileno(), 24)

    def begin(self):
        self.map[:8] = bytes(8)

    def longest_ms(self):
        return struct.unpack_from("=Q", self.map)[0] / 1e6

    def count(self):
        return struct.unpack_from("=Q", self.map, 8)[0]


class V3(socketserver.ThreadingTCPServer):
    """v3 with prepared answers: `pages` of a target (a host's first label), one after the other."""
    allow_reuse_address = daemon_threads = True

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            try:
                while line := self.rfile.readline(1 << 20):
                    while self.rfile.readline(1 << 20) not in (b"\r\n", b""):
                        pass
                    query = urllib.parse.parse_qs(urllib.parse.urlsplit(line.split()[1].decode()).query)
                    self.wfile.write(self.server.answer(query["target"][0].split(".")[0]))
            except OSError:
                pass  # it was cut off

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.pages, self.asked = {}, {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/v3"

    def answer(self, name):
        kind = name.partition("-")[0]
        pages = self.pages[kind]
        n = self.asked[name] = self.asked.get(name, -1) + 1
        return pages[min(n, len(pages) - 1)]


def answer_of(status, body):
    rows = body.count(b'"anchor":') if status == 200 else 0
    return (f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"x-api-rows: {rows}\r\nx-api-units-cost-total-actual: {max(50, rows)}\r\n\r\n").encode() + body


def page(anchors, links=None, form=None):
    """A list of v3; `anchors` are texts as they stand between the quotes, `form` another way to write a row."""
    form = form or b'{"anchor":"%b","links_to_target":%d,"refpages":7,"refdomains":3,"first_seen":"2020-01-02T03:04:05Z"}'
    n = len(anchors)
    return answer_of(200, b'{"anchors":[' + b",".join(
        form % (anchor, links[i] if links else n - i) for i, anchor in enumerate(anchors)) + b"]}")


# ---- requests ----

def get(query, fields=b""):
    return b"GET /?" + query + b" HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n"


def post(form):
    assert len(form) <= BODY, len(form)
    return (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: "
            + str(len(form)).encode() + b"\r\n\r\n" + form)


def call(**params):
    params = {"token": TOKEN, "from": "anchors", "target": "small.example", "mode": "domain", **params}
    return "&".join(f"{name}={value}" for name, value in params.items() if value is not None).encode()


def full(text, room):
    """As much of `text`, repeated, as there is room for."""
    text = text if isinstance(text, bytes) else text.encode()
    return text * (room // len(text))


def with_long(name, text, before=b"", behind=b"", **params):
    """A form with the parameter `name` at its longest."""
    params = {**params, name: None}
    rest = call(**{("from" if key == "from_" else key): value for key, value in params.items()})
    head = rest + b"&" + name.encode() + b"=" + before
    return post(head + full(text, BODY - len(head) - len(behind)) + behind)


def wheres():
    """Evil shapes of a condition: what stands before, is repeated, and behind."""
    texts = {"letters": "a", "specials": "(", "dots": ".", "backslashes": "\\\\", "controls": b"\x01",
             "quotes": '\\"', "greek": "β", "dotted": "i̇", "capitals": "Ä", "emoji": "\U0001F600",
             "encoded": "%61", "encoded-controls": "%01", "plus": "+", "kelvin": "K"}
    for word, text in texts.items():
        yield f"text of {word}", 'anchor="', text, '"'
    for word in ("greek", "controls", "specials", "quotes"):
        yield f"subdomain of {word}", 'subdomain(anchor,"', texts[word], '")'
    yield "subdomain of NUL", 'subdomain(anchor,"', "\\0", '")'
    yield "substring of controls", 'substring(anchor,"', b"\x01", '")'
    yield "word of quotes", 'word(anchor,"', '\\"', '")'
    for word, n in {"greek": 2700, "controls": 2700, "specials": 5400, "quotes": 2700, "letters": 16000}.items():
        # About the longest that can be sent to v3 at all.
        yield f"short subdomain of {word}", 'subdomain(anchor,"' + as_bytes(texts[word]).decode() * n + '")', " ", ""
    yield "many conditions", "", "backlinks>1,", "backlinks>1"
    yield "100 behind a text", 'anchor="', "β", '"' + ",backlinks>1" * 99
    yield "100 greek texts", ",".join(['subdomain(anchor,"' + "β" * 310 + '")'] * 99), " ", ""
    yield "100 texts of specials", ",".join(['subdomain(anchor,"' + "(" * 620 + '")'] * 99), " ", ""
    yield "100 texts of controls", ",".join(['subdomain(anchor,"' + "\x01" * 620 + '")'] * 99), " ", ""
    yield "99 texts, and one that is open", 'anchor="a",' * 99 + 'anchor="', "a", ""
    yield "parentheses", "", "(", ""
    yield "nested functions", "", "substring(", ""
    yield "long column", "", "a", ">1"
    yield "long function", "", "a", "(1)"
    yield "long digits", "backlinks>", "9", ""
    yield "long exponent", "backlinks>1e", "9", ""
    yield "long date", "first_seen>", "2", ""
    yield "blanks", "", " ", "backlinks>1"
    yield "blanks behind", "backlinks>1", " ", ""
    yield "bare text", "anchor=", "a b", ""
    yield "bare controls", "anchor=", b"\x02", ")"
    yield "commas", "", ",", ""
    yield "no text", "anchor='", "\\'", ""
    yield "not UTF-8", 'anchor="', b"\xff", '"'
    yield "cut UTF-8", 'anchor="', b"\xf0\x9f\x98", '"'
    yield "bad encoding", 'anchor="', "%4", '"'


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def parameter_cases():
    for clause in ("where",) if IS_SLICE else ("where", "having"):
        for name, before, text, behind in wheres():
            for output in ("json", "xml", "php") if name in ("bare controls", "long column") else ("json",):
                yield (f"{clause}: {name}" + ("" if output == "json" else f", {output}"),
                       with_long(clause, text, as_bytes(before), as_bytes(behind), output=output))
    for name, text in {"names": "anchor,", "stars": "*,", "commas": ",", "blanks": " ", "a long name": "a",
                       "controls": b"\x01"}.items():
        yield f"select: {name}", with_long("select", text)
    for name, text in {"columns": "backlinks:desc,", "a long name": "a", "colons": ":", "blanks": " "}.items():
        yield f"order_by: {name}", with_long("order_by", text)
    for name in ("limit", "offset"):
        for word, text in {"digits": "9", "zeros": "0", "exponent": "1e", "blanks": " "}.items():
            yield f"{name}: {word}", with_long(name, text)
    for name in ("mode", "output", "target", "from_", "token"):
        for word, text in {"letters": "a", "controls": b"\x01", "greek": "Ω", "blanks": " ", "encoded": "%C3%9F",
                           "dots": "a."}.items():
            yield (f"{name.rstrip('_')}: {word}",
                   with_long(name, text) if name != "from_" else
                   post((lambda head: head + full(text, BODY - len(head)))(call(**{"from": None}) + b"&from=")))
    for name, text in {"unknown ones": "a=1&", "names alone": "a&", "none": "&", "encoded": "%61=%61&", "equal signs": "=",
                       "where again": "where=backlinks%3E1&", "tokens": f"token={TOKEN}&", "empty": "where=&"}.items():
        head = call() + b"&"
        yield f"parameters: {name}", post(head + full(text, BODY - len(head)))
    third = BODY // 3 - 16
    yield "stranger: a token to be found", post(b"from=" + b"a" * third * 2 + b"&token=" + b"a" * third + b"b")
    yield "stranger: a token in User-Agent", (
        post(b"from=anchors&token=" + b"a" * 7900 + b"b").replace(b"Host:", b"User-Agent: " + b"a" * 15900 + b"\r\nHost:"))
    yield "stranger: a token in the target", post(call(token=None, target="a" * third * 2)
                                                  + b"&token=" + b"a" * third + b"b")
    yield "stranger: a long User-Agent", get(b"from=anchors&token=" + b"a" * 8000,
                                        b"User-Agent: " + b"a" * 16000 + b"\r\n")
    yield "line: a long where", get(call() + b"&where=" + full("backlinks%3E1,", 7900))
    yield "line: bytes", get(call() + b"&where=anchor%3D" + full("ä", 7900))
    yield "fields: 64", get(call(), b"".join(b"X-%d: %s\r\n" % (i, b"a" * 240) for i in range(60)))
    yield "fields: Connection", get(call(), b"Connection: " + full("a,", 16000) + b"\r\n")
    yield "path", b"GET /" + b"a" * 8000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    yield "pipelined", get(call() + b"&where=" + full("backlinks%3E1,", 3900)) * 8
    yield "subscription_info", post(call(**{"from": "subscription_info"}) + b"&target=" + b"a" * 65000)


# ---- answers of v3 ----

def distinct(n, size, byte=b"a"):
    """`n` texts of `size` bytes that differ at their ends only."""
    return [byte * ((size - 8) // len(byte)) + b"%08d" % i for i in range(n)]


def v3_cases():
    """Name, pages, and how many rows are asked for; each with all outputs."""
    def rows(size):
        return min(250000, SIZE // (size + 110))

    escapes = rb"\u0001\u00e9\ud83d\ude00\n"
    yield "short rows", [page(distinct(rows(20), 20))]
    yield "rows of 4 KB", [page(distinct(rows(3900), 3900))]
    yield "1000 rows of 4 KB", [page(distinct(1000, 3900))]
    yield "a page that is just remembered", [page(distinct(2100, 3900))]
    yield "rows of 60 KB", [page(distinct(SIZE // 61000, 60000) + distinct(SIZE // 4000, 20))]
    yield "4900 rows of 4 KB", [page(distinct(4900, 3900))]
    yield "4900 rows, unordered", [page(distinct(4900, 3900), links=[i * 7919 % 4900 for i in range(4900)])]
    yield "4900 rows, ties", [page(distinct(4900, 3900)[::-1], links=[7] * 4900)]
    yield "escapes", [page([escapes * 150 + b"%06d" % i for i in range(rows(3600))])]
    yield "controls", [page([rb"\u0001" * 600 + b"%06d" % i for i in range(rows(3600))])]
    yield "markup", [page([b"<>&" * 1200 + b"%06d" % i for i in range(rows(3600))])]
    yield "emoji", [page(["\U0001F600".encode() * 900 + b"%06d" % i for i in range(rows(3600))])]
    yield "capitals", [page(["Ä".encode() * 1800 + b"%06d" % i for i in range(rows(3600))])]
    yield "one anchor", [page([b"A" * 3900] * rows(3900))]
    yield "one short anchor", [page([b"A"] * rows(1))]
    yield "case at the end", [page(distinct(min(4000, rows(3900)), 3900) + [b"A" * 3900])]
    yield "unordered", [page([b"%08d" % (i * 7919 % rows(20)) for i in range(rows(20))], links=[7] * rows(20))]
    yield "white space", [page(distinct(rows(4000), 200), form=b'{ "anchor": "%b"' + b" " * 3700
                               + b', "links_to_target":%d,"refpages":7,"refdomains":3,"first_seen":"2020-01-02T03:04:05Z"}')]
    yield "unknown keys", [page(distinct(rows(4000), 20), form=b'{"anchor":"%b",' + b"".join(
        b'"%s%02d":1,' % (b"k" * 100, i) for i in range(30))
        + b'"links_to_target":%d,"refpages":7,"refdomains":3,"first_seen":"2020-01-02T03:04:05Z"}')]
    yield "nested", [page(distinct(rows(4000), 20), form=b'{"anchor":"%b","x":' + b"[" * 20 + b"1," * 1700 + b"1"
                          + b"]" * 20
                          + b',"links_to_target":%d,"refpages":7,"refdomains":3,"first_seen":"2020-01-02T03:04:05Z"}')]
    yield "long numbers", [page(distinct(rows(4000), 20), form=b'{"anchor":"%b","x":' + b"9" * 3800
                                + b',"links_to_target":%d,"refpages":7,"refdomains":3,"first_seen":"2020-01-02T03:04:05Z"}')]
    yield "odd at the end", [page(distinct(rows(3900), 3900) + [b"\xff"])]
    yield "not whole", [page(distinct(rows(3900), 3900))[:-2] + b",}"]


def error_cases():
    for word, text in {"letters": b"a", "markup": b"<", "tags": b"<a>", "controls": b"\x01", "json": b'{"error":"\\u0001',
                       "nested": b"[", "not UTF-8": b"\xff", "emoji": "\U0001F600".encode()}.items():
        yield word, answer_of(400, full(text, 60000))


# ---- measuring ----

class Play:
    def __init__(self, words):
        self.words, self.turns, self.v3, self.bars, self.worst = words, Turns(), V3(), Bars(), {}

    def proxy(self, **options):
        options.setdefault("upstream", {"units_per_call": 0, "requests_per_minute": 1000000})
        options.setdefault("fidelity", {"stats": "zero"})
        proxy = Anchorage(self.v3.url, **options)
        proxy.environment = {"LD_PRELOAD": PRELOADED, "TURN_FILE": self.turns.file.name}
        return proxy

    def wanted(self, name):
        return not self.words or any(word in name for word in self.words)

    def measure(self, name, what):
        """`what(n)` plays the case for the n-th time and says what came of it."""
        best, came = None, ""
        for n in range(ROUNDS if not IS_SLICE else 2):
            self.turns.begin()
            came = what(n)
            self.settle()
            ms = self.turns.longest_ms()
            best = ms if best is None or ms < best else best
        self.worst[name] = best
        print(f"{best:9.2f} ms  {name}: {came}", flush=True)

    def settle(self):
        """Until the loop has nothing more to do."""
        quiet, n = 0, -1
        while quiet < 3:
            time.sleep(0.004)
            quiet, n = (quiet + 1 if n == self.turns.count() else 0), self.turns.count()

    @staticmethod
    def ask(proxy, request, answers=1):
        with proxy.connect() as connection, connection.makefile("rb") as stream:
            connection.sendall(request)
            all = [read_answer(stream) for _ in range(answers)]
            return f"{all[-1].status} {all[-1].fault or len(all[-1].bytes)}"

    def parameters(self):
        self.v3.pages["small"] = [page([b"a", b"b"])]
        with self.proxy() as proxy:
            for name, request in parameter_cases():
                if self.wanted(name):
                    n = 8 if name == "pipelined" else 1
                    self.measure(name, lambda _, request=request, n=n: self.ask(proxy, request, n))

    def answers(self):
        for name, pages in v3_cases():
            outputs = [o for o in OUTPUTS if self.wanted(f"v3: {name}, {o}")]
            if not outputs:
                continue
            self.v3.pages = {"big": pages}
            self.v3.asked = {}
            with self.proxy() as proxy:
                for output in outputs:
                    self.measure(f"v3: {name}, {output}", lambda n, output=output: self.ask(proxy, get(call(
                        target=f"big-{output}{n}.example", limit=1000000, output=output))))
                if "xml" in outputs and not IS_SLICE:
                    self.measure(f"v3: {name}, again", lambda n: self.ask(proxy, get(call(
                        target="big-xml0.example", limit=1000000, output="xml"))))
                    self.measure(f"v3: {name}, written again", lambda n: self.ask(proxy, get(call(
                        target="big-xml0.example", limit=1000000 - n, output="json"))))
        for name, answer in error_cases():
            if self.wanted(f"v3 error: {name}"):
                self.v3.pages = {"bad": [answer]}
                with self.proxy() as proxy:
                    self.measure(f"v3 error: {name}", lambda n: self.ask(proxy, get(call(target=f"bad-{n}.example"))))

    def paged(self):
        if not self.wanted("v3: pages"):
            return
        size, n = 3900, 1000
        anchors = distinct(4 * n, size)
        pages = [page(anchors[i * n:(i + 1) * n], links=[4 * n - i * n - k for k in range(n)]) for i in range(4)]
        for fold in ("fold", "keep"):
            with self.proxy(upstream={"units_per_call": 0, "max_rows_per_request": n}) as proxy:
                self.v3.pages, self.v3.asked = {"big": pages}, {}
                self.measure(f"v3: pages, {fold}", lambda k: self.ask(proxy, get(call(
                    target=f"big-{k}.example", limit=4 * n, order_by="backlinks:desc"))))

    def shared(self):
        """Many clients ask the same at once, and it is large."""
        self.v3.pages = {"big": [page(distinct(min(SIZE, 24 << 20) // 4000, 3900))]}
        for output in ("json", "xml"):
            if not self.wanted(f"v3: shared by 8, {output}"):
                continue
            self.v3.asked = {}
            with self.proxy(upstream={"units_per_call": 0, "answer_ttl": 0}) as proxy:
                def all_of(n, output=output):
                    request = get(call(target=f"big-{n}.example", limit=1000000, output=output))
                    came = []
                    threads = [threading.Thread(target=lambda: came.append(self.ask(proxy, request))) for _ in range(8)]
                    for thread in threads:
                        thread.start()
                    for thread in threads:
                        thread.join()
                    return " ".join(sorted(set(came)))
                self.measure(f"v3: shared by 8, {output}", all_of)

    def admin(self):
        explained = urllib.parse.quote('from=anchors&target=a.example&mode=domain&where=subdomain(anchor,"', safe="")
        paths = {
            "metrics of 2000 teams": b"/metrics", "healthz": b"/healthz",
            "usage by team": b"/usage?by=team", "usage by target": b"/usage?by=target",
            "usage by target, csv": b"/usage?by=target&format=csv",
            "usage by day of ages": b"/usage?by=day&since=0001-01-01&until=9000-01-01",
            "explain": b"/explain?call=" + explained.encode() + full("(", 5000) + b"%22)",
            "explain controls": b"/explain?call=" + explained.encode() + full("%2501", 7900) + b"%22)",
            "explain greek": b"/explain?call=" + explained.encode() + full("%CE%B2", 7900) + b"%22)",
            "an unknown parameter": b"/usage?" + full("a", 8000),
            "a wrong value": b"/usage?since=" + full("%C2%85", 8000)}
        paths = {name: path for name, path in paths.items() if self.wanted(f"admin: {name}")}
        teams = {f"team{n}": {"rows_per_month": 1000000, "units_per_month": 1000000} for n in range(2000)}
        if not paths:
            return
        self.v3.pages = {"small": [page([b"a", b"b"])]}
        with self.proxy(proxy={"admin": "127.0.0.1:0"}, teams={"seo": {}, **teams}) as proxy:
            self.book(proxy, TARGETS)
            host, port = next(line.split()[3] for line in proxy.lines
                              if line.startswith("anchorage: admin on ")).rsplit(":", 1)

            def ask(path):
                with socket.create_connection((host, int(port))) as connection, connection.makefile("rb") as stream:
                    connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    answer = read_answer(stream)
                    return f"{answer.status} {len(answer.bytes)}"

            for name, path in paths.items():
                self.measure(f"admin: {name}", lambda _, path=path: ask(path))
            self.measure("admin: a call of one of 2000 teams", lambda _: self.ask(proxy, get(call())))

    @staticmethod
    def book(proxy, n):
        """So many long targets into the books."""
        with proxy.connect() as connection, connection.makefile("rb") as stream:
            for first in range(0, n, 8):
                connection.sendall(b"".join(get(call(target=f"small-{first + k}.example/{'x' * 1900}", mode="exact", limit=0))
                                            for k in range(8)))
                for _ in range(8):
                    read_answer(stream)

    def log(self):
        """Lines of the log at their longest, when thousands of them come at once."""
        if not self.wanted("log"):
            return
        with self.proxy() as proxy:
            request = post(call(target="small.example") + b"&mode=" + full("\x1b", 40000))
            self.measure("log: a long line", lambda _: self.ask(proxy, request))
            many = get(call(target="%C2%9B" * 600, mode="%1B" * 500)) * 200
            self.measure("log: many lines", lambda _: self.ask(proxy, many, 200))

    def run(self):
        self.parameters()
        self.answers()
        self.paged()
        self.shared()
        self.admin()
        self.log()
        worst = max(self.worst, key=self.worst.get)
        print(f"the longest: {worst}")
        self.bars.at_most("milliseconds of the longest turn", self.worst[worst], 10, in_slice=25)
        return self.bars.status()


if __name__ == "__main__":
    random.seed(1)
    sys.exit(Play(sys.argv[1:]).run())
