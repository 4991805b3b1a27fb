"""What time-stamp authority, OCSP responder and CRL publisher do under kills, floods of nonsense and revocations."""

import base64
import multiprocessing
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from asn1crypto import core, ocsp, tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as ocsp_x509
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cert_registry.signing.certificate_keys import public_key_of
from cert_registry.signing.errors import AuthorityUnavailable, TokenUnavailable
from cert_registry.signing.own_signatures import PublicKey
from cert_registry.signing.pki.blueprint import create_blueprint
from cert_registry.signing.pki.clock import ClockWatch
from cert_registry.signing.pki.crl import CrlPublisher, parse_crl
from cert_registry.signing.pki.issuing import Subject
from cert_registry.signing.pki.ocsp import OcspResponder
from cert_registry.signing.pki.register import RevocationReason
from cert_registry.signing.pki.services import PkiServices, open_pki
from cert_registry.signing.pki.tsa import TimeStampAuthority
from cert_registry.signing.seal_key import KeyAlgorithm
from cert_registry.signing.settings import Settings
from tests.fixtures_token import token_settings

pytestmark = pytest.mark.thorough

_CHECKOUT = Path(__file__).resolve().parents[3]
_QUERY = "application/timestamp-query"
_OCSP = "application/ocsp-request"
_SHA256 = hashes.SHA256()
_IMPRINT = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": b"\1" * 32}


def query(**changes: object) -> tsp.TimeStampReq:
    return tsp.TimeStampReq({"version": 1, "message_imprint": _IMPRINT, "nonce": 7, **changes})


def refusal(answer: bytes) -> set[str]:
    response = tsp.PKIStatusInfo.load(core.Sequence.load(answer)[0].dump())
    assert response["status"].native == "rejection"
    return set(response["fail_info"].native)


# ── time stamps ──


def test_serial_numbers_are_unique_over_processes_and_kills(ceremony_state: Path, tmp_path: Path) -> None:
    """Six processes, each killed with SIGKILL in the middle of stamping, three at a time."""
    printed: list[Path] = []
    for batch in range(2):
        running = []
        for index in range(3):
            out = tmp_path / f"{batch}-{index}"
            printed.append(out)
            with out.open("wb") as stream:
                process = subprocess.Popen(
                    [sys.executable, str(Path(__file__).parent / "stamping_process.py"), str(ceremony_state)],
                    stdout=stream,
                    cwd=_CHECKOUT,
                    env={**os.environ, "PYTHONPATH": str(_CHECKOUT)},
                )
            running.append(process)
        wait_until_each_has_stamped(printed[-3:], at_least=30)
        for process in running:
            process.kill()
            process.wait()
    serials = [int(line) for out in printed for line in out.read_text().splitlines()[:-1]]
    assert len(serials) >= 6 * 29
    assert len(set(serials)) == len(serials)


def wait_until_each_has_stamped(files: list[Path], *, at_least: int) -> None:
    deadline = datetime.now(UTC) + timedelta(minutes=3)
    while any(len(one.read_text().splitlines()) < at_least for one in files):
        assert datetime.now(UTC) < deadline, [one.read_text()[-200:] for one in files]


def test_a_clock_that_went_back_stamps_nothing(
    services: PkiServices, signing_settings: Settings, now: datetime, tmp_path: Path
) -> None:
    token = signing_settings.open_token("pki")
    register = type(services.pki.register)(tmp_path / "authority.db")
    certificate = services.pki.certificate("tsa")
    authority = TimeStampAuthority(
        key=token.signing_key("tsa"),
        certificate=certificate,
        chain=services.pki.chain(certificate),
        register=register,
        policy_oid=signing_settings.tsa_policy_oid,
        clock=ClockWatch(register),
    )
    assert tsp.TimeStampResp.load(authority.respond(query().dump(), now=now))["status"]["status"].native
    back = now - timedelta(seconds=30)
    assert refusal(authority.respond(query().dump(), now=back)) == {"time_not_available"}
    late = certificate.not_valid_after_utc + timedelta(seconds=1)
    assert refusal(authority.respond(query().dump(), now=late)) == {"system_failure"}


