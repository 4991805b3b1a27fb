"""What can go wrong in a ceremony."""

from typing import ClassVar


class CeremonyError(Exception):
    """Base; the sentence says what a person can do."""

    code: ClassVar[str] = "ceremony-error"


class PlanRefused(CeremonyError):
    """The ceremony file or the organisations file is not what it must be."""

    code = "ceremony-plan-refused"


class TokenLost(CeremonyError):
    """A token exists without its PIN file, or a certificate without its key."""

    code = "ceremony-token-lost"


class RootAway(CeremonyError):
    """Something has to be signed by the root, whose PIN is off the machine."""

    code = "ceremony-root-away"


class CompilerMissing(CeremonyError):
    """The failing module cannot be compiled on this machine."""

    code = "failing-module-not-built"
