"""Appending a document time stamp: how a sealed file reaches PAdES B-LTA, and how it is kept there.

One incremental update holds both the validation data of every time stamp in the file and the new stamp, which
is the last thing in the file and covers all of it. The bytes before are untouched, so the seal holds as before;
DocMDP P=1 permits exactly this (ISO 32000-2 clause 12.8.2.2.2).

Source: EN 319 142-1 clauses 5.5 and 6.3 (document-time-stamp, requirement y); EN 319 102-1 clause 5.6.
"""

import hashlib
import io
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from asn1crypto import cms, crl, ocsp, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import InvisSigSettings
from pyhanko.sign.general import SigningError as PyHankoSigningError
from pyhanko.sign.signers import PdfTimeStamper
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore

from cert_registry.signing.certificate_keys import digest_of_key
from cert_registry.signing.errors import DocumentRefused, SealingFailed
from cert_registry.signing.pki.crl import CrlPublisher
from cert_registry.signing.pki.directory import PkiDirectory
from cert_registry.signing.pki.stamp_answer import read_granted

#: Fields of document time stamps are named by this and their place in the file, from 1.
FIELD_PREFIX = "archive-stamp-"
#: Room for the token beyond its own length: serial numbers and ECDSA signatures differ by a few bytes.
_SPARE_BYTES = 64


class TimeStampSource(Protocol):
    """Whoever answers time-stamp requests: our own authority in this process, or one behind HTTP."""

    def respond(self, request_der: bytes, *, now: datetime) -> bytes:
        """Return a TimeStampResp (DER) for a TimeStampReq (DER).

        Raises:
            TimeStampUnavailable: Nobody answers.
        """
        ...


class OcspSource(Protocol):
    """Gives answers to embed about the signing certificates of seals."""

    certificate: x509.Certificate

    def answer_for(self, certificate: x509.Certificate, *, now: datetime) -> bytes:
        """Return an OCSPResponse (DER) without nonce."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StampedFile:
    """A file with a document time stamp at its end; `stamped_at` is the stamp's genTime."""

    pdf: bytes
    sha256: bytes
    stamped_at: datetime


class DocumentStamper:
    """Appends document time stamps; holds no keys.

    Args:
        pki: Certificates of the CAs.
        tsa: Who stamps.
        crls: Revocation lists of the CAs.
        ocsp: Answers about seals.
    """

    def __init__(
        self, *, pki: PkiDirectory, tsa: TimeStampSource, crls: CrlPublisher, ocsp: OcspSource
    ) -> None:
        self._pki = pki
        self._tsa = tsa
        self._crls = crls
        self._ocsp = ocsp

    def append(self, sealed: bytes, *, now: datetime) -> StampedFile:
        """Append validation data and a stamp to a sealed or already stamped file.

        Args:
            sealed: The file; it must hold one seal, and only document time stamps after it.
            now: Aware UTC time, for our own authority and for the evidence.

        Raises:
            DocumentRefused: It is not a file of that form.
            TimeStampUnavailable: The authority does not answer or refuses.
            AuthorityUnavailable: A CA above a stamp has no usable revocation list.
            TokenUnavailable: A revocation list is due and the token does not answer.
        """
        stamper = _Stamper(self._tsa, now)
        sample = (
            stamper.sample()
        )  # (1) ask once before anything is written: who stamps, and how long a token is
        try:
            reader = PdfFileReader(io.BytesIO(sealed))
            tokens, seal, earlier = _signatures(reader)  # (2) what the file holds
            writer = PlainUpdate.from_reader(reader)
            self._add_evidence(  # (3) evidence of every stamp, and of the seal while somebody speaks for it
                writer, [*tokens, sample], None if earlier else seal, now=now
            )
            output = PdfTimeStamper(  # (4) the stamp, outside the page and untagged: nothing to see or read
                stamper,
                field_name=f"{FIELD_PREFIX}{earlier + 1}",
                invis_settings=InvisSigSettings(box_out_of_bounds=True),
                readable_field_name="",
            ).timestamp_pdf(
                writer, _digest_of(sample), bytes_reserved=2 * (len(sample.dump()) + _SPARE_BYTES)
            )
        except (PdfError, ValueError, KeyError, TypeError) as error:
            raise DocumentRefused(f"The file cannot carry a time stamp: {error}.") from error
        except PyHankoSigningError as error:
            raise SealingFailed(f"The time stamp could not be appended: {error}.") from error
        stamped = output.getvalue()
        if not stamped.startswith(sealed):
            raise SealingFailed("The update did not keep the bytes before it.")
        return StampedFile(
            pdf=stamped, sha256=hashlib.sha256(stamped).digest(), stamped_at=stamper.stamped_at
        )

    def _add_evidence(
        self,
        writer: IncrementalPdfFileWriter,
        tokens: list[cms.ContentInfo],
        seal: x509.Certificate | None,
        *,
        now: datetime,
    ) -> None:
        """Add the chains of all units and the present lists of their CAs; what is there already stays."""
        store = _Store(writer)
        for token in tokens:
            unit = x509.load_der_x509_certificate(_signer_of(token).dump())
            self._add_chain(store, unit, with_own_list=True, now=now)
        if seal is not None and now <= min(
            seal.not_valid_after_utc, self._ocsp.certificate.not_valid_after_utc
        ):
            # Said after the sealing, so it speaks for the moment of sealing too. EU DSS counts a store as
            # level LT only where it grew behind the signature, and this is what makes it grow.
            self._add_chain(store, seal, with_own_list=False, now=now)
            store.ocsps.append(ocsp.OCSPResponse.load(self._ocsp.answer_for(seal, now=now)))
            store.add_certificate(self._ocsp.certificate)
        store.write()

    def _add_chain(
        self, store: "_Store", certificate: x509.Certificate, *, with_own_list: bool, now: datetime
    ) -> None:
        chain = (certificate, *self._pki.chain(certificate))
        for one in chain[:-1]:  # the root is the validator's own
            store.add_certificate(one)
            if with_own_list or one is not certificate:
                store.add_list(self._crls.current(self._pki.issuer_name(one), now=now).der)


