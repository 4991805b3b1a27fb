"""What a screen reader gets of the page that is open, asked of Chromium's accessibility tree, not of the markup."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from playwright.sync_api import Page

CONTROLS = frozenset(
    {"button", "link", "textbox", "checkbox", "radio", "combobox", "listbox", "searchbox", "spinbutton"}
)
HEADING_LEVELS = range(1, 7)


@dataclass(slots=True, kw_only=True)
class Node:
    """One thing that is read out."""

    role: str
    name: str
    description: str
    properties: dict[str, Any]
    children: list[Node] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in reading order."""
        yield self
        for child in self.children:
            yield from child.walk()

    def all(self, *roles: str) -> list[Node]:
        """What has one of these roles, in reading order."""
        return [node for node in self.walk() if node.role in roles]

    def text(self) -> str:
        """What is read out of it."""
        return "".join(node.name for node in self.walk() if node.role == "StaticText")


def tree_of(page: Page) -> Node:
    """The accessibility tree of the page that is open, without what is ignored."""
    # Not detached: Chromium would take a virtual authenticator of the page away with it.
    session = page.context.new_cdp_session(page)
    raw = {one["nodeId"]: one for one in session.send("Accessibility.getFullAXTree")["nodes"]}

    def build(identifier: str) -> list[Node]:
        one = raw[identifier]
        below = [node for child in one.get("childIds", []) if child in raw for node in build(child)]
        if one.get("ignored"):
            return below
        return [
            Node(
                role=one["role"]["value"],
                name=str(one.get("name", {}).get("value", "")).strip(),
                description=str(one.get("description", {}).get("value", "")).strip(),
                properties={each["name"]: each["value"].get("value") for each in one.get("properties", [])},
                children=below,
            )
        ]

    root = next(one for one in raw.values() if "parentId" not in one)
    return build(root["nodeId"])[0]


def check_reading(page: Page) -> None:
    """Title, language, landmarks, headings, names, errors and tables as they are read out."""
    tree = tree_of(page)
    where = page.url.split("?", maxsplit=1)[0]
    assert tree.role == "RootWebArea", tree.role
    assert tree.name == page.title().strip(), "the title is what is read first"
    assert page.locator("html").get_attribute("lang") in {"zh-CN", "en"}, f"{where} has no language"
    _check_landmarks(tree, where)
    _check_headings(tree, where)
    nameless = [node for node in tree.all(*CONTROLS, "img", "image", "region") if not node.name]
    assert nameless == [], f"{where}: without a name: {nameless}"
    _check_errors(tree, where)
    _check_tables(tree, where)


def _check_landmarks(tree: Node, where: str) -> None:
    for role in ("banner", "main", "contentinfo"):
        assert len(tree.all(role)) == 1, f"{where} has not exactly one {role}"
    names = [node.name for node in tree.all("navigation")]
    assert all(names), f"{where} has a navigation without a name"
    assert len(set(names)) == len(names), f"{where} has two navigations of one name: {names}"


def _check_headings(tree: Node, where: str) -> None:
    levels = [node.properties["level"] for node in tree.all("heading")]
    assert levels.count(1) == 1, f"{where} has main headings: {levels}"
    main = tree.all("main")[0]
    assert main.all("heading")[0].properties["level"] == 1, (
        f"{where}: its main heading is not the first in main"
    )
    for above, below in pairwise(levels):
        assert below <= above + 1, f"{where} skips a level of headings: {levels}"
    assert all(node.name for node in tree.all("heading")), f"{where} has an empty heading"


def _check_errors(tree: Node, where: str) -> None:
    wrong = [node for node in tree.walk() if node.properties.get("invalid") not in {None, "false"}]
    for node in wrong:
        assert node.description, f"{where}: {node.name} is wrong, and does not say why"
    if wrong:
        alerts = tree.all("alert")
        assert alerts, f"{where} has wrong fields and announces nothing"
        assert alerts[0].text(), f"{where} announces an empty alert"
        assert tree.name.startswith(("有错误：", "Error: ")), f"{where} does not say so in its title"


def _check_tables(tree: Node, where: str) -> None:
    for table in tree.all("table"):
        headers = table.all("columnheader")
        assert headers, f"{where}: the table {table.name} has no headers"
        assert all(node.name or node.text() for node in headers), f"{where}: an empty header in {table.name}"
