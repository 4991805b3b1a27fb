"""Asks a part whether it is healthy, over the wire, as its callers would reach it."""

import socket
import urllib.error
import urllib.request
from dataclasses import dataclass

from deploy.parts import Part, Probe

# LDAPMessage{ messageID 1, BindRequest{ version 3, name "", simple "" } }. Source: RFC 4511, 4.2.
_ANONYMOUS_BIND = bytes.fromhex("300c020101600702010304008000")
_BIND_RESPONSE_TAG = 0x61
# No proxy: all parts are on this machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether a part answers as it should, and if not, what was seen instead."""

    healthy: bool
    seen: str


def ask(part: Part, *, timeout_s: float = 5.0) -> Health:
    """Asks once."""
    if part.probe is Probe.LDAP:
        return _ask_ldap(part.probe_target, timeout_s)
    return _ask_http(part.probe_target, timeout_s)


def _ask_http(url: str, timeout_s: float) -> Health:
    try:
        with _opener.open(url, timeout=timeout_s) as response:
            return Health(healthy=response.status == 200, seen=f"HTTP {response.status}")
    except urllib.error.HTTPError as error:
        body = error.read(300).decode("utf-8", errors="replace").strip()
        return Health(healthy=False, seen=f"HTTP {error.code} {body}".strip())
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        return Health(healthy=False, seen=f"no answer ({reason})")


def _ask_ldap(target: str, timeout_s: float) -> Health:
    """Any answer to an anonymous bind is a sign of life; that it may be refused is the directory's affair."""
    host, _, port = target.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=timeout_s) as connection:
            connection.sendall(_ANONYMOUS_BIND)
            answer = connection.recv(64)
    except OSError as error:
        return Health(healthy=False, seen=f"no answer ({error})")
    if len(answer) > 5 and answer[0] == 0x30 and answer[5] == _BIND_RESPONSE_TAG:
        return Health(healthy=True, seen="answers LDAP")
    return Health(healthy=False, seen="answers, but not LDAP")
