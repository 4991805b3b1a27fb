"""OCSP, time stamps, CRLs and CA certificates over real HTTP, asked with openssl."""

import base64
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from cert_registry.signing.credentials import load_credentials
from cert_registry.signing.errors import CertificateExpired, UnknownCertificate
from cert_registry.signing.pki.issuing import Subject
from cert_registry.signing.pki.register import AuthorityRegister, RevocationReason
from cert_registry.signing.pki.services import PkiServices, open_pki
from cert_registry.signing.settings import Settings

_TSA_QUERY = {"Content-Type": "application/timestamp-query"}
_OCSP_QUERY = {"Content-Type": "application/ocsp-request"}


def openssl(*arguments: str | Path) -> str:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def stamp(url: str, query: bytes) -> bytes:
    answer = requests.post(f"{url}/tsa", data=query, headers=_TSA_QUERY, timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/timestamp-reply"
    return answer.content


def test_openssl_verifies_a_time_stamp(pki_url: str, pki_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"data")
    openssl("ts", "-query", "-data", tmp_path / "data", "-sha256", "-cert", "-out", tmp_path / "q")
    (tmp_path / "r").write_bytes(stamp(pki_url, (tmp_path / "q").read_bytes()))
    said = openssl(
        *("ts", "-verify", "-queryfile", tmp_path / "q", "-in", tmp_path / "r"),
        *("-CAfile", pki_dir / "trust.pem", "-untrusted", pki_dir / "tsa-ca.pem"),
    )
    assert "Verification: OK" in said
    said = openssl("ts", "-reply", "-in", tmp_path / "r", "-text")
    assert "Accuracy: 0x01 seconds" in said
    assert "Policy OID: 0.4.0.2023.1.1" in said


def test_serial_numbers_of_time_stamps_never_repeat(
    pki_url: str, services: PkiServices, signing_settings: Settings
) -> None:
    query = _query().dump()
    other_process = open_pki(signing_settings)
    answers = [stamp(pki_url, query) for _ in range(5)]
    answers += [other_process.tsa.respond(query, now=datetime.now(UTC)) for _ in range(5)]
    answers += [services.tsa.respond(query, now=datetime.now(UTC)) for _ in range(5)]
    serials = [_info(answer)["serial_number"].native for answer in answers]
    assert len(set(serials)) == 15


def _query(**changes: object) -> tsp.TimeStampReq:
    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": b"\1" * 32}
    return tsp.TimeStampReq({"version": 1, "message_imprint": imprint, "nonce": 7, **changes})


def _info(answer: bytes) -> tsp.TSTInfo:
    token = tsp.TimeStampResp.load(answer)["time_stamp_token"]
    return token["content"]["encap_content_info"]["content"].parsed


def test_the_nonce_comes_back_and_certificates_only_on_request(pki_url: str) -> None:
    answer = stamp(pki_url, _query(nonce=2**63 + 5).dump())
    assert _info(answer)["nonce"].native == 2**63 + 5
    assert not tsp.TimeStampResp.load(answer)["time_stamp_token"]["content"]["certificates"]
    answer = stamp(pki_url, _query(cert_req=True).dump())
    assert len(tsp.TimeStampResp.load(answer)["time_stamp_token"]["content"]["certificates"]) == 2


def _imprint(algorithm: str, length: int) -> dict[str, object]:
    return {"hash_algorithm": {"algorithm": algorithm}, "hashed_message": b"\1" * length}


@pytest.mark.parametrize(
    ("query", "failure"),
    [
        (b"", 5),
        (b"no DER", 5),
        (_query().dump() + b"\0", 5),
        (_query(message_imprint=_imprint("sha1", 20)).dump(), 0),
        (_query(message_imprint=_imprint("md5", 16)).dump(), 0),
        (_query(message_imprint=_imprint("sha256", 31)).dump(), 5),
        (_query(req_policy="1.2.3.4").dump(), 15),
        (_query(extensions=[{"extn_id": "1.2.3.4", "extn_value": b"\5\0"}]).dump(), 16),
        (_query(nonce=1 << 1000).dump(), 2),
    ],
)
def test_what_is_not_granted_is_refused_with_the_right_failure(
    pki_url: str, query: bytes, failure: int, tmp_path: Path
) -> None:
    answer = stamp(pki_url, query)
    (tmp_path / "r").write_bytes(answer)
    words = {
        0: "unrecognized or unsupported algorithm",
        2: "transaction not permitted or supported",
        5: "the data submitted has the wrong format",
        15: "the requested TSA policy is not supported",
        16: "the requested extension is not supported",
    }
    said = openssl("ts", "-reply", "-in", tmp_path / "r", "-text")
    assert "Status: Rejected" in said
    assert words[failure] in said


def test_other_media_types_and_big_bodies_are_turned_away(pki_url: str) -> None:
    assert requests.post(f"{pki_url}/tsa", data=b"x", timeout=10).status_code == 415
    big = requests.post(f"{pki_url}/ocsp", data=bytes(20_000), headers=_OCSP_QUERY, timeout=10)
    assert big.status_code == 413


def ask_ocsp(pki_url: str, pki_dir: Path, *what: str | Path) -> str:
    # The responder is delegated: openssl must find its authority through the CA by itself.
    return openssl(
        *("ocsp", "-issuer", pki_dir / "seal-ca.pem", *what, "-url", f"{pki_url}/ocsp"),
        *("-CAfile", pki_dir / "trust.pem", "-verify_other", pki_dir / "seal-ca.pem"),
    )


def test_openssl_hears_good_revoked_and_unknown(
    pki_url: str, pki_dir: Path, services: PkiServices, signing_settings: Settings, now: datetime
) -> None:
    said = ask_ocsp(pki_url, pki_dir, "-cert", pki_dir / "seal-city-land.pem")
    assert "Response verify OK" in said
    assert "seal-city-land.pem: good" in said
    assert "WARNING: no nonce" not in said
    assert "0xABCDEF: unknown" in ask_ocsp(pki_url, pki_dir, "-serial", "0xABCDEF")

    subject = Subject(common_name="示例章", organisation="示例局", credit_code="119901000000002037")
    made = services.seal_authority.equip("seal-to-be-revoked", subject, now=now)
    before = services.crls.current("seal-ca", now=now)
    services.pki.register.revoke(
        "seal-ca", made.certificate.serial_number, reason=RevocationReason.KEY_COMPROMISE, now=now
    )
    said = ask_ocsp(pki_url, pki_dir, "-cert", pki_dir / "seal-to-be-revoked.pem")
    assert "seal-to-be-revoked.pem: revoked" in said
    assert "Reason: keyCompromise" in said
    after = services.crls.current("seal-ca", now=now)
    assert after.number == before.number + 1
    with pytest.raises(CertificateExpired):
        load_credentials(signing_settings.open_token("seals"), services.pki, "seal-to-be-revoked", now=now)


def _ocsp_request(pki: PkiServices, issuer: str, nonce: bytes | None) -> bytes:
    certificate = pki.pki.certificate("seal-city-land")
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        certificate, pki.pki.certificate(issuer), hashes.SHA256()
    )
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


