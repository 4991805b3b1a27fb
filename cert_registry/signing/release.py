"""The check between sealing and releasing, on a path that shares no code with the sealer.

A soft token once in a long while returns an invalid ECDSA signature, memory can fail, and a fast sealer can
have a fault: so the bytes are read again from nothing, and only what passes leaves the house.

Source: ISO 32000-1 clause 12.8.1 (ByteRange); EN 319 142-1 clause 6.3; RFC 3161 section 2.4.2.
"""

import functools
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from asn1crypto import cms, parser, tsp
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from cert_registry.signing.certificate_keys import der_of, digest_of_key
from cert_registry.signing.errors import ContentDiffers, CoverageBroken, SealBroken, StampBroken
from cert_registry.signing.release_cms import (
    check_chain,
    check_signer,
    find_certificate,
    parse_signed_data,
)
from cert_registry.signing.release_content import SealedContent
from cert_registry.signing.release_form import (
    NotThisForm,
    check_form,
    leads_to_anchor,
    read_signed_form,
    read_stamp_form,
)
from cert_registry.signing.release_graph import check_by_objects
from cert_registry.signing.release_revision import check_appended

# Whatever calls itself a ByteRange is found; without four numbers behind it the groups are empty.
_BYTE_RANGE = re.compile(rb"/ByteRange(?:\s*\[\s*(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s*\])?")
_UNITS_KEPT = 32
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
    content: SealedContent | None = None,
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
        content: What was rendered and how the seal looks; when given, the file must hold that and nothing else.
        stamped: Whether a time stamp is required (from level B-T on).
        archived: Whether a document time stamp must stand at the end (level B-LTA).

    Raises:
        CoverageBroken: The file or what the signature covers is not whole.
        SealBroken: The signature does not hold.
        StampBroken: The time stamp does not hold.
        ContentDiffers: The content is not what was rendered.
    """
    digest_name = digest_of_key(certificate)
    whole, cuts = _cuts(sealed, 2 if archived else 1, digest_name)
    if whole != expected_digest:  # (1) the file is the one the sealer made
        raise CoverageBroken("The file is not the one that was sealed.")
    digest, cms_der = cuts[0].digest, cuts[0].cms_der  # (2) each signature covers all but its own place
    try:
        stamped_at = _check_seal(
            cms_der, digest=digest, certificate=certificate, anchors=anchors, now=now, stamped=stamped
        )
        for cut in cuts[1:]:
            _check_token(cut.cms_der, imprint=cut.digest, digest_name=digest_name, anchors=anchors, now=now)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        # asn1crypto parses lazily, so a damaged part shows only where it is read
        raise SealBroken("A part of the signature cannot be read.") from error
    if content is not None:  # (7) what was sealed is what was rendered, and the seal is the approved one
        _check_content(sealed, content, cuts, certificate=certificate, anchors=anchors, now=now)
    return ReleaseEvidence(
        sha256=expected_digest,
        certificate_sha256=hashlib.sha256(der_of(certificate)).digest(),
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
    if not leads_to_anchor(der_of(certificate), form.certificates, _encoded(anchors)):
        raise SealBroken("The certificate does not lead to a trust anchor.")
    if not stamped:
        if form.stamp is not None:
            raise StampBroken("The signature carries a time stamp that was not asked for.")
        return None
    if form.stamp is None:
        raise StampBroken("The signature must carry one time stamp and nothing else unsigned.")
    imprint = hashlib.sha256(form.signature).digest()
    return _check_token(form.stamp, imprint=imprint, digest_name="sha256", anchors=anchors, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """One signature's digest of what it covers, the DER in its hole, where the hole is, and where its revision ends."""

    digest: bytes
    cms_der: bytes
    hole: tuple[int, int]
    end: int


