"""The signed QR text: RFC 9285 vectors, round trips, and every layer refused when it is not exact."""

import contextlib
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import base45
import cbor2
import pytest
import segno
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from cert_registry.catalog.errors import QrRefused
from cert_registry.check_code import new_check_code
from cert_registry.identifier import new_identifier
from cert_registry.qr import QrClaims, key_id, qr_text, read_qr, sign_qr, verify_qr

KEY = ec.generate_private_key(ec.SECP256R1())
KID = key_id(b"a signing certificate")
KEYS = {KID: KEY.public_key()}
ISSUER = "119901000000002037"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
CLAIMS = QrClaims(
    issuer_code=ISSUER,
    identifier=str(new_identifier("11990000000000107Q002", ISSUER)),
    check_code=new_check_code(),
    twin_sha256=b"\x05" * 32,
    issued_at=datetime(2026, 11, 22, 4, tzinfo=UTC),
    ends_at=datetime(2031, 11, 21, 16, tzinfo=UTC),
)
ALPHANUMERIC = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


def sign(data: bytes) -> bytes:
    return KEY.sign(data, ec.ECDSA(hashes.SHA256()))


def text_of(message: bytes) -> str:
    return qr_text("http://localhost:8080", message)


TEXT = text_of(sign_qr(CLAIMS, kid=KID, sign=sign))


@pytest.mark.parametrize(
    ("plain", "encoded"),
    [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0")],
)
def test_vectors_of_rfc_9285(plain: bytes, encoded: str) -> None:
    assert base45.b45encode(plain).decode() == encoded
    assert base45.b45decode(encoded) == plain


def test_a_code_is_signed_read_and_verified() -> None:
    verified = verify_qr(TEXT, KEYS, now=NOW)
    assert verified.claims == CLAIMS
    assert not verified.ended
    assert verify_qr(TEXT, KEYS, now=CLAIMS.ends_at or NOW).ended
    assert "check_code" not in repr(CLAIMS)


def test_the_text_is_alphanumeric_but_for_the_sharp_and_fits_a_small_code() -> None:
    address, fragment = TEXT.split("#")
    assert address == "HTTP://LOCALHOST:8080/VERIFY"
    assert set(address + fragment) <= ALPHANUMERIC
    assert " " not in TEXT
    assert segno.make_qr(fragment, error="m", mode="alphanumeric").version <= 15


@settings(max_examples=40, deadline=None)
@given(
    twin=st.binary(min_size=32, max_size=32),
    issued=st.integers(0, 1_790_000_000),
    days=st.none() | st.integers(1, 40_000),
)
def test_any_claims_read_back(twin: bytes, issued: int, days: int | None) -> None:
    issued_at = datetime.fromtimestamp(issued, UTC)
    ends_at = None if days is None else issued_at + timedelta(days=days)
    claims = replace(CLAIMS, twin_sha256=twin, issued_at=issued_at, ends_at=ends_at)
    assert verify_qr(text_of(sign_qr(claims, kid=KID, sign=sign)), KEYS, now=NOW).claims == claims


@settings(max_examples=150, deadline=None)
@given(position=st.integers(0, len(TEXT) - 1), other=st.sampled_from(sorted(ALPHANUMERIC)))
def test_no_changed_character_verifies_as_something_else(position: int, other: str) -> None:
    changed = TEXT[:position] + other + TEXT[position + 1 :]
    if changed == TEXT:
        return
    with contextlib.suppress(QrRefused):
        # Only the address may differ, and how the same message is packed: DEFLATE has spare bits (RFC 1951 3.2.3).
        assert verify_qr(changed, KEYS, now=NOW).claims == CLAIMS
        assert read_qr(changed) == read_qr(TEXT)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=[*sorted(ALPHANUMERIC), "#", "a", "é"], max_size=120))
def test_any_text_is_read_or_refused(text: str) -> None:
    for candidate in (text, "HTTP://H/VERIFY#LZ1:" + text):
        with pytest.raises(QrRefused):
            read_qr(candidate)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_message_is_read_or_refused(message: bytes) -> None:
    with pytest.raises(QrRefused):
        read_qr(text_of(message))


