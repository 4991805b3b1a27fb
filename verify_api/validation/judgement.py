"""Judges signatures: cryptography, time stamps newest first, chains at the proved time, later changes.

A document time stamp proves that everything before it existed at its time. So the newest is judged at the
validation time, the next older at the time that the newest proves, and a signature at the earliest proved time.

Source: EN 319 102-1 clauses 5.3, 5.5 and 5.6.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from asn1crypto import core

from verify_api.validation import sentences
from verify_api.validation.bare_signature import bare_integrity
from verify_api.validation.document import collect_archived_revocation
from verify_api.validation.errors import MalformedSyntax
from verify_api.validation.examination import Examined, claimed_in_dictionary
from verify_api.validation.signature_values import check_integrity, digest_of
from verify_api.validation.signed_data import (
    claimed_time,
    find_signer,
    has_signing_certificate_attribute,
)
from verify_api.validation.signer_rules import SignerCase, judge_signer
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

    from verify_api.validation.chains import Evidence
    from verify_api.validation.history import History
    from verify_api.validation.trust import TrustAnchors

_CADES = "/ETSI.CAdES.detached"
_KNOWN = {_CADES, "/adbe.pkcs7.detached", "/adbe.pkcs7.sha1", "/PBAD.PAdES", ""}  # the last but one: Brazil's


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
            for certificate in one.bare.certificates if one.bare else ():
                self._evidence.add_certificate(certificate.dump())
        pool = [*self._evidence.certificates.values(), *self._trust.parsed()]
        for one in ordered:
            if one.content is not None and one.content.signer is None:
                signer = find_signer(one.content.signer_info, pool)
                one.content = replace(one.content, signer=signer)
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

    def _proved_by_cover(self, one: Examined) -> datetime | None:
        """Return the earliest time at which what covers this signature proves that it existed."""
        end = one.hole.covered_end if one.hole else 0
        times = [
            finding.proves
            for other, finding in self._stamps
            if finding.proves is not None and other.hole is not None and other.hole.covered_end > end
        ]
        return min(times, default=None)

    def _control_time(self, one: Examined) -> datetime:
        return min(self._at, self._proved_by_cover(one) or self._at)

    def _judge_document_stamp(self, one: Examined) -> None:
        if one.refused is not None or one.hole is None or one.content is None or not self._history.holds(one):
            problem = SubIndication.SIG_CONSTRAINTS_FAILURE if one.unclear else SubIndication.FORMAT_FAILURE
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
                proved=self._proved_by_cover(one),
            )
            hidden = bool(one.content.padding.strip(b"\0"))
            if hidden or (finding.own and one.hole.mixed_case):
                problem = (
                    SubIndication.FORMAT_FAILURE if finding.own else SubIndication.SIG_CONSTRAINTS_FAILURE
                )
                finding = replace(finding, problem=problem, damaged=True)
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
        hole = one.hole
        if one.refused is not None or hole is None or (one.content is None and one.bare is None):
            form = SubIndication.SIG_CONSTRAINTS_FAILURE if one.unclear else SubIndication.FORMAT_FAILURE
            return self._report(one, form, (), detail=one.refused or "")
        if not self._history.holds(one):
            one.coverage = Coverage.PARTIAL
            return self._report(one, SubIndication.FORMAT_FAILURE, (), detail="签名不在它所覆盖的版本之内")
        problem, detail, digests = self._integrity(one)
        if problem is not None:
            return self._report(one, problem, (), detail=detail)
        control = self._control_time(one)
        stamps = self._signature_stamps(one, control)
        end = hole.covered_end
        covering = [f for other, f in self._stamps if other.hole is not None and other.hole.covered_end > end]
        proved = [f.proves for f in [*stamps, *covering] if f.proves is not None]
        moment = min([control, *proved])
        case = SignerCase(
            one=one,
            signer=one.content.signer if one.content else one.bare.signer if one.bare else None,
            digests=digests,
            control_time=moment,
            proved=min(proved) if proved and min(proved) <= control else None,
            stamps=tuple(stamps),
            damaged_stamp=self.damaged_stamp is not None,
            updates=lambda: self._updates_after(one),
        )
        problem, detail = judge_signer(case, trust=self._trust, evidence=self._evidence)
        return self._report(one, problem, (*stamps, *reversed(covering)), detail=detail)

    def _signature_stamps(self, one: Examined, control: datetime) -> list[StampFinding]:
        stamps: list[StampFinding] = []
        content = one.content
        for token in content.stamps if content is not None else ():
            stamp = judge_stamp(
                token.dump(),
                [content.signer_info["signature"].native] if content is not None else [],
                kind="signature",
                trust=self._trust,
                evidence=self._evidence,
                control_time=control,
                proved=self._proved_by_cover(one),
            )
            stamps.append(stamp)
            if stamp.damaged:
                self.damaged_stamp = stamp.problem
        return stamps

    def _integrity(self, one: Examined) -> tuple[SubIndication | None, str, frozenset[str]]:
        """Check the signature's value: what fails, a clause that says more, and the digests in use."""
        content = one.content
        if content is None:
            if one.bare is None:
                return SubIndication.FORMAT_FAILURE, "", frozenset()
            problem, digest_name = bare_integrity(one.bare, one.signed_parts(self._data))
            return problem, "", frozenset({digest_name or "sha1"})
        encapsulated = content.signed_data["encap_content_info"]
        content_type = encapsulated["content_type"].native
        bare = isinstance(encapsulated["content"], core.Void)
        parts = one.signed_parts(self._data)
        digests = frozenset({content.digest_name})
        try:
            if one.subfilter == "/adbe.pkcs7.sha1" and not bare:
                inner = encapsulated["content"].native
                if inner != digest_of(parts, "sha1"):
                    return SubIndication.HASH_FAILURE, "", digests
                digest, digests = digest_of([inner], content.digest_name), digests | {"sha1"}
            else:
                digest = digest_of(parts, content.digest_name)
        except MalformedSyntax:
            return SubIndication.CRYPTO_CONSTRAINTS_FAILURE, "", digests
        problem = check_integrity(content, digest=digest, content_type=content_type)
        if problem is None and not bare and one.subfilter != "/adbe.pkcs7.sha1":
            return SubIndication.SIG_CONSTRAINTS_FAILURE, "签名值内另带了内容", digests
        if problem is None and one.subfilter not in _KNOWN:
            return SubIndication.SIG_CONSTRAINTS_FAILURE, "签名的种类不认识", digests
        return problem, "", digests

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

    def _report(
        self,
        one: Examined,
        problem: SubIndication | None,
        stamps: tuple[StampFinding, ...],
        *,
        detail: str = "",
    ) -> SignatureReport:
        changed = Modifications.NONE
        if (one.refused is None or one.unclear) and one.coverage is not Coverage.PARTIAL:
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
        signer = content.signer if content else one.bare.signer if one.bare else None
        return SignatureReport(
            field=one.field.name,
            indication=indication,
            sub_indication=problem,
            level=self._level(one, stamps),
            coverage=one.coverage,
            modifications=changed,
            signer=subject_text(signer) if signer is not None else None,
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
