"""Real-name identity: who a person is, proved once, told to sites with care."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from idp.identity.holder import Mac

if TYPE_CHECKING:
    from idp.composition import IdentityProvider
    from idp.ports import Cipher
    from idp.settings import Settings

__all__ = ["build_identity_provider"]


def build_identity_provider(
    settings: "Settings", *, mac: Mac, cipher: "Cipher", clock: Callable[[], datetime]
) -> "IdentityProvider":
    """The real-name provider, wired; see `idp.composition`.

    Args:
        settings: of the section `idp`.
        mac: HMAC-SHA-256 under the holder key, in the token.
        cipher: encrypts what is stored of a person.
        clock: tells the time, aware, UTC.
    """
    # Here and not above, so that who needs only idp.identity does not load the provider.
    from idp.composition import build  # noqa: PLC0415 - see the line before

    return build(settings, mac=mac, cipher=cipher, clock=clock)
