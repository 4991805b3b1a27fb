"""The peer: pyHanko as its manual shows it, PdfSigner with PKCS11Signer, on the same token, key, page and level.

It gets the same evidence, time-stamp authority and picture as our own sealers, all at hand, so nothing is fetched.
"""

import io
from datetime import UTC, datetime

import pkcs11
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.pkcs11 import PKCS11Signer
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.signers.pdf_signer import DSSContentSettings, SigDSSPlacementPreference
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator import ValidationContext

from bench.workbench import Workbench
from cert_registry.signing.pki.directory import AUTHORITIES, ROOT, TSA_CA
from cert_registry.signing.sealing import PadesLevel


class PlainPyHanko:
    """Seals the workbench's page with one of its seals."""

    def __init__(self, bench: Workbench, algorithm: str) -> None:
        self._bench = bench
        self._credentials = bench.seals[algorithm]
        place = bench.settings.tokens["seals"]
        token = bench.settings.open_token("seals")
        token.probe()  # the library is loaded with locks, and the user of this process logged in
        self._session = pkcs11.lib(str(bench.settings.module_path)).get_token(token_label=place.label).open()
        self._picture = bench.state / "picture.pdf"
        self._picture.write_bytes(bench.appearance.image_pdf)

    def bare_signature(self) -> bytes:
        """One signature of the token, nothing else."""
        key = self._session.get_key(
            object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=self._credentials.key_label
        )
        mechanism = (
            pkcs11.Mechanism.ECDSA if key.key_type == pkcs11.KeyType.EC else pkcs11.Mechanism.SHA256_RSA_PKCS
        )
        return bytes(key.sign(bytes(32), mechanism=mechanism))

    def seal(self, level: PadesLevel) -> bytes:
        """Seal the page with a visible seal."""
        with_evidence = level in {PadesLevel.B_LT, PadesLevel.B_LTA}
        metadata = PdfSignatureMetadata(
            field_name="seal",
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES,
            embed_validation_info=with_evidence,
            validation_context=self._evidence() if with_evidence else None,
            use_pades_lta=level is PadesLevel.B_LTA,
            dss_settings=DSSContentSettings(
                include_vri=False, placement=SigDSSPlacementPreference.TOGETHER_WITH_SIGNATURE
            ),
        )
        place = self._bench.page.place
        box = (place.left, place.bottom, place.left + place.width, place.bottom + place.height)
        pdf_signer = PdfSigner(
            metadata,
            self._signer(),
            timestamper=None if level is PadesLevel.B_B else _Stamper(self._bench),
            stamp_style=StaticStampStyle.from_pdf_file(str(self._picture), border_width=0),
            new_field_spec=SigFieldSpec("seal", on_page=place.page - 1, box=tuple(round(x) for x in box)),
        )
        writer = IncrementalPdfFileWriter(io.BytesIO(self._bench.page.pdf))
        return pdf_signer.sign_pdf(writer).getvalue()

    def approve(self, data: bytes, field: str) -> bytes:
        """Add an approval signature with a time stamp and evidence, without a picture."""
        metadata = PdfSignatureMetadata(
            field_name=field,
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            embed_validation_info=True,
            validation_context=self._evidence(),
        )
        writer = IncrementalPdfFileWriter(io.BytesIO(data))
        return (
            PdfSigner(metadata, self._signer(), timestamper=_Stamper(self._bench)).sign_pdf(writer).getvalue()
        )

    def _signer(self) -> PKCS11Signer:
        certificate = _asn1(self._credentials.certificate)
        return PKCS11Signer(
            self._session,
            signing_cert=certificate,
            ca_chain=[_asn1(one) for one in self._credentials.chain],
            key_label=self._credentials.key_label,
            use_raw_mechanism=str(certificate.public_key.algorithm) == "ec",
            embed_roots=False,
        )

    def _evidence(self) -> ValidationContext:
        services, now = self._bench.services, datetime.now(UTC)
        pki = services.pki
        others = [*(pki.certificate(name) for name in AUTHORITIES), services.ocsp.certificate]
        return ValidationContext(
            trust_roots=[_asn1(one) for one in pki.anchors()],
            other_certs=[_asn1(one) for one in (*others, *self._credentials.chain)],
            ocsps=[services.ocsp.answer_for(self._credentials.certificate, now=now)],
            crls=[services.crls.current(name, now=now).der for name in (ROOT, TSA_CA)],
            allow_fetching=False,
            revocation_mode="require",
        )


class _Stamper(TimeStamper):
    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._tsa = bench.services.tsa

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        return tsp.TimeStampResp.load(self._tsa.respond(req.dump(), now=datetime.now(UTC)))


def _asn1(certificate: object) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
