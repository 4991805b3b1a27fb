"""A browser without a screen: follows redirects, fills in forms, keeps cookies; for the demo's story and the tests.

It does what a person's browser does on pages that work without JavaScript, and no more: it reads the form that the
page shows, fills the named fields and sends what the page says. Cookies are kept per host and not per port, as
browsers do, and `Secure` ones also go to http://localhost, which browsers treat as a secure context.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import Cookie
from typing import Any
from urllib.parse import urljoin

import pyotp
import requests
from requests.cookies import RequestsCookieJar

from deploy.errors import DeployError

_VOID = frozenset({"input", "img", "br", "hr", "meta", "link"})
_TIMEOUT_S = 30


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


class _BrowserCookies(RequestsCookieJar):
    """Sends `Secure` cookies to http://localhost, as browsers do; a policy would get lost when requests copies the jar."""

    def set_cookie(self, cookie: Cookie, *args: Any, **kwargs: Any) -> None:
        if cookie.domain in {"localhost", "localhost.local", "127.0.0.1"}:
            cookie.secure = False
        super().set_cookie(cookie, *args, **kwargs)


class FormClient:
    """One person's browser: a cookie jar and the page that is open."""

    def __init__(self) -> None:
        self.http = requests.Session()
        self.http.headers["Accept-Language"] = "zh-CN"
        self.http.headers["User-Agent"] = "longzheng-form-client"
        self.http.cookies = _BrowserCookies()
        self._page: Page | None = None

    @property
    def page(self) -> Page:
        """The page that is open.

        Raises:
            PageUnexpected: none is.
        """
        if self._page is None:
            raise PageUnexpected("No page was opened yet.")
        return self._page

    def open(self, url: str, **query: str) -> Page:
        """Opens an address, relative to the open page if need be."""
        base = self._page.url if self._page else ""
        return self._show(self.http.get(urljoin(base, url), params=query, timeout=_TIMEOUT_S))

    def follow(self, text: str) -> Page:
        """Follows the link that reads `text`."""
        return self.open(self.page.link(text))

    def fill(
        self,
        values: Mapping[str, str],
        *,
        button: str | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
    ) -> Page:
        """Fills the form that has all these fields and sends it, with `button` (its name, value or text) pressed.

        Raises:
            PageUnexpected: no such form or button.
        """
        form = self.page.form_with(*values, *(files or {}))
        return self._send(form, dict(values), button, files)

    def press(self, button: str) -> Page:
        """Sends the form that has this button (its name, value or text) as it stands.

        Raises:
            PageUnexpected: no such button.
        """
        for form in self.page.forms:
            if any(button in one for one in form.buttons):
                return self._send(form, {}, button, None)
        shown = [text for form in self.page.forms for _, _, text in form.buttons]
        raise PageUnexpected(f"{self.page.title!r} has no button {button!r}; it has {shown}.")

    def _send(
        self,
        form: Form,
        values: dict[str, str],
        button: str | None,
        files: Mapping[str, tuple[str, bytes]] | None,
    ) -> Page:
        body = form.fields | values
        pressed = next((one for one in form.buttons if button is None or button in one), None)
        if button is not None and pressed is None:
            raise PageUnexpected(f"{self.page.title!r} has no button {button!r} in that form.")
        if pressed is not None and pressed[0]:
            body[pressed[0]] = pressed[1]
        url = urljoin(self.page.url, form.action)
        if form.method == "get":
            return self._show(self.http.get(url, params=body, timeout=_TIMEOUT_S))
        return self._show(self.http.post(url, data=body, files=files, timeout=_TIMEOUT_S))

    def _show(self, response: requests.Response) -> Page:
        is_page = "html" in response.headers.get("Content-Type", "")
        if is_page:
            response.encoding = "utf-8"
        reader = _PageReader()
        reader.feed(response.text if is_page else "")
        reader.close()
        self._page = Page(
            url=response.url,
            status=response.status_code,
            content=response.content,
            html=response.text if is_page else "",
            text=" ".join("".join(reader.text).split()),
            title=" ".join(reader.title.split()),
            forms=tuple(reader.forms),
            links=tuple(
                (urljoin(response.url, href), " ".join(words.split())) for href, words in reader.links
            ),
            by_id={key: " ".join("".join(words).split()) for key, words in reader.by_id.items()},
        )
        return self._page


