"""Small PDFs and their signing, for the tests of validation."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

import pikepdf
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.ades.api import CAdESSignedAttrSpec  # noqa: F401 - kept importable for readers of the tests
from pyhanko.sign.signers.pdf_signer import DSSContentSettings, SigDSSPlacementPreference
from pyhanko_certvalidator import ValidationContext
from validation_pki import NOW, Pki

TEXT = b"BT /F1 24 Tf 72 700 Td (Certificate No. 42: VALID) Tj ET"


def plain_pdf(*, form: bool = False, xref_streams: bool = False, pages: int = 1, extra: Any = None) -> bytes:
    pdf = pikepdf.new()
    font = pdf.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
        )
    )
    for _ in range(pages):
        page = pdf.add_blank_page(page_size=(595, 842))
        page.Contents = pdf.make_stream(TEXT)
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    if form:
        widget = pdf.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Widget,
                FT=pikepdf.Name.Tx,
                T=pikepdf.String("remark"),
                Rect=[72, 500, 300, 530],
                F=4,
                P=pdf.pages[0].obj,
                DA=pikepdf.String("/F1 12 Tf 0 g"),
            )
        )
        pdf.pages[0].Annots = pdf.make_indirect(pikepdf.Array([widget]))
        pdf.Root.AcroForm = pdf.make_indirect(
            pikepdf.Dictionary(
                Fields=[widget],
                DR=pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font)),
                DA=pikepdf.String("/F1 12 Tf 0 g"),
            )
        )
    if extra:
        extra(pdf)
    out = io.BytesIO()
    mode = pikepdf.ObjectStreamMode.generate if xref_streams else pikepdf.ObjectStreamMode.disable
    pdf.save(out, object_stream_mode=mode, compress_streams=xref_streams, deterministic_id=True)
    return out.getvalue()


def writer(data: bytes) -> IncrementalPdfFileWriter:
    work = IncrementalPdfFileWriter(io.BytesIO(data), strict=False)
    if b"/Encrypt" in data:
        work.encrypt("")
    return work


def sign(
    data: bytes,
    pki: Pki,
    *,
    field: str = "Seal1",
    party: Any = None,
    stamped_at: datetime | None = None,
    stamper: Any = None,
    certify: fields.MDPPerm | None = None,
    lt: bool = False,
    lta: bool = False,
    box: Any = None,
    subfilter: Any = fields.SigSeedSubFilter.PADES,
    signer_options: Any = None,
    md_algorithm: str = "sha256",
    context: ValidationContext | None = None,
    in_sealing_revision: bool = True,
    field_spec: Any = None,
    **meta: Any,
) -> bytes:
    """Sign with pyHanko; `lt` embeds revocation data, by default in the sealing revision as the service does."""
    moment = stamped_at or NOW
    stamper = stamper or (pki.stamper(moment) if stamped_at else None)
    options = {}
    if lt or lta:
        options = {
            "embed_validation_info": True,
            "use_pades_lta": lta,
            "validation_context": context or make_context(pki, moment),
        }
        if in_sealing_revision and not lta:
            options["dss_settings"] = DSSContentSettings(
                include_vri=False, placement=SigDSSPlacementPreference.TOGETHER_WITH_SIGNATURE
            )
    metadata = signers.PdfSignatureMetadata(
        field_name=field,
        md_algorithm=md_algorithm,
        subfilter=subfilter,
        certify=certify is not None,
        **({"docmdp_permissions": certify} if certify is not None else {}),
        **options,
        **meta,
    )
    work = writer(data)
    if field_spec is not None:
        fields.append_signature_field(work, field_spec)
    elif box is not None:
        fields.append_signature_field(work, fields.SigFieldSpec(field, box=box))
    out = io.BytesIO()
    signers.PdfSigner(
        metadata, signer=pki.pyhanko_signer(party, **(signer_options or {})), timestamper=stamper
    ).sign_pdf(work, output=out)
    return out.getvalue()


def make_context(pki: Pki, moment: datetime, *, crls: Any = None, ocsps: Any = None) -> ValidationContext:
    if ocsps is None and pki.ocsp_url:
        ocsps = [pki.ocsp_response(pki.signer, moment)]
    if crls is None:
        crls = [pki.crl(moment)]
    return ValidationContext(
        trust_roots=[pki.root.asn1],
        other_certs=[pki.ca.asn1, pki.responder.asn1],
        moment=moment,
        crls=crls,
        ocsps=ocsps or [],
        allow_fetching=False,
        revocation_mode="hard-fail",
    )
