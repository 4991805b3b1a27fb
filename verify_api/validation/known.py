"""What was parsed or computed once from given bytes and need not be again: the same authorities turn up in every file.

Everything remembered here depends on the bytes alone. asn1crypto parses on demand and is not safe for threads, so each
thread has a memory of its own; it is bounded, and a child process of the sandbox takes its memory with it.
"""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any

from asn1crypto import crl, ocsp, x509

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST = 2048  # answers
_MOST_BYTES = 4 * 1024 * 1024  # of all that is remembered, as encoded
_LARGEST_BYTES = 65_536  # of a value that is remembered


class _Memory(threading.local):
    """Answers by kind of question and bytes."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, Any], Any] = {}
        self.held_bytes = 0


_MEMORY = _Memory()


def remembered(kind: str, key: Any, compute: Callable[[], Any], *, size: int = 0) -> Any:
    """Return the answer to a question that was asked before, or compute it.

    Args:
        kind: The question.
        key: Everything that the answer depends on.
        compute: What answers it; an exception is not remembered.
        size: Bytes that the answer holds on to.
    """
    answers = _MEMORY.answers
    if (kind, key) in answers:
        return answers[kind, key]
    answer = compute()
    if size <= _LARGEST_BYTES:
        if len(answers) >= _MOST or _MEMORY.held_bytes + size > _MOST_BYTES:
            answers.clear()
            _MEMORY.held_bytes = 0
        answers[kind, key] = answer
        _MEMORY.held_bytes += size
    return answer


class KnownCertificate(x509.Certificate):  # type: ignore[misc]
    """A certificate that keeps its encoding, of which asn1crypto would assemble a new copy each time."""

    encoding: bytes | None = None
    subject = cached_property(lambda self: self["tbs_certificate"]["subject"])
    issuer = cached_property(lambda self: self["tbs_certificate"]["issuer"])
    public_key = cached_property(lambda self: self["tbs_certificate"]["subject_public_key_info"])
    serial_number = cached_property(lambda self: self["tbs_certificate"]["serial_number"].native)

    def dump(self, force: bool = False) -> bytes:  # noqa: FBT001, FBT002 - asn1crypto's signature
        """Return the DER as it was read."""
        if self.encoding is None or force:
            return bytes(super().dump(force))
        return self.encoding


def certificate_of(der: bytes) -> x509.Certificate | None:
    """Return a certificate, None when something in it that validation looks at cannot be parsed."""
    return remembered("certificate", der, lambda: _certificate(der), size=len(der))


def _certificate(der: bytes) -> x509.Certificate | None:
    try:
        certificate = KnownCertificate.load(der, strict=True)
        certificate.encoding = der
    except (ValueError, TypeError):
        return None
    return certificate if is_readable(certificate) else None


def is_readable(certificate: x509.Certificate) -> bool:
    """Tell whether everything in a certificate that validation looks at can be parsed."""
    try:
        _ = certificate.subject.hashable, certificate.issuer.hashable, certificate.serial_number
        _ = certificate.not_valid_before, certificate.not_valid_after, certificate.public_key.native
        _ = certificate.key_usage_value, certificate.extended_key_usage_value, certificate.key_identifier
        _ = certificate.critical_extensions, certificate["signature_value"].native, certificate.ca
        _ = certificate.subject.native, certificate.authority_key_identifier
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - asn1crypto raises many builtin kinds on damaged values
        return False
    return True


def revocation_list_of(der: bytes) -> crl.CertificateList:
    """Return a CRL; raises what asn1crypto raises for a damaged one."""

    def parse() -> crl.CertificateList:
        value = crl.CertificateList.load(der, strict=True)
        _ = value["tbs_cert_list"]["this_update"].native, value["signature"].native
        return value

    return remembered("crl", der, parse, size=len(der))


def answer_of(der: bytes) -> ocsp.OCSPResponse:
    """Return an OCSP response; raises what asn1crypto raises for a damaged one."""

    def parse() -> ocsp.OCSPResponse:
        value = ocsp.OCSPResponse.load(der, strict=True)
        _ = value["response_bytes"]["response"].parsed["tbs_response_data"].native
        return value

    return remembered("ocsp", der, parse, size=len(der))


def encoding_of(value: Any) -> bytes:
    """Return the DER of a value that was read and is never altered; asn1crypto would look for alterations each time."""
    kept: bytes | None = value.__dict__.get("_encoding")
    if kept is None:
        kept = value.__dict__["_encoding"] = value.dump()
    return kept


def _remember_names() -> None:
    """Let asn1crypto prepare a name for comparison once: it would again for each comparison, character by character."""
    prepare = x509.Name.hashable.fget

    def hashable(name: x509.Name) -> str:
        kept: str | None = name.__dict__.get("_prepared")
        if kept is None:
            contents = bytes(name.chosen.contents)
            kept = remembered("name", contents, lambda: str(prepare(name)), size=len(contents))
            name.__dict__["_prepared"] = kept
        return kept

    def equal(one: x509.Name, other: object) -> bool:
        return isinstance(other, x509.Name) and hashable(one) == hashable(other)

    x509.Name.hashable = property(hashable)
    x509.Name.__eq__ = equal


_remember_names()
