"""The signed QR text: an address that any phone opens, and behind `#` a proof that needs no connection.

    HTTP(S)://HOST[:PORT]/VERIFY#LZ1:<payload>

    payload    = Base45 (RFC 9285) of zlib (RFC 1950) of COSE_Sign1, where ` ` is written %20 and `%` is %25
    COSE_Sign1 = tag 18 [protected {1: -7 (ES256), 4: kid}, {}, claims, signature r ‖ s (64 bytes)]
    kid        = first 8 bytes of SHA-256 of the signing certificate (DER)
    claims     = {1: issuer code, 4: end of validity (s, absent for 长期), 6: issued at (s),
                  -65537: {1: identifier, 2: check code, 3: SHA-256 of ecert.json}}

All of it but `#` is in the alphanumeric set of QR codes, hence capital letters in the address: `/VERIFY` is
routed. The fragment stays in the browser; no server log sees it. CBOR is in canonical form (RFC 8949 4.2.1).
"""

from __future__ import annotations

import hashlib
import re
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NewType

import base45
import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from cert_registry.catalog.errors import CatalogError, QrRefused
from cert_registry.check_code import CheckCode, parse_check_code
from cert_registry.identifier import parse_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KeyId = NewType("KeyId", bytes)
"""8 bytes."""

PREFIX = "LZ1:"
MAXIMUM_TEXT = 2000  # characters; a real one has about 450
MAXIMUM_COSE = 1024  # bytes after decompression
CLOCK_SKEW = timedelta(minutes=10)

_ES256 = -7
_OWN_CLAIM = -65537  # private use
_COSE_SIGN1 = 18
_TEXT = re.compile(r"HTTPS?://[A-Z0-9.-]{1,253}(?::[1-9][0-9]{0,4})?/VERIFY#LZ1:([0-9A-Z$%*+./:-]+)")
_ESCAPE = re.compile(r"%(?:20|25)")


@dataclass(frozen=True, slots=True, kw_only=True)
class QrClaims:
    """What a QR code says.

    Args:
        issuer_code: Credit code of the issuing authority.
        identifier: GB/T 36904.
        check_code: 查验码.
        twin_sha256: 32 bytes, of the attached `ecert.json`.
        issued_at: Aware, UTC, whole seconds.
        ends_at: First instant after the last day; None for 长期.
    """

    issuer_code: str
    identifier: str
    check_code: CheckCode = field(repr=False)
    twin_sha256: bytes
    issued_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedQr:
    """A QR text that is well formed; nothing in it is proved yet.

    Args:
        key_id: Which key should have signed.
        claims: What it says.
        to_be_signed: COSE Sig_structure.
        signature: r ‖ s, 64 bytes.
    """

    key_id: KeyId
    claims: QrClaims
    to_be_signed: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedQr:
    """A QR text whose signature holds; says nothing about the ecert's state now.

    Args:
        claims: What it says.
        key_id: Which key signed.
        ended: Whether validity had ended at the time of asking.
    """

    claims: QrClaims
    key_id: KeyId
    ended: bool


def key_id(signing_certificate_der: bytes) -> KeyId:
    """The key id of a signing certificate."""
    return KeyId(hashlib.sha256(signing_certificate_der).digest()[:8])


def sign_qr(claims: QrClaims, *, kid: KeyId, sign: Callable[[bytes], bytes]) -> bytes:
    """The COSE_Sign1 message.

    Args:
        claims: What the code shall say.
        kid: Key id of the signing certificate.
        sign: ECDSA P-256 over SHA-256 of its argument, DER `ECDSA-Sig-Value`.

    Source: RFC 9052 4.2 and 4.4.
    """
    protected = _cbor({1: _ES256, 4: kid})
    payload = _cbor(_claims_map(claims))
    r, s = decode_dss_signature(sign(_to_be_signed(protected, payload)))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return _cbor(cbor2.CBORTag(_COSE_SIGN1, [protected, {}, payload, signature]))


def qr_text(verify_origin: str, message: bytes) -> str:
    """The text of the QR code.

    Args:
        verify_origin: Scheme, host and port of the public verify page, for example `https://host`.
        message: From `sign_qr`.

    Raises:
        QrRefused: The address cannot be written in capital letters, or the text is too long.
    """
    packed = base45.b45encode(zlib.compress(message, 9)).decode()
    escaped = packed.replace("%", "%25").replace(" ", "%20")
    text = f"{verify_origin.upper().rstrip('/')}/VERIFY#{PREFIX}{escaped}"
    if len(text) > MAXIMUM_TEXT or not _TEXT.fullmatch(text):
        raise QrRefused("form", "查验地址不能写入二维码。")
    return text


def read_qr(unverified_text: str) -> UnverifiedQr:
    """Read a QR text, strictly: every layer must have exactly the form that `qr_text` gives it.

    Only compression is free: one message has many zlib streams, and other libraries write others than ours.

    Raises:
        QrRefused: With `rule` one of `form`, `base45`, `zlib`, `cose`, `claims`.
    """
    match = _TEXT.fullmatch(unverified_text) if len(unverified_text) <= MAXIMUM_TEXT else None
    if match is None:
        raise QrRefused("form", "这不是本系统的证照二维码。")
    message = _unpack(match[1])
    protected, payload, signature = _sign1(message)
    header = _canonical(protected, "cose")
    if not isinstance(header, dict) or header.keys() != {1, 4} or header[1] != _ES256:
        raise QrRefused("cose", "二维码的签名算法不受支持。")
    if not isinstance(header[4], bytes) or len(header[4]) != 8:
        raise QrRefused("cose", "二维码的密钥标识不对。")
    return UnverifiedQr(
        key_id=KeyId(header[4]),
        claims=_claims(_canonical(payload, "claims")),
        to_be_signed=_to_be_signed(protected, payload),
        signature=signature,
    )


