"""The one form in which Longzheng seals: what is written otherwise was not written by a sealer of ours.

The ceremony marks the root and the seal CA with certificate policies, so that the form is known from the
certificates alone, also offline and with a trust list that a user names. Only the parts of a CMS that its
signature does not protect need a form; they are written anew here and compared byte by byte.

Source: design section 4; the writers are cert_registry/signing/sealing.py and pki/tsa.py.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from asn1crypto import algos, cms, core

from cert_registry.sm2.algorithms import SM2_CURVE, SM2_WITH_SM3, SM3

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asn1crypto import x509

    from verify_api.validation.signed_data import SignedContent

# The same as in cert_registry/signing/pki/profiles.py; a UUID's own arc needs no registration (X.667).
_ARC = "2.25.61585119918905902897539050929224864800"
ROOT_POLICY = f"{_ARC}.1"
SEAL_POLICY = f"{_ARC}.2"

_HALF_ORDERS = {"secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 // 2}
#: Digest and signature algorithm by the kind of key.
_ALGORITHMS = {"ec": ("sha256", "sha256_ecdsa"), "rsa": ("sha256", "sha256_rsa"), "sm2": (SM3, SM2_WITH_SM3)}
_STAMP_OID = cms.CMSAttributeType("signature_time_stamp_token").dump()
_SIGNED_DATA, _DATA, _TST_INFO = (cms.ContentType(one).dump() for one in ("signed_data", "data", "tst_info"))
_INTEGER_1, _INTEGER_3 = b"\x02\x01\x01", b"\x02\x01\x03"


def is_house_root(certificate: x509.Certificate) -> bool:
    """Tell whether the ceremony marked a certificate as a root of Longzheng."""
    return ROOT_POLICY in _policies(certificate)


def is_seal_path(path: Sequence[x509.Certificate]) -> bool:
    """Tell whether a path, anchor first, is root, seal CA and a seal: nothing else of ours signs documents."""
    if len(path) != 3 or not is_house_root(path[0]):
        return False
    authority, seal = path[1:]
    usage = seal.key_usage_value
    return (
        SEAL_POLICY in _policies(authority)
        and SEAL_POLICY in _policies(seal)
        and usage is not None
        and set(usage.native) == {"non_repudiation"}
        and seal.extended_key_usage_value is None
        and "organization_identifier" in seal.subject.native
    )


def is_house_form(content: SignedContent, path: Sequence[x509.Certificate], *, stamp: bool) -> bool:
    """Tell whether a CMS is, byte for byte, what our sealer or time-stamp authority writes.

    Args:
        content: The CMS, whose signature holds.
        path: The signer's path, anchor first; all of it but the anchor must be embedded, and nothing else.
        stamp: True for a time-stamp token.
    """
    embedded = list(path[1:])
    signatures = [content.signer_info["signature"].native]
    keys = [embedded[-1].public_key]
    for issuer, certificate in zip(path, embedded, strict=False):
        signatures.append(certificate["signature_value"].native)
        keys.append(issuer.public_key)
    if not all(_is_low(key, value) for key, value in zip(keys, signatures, strict=True)):
        return False
    try:
        return _written_anew(content, embedded, stamp=stamp) == content.encoded
    except (ValueError, TypeError, KeyError, IndexError):
        return False


def _written_anew(content: SignedContent, embedded: list[x509.Certificate], *, stamp: bool) -> bytes:
    given = cms.ContentInfo.load(content.encoded)["content"]
    given_signer = given["signer_infos"][0]
    signer = embedded[-1]
    digest, signature_algorithm = _algorithms_of(_kind(signer.public_key))
    inside, unsigned = _DATA, b""
    if stamp:
        octets = _der(0x04, given["encap_content_info"]["content"].contents)
        inside = _TST_INFO + _der(0xA0, octets)
    elif not isinstance(given_signer["unsigned_attrs"], core.Void):
        token = given_signer["unsigned_attrs"][0]["values"][0]
        unsigned = _der(0xA1, _der(0x30, _STAMP_OID, _der(0x31, token.dump())))
    signer_info = _der(
        0x30,
        _INTEGER_1,
        _der(0x30, signer.issuer.dump(), signer["tbs_certificate"]["serial_number"].dump()),
        digest,
        given_signer["signed_attrs"].dump(),
        signature_algorithm,
        _der(0x04, given_signer["signature"].native),
        unsigned,
    )
    signed = _der(
        0x30,
        _INTEGER_3 if stamp else _INTEGER_1,
        _der(0x31, digest),
        _der(0x30, inside),
        _der(0xA0, *sorted(one.dump() for one in embedded)),
        _der(0x31, signer_info),
    )
    return _der(0x30, _SIGNED_DATA, _der(0xA0, signed))


def _der(tag: int, *parts: bytes) -> bytes:
    """Write one element: tag, length in the shortest form, contents."""
    contents = b"".join(parts)
    length = len(contents)
    if length < 0x80:
        return bytes([tag, length]) + contents
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + contents


@lru_cache(maxsize=len(_ALGORITHMS))
def _algorithms_of(kind: str) -> tuple[bytes, bytes]:
    digest, signature = _ALGORITHMS[kind]
    return (
        bytes(algos.DigestAlgorithm({"algorithm": digest}).dump()),
        bytes(algos.SignedDigestAlgorithm({"algorithm": signature}).dump()),
    )


def _is_low(key: Any, signature: bytes) -> bool:
    """Tell whether an ECDSA signature has the lower of its two possible values; RSA and SM2 have one."""
    if _kind(key) != "ec":
        return True
    half = _HALF_ORDERS.get(str(key.curve[1]))
    try:
        pair = algos.DSASignature.load(signature, strict=True)
        return half is not None and 0 < pair["s"].native <= half
    except (ValueError, TypeError):
        return False


def _kind(key: Any) -> str:
    """Return the kind of a key (PublicKeyInfo): `ec` for every curve but SM2's, `sm2`, `rsa`."""
    if key.algorithm == "ec" and key.curve == ("named", SM2_CURVE):
        return "sm2"
    return str(key.algorithm)


def _policies(certificate: x509.Certificate) -> set[str]:
    value = certificate.certificate_policies_value
    return set() if value is None else {str(one["policy_identifier"].dotted) for one in value}
