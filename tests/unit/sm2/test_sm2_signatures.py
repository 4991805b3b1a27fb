"""SM2 and SM3 against the standard's own values, an independent implementation and the openssl program."""

import hashlib
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gmalg
import pytest
from asn1crypto import algos, keys
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from cert_registry.sm2 import libcrypto
from cert_registry.sm2.errors import KeyRefused, SignatureInvalid
from cert_registry.sm2.public_key import ORDER, Sm2PublicKey, check_issued_by, uses_sm2

# GB/T 32918.5-2017 annex A.2: the recommended curve, identity 1234567812345678, message "message digest".
PRIVATE = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
POINT = bytes.fromhex(
    "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA


def _signature(r: int, s: int) -> bytes:
    return bytes(algos.DSASignature({"r": r, "s": s}).dump())


def test_the_standard_s_example_verifies() -> None:
    key = Sm2PublicKey(point=POINT)
    key.verify(_signature(R, S), b"message digest")
    for r, s in ((R + 1, S), (R, S + 1), (S, R)):
        with pytest.raises(SignatureInvalid):
            key.verify(_signature(r, s), b"message digest")
    with pytest.raises(SignatureInvalid):
        key.verify(_signature(R, S), b"message digest.")
    with pytest.raises(SignatureInvalid):
        key.verify(_signature(R, S), b"message digest", identity=b"ALICE123@YAHOO.COM")


def test_sm3_of_the_standard_s_two_messages() -> None:
    """GB/T 32905-2016 annex A."""
    one = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    two = "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
    assert hashlib.new("sm3", b"abc").hexdigest() == one
    assert hashlib.new("sm3", b"abcd" * 16).hexdigest() == two


@settings(max_examples=8, deadline=None)
@given(data=st.binary(max_size=300))
def test_both_implementations_accept_each_other_s_signatures(data: bytes) -> None:
    private = libcrypto.generate()
    key = Sm2PublicKey.from_der(libcrypto.public_half(private))
    scalar = keys.PrivateKeyInfo.load(private)["private_key"].parsed["private_key"].native.to_bytes(32)
    other = gmalg.SM2(sk=scalar, uid=libcrypto.DEFAULT_IDENTITY, pk=key.point)
    pair = algos.DSASignature.load(libcrypto.sign(private, data, identity=libcrypto.DEFAULT_IDENTITY))
    assert other.verify(data, pair["r"].native.to_bytes(32), pair["s"].native.to_bytes(32))
    r, s = other.sign(data)
    key.verify(_signature(int.from_bytes(r), int.from_bytes(s)), data)


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        b"\x30\x00",
        _signature(0, S),
        _signature(R, 0),
        _signature(ORDER, S),
        _signature(R + ORDER, S),
        _signature(R, S) + b"\0",
        b"\x30\x81\x46" + _signature(R, S)[2:],
        b"\x30\x48\x02\x22\x00" + _signature(R, S)[4:],
    ],
)
def test_a_signature_in_any_other_form_is_refused(signature: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        Sm2PublicKey(point=POINT).verify(signature, b"message digest")


def test_keys_of_other_kinds_and_points_off_the_curve_are_refused() -> None:
    with pytest.raises(KeyRefused):
        Sm2PublicKey.from_der(b"\x30\x03\x02\x01\x00")
    outside = Sm2PublicKey(point=POINT[:-1] + bytes([POINT[-1] ^ 1]))
    with pytest.raises(KeyRefused):
        outside.verify(_signature(R, S), b"message digest")
    with pytest.raises(KeyRefused):
        Sm2PublicKey.from_der(keys.PublicKeyInfo.load(_p256()).dump())
    with pytest.raises(KeyRefused):
        libcrypto.sign(b"\x30\x00", b"", identity=libcrypto.DEFAULT_IDENTITY)


def _p256() -> bytes:
    made = subprocess.run(
        ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"], check=True, capture_output=True
    )
    done = subprocess.run(
        ["openssl", "pkey", "-pubout", "-outform", "DER"], input=made.stdout, check=True, capture_output=True
    )
    return done.stdout


def test_openssl_accepts_our_signature_and_we_its_certificate(tmp_path: Path) -> None:
    private = libcrypto.generate()
    (tmp_path / "key.der").write_bytes(private)
    (tmp_path / "public.der").write_bytes(libcrypto.public_half(private))
    (tmp_path / "data").write_bytes(b"a document")
    signature = libcrypto.sign(private, b"a document", identity=libcrypto.DEFAULT_IDENTITY)
    (tmp_path / "signature").write_bytes(signature)
    identity = ["-sigopt", "distid:1234567812345678"]
    public = ["-pubin", "-inkey", "public.der", "-keyform", "DER"]
    subprocess.run(
        [
            *["openssl", "pkeyutl", "-verify", *public, "-in", "data", "-sigfile", "signature", "-rawin"],
            *["-digest", "sm3", "-pkeyopt", "distid:1234567812345678"],
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    subprocess.run(
        [
            *["openssl", "req", "-x509", "-new", "-key", "key.der", "-keyform", "DER", "-sm3", *identity],
            *["-subj", "/C=CN/CN=sm2", "-days", "9", "-out", "root.pem"],
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    certificate = x509.load_pem_x509_certificate((tmp_path / "root.pem").read_bytes())
    assert uses_sm2(certificate)
    check_issued_by(certificate, certificate)
    assert Sm2PublicKey.of(certificate).to_der() == libcrypto.public_half(private)


def test_many_threads_at_once() -> None:
    private = libcrypto.generate()
    key = Sm2PublicKey.from_der(libcrypto.public_half(private))

    def work(number: int) -> None:
        data = number.to_bytes(4)
        key.verify(libcrypto.sign(private, data, identity=libcrypto.DEFAULT_IDENTITY), data)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(200)))
