"""State to the look of its badge: seven looks that stay apart, also in grey (`static/app.css`); and its words."""

from __future__ import annotations

from datetime import date

from cert_registry.lifecycle_states import StateAt
from cert_registry.types import EcertState, EcertSummary, StateOperation

OPERATION_TITLES = {
    StateOperation.SUSPEND: "暂扣",
    StateOperation.RETURN: "发还",
    StateOperation.REVOKE: "撤销",
    StateOperation.PENAL_REVOKE: "吊销",
    StateOperation.CANCEL: "注销",
}
"""What an officer may do on the page."""
EVENT_TITLES = {**OPERATION_TITLES, StateOperation.ISSUE: "签发", StateOperation.REPLACE: "换发"}
"""What may stand in a history."""
OPERATION_HINTS = {
    StateOperation.SUSPEND: "暂时不能使用，可以发还",
    StateOperation.RETURN: "结束暂扣，恢复有效",
    StateOperation.REVOKE: "当初不应准予，自始或自撤销时失去效力",
    StateOperation.PENAL_REVOKE: "因违法受到的行政处罚，不能恢复",
    StateOperation.CANCEL: "证照终止，如主体注销、主动申请",
}
FROZEN, NOT_YET = "冻结", "尚未生效"
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
    waits = state.not_yet_valid and state.state is EcertState.VALID
    return "suspended" if waits or state.frozen else _TONES[state.state]


def word_of(state: StateAt) -> str:
    """Return the word on the badge."""
    if state.frozen:
        return FROZEN
    waits = state.not_yet_valid and state.state is EcertState.VALID
    return NOT_YET if waits else state.state.title


def listed_word(ecert: EcertSummary, today: date) -> str:
    """The word on the badge in a list, from the row alone: no change of state lies in the future."""
    if ecert.frozen:
        return FROZEN
    return NOT_YET if _waits(ecert, today) else _listed_state(ecert, today).title


def listed_tone(ecert: EcertSummary, today: date) -> str:
    """The class of that badge."""
    return "suspended" if ecert.frozen or _waits(ecert, today) else _TONES[_listed_state(ecert, today)]


def _waits(ecert: EcertSummary, today: date) -> bool:
    return ecert.state is EcertState.VALID and ecert.valid_from > today


def _listed_state(ecert: EcertSummary, today: date) -> EcertState:
    ended = ecert.valid_until is not None and ecert.valid_until < today
    passing = ecert.state in {EcertState.VALID, EcertState.SUSPENDED}
    return EcertState.EXPIRED if ended and passing else ecert.state
