"""Time stamps: tokens over a signature value and document time stamps.

Source: RFC 3161 section 2.4.2, RFC 5816, EN 319 102-1 clause 5.4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from verify_api.validation.algorithms import earliest_end, good_until, judge_end
from verify_api.validation.chains import ChainFinding, Evidence, check_chain
from verify_api.validation.errors import MalformedSyntax
from verify_api.validation.house_form import is_house_form, is_house_root
from verify_api.validation.signature_values import check_integrity, digest_of
from verify_api.validation.signed_data import (
    SignedContent,
    find_signer,
    stamp_content,
    take_apart,
)
from verify_api.validation.subjects import subject_text
from verify_api.validation.unprotected import strict_faults, unprotected_faults
from verify_api.validation.verdicts import Indication, SubIndication, TimestampReport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from verify_api.validation.trust import TrustAnchors

_TIME_STAMPING = "time_stamping"
_CLOCK_DIFFERENCE = timedelta(minutes=1)  # between two stamping clocks


@dataclass(frozen=True, slots=True, kw_only=True)
class StampFinding:
    """One time stamp judged. `proves` is the time it proves, None unless everything about it holds."""

    kind: str
    time: datetime | None
    problem: SubIndication | None
    signer: str | None
    damaged: bool  # cryptography or encoding shows an alteration; not merely "not trusted"
    own: bool
    house: bool = False  # by a unit below a Longzheng root, in its one form

    @property
    def proves(self) -> datetime | None:
        """The proved time of existence."""
        return self.time if self.problem is None else None

    def report(self) -> TimestampReport:
        """Return the report's form."""
        problem = self.problem
        return TimestampReport(
            time=self.time,
            kind=self.kind,
            indication=problem.indication if problem else Indication.PASSED,
            sub_indication=problem,
            signer=self.signer,
        )


def judge_stamp(
    raw: bytes,
    covered: Iterable[bytes | memoryview],
    *,
    kind: str,
    trust: TrustAnchors,
    evidence: Evidence,
    control_time: datetime,
    content: SignedContent | None = None,
    proved: datetime | None = None,
) -> StampFinding:
    """Judge one time stamp token over the bytes that it should cover.

    Args:
        raw: The token's encoding.
        covered: Parts of what its imprint must match.
        kind: "signature" or "document".
        trust: Anchors.
        evidence: Certificates and revocation data.
        control_time: When the token's own certificate is judged.
        content: The token taken apart already, if it is.
        proved: The time at which a later stamp proves that this one existed.

    Returns:
        The finding; it never raises for what a file brought.
    """
    try:
        content = content or take_apart(raw)
        if content.signer is None:
            pool = [*evidence.certificates.values(), *trust.parsed()]
            content = replace(content, signer=find_signer(content.signer_info, pool))
        token = _read(content, covered)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a token that cannot be read is a finding, whatever the error
        return StampFinding(
            kind=kind, time=None, problem=SubIndication.FORMAT_FAILURE, signer=None, damaged=True, own=False
        )
    problem = _broken(content, token)
    # A token that was asked for without certificates is sound, only its signer is not at hand.
    absent = problem is SubIndication.NO_SIGNING_CERTIFICATE_FOUND and not content.certificates
    damaged = problem is not None and not absent
    own = house = False
    strict: list[str] | bool = False
    finding = ChainFinding(problem=None)
    if problem is None and content.signer is not None:
        for certificate in content.certificates:
            evidence.add_certificate(certificate.dump())
        known = [*evidence.certificates.values(), *trust.parsed()]
        finding = check_chain(content.signer, trust=trust, evidence=evidence, control_time=control_time)
        problem = _unfit(content, token, proved) or finding.problem
        own = problem is None and finding.anchor is not None and trust.is_own(finding.anchor)
        if not own and unprotected_faults(content, known, finding.path):
            damaged, problem = True, SubIndication.SIG_CONSTRAINTS_FAILURE
        strict = own and strict_faults(content, known, stamp=True)
    if strict:
        damaged, problem = True, SubIndication.FORMAT_FAILURE
    elif own and is_house_root(finding.path[0]):
        house = is_house_form(content, finding.path, stamp=True)
        damaged, problem = not house, None if house else SubIndication.FORMAT_FAILURE
    if problem is None and token.time > control_time + _CLOCK_DIFFERENCE:
        problem = SubIndication.TIMESTAMP_ORDER_FAILURE
    signer = subject_text(content.signer) if content.signer else None
    return StampFinding(
        kind=kind,
        time=token.time,
        problem=problem,
        signer=signer,
        damaged=damaged,
        own=own,
        house=house,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    """What a token says, and the digests that it should say."""

    time: datetime
    imprint: bytes
    imprint_name: str
    expected: bytes
    inner: bytes


def _read(content: SignedContent, covered: Iterable[bytes | memoryview]) -> _Token:
    info = stamp_content(content)
    if info is None:
        raise MalformedSyntax("not a time stamp")
    time: datetime = info["gen_time"].native
    imprint = info["message_imprint"]
    name = str(imprint["hash_algorithm"]["algorithm"].native)
    encoded = bytes(content.signed_data["encap_content_info"]["content"].contents)
    return _Token(
        time=time if time.tzinfo else time.replace(tzinfo=UTC),
        imprint=imprint["hashed_message"].native,
        imprint_name=name,
        expected=digest_of(covered, name),
        inner=digest_of([encoded], content.digest_name),
    )


def _broken(content: SignedContent, token: _Token) -> SubIndication | None:
    problem = check_integrity(content, digest=token.inner, content_type="tst_info")
    if problem is None and token.imprint != token.expected:
        return SubIndication.HASH_FAILURE
    return problem


def _unfit(content: SignedContent, token: _Token, proved: datetime | None) -> SubIndication | None:
    if content.signer is None or not _may_stamp(content):
        return SubIndication.CHAIN_CONSTRAINTS_FAILURE
    ends = [good_until(content), earliest_end({token.imprint_name}, None)]
    until = min((end for end in ends if end is not None), default=None)
    return judge_end(until, proved)


def _may_stamp(content: SignedContent) -> bool:
    usage = content.signer.extended_key_usage_value if content.signer is not None else None
    return usage is not None and _TIME_STAMPING in usage.native
