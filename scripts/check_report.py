"""Opens report.html in headless Chromium, as its readers do, and looks at it.

Runs `fltscope analyze` on each case and checks the page: no error on the console, no request to anywhere, the finding's
words and numbers as findings.json has them, tables that filter and sort, no sideways scrolling at 1280 and 400 pixels, a
print of some pages. `--pictures DIR` keeps screenshots and the print.

Chromium is looked for by name; CHROMIUM names another one.
"""

import argparse
import json
import os
import pathlib
import shutil
import sys
import tempfile

import common
from playwright.sync_api import sync_playwright

FLAGS = ["--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def main():
    parser = common.plain_help(description=__doc__)
    parser.add_argument("case", nargs="+", help="a case folder or trace; each is a report of its own")
    parser.add_argument("--pictures", metavar="DIR", help="keep screenshots and the print here")
    common.add_binary_option(parser)
    args = parser.parse_args()
    program = common.find_fltscope(args.binary)
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if not chromium:
        sys.exit("no Chromium found: install it, or name it with CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS, chromium_sandbox=False)
        for case in args.case:
            with tempfile.TemporaryDirectory() as folder:
                common.run([program, "analyze", case, "--quiet", "--out", folder])
                pictures = pathlib.Path(args.pictures or folder)
                pictures.mkdir(parents=True, exist_ok=True)
                Report(browser, pathlib.Path(folder), pictures / pathlib.Path(case).name).check()
            print(f"{case}: the report reads well")
        browser.close()


class Report:
    def __init__(self, browser, folder, picture):
        self.page_path = (folder / "report.html").resolve()
        self.findings = json.loads((folder / "findings.json").read_text("utf-8"))
        self.picture = picture
        self.browser = browser
        self.faults = []

    def open(self, width, height):
        page = self.browser.new_page(viewport={"width": width, "height": height})
        page.on("console", lambda message: self.faults.append(f"console: {message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        own = self.page_path.as_uri()
        page.on("request", lambda r: None if r.url.split("#")[0] == own else self.faults.append(f"request: {r.url}"))
        page.goto(own)
        return page

    def check(self):
        for width, height in ((1280, 1000), (400, 800)):
            page = self.open(width, height)
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{width} pixels: {wide} too wide"
            page.screenshot(path=f"{self.picture}-{width}.png", full_page=True)
            if width == 1280:
                self.words(page)
                self.tables(page)
            page.close()
        page = self.open(1280, 1000)
        page.pdf(path=f"{self.picture}.pdf", prefer_css_page_size=True)
        page.close()
        assert not self.faults, self.faults

    def flagged(self):
        third = [d for d in self.findings["drivers"] if d["third_party"] and d["role"] == "driver"]
        return [d for d in third if d["verdict"] != "loaded"]

    def words(self, page):
        text = page.inner_text("body")
        head = page.inner_text("h1")
        flagged = self.flagged()
        implicated = [d for d in flagged if d["verdict"] == "implicated"] or flagged
        boots = self.findings["boots"]
        if boots and all(boot["holds_attempt"] is False for boot in boots):
            # Then the headline blames nobody.
            assert not any(driver["name"] in head for driver in flagged), head
            implicated = []
        for driver in implicated[:3]:
            assert driver["name"] in head, (driver["name"], head)
        for driver in flagged[:20]:
            assert driver["name"] in text and (driver["company"] or "") in text, driver["name"]
        failure = self.findings["failure"]
        if failure:
            for key in ("code", "inf"):
                assert (failure[key] or "") in text, key
        for suspect in self.findings["suspects"][:5]:
            assert suspect["name"] in text, suspect["name"]
        for conflict in self.findings["conflicts"][:5]:
            assert conflict["path"] in text, conflict["path"]

    def tables(self, page):
        """The first table with a filter shows what is asked for and no more, and sorts both ways and back."""
        boxes = page.query_selector_all(".bar input")
        if not boxes:
            longest = max([len(d["evidence"]) for d in self.flagged()] or [0])
            assert longest < 8, "a long table has no filter"
            return
        for box in boxes:
            table = box.evaluate_handle("box => box.closest('.bar').nextElementSibling.querySelector('table')").as_element()
            rows = "table => Array.from(table.tBodies[0].rows).filter(row => row.offsetParent !== null).map(row => row.innerText)"
            before = table.evaluate(rows)
            all_rows = table.evaluate("table => table.tBodies[0].rows.length")
            word = before[0].split()[0]
            box.fill(word)
            found = table.evaluate(rows)
            assert found and all(word.lower() in row.lower() for row in found), word
            box.fill("there is no such word")
            assert table.evaluate(rows) == []
            box.fill("")
            assert table.evaluate(rows) == before
            button = table.query_selector("thead button")
            for state in ("ascending", "descending", None):
                button.click()
                assert table.query_selector("th").get_attribute("aria-sort") in (state, *({"ascending", "descending"} if state else ())), state
                assert table.evaluate("table => table.tBodies[0].rows.length") == all_rows
            assert table.evaluate(rows) == before


if __name__ == "__main__":
    main()
