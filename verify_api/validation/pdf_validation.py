"""Validates one PDF: every signature, every byte, every later change.

Steps of `validate_pdf`, in this order:
 1 what kind of file · 2 open it · 3 find signatures, and traces of removed ones · 4 what each covers and
 whether its value fits · 5 gather certificates and revocation data · 6 time stamps, newest first ·
 7 the signer's chain at the proved time · 8 what was changed later · 9 what is said of the whole file

Source: EN 319 102-1 clause 5; design sections 4, 6 and 8.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from verify_api.validation import sentences
from verify_api.validation.byte_ranges import TooManyTraces, is_usage_right, traces_of_signatures
from verify_api.validation.chains import Evidence
from verify_api.validation.container import Container, recognise
from verify_api.validation.document import (
    LockedByPassword,
    Unreadable,
    ambiguous_dictionaries,
    collect_store,
    open_reader,
)
from verify_api.validation.errors import MalformedSyntax
from verify_api.validation.examination import Examined, examine
from verify_api.validation.fields import MAX_SIGNATURES, signature_fields
from verify_api.validation.history import History
from verify_api.validation.judgement import Judge
from verify_api.validation.verdicts import (
    Coverage,
    DocumentReport,
    Indication,
    Modifications,
    SignatureReport,
    SubIndication,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from verify_api.validation.trust import TrustAnchors

_MAX_CUTS = 3  # earlier states that are tried when a file cannot be read


def validate_pdf(
    data: bytes,
    *,
    trust: TrustAnchors,
    at: datetime | None,
    now: datetime,
    offline: bool = True,
    crls: Iterable[bytes] = (),
) -> DocumentReport:
    """Validate a file; whatever its bytes are, the answer is a report.

    Nothing is ever fetched from a network; `offline` is part of the contract and changes nothing today.

    Args:
        data: The file.
        trust: Anchors; under those marked as our own validation is strict.
        at: Validation time, aware; None means `now`.
        now: The present, aware.
        offline: Whether fetching is forbidden.
        crls: Further certificate revocation lists, DER.

    Returns:
        The report.
    """
    _ = offline
    try:
        return _validate(data, trust, at or now, crls)
    except MemoryError:
        return DocumentReport(verdict=Verdict.INDETERMINATE, reason=sentences.LIMIT_MEMORY)
    except TooManyTraces:
        return DocumentReport(verdict=Verdict.INDETERMINATE, reason=sentences.LIMIT_SIGNATURES)
    except RecursionError:
        return DocumentReport(verdict=Verdict.INDETERMINATE, reason=sentences.LIMIT_OBJECTS)
    except Exception:  # noqa: BLE001 - pyHanko and asn1crypto raise any builtin error on hostile files
        return DocumentReport(verdict=Verdict.INDETERMINATE, reason=sentences.UNREADABLE)


def _validate(
    data: bytes, trust: TrustAnchors, at: datetime, crls: Iterable[bytes], *, cuts: int = 0
) -> DocumentReport:
    # (1) what kind of file
    kind = recognise(data)
    if kind is not Container.PDF:
        reason = {Container.OFD: sentences.OFD, Container.EMPTY: sentences.EMPTY}.get(
            kind, sentences.NOT_A_PDF
        )
        return DocumentReport(verdict=Verdict.NOT_A_PDF, reason=reason)
    # (2) open it
    try:
        reader = open_reader(data)
    except LockedByPassword:
        return DocumentReport(verdict=Verdict.INDETERMINATE, reason=sentences.ENCRYPTED)
    except Unreadable:
        return _unreadable(data, trust, at, crls, cuts=cuts)
    # (3) find signatures, and traces of removed ones; (4) what each covers
    fields = signature_fields(reader)
    if len(fields) > MAX_SIGNATURES:
        return DocumentReport(verdict=Verdict.INDETERMINATE, reason=sentences.LIMIT_SIGNATURES)
    examined = [examine(data, reader, field) for field in fields]
    lost, rights = _lost_traces(data, examined)
    real = [one for one in examined if not one.placeholder]
    if not real:
        if lost:
            return DocumentReport(verdict=Verdict.INDETERMINATE, reason=sentences.VANISHED)
        if examined:
            return DocumentReport(verdict=Verdict.INDETERMINATE, reason=sentences.EMPTY_PLACEHOLDER)
        reason = sentences.ONLY_USAGE_RIGHTS if rights else sentences.NO_SIGNATURE
        return DocumentReport(verdict=Verdict.NO_SIGNATURE, reason=reason)
    # (5) gather certificates and revocation data
    evidence = Evidence()
    for der in crls:
        evidence.add_crl(der, offered=True)
    has_store = collect_store(reader, evidence)
    # (6) time stamps, (7) chains, (8) later changes
    history = History(data, reader, real)
    judge = Judge(data, trust=trust, evidence=evidence, at=at, has_store=has_store, history=history)
    reports = judge.judge_all(real)
    # (9) what is said of the whole file
    unusual = not data.startswith(b"%PDF-") or ambiguous_dictionaries(data, reader)
    return _conclude(reports, real, examined, lost, judge=judge, unusual=unusual)


def _unreadable(
    data: bytes, trust: TrustAnchors, at: datetime, crls: Iterable[bytes], *, cuts: int
) -> DocumentReport:
    """Judge the signed state before what made the file unreadable; it is never passed."""
    ends = [end for _, end in traces_of_signatures(data) if end is not None and end < len(data)]
    if not ends or cuts >= _MAX_CUTS:
        return DocumentReport(verdict=Verdict.INDETERMINATE, reason=sentences.UNREADABLE)
    earlier = _validate(data[: max(ends)], trust, at, crls, cuts=cuts + 1)
    if earlier.verdict in {Verdict.NO_SIGNATURE, Verdict.NOT_A_PDF}:
        return DocumentReport(verdict=Verdict.INDETERMINATE, reason=sentences.UNREADABLE)
    signatures = tuple(
        replace(
            one,
            coverage=Coverage.REVISION if one.coverage is Coverage.WHOLE_FILE else one.coverage,
            modifications=max(one.modifications, Modifications.NOT_UNDERSTOOD, key=lambda m: m.severity),
            indication=Indication.INDETERMINATE if one.indication is Indication.PASSED else one.indication,
            sub_indication=one.sub_indication or SubIndication.SIG_CONSTRAINTS_FAILURE,
        )
        for one in earlier.signatures
    )
    failed = earlier.verdict is Verdict.FAILED
    return DocumentReport(
        verdict=earlier.verdict if failed else Verdict.INDETERMINATE,
        reason=earlier.reason if failed else sentences.NOT_UNDERSTOOD,
        signatures=signatures,
    )


def _lost_traces(data: bytes, examined: list[Examined]) -> tuple[list[int], bool]:
    """Return where signatures stood that no field leads to any more, and whether there are usage rights."""
    known = {one.hole.start for one in examined if one.hole is not None}
    lost = [start for start, _ in traces_of_signatures(data) if start not in known]
    rights = {start for start in lost if is_usage_right(data, start)}
    return [start for start in lost if start not in rights], bool(rights)


def _conclude(
    reports: list[SignatureReport],
    real: list[Examined],
    examined: list[Examined],
    lost: list[int],
    *,
    judge: Judge,
    unusual: bool,
) -> DocumentReport:
    signatures = tuple(reports)

    def say(verdict: Verdict, reason: str) -> DocumentReport:
        return DocumentReport(verdict=verdict, reason=reason, signatures=signatures)

    for indication, verdict in (
        (Indication.FAILED, Verdict.FAILED),
        (Indication.INDETERMINATE, Verdict.INDETERMINATE),
    ):
        for report in reports:
            if report.indication is indication:
                return say(verdict, report.reason)
    if judge.damaged_stamp:
        return say(Verdict.INDETERMINATE, sentences.for_problem(judge.damaged_stamp))
    # Every signature passed. What none of them covers must still be explained.
    covered = max((one.hole.covered_end for one in real if one.hole is not None), default=0)
    if any(start >= covered for start in lost):
        return say(Verdict.INDETERMINATE, sentences.VANISHED)
    if any(one.placeholder and not one.within(covered) for one in examined):
        return say(Verdict.INDETERMINATE, sentences.EMPTY_PLACEHOLDER)
    if unusual:
        return say(Verdict.INDETERMINATE, sentences.UNUSUAL_HEADER)
    worst = max(
        (report.modifications for report in reports), key=lambda m: m.severity, default=Modifications.NONE
    )
    return say(Verdict.PASSED, sentences.PASSED_LATER[worst])


__all__ = ["MalformedSyntax", "validate_pdf"]
