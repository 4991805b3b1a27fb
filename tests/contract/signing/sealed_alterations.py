"""Files sealed by the real sealer, altered in the parts of the CMS that its signature does not protect."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from asn1crypto import algos, cms, x509

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_KEPT = ("version", "sid", "digest_algorithm", "signed_attrs", "signature_algorithm", "signature")


def hole(pdf: bytes) -> tuple[int, int]:
    """Return where the signature value stands, brackets included."""
    found = re.findall(rb"/ByteRange\s*\[0 (\d+) (\d+)", pdf)[0]
    return int(found[0]), int(found[1])


def cms_of(pdf: bytes) -> bytes:
    """Return the CMS without its padding."""
    start, end = hole(pdf)
    raw = bytes.fromhex(pdf[start + 1 : end - 1].decode())
    octets = raw[1] & 0x7F
    return raw[: 2 + octets + int.from_bytes(raw[2 : 2 + octets], "big")]


def with_cms(pdf: bytes, encoded: bytes) -> bytes:
    """Put another CMS in the place of the first, padded with zeros."""
    start, end = hole(pdf)
    room = (end - start - 2) // 2
    assert len(encoded) <= room
    return pdf[: start + 1] + encoded.ljust(room, b"\0").hex().upper().encode() + pdf[end - 1 :]


def other_s(signature: bytes) -> bytes:
    """Return the other value that the same ECDSA signature may have."""
    pair = algos.DSASignature.load(signature)
    return bytes(algos.DSASignature({"r": pair["r"].native, "s": P256_ORDER - pair["s"].native}).dump())


def rebuilt(pdf: bytes, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> bytes:
    """Take the CMS apart, change its fields or its signer's, and put it together."""
    info = cms.ContentInfo.load(cms_of(pdf))
    signed, signer = info["content"], info["content"]["signer_infos"][0]
    signer_fields = {name: signer[name] for name in (*_KEPT, "unsigned_attrs")}
    names = ("version", "digest_algorithms", "encap_content_info", "certificates")
    fields = {name: signed[name] for name in names}
    change(fields, signer_fields)
    fields["signer_infos"] = [cms.SignerInfo({k: v for k, v in signer_fields.items() if v is not None})]
    made = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(fields)})
    return with_cms(pdf, made.dump())


def certificates(ders: list[bytes]) -> list[cms.CertificateChoices]:
    return [cms.CertificateChoices("certificate", x509.Certificate.load(der)) for der in sorted(ders)]


def _embedded(fields: dict[str, Any]) -> list[bytes]:
    return [choice.chosen.dump() for choice in fields["certificates"]]


def without_stamp(pdf: bytes) -> bytes:
    def change(_: dict[str, Any], signer: dict[str, Any]) -> None:
        signer["unsigned_attrs"] = None

    return rebuilt(pdf, change)


def stamp_of(signer: dict[str, Any]) -> cms.ContentInfo:
    return cms.ContentInfo.load(signer["unsigned_attrs"][0]["values"][0].dump())


def _with_stamps(signer: dict[str, Any], *tokens: bytes) -> None:
    values = [cms.ContentInfo.load(token) for token in tokens]
    signer["unsigned_attrs"] = [{"type": "signature_time_stamp_token", "values": values}]


def stamp_with_other_s(pdf: bytes) -> bytes:
    def change(_: dict[str, Any], signer: dict[str, Any]) -> None:
        token = stamp_of(signer)
        inner = token["content"]["signer_infos"][0]
        inner["signature"] = other_s(inner["signature"].native)
        _with_stamps(signer, token.dump())

    return rebuilt(pdf, change)


def stamp_with_certificates(pdf: bytes, choose: Callable[[list[bytes]], list[bytes]]) -> bytes:
    def change(_: dict[str, Any], signer: dict[str, Any]) -> None:
        token = stamp_of(signer)
        embedded = [choice.chosen.dump() for choice in token["content"]["certificates"]]
        token["content"]["certificates"] = certificates(choose(embedded))
        _with_stamps(signer, token.dump())

    return rebuilt(pdf, change)


def with_stamp(pdf: bytes, token: bytes) -> bytes:
    def change(_: dict[str, Any], signer: dict[str, Any]) -> None:
        _with_stamps(signer, token)

    return rebuilt(pdf, change)


def with_certificates(pdf: bytes, choose: Callable[[list[bytes]], list[bytes]]) -> bytes:
    def change(fields: dict[str, Any], _: dict[str, Any]) -> None:
        fields["certificates"] = certificates(choose(_embedded(fields)))

    return rebuilt(pdf, change)


def certificate_with_other_s(der: bytes) -> bytes:
    certificate = x509.Certificate.load(der)
    certificate["signature_value"] = other_s(certificate["signature_value"].native)
    return bytes(certificate.dump())


def without_null_parameters(pdf: bytes) -> bytes:
    """Leave out the NULL after the identifier of SHA-256, which means the same."""
    plain = algos.DigestAlgorithm.load(bytes.fromhex("300b0609608648016503040201"))

    def change(fields: dict[str, Any], signer: dict[str, Any]) -> None:
        fields["digest_algorithms"] = [plain]
        signer["digest_algorithm"] = plain

    return rebuilt(pdf, change)


def with_renamed_issuer(pdf: bytes) -> bytes:
    """Write the issuer in the signer's identifier in another case, which names compare alike."""
    encoded = cms_of(pdf)
    signed = cms.ContentInfo.load(encoded)["content"]
    issuer = signed["signer_infos"][0]["sid"].chosen["issuer"].dump()
    assert b"CN" in issuer
    at = encoded.rindex(issuer)
    changed = encoded[:at] + issuer.replace(b"\x13\x02CN", b"\x13\x02cN") + encoded[at + len(issuer) :]
    return with_cms(pdf, changed)


def in_lower_case(pdf: bytes) -> bytes:
    start, end = hole(pdf)
    return pdf[:start] + pdf[start:end].lower() + pdf[end:]
