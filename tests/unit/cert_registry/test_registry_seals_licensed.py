"""A seal with the certificate of a licensed CA: request out, certificate in, wrong ones refused, sealed and validated."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from dying_seal_office import applied, approved
from licensed_ca import DAY, SERVER, LicensedCa, usage
from registry_rooms import food_order, on_page, open_rooms

from cert_registry.composition import RegistryRooms
from cert_registry.errors import SealNotUsable
from cert_registry.issuance import issue
from cert_registry.seals.command import main
from cert_registry.seals.errors import (
    SealCertificateRefused,
    SealKeyUnavailable,
    SealRightMissing,
    SealStateConflict,
)
from cert_registry.seals.types import CertificateSource, SealAct, SealState
from cert_registry.signing.errors import AuthorityUnavailable, ConfigurationError
from cert_registry.signing.pki.licensed import read_licensed
from cert_registry.types import DepartmentCode, StaffId, TwoPersons
from verify_api.validation import TrustAnchors, validate_pdf

pytestmark = pytest.mark.thorough

COUNTY_MARKET = DepartmentCode("1199012100000030XT")
LABEL = "seal-county-market-2"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def authority(ceremony_state: Path, tmp_path: Path) -> Iterator[LicensedCa]:
    """Configured for one test; what it left beside the shared certificates goes afterwards."""
    pki = ceremony_state / "pki"
    kept = {file.name: file.read_bytes() for file in pki.glob(f"{LABEL}.*")}
    made = LicensedCa(tmp_path)
    made.configure(pki)
    yield made
    (pki / "licensed-cas.yaml").unlink()
    for file in pki.glob(f"{LABEL}.*"):
        file.unlink()
    for name, content in kept.items():
        (pki / name).write_bytes(content)


@pytest.fixture
def office(ceremony_state: Path, tmp_path: Path, authority: LicensedCa) -> Iterator[RegistryRooms]:
    """A registry in which a successor of the county's seal waits for a licensed CA's certificate."""
    del authority
    rooms = open_rooms(ceremony_state, tmp_path)
    old = rooms.seals.book.find("seal-county-market")
    waiting = applied(
        rooms, COUNTY_MARKET, replaces=old.seal_id, certificate_source=CertificateSource.LICENSED
    )
    assert approved(rooms, waiting).state is SealState.APPROVED
    yield rooms
    rooms.database.dispose()


def request_of(rooms: RegistryRooms) -> bytes:
    return rooms.seals.request_certificate(LABEL, by=on_page("cen.yu"), now=now())


def county_order(rooms: RegistryRooms, case: str) -> Any:
    officers = TwoPersons(drafter_id=StaffId("he.ping"), signer_id=StaffId("song.an"))
    return food_order(rooms, case, issuer_code=COUNTY_MARKET, authority=officers)


def verdict(
    rooms: RegistryRooms, state: Path, authority: LicensedCa, identifier: str
) -> tuple[str, str | None]:
    own = (state / "pki" / "trust.pem").read_bytes()
    trust = TrustAnchors.from_pem([own, authority.root.public_bytes(Encoding.PEM)], own=[own])
    lists = [rooms.pki.crls.current(name, now=now()).der for name in ("seal-ca", "tsa-ca")]
    (licensed,) = read_licensed(state / "pki")
    file = rooms.registry.file_of(identifier)  # type: ignore[arg-type] # an identifier
    report = validate_pdf(file, trust=trust, at=None, now=now(), crls=(*lists, *licensed.lists(now=now())))
    sub = report.signatures[0].sub_indication
    return report.verdict.value, sub.value if sub else None


def test_request_out_certificate_in_sealed_validated_revoked(
    office: RegistryRooms, authority: LicensedCa, ceremony_state: Path
) -> None:
    with pytest.raises(SealStateConflict):
        office.seals.request_certificate("seal-county-market", by=on_page("cen.yu"), now=now())
    assert office.seals.finish(now=now()) == 0  # it waits, and is no fault
    certificate = authority.certify(request_of(office))
    with pytest.raises(SealRightMissing):
        office.seals.import_certificate(LABEL, certificate, "导入", by=on_page("wen.tao"), now=now())
    seal = office.seals.import_certificate(LABEL, certificate, "导入", by=on_page("cen.yu"), now=now())
    assert seal.state is SealState.ACTIVE
    assert office.seals.book.find("seal-county-market").state is SealState.REPLACED
    last = office.seals.book.events(seal.seal_id)[-1]
    assert (last.act, last.actor_id) == (SealAct.ACTIVATE, "cen.yu")
    with pytest.raises(SealStateConflict):
        office.seals.import_certificate(LABEL, certificate, "导入", by=on_page("cen.yu"), now=now())

    done = issue(county_order(office, "L-1"), room=office.issuing, now=now())
    sealed_before = now()
    assert office.seals.book.find(LABEL).used == 1
    assert verdict(office, ceremony_state, authority, done.identifier) == ("TOTAL-PASSED", None)
    own_only = TrustAnchors.own_only((ceremony_state / "pki" / "trust.pem").read_bytes())
    stranger = validate_pdf(office.registry.file_of(done.identifier), trust=own_only, at=None, now=now())
    assert stranger.verdict.value != "TOTAL-PASSED"

    parsed = x509.load_pem_x509_certificate(certificate)
    while now() < sealed_before + timedelta(seconds=2):  # lists tell whole seconds
        time.sleep(0.05)
    authority.write_lists((parsed, now() + timedelta(seconds=-1)))
    with pytest.raises(SealNotUsable):
        issue(county_order(office, "L-2"), room=office.issuing, now=now())
    assert verdict(office, ceremony_state, authority, done.identifier) == ("TOTAL-PASSED", None)
    authority.write_lists((parsed, now() - timedelta(hours=1)))
    assert verdict(office, ceremony_state, authority, done.identifier) == ("TOTAL-FAILED", "REVOKED")


def other_name(request: bytes, **changes: str) -> x509.Name:
    """The request's name with other values."""
    oids = {
        "organisation": x509.NameOID.ORGANIZATION_NAME,
        "code": x509.NameOID.ORGANIZATION_IDENTIFIER,
        "common_name": x509.NameOID.COMMON_NAME,
    }
    wanted = {oids[key]: value for key, value in changes.items()}
    subject = x509.load_pem_x509_csr(request).subject
    return x509.Name([x509.NameAttribute(one.oid, wanted.get(one.oid, str(one.value))) for one in subject])


