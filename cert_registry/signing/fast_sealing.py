"""The fast path of sealing: what is the same for every document of a seal is prepared once.

It seals pages of our own press, at every level, with the form of the reference path: the same CMS, the same field,
picture, evidence and permissions, in one revision behind the page. Whatever else it is given, the reference path
takes. Per document remain: finding the places in the page, one digest, the signatures, and writing.

The evidence (OCSP answer, CRLs) is used again for a short while, for as long as the certificate stands as it
stood; whether it is revoked is looked up for every document by `load_credentials`.

Source: design section 4; EN 319 142-1 clauses 5 and 6.
"""

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import PathError, ValidationError

from cert_registry.signing.cms_form import CmsForm
from cert_registry.signing.credentials import SealCredentials
from cert_registry.signing.errors import LayoutUnknown, SealingFailed
from cert_registry.signing.house_page import read_house_page
from cert_registry.signing.numbered_objects import NumberedObjects, picture_objects, stream_body
from cert_registry.signing.pki.tsa import TimeStampAuthority
from cert_registry.signing.revision import (
    SealParts,
    StampParts,
    sealing_revision,
    stamping_revision,
    text_string,
)
from cert_registry.signing.seal_field import SealAppearance
from cert_registry.signing.seal_key import KeyAlgorithm, scheme_of
from cert_registry.signing.sealing import KeySigner, PadesLevel, SealedPdf, Sealer

#: For how long one OCSP answer serves; it says itself that it may be relied on for a day.
EVIDENCE_USED_FOR = timedelta(seconds=60)
_SEALS_KEPT = 64
_SPARE_BYTES = 64  # a stamp's serial number and signature differ by a few bytes
_BLANK = hashlib.sha256(b"blank").digest()
_ESIC = b"/ESIC<</Type/DeveloperExtensions/BaseVersion/1.7/ExtensionLevel 1>>"
_ISO_32002 = (
    b"/ISO_[<</Type/DeveloperExtensions/BaseVersion/2.0/ExtensionLevel 32002"
    b"/URL(https://www.iso.org/standard/45875.html)/ExtensionRevision(:2022)>>]"
)
_EXTENSIONS = {
    # ISO/TS 32002 brings elliptic curves to PDF, so such a file names it and PDF 2.0
    KeyAlgorithm.ECDSA_P256: b"/Extensions<<" + _ESIC + _ISO_32002 + b">>/Version/2.0",
    KeyAlgorithm.RSA_3072: b"/Extensions<<" + _ESIC + b">>",
}
_WITH_EVIDENCE = {PadesLevel.B_LT, PadesLevel.B_LTA}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """A seal at a level, ready for any page; `archive` at level B-LTA."""

    form: CmsForm
    parts: SealParts
    archive: StampParts | None
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    """What a DSS holds, each value in DER."""

    certificates: tuple[bytes, ...]
    answers: tuple[bytes, ...]
    lists: tuple[bytes, ...]

    def objects(self) -> NumberedObjects:
        """The streams, and last the DSS dictionary."""
        streams = [stream_body(der) for der in (*self.certificates, *self.answers, *self.lists)]
        return NumberedObjects([*streams, self._store(())])

    def archive_store(self) -> tuple[bytes | int, ...]:
        """The dictionary with one more answer, in the first object behind dictionary and signature."""
        return self._store((len(self.certificates) + len(self.answers) + len(self.lists) + 2,))

    def _store(self, more_answers: tuple[int, ...]) -> tuple[bytes | int, ...]:
        places = iter(range(len(self.certificates) + len(self.answers) + len(self.lists)))
        store: list[bytes | int] = [b"<<"]
        for name, group, more in (
            (b"/Certs[", self.certificates, ()),
            (b"/OCSPs[", self.answers, more_answers),
            (b"/CRLs[", self.lists, ()),
        ):
            store.append(name)
            for place in (*(next(places) for _ in group), *more):
                store += [place, b" "]
            store.append(b"]")
        return (*store, b">>")


