"""Honest files of many makes; each entry says what verdict it must have."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pikepdf
from pyhanko.pdf_utils import generic
from pyhanko.sign import fields, signers
from pyhanko.sign.validation.dss import DocumentSecurityStore
from validation_files import make_context, plain_pdf, sign, writer
from validation_pki import NOW, Pki

name = generic.pdf_name


def fill(data: bytes, text: str = "filled in later", *, field: int = 0) -> bytes:
    """Fill a text field the way a viewer does: value and a fresh appearance."""
    work = writer(data)
    node = work.root["/AcroForm"]["/Fields"][field]
    node[name("/V")] = generic.pdf_string(text)
    stream = generic.StreamObject(
        {
            name("/Type"): name("/XObject"),
            name("/Subtype"): name("/Form"),
            name("/BBox"): generic.ArrayObject(map(generic.NumberObject, (0, 0, 228, 30))),
        },
        stream_data=b"/Tx BMC q BT /F1 12 Tf 2 8 Td (" + text.encode() + b") Tj ET Q EMC",
    )
    node[name("/AP")] = generic.DictionaryObject({name("/N"): work.add_object(stream)})
    work.update_container(node)
    out = io.BytesIO()
    work.write(out)
    return out.getvalue()


def separate_dss(data: bytes, pki: Pki) -> bytes:
    out = io.BytesIO(data)
    DocumentSecurityStore.add_dss(
        out,
        sig_contents=None,
        certs=[pki.ca.asn1, pki.root.asn1],
        crls=list(make_context(pki, NOW).crls),
        force_write=True,
    )
    return out.getvalue()


def renewed(data: bytes, pki: Pki) -> bytes:
    """Add one more document time stamp."""
    return stamped_again(data, pki, NOW - timedelta(days=10))


def stamped_again(data: bytes, pki: Pki, moment: datetime) -> bytes:
    work = writer(data)
    out = io.BytesIO()
    signers.PdfTimeStamper(pki.stamper(moment)).timestamp_pdf(work, "sha256", output=out)
    return out.getvalue()


def linearised(data: bytes) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        pdf.save(out, linearize=True)
    return out.getvalue()


def encrypted(data: bytes) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="owner", user="", R=6))
    return out.getvalue()


def hybrid(data: bytes) -> bytes:
    """A hybrid-reference update: a table, and an /XRefStm with one object more, as office programs write."""
    base = len(data)
    start = int(data.rsplit(b"startxref", 1)[1].split()[0])
    trailer = data[data.rindex(b"trailer") + 7 :]
    with pikepdf.open(io.BytesIO(data)) as pdf:
        size = int(pdf.trailer.Size)
        root = pdf.Root.objgen[0]
    del trailer
    hidden, table_object, stream_object = size, size + 1, size + 2
    first = b"%d 0 obj\n<< /Note (only for old readers) >>\nendobj\n" % table_object
    inner = b"%d 0 << /Note (in a stream) >>" % hidden
    container_number = size + 3
    container = (
        b"%d 0 obj\n<< /Type /ObjStm /N 1 /First %d /Length %d >>\nstream\n"
        % (container_number, inner.index(b"<<"), len(inner))
        + inner
        + b"\nendstream\nendobj\n"
    )
    at_table, at_container = base, base + len(first)
    at_stream = at_container + len(container)
    rows = (
        b"\x02"
        + container_number.to_bytes(4, "big")
        + b"\x00"
        + b"\x01"
        + at_container.to_bytes(4, "big")
        + b"\x00"
    )
    xref_stream = (
        b"%d 0 obj\n<< /Type /XRef /Size %d /W [1 4 1] /Index [%d 1 %d 1] /Length %d >>\nstream\n"
        % (stream_object, size + 4, hidden, container_number, len(rows))
        + rows
        + b"\nendstream\nendobj\n"
    )
    at_xref = at_stream + len(xref_stream)
    table = b"xref\n%d 1\n%010d 00000 n \n%d 1\n%010d 00000 n \ntrailer\n" % (
        table_object,
        at_table,
        stream_object,
        at_stream,
    ) + b"<< /Size %d /Root %d 0 R /Prev %d /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n" % (
        size + 4,
        root,
        start,
        at_stream,
        at_xref,
    )
    return data + first + container + xref_stream + table


PASS = "TOTAL-PASSED"
UNSURE = "INDETERMINATE"
P = fields.MDPPerm


def _three(pki: Pki) -> bytes:
    data = plain_pdf()
    for number in range(3):
        data = sign(data, pki, field=f"Seal{number}", box=(50, 100 + 60 * number, 150, 150 + 60 * number))
    return data


def _prepared(pki: Pki) -> bytes:
    work = writer(plain_pdf())
    for number in range(2):
        fields.append_signature_field(
            work, fields.SigFieldSpec(f"Slot{number}", box=(50, 100 + 90 * number, 150, 150 + 90 * number))
        )
    out = io.BytesIO()
    work.write(out)
    first = sign(out.getvalue(), pki, field="Slot0", certify=P.FILL_FORMS)
    return sign(first, pki, field="Slot1")


def _locked(pki: Pki) -> bytes:
    lock = fields.FieldMDPSpec(fields.FieldMDPAction.INCLUDE, fields=["other"])
    spec = fields.SigFieldSpec("Seal1", field_mdp_spec=lock)
    return fill(sign(plain_pdf(form=True), pki, field_spec=spec))


def _stamp_only(pki: Pki) -> bytes:
    out = io.BytesIO()
    signers.PdfTimeStamper(pki.stamper(NOW - timedelta(days=1))).timestamp_pdf(
        writer(plain_pdf()), "sha256", output=out
    )
    return out.getvalue()


def _algorithm(kind: str, **options: Any) -> Callable[[Pki], bytes]:
    def build(pki: Pki) -> bytes:
        return sign(plain_pdf(), pki, party=pki.signer_of("算法试验", kind=kind), **options)

    return build


EARLIER = NOW - timedelta(days=1)

HONEST: dict[str, tuple[Callable[[Pki], bytes], str]] = {
    "approval-pades": (lambda p: sign(plain_pdf(), p), PASS),
    "approval-adobe": (
        lambda p: sign(plain_pdf(), p, subfilter=fields.SigSeedSubFilter.ADOBE_PKCS7_DETACHED),
        PASS,
    ),
    "adobe-archived-revocation": (
        lambda p: sign(
            plain_pdf(),
            p,
            subfilter=fields.SigSeedSubFilter.ADOBE_PKCS7_DETACHED,
            stamped_at=EARLIER,
            lt=True,
        ),
        PASS,
    ),
    "certified-lt-in-one-revision": (
        lambda p: sign(plain_pdf(), p, stamped_at=EARLIER, lt=True, certify=P.NO_CHANGES),
        PASS,
    ),
    "certified-lt-dss-appended": (
        lambda p: sign(
            plain_pdf(), p, stamped_at=EARLIER, lt=True, certify=P.NO_CHANGES, in_sealing_revision=False
        ),
        PASS,
    ),
    "certified-lta": (
        lambda p: sign(plain_pdf(), p, stamped_at=EARLIER, lta=True, certify=P.NO_CHANGES),
        PASS,
    ),
    "lta-renewed": (
        lambda p: renewed(sign(plain_pdf(), p, stamped_at=NOW - timedelta(days=20), lta=True), p),
        PASS,
    ),
    "dss-added-later": (lambda p: separate_dss(sign(plain_pdf(), p, stamped_at=EARLIER), p), PASS),
    "two-signatures": (lambda p: sign(sign(plain_pdf(), p), p, field="Seal2"), PASS),
    "three-visible-signatures": (_three, PASS),
    "certified-then-prepared-field-signed": (_prepared, PASS),
    "form-filled-after-approval": (lambda p: fill(sign(plain_pdf(form=True), p)), PASS),
    "form-filled-after-certification": (
        lambda p: fill(sign(plain_pdf(form=True), p, certify=P.FILL_FORMS)),
        PASS,
    ),
    "form-filled-signed-again": (
        lambda p: sign(fill(sign(plain_pdf(form=True), p)), p, field="Seal2"),
        PASS,
    ),
    "other-field-locked": (_locked, PASS),
    "xref-stream": (lambda p: sign(plain_pdf(xref_streams=True), p), PASS),
    "xref-stream-two-signatures": (
        lambda p: sign(sign(plain_pdf(xref_streams=True), p), p, field="Seal2"),
        PASS,
    ),
    "linearised": (lambda p: sign(linearised(plain_pdf(pages=3)), p), PASS),
    "linearised-two-signatures": (
        lambda p: sign(sign(linearised(plain_pdf(pages=3)), p), p, field="Seal2"),
        PASS,
    ),
    "hybrid-references": (lambda p: sign(hybrid(plain_pdf()), p), PASS),
    "hybrid-references-two-signatures": (
        lambda p: sign(sign(hybrid(plain_pdf()), p), p, field="Seal2"),
        PASS,
    ),
    "rsa": (_algorithm("rsa"), PASS),
    "rsa-pss": (_algorithm("rsa", signer_options={"prefer_pss": True}), PASS),
    "p384-sha384": (_algorithm("p384", md_algorithm="sha384"), PASS),
    "ed25519": (_algorithm("ed25519", md_algorithm="sha512"), PASS),
    "sha1-era": (_algorithm("rsa", md_algorithm="sha1"), UNSURE),
    "stamp-only": (_stamp_only, PASS),
}