class _Store:
    """What is to be added to the document security store, each value once."""

    def __init__(self, writer: IncrementalPdfFileWriter) -> None:
        self._writer = writer
        self._certificates: dict[bytes, asn1_x509.Certificate] = {}
        self._lists: dict[bytes, crl.CertificateList] = {}
        self.ocsps: list[ocsp.OCSPResponse] = []

    def add_certificate(self, certificate: x509.Certificate) -> None:
        der = certificate.public_bytes(Encoding.DER)
        self._certificates.setdefault(der, asn1_x509.Certificate.load(der))

    def add_list(self, der: bytes) -> None:
        self._lists.setdefault(der, crl.CertificateList.load(der))

    def write(self) -> None:
        DocumentSecurityStore.supply_dss_in_writer(
            self._writer,
            None,
            certs=list(self._certificates.values()),
            crls=list(self._lists.values()),
            ocsps=self.ocsps,
        )


def _signatures(reader: PdfFileReader) -> tuple[list[cms.ContentInfo], x509.Certificate, int]:
    """Return every time-stamp token, the seal's certificate, and how many document time stamps there are.

    Raises:
        DocumentRefused: Not one seal first and stamps after it.
    """
    signatures = reader.embedded_signatures
    stamps = reader.embedded_timestamp_signatures
    kinds = [one.sig_object.get("/Type") for one in signatures]
    if len(signatures) - len(stamps) != 1 or kinds[0] != "/Sig":
        raise DocumentRefused("A file to be stamped must hold one seal, and only stamps after it.")
    seal = signatures[0]
    tokens: list[cms.ContentInfo] = []
    for attribute in seal.signer_info["unsigned_attrs"]:
        if attribute["type"].native == "signature_time_stamp_token":
            tokens.extend(attribute["values"])
    tokens += [cms.ContentInfo({"content_type": "signed_data", "content": s.signed_data}) for s in stamps]
    return tokens, x509.load_der_x509_certificate(seal.signer_cert.dump()), len(stamps)


def _signer_of(token: cms.ContentInfo) -> asn1_x509.Certificate:
    signed = token["content"]
    named = signed["signer_infos"][0]["sid"].chosen
    for choice in signed["certificates"]:
        candidate = choice.chosen
        if (candidate.issuer, candidate.serial_number) == (named["issuer"], named["serial_number"].native):
            return candidate
    raise DocumentRefused("A time stamp in the file does not hold its unit's certificate.")


def _digest_of(token: cms.ContentInfo) -> str:
    """Return the digest that goes with the key of whoever stamps."""
    return digest_of_key(x509.load_der_x509_certificate(_signer_of(token).dump()))


class PlainUpdate(IncrementalPdfFileWriter):
    """An update that leaves dates in the metadata alone: nothing is added but what the caller adds."""

    def _update_meta(self) -> None:
        return


class _Stamper(TimeStamper):
    """Asks a time-stamp source with the time passed in."""

    def __init__(self, tsa: TimeStampSource, now: datetime) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # pyHanko's
        self._tsa = tsa
        self._now = now
        self.stamped_at = now

    def sample(self) -> cms.ContentInfo:
        """Return a token over nothing."""
        request = tsp.TimeStampReq(
            {
                "version": 1,
                "message_imprint": {
                    "hash_algorithm": {"algorithm": "sha256"},
                    "hashed_message": hashlib.sha256(b"").digest(),
                },
                "nonce": 1 << 63,
                "cert_req": True,
            }
        )
        return self._ask(request)["time_stamp_token"]

    def _ask(self, request: tsp.TimeStampReq) -> tsp.TimeStampResp:
        response = read_granted(self._tsa.respond(request.dump(), now=self._now))
        token = response["time_stamp_token"]
        self.stamped_at = token["content"]["encap_content_info"]["content"].parsed["gen_time"].native
        return response

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Stamp."""
        return self._ask(req)


__all__ = ["DocumentStamper", "OcspSource", "PlainUpdate", "StampedFile", "TimeStampSource"]