WRONG: list[tuple[str, Any]] = [
    (
        "公钥",
        lambda ca, csr: ca.certify(csr, public_key=ec.generate_private_key(ec.SECP256R1()).public_key()),
    ),
    (
        "单位名称",
        lambda ca, csr: ca.certify(csr, subject=other_name(csr, organisation="示例市市场监督管理局")),
    ),
    ("信用代码", lambda ca, csr: ca.certify(csr, subject=other_name(csr, code="NTRCN-119901000000002037"))),
    ("印章名称", lambda ca, csr: ca.certify(csr, subject=other_name(csr, common_name="别的章"))),
    ("密钥用途", lambda ca, csr: ca.certify(csr, usage=usage(digital_signature=True))),
    ("密钥用途", lambda ca, csr: ca.certify(csr, usage=usage(content_commitment=True, key_cert_sign=True))),
    ("扩展用途", lambda ca, csr: ca.certify(csr, purpose=SERVER)),
    ("有效期", lambda ca, csr: ca.certify_until(csr, ca.now - DAY)),
    ("有效期", lambda ca, csr: ca.certify_until(csr, ca.now + 20 * DAY)),
    ("证书链", lambda ca, csr: LicensedCa(ca.directory).certify(csr)),
    ("PEM", lambda _, csr: csr),
    ("PEM", lambda *_: b"\xff"),
]


def test_what_does_not_fit_is_refused_with_a_sentence(office: RegistryRooms, authority: LicensedCa) -> None:
    request = request_of(office)
    for words, make in WRONG:
        with pytest.raises(SealCertificateRefused, match=words):
            office.seals.import_certificate(
                LABEL, make(authority, request), "导入", by=on_page("cen.yu"), now=now()
            )
    good = authority.certify(request)
    authority.write_lists((x509.load_pem_x509_certificate(good), now() - DAY))
    with pytest.raises(SealCertificateRefused, match="吊销"):
        office.seals.import_certificate(LABEL, good, "导入", by=on_page("cen.yu"), now=now())
    authority.write_lists(ended=True)
    with pytest.raises(SealKeyUnavailable):
        office.seals.import_certificate(LABEL, good, "导入", by=on_page("cen.yu"), now=now())
    waiting = office.seals.book.find(LABEL)
    assert (waiting.state, waiting.certificate) == (SealState.APPROVED, None)


@pytest.mark.parametrize(
    "text",
    ["{", "{}", "[{}]", "[{name: A B, anchors: a, crls: [b]}]", "[{name: a, anchors: none.pem, crls: [b]}]"],
)
def test_a_file_of_authorities_that_is_wrong_is_said_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "licensed-cas.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError):
        read_licensed(tmp_path)


def test_a_list_that_somebody_else_signed_is_not_used(tmp_path: Path) -> None:
    made = LicensedCa(tmp_path)
    made.configure(tmp_path)
    (licensed,) = read_licensed(tmp_path)
    assert len(licensed.lists(now=now())) == 2
    LicensedCa(tmp_path).write_lists()
    with pytest.raises(AuthorityUnavailable, match="signed"):
        licensed.lists(now=now())


def test_the_command_writes_the_request_and_takes_the_certificate(
    office: RegistryRooms, authority: LicensedCa, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request, certificate = tmp_path / "seal.csr", tmp_path / "seal.pem"
    asked = ("csr", LABEL, "--as", "cen.yu", "--out", str(request), "--json")
    assert main(asked, open_rooms=lambda: office) == 0
    certificate.write_bytes(request.read_bytes())
    taking = ("import-certificate", LABEL, str(certificate), "--as", "cen.yu", "--json")
    capsys.readouterr()
    assert main(taking, open_rooms=lambda: office) == 1
    assert json.loads(capsys.readouterr().out)["error"] == "seal-certificate-refused"
    certificate.write_bytes(authority.certify(request.read_bytes()))
    assert main(taking, open_rooms=lambda: office) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "active"
