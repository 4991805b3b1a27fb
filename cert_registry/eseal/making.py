"""Making e-seals and signatures with them, versions 4 and 5.

A time stamp covers the signature value: the standards' words on that were not at hand (see the README).

Source: GB/T 38540-2020 clauses 6.2 and 7.2; GM/T 0031-2025.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asn1crypto import algos

from cert_registry.eseal import structures
from cert_registry.eseal.algorithms import DIGEST_OF, digest
from cert_registry.eseal.errors import EsealContentRefused
from cert_registry.eseal.reading import read_seal, read_signature
from cert_registry.eseal.types import EsealVersion, Extension, SealContent
from cert_registry.signing.seal_key import SealKey, scheme_of

Stamp = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A key and its certificate (DER): the maker of seals, or the holder of one."""

    key: SealKey
    certificate: bytes

    @property
    def algorithm(self) -> str:
        """Dotted identifier of the signature algorithm."""
        name = scheme_of(self.key.algorithm).signature
        return str(algos.SignedDigestAlgorithmId(name).dotted)


def make_seal(
    content: SealContent,
    *,
    maker: Signer,
    version: EsealVersion = EsealVersion.V5,
    stamp: Stamp | None = None,
) -> bytes:
    """Return an SESeal (DER).

    Args:
        content: What it says.
        maker: Who makes it.
        version: V5 or V4.
        stamp: Returns a time-stamp token over the signature value; V5 alone has a place for it.

    Raises:
        EsealContentRefused: The content cannot stand in a seal of that version.
        KeyMisuse: The maker's key does not sign.
        TokenUnavailable: The key's device does not answer.
    """
    if version is EsealVersion.V1 or (stamp is not None and version is not EsealVersion.V5):
        raise EsealContentRefused("Seals are made in version 4, or in version 5 with or without time stamp.")
    info = _info(content, version)
    signature = maker.key.sign(info.dump())
    seal = structures.Seal(
        {
            "seal_info": info,
            "cert": maker.certificate,
            "sign_alg_id": maker.algorithm,
            "signed_value": signature,
        }
    )
    if stamp is not None:
        seal["time_stamp"] = stamp(signature)
    der = bytes(seal.dump())
    read_seal(der)  # what is made here is read like anybody else's
    return der


def make_signature(
    seal: bytes,
    *,
    signer: Signer,
    data: bytes,
    property_info: str,
    signed_at: datetime,
    stamp: Stamp | None = None,
    extensions: tuple[Extension, ...] = (),
) -> bytes:
    """Return an SES_Signature (DER) of the version of its seal.

    Args:
        seal: The SESeal (DER).
        signer: The holder's key, whose certificate the seal lists.
        data: What is protected; its digest goes in (SM3 with SM2, else SHA-256).
        property_info: What `data` is, for example a path: ASCII.
        signed_at: Aware time.
        stamp: Returns a time-stamp token over the signature value.
        extensions: Further fields.

    Raises:
        EsealContentRefused: The seal is of version 1.
        EsealMalformed: The seal cannot be read.
        TokenUnavailable: The key's device does not answer.
    """
    read = read_seal(seal)
    if read.version is EsealVersion.V1:
        raise EsealContentRefused("Version 1 is read, never written.")
    to_sign = structures.ToSign(
        {
            "version": read.version.value,
            "eseal": structures.Seal.load(seal, strict=True),
            "time_info": _moment(signed_at),
            "data_hash": digest(DIGEST_OF[signer.algorithm], data),
            "property_info": _ascii(property_info),
        }
    )
    if extensions:
        to_sign["ext_datas"] = _extensions(extensions)
    signature = signer.key.sign(to_sign.dump())
    whole = structures.Signature(
        {
            "to_sign": to_sign,
            "cert": signer.certificate,
            "signature_alg_id": signer.algorithm,
            "signature": signature,
        }
    )
    if stamp is not None:
        whole["time_stamp"] = stamp(signature)
    der = bytes(whole.dump())
    read_signature(der)
    return der


def _info(content: SealContent, version: EsealVersion) -> structures.SealInfo:
    if bool(content.holders) == bool(content.marks):
        raise EsealContentRefused("A seal lists either its holders' certificates or their digests.")
    if content.valid_until < content.valid_from or not content.name:
        raise EsealContentRefused("A seal needs a name and a validity that does not end before it begins.")
    if content.holders:
        kind: int = structures.CERTIFICATES
        listed: Any = structures.Certificates(list(content.holders))
    else:
        kind = structures.DIGESTS
        listed = structures.CertificateDigests([{"type": m.name, "value": m.value} for m in content.marks])
    picture = content.picture
    info = structures.SealInfo(
        {
            "header": {"id": "ES", "version": version.value, "vid": _ascii(content.vendor_id)},
            "es_id": _ascii(content.seal_id),
            "property": {
                "type": content.kind,
                "name": content.name,
                "cert_list_type": kind,
                "cert_list": listed,
                "create_date": _moment(content.created_at),
                "valid_start": _moment(content.valid_from),
                "valid_end": _moment(content.valid_until),
            },
            "picture": {
                "type": picture.format.value,
                "data": picture.data,
                "width": picture.width_mm,
                "height": picture.height_mm,
            },
        }
    )
    if content.extensions:
        info["ext_datas"] = _extensions(content.extensions)
    return info


def _extensions(extensions: tuple[Extension, ...]) -> structures.ExtensionDatas:
    made: list[dict[str, Any]] = []
    for one in extensions:
        entry: dict[str, Any] = {"extn_id": one.identifier, "extn_value": one.value}
        if one.critical:
            entry["critical"] = True
        made.append(entry)
    return structures.ExtensionDatas(made)


def _moment(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise EsealContentRefused("Times in a seal are aware.")
    return moment.astimezone(UTC).replace(microsecond=0)


def _ascii(text: str) -> str:
    if not text or not text.isascii() or not text.isprintable():
        raise EsealContentRefused("Numbers, makers and paths in a seal are printable ASCII.")
    return text
