"""Errors of identity: a leaf for each decision a caller makes, with a stable `code`.

No error carries a number, a name or a token: it names the rule that was broken.
"""

from __future__ import annotations


class IdentityError(Exception):
    """Base of everything `idp` raises; `code` is stable and safe to log.

    Attributes:
        code: which rule or condition, in kebab case.
    """

    def __init__(self, sentence: str, *, code: str) -> None:
        super().__init__(sentence)
        self.code = code


class MalformedNumber(IdentityError):
    """A number breaks a rule of its standard; the number itself is never repeated here."""


class MalformedName(IdentityError):
    """A name is empty, too long, or holds characters no name has."""


class AccessTokenRefused(IdentityError):
    """An access token is not acceptable here; `code` says which check failed."""


class KeysUnavailable(AccessTokenRefused):
    """The issuer's keys cannot be had, so no token can be believed: a part is down."""


class DpopProofRefused(AccessTokenRefused):
    """A proof of possession (DPoP) does not hold for this call; `code` says which check failed."""


class NumberRefused(IdentityError):
    """An ID number is not released; `code` says which step stopped it.

    `no-right`, `not-bound`, `not-a-machine`, `other-site`, `stale`, `strength`, `not-agreed` or `not-proved`.
    """


class NotProved(IdentityError):
    """The person behind a token has no real-name proof that is in force."""


class ResolverUnavailable(IdentityError):
    """The holder resolver cannot be reached or cannot answer now."""


class ActRefused(IdentityError):
    """An act of a kind that no history knows, or without a subject."""
