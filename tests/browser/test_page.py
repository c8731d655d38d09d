# SPDX-License-Identifier: MIT
"""The page as people use it: by clicks and keys, with the numbers of real calls, and by who has to sign in first."""
import json
import os
import tempfile
import time
import unittest
import urllib.parse

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from anchorage import PATIENCE, Anchorage
from sandbox import Sandbox
from test_admin import Admin

SECRET = "t0ken-of-the-admin-side"
WIDTHS = (320, 375, 640, 1600)
HOSTILE = "<script>alert(1)</script> \"'&"


def start_browser(folder):
    options = Options()
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-prefers-reduced-motion",
                 "--disable-background-networking", f"--user-data-dir={folder}"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


class Browser(unittest.TestCase):
    """A browser, a proxy and a sandbox; PROXY are the options."""
    PROXY = {}

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="anchorage-browser-", ignore_cleanup_errors=True)
        cls.addClassCleanup(folder.cleanup)
        cls.sandbox = Sandbox(today=None).start()
        cls.addClassCleanup(cls.sandbox.stop)
        cls.proxy = Anchorage(cls.sandbox, proxy={"admin": "127.0.0.1:0", **cls.PROXY},
                              teams={"seo": {"rows_per_month": 1000}, "sales": {}})
        cls.addClassCleanup(cls.proxy.close)
        with open(os.path.join(cls.proxy.path, "admin.token"), "w", encoding="ascii") as file:
            file.write(SECRET + "\n")
        cls.proxy.start()
        cls.admin = Admin(cls.proxy)
        cls.origin = f"http://127.0.0.1:{cls.admin.address[1]}"
        cls.driver = start_browser(folder.name)
        cls.addClassCleanup(cls.driver.quit)

    def tearDown(self):
        """Nothing left the origin, and the console (where violations of the policy stand, too) is empty."""
        asked = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                asked.append(message["params"]["request"]["url"])
        foreign = [url for url in asked if not url.startswith((self.origin + "/", "data:", "chrome"))]
        self.assertEqual(foreign, [])
        said = [entry for entry in self.driver.get_log("browser") if " 401 " not in entry["message"]]
        self.assertEqual(said, [])

    def open(self, path="/"):
        self.driver.get(self.origin + path)

    def until(self, question, what):
        deadline = time.monotonic() + PATIENCE
        while not (got := question()):
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.02)
        return got

    def text(self, css="body"):
        return self.driver.execute_script("const n = document.querySelector(arguments[0]); return n && n.innerText", css) or ""

    def sees(self, words, css="body"):
        return self.until(lambda: words in self.text(css), f"{words!r} in {css}: {self.text(css)!r}")

    def click(self, css):
        self.driver.find_element(By.CSS_SELECTOR, css).click()

    def size(self, width, scheme="light"):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                    {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def fits(self, name):
        """No sideways scroll at any width, in both schemes; screenshots stay."""
        folder = os.path.join(os.environ.get("BUILD_DIR", tempfile.gettempdir()), "screenshots")
        os.makedirs(folder, exist_ok=True)
        for scheme in ("light", "dark"):
            for width in WIDTHS:
                self.size(width, scheme)
                wide = "return document.documentElement.scrollWidth <= arguments[0]"
                self.until(lambda: self.driver.execute_script(wide, width), (name, width, scheme))
                self.driver.save_screenshot(os.path.join(folder, f"{name}-{width}-{scheme}.png"))
        self.size(1600)


class Views(Browser):
    """Open to this machine."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.proxy.run("key", "add", "--team", "sales", "--name", HOSTILE, check=0)
        cls.answers = [cls.proxy.get(limit=n) for n in (1, 2, 3)]
        cls.refused = [cls.proxy.get(limit="x"), cls.proxy.get(token="wrong" * 8)]

    def row(self, name):
        return self.until(lambda: self.text(f'tr[data-id="{name}"]'), f"the line {name}")

    def test_numbers_are_those_of_the_books(self):
        self.size(1600)
        self.open()
        self.sees("Serving", "#state")
        self.until(lambda: "units" in self.admin.ask("/overview").json["total"], "sums")
        total = self.admin.ask("/overview").json["total"]
        self.assertEqual(total["calls"], 4, "all but the one with no key")
        self.sees(f"{total['calls']:,}", '[data-id="calls"] .big')
        cells = [cell.text for cell in self.driver.find_elements(By.CSS_SELECTOR, ".lines tfoot td")]
        self.assertIn(f"{total['units']:,}", cells)
        self.assertIn(f"{total['rows']:,}", cells)
        self.sees("bad_limit")
        self.sees("1 unknown token")
        self.assertTrue(self.driver.find_element(By.ID, "canvas").is_displayed())
        self.assertFalse(self.driver.find_element(By.ID, "sign-out").is_displayed())
        self.fits("usage")

    def test_filter_sort_and_back(self):
        self.open()
        self.row("seo")
        self.click('tr[data-id="seo"] a')
        self.sees("Usage of seo", "h1")
        self.assertEqual(urllib.parse.urlsplit(self.driver.current_url).query, "team=seo")
        self.sees("Keys of seo")
        self.click('[data-measure="rows"]')
        self.until(lambda: "measure=rows" in self.driver.current_url, "the measure in the address")
        self.until(lambda: self.driver.find_element(By.CSS_SELECTOR, '[data-measure="rows"]').get_attribute("aria-pressed") == "true",
                   "the measure is pressed")
        self.driver.find_element(By.CSS_SELECTOR, '[data-sort="calls"]').send_keys(Keys.ENTER)
        self.until(lambda: self.driver.find_elements(By.CSS_SELECTOR, 'th[aria-sort="descending"] [data-sort="calls"]'), "sorted")
        self.assertEqual(self.driver.switch_to.active_element.get_attribute("data-sort"), "calls", "the focus stays")
        for _ in range(3):
            self.driver.back()
        self.until(lambda: self.text("h1") == "Usage", "back to all teams")
        Select(self.driver.find_element(By.ID, "f-period")).select_by_visible_text("Last 7 days")
        self.until(lambda: self.driver.current_url.endswith("/?period=7d"), "the period in the address")
        self.open("/?team=seo&period=24h")
        self.sees("Usage of seo", "h1")
        self.assertEqual(Select(self.driver.find_element(By.ID, "f-team")).first_selected_option.text, "seo")

    def test_calls(self):
        self.open()
        self.row("seo")
        self.click('[data-id="bad_limit"] a')
        self.sees("only bad_limit show all")
        self.assertIn(self.refused[0].id, [row.get_attribute("data-id") for row in
                                           self.driver.find_elements(By.CSS_SELECTOR, ".calls tbody tr")])
        self.open("/?view=calls")
        self.sees("calls, newest first")
        seen = [row.get_attribute("data-id") for row in self.driver.find_elements(By.CSS_SELECTOR, ".calls tbody tr")]
        self.assertEqual(seen, [answer.id for answer in reversed(self.answers + self.refused)])
        digest = self.admin.ask("/unknown").json["items"][0]["key"]
        self.sees(digest, '[data-id="h-tokens-nobody-knows"] code')
        self.fits("calls")
        Select(self.driver.find_element(By.ID, "f-only")).select_by_visible_text("Units taken")
        self.until(lambda: len(self.driver.find_elements(By.CSS_SELECTOR, ".calls tbody tr")) ==
                   sum(answer.units > 0 for answer in self.answers), "those with units")
        self.click(".calls tbody tr a")
        self.sees("at most", "#answer")

    def test_explain(self):
        self.open()
        self.sees("Serving", "#state")
        self.click('nav [data-view="explain"]')
        self.sees("Explain a call", "h1")
        self.driver.find_element(By.ID, "call").send_keys("from=anchors&target=a.example&mode=domain&limit=5" + Keys.ENTER)
        self.sees("at most", "#answer")
        self.sees("api.ahrefs.com" if "api.ahrefs.com" in self.text("#answer") else "curl", "#answer")
        self.assertIn("call=from", self.driver.current_url)
        self.fits("explain")
        field = self.driver.find_element(By.ID, "call")
        field.clear()
        field.send_keys("from=" + HOSTILE + Keys.ENTER)
        self.sees("unknown_table", "#answer")
        self.fits("explain-refused")

    def test_names_of_strangers_are_text(self):
        key = json.loads(self.proxy.run("key", "list", "--format", "json", check=0).stdout)
        keys = key["items"] if isinstance(key, dict) else key
        one = next(entry for entry in keys if entry.get("name") == HOSTILE)
        self.open(f"/?team=sales&key={one.get('id') or one.get('key')}")
        self.sees("Usage of " + HOSTILE, "h1")
        self.assertEqual(self.driver.execute_script("return document.querySelectorAll('body script').length"), 0)

    def test_no_view_that_is_not_there(self):
        self.open("/?view=nothing")
        self.sees("Serving", "#state")
        names = [a.text for a in self.driver.find_elements(By.CSS_SELECTOR, "nav a")]
        self.assertEqual(names, ["Usage", "Calls", "Explain"])


class NoCalls(Browser):
    def test_the_first_steps(self):
        self.open()
        self.sees("No call has come in since")
        self.sees("Nothing was refused and nothing failed.")
        self.fits("no-calls")


class SignedIn(Browser):
    """With a token."""
    PROXY = {"admin_token_file": "admin.token"}

    def test_in_and_out(self):
        self.size(1600)
        self.open("/?period=7d")
        self.sees("Sign in", "h1")
        self.fits("sign-in")
        self.driver.find_element(By.ID, "token").send_keys("wrong" * 5 + Keys.ENTER)
        self.sees("That is not the admin token.")
        self.fits("sign-in-wrong")
        self.driver.find_element(By.ID, "token").send_keys(SECRET + Keys.ENTER)
        self.sees("Serving", "#state")
        self.assertTrue(self.driver.current_url.endswith("/?period=7d"), self.driver.current_url)
        self.driver.delete_all_cookies()
        self.click('[data-measure="rows"]')
        self.sees("Sign in", "h1")
        self.driver.find_element(By.ID, "token").send_keys(SECRET + Keys.ENTER)
        self.sees("Serving", "#state")
        self.assertIn("measure=rows", self.driver.current_url)
        self.click("#sign-out button")
        self.sees("Sign in", "h1")
        self.open()
        self.sees("Sign in", "h1")


if __name__ == "__main__":
    unittest.main()
