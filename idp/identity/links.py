"""One account's link with a person, as the registry's pages see it: whether it counts still, and what it did.

The link is a secret of 192 bits that only the back channel of a person's own sign-in hands out. A session that keeps
it can be refused the moment a stronger proof displaces it, whatever its tokens say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from idp.identity.assurance import RealnameLevel

SHOWN: Final = "ecert-shown"
DOWNLOADED: Final = "ecert-downloaded"
CONSENT: Final = "consent"


class Links(Protocol):
    """Asks about links; in process or over HTTP, the same answers."""

    def in_force(self, link: str, *, now: datetime) -> RealnameLevel:
        """The level that a link stands for now.

        Raises:
            NotProved: it is unlinked, frozen or displaced.
            ResolverUnavailable: no answer can be had now.
        """
        ...

    def record(self, link: str, kind: str, subject: str, *, now: datetime) -> None:
        """Writes an act into the link's history, before its effect leaves.

        Args:
            link: the secret.
            kind: `SHOWN`, `DOWNLOADED` or `CONSENT`.
            subject: of what, without personal data; at most 200 characters.
            now: UTC.

        Raises:
            NotProved: the link does not count.
            ActRefused: the kind is unknown or the subject empty.
            ResolverUnavailable: no answer can be had now.
        """
        ...
