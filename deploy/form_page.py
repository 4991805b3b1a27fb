"""A page as a person without a screen reads it: its text, its links, its forms and what they were shown with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

from deploy.errors import DeployError

_VOID = frozenset({"input", "img", "br", "hr", "meta", "link"})


class PageUnexpected(DeployError):
    """A page does not hold the form, link or field that was looked for. Field names are told, contents never."""

    code = "page-unexpected"


@dataclass(slots=True, kw_only=True)
class Form:
    """A form as it stands on the page, with the values that it was shown with."""

    action: str
    method: str
    identifier: str
    fields: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)  # name, value, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer: where it came from, and what a person could do on it."""

    url: str
    status: int
    content: bytes
    html: str
    text: str
    title: str
    forms: tuple[Form, ...]
    links: tuple[tuple[str, str], ...]  # address, text
    by_id: Mapping[str, str]

    def form_with(self, *names: str) -> Form:
        """The first form that has fields (or buttons) of all these names.

        Raises:
            PageUnexpected: there is none.
        """
        for form in self.forms:
            if set(names) <= form.names | {button[0] for button in form.buttons}:
                return form
        shown = [sorted(form.names) for form in self.forms]
        raise PageUnexpected(f"{self._where()} has no form with the fields {names}; it has {shown}.")

    def link(self, text: str) -> str:
        """The address of the first link whose text contains `text`.

        Raises:
            PageUnexpected: there is none.
        """
        for address, words in self.links:
            if text in words:
                return address
        raise PageUnexpected(
            f"{self._where()} has no link {text!r}; it has {[words for _, words in self.links]}."
        )

    def has_field(self, name: str) -> bool:
        """Whether any form asks for `name`."""
        return any(name in form.names for form in self.forms)

    def _where(self) -> str:
        return f"The page {self.title!r} at {self.url.split('?', maxsplit=1)[0]} ({self.status})"


def read_page(response: requests.Response) -> Page:
    """An answer as a page; what is no HTML has no text, forms or links."""
    is_page = "html" in response.headers.get("Content-Type", "")
    if is_page:
        response.encoding = "utf-8"
    reader = PageReader()
    reader.feed(response.text if is_page else "")
    reader.close()
    return Page(
        url=response.url,
        status=response.status_code,
        content=response.content,
        html=response.text if is_page else "",
        text=" ".join("".join(reader.text).split()),
        title=" ".join(reader.title.split()),
        forms=tuple(reader.forms),
        links=tuple((urljoin(response.url, href), " ".join(words.split())) for href, words in reader.links),
        by_id={key: " ".join("".join(words).split()) for key, words in reader.by_id.items()},
    )


class PageReader(HTMLParser):
    """Forms, links, title and text of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.title = ""
        self.text: list[str] = []
        self.by_id: dict[str, list[str]] = {}
        self._open: list[tuple[str, str | None]] = []
        self._form: Form | None = None
        self._choice: str | None = None
        self._area: str | None = None
        self._button: tuple[str, str] | None = None
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        given = {key: value or "" for key, value in attrs}
        identifier = given.get("id")
        if identifier:
            self.by_id[identifier] = []
        if tag not in _VOID:
            self._open.append((tag, identifier))
        if tag == "form":
            self._form = Form(
                action=given.get("action", ""),
                method=given.get("method", "get").lower(),
                identifier=identifier or "",
            )
            self.forms.append(self._form)
        elif tag == "a" and "href" in given:
            self.links.append((given["href"], ""))
        elif tag in {"input", "select", "textarea", "button", "option"} and self._form is not None:
            self._field(tag, given, self._form)

    def _field(self, tag: str, given: dict[str, str], form: Form) -> None:
        if tag == "option":
            if self._choice and ("selected" in given or self._choice not in form.fields):
                form.fields[self._choice] = given.get("value", "")
        elif tag == "button":
            self._button, self._words = (given.get("name", ""), given.get("value", "")), []
        elif tag == "input":
            self._input(given, form)
        elif given.get("name"):
            form.names.add(given["name"])
            if tag == "select":
                self._choice = given["name"]
            else:
                self._area = given["name"]
                form.fields[self._area] = ""

    def _input(self, given: dict[str, str], form: Form) -> None:
        name, kind, value = given.get("name", ""), given.get("type", "text").lower(), given.get("value")
        if kind in {"submit", "image"}:
            form.buttons.append((name, value or "", value or ""))
        elif name:
            form.names.add(name)
            if kind not in {"checkbox", "radio", "file"}:
                form.fields[name] = value or ""
            elif "checked" in given:
                form.fields[name] = "on" if value is None else value

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        for depth in range(len(self._open) - 1, -1, -1):
            if self._open[depth][0] == tag:
                del self._open[depth:]
                break
        if tag == "form":
            self._form = None
        elif tag == "button" and self._button is not None and self._form is not None:
            self._form.buttons.append((*self._button, " ".join("".join(self._words).split())))
            self._button = None
        elif tag == "select":
            self._choice = None
        elif tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        """Text between tags."""
        tags = [tag for tag, _ in self._open]
        if "script" in tags or "style" in tags:
            return
        if tags and tags[-1] == "title":
            self.title += data
            return
        self.text.append(data)
        for _, identifier in self._open:
            if identifier:
                self.by_id[identifier].append(data)
        if "a" in tags and self.links:
            href, words = self.links[-1]
            self.links[-1] = (href, words + data)
        if self._button is not None:
            self._words.append(data)
        if self._area is not None and self._form is not None:
            self._form.fields[self._area] += data
