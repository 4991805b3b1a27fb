"""What a sealed file itself proves, and until when: its level, its time stamps, and what they rest on.

The newest time stamp is judged at the time of asking, everything before it at the time that it proves. So a
file holds offline until the first of these ends: the certificates of the newest stamp's unit and of the CAs
above it, and the lists that say they are not revoked.

Source: EN 319 102-1 clauses 5.5 and 5.6; EN 319 142-1 clause 6.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from asn1crypto import cms, crl, x509
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError

from cert_registry.signing.errors import DocumentRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEvidence:
    """What a file proves by itself.

    Attributes:
        level: `B-B`, `B-T`, `B-LT` or `B-LTA`.
        stamps: How many document time stamps it holds.
        stamped_at: genTime of its newest time stamp of either kind; None without one.
        algorithms: Names of the newest stamp's digest and signature algorithms (asn1crypto's).
        holds_until: When the evidence of its newest stamp ends; None when there is none (B-B and B-T).
        ends_with: What ends first: `unit`, `authority` or `list`; empty without evidence.
        renewable_until: When the newest stamp's own certificates end; until then a new stamp can prove it, with
            newer lists if need be.
    """

    level: str
    stamps: int
    stamped_at: datetime | None
    algorithms: tuple[str, ...] = ()
    holds_until: datetime | None = None
    ends_with: str = ""
    renewable_until: datetime | None = None


def evidence_of(pdf: bytes) -> FileEvidence:
    """Read a file of ours; nothing in it is verified here.

    Raises:
        DocumentRefused: It is not a PDF with one seal.
    """
    try:
        reader = PdfFileReader(io.BytesIO(pdf))
        stamps = reader.embedded_timestamp_signatures
        seal = reader.embedded_signatures[0]
        tokens = [s.signed_data for s in stamps] or [
            token["content"]
            for attribute in seal.signer_info["unsigned_attrs"]
            if attribute["type"].native == "signature_time_stamp_token"
            for token in attribute["values"]
        ]
        store = _store_of(reader)
        return _judged(tokens, store, len(stamps))
    except (PdfError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DocumentRefused("That is not a file with a seal of ours.") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Store:
    certificates: tuple[x509.Certificate, ...]
    lists: tuple[crl.CertificateList, ...]


def _store_of(reader: PdfFileReader) -> _Store | None:
    try:
        store = DocumentSecurityStore.read_dss(reader)
    except NoDSSFoundError:
        return None
    lists = tuple(crl.CertificateList.load(reference.get_object().data) for reference in store.crls)
    return _Store(certificates=tuple(store.load_certs()), lists=lists)


def _judged(tokens: list[cms.SignedData], store: _Store | None, stamps: int) -> FileEvidence:
    if not tokens:
        return FileEvidence(level="B-B", stamps=0, stamped_at=None)
    newest = tokens[-1]
    stamped_at: datetime = newest["encap_content_info"]["content"].parsed["gen_time"].native
    signer = newest["signer_infos"][0]
    algorithms = (
        str(signer["digest_algorithm"]["algorithm"].native),
        str(signer["signature_algorithm"]["algorithm"].native),
    )
    if store is None or not store.lists:
        return FileEvidence(level="B-T", stamps=stamps, stamped_at=stamped_at, algorithms=algorithms)
    ends = _ends_of(newest, store)
    holds_until, ends_with = min(ends)
    return FileEvidence(
        level="B-LTA" if stamps else "B-LT",
        stamps=stamps,
        stamped_at=stamped_at,
        algorithms=algorithms,
        holds_until=holds_until,
        ends_with=ends_with,
        renewable_until=min(end for end, what in ends if what != "list"),
    )


def _ends_of(token: cms.SignedData, store: _Store) -> list[tuple[datetime, str]]:
    """When unit, authorities and the lists about them end; where a list is missing, at once."""
    embedded = [choice.chosen for choice in token["certificates"]]
    pool = [*embedded, *store.certificates]
    named = token["signer_infos"][0]["sid"].chosen
    wanted = (named["issuer"].hashable, named["serial_number"].native)
    current = next(c for c in pool if (c.issuer.hashable, c.serial_number) == wanted)
    ends: list[tuple[datetime, str]] = [(_not_after(current), "unit")]
    for _ in range(4):
        ends.append((_newest_end(current, store.lists), "list"))
        above = [c for c in pool if c.subject.hashable == current.issuer.hashable and c.ca]
        above = [c for c in above if c.key_identifier in {None, current.authority_key_identifier}]
        if not above or above[0].self_signed != "no":
            break
        current = above[0]
        ends.append((_not_after(current), "authority"))
    return ends


def _newest_end(certificate: x509.Certificate, lists: Iterable[crl.CertificateList]) -> datetime:
    found = [
        one["tbs_cert_list"]["next_update"].native
        for one in lists
        if one.issuer.hashable == certificate.issuer.hashable
        and one.authority_key_identifier in {None, certificate.authority_key_identifier}
    ]
    return max(found, default=datetime(1970, 1, 1, tzinfo=UTC))


def _not_after(certificate: x509.Certificate) -> datetime:
    end: datetime = certificate.not_valid_after
    return end