@pytest.mark.parametrize(
    ("request_der", "failure"),
    [
        (query(message_imprint={**_IMPRINT, "hashed_message": b"\1" * 33}).dump(), "bad_data_format"),
        (query().dump().replace(b"\5\0", b"\4\0", 1), "bad_data_format"),  # parameters that are not NULL
        (
            query(
                extensions=[{"extn_id": "1.2.3.4", "critical": True, "extn_value": b"\5\0"}],
            ).dump(),
            "unaccepted_extensions",
        ),
        (b"\x30\x80" + query().dump()[2:] + b"\0\0", "bad_data_format"),  # indefinite length
        (core.Sequence.load(query().dump()).contents, "bad_data_format"),
    ],
)
def test_each_wrong_request_has_its_failure(services: PkiServices, request_der: bytes, failure: str) -> None:
    assert refusal(services.tsa.respond(request_der, now=datetime.now(UTC))) == {failure}


@pytest.fixture(scope="module")
def client(services: PkiServices) -> FlaskClient:
    app = Flask("pki")
    app.register_blueprint(create_blueprint(services, lambda: datetime.now(UTC)), url_prefix="/pki")
    return app.test_client()


_FUZZ = settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))


def _mutations(valid: bytes) -> st.SearchStrategy[bytes]:
    def altered(places: list[tuple[int, int]]) -> bytes:
        out = bytearray(valid)
        for place, value in places:
            out[place % len(out)] = value
        return bytes(out)

    places = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4)
    return st.one_of(st.binary(max_size=200), places.map(altered))


