"""The data twin `ecert.json`: what a machine reads of an ecert, in canonical JSON (RFC 8785).

Names of the metadata are the English names of GB/T 36903. ID numbers of holders stand in the face only, as
printed; the metadata names holders by name and code type.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import rfc8785

from cert_registry.catalog.certificate_type import HolderKind
from cert_registry.catalog.errors import TwinRefused
from cert_registry.civil_date import LONG_TERM

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from cert_registry.catalog.certificate_type import CertificateType
    from cert_registry.catalog.face_schema import CheckedFace

FORMAT = "longzheng-ecert-1"
MAXIMUM_BYTES = 1 << 20
_HOLDER_TYPE_NAMES = {
    "001": "统一社会信用代码",
    "099": "其他法人或其他组织有效证件代码",
    "111": "公民身份号码",
    "414": "普通护照",
    "511": "台湾居民来往大陆通行证",
    "516": "港澳居民来往内地通行证",
    "999": "其他自然人有效证件",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReference:
    """Where a status list tells the ecert's state (IETF Token Status List).

    Args:
        uri: Of the list.
        index: Within it, from 0.
    """

    uri: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinImprint:
    """What the twin says beside the face.

    Args:
        identifier: GB/T 36904.
        version: From 1.
        issuer_name: 发证机关.
        issuer_code: 18 characters.
        area_code: Six digits of the issuer's place.
        issued_on: Civil date.
        status: Where the state is told.
        previous_identifier: Of the ecert that this one replaces.
        log_salt: 32 random bytes: whoever holds the file can find its leaf in the log.
        mark: 样例 in a demo, else None.
    """

    identifier: str
    version: int
    issuer_name: str
    issuer_code: str
    area_code: str
    issued_on: date
    status: StatusReference
    previous_identifier: str | None
    log_salt: bytes = field(repr=False)
    mark: str | None = None


def build_twin(certificate_type: CertificateType, face: CheckedFace, imprint: TwinImprint) -> bytes:
    """The canonical bytes of `ecert.json`.

    Args:
        certificate_type: Of the ecert.
        face: Checked against that type.
        imprint: What stands beside the face.

    Returns:
        RFC 8785, UTF-8.
    """
    effective, expiry = certificate_type.term_of(face)
    holders = certificate_type.holders_of(face)
    document: dict[str, Any] = {
        "format": FORMAT,
        "templateVersion": face.template_version,
        "certificateIdentifier": imprint.identifier,
        "certificateName": certificate_type.name,
        "certificateTypeName": certificate_type.name,
        "certificateTypeCode": certificate_type.type_code,
        "certificateNumber": certificate_type.certificate_number_of(face),
        "certificateVersion": f"{imprint.version:03d}",
        "certificateIssuedDate": imprint.issued_on.isoformat(),
        "certificateIssuingAuthorityName": imprint.issuer_name,
        "certificateIssuingAuthorityCode": imprint.issuer_code,
        "certificateEffectiveDate": effective.isoformat(),
        "certificateExpiringDate": expiry.value if expiry is LONG_TERM else expiry.isoformat(),
        "certificateAreaCode": imprint.area_code,
        "certificateHolders": [
            {
                "certificateHolderName": holder.name,
                "certificateHolderType": holder.code_type,
                "certificateHolderTypeName": _HOLDER_TYPE_NAMES[holder.code_type],
            }
            for holder in holders
        ],
        "certificateHolderCategory": "1" if certificate_type.holder_kind is HolderKind.NATURAL else "2",
        "relatedItemName": certificate_type.item_name,
        "relatedItemCode": certificate_type.item_code,
        "face": _plain(face.values),
        "status": {"status_list": {"uri": imprint.status.uri, "idx": imprint.status.index}},
        "logSalt": base64.urlsafe_b64encode(imprint.log_salt).rstrip(b"=").decode(),
    }
    if imprint.previous_identifier is not None:
        document["previousCertificateIdentifier"] = imprint.previous_identifier
    if imprint.mark is not None:
        document["mark"] = imprint.mark
    return rfc8785.dumps(document)


def read_twin(unverified_bytes: bytes) -> Mapping[str, Any]:
    """A twin as it came out of a file: canonical, so that its digest names exactly this content.

    Raises:
        TwinRefused: Too large, not JSON, not an object, or not in canonical form.
    """
    if len(unverified_bytes) > MAXIMUM_BYTES:
        raise TwinRefused("ecert.json 过大。")
    try:
        document = json.loads(unverified_bytes.decode("utf-8"))
        canonical = rfc8785.dumps(document)
    except (ValueError, RecursionError) as error:  # covers UnicodeDecodeError and CanonicalizationError
        raise TwinRefused("ecert.json 不是 JSON。") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise TwinRefused("ecert.json 不是电子证照数据。")
    if canonical != unverified_bytes:
        raise TwinRefused("ecert.json 不是规范形式（RFC 8785）。")
    return document


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple | list):
        return [_plain(entry) for entry in value]
    return {key: _plain(entry) for key, entry in value.items()}
