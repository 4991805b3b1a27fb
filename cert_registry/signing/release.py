"""The check between sealing and releasing, on a path that shares no code with the sealer.

A soft token once in a long while returns an invalid ECDSA signature, memory can fail, and a fast sealer can
have a fault: so the bytes are read again from nothing, and only what passes leaves the house.

Source: ISO 32000-1 clause 12.8.1 (ByteRange); EN 319 142-1 clause 6.3; RFC 3161 section 2.4.2.
"""

import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pikepdf
from asn1crypto import cms, parser, tsp
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from cert_registry.signing.certificate_keys import digest_of_key
from cert_registry.signing.errors import ContentDiffers, CoverageBroken, SealBroken, StampBroken
from cert_registry.signing.release_cms import (
    check_chain,
    check_signer,
    find_certificate,
    parse_signed_data,
)
from cert_registry.signing.release_form import (
    NotThisForm,
    check_form,
    leads_to_anchor,
    read_signed_form,
    read_stamp_form,
)

_BYTE_RANGE = re.compile(rb"/ByteRange\s*\[\s*(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s*\]")
_HEX = re.compile(rb"<(?:[0-9a-f]*|[0-9A-F]*)>")
_CLOCKS_MAY_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseEvidence:
    """What the check found: the file's SHA-256, who sealed it, and the stamped time if there is one."""

    sha256: bytes
    certificate_sha256: bytes
    stamped_at: datetime | None


def check_before_release(
    sealed: bytes,
    *,
    expected_digest: bytes,
    certificate: x509.Certificate,
    anchors: Sequence[x509.Certificate],
    now: datetime,
    page: bytes | None = None,
    stamped: bool = True,
    archived: bool = False,
) -> ReleaseEvidence:
    """Check a freshly sealed file.

    Args:
        sealed: The file.
        expected_digest: SHA-256 that the sealer named.
        certificate: The seal's signing certificate.
        anchors: Trust anchors.
        now: Aware UTC time.
        page: The rendered document; when given, pages and attachments must be the same.
        stamped: Whether a time stamp is required (from level B-T on).
        archived: Whether a document time stamp must stand at the end (level B-LTA).

    Raises:
        CoverageBroken: The file or what the signature covers is not whole.
        SealBroken: The signature does not hold.
        StampBroken: The time stamp does not hold.
        ContentDiffers: The content is not what was rendered.
    """
    if hashlib.sha256(sealed).digest() != expected_digest:  # (1) the file is the one the sealer made
        raise CoverageBroken("The file is not the one that was sealed.")
    digest_name = digest_of_key(certificate)
    cuts = _cuts(sealed, 2 if archived else 1, digest_name)  # (2) each signature covers all but its own place
    digest, cms_der = cuts[0]
    try:
        stamped_at = _check_seal(
            cms_der, digest=digest, certificate=certificate, anchors=anchors, now=now, stamped=stamped
        )
        for digest, token in cuts[1:]:
            _check_token(token, imprint=digest, digest_name=digest_name, anchors=anchors, now=now)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        # asn1crypto parses lazily, so a damaged part shows only where it is read
        raise SealBroken("A part of the signature cannot be read.") from error
    if page is not None:  # (7) what was sealed is what was rendered
        _check_same_content(page, sealed)
    return ReleaseEvidence(
        sha256=expected_digest,
        certificate_sha256=hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest(),
        stamped_at=stamped_at,
    )


def _check_seal(
    cms_der: bytes,
    *,
    digest: bytes,
    certificate: x509.Certificate,
    anchors: Sequence[x509.Certificate],
    now: datetime,
    stamped: bool,
) -> datetime | None:
    _check_usable(certificate, now)
    try:
        return _check_seal_form(
            cms_der, digest=digest, certificate=certificate, anchors=anchors, now=now, stamped=stamped
        )
    except NotThisForm:
        pass  # the general reader says what is wrong, if anything is
    signed_data = parse_signed_data(cms_der, SealBroken)
    signer = signed_data["signer_infos"][0]
    embedded = find_certificate(signed_data, signer, SealBroken)
    if embedded != certificate:  # (3) by this seal
        raise SealBroken("The file was sealed by another certificate than expected.")
    attributes = check_signer(  # (4) attributes and signature
        signer, certificate=certificate, digest=digest, content_type="data", broken=SealBroken
    )
    if "signing_time" in attributes or signed_data["encap_content_info"]["content"].native is not None:
        raise SealBroken("The signature is not of the PAdES form.")
    check_chain(certificate, embedded=signed_data, anchors=anchors, broken=SealBroken)  # (5) under our root
    return _check_stamp(signer, anchors=anchors, now=now) if stamped else None  # (6) time stamp


