"""The part of the configuration that says how the time-stamp authority's clock is watched."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cert_registry.signing.errors import ConfigurationError
from cert_registry.signing.pki.clock import ClockPolicy, ClockWatch
from cert_registry.signing.pki.register import AuthorityRegister
from cert_registry.signing.pki.sntp import SntpPeer

_PEER = re.compile(r"(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[1-9][0-9]{0,4}))?")
_KNOWN = {"backwards_s", "apart_s", "alone_h", "peers"}
UNWATCHED = "unwatched"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSettings:
    """Limits, and the time servers as (host, UDP port)."""

    policy: ClockPolicy = field(default_factory=ClockPolicy)
    peers: tuple[tuple[str, int], ...] = ()

    @classmethod
    def read(cls, section: object) -> "ClockSettings | None":
        """Read `token.tsa_clock`; nothing there means the defaults, `unwatched` means no watch at all.

        Raises:
            ConfigurationError: With a sentence that says what to change.
        """
        if section is None:
            return cls()
        if section == UNWATCHED:  # for tests that move the time
            return None
        if not isinstance(section, Mapping) or set(section) - _KNOWN:
            raise ConfigurationError(
                f"token.tsa_clock may hold {', '.join(sorted(_KNOWN))}, or be the word {UNWATCHED}."
            )
        default = ClockPolicy()
        policy = ClockPolicy(
            backwards=timedelta(seconds=_number(section, "backwards_s", default.backwards.total_seconds())),
            apart=timedelta(seconds=_number(section, "apart_s", default.apart.total_seconds())),
            alone=timedelta(hours=_number(section, "alone_h", default.alone.total_seconds() / 3600)),
        )
        peers = section.get("peers", [])
        if not isinstance(peers, list):
            raise ConfigurationError(
                "token.tsa_clock.peers must be a list of time servers, host or host:port."
            )
        return cls(policy=policy, peers=tuple(_peer(one) for one in peers))

    def watch(self, register: AuthorityRegister) -> ClockWatch:
        """Return the watch over a register; asks nobody yet."""
        peers = [SntpPeer(host, port) for host, port in self.peers]
        return ClockWatch(register, peers=peers, policy=self.policy)


def describe(section: object, pki_directory: Path, *, now: datetime) -> str:
    """Say in a sentence what speaks for the clock; for `doctor`.

    Raises:
        ConfigurationError: The section is wrong.
        TimeNotAvailable: Something speaks against it.
        AuthorityUnavailable: The newest stamped time cannot be read.
    """
    settings = ClockSettings.read(section)
    if settings is None:
        return "the clock of time stamps is not watched (token.tsa_clock)."
    settings.watch(AuthorityRegister(pki_directory / "authority.db")).check(now)
    if not settings.peers:
        return "the clock agrees with the last time stamp; no time servers are set (token.tsa_clock.peers)."
    return f"the clock agrees with the last time stamp and with {len(settings.peers)} time servers."


def _number(section: Mapping[str, object], name: str, default: float) -> float:
    value = section.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 86_400:
        raise ConfigurationError(f"token.tsa_clock.{name} must be a number above 0 and at most 86400.")
    return float(value)


def _peer(value: object) -> tuple[str, int]:
    match = _PEER.fullmatch(value) if isinstance(value, str) else None
    port = int(match["port"] or 123) if match else 0
    if match is None or not 0 < port < 65536:
        raise ConfigurationError("token.tsa_clock.peers must name time servers as host or host:port.")
    return match["host"].strip("[]"), port
