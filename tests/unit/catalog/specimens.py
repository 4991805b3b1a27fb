"""Specimens for tests: faces of the samples with everything that stands beside them, deterministic."""

import hashlib
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from cert_registry.catalog.certificate_type import CertificateType
from cert_registry.catalog.face_schema import CheckedFace
from cert_registry.catalog.loading import TYPES_DIRECTORY, Catalog
from cert_registry.catalog.rendering import DEMO_MARK, Imprint
from cert_registry.catalog.twin import StatusReference, TwinImprint, build_twin
from cert_registry.check_code import new_check_code
from cert_registry.identifier import new_identifier
from cert_registry.qr import KeyId, QrClaims, qr_text, sign_qr

TODAY = date(2026, 11, 22)
CATALOG = Catalog.load(TYPES_DIRECTORY)
SLUGS = tuple(certificate_type.slug for certificate_type in CATALOG.types())
SAMPLES = ("shortest", "longest", "strangest")
ISSUER_NAME = "示例市市场监督管理局"
ISSUER_CODE = "119901000000002037"
KEY = ec.derive_private_key(20261122, ec.SECP256R1())
KID = KeyId(b"\x01\x02\x03\x04\x05\x06\x07\x08")


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """A checked face and its imprint."""

    certificate_type: CertificateType
    face: CheckedFace
    imprint: Imprint


def sign(data: bytes) -> bytes:
    """DER signature, as the token gives it."""
    return KEY.sign(data, ec.ECDSA(hashes.SHA256()))


def specimen(slug: str, sample: str = "shortest", **changes: object) -> Specimen:
    """The specimen of a type's sample; `changes` replace face fields."""
    certificate_type = CATALOG.by_slug(slug)
    face = certificate_type.check_face({**certificate_type.samples[sample], **changes}, today=TODAY)
    return specimen_of(certificate_type, face)


def specimen_of(certificate_type: CertificateType, face: CheckedFace) -> Specimen:
    """The specimen of any checked face."""
    below = random.Random(certificate_type.slug).randrange  # noqa: S311 (the same every time)
    identifier = str(new_identifier(certificate_type.type_code, ISSUER_CODE, random_below=below))
    check_code = new_check_code(below)
    twin = build_twin(
        certificate_type,
        face,
        TwinImprint(
            identifier=identifier,
            version=1,
            issuer_name=ISSUER_NAME,
            issuer_code=ISSUER_CODE,
            area_code="990100",
            issued_on=TODAY,
            status=StatusReference(uri="http://localhost:8080/status-lists/1", index=5),
            previous_identifier=None,
            log_salt=b"\x07" * 32,
            mark=DEMO_MARK,
        ),
    )
    claims = QrClaims(
        issuer_code=ISSUER_CODE,
        identifier=identifier,
        check_code=check_code,
        twin_sha256=hashlib.sha256(twin).digest(),
        issued_at=datetime(2026, 11, 22, 4, tzinfo=UTC),
        ends_at=datetime(2031, 11, 21, 16, tzinfo=UTC),
    )
    return Specimen(
        certificate_type=certificate_type,
        face=face,
        imprint=Imprint(
            identifier=identifier,
            check_code=check_code,
            qr_text=qr_text("http://localhost:8080", sign_qr(claims, kid=KID, sign=sign)),
            issuer_name=ISSUER_NAME,
            issuer_code=ISSUER_CODE,
            issued_on=TODAY,
            version=1,
            twin=twin,
            mark=DEMO_MARK,
        ),
    )
