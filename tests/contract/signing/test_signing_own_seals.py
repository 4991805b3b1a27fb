"""What the sealer makes passes before our own validator, and nothing else under our root does."""

import asyncio
import io
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
import sample_documents as documents
import sealed_alterations as altered
from asn1crypto import algos, cms, pem
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, Signer
from pyhanko_certvalidator.registry import SimpleCertificateStore

from cert_registry.signing.credentials import SealCredentials, load_credentials
from cert_registry.signing.pki.issuing import Subject
from cert_registry.signing.pki.services import PkiServices
from cert_registry.signing.seal_key import KeyAlgorithm
from cert_registry.signing.sealing import PadesLevel, Sealer, _Stamper
from cert_registry.signing.settings import Settings
from cert_registry.signing.token import Token
from verify_api.validation import DocumentReport, TrustAnchors, Verdict, validate_pdf

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def anchors(ceremony_state: Path) -> dict[str, TrustAnchors]:
    text = (ceremony_state / "pki" / "trust.pem").read_bytes()
    return {"own": TrustAnchors.own_only(text), "given": TrustAnchors.from_pem([text])}


@pytest.fixture(scope="module")
def sealed(sealer: Sealer, services: PkiServices, signing_settings: Settings) -> bytes:
    now = datetime.now(UTC)
    credentials = load_credentials(
        signing_settings.open_token("seals"), services.pki, "seal-city-market", now=now
    )
    return seal(sealer, credentials, PadesLevel.B_LT)


def seal(sealer: Sealer, credentials: SealCredentials, level: PadesLevel) -> bytes:
    return sealer.seal(
        documents.rendered(),
        credentials=credentials,
        appearance=documents.appearance(),
        level=level,
        now=datetime.now(UTC),
    ).pdf


def judged(pdf: bytes, trust: TrustAnchors) -> DocumentReport:
    return validate_pdf(pdf, trust=trust, at=None, now=datetime.now(UTC))


@pytest.mark.parametrize("kind", ["own", "given"])
def test_a_sealed_file_passes(sealed: bytes, anchors: dict[str, TrustAnchors], kind: str) -> None:
    report = judged(sealed, anchors[kind])
    assert report.verdict is Verdict.PASSED, report
    assert report.signatures[0].level.value == "PAdES-BASELINE-LT"


def test_the_algorithms_and_levels_of_the_sealer_pass(
    sealer: Sealer, services: PkiServices, credentials: SealCredentials, anchors: dict[str, TrustAnchors]
) -> None:
    now = datetime.now(UTC)
    subject = Subject(common_name="示例RSA章二", organisation="示例局", credit_code="119901000000002037")
    by_rsa = services.seal_authority.equip("seal-rsa-two", subject, now=now, algorithm=KeyAlgorithm.RSA_3072)
    assert judged(seal(sealer, by_rsa, PadesLevel.B_LT), anchors["own"]).verdict is Verdict.PASSED
    lists = [services.crls.current(name, now=now).der for name in ("root", "seal-ca", "tsa-ca")]
    stamped = seal(sealer, credentials, PadesLevel.B_T)
    report = validate_pdf(stamped, trust=anchors["own"], at=None, now=datetime.now(UTC), crls=lists)
    assert report.verdict is Verdict.PASSED, report


def test_a_seal_made_without_a_time_stamp_is_told_from_a_stripped_one(
    sealer: Sealer, services: PkiServices, credentials: SealCredentials, anchors: dict[str, TrustAnchors]
) -> None:
    """Where no stamp belongs there is no room for one, and how much room there is is covered by the seal."""
    now = datetime.now(UTC)
    lists = [services.crls.current(name, now=now).der for name in ("root", "seal-ca")]

    def verdict(pdf: bytes) -> Verdict:
        return validate_pdf(pdf, trust=anchors["own"], at=None, now=datetime.now(UTC), crls=lists).verdict

    assert verdict(seal(sealer, credentials, PadesLevel.B_B)) is Verdict.PASSED
    for level in (PadesLevel.B_T, PadesLevel.B_LT, PadesLevel.B_LTA):
        assert verdict(altered.without_stamp(seal(sealer, credentials, level))) is not Verdict.PASSED


