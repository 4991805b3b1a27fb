"""Reading e-seal structures, strictly: DER alone, times in one form, and every byte accounted for.

Which version it is shows in the number of elements: a seal of two is version 1, of five version 5, of four what
its header says.

Source: GB/T 38540-2020; GM/T 0031-2025; GM/T 0031-2014; X.690 clauses 10 and 11.
"""

import re
from datetime import datetime
from typing import Any

from asn1crypto import core

from cert_registry.eseal import structures
from cert_registry.eseal.errors import EsealMalformed
from cert_registry.eseal.types import (
    CertificateMark,
    EsealVersion,
    Extension,
    PictureFormat,
    SealContent,
    SealPicture,
    UnverifiedSeal,
    UnverifiedSignature,
)
from cert_registry.signing.strict_der import check_der

#: A seal carries an image and a handful of certificates; more is not a seal.
MAX_SEAL_BYTES = 4 * 1024 * 1024

_TIMES = {core.GeneralizedTime: re.compile(rb"[0-9]{14}Z"), core.UTCTime: re.compile(rb"[0-9]{12}Z")}
_PARSING = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)


def read_seal(der: bytes) -> UnverifiedSeal:
    """Read an SESeal of version 1, 4 or 5.

    Raises:
        EsealMalformed: It is none, or not in DER.
    """
    elements = _elements(der)
    try:
        if elements == 2:
            return _seal_v1(_load(structures.SealV1, der))
        return _seal(_load(structures.Seal, der), elements)
    except _PARSING as error:
        raise EsealMalformed("The bytes are not an e-seal.") from error


def read_signature(der: bytes) -> UnverifiedSignature:
    """Read an SES_Signature of version 1, 4 or 5.

    Raises:
        EsealMalformed: It is none, or not in DER.
    """
    elements = _elements(der)
    try:
        if elements == 2:
            return _signature_v1(_load(structures.SignatureV1, der))
        return _signature(_load(structures.Signature, der))
    except _PARSING as error:
        raise EsealMalformed("The bytes are not a signature with an e-seal.") from error


def is_signature(der: bytes) -> bool:
    """Tell whether bytes look like an SES_Signature rather than an SESeal: the first element's first one decides.

    Raises:
        EsealMalformed: They are not even a sequence in DER.
    """
    _elements(der)
    try:
        first = core.Sequence.load(der)[0]
        return isinstance(first[0], core.Integer)
    except _PARSING as error:
        raise EsealMalformed("The bytes are not an e-seal structure.") from error


def _elements(der: bytes) -> int:
    """Check the encoding; return how many elements the outer sequence has."""
    if len(der) > MAX_SEAL_BYTES:
        raise EsealMalformed("The bytes are too many for an e-seal.")
    try:
        check_der(der)
        return len(core.Sequence.load(der, strict=True))
    except _PARSING as error:
        raise EsealMalformed("The bytes are not one sequence in DER.") from error


def _load(structure: Any, der: bytes) -> Any:
    value = structure.load(der, strict=True)
    _ = value.native  # asn1crypto parses lazily; damage shall show here
    if structure.load(der, strict=True).copy().dump(force=True) != der:
        raise ValueError("the structure does not encode back to the same bytes")
    return value


def _seal(value: Any, elements: int) -> UnverifiedSeal:
    info = value["seal_info"]
    written = info["header"]["version"].native
    version = EsealVersion(written)
    if version is EsealVersion.V1 or (elements == 5 and version is not EsealVersion.V5):
        raise ValueError("the version does not fit the structure")
    return UnverifiedSeal(
        version=version,
        content=_content(info),
        signed_bytes=info.dump(),
        maker=value["cert"].native,
        algorithm=value["sign_alg_id"].dotted,
        signature=_bits(value["signed_value"]),
        time_stamp=_optional_bits(value["time_stamp"]),
        encoded=value.dump(),
    )


def _seal_v1(value: Any) -> UnverifiedSeal:
    info, made = value["seal_info"], value["sign_info"]
    if not 1 <= info["header"]["version"].native < EsealVersion.V4.value:
        raise ValueError("the version does not fit the structure")
    signed = structures.SignedByMakerV1(
        {"seal_info": info, "cert": made["cert"], "sign_alg_id": made["sign_alg_id"]}
    )
    return UnverifiedSeal(
        version=EsealVersion.V1,
        content=_content(info),
        signed_bytes=signed.dump(),
        maker=made["cert"].native,
        algorithm=made["sign_alg_id"].dotted,
        signature=_bits(made["signed_value"]),
        time_stamp=None,
        encoded=value.dump(),
    )


