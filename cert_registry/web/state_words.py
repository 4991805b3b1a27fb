"""State to the look of its badge: seven looks that stay apart, also in grey (`static/app.css`)."""

from __future__ import annotations

from cert_registry.lifecycle_states import StateAt
from cert_registry.types import EcertState

_TONES = {
    EcertState.VALID: "valid",
    EcertState.SUSPENDED: "suspended",
    EcertState.REVOKED: "revoked",
    EcertState.PENALLY_REVOKED: "revoked",
    EcertState.CANCELLED: "revoked",
    EcertState.TRANSFERRED: "expired",
    EcertState.EXPIRED: "expired",
}


def tone_of(state: StateAt) -> str:
    """Return the class of the badge."""
    return "suspended" if state.not_yet_valid or state.frozen else _TONES[state.state]
