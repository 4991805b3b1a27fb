"""A seal maker, a seal holder and their root, with SM2 or P-256 keys, and a judge that knows the root alone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from asn1crypto import algos, keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from cert_registry.eseal.making import Signer
from cert_registry.eseal.ports import Judgement, Standing
from cert_registry.eseal.types import PictureFormat, SealContent, SealPicture
from cert_registry.signing.seal_key import KeyAlgorithm, SealKey
from cert_registry.signing.unfit_sm2_keys import UnfitForProductionSm2Key
from cert_registry.sm2 import libcrypto

NOW = datetime(2026, 8, 1, 8, 0, tzinfo=UTC)
MADE = datetime(2026, 7, 2, 1, 2, 3, tzinfo=UTC)
PICTURE = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="42mm" height="42mm">'
    b'<circle cx="21mm" cy="21mm" r="20mm" fill="none" stroke="#c00"/></svg>'
)


class P256Key:
    """A P-256 key in memory as a `SealKey`."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())

    @property
    def algorithm(self) -> KeyAlgorithm:
        return KeyAlgorithm.ECDSA_P256

    def sign(self, data: bytes) -> bytes:
        return self.private.sign(data, ec.ECDSA(hashes.SHA256()))


def sm2_key() -> UnfitForProductionSm2Key:
    return UnfitForProductionSm2Key("test", libcrypto.generate())


def certificate_for(key: SealKey, name: str, *, seals: bool = True) -> bytes:
    """A self-signed certificate over the key's own pair; chains are the judge's business."""
    placeholder = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=seals,
        key_encipherment=not seals,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    signer = key.private if isinstance(key, P256Key) else placeholder
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(signer.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(MADE - timedelta(days=30))
        .not_valid_after(MADE + timedelta(days=700))
        .add_extension(usage, critical=True)
        .sign(signer, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    if isinstance(key, UnfitForProductionSm2Key):
        value = asn1_x509.Certificate.load(built)
        body = value["tbs_certificate"]
        algorithm = algos.SignedDigestAlgorithm({"algorithm": "sm2_sm3"})
        body["signature"] = algorithm
        body["subject_public_key_info"] = keys.PublicKeyInfo.load(key.public_key.to_der())
        value["signature_algorithm"] = algorithm
        value["signature_value"] = key.sign(body.dump())
        return bytes(value.dump())
    return built


@dataclass
class Judge:
    """Answers what it was told, for any certificate."""

    standings: dict[datetime, Judgement]
    stamps: dict[tuple[bytes, bytes], datetime]

    def judge(self, certificate: bytes, *, at: datetime) -> Judgement:
        del certificate
        return self.standings.get(at, Judgement(standing=Standing.GOOD))

    def stamped_at(self, token: bytes, covered: bytes, *, now: datetime) -> datetime | None:
        del now
        return self.stamps.get((token, covered))


def a_judge() -> Judge:
    return Judge(standings={}, stamps={})


def a_signer(key: SealKey, name: str) -> Signer:
    return Signer(key=key, certificate=certificate_for(key, name))


def content_for(*holders: bytes) -> SealContent:
    return SealContent(
        seal_id="62010000000001",
        vendor_id="LZ",
        kind=1,
        name="示例市市场监督管理局证照专用章",
        created_at=MADE,
        valid_from=MADE,
        valid_until=MADE + timedelta(days=365),
        picture=SealPicture(format=PictureFormat.SVG, data=PICTURE, width_mm=42, height_mm=42),
        holders=holders,
    )
