"""The browser's side of a visit: its cookie, its CSRF token, its address."""

import hashlib
import hmac
import ipaddress

from flask import Request
from werkzeug import Response

from idp.store.visits import LIFE_S

COOKIE = "lz_realname"


class Visitor:
    """Reads and writes what a browser carries.

    Args:
        key: of the CSRF tokens.
        secure: whether the public address is https.
    """

    def __init__(self, *, key: bytes, secure: bool) -> None:
        self._key = key
        self.secure = secure

    def handle(self, request: Request) -> str | None:
        """The visit's handle."""
        return request.cookies.get(COOKIE)

    def remember(self, response: Response, handle: str) -> None:
        """Gives the browser its handle, for this path and this visit only."""
        response.set_cookie(
            COOKIE, handle, max_age=LIFE_S, path="/idp", httponly=True, samesite="Lax", secure=self.secure
        )

    def forget(self, response: Response) -> None:
        """Takes the handle back."""
        response.delete_cookie(COOKIE, path="/idp", httponly=True, samesite="Lax", secure=self.secure)

    def csrf_token(self, visit_mark: str) -> str:
        """The token of a visit's forms."""
        return hmac.new(self._key, f"csrf\0{visit_mark}".encode(), hashlib.sha256).hexdigest()

    def sent_by_our_form(self, request: Request, visit_mark: str) -> bool:
        """Whether a form carries the token of this visit."""
        sent = request.form.get("csrf_token", "")
        return hmac.compare_digest(sent.encode("utf-8"), self.csrf_token(visit_mark).encode("ascii"))


def address_of(request: Request) -> str:
    """The address that throttles count; IPv6 by /64, which one household holds."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def is_local(request: Request) -> bool:
    """Whether the request comes from this machine, directly (no proxy's headers)."""
    proxied = {"X-Forwarded-For", "Forwarded", "X-Real-IP"}
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return False
    return address.is_loopback and not any(header in request.headers for header in proxied)