@dataclass(slots=True, kw_only=True)
class Phone:
    """An authenticator app: the secret that Keycloak showed, and codes that are never used twice.

    Keycloak refuses a code that it has seen and takes the neighbouring time steps too, so up to three codes are
    to be had at once; then the next 30 seconds are waited for.
    """

    secret: str
    clock: Callable[[], float] = time.time
    wait: Callable[[float], None] = time.sleep
    _used: set[int] = field(default_factory=set)

    def code(self) -> str:
        """A code not given before."""
        while not (unused := self.unused_steps()):
            self.wait(30 - self.clock() % 30)
        self._used.add(unused[0])
        return pyotp.TOTP(self.secret).at(unused[0] * 30)

    def unused_steps(self) -> list[int]:
        """The time steps whose codes Keycloak would take now."""
        step = int(self.clock()) // 30
        return [candidate for candidate in (step, step + 1, step - 1) if candidate not in self._used]


def sign_in_with_password(client: FormClient, username: str, password: str) -> Page:
    """Fills Keycloak's page for user name and password, which must be open."""
    return client.fill({"username": username, "password": password})


def set_first_password(client: FormClient, password: str) -> Page:
    """Fills Keycloak's page that asks a new account for its password."""
    return client.fill({"password-new": password, "password-confirm": password})


def enrol_phone(client: FormClient) -> Phone:
    """Fills Keycloak's page that shows a secret for an authenticator app, reading it as a person would type it."""
    page = client.page
    if "totp-secret-key" not in page.by_id and not page.has_field("totpSecret"):
        raise PageUnexpected(
            f"{page.title!r} at {page.url.split('?', maxsplit=1)[0]} shows no secret to enrol."
        )
    if "kc-totp-secret-key" not in page.by_id:
        client.open(page.link("无法扫描"))  # the page with the secret as text
    phone = Phone(secret=client.page.by_id["kc-totp-secret-key"].replace(" ", ""))
    client.fill({"totp": phone.code(), "userLabel": "phone"})
    return phone


@dataclass(frozen=True, slots=True, kw_only=True)
class Citizen:
    """What an invented person types on the real-name pages."""

    name: str
    number: str
    mobile: str


def claim_identity(client: FormClient, person: Citizen) -> Page:
    """Fills the real-name form, which must be open: a code is sent to the mobile number."""
    return client.fill({"name": person.name, "number": person.number, "mobile": person.mobile})


def read_sms(public_url: str, mobile: str) -> str:
    """The newest code that the embedded gateway shows for a number, as its owner would read it on the phone.

    Raises:
        PageUnexpected: no message for this number.
    """
    answer = requests.get(
        f"{public_url}/idp/operator/sms", headers={"Accept": "application/json"}, timeout=_TIMEOUT_S
    )
    messages = [one for one in answer.json()["messages"] if one["mobile"] == mobile] if answer.ok else []
    codes: list[str] = re.findall(r"(?<![0-9])[0-9]{6}(?![0-9])", messages[0]["text"]) if messages else []
    if not codes:
        raise PageUnexpected("The page with text messages shows no code for this number.")
    return codes[0]


def prove_by_name(client: FormClient, public_url: str, person: Citizen) -> Page:
    """Goes through the real-name pages, from the form that is open to the page that says how it ended."""
    claim_identity(client, person)
    return client.fill({"code": read_sms(public_url, person.mobile)})


def give_code(client: FormClient, phone: Phone) -> Page:
    """Fills Keycloak's page that asks for a code."""
    return client.fill({"otp": phone.code()})


class _PageReader(HTMLParser):
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
