"""Small files that are built to cost much end early: at a limit, or because no work is done twice."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from pyhanko.sign import signers
from pyhanko_certvalidator.registry import SimpleCertificateStore
from validation_files import plain_pdf, sign
from validation_pki import NOW, Pki, issue

from verify_api.validation import (
    Limits,
    TrustAnchors,
    Verdict,
    byte_ranges,
    sandbox,
    sentences,
    validate_isolated,
)
from verify_api.validation.errors import ValidatorsBusy

_HEAD = b"%PDF-1.7\n"
_TAIL = b"xref\n0 1\n0000000000 65535 f \ntrailer<</Size 1>>\nstartxref\n0\n%%EOF\n"
_CPU_S = 20  # the limit of the service; each shape takes about a second of an idle machine, much more of a loaded one


def _object_file(objects: dict[int, bytes]) -> bytes:
    out, places = bytearray(_HEAD), {}
    for number, body in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start, size = len(out), max(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        out += b"%010d 00000 n \n" % places.get(number, 0)
    return bytes(out) + b"trailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF\n" % (size, start)


def _pages(*, form: bytes = b"", page: bytes = b"") -> dict[int, bytes]:
    return {
        1: b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[" + form + b"]/SigFlags 3>>>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]" + page + b">>",
    }


def one_hole_named_often() -> bytes:
    end = len(_HEAD) + 400_002
    ranges = b"/ByteRange[0 %d %d 9]\n" % (len(_HEAD), end) * 15_000
    return _HEAD + b"<" + b"00" * 200_000 + b">\n" + ranges + _TAIL


def one_hole_with_many_ends() -> bytes:
    at = len(_HEAD)
    ranges = b"".join(b"/ByteRange[0 %d %d 9]\n" % (at, at + 400_002 + i) for i in range(15_000))
    return _HEAD + b"<" + b"00" * 200_000 + b">" * 15_000 + b"\n" + ranges + _TAIL


def many_earlier_states() -> bytes:
    out = bytearray(_HEAD)
    for _ in range(900):
        out += b"<00>/ByteRange[0 %d %d 40]\n" % (len(out), len(out) + 4) + b" " * 60
    return bytes(out) + _TAIL


def many_values() -> bytes:
    return _HEAD + (b"<308206092a864886f70d010702" + b"0" * 64 + b">\n") * 9_000 + _TAIL


def many_fields() -> bytes:
    objects = _pages(form=b" ".join(b"%d 0 R" % (10 + 2 * i) for i in range(5_000)))
    for i in range(5_000):
        objects[10 + 2 * i] = b"<</FT/Sig/T(f%d)/V %d 0 R>>" % (i, 11 + 2 * i)
        objects[11 + 2 * i] = b"<</Type/Sig/ByteRange[0 10 20 30]/Contents<" + b"30" * 200 + b">>>"
    return _object_file(objects)


def many_objects() -> bytes:
    return _object_file(_pages() | {10 + i: b"<</A 1>>" for i in range(40_000)})


def many_annotations() -> bytes:
    return _object_file(_pages(page=b"/Annots[" + b"9 0 R " * 200_000 + b"]") | {9: b"<</Subtype/Link>>"})


def a_long_name() -> bytes:
    return _object_file(_pages(page=b"/" + b"A#41" * 200_000 + b" 1"))


def nested_arrays() -> bytes:
    return _object_file(_pages(page=b"/A " + b"[" * 50_000 + b"]" * 50_000))


def fields_that_double() -> bytes:
    chain = {10 + i: b"<</T(a)/Kids[%d 0 R %d 0 R]>>" % (11 + i, 11 + i) for i in range(3_000)}
    return _object_file(_pages(form=b"10 0 R") | chain | {3_010: b"<</T(z)>>"})


SHAPES = (
    one_hole_named_often,
    one_hole_with_many_ends,
    many_earlier_states,
    many_values,
    many_fields,
    many_objects,
    many_annotations,
    a_long_name,
    nested_arrays,
    fields_that_double,
)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_a_hostile_shape_ends_before_the_limit(shape: Callable[[], bytes], trust: TrustAnchors) -> None:
    report = validate_isolated(shape(), trust=trust, at=None, now=NOW, limits=Limits(seconds=_CPU_S))
    assert report.verdict in {Verdict.INDETERMINATE, Verdict.NO_SIGNATURE}
    assert report.reason not in {sentences.LIMIT_TIME, sentences.CRASHED}


def test_too_many_signatures_are_a_reason(trust: TrustAnchors) -> None:
    for shape in (many_values, many_fields):
        report = validate_isolated(shape(), trust=trust, at=None, now=NOW)
        assert report.reason == sentences.LIMIT_SIGNATURES


def test_traces_of_honest_ranges_are_all_found() -> None:
    first = _HEAD + b"<00>"
    data = first + b"/ByteRange[0 9 13 5] <0000> /ByteRange [0 %d %d 5]" % (len(first) + 21, len(first) + 27)
    assert byte_ranges.traces_of_signatures(data + b" " * 40) == [(9, 18), (34, 45)]


def test_no_more_files_than_allowed_at_once(trust: TrustAnchors) -> None:
    """A turn that is held is not given out twice; the next file waits a bounded time and is then refused."""
    limits = Limits(workers=1, wait_s=0.05)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with sandbox._TURNS.one(most=1, wait_s=5):
            held.set()
            done.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)
    try:
        with pytest.raises(ValidatorsBusy):
            validate_isolated(plain_pdf(), trust=trust, at=None, now=NOW, limits=limits)
    finally:
        done.set()
        thread.join()
    report = validate_isolated(plain_pdf(), trust=trust, at=None, now=NOW, limits=limits)
    assert report.verdict is Verdict.NO_SIGNATURE


def test_namesakes_that_issue_one_another_do_not_explode(trust: TrustAnchors) -> None:
    """Eight authorities of one name allow thousands of paths; a file of 14 kB took the whole limit."""
    authorities = [issue("X", None, ca=True)]
    for _ in range(7):
        authorities.append(issue("X", authorities[-1], ca=True))
    signer = issue("S", authorities[-1])
    pki = Pki()
    embedded = SimpleCertificateStore()
    embedded.register_multiple([one.asn1 for one in authorities])
    pki.pyhanko_signer = lambda _party=None: signers.SimpleSigner(
        signing_cert=signer.asn1, signing_key=signer.asn1_key, cert_registry=embedded
    )
    data = sign(plain_pdf(), pki)
    report = validate_isolated(data, trust=trust, at=None, now=NOW, limits=Limits(seconds=_CPU_S))
    assert report.verdict is Verdict.INDETERMINATE
    assert report.reason != sentences.LIMIT_TIME
