"""Validation under our own anchors, as the verify room's port sees it."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime

from verify_api.errors import PartUnavailable
from verify_api.types import RegisteredEcert, SealPart
from verify_api.validation import DocumentReport, Limits, TrustAnchors, validate_isolated, validate_pdf
from verify_api.validation.errors import ValidatorsBusy

_REMEMBERED = 4096


class OwnSealValidator:
    """`ports.SealValidator`.

    A delivered file is validated in full once; the report is kept until the revocation lists or the day change,
    so that a later answer costs a look-up and still evaluates seal, CA and algorithm state as of now.

    Args:
        trust: Our own anchors; under them validation is strict.
        revocation_lists: The newest CRLs of our CAs, DER.
        limits: What the isolated worker may use.
    """

    def __init__(
        self, *, trust: TrustAnchors, revocation_lists: Callable[[], Sequence[bytes]], limits: Limits
    ) -> None:
        self._trust = trust
        self._revocation_lists = revocation_lists
        self._limits = limits
        self._reports: OrderedDict[bytes, DocumentReport] = OrderedDict()
        self._lock = threading.Lock()

    def unknown(self, document: bytes, *, now: datetime) -> SealPart:
        """See the port.

        Raises:
            PartUnavailable: As many files as allowed are being validated already.
        """
        try:
            report = validate_isolated(
                document,
                trust=self._trust,
                at=None,
                now=now,
                crls=self._revocation_lists(),
                limits=self._limits,
            )
        except ValidatorsBusy as busy:
            raise PartUnavailable(str(busy)) from busy
        return _part(report, "document")

    def known(self, ecert: RegisteredEcert, document: bytes, *, now: datetime) -> SealPart:
        """See the port."""
        del ecert  # what it says of its newest file is not what was asked about
        lists = self._revocation_lists()
        # The bytes themselves: an ecert's file has versions, and an older copy is judged as what it is.
        version = hashlib.sha256(document).digest()
        key = hashlib.sha256(b"\0".join((version, now.date().isoformat().encode(), *lists))).digest()
        with self._lock:
            report = self._reports.get(key)
        if report is None:
            report = validate_pdf(document, trust=self._trust, at=None, now=now, crls=lists)
            with self._lock:
                self._reports[key] = report
                while len(self._reports) > _REMEMBERED:
                    self._reports.popitem(last=False)
        return _part(report, "digest")


def _part(report: DocumentReport, basis: str) -> SealPart:
    return SealPart(
        verdict=report.verdict.value,
        basis=basis,
        reason=report.reason,
        signatures=tuple(one.to_json() for one in report.signatures),
    )
