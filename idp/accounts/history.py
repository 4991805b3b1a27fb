"""A person's own history: acts of the account, proofs of the person, acts of officers, told as one list. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from idp.store.acts import Act, ActKind
from idp.store.histories import OfficerLine, ProofLine


class LineKind(Enum):
    """Of what a line of the history speaks; the values are words of addresses."""

    SIGN_INS = "sign-ins"
    PROOFS = "proofs"
    CONSENTS = "consents"
    ECERTS = "ecerts"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the history.

    Attributes:
        what: value of an act's kind, `proof`, `proof-elsewhere` or `counter`.
        subject: a site, a certificate type, an office.
        detail: an outcome, a decision, the scopes and claims that a site was given.
    """

    kind: LineKind
    what: str
    subject: str
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteReceipt:
    """What one site received of a person so far.

    Attributes:
        client_id: of the site at Keycloak.
        scopes: scopes and claims that it was ever given.
        times: sign-ins there.
        last_at: the newest of them.
        withdrawn_at: when the person last took the consent back, if after the newest sign-in.
    """

    client_id: str
    scopes: frozenset[str]
    times: int
    last_at: datetime
    withdrawn_at: datetime | None


_KINDS = {
    ActKind.SITE_SIGN_IN: LineKind.SIGN_INS,
    ActKind.SIGN_IN: LineKind.SIGN_INS,
    ActKind.SIGN_IN_FAILED: LineKind.SIGN_INS,
    ActKind.SIGNED_OUT: LineKind.SIGN_INS,
    ActKind.ECERT_SHOWN: LineKind.ECERTS,
    ActKind.ECERT_DOWNLOADED: LineKind.ECERTS,
    ActKind.CONSENT: LineKind.CONSENTS,
    ActKind.CONSENT_WITHDRAWN: LineKind.CONSENTS,
    ActKind.NUMBER_RELEASED: LineKind.CONSENTS,
}


def history_of(
    acts: Iterable[Act], proofs: Iterable[ProofLine], officers: Iterable[OfficerLine]
) -> tuple[Line, ...]:
    """All of it, newest first; what is not listed among the kinds is a change of the account."""
    lines = [
        Line(
            kind=_KINDS.get(act.kind, LineKind.CHANGES),
            what=act.kind.value,
            subject=act.subject,
            detail=act.detail,
            at=act.at,
        )
        for act in acts
    ]
    for proof in proofs:
        what = "proof" if proof.own else "proof-elsewhere"
        line = Line(
            kind=LineKind.PROOFS, what=what, subject=proof.client_id, detail=proof.outcome, at=proof.at
        )
        lines.append(line)
    for officer in officers:
        line = Line(
            kind=LineKind.PROOFS,
            what="counter",
            subject=officer.office,
            detail=officer.decision,
            at=officer.at,
        )
        lines.append(line)
    return tuple(sorted(lines, key=lambda line: line.at, reverse=True))


def receipts_of(acts: Iterable[Act]) -> tuple[SiteReceipt, ...]:
    """What each site received, the site used last first."""
    sign_ins: dict[str, list[Act]] = {}
    withdrawn: dict[str, datetime] = {}
    for act in acts:
        if act.kind is ActKind.SITE_SIGN_IN:
            sign_ins.setdefault(act.subject, []).append(act)
        elif act.kind is ActKind.CONSENT_WITHDRAWN:
            withdrawn[act.subject] = max(act.at, withdrawn.get(act.subject, act.at))
    receipts = [_receipt(site, found, withdrawn.get(site)) for site, found in sign_ins.items()]
    return tuple(sorted(receipts, key=lambda receipt: receipt.last_at, reverse=True))


def _receipt(client_id: str, sign_ins: list[Act], withdrawn_at: datetime | None) -> SiteReceipt:
    last_at = max(act.at for act in sign_ins)
    return SiteReceipt(
        client_id=client_id,
        scopes=frozenset(scope for act in sign_ins for scope in act.detail.split()),
        times=len(sign_ins),
        last_at=last_at,
        withdrawn_at=withdrawn_at if withdrawn_at is not None and withdrawn_at >= last_at else None,
    )
