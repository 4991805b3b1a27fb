"""Time stamps: tokens over a signature value and document time stamps.

Source: RFC 3161 section 2.4.2, RFC 5816, EN 319 102-1 clause 5.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from verify_api.validation.chains import ChainFinding, Evidence, check_chain
from verify_api.validation.errors import MalformedSyntax
from verify_api.validation.signed_data import (
    SignedContent,
    check_integrity,
    digest_of,
    stamp_content,
    strict_faults,
    take_apart,
    unprotected_faults,
    weak_algorithm,
)
from verify_api.validation.subjects import subject_text
from verify_api.validation.verdicts import Indication, SubIndication, TimestampReport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from verify_api.validation.trust import TrustAnchors

_TIME_STAMPING = "time_stamping"


@dataclass(frozen=True, slots=True, kw_only=True)
class StampFinding:
    """One time stamp judged. `proves` is the time it proves, None unless everything about it holds."""

    kind: str
    time: datetime | None
    problem: SubIndication | None
    signer: str | None
    damaged: bool  # cryptography or encoding shows an alteration; not merely "not trusted"
    own: bool

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

    Returns:
        The finding; it never raises for what a file brought.
    """
    try:
        content = content or take_apart(raw)
        info = stamp_content(content)
        if info is None:
            raise MalformedSyntax("not a time stamp")
        time: datetime = info["gen_time"].native
        time = time if time.tzinfo else time.replace(tzinfo=UTC)
        imprint = info["message_imprint"]
        imprint_name = str(imprint["hash_algorithm"]["algorithm"].native)
        expected = digest_of(covered, imprint_name)
        token = bytes(content.signed_data["encap_content_info"]["content"].contents)
        inner = digest_of([token], content.digest_name)
    except Exception:  # noqa: BLE001 - a token that cannot be read is a finding, whatever the error
        return StampFinding(
            kind=kind, time=None, problem=SubIndication.FORMAT_FAILURE, signer=None, damaged=True, own=False
        )
    signer = subject_text(content.signer) if content.signer else None

    def outcome(problem: SubIndication | None, *, damaged: bool = False, own: bool = False) -> StampFinding:
        return StampFinding(kind=kind, time=time, problem=problem, signer=signer, damaged=damaged, own=own)

    problem = check_integrity(content, digest=inner, content_type="tst_info")
    if problem is not None:
        return outcome(problem, damaged=True)
    if imprint["hashed_message"].native != expected:
        return outcome(SubIndication.HASH_FAILURE, damaged=True)
    for certificate in content.certificates:
        evidence.add_certificate(certificate.dump())
    if unprotected_faults(content, evidence.certificates.values()):
        return outcome(SubIndication.SIG_CONSTRAINTS_FAILURE, damaged=True)
    if content.signer is None or not _may_stamp(content):
        return outcome(SubIndication.CHAIN_CONSTRAINTS_FAILURE)
    if weak_algorithm(content) or imprint_name in {"md5", "sha1"}:
        return outcome(SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE)
    finding: ChainFinding = check_chain(
        content.signer, trust=trust, evidence=evidence, control_time=control_time
    )
    if finding.problem is not None:
        return outcome(finding.problem)
    own = finding.anchor is not None and trust.is_own(finding.anchor)
    if own:
        known = [*evidence.certificates.values(), *trust.parsed()]
        if strict_faults(content, known, stamp=True):
            return outcome(SubIndication.FORMAT_FAILURE, damaged=True, own=True)
    if time > control_time:
        return outcome(SubIndication.TIMESTAMP_ORDER_FAILURE, own=own)
    return outcome(None, own=own)


def _may_stamp(content: SignedContent) -> bool:
    usage = content.signer.extended_key_usage_value if content.signer is not None else None
    return usage is not None and _TIME_STAMPING in usage.native