@_FUZZ
@given(body=_mutations(query(cert_req=True, req_policy="0.4.0.2023.1.1").dump()))
def test_no_time_stamp_request_is_a_server_error(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/pki/tsa", data=body, headers={"Content-Type": _QUERY})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/timestamp-reply"
    assert answer.headers["Cache-Control"] == "no-store"
    core.Sequence.load(answer.data, strict=True)


# ── OCSP ──


def ocsp_request(
    services: PkiServices,
    names: list[str],
    *,
    issuer: str = "seal-ca",
    algorithm: hashes.HashAlgorithm = _SHA256,
) -> bytes:
    parts = []
    for name in names:
        one = ocsp_x509.OCSPRequestBuilder().add_certificate(
            services.pki.certificate(name), services.pki.certificate(issuer), algorithm
        )
        der = one.build().public_bytes(Encoding.DER)
        parts.append(ocsp.OCSPRequest.load(der)["tbs_request"]["request_list"][0])
    return bytes(ocsp.OCSPRequest({"tbs_request": {"request_list": parts}}).dump())


def statuses(answer: bytes) -> list[str]:
    response = ocsp.OCSPResponse.load(answer, strict=True)
    assert response["response_status"].native == "successful"
    body = response["response_bytes"]["response"].parsed["tbs_response_data"]
    return [one["cert_status"].name for one in body["responses"]]


def test_one_request_may_ask_about_several_certificates(
    pki_url: str, pki_dir: Path, services: PkiServices
) -> None:
    done = subprocess.run(
        [
            *("openssl", "ocsp", "-issuer", pki_dir / "seal-ca.pem", "-cert", pki_dir / "seal-city-land.pem"),
            *("-serial", "0xABCDEF", "-cert", pki_dir / "seal-city-market.pem", "-url", f"{pki_url}/ocsp"),
            *("-CAfile", pki_dir / "trust.pem", "-verify_other", pki_dir / "seal-ca.pem"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Response verify OK" in done.stdout + done.stderr
    assert "seal-city-land.pem: good" in done.stdout
    assert "0xABCDEF: unknown" in done.stdout
    assert "seal-city-market.pem: good" in done.stdout
    del services


def test_prepared_answers_are_used_until_they_age_or_the_register_says_otherwise(
    services: PkiServices, now: datetime
) -> None:
    subject = Subject(common_name="示例预签章", organisation="示例局", credit_code="119901000000002037")
    made = services.seal_authority.equip("seal-prepared", subject, now=now)
    asked = ocsp_request(services, ["seal-prepared"])
    first = services.ocsp.respond(asked, now=now)
    assert services.ocsp.respond(asked, now=now + timedelta(hours=11)) == first
    aged = services.ocsp.respond(asked, now=now + timedelta(hours=13))
    assert aged != first
    assert statuses(aged) == ["good"]
    services.revoke(
        "seal-ca", made.certificate.serial_number, reason=RevocationReason.KEY_COMPROMISE, now=now
    )
    after = services.ocsp.respond(asked, now=now + timedelta(hours=13))
    assert statuses(after) == ["revoked"]
    response = ocsp_x509.load_der_ocsp_response(after)
    assert response.revocation_reason is x509.ReasonFlags.key_compromise
    assert response.revocation_time_utc == now.replace(microsecond=0)
    listed = x509.load_der_x509_crl((services.pki.path / "seal-ca.crl").read_bytes())
    assert listed.get_revoked_certificate_by_serial_number(made.certificate.serial_number) is not None


class _KeyOfATokenThatIsAway:
    """A responder's key whose token does not answer."""

    algorithm = KeyAlgorithm.ECDSA_P256

    def __init__(self, public_key: PublicKey) -> None:
        self.public_key = public_key

    def sign(self, data: bytes) -> bytes:
        raise TokenUnavailable(f"The token is away; {len(data)} bytes stay unsigned.")


def test_answers_are_signed_before_anybody_asks(services: PkiServices, now: datetime) -> None:
    """The job signs about every certificate; then a row is read, so a process without token answers too."""
    subject = Subject(common_name="示例先签章", organisation="示例局", credit_code="119901000000002037")
    made = services.seal_authority.equip("seal-signed-before", subject, now=now)
    assert services.ocsp.prepare(now=now) >= 1
    assert services.ocsp.prepare(now=now) == 0
    assert services.ocsp.prepare(now=now + timedelta(hours=13)) >= 1  # long before nextUpdate, after 24 hours
    certificate = services.ocsp.certificate
    away = OcspResponder(
        pki=services.pki,
        authority="seal-ca",
        key=_KeyOfATokenThatIsAway(public_key_of(certificate)),
        certificate=certificate,
    )
    asked = [
        ocsp_request(services, ["seal-signed-before"], algorithm=algorithm)
        for algorithm in (hashes.SHA1(), hashes.SHA256())  # noqa: S303 - a name, not a signature
    ]
    later = now + timedelta(hours=14)
    assert [statuses(away.respond(one, now=later)) for one in asked] == [["good"], ["good"]]
    services.revoke("seal-ca", made.certificate.serial_number, reason=RevocationReason.SUPERSEDED, now=later)
    assert [statuses(away.respond(one, now=later)) for one in asked] == [["revoked"], ["revoked"]]
    two = ocsp_request(services, ["seal-signed-before", "seal-city-land"])
    refused = ocsp.OCSPResponse.load(away.respond(two, now=later))
    assert refused["response_status"].native == "try_later"  # never an answer that is not of now


def test_a_revocation_is_signed_at_once(services: PkiServices, now: datetime) -> None:
    subject = Subject(common_name="示例即签章", organisation="示例局", credit_code="119901000000002037")
    made = services.seal_authority.equip("seal-signed-at-once", subject, now=now)
    services.ocsp.prepare(now=now)
    number = made.certificate.serial_number
    services.seal_equipment.revoke(
        made.certificate, reason=RevocationReason.KEY_COMPROMISE, as_of=now, now=now
    )
    asked = ocsp.OCSPRequest.load(ocsp_request(services, ["seal-signed-at-once"]))
    named = asked["tbs_request"]["request_list"][0]["req_cert"].dump()
    standing, kept = services.pki.register.standing_and_answer("seal-ca", number, named)
    assert standing.revocation is not None
    assert kept is not None
    assert statuses(kept.der) == ["revoked"]


def test_a_prepared_answer_names_the_certificate_as_its_asker_did(
    services: PkiServices, now: datetime
) -> None:
    """Parameters may be NULL or absent (RFC 3279); clients compare the CertID, and strangers share the memory."""
    subject = Subject(common_name="示例同名章", organisation="示例局", credit_code="119901000000002037")
    services.seal_authority.equip("seal-named-twice", subject, now=now)
    asked = ocsp.OCSPRequest.load(ocsp_request(services, ["seal-named-twice"]))["tbs_request"][
        "request_list"
    ][0]
    algorithm = asked["req_cert"]["hash_algorithm"]["algorithm"].dump()
    rest = b"".join(
        asked["req_cert"][n].dump() for n in ("issuer_name_hash", "issuer_key_hash", "serial_number")
    )
    for parameters in (b"", core.Null().dump()):
        named = core.Sequence(contents=core.Sequence(contents=algorithm + parameters).dump() + rest).dump()
        one = ocsp.Request({"req_cert": ocsp.CertId.load(named)})
        request = ocsp.OCSPRequest({"tbs_request": {"request_list": [one]}}).dump()
        assert named in request
        answer = ocsp.OCSPResponse.load(services.ocsp.respond(request, now=now))
        assert answer.response_data["responses"][0]["cert_id"].dump() == named


def test_answers_about_numbers_never_issued_are_not_kept(services: PkiServices, now: datetime) -> None:
    one = ocsp.OCSPRequest.load(ocsp_request(services, ["seal-city-land"]))["tbs_request"]["request_list"][0]
    one["req_cert"]["serial_number"] = 0xABCDEF
    asked = ocsp.OCSPRequest({"tbs_request": {"request_list": [one]}}).dump()
    assert statuses(services.ocsp.respond(asked, now=now)) == ["unknown"]
    assert services.ocsp.respond(asked, now=now) != services.ocsp.respond(asked, now=now)


def test_foreign_certificates_make_the_whole_request_unauthorized(
    services: PkiServices, now: datetime
) -> None:
    mixed = [ocsp_request(services, ["seal-city-land"]), ocsp_request(services, ["tsa"], issuer="tsa-ca")]
    parts = [ocsp.OCSPRequest.load(der)["tbs_request"]["request_list"][0] for der in mixed]
    asked = ocsp.OCSPRequest({"tbs_request": {"request_list": parts}}).dump()
    answer = ocsp.OCSPResponse.load(services.ocsp.respond(asked, now=now))
    assert answer["response_status"].native == "unauthorized"


@pytest.mark.parametrize("count", [0, 33])
def test_a_request_about_nothing_or_too_much_is_malformed(
    services: PkiServices, now: datetime, count: int
) -> None:
    one = ocsp.OCSPRequest.load(ocsp_request(services, ["seal-city-land"]))["tbs_request"]["request_list"][0]
    asked = ocsp.OCSPRequest({"tbs_request": {"request_list": [one] * count}}).dump()
    answer = ocsp.OCSPResponse.load(services.ocsp.respond(asked, now=now))
    assert answer["response_status"].native == "malformed_request"


@_FUZZ
@given(data=st.data())
def test_no_ocsp_request_is_a_server_error(
    client: FlaskClient, services: PkiServices, data: st.DataObject
) -> None:
    body = data.draw(_mutations(ocsp_request(services, ["seal-city-land"])))
    answer = client.post("/pki/ocsp", data=body, headers={"Content-Type": _OCSP})
    assert answer.status_code == 200
    ocsp.OCSPResponse.load(answer.data, strict=True)


def test_get_answers_may_be_kept_for_a_minute(pki_url: str, services: PkiServices) -> None:
    """RFC 5019 section 6.2: Last-Modified, Expires, ETag and Cache-Control; and what must not be kept."""
    encoded = quote(base64.b64encode(ocsp_request(services, ["seal-city-land"])).decode(), safe="")
    answer = requests.get(f"{pki_url}/ocsp/{encoded}", timeout=10)
    response = ocsp_x509.load_der_ocsp_response(answer.content)
    assert answer.headers["Content-Type"] == "application/ocsp-response"
    assert answer.headers["Last-Modified"] == f"{response.this_update_utc:%a, %d %b %Y %H:%M:%S} GMT"
    assert answer.headers["Expires"] == f"{response.next_update_utc:%a, %d %b %Y %H:%M:%S} GMT"
    control = set(answer.headers["Cache-Control"].split(", "))
    assert control == {"public", "no-transform", "must-revalidate", "max-age=60"}
    etag = answer.headers["ETag"]
    again = requests.get(f"{pki_url}/ocsp/{encoded}", headers={"If-None-Match": etag}, timeout=10)
    assert again.status_code == 304
    foreign = quote(base64.b64encode(ocsp_request(services, ["tsa"], issuer="tsa-ca")).decode(), safe="")
    assert requests.get(f"{pki_url}/ocsp/{foreign}", timeout=10).headers["Cache-Control"] == "no-store"
    listed = requests.get(f"{pki_url}/seal-ca.crl", timeout=10)
    assert "Expires" in listed.headers
    assert "max-age=60" in listed.headers["Cache-Control"]


# ── CRLs ──


def _publish(state: str, count: int, queue: "multiprocessing.Queue[int]") -> None:
    services = open_pki(token_settings(Path(state)))
    for _ in range(count):
        made = services.crls.publish("service-ca", life=timedelta(days=7), now=datetime.now(UTC))
        queue.put(made.number)


def test_lists_made_by_several_processes_keep_their_order(
    ceremony_state: Path, services: PkiServices
) -> None:
    """The file always holds the newest number, and no number is given twice."""
    context = multiprocessing.get_context("spawn")
    queue: multiprocessing.Queue[int] = context.Queue()
    processes = [context.Process(target=_publish, args=(str(ceremony_state), 12, queue)) for _ in range(3)]
    for process in processes:
        process.start()
    file, seen = services.pki.path / "service-ca.crl", [0]
    while any(process.is_alive() for process in processes):
        if file.exists():
            seen.append(parse_crl(file.read_bytes()).number)
    for process in processes:
        process.join()
        assert process.exitcode == 0
    numbers = [queue.get(timeout=10) for _ in range(36)]
    assert len(set(numbers)) == 36
    assert seen == sorted(seen)
    assert parse_crl(file.read_bytes()).number == max(numbers)


def test_a_list_cut_short_on_disk_is_not_handed_out(
    services: PkiServices, signing_settings: Settings, now: datetime
) -> None:
    services.crls.current("service-ca", now=now)
    file = services.pki.path / "service-ca.crl"
    whole = file.read_bytes()
    file.write_bytes(whole[:-7])
    try:
        token = signing_settings.open_token("pki")
        publisher = CrlPublisher(services.pki, {"service-ca": token.signing_key("service-ca")})
        made = publisher.current("service-ca", now=now)
        assert made.number > parse_crl(whole).number
    finally:
        if file.read_bytes() == whole[:-7]:
            file.write_bytes(whole)


def test_a_responder_whose_certificate_has_ended_answers_try_later(services: PkiServices) -> None:
    ended = services.ocsp.certificate.not_valid_after_utc + timedelta(seconds=1)
    answer = services.ocsp.respond(ocsp_request(services, ["seal-city-land"]), now=ended)
    assert ocsp.OCSPResponse.load(answer)["response_status"].native == "try_later"
    with pytest.raises(AuthorityUnavailable):
        services.ocsp.answer_for(services.pki.certificate("seal-city-land"), now=ended)