def _content(info: Any) -> SealContent:
    header, stated, picture = info["header"], info["property"], info["picture"]
    if header["id"].native != "ES":
        raise ValueError("not the mark of an e-seal")
    holders: tuple[bytes, ...] = ()
    marks: tuple[CertificateMark, ...] = ()
    listed = stated["cert_list"]
    if isinstance(listed, structures.CertificateDigests):
        marks = tuple(CertificateMark(name=d["type"].native, value=d["value"].native) for d in listed)
    else:
        holders = tuple(one.native for one in listed)
    if isinstance(stated, structures.Property) and stated["cert_list_type"].native not in {
        structures.CERTIFICATES,
        structures.DIGESTS,
    }:
        raise ValueError("a list of certificates of an unknown kind")
    if not holders and not marks:
        raise ValueError("a seal that nobody may sign with")
    return SealContent(
        seal_id=info["es_id"].native,
        vendor_id=header["vid"].native,
        kind=stated["type"].native,
        name=stated["name"].native,
        holders=holders,
        marks=marks,
        created_at=_time(stated["create_date"]),
        valid_from=_time(stated["valid_start"]),
        valid_until=_time(stated["valid_end"]),
        picture=SealPicture(
            format=PictureFormat(picture["type"].native.upper()),
            data=picture["data"].native,
            width_mm=_positive(picture["width"].native),
            height_mm=_positive(picture["height"].native),
        ),
        extensions=_extensions(info["ext_datas"]),
    )


def _signature(value: Any) -> UnverifiedSignature:
    signed = value["to_sign"]
    version = EsealVersion(signed["version"].native)
    seal = _seal(signed["eseal"], len(core.Sequence.load(signed["eseal"].dump())))
    if version is EsealVersion.V1 or seal.version.value > version.value:
        raise ValueError("the versions do not fit together")
    return UnverifiedSignature(
        version=version,
        seal=seal,
        claimed_time=_time(signed["time_info"]),
        data_hash=_bits(signed["data_hash"]),
        property_info=signed["property_info"].native,
        extensions=_extensions(signed["ext_datas"]),
        signed_bytes=signed.dump(),
        signer=value["cert"].native,
        algorithm=value["signature_alg_id"].dotted,
        signature=_bits(value["signature"]),
        time_stamp=_optional_bits(value["time_stamp"]),
    )


def _signature_v1(value: Any) -> UnverifiedSignature:
    signed = value["to_sign"]
    if not 1 <= signed["version"].native < EsealVersion.V4.value:
        raise ValueError("the version does not fit the structure")
    return UnverifiedSignature(
        version=EsealVersion.V1,
        seal=_seal_v1(signed["eseal"]),
        claimed_time=None,
        data_hash=_bits(signed["data_hash"]),
        property_info=signed["property_info"].native,
        extensions=(),
        signed_bytes=signed.dump(),
        signer=signed["cert"].native,
        algorithm=signed["signature_alg_id"].dotted,
        signature=_bits(value["signature"]),
        time_stamp=_bits(signed["time_info"]) or None,
    )


def _extensions(value: Any) -> tuple[Extension, ...]:
    if isinstance(value, core.Void):
        return ()
    return tuple(
        Extension(
            identifier=one["extn_id"].dotted,
            critical=bool(one["critical"].native),
            value=one["extn_value"].native,
        )
        for one in value
    )


def _time(value: Any) -> datetime:
    if not _TIMES[type(value)].fullmatch(value.contents):
        raise ValueError("a time that is not to the second in UTC")
    moment: datetime = value.native
    return moment


def _bits(value: Any) -> bytes:
    if value.contents[:1] != b"\0":
        raise ValueError("a bit string that is not of whole bytes")
    return bytes(value.native)


def _optional_bits(value: Any) -> bytes | None:
    return None if isinstance(value, core.Void) else _bits(value)


def _positive(number: int) -> int:
    if not 0 < number <= 1000:
        raise ValueError("a size in millimetres that no seal has")
    return number
