"""A browser without a screen: follows redirects, fills in forms, keeps cookies; for the demo's story and the tests.

It does what a person's browser does on pages that work without JavaScript, and no more: it reads the form that the
page shows, fills the named fields and sends what the page says. Cookies are kept per host and not per port, as
browsers do, and `Secure` ones also go to http://localhost, which browsers treat as a secure context.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import Cookie
from typing import Any
from urllib.parse import urljoin

import pyotp
import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from urllib3.util import Retry

from deploy.form_page import Form, Page, PageUnexpected, read_page

__all__ = [
    "Citizen",
    "Form",
    "FormClient",
    "Page",
    "PageUnexpected",
    "Phone",
    "claim_identity",
    "enrol_phone",
    "give_code",
    "prove_by_name",
    "read_sms",
    "set_first_password",
    "sign_in_with_password",
]

_TIMEOUT_S = 30
# A server may close an idle connection just as the next request goes out on it. As a browser does, a request that
# changes nothing is then sent once more (RFC 9112 section 9.3.1); all else still fails at once.
_ON_A_NEW_CONNECTION = Retry(
    total=None, connect=0, read=1, redirect=False, status=0, other=0, allowed_methods={"GET"}
)
TOO_MANY_REQUESTS = 429
_SMS_COOL_DOWN_S = 1.5  # the demo's is 1 s


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
        for scheme in ("http://", "https://"):
            self.http.mount(scheme, HTTPAdapter(max_retries=_ON_A_NEW_CONNECTION))
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
        self._page = read_page(response)
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
    """Fills the real-name form, which must be open: a code is sent to the mobile number.

    A number gets its next message after a cool-down; like a person, this waits for it and sends the form again.
    """
    values = {"name": person.name, "number": person.number, "mobile": person.mobile}
    page = client.fill(values)
    if page.status == TOO_MANY_REQUESTS:
        time.sleep(_SMS_COOL_DOWN_S)
        page = client.fill(values)
    return page


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