def _cuts(sealed: bytes, count: int, digest_name: str) -> tuple[bytes, list[_Cut]]:
    """Return the SHA-256 of the file, and the signatures in the order of the file."""
    ranges = _BYTE_RANGE.findall(sealed)
    if len(ranges) != count or not all(numbers[0] for numbers in ranges):
        raise CoverageBroken(f"The file must hold exactly {count} ByteRange.")
    ends = [int(numbers[2]) + int(numbers[3]) for numbers in ranges]
    if ends != sorted(set(ends)) or ends[-1] != len(sealed):
        raise CoverageBroken("The ByteRange does not cover the whole file.")
    if any(not sealed[:end].endswith(b"%%EOF\n") for end in ends[:-1]):
        raise CoverageBroken("The seal does not cover a whole revision.")
    cuts: list[_Cut] = []
    view, at = memoryview(sealed), 0
    whole, covered = hashlib.sha256(), hashlib.new(digest_name)  # both over the same bytes, up to a hole
    for numbers, end in zip(ranges, ends, strict=True):
        before, after = hole = _hole(sealed, numbers)
        if before <= at:
            raise CoverageBroken("The ByteRange does not cover the whole file.")
        whole.update(view[at:before])
        covered = whole.copy() if digest_name == "sha256" else hashlib.new(digest_name, view[:before])
        covered.update(view[after:end])
        whole.update(view[before:end])
        cuts.append(
            _Cut(digest=covered.digest(), cms_der=_content_of(sealed[before:after]), hole=hole, end=end)
        )
        at = end
    return whole.digest(), cuts


def _hole(sealed: bytes, numbers: Sequence[bytes]) -> tuple[int, int]:
    """Return where the hole of one ByteRange begins and ends."""
    start, before, after = (int(number) for number in numbers[:3])
    if start != 0 or not 0 < before < after:
        raise CoverageBroken("The ByteRange does not cover the whole file.")
    hole = sealed[before:after]
    if not _HEX.fullmatch(hole) or len(hole) % 2 or not sealed.endswith(b"/Contents ", 0, before):
        raise CoverageBroken("The hole in the ByteRange is not the Contents alone.")
    return before, after


def _content_of(hole: bytes) -> bytes:
    """Return the DER in a hole, behind which only zeros may stand."""
    content = bytes.fromhex(hole[1:-1].decode())
    try:
        length = parser.peek(content)
    except ValueError as error:
        raise SealBroken("The Contents are not DER.") from error
    if any(content[length:]):
        raise CoverageBroken("The padding behind the signature is not zero.")
    return content[:length]


def _check_content(
    sealed: bytes,
    content: SealedContent,
    cuts: Sequence[_Cut],
    *,
    certificate: x509.Certificate,
    anchors: Sequence[x509.Certificate],
    now: datetime,
) -> None:
    """Compare with what was rendered: by the bytes behind the page, or object by object in a rewritten file."""
    if not sealed.startswith(content.page):
        check_by_objects(
            sealed, content, archived=len(cuts) > 1, certificate=certificate, anchors=anchors, now=now
        )
        return
    try:
        check_appended(
            sealed,
            content,
            ends=[cut.end for cut in cuts],
            holes=[cut.hole for cut in cuts],
            certificate=certificate,
            anchors=anchors,
            now=now,
        )
    except NotThisForm as error:  # a lenient reader might not see what is wrong with it
        raise ContentDiffers("What stands behind the page is not of the plain form.") from error


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
    unit = _unit(units[0])
    check_form(form, unit, digest=hashlib.sha256(content).digest(), broken=StampBroken)
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


@functools.lru_cache(maxsize=_UNITS_KEPT)
def _unit(der: bytes) -> x509.Certificate:
    """Read the certificate of a time-stamp unit."""
    unit = x509.load_der_x509_certificate(der)
    _check_unit(unit)
    return unit


def _check_unit(unit: x509.Certificate) -> None:
    usage = unit.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    if not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise StampBroken("The time stamp's certificate is not one for time stamps alone.")


def _encoded(certificates: Sequence[x509.Certificate]) -> tuple[bytes, ...]:
    return tuple(der_of(one) for one in certificates)
