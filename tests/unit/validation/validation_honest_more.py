"""More honest files: forms of every kind, permissions, locks, algorithms, encryption, renewed evidence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pikepdf
from asn1crypto import core
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from pyhanko.pdf_utils import generic
from pyhanko.sign import fields
from validation_attacks import update
from validation_attacks_content import opaque_fill
from validation_files import make_context, plain_pdf, sign
from validation_honest import PASS, UNSURE, encrypted, fill, renewed, separate_dss, stamped_again
from validation_honest_syntax import written
from validation_pki import NOW, Pki

name = generic.pdf_name
P = fields.MDPPerm
EARLIER = NOW - timedelta(days=1)


def _form(pdf: Any) -> None:
    """Beside the text field of `plain_pdf`: a check box, radio buttons, a choice, a field with two widgets."""

    def look(content: bytes) -> Any:
        return pdf.make_stream(
            content, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form, BBox=[0, 0, 20, 20]
        )

    def widget(**entries: Any) -> Any:
        return pdf.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, F=4, P=pdf.pages[0].obj, **entries
            )
        )

    states = pikepdf.Dictionary(
        N=pikepdf.Dictionary(Off=look(b"0 0 20 20 re S"), Yes=look(b"0 0 20 20 re f"))
    )
    box = widget(
        FT=pikepdf.Name.Btn, T=pikepdf.String("agree"), Rect=[72, 400, 92, 420],
        V=pikepdf.Name.Off, AS=pikepdf.Name.Off, AP=states,
    )  # fmt: skip
    group = pdf.make_indirect(
        pikepdf.Dictionary(FT=pikepdf.Name.Btn, T=pikepdf.String("which"), Ff=1 << 15, V=pikepdf.Name.Off)
    )
    radios = [
        widget(Rect=[72 + 30 * i, 360, 92 + 30 * i, 380], AS=pikepdf.Name.Off, AP=states, Parent=group)
        for i in range(2)
    ]
    group.Kids = radios
    choice = widget(
        FT=pikepdf.Name.Ch, T=pikepdf.String("town"), Ff=1 << 17, Rect=[72, 320, 172, 340],
        Opt=[pikepdf.String("Lanzhou"), pikepdf.String("Tianshui")], DA=pikepdf.String("/F1 12 Tf 0 g"),
    )  # fmt: skip
    both = pdf.make_indirect(pikepdf.Dictionary(FT=pikepdf.Name.Tx, T=pikepdf.String("twice")))
    pair = [
        widget(Rect=[72, 280 - 30 * i, 172, 300 - 30 * i], Parent=both, DA=pikepdf.String("/F1 12 Tf 0 g"))
        for i in range(2)
    ]
    both.Kids = pair
    pdf.pages[0].Annots.extend([box, *radios, choice, *pair])
    pdf.Root.AcroForm.Fields.extend([box, group, choice, both])


def _with_ground(pdf: Any) -> None:
    pdf.Root.AcroForm.Fields[0].MK = pikepdf.Dictionary(BG=[1, 1, 1])


def _regenerate(pdf: Any) -> None:
    _form(pdf)
    pdf.Root.AcroForm.NeedAppearances = True


def tick(data: bytes) -> bytes:
    def change(work: Any) -> None:
        box = work.root["/AcroForm"]["/Fields"][1]
        box[name("/V")] = box[name("/AS")] = name("/Yes")
        work.update_container(box)

    return update(data, change)


def press(data: bytes) -> bytes:
    def change(work: Any) -> None:
        group = work.root["/AcroForm"]["/Fields"][2]
        group[name("/V")] = name("/Yes")
        group["/Kids"][1][name("/AS")] = name("/Yes")
        work.update_container(group)
        work.update_container(group["/Kids"][1])

    return update(data, change)


def _text_look(work: Any, text: str) -> Any:
    stream = generic.StreamObject(
        {name("/Type"): name("/XObject"), name("/Subtype"): name("/Form")},
        stream_data=b"/Tx BMC q BT /F1 12 Tf 2 4 Td (" + text.encode() + b") Tj ET Q EMC",
    )
    return generic.DictionaryObject({name("/N"): work.add_object(stream)})


def choose(data: bytes) -> bytes:
    def change(work: Any) -> None:
        field = work.root["/AcroForm"]["/Fields"][3]
        field[name("/V")] = generic.pdf_string("Lanzhou")
        field[name("/I")] = generic.ArrayObject([generic.NumberObject(0)])
        field[name("/AP")] = _text_look(work, "Lanzhou")
        work.update_container(field)

    return update(data, change)


def fill_both(data: bytes) -> bytes:
    def change(work: Any) -> None:
        field = work.root["/AcroForm"]["/Fields"][4]
        field[name("/V")] = generic.pdf_string("one value")
        for index in range(len(field["/Kids"])):
            kid = field["/Kids"][index]
            kid[name("/AP")] = _text_look(work, "one value")
            work.update_container(kid)
        work.update_container(field)

    return update(data, change)


def value_only(data: bytes) -> bytes:
    """Programs without fonts store the value and leave its look to the reader."""

    def change(work: Any) -> None:
        field = work.root["/AcroForm"]["/Fields"][0]
        field[name("/V")] = generic.pdf_string("filled in later")
        work.update_container(field)

    return update(data, change)


def dates_renewed(data: bytes) -> bytes:
    def change(work: Any) -> None:
        info = generic.DictionaryObject(
            {
                name("/ModDate"): generic.pdf_string("D:20261122120000Z"),
                name("/Producer"): generic.pdf_string("another program"),
            }
        )
        work.set_info(work.add_object(info))

    return update(data, change)


def bare_value(pki: Pki, *, digest: Any = None) -> bytes:
    """adbe.x509.rsa_sha1: a PKCS #1 value over the bytes, and the certificate beside it."""
    party = pki.signer_of("旧式签名人", kind="rsa")
    data = written(
        pki,
        dictionary=b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.x509.rsa_sha1 /Cert [<"
        + party.der.hex().encode()
        + b"> <"
        + pki.ca.der.hex().encode()
        + b">] /ByteRange RANGE /Contents HEX >>",
    )
    begin = data.index(b"/Contents <") + 10
    end = data.index(b">", begin) + 1
    key: Any = party.key
    value = key.sign(data[:begin] + data[end:], padding.PKCS1v15(), digest or hashes.SHA1())  # noqa: S303 - the era's
    text = core.OctetString(value).dump().hex().encode()
    return data[: begin + 1] + text.ljust(end - begin - 2, b"0") + data[end - 1 :]


def archived_sha1(pki: Pki, moment: datetime) -> bytes:
    """A SHA-1 signature that a SHA-256 document time stamp covers."""
    old = {"start": datetime(2008, 1, 1, tzinfo=UTC), "end": datetime(2034, 1, 1, tzinfo=UTC)}
    signer = pki.signer_of("旧式签名人", kind="rsa", **old)
    data = sign(plain_pdf(), pki, party=signer, md_algorithm="sha1")
    return stamped_again(data, pki, moment)


def _filled(
    change: Callable[[bytes], bytes], level: P | None = None, extra: Any = _form
) -> Callable[[Pki], bytes]:
    return lambda pki: change(sign(plain_pdf(form=True, extra=extra), pki, certify=level))


def _locked(action: fields.FieldMDPAction, names: list[str], change: Callable[[bytes], bytes]) -> Callable:
    def build(pki: Pki) -> bytes:
        lock = fields.FieldMDPSpec(action, fields=names)
        spec = fields.SigFieldSpec("Seal1", field_mdp_spec=lock)
        return change(sign(plain_pdf(form=True, extra=_form), pki, field_spec=spec))

    return build


def _kind(kind: str, digest: str = "sha256", **options: Any) -> Callable[[Pki], bytes]:
    return lambda pki: sign(
        plain_pdf(), pki, party=pki.signer_of("算法试验", kind=kind), md_algorithm=digest, **options
    )


def _many(pki: Pki) -> bytes:
    data = plain_pdf()
    for number in range(8):
        data = sign(data, pki, field=f"Seal{number}")
    return data


def _augmented(pki: Pki) -> bytes:
    """Evidence added twice, as services do that renew it."""
    return separate_dss(separate_dss(sign(plain_pdf(), pki, stamped_at=EARLIER), pki), pki)


def _stamped_by_type_sig(pki: Pki) -> bytes:
    """A document time stamp whose dictionary says /Type /Sig, as some makers write."""
    data = stamped_again(sign(plain_pdf(), pki), pki, EARLIER)
    return data if b"/DocTimeStamp" in data else b""


LOCK = fields.FieldMDPAction
MORE_HONEST: dict[str, tuple[Callable[[Pki], bytes], str]] = {
    "ticked": (_filled(tick), PASS),
    "ticked-p2": (_filled(tick, P.FILL_FORMS), PASS),
    "radio-pressed": (_filled(press), PASS),
    "radio-pressed-p3": (_filled(press, P.ANNOTATE), PASS),
    "chosen": (_filled(choose), PASS),
    "filled-on-its-own-ground": (
        lambda p: opaque_fill(sign(plain_pdf(form=True, extra=_with_ground), p)),
        PASS,
    ),
    "two-widgets-filled": (_filled(fill_both), PASS),
    "two-widgets-filled-p2": (_filled(fill_both, P.FILL_FORMS), PASS),
    "value-only": (_filled(value_only), PASS),
    "filled-where-looks-are-regenerated": (_filled(value_only, extra=_regenerate), PASS),
    "everything-filled": (_filled(lambda d: choose(press(tick(fill_both(fill(d)))))), PASS),
    "filled-then-signed-then-filled": (
        lambda p: tick(sign(fill(sign(plain_pdf(form=True, extra=_form), p)), p, field="Seal2")),
        PASS,
    ),
    "lock-include-other": (_locked(LOCK.INCLUDE, ["town"], tick), PASS),
    "lock-exclude-this": (_locked(LOCK.EXCLUDE, ["agree"], tick), PASS),
    "lock-all-untouched": (_locked(LOCK.ALL, [], lambda d: d), PASS),
    "dates-renewed": (lambda p: dates_renewed(sign(plain_pdf(), p)), PASS),
    "p384": (_kind("p384", "sha384"), PASS),
    "p521": (_kind("p521", "sha512"), PASS),
    "ed448": (_kind("ed448", "shake256"), PASS),
    "rsa-sha512": (_kind("rsa", "sha512"), PASS),
    "ecdsa-sha3": (_kind("p256", "sha3_256"), PASS),
    "encrypted": (lambda p: sign(encrypted(plain_pdf()), p), PASS),
    "encrypted-two-signatures": (lambda p: sign(sign(encrypted(plain_pdf()), p), p, field="Seal2"), PASS),
    "evidence-added-twice": (_augmented, PASS),
    "renewed-twice": (
        lambda p: renewed(renewed(sign(plain_pdf(), p, stamped_at=NOW - timedelta(days=30), lta=True), p), p),
        PASS,
    ),
    "eight-signatures": (_many, PASS),
    "bare-rsa-sha1": (bare_value, UNSURE),
    "bare-rsa-sha256": (lambda p: bare_value(p, digest=hashes.SHA256()), PASS),
    "sha1-stamped-today": (lambda p: archived_sha1(p, EARLIER), UNSURE),
    "old-tool-stamp": (_stamped_by_type_sig, PASS),
}
__all__ = ["MORE_HONEST", "archived_sha1", "bare_value", "make_context"]
