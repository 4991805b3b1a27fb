"""What is remembered, or read at once, is what the libraries say each time."""

from __future__ import annotations

import io

import pytest
from asn1crypto import x509
from hypothesis import example, given
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from validation_files import plain_pdf, sign
from validation_pki import NOW, Pki, issue

from verify_api.validation import TrustAnchors, Verdict, document, strict_der, validate_pdf
from verify_api.validation.known import certificate_of, remembered


def _read(read: object, text: bytes) -> object:
    stream = io.BytesIO(text)
    try:
        value = read(stream)  # type: ignore[operator]
    except Exception as error:  # noqa: BLE001 - the kind is what is compared
        return type(error)
    return type(value), value.original_bytes, stream.tell()


@given(st.binary(max_size=40), st.text(alphabet="0123456789abcdefABCDEF> \nxyz<", max_size=40))
@example(b"", "414")
@example(b"", "41 42")
def test_hex_strings_are_read_as_pyhanko_reads_them(value: bytes, text: str) -> None:
    for inside in (value.hex().encode() + b">", text.encode() + b">", text.encode()):
        whole = b"<" + inside + b" tail"
        theirs = _read(document._READ_EACH_DIGIT, whole)
        assert _read(generic.read_hex_string_from_stream, whole) == theirs


def test_certificate_is_what_asn1crypto_reads(pki: Pki) -> None:
    der = pki.ca.der
    known = certificate_of(der)
    assert known is not None
    assert known is certificate_of(der)
    plain = x509.Certificate.load(der)
    assert known.dump() == plain.dump() == der
    assert known.dump(force=True) == der
    assert (known.subject, known.issuer, known.serial_number) == (
        plain.subject,
        plain.issuer,
        plain.serial_number,
    )
    assert known.public_key.dump() == plain.public_key.dump()
    assert certificate_of(der[:-1]) is None
    assert certificate_of(der.replace(b"\x06\x03\x55\x1d\x0e", b"\x07\x03\x55\x1d\x0e")) is None


def test_names_are_equal_as_rfc_5280_says(pki: Pki) -> None:
    one, other = pki.ca.asn1.subject, issue("别的机构", None, ca=True).asn1.subject
    again = x509.Name.load(one.dump())
    assert one == again
    assert one.hashable == again.hashable
    assert one != other
    assert x509.Name.build({"common_name": "Some  Name"}) == x509.Name.build({"common_name": "some name"})


def test_an_error_is_not_remembered_and_an_answer_is() -> None:
    asked: list[int] = []

    def fail() -> int:
        asked.append(1)
        raise ValueError("not to be answered")

    for _ in range(2):
        with pytest.raises(ValueError, match="not to be answered"):
            remembered("test", b"a question that fails", fail)
    assert len(asked) == 2
    assert remembered("test", b"another", lambda: 7) == 7
    assert remembered("test", b"another", lambda: 8) == 7


def test_departures_of_a_certificate_are_told_each_time(pki: Pki) -> None:
    """Contents of this size are looked at once and remembered."""
    der = pki.ca.der
    altered = der.replace(b"\x01\x01\xff", b"\x01\x01\x01")
    assert altered != der
    for _ in range(2):
        assert strict_der.inspect(der) == (len(der), frozenset())
        assert strict_der.inspect(altered)[1] == {strict_der.Departure.BOOLEAN}


def test_what_was_learnt_from_one_file_says_nothing_about_another(pki: Pki, trust: TrustAnchors) -> None:
    data = sign(plain_pdf(), pki, stamped_at=NOW, lt=True)
    for _ in range(2):
        assert validate_pdf(data, trust=trust, at=None, now=NOW).verdict is Verdict.PASSED
        forged = Pki().signer
        stranger = TrustAnchors.from_pem([Pki().root.pem])
        assert validate_pdf(data, trust=stranger, at=None, now=NOW).verdict is Verdict.INDETERMINATE
        by_other = sign(plain_pdf(), pki, party=forged)
        assert validate_pdf(by_other, trust=trust, at=None, now=NOW).verdict is not Verdict.PASSED