def _flip_certificate(number: int) -> Callable[[list[bytes]], list[bytes]]:
    return lambda ders: [
        altered.certificate_with_other_s(der) if index == number else der for index, der in enumerate(ders)
    ]


ALTERATIONS: dict[str, Callable[[bytes], bytes]] = {
    "stamp removed": altered.without_stamp,
    "stamp with the other s": altered.stamp_with_other_s,
    "stamp without its CA": lambda p: altered.stamp_with_certificates(p, lambda ders: ders[1:]),
    "stamp without its unit": lambda p: altered.stamp_with_certificates(p, lambda ders: ders[:1]),
    "first certificate dropped": lambda p: altered.with_certificates(p, lambda ders: ders[1:]),
    "second certificate dropped": lambda p: altered.with_certificates(p, lambda ders: ders[:1]),
    "first certificate with the other s": lambda p: altered.with_certificates(p, _flip_certificate(0)),
    "second certificate with the other s": lambda p: altered.with_certificates(p, _flip_certificate(1)),
    "stamp's first certificate with the other s": lambda p: altered.stamp_with_certificates(
        p, _flip_certificate(0)
    ),
    "stamp's second certificate with the other s": lambda p: altered.stamp_with_certificates(
        p, _flip_certificate(1)
    ),
    "parameters left out": altered.without_null_parameters,
    "issuer in another case": altered.with_renamed_issuer,
    "hex in lower case": altered.in_lower_case,
    "bytes appended": lambda p: p + b"\n",
}


@pytest.mark.parametrize("kind", ["own", "given"])
@pytest.mark.parametrize("name", ALTERATIONS)
def test_an_altered_file_does_not_pass(
    sealed: bytes, anchors: dict[str, TrustAnchors], name: str, kind: str
) -> None:
    changed = ALTERATIONS[name](sealed)
    assert changed != sealed
    assert judged(changed, anchors[kind]).verdict is not Verdict.PASSED


def test_the_alterations_would_keep_an_unaltered_file(sealed: bytes) -> None:
    assert altered.rebuilt(sealed, lambda _fields, _signer: None) == sealed
    assert altered.with_certificates(sealed, lambda ders: ders) == sealed
    assert altered.stamp_with_certificates(sealed, lambda ders: ders) == sealed


@pytest.mark.parametrize("name", ["root", "qr", "receipt", "service-ca", "tsa", "ocsp", "tsa-ca"])
def test_no_certificate_can_be_added(
    sealed: bytes, anchors: dict[str, TrustAnchors], services: PkiServices, name: str
) -> None:
    extra = services.pki.certificate(name).public_bytes(Encoding.DER)
    for changed in (
        altered.with_certificates(sealed, lambda ders: [*ders, extra]),
        altered.stamp_with_certificates(sealed, lambda ders: list({*ders, extra})),
    ):
        if changed != sealed:
            assert judged(changed, anchors["own"]).verdict is not Verdict.PASSED


def test_the_stamp_cannot_be_exchanged_for_a_later_one(
    sealed: bytes, anchors: dict[str, TrustAnchors], services: PkiServices
) -> None:
    """Anyone may ask our authority for a stamp over the seal's value; its time is then another."""
    value = cms.ContentInfo.load(altered.cms_of(sealed))["content"]["signer_infos"][0]["signature"].native
    later = datetime.now(UTC) + timedelta(hours=2)
    stamper = _Stamper(services.tsa, later)
    token = asyncio.run(stamper.async_timestamp(sha256(value).digest(), "sha256")).dump()
    changed = altered.with_stamp(sealed, token)
    report = validate_pdf(changed, trust=anchors["own"], at=None, now=later + timedelta(minutes=1))
    assert report.verdict is not Verdict.PASSED


