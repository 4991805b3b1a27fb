"""Judges signatures: cryptography, time stamps newest first, chains at the proved time, later changes.

A document time stamp proves that everything before it existed at its time. So the newest is judged at the
validation time, the next older at the time that the newest proves, and a signature at the earliest proved time.

Source: EN 319 102-1 clauses 5.3, 5.5 and 5.6.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from asn1crypto import core

from verify_api.validation import sentences
from verify_api.validation.chains import ChainFinding, Evidence, check_chain
from verify_api.validation.document import collect_archived_revocation
from verify_api.validation.errors import MalformedSyntax
from verify_api.validation.examination import Examined, claimed_in_dictionary
from verify_api.validation.house_form import is_house_form, is_house_root, is_seal_path
from verify_api.validation.revocation_values import unverified_values
from verify_api.validation.signed_data import (
    SignedContent,
    check_integrity,
    claimed_time,
    digest_of,
    has_signing_certificate_attribute,
    strict_faults,
    unprotected_faults,
    weak_algorithm,
)
from verify_api.validation.signer_usage import commits, may_sign
from verify_api.validation.stamps import StampFinding, judge_stamp
from verify_api.validation.subjects import subject_text
from verify_api.validation.verdicts import (
    Coverage,
    Indication,
    Level,
    Modifications,
    SignatureReport,
    SubIndication,
)

if TYPE_CHECKING:
    from datetime import datetime

    from asn1crypto import x509

    from verify_api.validation.history import History
    from verify_api.validation.trust import TrustAnchors

_CADES = "/ETSI.CAdES.detached"
_DETACHED = {_CADES, "/adbe.pkcs7.detached", ""}
# A stamp holds the certificates of its unit and its CA; the size of the hole is covered by the seal.
_SHORTEST_STAMP_BYTES = 1024
_STAMPED_WITHIN = timedelta(minutes=1)  # of the time that the seal claims, by a sealer of ours


class Judge:
    """Judges all signatures of one file together, because time stamps and data serve one another."""

    def __init__(
        self,
        data: bytes,
        *,
        trust: TrustAnchors,
        evidence: Evidence,
        at: datetime,
        has_store: bool,
        history: History,
    ) -> None:
        self._data, self._trust, self._evidence = data, trust, evidence
        self._at, self._has_store, self._history = at, has_store, history
        self._stamps: list[tuple[Examined, StampFinding]] = []
        self.damaged_stamp: SubIndication | None = None

    def judge_all(self, real: list[Examined]) -> list[SignatureReport]:
        """Judge document time stamps, then signatures; report signatures in the order of the file.

        A file that holds only document time stamps reports those as its signatures.
        """
        ordered = sorted(real, key=lambda one: one.hole.covered_end if one.hole else 0)
        for one in ordered:
            if one.content is not None:
                for certificate in one.content.certificates:
                    self._evidence.add_certificate(certificate.dump())
                collect_archived_revocation(one.content, self._evidence)
        for one in reversed(ordered):
            if one.is_stamp:
                self._judge_document_stamp(one)
        signatures = [one for one in ordered if not one.is_stamp]
        if signatures:
            reports = [self._judge(one) for one in signatures]
            broken = [r for r in self._stamp_reports() if r.indication is Indication.FAILED]
            unclear = [
                r
                for r in self._stamp_reports()
                if r.modifications in {Modifications.NOT_UNDERSTOOD, Modifications.NOT_PERMITTED}
            ]
            return reports + [r for r in self._stamp_reports() if r in broken or r in unclear]
        return self._stamp_reports()

    # -- document time stamps -------------------------------------------------------------------------

    def _control_time(self, one: Examined) -> datetime:
        """Return the earliest time at which this signature is proved to have existed by what covers it."""
        end = one.hole.covered_end if one.hole else 0
        times = [
            finding.proves
            for other, finding in self._stamps
            if finding.proves is not None and other.hole is not None and other.hole.covered_end > end
        ]
        return min([self._at, *times])

    def _judge_document_stamp(self, one: Examined) -> None:
        if one.refused is not None or one.hole is None or one.content is None or not self._history.holds(one):
            problem = SubIndication.FORMAT_FAILURE
            finding = StampFinding(
                kind="document", time=None, problem=problem, signer=None, damaged=True, own=False
            )
        else:
            finding = judge_stamp(
                one.hole.raw,
                one.signed_parts(self._data),
                kind="document",
                trust=self._trust,
                evidence=self._evidence,
                control_time=self._control_time(one),
                content=one.content,
            )
            if finding.own and one.hole.mixed_case:
                finding = StampFinding(
                    kind="document",
                    time=finding.time,
                    problem=SubIndication.FORMAT_FAILURE,
                    signer=finding.signer,
                    damaged=True,
                    own=True,
                )
        self._stamps.append((one, finding))
        if finding.damaged:
            self.damaged_stamp = finding.problem

    def _stamp_reports(self) -> list[SignatureReport]:
        reports = []
        for one, finding in reversed(self._stamps):
            changed = (
                self._history.modifications(one) if one.refused is None else Modifications.NOT_UNDERSTOOD
            )
            problem = finding.problem
            if problem is None and changed is Modifications.NOT_PERMITTED:
                problem = SubIndication.FORMAT_FAILURE
            reason = sentences.for_problem(problem, one.refused or "") if problem else sentences.PASSED
            indication = problem.indication if problem else Indication.PASSED
            if problem is None and changed is Modifications.NOT_UNDERSTOOD:
                indication, reason = Indication.INDETERMINATE, sentences.NOT_UNDERSTOOD
            reports.append(
                SignatureReport(
                    field=one.field.name,
                    indication=indication,
                    sub_indication=problem,
                    level=Level.OTHER,
                    coverage=one.coverage,
                    modifications=changed,
                    signer=finding.signer,
                    signed_at=finding.time,
                    timestamps=(finding.report(),),
                    reason=reason,
                )
            )
        return reports

    # -- signatures -----------------------------------------------------------------------------------

    def _judge(self, one: Examined) -> SignatureReport:
        content, hole = one.content, one.hole
        if one.refused is not None or content is None or hole is None:
            return self._report(one, SubIndication.FORMAT_FAILURE, (), detail=one.refused or "")
        if not self._history.holds(one):
            one.coverage = Coverage.PARTIAL
            return self._report(one, SubIndication.FORMAT_FAILURE, (), detail="签名不在它所覆盖的版本之内")
        problem, detail = self._integrity(one, content)
        if problem is not None:
            return self._report(one, problem, (), detail=detail)
        control = self._control_time(one)
        stamps: list[StampFinding] = []
        for token in content.stamps:
            stamp = judge_stamp(
                token.dump(),
                [content.signer_info["signature"].native],
                kind="signature",
                trust=self._trust,
                evidence=self._evidence,
                control_time=control,
            )
            stamps.append(stamp)
            if stamp.damaged:
                self.damaged_stamp = stamp.problem
        end = hole.covered_end
        covering = [f for other, f in self._stamps if other.hole is not None and other.hole.covered_end > end]
        proved = [f.proves for f in [*stamps, *covering] if f.proves is not None]
        moment = min([control, *proved])
        problem, detail = self._signer(
            one, content, moment, stamps=stamps, proved=bool(proved) and min(proved) <= control
        )
        return self._report(one, problem, (*stamps, *reversed(covering)), detail=detail)

    def _integrity(self, one: Examined, content: SignedContent) -> tuple[SubIndication | None, str]:
        encapsulated = content.signed_data["encap_content_info"]
        try:
            parts = one.signed_parts(self._data)
            if one.subfilter == "/adbe.pkcs7.sha1":
                inner = encapsulated["content"].native
                if inner != digest_of(parts, "sha1"):
                    return SubIndication.HASH_FAILURE, ""
                digest = digest_of([inner], content.digest_name)
            elif one.subfilter in _DETACHED or isinstance(encapsulated["content"], core.Void):
                if not isinstance(encapsulated["content"], core.Void):
                    return SubIndication.FORMAT_FAILURE, "签名值内另带了内容"
                digest = digest_of(parts, content.digest_name)
            else:
                return SubIndication.SIG_CONSTRAINTS_FAILURE, "签名的种类不认识"
        except MalformedSyntax:
            return SubIndication.CRYPTO_CONSTRAINTS_FAILURE, ""
        problem = check_integrity(content, digest=digest, content_type=encapsulated["content_type"].native)
        return problem, ""

    def _signer(
        self,
        one: Examined,
        content: SignedContent,
        moment: datetime,
        *,
        stamps: list[StampFinding],
        proved: bool,
    ) -> tuple[SubIndication | None, str]:
        signer = content.signer
        if signer is None:
            return SubIndication.NO_SIGNING_CERTIFICATE_FOUND, ""
        if weak_algorithm(content) or one.subfilter == "/adbe.pkcs7.sha1":
            return SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE, ""
        known = [*self._evidence.certificates.values(), *self._trust.parsed()]
        if not may_sign(signer):
            return SubIndication.CHAIN_CONSTRAINTS_FAILURE, ""
        finding = check_chain(signer, trust=self._trust, evidence=self._evidence, control_time=moment)
        if finding.anchor is not None and self._trust.is_own(finding.anchor):
            problem, detail = self._own(one, content, signer, known)
            if problem is not None:
                return problem, detail
        if finding.problem is not None:
            return self._translate(one, content, finding, proved=proved), ""
        if finding.anchor is not None and is_house_root(finding.anchor):
            return self._house(one, content, finding, stamps)
        altered = unprotected_faults(content, known) or unverified_values(self._evidence, known, strict=False)
        if altered or (one.hole is not None and one.hole.mixed_case):
            return SubIndication.SIG_CONSTRAINTS_FAILURE, ""
        return None, ""

    def _own(
        self, one: Examined, content: SignedContent, signer: x509.Certificate, known: list[x509.Certificate]
    ) -> tuple[SubIndication | None, str]:
        """Refuse under an anchor of our own what is not for documents, or not written strictly."""
        if not commits(signer):
            return SubIndication.CHAIN_CONSTRAINTS_FAILURE, ""
        faults = strict_faults(content, known, stamp=False)
        faults += unverified_values(self._evidence, known, strict=True)
        mixed = one.hole is not None and one.hole.mixed_case
        if mixed or faults or self._evidence.unreadable or self.damaged_stamp:
            return SubIndication.FORMAT_FAILURE, "签名附带的资料被改动"
        return None, ""

    def _house(
        self, one: Examined, content: SignedContent, finding: ChainFinding, stamps: list[StampFinding]
    ) -> tuple[SubIndication | None, str]:
        """Refuse under a Longzheng root what no sealer of ours writes."""
        if not is_seal_path(finding.path):
            return SubIndication.CHAIN_CONSTRAINTS_FAILURE, ""
        updates = self._updates_after(one)
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
        if one.hole is None or one.hole.lower_case:
            return SubIndication.FORMAT_FAILURE, "签名附带的资料被改动"
        if not is_house_form(content, finding.path, stamp=False):
            return SubIndication.FORMAT_FAILURE, "签名附带的资料被改动"
        return None, ""

    def _updates_after(self, one: Examined) -> list[StampFinding] | None:
        """Return the document time stamps after a seal of ours, oldest first; None when there is more than them.

        Each update must be one of cert_registry/signing/document_stamp.py: validation data, and a stamp of a unit
        of ours that covers the file up to the update's end.
        """
        if one.coverage is Coverage.WHOLE_FILE:
            return []
        end = one.hole.covered_end if one.hole else 0
        later = {
            other.hole.covered_end: (other, finding)
            for other, finding in self._stamps
            if other.hole is not None and other.hole.covered_end > end
        }
        ordered = [later[place] for place in sorted(later)]
        sound = all(
            finding.house and finding.proves is not None and other.hole and not other.hole.lower_case
            for other, finding in ordered
        )
        if not sound or not ordered or ordered[-1][0].coverage is not Coverage.WHOLE_FILE:
            return None
        if self._history.updates_after(end) != len(ordered):
            return None
        if self._history.modifications(one) is not Modifications.VALIDATION_DATA:
            return None
        return [finding for _, finding in ordered]

    def _translate(
        self, one: Examined, content: SignedContent, finding: ChainFinding, *, proved: bool
    ) -> SubIndication:
        problem = finding.problem or SubIndication.GENERIC
        if problem is SubIndication.REVOKED:
            claimed = claimed_time(content) or claimed_in_dictionary(one.field.value)
            admitted = (
                claimed is not None and finding.revoked_at is not None and claimed >= finding.revoked_at
            )
            return problem if proved or admitted else SubIndication.REVOKED_NO_POE
        if problem is SubIndication.NOT_YET_VALID and not proved:
            return SubIndication.OUT_OF_BOUNDS_NO_POE
        return problem

    def _report(
        self,
        one: Examined,
        problem: SubIndication | None,
        stamps: tuple[StampFinding, ...],
        *,
        detail: str = "",
    ) -> SignatureReport:
        changed = Modifications.NONE
        if one.refused is None and one.coverage is not Coverage.PARTIAL:
            changed = self._history.modifications(one)
        indication = problem.indication if problem else Indication.PASSED
        reason = (
            sentences.for_problem(problem, detail) if problem else sentences.PASSED_LATER.get(changed, "")
        )
        if indication is not Indication.FAILED and changed is Modifications.NOT_PERMITTED:
            problem, indication = SubIndication.FORMAT_FAILURE, Indication.FAILED
            reason = sentences.NOT_PERMITTED
        elif indication is Indication.PASSED and changed is Modifications.NOT_UNDERSTOOD:
            problem, indication = SubIndication.SIG_CONSTRAINTS_FAILURE, Indication.INDETERMINATE
            reason = sentences.NOT_UNDERSTOOD
        elif problem is SubIndication.NO_CERTIFICATE_CHAIN_FOUND and not self._trust.certificates:
            reason = sentences.NO_ANCHORS
        content = one.content
        return SignatureReport(
            field=one.field.name,
            indication=indication,
            sub_indication=problem,
            level=self._level(one, stamps),
            coverage=one.coverage,
            modifications=changed,
            signer=subject_text(content.signer) if content and content.signer else None,
            signed_at=(claimed_time(content) if content else None) or claimed_in_dictionary(one.field.value),
            timestamps=tuple(stamp.report() for stamp in stamps),
            reason=reason,
        )

    def _level(self, one: Examined, stamps: tuple[StampFinding, ...]) -> Level:
        content = one.content
        if content is None or one.subfilter != _CADES or not has_signing_certificate_attribute(content):
            return Level.OTHER
        sound = [stamp for stamp in stamps if not stamp.damaged]
        if not sound:
            return Level.B
        if not self._has_store:
            return Level.T
        archival = any(stamp.kind == "document" for stamp in sound)
        return Level.LTA if archival else Level.LT
