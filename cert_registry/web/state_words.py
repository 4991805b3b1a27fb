"""State to the look of its badge: seven looks that stay apart, also in grey (`static/app.css`); and its words."""

from __future__ import annotations

from cert_registry.lifecycle_states import StateAt
from cert_registry.types import EcertState, StateOperation

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


def word_of(state: StateAt) -> str:
    """Return the word on the badge."""
    if state.frozen:
        return "冻结"
    return "尚未生效" if state.not_yet_valid else state.state.title