class _KeySigner(Signer):
    """Signs with some other key of ours."""

    def __init__(self, token: Token, label: str, chain: list[asn1_x509.Certificate]) -> None:
        store = SimpleCertificateStore()
        store.register_multiple(chain[1:])
        super().__init__(
            signing_cert=chain[0],
            cert_registry=store,
            signature_mechanism=algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
            embed_roots=False,
        )
        self._sign = lambda data: token.sign_ecdsa_p256(label, data)

    async def async_sign_raw(
        self,
        data: bytes,
        digest_algorithm: str,
        dry_run: bool = False,  # noqa: FBT001, FBT002 - theirs
    ) -> bytes:
        del digest_algorithm
        return bytes(72) if dry_run else self._sign(data)


@pytest.mark.parametrize("kind", ["own", "given"])
@pytest.mark.parametrize(
    "key",
    [
        ("receipts", "qr", "service-ca"),
        ("receipts", "receipt", "service-ca"),
        ("pki", "ocsp", "seal-ca"),
        ("pki", "tsa", "tsa-ca"),
        ("pki", "seal-ca", "root"),
    ],
)
def test_no_other_key_of_ours_can_sign_documents(
    signing_settings: Settings,
    services: PkiServices,
    anchors: dict[str, TrustAnchors],
    key: tuple[str, str, str],
    kind: str,
) -> None:
    purpose, label, issuer = key
    chain = [
        asn1_x509.Certificate.load(pem.unarmor((services.pki.path / f"{name}.pem").read_bytes())[2])
        for name in (label, issuer)
    ]
    signer = _KeySigner(signing_settings.open_token(purpose), label, chain)
    now = datetime.now(UTC)
    metadata = PdfSignatureMetadata(
        field_name="Seal",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        md_algorithm="sha256",
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(documents.generic_pdf()))
    pdf = (
        PdfSigner(metadata, signer=signer, timestamper=_Stamper(services.tsa, now))
        .sign_pdf(writer)
        .getvalue()
    )
    lists = [services.crls.current(n, now=now).der for n in ("root", "seal-ca", "tsa-ca", "service-ca")]
    for crls in ([], lists):
        report = validate_pdf(pdf, trust=anchors[kind], at=None, now=datetime.now(UTC), crls=crls)
        assert report.verdict is not Verdict.PASSED
        assert report.signatures[0].sub_indication.value in {
            "CHAIN_CONSTRAINTS_FAILURE",
            "SIG_CONSTRAINTS_FAILURE",
        }


def _bits(sealed: bytes, count: int, seed: int) -> list[tuple[int, int]]:
    pick = random.Random(seed)  # noqa: S311 - a repeatable sample, no secret
    start, _ = altered.hole(sealed)
    last = start + 2 * len(altered.cms_of(sealed))
    inside = [(pick.randrange(start, last), pick.randrange(8)) for _ in range(count)]
    return inside + [(pick.randrange(len(sealed)), pick.randrange(8)) for _ in range(count // 4)]


def _flipped(sealed: bytes, position: int, bit: int) -> bytes:
    changed = bytearray(sealed)
    changed[position] ^= 1 << bit
    return bytes(changed)


def _passing(sealed: bytes, trust: TrustAnchors, places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [place for place in places if judged(_flipped(sealed, *place), trust).verdict is Verdict.PASSED]


def test_no_bit_of_a_sample_can_be_flipped(sealed: bytes, anchors: dict[str, TrustAnchors]) -> None:
    assert _passing(sealed, anchors["own"], _bits(sealed, 80, seed=22)) == []


@pytest.mark.long
def test_no_bit_of_the_signature_value_can_be_flipped(
    sealed: bytes, anchors: dict[str, TrustAnchors]
) -> None:
    start, end = altered.hole(sealed)
    places = [(position, bit) for position in range(start, end) for bit in range(8)]
    assert _passing(sealed, anchors["own"], places) == []
