"""What is asked of every page state: no console error, no WCAG 2.1 A or AA violation, well read out, no sideways scrolling."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from browser_reading import check_reading
from playwright.sync_api import ConsoleMessage, Page

NARROW_PX = 360
ROOT_PERCENT = 112.5  # of static/app.css
_RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
# Chromium reports a refused form as a failed load; that is the answer, not a fault of the page.
_ANSWERS = (
    "status of 400",
    "status of 401",
    "status of 403",
    "status of 404",
    "status of 409",
    "status of 413",
    "status of 422",
    "status of 429",
)


class Watch:
    """Collects what the browser complains about: scripts, content security policy, things not found."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        address = message.location.get("url", "")
        is_answer = "/static/" not in address and any(one in message.text for one in _ANSWERS)
        if not is_answer:
            self.complaints.append(f"{message.text} ({address})")


def check_page(page: Page) -> None:
    """Asks everything of the page that is open, and leaves it as it was."""
    complaints = page.watch.complaints  # type: ignore[attr-defined]  # set by the fixture that opens pages
    assert complaints == [], complaints
    assert page.locator("h1").count() == 1, f"{page.url} has not exactly one main heading"
    assert page.title().strip()
    found = Axe().run(page, options=_RULES)
    assert found.violations_count == 0, found.generate_report()
    check_reading(page)
    before = page.viewport_size
    assert before is not None
    for percent in (100, 200):
        for width in (before["width"], NARROW_PX):
            page.set_viewport_size({"width": width, "height": before["height"]})
            page.evaluate(
                "size => { document.documentElement.style.fontSize = size; }",
                f"{ROOT_PERCENT * percent / 100}%",
            )
            wide = page.evaluate(
                "() => [...document.querySelectorAll('body *')]"
                ".filter(one => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.scroll'))"
                ".map(one => one.outerHTML.slice(0, 120))"
            )
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert over <= 0, (
                f"{page.url} scrolls sideways by {over} px at {width} px, text {percent} %: {wide[:3]}"
            )
    page.evaluate("() => { document.documentElement.style.fontSize = ''; }")
    page.set_viewport_size(before)
    assert complaints == [], complaints