@pytest.mark.parametrize("length", [1, 32, 128])
def test_ocsp_echoes_nonces_and_answers_get(pki_url: str, services: PkiServices, length: int) -> None:
    request = _ocsp_request(services, "seal-ca", b"\x55" * length)
    encoded = quote(base64.b64encode(request).decode(), safe="")
    for answer in (
        requests.post(f"{pki_url}/ocsp", data=request, headers=_OCSP_QUERY, timeout=10),
        requests.get(f"{pki_url}/ocsp/{encoded}", timeout=10),
    ):
        assert answer.headers["Content-Type"] == "application/ocsp-response"
        response = ocsp.load_der_ocsp_response(answer.content)
        assert response.certificate_status is ocsp.OCSPCertStatus.GOOD
        nonce = response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
        assert nonce == b"\x55" * length


def test_ocsp_refuses_long_nonces_garbage_and_foreign_issuers(pki_url: str, services: PkiServices) -> None:
    for request, status in (
        (_ocsp_request(services, "seal-ca", b"\x55" * 129), ocsp.OCSPResponseStatus.MALFORMED_REQUEST),
        (b"garbage", ocsp.OCSPResponseStatus.MALFORMED_REQUEST),
        (_ocsp_request(services, "tsa-ca", None), ocsp.OCSPResponseStatus.UNAUTHORIZED),
    ):
        answer = requests.post(f"{pki_url}/ocsp", data=request, headers=_OCSP_QUERY, timeout=10)
        assert ocsp.load_der_ocsp_response(answer.content).response_status is status


