"""Somebody who uses the keyboard alone, and looks where the focus is at every step."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import FileChooser, Locator, Page, expect

# Far more stops than any page has before what is looked for.
_STOPS = 150
_FOCUS = """() => {
  const one = document.activeElement;
  if (!one || one === document.body || one === document.documentElement) return null;
  const place = one.getBoundingClientRect();
  const ringed = [getComputedStyle(one), getComputedStyle(one, '::after')]
    .some(style => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2);
  const open = one.closest('.scroll') ? one.closest('.scroll').getBoundingClientRect() : place;
  return {
    what: one.outerHTML.slice(0, 160), tag: one.tagName, ringed,
    seen: place.width > 0 && place.height > 0 && place.bottom > 0 && place.top < innerHeight
      && open.right > 0 && open.left < innerWidth,
    order: [...document.querySelectorAll('*')].indexOf(one), jumps: one.tabIndex > 0,
  };
}"""


class Keyboard:
    """Keys, and nothing else: no click, no focus set by script, no field filled but by typing."""

    def __init__(self, page: Page) -> None:
        self.page = page
        # Playwright tells the browser to hand over file dialogues when the first listener comes, and
        # does not wait for its answer: a key pressed at once can be faster. So it listens from the start.
        page.on("filechooser", _heard)

    def skip_to_main(self) -> None:
        """Uses the link that passes the header by, which must be the first stop of a page."""
        self.page.wait_for_load_state()
        link = self.page.locator("a.skip")
        self._press("Tab")
        if not self._is_at(link):  # something in the page had the focus already
            self.back_to(link)
        assert self._where()["seen"], "the link past the header stays out of sight"
        self._press("Enter")
        expect(self.page.locator("main")).to_be_focused()

    def to(self, wanted: Locator) -> Keyboard:
        """Goes on with Tab until `wanted` has the focus; every stop must be seen, ringed and in order."""
        return self._go("Tab", wanted)

    def back_to(self, wanted: Locator) -> Keyboard:
        """As `to`, with Shift-Tab."""
        return self._go("Shift+Tab", wanted)

    def type(self, text: str) -> Keyboard:
        """Replaces what stands in the focused field."""
        self._press("Control+a")
        self.page.keyboard.type(text)
        return self

    def press(self, key: str) -> Keyboard:
        """Presses Enter, Space, an arrow."""
        self._press(key)
        return self

    def choose(self, wanted: Locator, option: str) -> None:
        """Goes to a list and down in it to the option."""
        self.to(wanted)
        for _ in range(wanted.locator("option").count()):
            if wanted.evaluate("one => one.selectedOptions[0].textContent.trim()") == option:
                return
            self._press("ArrowDown")
        raise AssertionError(f"{option} cannot be chosen")

    def take_file(self, wanted: Locator, file: Any) -> None:
        """Opens the file dialogue of a field and takes a file there."""
        self.to(wanted)
        with self.page.expect_file_chooser() as waiting:
            self._press("Space")
        waiting.value.set_files(file)

    def _go(self, key: str, wanted: Locator) -> Keyboard:
        expect(wanted).to_have_count(1)
        self.page.wait_for_load_state()
        before = self._where()
        wrapped = False
        for _ in range(_STOPS):
            self._press(key)
            now = self._where()
            if now is None:  # past the last stop, in the browser's own frame
                assert not wrapped, f"Tab never comes to {wanted}"
                wrapped, before = True, None
                continue
            self._look(now, before, key)
            if self._is_at(wanted):
                return self
            before = now
        raise AssertionError(f"{wanted} is not reached with {key}")

    def _look(self, now: dict[str, Any], before: dict[str, Any] | None, key: str) -> None:
        assert now["seen"], f"the focus is out of sight at {now['what']}"
        assert now["ringed"] or now["tag"] == "MAIN", f"the focus cannot be seen at {now['what']}"
        assert not now["jumps"], f"a tabindex of its own at {now['what']}"
        if before is not None:
            forward = now["order"] > before["order"]
            assert forward == (key == "Tab"), f"from {before['what']} the focus jumps to {now['what']}"

    def _where(self) -> Any:
        return self.page.evaluate(_FOCUS)

    def _is_at(self, wanted: Locator) -> bool:
        return bool(wanted.evaluate("one => one === document.activeElement"))

    def _press(self, key: str) -> None:
        self.page.keyboard.press(key)


def _heard(_: FileChooser) -> None:
    """Nothing to do: who waits for the dialogue takes it."""