def tampered(**changes: object) -> bytes:
    """A message with one part replaced; the signature is over the parts as they are."""
    protected = cbor2.dumps(changes.get("protected", {1: -7, 4: KID}), canonical=True)
    claims: object = {
        1: ISSUER,
        6: 1_763_784_000,
        -65537: {1: CLAIMS.identifier, 2: str(CLAIMS.check_code), 3: b"\x05" * 32},
    }
    payload = cbor2.dumps(changes.get("claims", claims), canonical=True)
    body = [protected, changes.get("unprotected", {}), payload, changes.get("signature", b"\0" * 64)]
    return cbor2.dumps(cbor2.CBORTag(int(str(changes.get("tag", 18))), body), canonical=True)


OWN = {1: CLAIMS.identifier, 2: str(CLAIMS.check_code), 3: b"\x05" * 32}


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        (tampered(tag=19), "cose"),
        (tampered(protected={1: -8, 4: KID}), "cose"),
        (tampered(protected={1: -7, 4: b"short"}), "cose"),
        (tampered(protected={1: -7, 4: KID, 9: 1}), "cose"),
        (tampered(unprotected={1: 2}), "cose"),
        (tampered(signature=b"\0" * 63), "cose"),
        (tampered() + b"\0", "cose"),
        (b"\xd2\x9f\xff", "cose"),
        (tampered(claims={1: ISSUER, 6: 5}), "claims"),
        (tampered(claims={1: ISSUER, 6: True, -65537: OWN}), "claims"),
        (tampered(claims={1: ISSUER, 6: -5, -65537: OWN}), "claims"),
        (tampered(claims={1: ISSUER, 6: 2**60, -65537: OWN}), "claims"),
        (tampered(claims={1: ISSUER, 6: 5, -65537: {**OWN, 1: "x"}}), "claims"),
        (tampered(claims={1: ISSUER, 6: 5, -65537: {**OWN, 2: "x"}}), "claims"),
        (tampered(claims={1: ISSUER, 6: 5, -65537: {**OWN, 2: str(CLAIMS.check_code).lower()}}), "claims"),
        (tampered(claims={1: ISSUER, 6: 5, -65537: {**OWN, 3: b"x"}}), "claims"),
        (tampered(claims={1: ISSUER, 6: 5, -65537: {**OWN, 4: 1}}), "claims"),
        (tampered(claims={1: "11990000000000107Q", 6: 5, -65537: OWN}), "claims"),
        (tampered(claims=[1]), "claims"),
    ],
)
def test_every_layer_has_one_form(message: bytes, rule: str) -> None:
    with pytest.raises(QrRefused) as refusal:
        read_qr(text_of(message))
    assert refusal.value.rule == rule


def test_a_bomb_and_trailing_bytes_are_refused() -> None:
    packed = base45.b45encode(zlib.compress(b"\0" * 5_000_000)).decode()
    for content in (packed[:1900], base45.b45encode(zlib.compress(tampered()) + b"x").decode()):
        text = "HTTP://H/VERIFY#LZ1:" + content.replace("%", "%25").replace(" ", "%20")
        with pytest.raises(QrRefused):
            read_qr(text)


def test_keys_signatures_and_times() -> None:
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    for keys, now, rule in [
        ({}, NOW, "unknown-key"),
        ({KID: other}, NOW, "signature"),
        (KEYS, CLAIMS.issued_at - timedelta(minutes=11), "issued-in-future"),
    ]:
        with pytest.raises(QrRefused) as refusal:
            verify_qr(TEXT, keys, now=now)
        assert refusal.value.rule == rule


@pytest.mark.parametrize("origin", ["ftp://host", "http://ho st", "http://host/path", "", "http://主机"])
def test_an_address_that_cannot_be_capitals_is_refused(origin: str) -> None:
    with pytest.raises(QrRefused):
        qr_text(origin, b"x")