def _check_seal_form(
    cms_der: bytes,
    *,
    digest: bytes,
    certificate: x509.Certificate,
    anchors: Sequence[x509.Certificate],
    now: datetime,
    stamped: bool,
) -> datetime | None:
    """Check a seal of the usual form; (3) to (6) of the general way, in the same order."""
    form = read_signed_form(cms_der, is_stamp=False)
    check_form(form, certificate, digest=digest, broken=SealBroken)
    if not leads_to_anchor(certificate.public_bytes(Encoding.DER), form.certificates, _encoded(anchors)):
        raise SealBroken("The certificate does not lead to a trust anchor.")
    if not stamped:
        if form.stamp is not None:
            raise StampBroken("The signature carries a time stamp that was not asked for.")
        return None
    if form.stamp is None:
        raise StampBroken("The signature must carry one time stamp and nothing else unsigned.")
    imprint = hashlib.sha256(form.signature).digest()
    return _check_token(form.stamp, imprint=imprint, digest_name="sha256", anchors=anchors, now=now)


def _cuts(sealed: bytes, count: int, digest_name: str) -> list[tuple[bytes, bytes]]:
    """Return, for each signature in the order of the file, the digest of what it covers and the DER in its hole."""
    ranges = _BYTE_RANGE.findall(sealed)
    if len(ranges) != count or sealed.count(b"/ByteRange") != count:
        raise CoverageBroken(f"The file must hold exactly {count} ByteRange.")
    ends = [int(numbers[2]) + int(numbers[3]) for numbers in ranges]
    if ends != sorted(set(ends)) or ends[-1] != len(sealed):
        raise CoverageBroken("The ByteRange does not cover the whole file.")
    if any(not sealed[:end].endswith(b"%%EOF\n") for end in ends[:-1]):
        raise CoverageBroken("The seal does not cover a whole revision.")
    return [_cut(sealed, numbers, digest_name) for numbers in ranges]


def _cut(sealed: bytes, numbers: Sequence[bytes], digest_name: str) -> tuple[bytes, bytes]:
    """Return the digest of what one ByteRange covers and the DER in its hole."""
    start, before, after, rest = (int(number) for number in numbers)
    if start != 0 or not 0 < before < after:
        raise CoverageBroken("The ByteRange does not cover the whole file.")
    hole = sealed[before:after]
    if not _HEX.fullmatch(hole) or len(hole) % 2 or not sealed.endswith(b"/Contents ", 0, before):
        raise CoverageBroken("The hole in the ByteRange is not the Contents alone.")
    content = bytes.fromhex(hole[1:-1].decode())
    try:
        length = parser.peek(content)
    except ValueError as error:
        raise SealBroken("The Contents are not DER.") from error
    if any(content[length:]):
        raise CoverageBroken("The padding behind the signature is not zero.")
    view = memoryview(sealed)
    covered = hashlib.new(digest_name, view[:before])
    covered.update(view[after : after + rest])
    return covered.digest(), content[:length]


def _check_usable(certificate: x509.Certificate, now: datetime) -> None:
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise SealBroken("The signing certificate is not valid now.")
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    if not usage.content_commitment:
        raise SealBroken("The signing certificate is not one for seals.")


def _check_stamp(signer: cms.SignerInfo, *, anchors: Sequence[x509.Certificate], now: datetime) -> datetime:
    attributes = [a for a in signer["unsigned_attrs"] if a["type"].native == "signature_time_stamp_token"]
    if len(attributes) != 1 or len(signer["unsigned_attrs"]) != 1 or len(attributes[0]["values"]) != 1:
        raise StampBroken("The signature must carry one time stamp and nothing else unsigned.")
    digest_name = str(signer["digest_algorithm"]["algorithm"].native)  # that of the seal, checked before
    return _check_token(
        attributes[0]["values"][0].dump(),
        imprint=hashlib.new(digest_name, signer["signature"].native).digest(),
        digest_name=digest_name,
        anchors=anchors,
        now=now,
    )


def _check_token(
    encoded: bytes,
    *,
    imprint: bytes,
    digest_name: str,
    anchors: Sequence[x509.Certificate],
    now: datetime,
) -> datetime:
    """Check a time-stamp token over a digest of that name; returns the stamped time."""
    try:
        stamped_at = _check_token_form(encoded, imprint=imprint, anchors=anchors)
    except NotThisForm:
        stamped_at = _check_token_generally(
            encoded, imprint=imprint, digest_name=digest_name, anchors=anchors
        )
    if abs(stamped_at - now) > _CLOCKS_MAY_DIFFER:
        raise StampBroken("The stamped time is far from now.")
    return stamped_at