@pytest.mark.parametrize("name", ["root", "seal-ca", "tsa-ca", "service-ca"])
def test_crls_and_ca_certificates_are_served_and_verify(
    pki_url: str, pki_dir: Path, tmp_path: Path, name: str
) -> None:
    crl, certificate = tmp_path / "crl", tmp_path / "cer"
    crl.write_bytes(requests.get(f"{pki_url}/{name}.crl", timeout=10).content)
    certificate.write_bytes(requests.get(f"{pki_url}/{name}.cer", timeout=10).content)
    assert "verify OK" in openssl(
        "crl", "-inform", "DER", "-in", crl, "-noout", "-CAfile", pki_dir / f"{name}.pem"
    )
    said = openssl("crl", "-inform", "DER", "-in", crl, "-noout", "-nextupdate", "-crlnumber")
    assert "nextUpdate=" in said
    assert "crlNumber=" in said
    openssl("x509", "-inform", "DER", "-in", certificate, "-noout")


def test_openssl_verifies_a_seal_certificate_with_all_revocation_lists(
    pki_url: str, pki_dir: Path, tmp_path: Path
) -> None:
    lists = tmp_path / "crls.pem"
    for name in ("root", "seal-ca"):
        der = requests.get(f"{pki_url}/{name}.crl", timeout=10).content
        with lists.open("ab") as stream:
            stream.write(x509.load_der_x509_crl(der).public_bytes(Encoding.PEM))
    said = openssl(
        *("verify", "-x509_strict", "-crl_check_all", "-CRLfile", lists),
        *("-CAfile", pki_dir / "trust.pem", "-untrusted", pki_dir / "seal-ca.pem"),
        pki_dir / "seal-city-land.pem",
    )
    assert "OK" in said


def test_only_anchors_and_cas_are_public(pki_url: str, pki_dir: Path) -> None:
    trust = requests.get(f"{pki_url}/trust.pem", timeout=10).content
    assert trust == (pki_dir / "trust.pem").read_bytes()
    for path in ("authority.db", "nobody.cer", "..%2Fsecrets.cer", "seal-city-land.cer", "nobody.crl"):
        assert requests.get(f"{pki_url}/{path}", timeout=10).status_code == 404


def test_a_list_is_renewed_before_it_ends(services: PkiServices, now: datetime) -> None:
    first = services.crls.current("service-ca", now=now)
    assert services.crls.current("service-ca", now=now) == first
    later = services.crls.current("service-ca", now=now + timedelta(days=4))
    assert later.number > first.number
    assert later.next_update > first.next_update


def test_only_issued_certificates_can_be_revoked(tmp_path: Path, now: datetime) -> None:
    register = AuthorityRegister(tmp_path / "authority.db")
    with pytest.raises(UnknownCertificate):
        register.revoke("seal-ca", 5, reason=RevocationReason.SUPERSEDED, now=now)
    assert register.take_numbers("n", 3) == range(1, 4)
    assert AuthorityRegister(tmp_path / "authority.db").take_numbers("n", 1) == range(4, 5)


def test_a_stamp_needs_no_nonce(pki_url: str) -> None:
    """RFC 3161 section 2.4.1: the nonce may be left out."""
    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": b"\1" * 32}
    info = _info(stamp(pki_url, tsp.TimeStampReq({"version": 1, "message_imprint": imprint}).dump()))
    assert info["nonce"].native is None
    assert info["message_imprint"]["hashed_message"].native == b"\1" * 32


@pytest.mark.parametrize("path", ["%00%ff", "%E9", "A", "***"])
def test_an_ocsp_address_that_is_not_base64_is_a_bad_request(pki_url: str, path: str) -> None:
    assert requests.get(f"{pki_url}/ocsp/{path}", timeout=10).status_code == 400
