"""What is said of a signature whose value holds: its algorithms, its certificate's use and chain, its loose parts.

Source: EN 319 102-1 clauses 5.2.4 to 5.2.8 and 5.6; strictness under own anchors: design section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from verify_api.validation.algorithms import earliest_end, good_until, judge_end
from verify_api.validation.chains import ChainFinding, Evidence, check_chain
from verify_api.validation.examination import Examined, claimed_in_dictionary
from verify_api.validation.house_form import is_house_form, is_house_root, is_seal_path
from verify_api.validation.revocation_values import unverified_values
from verify_api.validation.signed_data import SignedContent, claimed_time
from verify_api.validation.signer_usage import commits, may_sign
from verify_api.validation.unprotected import strict_faults, unprotected_faults
from verify_api.validation.verdicts import SubIndication

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from asn1crypto import x509

    from verify_api.validation.stamps import StampFinding
    from verify_api.validation.trust import TrustAnchors

# A stamp holds the certificates of its unit and its CA; the size of the hole is covered by the seal.
_SHORTEST_STAMP_BYTES = 1024
_STAMPED_WITHIN = timedelta(minutes=1)  # of the time that the seal claims, by a sealer of ours
_Answer = tuple[SubIndication | None, str]
_SOUND: _Answer = (None, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerCase:
    """One signature, its value checked, and what is known about its time.

    `digests` are the names of the digests in use; `proved` is the earliest time that a stamp proves, None without
    one; `control_time` is the moment to judge the chain at.
    """

    one: Examined
    signer: x509.Certificate | None
    digests: frozenset[str]
    control_time: datetime
    proved: datetime | None
    stamps: tuple[StampFinding, ...]
    damaged_stamp: bool
    updates: Callable[
        [], list[StampFinding] | None
    ]  # document time stamps of ours after a seal, None if more follows

    @property
    def content(self) -> SignedContent | None:
        """The CMS, None for a bare value."""
        return self.one.content

    @property
    def hidden_bytes(self) -> bool:
        """Tell whether something other than zeros follows the value inside /Contents."""
        rest = self.content.padding if self.content else self.one.bare.padding if self.one.bare else b""
        return bool(rest.strip(b"\0"))


def judge_signer(case: SignerCase, *, trust: TrustAnchors, evidence: Evidence) -> _Answer:
    """Say what is wrong with a signature whose value holds; (None, "") when nothing is.

    Returns:
        Sub-indication and a Chinese clause that says more.
    """
    signer = case.signer
    if signer is None:
        return SubIndication.NO_SIGNING_CERTIFICATE_FOUND, ""
    weak = judge_end(_accepted_until(case, signer), case.proved)
    if weak is not None:
        return weak, ""
    if not may_sign(signer):
        return SubIndication.CHAIN_CONSTRAINTS_FAILURE, ""
    finding = check_chain(signer, trust=trust, evidence=evidence, control_time=case.control_time)
    known = [*evidence.certificates.values(), *trust.parsed()]
    if finding.anchor is not None and trust.is_own(finding.anchor):
        problem, detail = _own(case, signer, evidence, known)
        if problem is not None:
            return problem, detail
    if finding.problem is not None:
        return _translate(case, finding), ""
    if finding.anchor is not None and is_house_root(finding.anchor):
        return _house(case, finding)
    return _loose_parts(case, evidence, known, finding)


def _accepted_until(case: SignerCase, signer: x509.Certificate) -> datetime | None:
    ends = [earliest_end(set(case.digests), signer), good_until(case.content) if case.content else None]
    return min((end for end in ends if end is not None), default=None)


def _loose_parts(
    case: SignerCase, evidence: Evidence, known: list[x509.Certificate], finding: ChainFinding
) -> _Answer:
    """Refuse under a foreign anchor what demonstrably was altered in the parts that no signature protects."""
    if case.hidden_bytes:
        return SubIndication.SIG_CONSTRAINTS_FAILURE, "签名值后面藏有其他内容"
    altered = case.content is not None and unprotected_faults(case.content, known, finding.path)
    altered = altered or evidence.faults(
        strict=False, find=lambda: unverified_values(evidence, known, strict=False)
    )
    if altered or (case.one.hole is not None and case.one.hole.mixed_case):
        return SubIndication.SIG_CONSTRAINTS_FAILURE, ""
    return _SOUND


def _own(
    case: SignerCase, signer: x509.Certificate, evidence: Evidence, known: list[x509.Certificate]
) -> _Answer:
    """Refuse under an anchor of our own what is not for documents, or not written strictly."""
    if not commits(signer):
        return SubIndication.CHAIN_CONSTRAINTS_FAILURE, ""
    if case.hidden_bytes:
        return SubIndication.FORMAT_FAILURE, "签名值后面藏有其他内容"
    faults = strict_faults(case.content, known, stamp=False) if case.content else ["not a CMS"]
    faults = faults + evidence.faults(
        strict=True, find=lambda: unverified_values(evidence, known, strict=True)
    )
    mixed = case.one.hole is not None and case.one.hole.mixed_case
    if mixed or faults or evidence.unreadable or case.damaged_stamp:
        return SubIndication.FORMAT_FAILURE, "签名附带的资料被改动"
    return _SOUND


def _house(case: SignerCase, finding: ChainFinding) -> _Answer:
    """Refuse under a Longzheng root what no sealer of ours writes."""
    one, stamps, content = case.one, case.stamps, case.content
    if not is_seal_path(finding.path) or content is None:
        return SubIndication.CHAIN_CONSTRAINTS_FAILURE, ""
    updates = case.updates()
    if updates is None:
        return SubIndication.SIG_CONSTRAINTS_FAILURE, "签名之后有追加内容"
    made_without = len(content.padding) < _SHORTEST_STAMP_BYTES
    if len(stamps) > 1 or (not stamps and not updates and not made_without):
        # A seal at level B has no room for a stamp; where there is room, one was taken away.
        return SubIndication.SIG_CONSTRAINTS_FAILURE, "没有时间戳"
    if [*stamps, *updates]:
        claimed, first = claimed_in_dictionary(one.field.value), [*stamps, *updates][0]
        if first.proves is None or not first.house:
            return SubIndication.SIG_CONSTRAINTS_FAILURE, "时间戳不可靠"
        if claimed is None or claimed > first.proves + _STAMPED_WITHIN:
            return SubIndication.FORMAT_FAILURE, "时间戳不是盖章时所加"
        if stamps and first.proves > claimed + _STAMPED_WITHIN:
            return SubIndication.FORMAT_FAILURE, "时间戳不是盖章时所加"
    if one.hole is None or one.hole.lower_case or not is_house_form(content, finding.path, stamp=False):
        return SubIndication.FORMAT_FAILURE, "签名附带的资料被改动"
    return _SOUND


def _translate(case: SignerCase, finding: ChainFinding) -> SubIndication:
    problem = finding.problem or SubIndication.GENERIC
    proved = case.proved is not None
    if problem is SubIndication.REVOKED:
        claimed = claimed_time(case.content) if case.content else None
        claimed = claimed or claimed_in_dictionary(case.one.field.value)
        admitted = claimed is not None and finding.revoked_at is not None and claimed >= finding.revoked_at
        return problem if proved or admitted else SubIndication.REVOKED_NO_POE
    if problem is SubIndication.NOT_YET_VALID and not proved:
        return SubIndication.OUT_OF_BOUNDS_NO_POE
    return problem
