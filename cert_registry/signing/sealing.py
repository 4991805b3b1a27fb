"""Sealing a PDF: PAdES by pyHanko, the reference path.

The seal is a certification signature that permits no change. At level B-LT the certificates, the OCSP answer
and the CRLs lie in the same revision as the signature and are covered by it; nothing is fetched over a network.
B-LTA is B-LT with a document time stamp behind it.

Source: EN 319 142-1 clauses 5 and 6 (PAdES baseline); ISO 32000-1 clause 12.8.2.2 (DocMDP).
"""

import hashlib
import io
import logging
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from asn1crypto import algos, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.general import SigningError as PyHankoSigningError
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, Signer
from pyhanko.sign.signers.pdf_signer import DSSContentSettings, PdfSigningSession, SigDSSPlacementPreference
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.stamp import BaseStamp, BaseStampStyle
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import PathError
from pyhanko_certvalidator.registry import SimpleCertificateStore

from cert_registry.signing.credentials import SealCredentials
from cert_registry.signing.document_stamp import DocumentStamper, PlainUpdate, TimeStampSource
from cert_registry.signing.errors import DocumentRefused, SealingFailed
from cert_registry.signing.pki.crl import CrlPublisher
from cert_registry.signing.pki.directory import ROOT, PkiDirectory
from cert_registry.signing.pki.ocsp import OcspResponder
from cert_registry.signing.pki.stamp_answer import read_granted
from cert_registry.signing.seal_field import FIELD_NAME, SealAppearance, add_seal_field
from cert_registry.signing.seal_key import scheme_of
from cert_registry.sm2.chain_signatures import teach_pyhanko

teach_pyhanko()
# It warns on every seal that evidence is embedded without fetching; that is the point here.
logging.getLogger("pyhanko.sign.signers.pdf_signer").setLevel(logging.ERROR)


class PadesLevel(Enum):
    """PAdES baseline levels."""

    B_B = "PAdES-BASELINE-B"
    B_T = "PAdES-BASELINE-T"
    B_LT = "PAdES-BASELINE-LT"
    B_LTA = "PAdES-BASELINE-LTA"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedPdf:
    """A sealed document and its SHA-256 (32 bytes)."""

    pdf: bytes
    sha256: bytes


class Sealer:
    """Seals documents; holds no keys, only the parts of the PKI that a seal's evidence comes from."""

    def __init__(
        self, *, pki: PkiDirectory, tsa: TimeStampSource, ocsp: OcspResponder, crls: CrlPublisher
    ) -> None:
        self._pki = pki
        self._tsa = tsa
        self._ocsp = ocsp
        self._crls = crls

    def seal(
        self,
        pdf: bytes,
        *,
        credentials: SealCredentials,
        appearance: SealAppearance,
        level: PadesLevel,
        now: datetime,
    ) -> SealedPdf:
        """Seal a document.

        Args:
            pdf: The rendered document, unsigned.
            credentials: The seal's key and certificates.
            appearance: Its picture and place.
            level: PAdES level.
            now: Aware UTC time; goes into the signature and its time stamp.

        Raises:
            DocumentRefused: The document cannot carry a seal.
            SealingFailed: The evidence does not validate, e.g. the seal's certificate is revoked.
            TokenUnavailable: A token does not answer.
        """
        prepared = add_seal_field(pdf, appearance)  # (1) the empty, tagged field
        metadata = self._metadata(credentials, level, now)  # (2) settings and evidence
        time_stamper = None if level is PadesLevel.B_B else _Stamper(self._tsa, now)
        signer = _ReferenceSigner(
            metadata, KeySigner(credentials), timestamper=time_stamper, stamp_style=_KeepAppearance(), now=now
        )
        try:  # (3) the signature
            writer = PlainUpdate(io.BytesIO(prepared))
            sealed: bytes = signer.sign_pdf(writer, existing_fields_only=True).getvalue()
        except PdfReadError as error:
            raise DocumentRefused(f"The document to be sealed cannot be read: {error}.") from error
        except (PyHankoSigningError, PathError) as error:
            raise SealingFailed(f"The seal could not be made: {error}.") from error
        if level is PadesLevel.B_LTA:  # (4) a stamp over the whole file, with nothing after it
            stamper = DocumentStamper(pki=self._pki, tsa=self._tsa, crls=self._crls, ocsp=self._ocsp)
            sealed = stamper.append(sealed, now=now).pdf
        return SealedPdf(pdf=sealed, sha256=hashlib.sha256(sealed).digest())

    def _metadata(
        self, credentials: SealCredentials, level: PadesLevel, now: datetime
    ) -> PdfSignatureMetadata:
        with_evidence = level in {PadesLevel.B_LT, PadesLevel.B_LTA}
        return PdfSignatureMetadata(
            field_name=FIELD_NAME,
            md_algorithm=scheme_of(credentials.key.algorithm).digest,
            subfilter=SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES,
            # Where no stamp belongs there is no room for one: so a stripped stamp can be told from none.
            tight_size_estimates=level is PadesLevel.B_B,
            embed_validation_info=with_evidence,
            validation_context=self.evidence(credentials, now) if with_evidence else None,
            dss_settings=DSSContentSettings(
                include_vri=False, placement=SigDSSPlacementPreference.TOGETHER_WITH_SIGNATURE
            ),
        )

    def evidence(self, credentials: SealCredentials, now: datetime) -> ValidationContext:
        """Gather what proves the seal's certificates good now; pyHanko checks it before it is embedded."""
        authorities = [self._pki.certificate(name) for name in self._pki.authorities()]
        unit = self._pki.certificate(self._pki.current_unit())
        # The OCSP answer speaks for the seal's certificate, so the seal CA's own list is not needed.
        lists = [self._crls.current(name, now=now).der for name in (ROOT, self._pki.issuer_name(unit))]
        answers: list[bytes] = []
        anchors = self._pki.anchors()
        if credentials.licensed is None:
            answers.append(self._ocsp.answer_for(credentials.certificate, now=now))
        else:
            lists += credentials.licensed.lists(now=now)
            anchors = (*anchors, *credentials.licensed.anchors)
        return ValidationContext(
            trust_roots=[_to_asn1(c) for c in anchors],
            other_certs=[_to_asn1(c) for c in (*authorities, *credentials.chain, self._ocsp.certificate)],
            ocsps=answers,
            crls=lists,
            allow_fetching=False,
            revocation_mode="require",
            moment=now,
        )


