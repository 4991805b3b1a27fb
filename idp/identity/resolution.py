"""From a person's access token to the registry's holder reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from idp.identity.assurance import RealnameLevel
    from idp.identity.holder import HolderReference


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedHolder:
    """Who a token speaks for.

    Attributes:
        holder_reference: under which the registry keeps the person's ecerts.
        level: what was proved.
        verified_at: when, UTC.
        name: in clear, for the person's own pages; never logged.
        link: secret of this account's link, for `idp.identity.links`; never shown, never logged.
    """

    holder_reference: HolderReference
    level: RealnameLevel
    verified_at: datetime
    name: str
    link: str

    def __repr__(self) -> str:
        return f"ResolvedHolder(level={self.level.name}, verified_at={self.verified_at.isoformat()})"


class HolderResolver(Protocol):
    """Resolves a person; in process or over HTTP, the same answers."""

    def resolve(self, access_token: str, *, now: datetime) -> ResolvedHolder:
        """The holder behind an access token of audience `longzheng-idp`.

        Raises:
            NotProved: the person has no proof in force (never proved, unlinked, frozen).
            AccessTokenRefused: the token is not acceptable.
            ResolverUnavailable: no answer can be had now.
        """
        ...
