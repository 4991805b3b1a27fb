"""The one form in which Longzheng seals: what is written otherwise was not written by a sealer of ours.

The ceremony marks the root and the seal CA with certificate policies, so that the form is known from the
certificates alone, also offline and with a trust list that a user names. Only the parts of a CMS that its
signature does not protect need a form; they are written anew here and compared byte by byte.

Source: design section 4; the writers are cert_registry/signing/sealing.py and pki/tsa.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asn1crypto import algos, cms, core, x509

from cert_registry.sm2.algorithms import SM2_CURVE, SM2_WITH_SM3, SM3

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verify_api.validation.signed_data import SignedContent

# The same as in cert_registry/signing/pki/profiles.py; a UUID's own arc needs no registration (X.667).
_ARC = "2.25.61585119918905902897539050929224864800"
ROOT_POLICY = f"{_ARC}.1"
SEAL_POLICY = f"{_ARC}.2"

_HALF_ORDERS = {"secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 // 2}
#: Digest and signature algorithm by the kind of key.
_ALGORITHMS = {"ec": ("sha256", "sha256_ecdsa"), "rsa": ("sha256", "sha256_rsa"), "sm2": (SM3, SM2_WITH_SM3)}
_STAMP = "signature_time_stamp_token"


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
    embedded = [x509.Certificate.load(certificate.dump()) for certificate in path[1:]]
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
    digest_name, signature_name = _ALGORITHMS[_kind(signer.public_key)]
    digest = algos.DigestAlgorithm({"algorithm": digest_name})
    identifier = cms.IssuerAndSerialNumber({"issuer": signer.issuer, "serial_number": signer.serial_number})
    written: dict[str, Any] = {
        "version": "v1",
        "sid": cms.SignerIdentifier("issuer_and_serial_number", identifier),
        "digest_algorithm": digest,
        "signed_attrs": given_signer["signed_attrs"],
        "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": signature_name}),
        "signature": given_signer["signature"].native,
    }
    inside: dict[str, Any] = {"content_type": "data"}
    if stamp:
        octets = given["encap_content_info"]["content"].contents
        inside = {"content_type": "tst_info", "content": core.ParsableOctetString(octets)}
    elif not isinstance(given_signer["unsigned_attrs"], core.Void):
        token = given_signer["unsigned_attrs"][0]["values"][0]
        written["unsigned_attrs"] = [cms.CMSAttribute({"type": _STAMP, "values": [token]})]
    signed = cms.SignedData(
        {
            "version": "v3" if stamp else "v1",
            "digest_algorithms": [digest],
            "encap_content_info": inside,
            "certificates": embedded,
            "signer_infos": [cms.SignerInfo(written)],
        }
    )
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump())


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