class _ReferenceSigner(PdfSigner):
    """pyHanko's signer with the time passed in instead of read from the clock."""

    def __init__(
        self,
        metadata: PdfSignatureMetadata,
        signer: Signer,
        *,
        timestamper: TimeStamper | None,
        stamp_style: BaseStampStyle,
        now: datetime,
    ) -> None:
        super().__init__(metadata, signer, timestamper=timestamper, stamp_style=stamp_style)
        self._now = now

    def init_signing_session(
        self,
        pdf_out: BasePdfFileWriter,
        existing_fields_only: bool = False,  # noqa: FBT001, FBT002 - theirs
    ) -> PdfSigningSession:
        """Begin a session at the given time."""
        session = super().init_signing_session(pdf_out, existing_fields_only)
        session.system_time = self._now
        return session


class KeySigner(Signer):
    """Signs with the key of a seal."""

    def __init__(self, credentials: SealCredentials) -> None:
        self._key = credentials.key
        self._scheme = scheme_of(credentials.key.algorithm)
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call] # pyHanko's
        store.register_multiple(_to_asn1(c) for c in credentials.chain[:-1])
        super().__init__(
            signing_cert=_to_asn1(credentials.certificate),
            cert_registry=store,
            signature_mechanism=algos.SignedDigestAlgorithm({"algorithm": self._scheme.signature}),
            embed_roots=False,
        )

    async def async_sign_raw(
        self,
        data: bytes,
        digest_algorithm: str,
        dry_run: bool = False,  # noqa: FBT001, FBT002 - theirs
    ) -> bytes:
        """Sign, or return as many bytes as the longest signature takes."""
        if digest_algorithm != self._scheme.digest:
            raise SealingFailed(f"This seal signs over {self._scheme.digest}, not {digest_algorithm}.")
        if dry_run:
            return bytes(self._scheme.longest_signature_bytes)
        return self._key.sign(data)


class _Stamper(TimeStamper):
    """Asks our own time-stamp authority without leaving the process."""

    def __init__(self, tsa: TimeStampSource, now: datetime) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # pyHanko's
        self._tsa = tsa
        self._now = now

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Stamp."""
        return read_granted(self._tsa.respond(req.dump(), now=self._now))


class _KeepAppearance(BaseStampStyle):
    """Leaves the widget's appearance as `add_seal_field` made it."""

    def create_stamp(
        self, writer: BasePdfFileWriter, box: BoxConstraints, text_params: dict[str, Any]
    ) -> BaseStamp | None:
        """Draw nothing."""
        del writer, box, text_params
        return None


def _to_asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