def verify_qr(
    unverified_text: str, keys: Mapping[KeyId, ec.EllipticCurvePublicKey], *, now: datetime
) -> VerifiedQr:
    """A QR text whose signature holds under one of the given keys; needs no connection.

    Args:
        unverified_text: As scanned.
        keys: Trusted keys by key id.
        now: Aware, UTC.

    Raises:
        QrRefused: As `read_qr`, and `unknown-key`, `signature`, `issued-in-future`.
    """
    unverified = read_qr(unverified_text)
    key = keys.get(unverified.key_id)
    if key is None:
        raise QrRefused("unknown-key", "二维码不是由所信任的机构签发的。")
    der = encode_dss_signature(
        int.from_bytes(unverified.signature[:32], "big"), int.from_bytes(unverified.signature[32:], "big")
    )
    try:
        key.verify(der, unverified.to_be_signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise QrRefused("signature", "二维码的签名不成立，内容可能被改动。") from error
    claims = unverified.claims
    if claims.issued_at > now + CLOCK_SKEW:
        raise QrRefused("issued-in-future", "二维码的签发时间在未来，请检查本机时间。")
    ended = claims.ends_at is not None and now >= claims.ends_at
    return VerifiedQr(claims=claims, key_id=unverified.key_id, ended=ended)


def _unpack(escaped: str) -> bytes:
    if _ESCAPE.sub("", escaped).count("%"):
        raise QrRefused("base45", "二维码内容不完整。")
    packed = _ESCAPE.sub(lambda found: " " if found[0] == "%20" else "%", escaped)
    try:
        compressed = base45.b45decode(packed)
    except ValueError as error:
        raise QrRefused("base45", "二维码内容不完整。") from error
    inflater = zlib.decompressobj()
    try:
        message = inflater.decompress(compressed, MAXIMUM_COSE + 1)
    except zlib.error as error:
        raise QrRefused("zlib", "二维码内容不完整。") from error
    if len(message) > MAXIMUM_COSE or not inflater.eof or inflater.unused_data:
        raise QrRefused("zlib", "二维码内容不完整。")
    return message


def _sign1(message: bytes) -> tuple[bytes, bytes, bytes]:
    tagged = _canonical(message, "cose")
    body = tagged.value if isinstance(tagged, cbor2.CBORTag) and tagged.tag == _COSE_SIGN1 else None
    if not isinstance(body, list | tuple) or len(body) != 4:
        raise QrRefused("cose", "二维码内容不是签名数据。")
    protected, unprotected, payload, signature = body
    if unprotected != {} or not all(isinstance(part, bytes) for part in (protected, payload, signature)):
        raise QrRefused("cose", "二维码内容不是签名数据。")
    if len(signature) != 64:
        raise QrRefused("cose", "二维码的签名长度不对。")
    return protected, payload, signature


def _claims_map(claims: QrClaims) -> dict[int, Any]:
    own = {1: claims.identifier, 2: str(claims.check_code), 3: claims.twin_sha256}
    times = {6: int(claims.issued_at.timestamp())}
    if claims.ends_at is not None:
        times[4] = int(claims.ends_at.timestamp())
    return {1: claims.issuer_code, **times, _OWN_CLAIM: own}


def _claims(parsed: Any) -> QrClaims:
    if not isinstance(parsed, dict) or not {1, 6, _OWN_CLAIM} <= parsed.keys() <= {1, 4, 6, _OWN_CLAIM}:
        raise QrRefused("claims", "二维码内容缺项或多项。")
    own = parsed[_OWN_CLAIM]
    if not isinstance(own, dict) or own.keys() != {1, 2, 3}:
        raise QrRefused("claims", "二维码内容缺项或多项。")
    issuer, identifier, check_code, digest = parsed[1], own[1], own[2], own[3]
    if not all(isinstance(text, str) for text in (issuer, identifier, check_code)):
        raise QrRefused("claims", "二维码内容的类型不对。")
    if not isinstance(digest, bytes) or len(digest) != 32:
        raise QrRefused("claims", "二维码中的摘要不对。")
    try:
        parts = parse_identifier(identifier)
        code = parse_check_code(check_code)
    except CatalogError as error:
        raise QrRefused("claims", "二维码中的证照标识或查验码不对。") from error
    if parts.issuer_code != issuer or code != check_code:
        raise QrRefused("claims", "二维码中的发证机关与证照标识不符。")
    return QrClaims(
        issuer_code=issuer,
        identifier=identifier,
        check_code=code,
        twin_sha256=digest,
        issued_at=_instant(parsed[6]),
        ends_at=_instant(parsed[4]) if 4 in parsed else None,
    )


def _instant(seconds: Any) -> datetime:
    if type(seconds) is not int or not 0 <= seconds < 253_402_300_800:  # before the year 10000
        raise QrRefused("claims", "二维码中的时间不对。")
    return datetime.fromtimestamp(seconds, UTC)


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    return _cbor(["Signature1", protected, b"", payload])


def _cbor(value: Any) -> bytes:
    return cbor2.dumps(value, canonical=True)


def _canonical(encoded: bytes, rule: str) -> Any:
    """A CBOR value that serialises back to the same bytes."""
    try:
        value = cbor2.loads(encoded)
        again = _cbor(value)
    except (cbor2.CBORError, ValueError, TypeError, RecursionError) as error:
        raise QrRefused(rule, "二维码内容不是有效的数据。") from error
    if again != encoded:
        raise QrRefused(rule, "二维码内容不是规范形式。")
    return value
