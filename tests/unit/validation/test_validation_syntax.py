"""Properties of the small walkers over PDF and DER, and of the whole against random damage."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from asn1crypto import core
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from validation_files import plain_pdf, sign
from validation_pki import NOW, Pki

from verify_api.validation import TrustAnchors, Verdict, validate_pdf
from verify_api.validation.errors import MalformedSyntax
from verify_api.validation.lexer import plain_name, scan_value, skip_space
from verify_api.validation.strict_der import Departure, inspect

names = st.text(alphabet="ABCDEFGHabcdef", min_size=1, max_size=6).map(lambda s: b"/" + s.encode())
scalars = st.one_of(
    st.integers(-(10**6), 10**6).map(lambda n: b"%d" % n),
    names,
    st.binary(max_size=8).map(lambda b: b"<" + b.hex().encode() + b">"),
    st.sampled_from([b"true", b"null", b"12 0 R", b"(a (b) \\) c)", b"()", b"-1.5"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: b"[" + b" ".join(items) + b"]"),
        st.lists(st.tuples(names, inner), max_size=4, unique_by=lambda pair: pair[0]).map(
            lambda pairs: b"<<" + b"".join(k + b" " + v + b"\n" for k, v in pairs) + b">>"
        ),
    ),
    max_leaves=10,
)


@given(values)
@settings(max_examples=150, deadline=None)
def test_a_value_ends_where_it_ends(value: Any) -> None:
    scan = scan_value(b"  " + value + b" endobj", 0)
    assert scan.end == 2 + len(value)
    assert scan.duplicate_keys == []


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_the_lexer_answers_or_refuses(data: bytes) -> None:
    with contextlib.suppress(MalformedSyntax):
        assert 0 <= scan_value(data, 0).end <= len(data) + 1


def test_duplicate_keys_are_seen_through_escapes() -> None:
    assert scan_value(b"<</A 1 /#41 2>>", 0).duplicate_keys == ["/A"]
    assert plain_name(b"/By#74e") == "/Byte"
    assert skip_space(b" %x\n y", 0) == 5


@given(
    st.recursive(
        st.one_of(
            st.integers(-(2**70), 2**70).map(lambda n: core.Integer(n).dump()),
            st.binary(max_size=300).map(lambda b: core.OctetString(b).dump()),
            st.booleans().map(lambda b: core.Boolean(b).dump()),
            st.just(core.Null().dump()),
        ),
        lambda inner: st.lists(inner, max_size=4).map(lambda parts: _sequence(b"".join(parts))),
        max_leaves=8,
    )
)
@settings(max_examples=150, deadline=None)
def test_der_has_no_departures(encoded: Any) -> None:
    assert inspect(encoded + b"\0\0\0") == (len(encoded), frozenset())


def _sequence(body: bytes) -> bytes:
    value = core.Sequence()
    value.contents = body
    head = b"\x30"
    if len(body) < 0x80:
        return head + bytes([len(body)]) + body
    size = (len(body).bit_length() + 7) // 8
    return head + bytes([0x80 | size]) + len(body).to_bytes(size, "big") + body


@pytest.mark.parametrize(
    ("encoded", "departure"),
    [
        ("3080020101 0000", Departure.INDEFINITE_LENGTH),
        ("308103020101", Departure.LONG_LENGTH),
        ("0101 01", Departure.BOOLEAN),
        ("0202 0001", Departure.INTEGER),
        ("0202 ff80", Departure.INTEGER),
        ("3106 020102 020101", Departure.SET_ORDER),
        ("2403 040101", Departure.CONSTRUCTED_STRING),
        ("0501 00", Departure.NULL),
        ("0302 01ff", Departure.BITS),
    ],
)
def test_ber_is_named(encoded: Any, departure: Departure) -> None:
    assert departure in inspect(bytes.fromhex(encoded))[1]


@given(st.binary(max_size=80))
@settings(max_examples=200, deadline=None)
def test_the_der_walk_answers_or_refuses(data: bytes) -> None:
    with contextlib.suppress(MalformedSyntax):
        assert inspect(data)[0] <= len(data)


_PKI = Pki()
_SIGNED = sign(sign(plain_pdf(form=True), _PKI, stamped_at=NOW), _PKI, field="Seal2")
_TRUST = TrustAnchors.own_only(_PKI.root.pem)

edits = st.lists(
    st.tuples(
        st.integers(0, len(_SIGNED) - 1),
        st.sampled_from(["cut", "drop", "repeat", "write"]),
        st.binary(min_size=1, max_size=12),
    ),
    min_size=1,
    max_size=4,
)


@given(edits)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_files_are_answered_and_never_pass(damage: list[tuple[int, str, bytes]]) -> None:
    data = _SIGNED
    for position, kind, piece in damage:
        if kind == "cut":
            data = data[: max(20, position)]
        elif kind == "drop":
            data = data[:position] + data[position + len(piece) :]
        elif kind == "repeat":
            data = data[:position] + data[position : position + 200] + data[position:]
        else:
            data = data[:position] + piece + data[position + len(piece) :]
    report = validate_pdf(data, trust=_TRUST, at=None, now=NOW)
    assert report.reason
    if data != _SIGNED:
        assert report.verdict is not Verdict.PASSED or data == _first_revision(data)


def _first_revision(data: bytes) -> bytes:
    """A cut that leaves exactly the first signed revision is an honest earlier state."""
    return data if _SIGNED.startswith(data) else b""
