"""The ASN.1 of e-seals as asn1crypto classes: version 1, and versions 4 and 5, which differ in one field.

The two forms of SES_CertList carry no tags: `cert_list_type` decides which it is (1 certificates, 2 digests).

    SESeal        ::= SEQUENCE { eSealInfo SES_SealInfo, cert OCTET STRING, signAlgID OBJECT IDENTIFIER,
                                 signedValue BIT STRING, timeStamp [0] EXPLICIT BIT STRING OPTIONAL -- v5 -- }
    SES_Signature ::= SEQUENCE { toSign TBS_Sign, cert OCTET STRING, signatureAlgID OBJECT IDENTIFIER,
                                 signature BIT STRING, timeStamp [0] EXPLICIT BIT STRING OPTIONAL }

Source: GB/T 38540-2020 clauses 6 and 7 (v4); GM/T 0031-2025 (v5); GM/T 0031-2014 (v1).
"""

from typing import Any, ClassVar

from asn1crypto import core

CERTIFICATES = 1
DIGESTS = 2


class Header(core.Sequence):  # type: ignore[misc] # asn1crypto is untyped
    """SES_Header: `ES`, the version, and who made the seal-making system."""

    _fields: ClassVar = [("id", core.IA5String), ("version", core.Integer), ("vid", core.IA5String)]


class CertificateDigest(core.Sequence):  # type: ignore[misc] # as above
    """CertDigestObj: name of the digest and its value."""

    _fields: ClassVar = [("type", core.PrintableString), ("value", core.OctetString)]


class CertificateDigests(core.SequenceOf):  # type: ignore[misc] # as above
    """CertDigestList."""

    _child_spec = CertificateDigest


class Certificates(core.SequenceOf):  # type: ignore[misc] # as above
    """CertInfoList: DER certificates in octet strings."""

    _child_spec = core.OctetString


class Property(core.Sequence):  # type: ignore[misc] # as above
    """SES_ESPropertyInfo of versions 4 and 5."""

    _fields: ClassVar = [
        ("type", core.Integer),
        ("name", core.UTF8String),
        ("cert_list_type", core.Integer),
        ("cert_list", core.Any),
        ("create_date", core.GeneralizedTime),
        ("valid_start", core.GeneralizedTime),
        ("valid_end", core.GeneralizedTime),
    ]

    def _holders(self) -> Any:
        return CertificateDigests if self["cert_list_type"].native == DIGESTS else Certificates

    _spec_callbacks: ClassVar = {"cert_list": _holders}


class PropertyV1(core.Sequence):  # type: ignore[misc] # as above
    """SES_ESPropertyInfo of version 1: certificates alone, times in UTCTime."""

    _fields: ClassVar = [
        ("type", core.Integer),
        ("name", core.UTF8String),
        ("cert_list", Certificates),
        ("create_date", core.UTCTime),
        ("valid_start", core.UTCTime),
        ("valid_end", core.UTCTime),
    ]


class Picture(core.Sequence):  # type: ignore[misc] # as above
    """SES_ESPictrueInfo (the standard's spelling): format, bytes, width and height in millimetres."""

    _fields: ClassVar = [
        ("type", core.IA5String),
        ("data", core.OctetString),
        ("width", core.Integer),
        ("height", core.Integer),
    ]


class ExtensionData(core.Sequence):  # type: ignore[misc] # as above
    """ExtData. `critical` has a default that some writers write nevertheless; what is signed stays as it is."""

    _fields: ClassVar = [
        ("extn_id", core.ObjectIdentifier),
        ("critical", core.Boolean, {"optional": True}),
        ("extn_value", core.OctetString),
    ]


class ExtensionDatas(core.SequenceOf):  # type: ignore[misc] # as above
    """ExtensionDatas."""

    _child_spec = ExtensionData


class SealInfo(core.Sequence):  # type: ignore[misc] # as above
    """SES_SealInfo of versions 4 and 5."""

    _fields: ClassVar = [
        ("header", Header),
        ("es_id", core.IA5String),
        ("property", Property),
        ("picture", Picture),
        ("ext_datas", ExtensionDatas, {"optional": True}),
    ]


class SealInfoV1(core.Sequence):  # type: ignore[misc] # as above
    """SES_SealInfo of version 1."""

    _fields: ClassVar = [
        ("header", Header),
        ("es_id", core.IA5String),
        ("property", PropertyV1),
        ("picture", Picture),
        ("ext_datas", ExtensionDatas, {"optional": True}),
    ]


class Seal(core.Sequence):  # type: ignore[misc] # as above
    """SESeal of versions 4 and 5. The signature is over the DER of `seal_info` alone."""

    _fields: ClassVar = [
        ("seal_info", SealInfo),
        ("cert", core.OctetString),
        ("sign_alg_id", core.ObjectIdentifier),
        ("signed_value", core.OctetBitString),
        ("time_stamp", core.OctetBitString, {"explicit": 0, "optional": True}),
    ]


class MakerSignatureV1(core.Sequence):  # type: ignore[misc] # as above
    """SES_SignInfo."""

    _fields: ClassVar = [
        ("cert", core.OctetString),
        ("sign_alg_id", core.ObjectIdentifier),
        ("signed_value", core.OctetBitString),
    ]


class SealV1(core.Sequence):  # type: ignore[misc] # as above
    """SESeal of version 1. The signature is over a sequence of seal info, certificate and algorithm."""

    _fields: ClassVar = [("seal_info", SealInfoV1), ("sign_info", MakerSignatureV1)]


class SignedByMakerV1(core.Sequence):  # type: ignore[misc] # as above
    """What the maker of a version 1 seal signs."""

    _fields: ClassVar = [
        ("seal_info", SealInfoV1),
        ("cert", core.OctetString),
        ("sign_alg_id", core.ObjectIdentifier),
    ]


class ToSign(core.Sequence):  # type: ignore[misc] # as above
    """TBS_Sign of versions 4 and 5."""

    _fields: ClassVar = [
        ("version", core.Integer),
        ("eseal", Seal),
        ("time_info", core.GeneralizedTime),
        ("data_hash", core.OctetBitString),
        ("property_info", core.IA5String),
        ("ext_datas", ExtensionDatas, {"explicit": 0, "optional": True}),
    ]


class Signature(core.Sequence):  # type: ignore[misc] # as above
    """SES_Signature of versions 4 and 5. The signature is over the DER of `to_sign` alone."""

    _fields: ClassVar = [
        ("to_sign", ToSign),
        ("cert", core.OctetString),
        ("signature_alg_id", core.ObjectIdentifier),
        ("signature", core.OctetBitString),
        ("time_stamp", core.OctetBitString, {"explicit": 0, "optional": True}),
    ]


class ToSignV1(core.Sequence):  # type: ignore[misc] # as above
    """TBS_Sign of version 1: the time is a bit string, certificate and algorithm are signed too."""

    _fields: ClassVar = [
        ("version", core.Integer),
        ("eseal", SealV1),
        ("time_info", core.OctetBitString),
        ("data_hash", core.OctetBitString),
        ("property_info", core.IA5String),
        ("cert", core.OctetString),
        ("signature_alg_id", core.ObjectIdentifier),
    ]


class SignatureV1(core.Sequence):  # type: ignore[misc] # as above
    """SES_Signature of version 1."""

    _fields: ClassVar = [("to_sign", ToSignV1), ("signature", core.OctetBitString)]