class FastSealer:
    """Seals pages of our own press fast, and everything else by the reference path.

    Args:
        reference: The reference path; it also gathers the evidence.
        tsa: Our own authority, in this process.
    """

    def __init__(self, reference: Sealer, tsa: TimeStampAuthority) -> None:
        self._reference = reference
        self._tsa = tsa
        self._lock = Lock()
        self._prepared: OrderedDict[tuple[object, ...], _Prepared] = OrderedDict()

    def seal(
        self,
        pdf: bytes,
        *,
        credentials: SealCredentials,
        appearance: SealAppearance,
        level: PadesLevel,
        now: datetime,
    ) -> SealedPdf:
        """Seal a document; takes and raises what `Sealer.seal` does."""
        try:
            page = read_house_page(pdf, page=appearance.place.page)
        except LayoutUnknown:
            page = None
        if page is None or credentials.key.algorithm not in _EXTENSIONS:
            return self._reference.seal(
                pdf, credentials=credentials, appearance=appearance, level=level, now=now
            )
        ready = self._ready(credentials, appearance, level, now)
        scheme = scheme_of(credentials.key.algorithm)
        hole = sealing_revision(pdf, page, ready.parts, appearance.place, now=now)  # (1) all but the CMS
        attributes = ready.form.signed_attributes(hole.digest(scheme.digest))  # (2) what is signed
        signature = credentials.key.sign(attributes)  # (3) the signature
        stamp = None
        if level is not PadesLevel.B_B:  # (4) its time stamp
            stamp = self._tsa.stamp_sha256(hashlib.sha256(signature).digest(), now=now)
        sealed = hole.filled(ready.form.filled(attributes, signature, stamp=stamp))
        if ready.archive is not None:  # (5) the stamp over the whole file, with nothing after it
            hole = stamping_revision(sealed, hole.end, ready.archive)
            sealed = hole.filled(self._tsa.stamp_sha256(hole.digest("sha256"), now=now))
        return SealedPdf(pdf=sealed, sha256=hashlib.sha256(sealed).digest())

    def _ready(
        self, credentials: SealCredentials, appearance: SealAppearance, level: PadesLevel, now: datetime
    ) -> _Prepared:
        certificate = credentials.certificate.public_bytes(Encoding.DER)
        key = (certificate, appearance.image_pdf, appearance.alternative_text, level)
        with self._lock:
            found = self._prepared.get(key)
            if found is not None and abs(now - found.made_at) <= EVIDENCE_USED_FOR:
                self._prepared.move_to_end(key)
                return found
        made = self._prepare(credentials, appearance, level, now)
        with self._lock:
            self._prepared[key] = made
            while len(self._prepared) > _SEALS_KEPT:
                self._prepared.popitem(last=False)
        return made

    def _prepare(
        self, credentials: SealCredentials, appearance: SealAppearance, level: PadesLevel, now: datetime
    ) -> _Prepared:
        scheme = scheme_of(credentials.key.algorithm)
        encoded = asyncio.run(
            KeySigner(credentials).async_sign(_BLANK, scheme.digest, dry_run=True, use_pades=True)
        )
        form = CmsForm.cut_from(encoded, digest=_BLANK)
        longest = form.filled(form.signed_attributes(_BLANK), bytes(scheme.longest_signature_bytes))
        stamp_bytes = self._tsa.longest_stamp_bytes + _SPARE_BYTES
        contents_bytes = len(longest) + (0 if level is PadesLevel.B_B else stamp_bytes)
        evidence = self._evidence(credentials, now) if level in _WITH_EVIDENCE else None
        archive = None
        if evidence is not None and level is PadesLevel.B_LTA:
            archive = StampParts(
                answer=evidence.answers[0], store=evidence.archive_store(), contents_bytes=stamp_bytes
            )
        parts = SealParts(
            picture=picture_objects(appearance.image_pdf),
            evidence=evidence.objects() if evidence else None,
            alternative_text=text_string(appearance.alternative_text),
            extensions=_EXTENSIONS[credentials.key.algorithm],
            contents_bytes=contents_bytes,
        )
        return _Prepared(form=form, parts=parts, archive=archive, made_at=now)

    def _evidence(self, credentials: SealCredentials, now: datetime) -> _Evidence:
        """Validate the certificates of seal and stamps as the reference does, and return what it took.

        Raises:
            SealingFailed: A certificate does not validate, e.g. it is revoked.
        """
        context = self._reference.evidence(credentials, now)
        certificates: dict[bytes, None] = {}
        for certificate in (credentials.certificate, self._tsa.certificate):
            for der in _validated_path(certificate, context):
                certificates.setdefault(der)
        for answer in context.ocsps:
            for responder in answer["response_bytes"]["response"].parsed["certs"]:
                certificates.setdefault(responder.dump())
        return _Evidence(
            certificates=tuple(certificates),
            answers=tuple(answer.dump() for answer in context.ocsps),
            lists=tuple(one.dump() for one in context.crls),
        )


def _validated_path(certificate: x509.Certificate, context: ValidationContext) -> list[bytes]:
    """Return the certificates from `certificate` up to, not including, the anchor."""
    validator = CertificateValidator(
        asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER)), validation_context=context
    )
    try:
        path = asyncio.run(validator.async_validate_path())
    except (PathError, ValidationError) as error:
        raise SealingFailed(f"The evidence of a seal does not hold: {error}.") from error
    return [one.dump() for one in list(path)[1:]]