def _check_token_form(encoded: bytes, *, imprint: bytes, anchors: Sequence[x509.Certificate]) -> datetime:
    form = read_signed_form(encoded, is_stamp=True)
    content = form.content or b""
    info = read_stamp_form(content)
    if info.imprint != imprint:
        raise StampBroken("The time stamp belongs to another signature.")
    units = [one for one in form.certificates if hashlib.sha256(one).digest() == form.certificate_hash]
    if len(units) != 1:
        raise NotThisForm
    unit = x509.load_der_x509_certificate(units[0])
    check_form(form, unit, digest=hashlib.sha256(content).digest(), broken=StampBroken)
    _check_unit(unit)
    if not leads_to_anchor(units[0], form.certificates, _encoded(anchors)):
        raise StampBroken("The certificate does not lead to a trust anchor.")
    return datetime.strptime(info.time, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _check_token_generally(
    encoded: bytes, *, imprint: bytes, digest_name: str, anchors: Sequence[x509.Certificate]
) -> datetime:
    token = parse_signed_data(encoded, StampBroken)
    content = bytes(token["encap_content_info"]["content"])
    info = tsp.TSTInfo.load(content, strict=True)
    if info["message_imprint"]["hash_algorithm"]["algorithm"].native != digest_name:
        raise StampBroken("The time stamp must be over the digest that the seal is over.")
    if info["message_imprint"]["hashed_message"].native != imprint:
        raise StampBroken("The time stamp belongs to another signature.")
    stamper = token["signer_infos"][0]
    unit = find_certificate(token, stamper, StampBroken)
    check_signer(
        stamper,
        certificate=unit,
        digest=hashlib.new(digest_of_key(unit), content).digest(),
        content_type="tst_info",
        broken=StampBroken,
    )
    _check_unit(unit)
    check_chain(unit, embedded=token, anchors=anchors, broken=StampBroken)
    stamped_at: datetime = info["gen_time"].native
    return stamped_at


def _check_unit(unit: x509.Certificate) -> None:
    usage = unit.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    if not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise StampBroken("The time stamp's certificate is not one for time stamps alone.")


def _encoded(certificates: Sequence[x509.Certificate]) -> tuple[bytes, ...]:
    return tuple(one.public_bytes(Encoding.DER) for one in certificates)


def _check_same_content(page: bytes, sealed: bytes) -> None:
    try:
        with pikepdf.open(io.BytesIO(page)) as before, pikepdf.open(io.BytesIO(sealed)) as after:
            pages = (list(before.pages), list(after.pages))
            same_pages = len(pages[0]) == len(pages[1]) and all(map(_same_drawing, *pages))
            same_attachments = _attachments(before) == _attachments(after)
    except pikepdf.PdfError as error:
        raise ContentDiffers("The sealed file cannot be read as a PDF.") from error
    if not same_pages:
        raise ContentDiffers("The pages of the sealed file are not those that were rendered.")
    if not same_attachments:
        raise ContentDiffers("The attachments of the sealed file are not those that were rendered.")


def _same_drawing(before: pikepdf.Page, after: pikepdf.Page) -> bool:
    """Tell whether two pages draw the same: stored alike, or else alike once decoded."""
    streams = [_streams(page) for page in (before, after)]
    if all(_is_simply_stored(one) for group in streams for one in group):
        stored = [[(one.read_raw_bytes(), str(one.get("/Filter"))) for one in group] for group in streams]
        if stored[0] == stored[1]:
            return True
    decoded = [b"\n".join(one.read_bytes() for one in group) for group in streams]
    return decoded[0] == decoded[1]


def _streams(page: pikepdf.Page) -> list[pikepdf.Object]:
    contents = page.obj.Contents
    return list(contents) if isinstance(contents, pikepdf.Array) else [contents]


def _is_simply_stored(stream: pikepdf.Object) -> bool:
    """Tell whether a stream's bytes and the name of its one filter say all about what it decodes to."""
    return "/DecodeParms" not in stream and isinstance(
        stream.get("/Filter", pikepdf.Name.None_), pikepdf.Name
    )


def _attachments(document: pikepdf.Pdf) -> dict[str, bytes]:
    return {name: spec.get_file().read_bytes() for name, spec in document.attachments.items()}
