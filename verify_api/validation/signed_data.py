"""One CMS SignedData taken apart: its signer, its certificates, what it says.

Source: RFC 5652, RFC 5035, RFC 3161, EN 319 122-1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asn1crypto import cms, core, tsp, x509
from pyhanko.sign.validation.generic_cms import get_signing_cert_attr

from verify_api.validation import strict_der
from verify_api.validation.errors import MalformedSyntax
from verify_api.validation.known import certificate_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")  # id-signedData
_STAMP = "signature_time_stamp_token"


class SignatureUnreadable(MalformedSyntax):
    """The CMS cannot be taken apart; the message is a Chinese clause."""

    code = "cms-unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedContent:
    """A CMS that was taken apart; nothing in it is verified yet."""

    signed_data: cms.SignedData
    signer_info: cms.SignerInfo
    signer: x509.Certificate | None
    certificates: tuple[x509.Certificate, ...]  # all embedded that can be read, signer's included
    unreadable_certificates: int
    digest_name: str
    encoded: bytes  # the CMS without padding
    padding: bytes
    departures: frozenset[strict_der.Departure]

    @property
    def stamps(self) -> list[Any]:
        """The signature time stamp tokens (ContentInfo), unverified."""
        unsigned = self.signer_info["unsigned_attrs"]
        if isinstance(unsigned, core.Void):
            return []
        return [
            v for attribute in unsigned if attribute["type"].native == _STAMP for v in attribute["values"]
        ]


class SignatureUnusual(SignatureUnreadable):
    """It is a CMS, but one that cannot be worked with; that proves no alteration."""

    code = "cms-unusual"


def take_apart(raw: bytes) -> SignedContent:
    """Parse a CMS that may be followed by padding.

    Raises:
        SignatureUnusual: It is a CMS, but not a SignedData with one signer, or one with parts that cannot be read.
        SignatureUnreadable: It is no CMS.
    """
    try:
        end, departures = strict_der.inspect(raw)
    except MalformedSyntax as error:
        kind = SignatureUnusual if _begins_like_cms(raw) else SignatureUnreadable
        raise kind("签名值残缺，无法解析") from error
    if not _begins_like_cms(raw):
        raise SignatureUnreadable("签名值残缺，无法解析")
    try:
        info = cms.ContentInfo.load(raw[:end], strict=True)
        if len(info["content"]["signer_infos"]) == 1:
            return _parts(info["content"], raw[:end], raw[end:], departures)
    except MemoryError:
        raise
    except Exception as error:
        raise SignatureUnusual("签名值残缺，无法解析") from error
    raise SignatureUnusual("签名值不是恰好一个签名者的签名数据")


def _begins_like_cms(raw: bytes) -> bool:
    return raw[:1] == b"\x30" and _SIGNED_DATA in raw[:20]


def _parts(
    signed: cms.SignedData, encoded: bytes, padding: bytes, departures: frozenset[strict_der.Departure]
) -> SignedContent:
    """Parse everything that is looked at later, so that damage shows here and not there.

    Attributes and extensions that nobody here looks at are left alone: honest signers write odd ones.
    """
    signer_info = signed["signer_infos"][0]
    digest_name = str(signer_info["digest_algorithm"]["algorithm"].native)
    _ = signer_info["signature"].native, signed["encap_content_info"]["content_type"].native
    _ = signer_info["sid"].name, str(signer_info["signature_algorithm"]["algorithm"].dotted)
    for key in ("signed_attrs", "unsigned_attrs"):
        if not isinstance(signer_info[key], core.Void):
            _ = [(attribute["type"].native, len(attribute["values"])) for attribute in signer_info[key]]
    certificates, unreadable = _certificates(signed)
    return SignedContent(
        signed_data=signed,
        signer_info=signer_info,
        signer=find_signer(signer_info, certificates),
        certificates=certificates,
        unreadable_certificates=unreadable,
        digest_name=digest_name,
        encoded=encoded,
        padding=padding,
        departures=departures,
    )


def _certificates(signed: cms.SignedData) -> tuple[tuple[x509.Certificate, ...], int]:
    if isinstance(signed["certificates"], core.Void):
        return (), 0
    parsed: list[x509.Certificate] = []
    unreadable = 0
    for choice in signed["certificates"]:
        if choice.name != "certificate":
            continue
        certificate = certificate_of(choice.chosen.dump())
        if certificate is None:
            unreadable += 1
        else:
            parsed.append(certificate)
    return tuple(parsed), unreadable


def find_signer(signer_info: cms.SignerInfo, pool: Iterable[x509.Certificate]) -> x509.Certificate | None:
    """Return the certificate that a SignerInfo names, None when it is not in the pool."""
    try:
        name, chosen = signer_info["sid"].name, signer_info["sid"].chosen
        if name == "issuer_and_serial_number":
            issuer, serial = chosen["issuer"].hashable, chosen["serial_number"].native
            fits = (c for c in pool if c.serial_number == serial and c.issuer.hashable == issuer)
        else:
            fits = (c for c in pool if c.key_identifier == chosen.native)
        return next(fits, None)
    except (ValueError, TypeError, KeyError):
        return None


def has_signing_certificate_attribute(content: SignedContent) -> bool:
    """Tell whether the signed attributes name the signing certificate (ESS)."""
    try:
        return get_signing_cert_attr(content.signer_info["signed_attrs"]) is not None
    except Exception:  # noqa: BLE001 - a malformed attribute counts as none; integrity checks refuse it
        return False


def claimed_time(content: SignedContent) -> datetime | None:
    """Return the signing-time attribute, when there is one."""
    attributes = content.signer_info["signed_attrs"]
    if isinstance(attributes, core.Void):
        return None
    for attribute in attributes:
        if attribute["type"].native == "signing_time" and len(attribute["values"]) == 1:
            value = attribute["values"][0].native
            return value if getattr(value, "tzinfo", None) is not None else None
    return None


def stamp_content(content: SignedContent) -> tsp.TSTInfo | None:
    """Return the TSTInfo of a time stamp token, or None when it is none."""
    encapsulated = content.signed_data["encap_content_info"]
    if encapsulated["content_type"].native != "tst_info":
        return None
    parsed = encapsulated["content"].parsed
    return parsed if isinstance(parsed, tsp.TSTInfo) else None
