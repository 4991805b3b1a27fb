"""Checking a CMS signature without pyHanko: asn1crypto reads it, cryptography verifies it.

Strict where validators are lenient: DER alone, each attribute once, ECDSA values in
range, the certificate named by the signed ESS attribute.

Source: RFC 5652 sections 5.3 and 5.4; RFC 5035 section 3 (ESSCertIDv2); EN 319 122-1; SEC 1 section 4.1.4.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from asn1crypto import algos, cms
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from cert_registry.signing.certificate_keys import digest_of_key, is_issued_by, public_key_of
from cert_registry.signing.errors import KeyMisuse, ReleaseRefused
from cert_registry.signing.strict_der import check_der
from cert_registry.sm2.algorithms import SM2_WITH_SM3, SM3
from cert_registry.sm2.errors import SignatureInvalid
from cert_registry.sm2.public_key import Sm2PublicKey

#: Order of the group of P-256.
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_PARSING = (ValueError, TypeError, KeyError, OverflowError)


def parse_signed_data(der: bytes, broken: type[ReleaseRefused]) -> cms.SignedData:
    """Parse a ContentInfo that must be SignedData with one signer, strictly DER.

    Raises:
        ReleaseRefused: Of the class given.
    """
    try:
        check_der(der)
        info = cms.ContentInfo.load(der, strict=True)
        is_single = info["content_type"].native == "signed_data" and len(info["content"]["signer_infos"]) == 1
    except _PARSING as error:
        raise broken("The signature is not a CMS structure in DER.") from error
    if not is_single:
        raise broken("The CMS structure must be SignedData with one signer.")
    return info["content"]


def attributes_of(signer: cms.SignerInfo, broken: type[ReleaseRefused]) -> dict[str, Any]:
    """Return the signed attributes by type, each with its single value.

    Raises:
        ReleaseRefused: An attribute stands twice or has several values.
    """
    found: dict[str, Any] = {}
    for attribute in signer["signed_attrs"]:
        kind = attribute["type"].native
        if kind in found or len(attribute["values"]) != 1:
            raise broken(f"The signed attribute {kind} must stand once with one value.")
        found[kind] = attribute["values"][0]
    return found


def check_signer(
    signer: cms.SignerInfo,
    *,
    certificate: x509.Certificate,
    digest: bytes,
    content_type: str,
    broken: type[ReleaseRefused],
) -> dict[str, Any]:
    """Check one signer against the certificate that must have signed; returns its signed attributes.

    Raises:
        ReleaseRefused: Of the class given.
    """
    digest_name = digest_of_key(certificate)
    if signer["digest_algorithm"]["algorithm"].native != digest_name:
        raise broken("The signature must be over SHA-256, or SM3 with an SM2 key.")
    attributes = attributes_of(signer, broken)
    if not {"content_type", "message_digest", "signing_certificate_v2"} <= set(attributes):
        raise broken("A required signed attribute is missing.")
    if attributes["content_type"].native != content_type:
        raise broken("The signed content type is not the expected one.")
    if attributes["message_digest"].native != digest:
        raise broken("The signed digest is not that of the content.")
    named = attributes["signing_certificate_v2"]["certs"][0]
    own_hash = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    if (named["hash_algorithm"]["algorithm"].native, named["cert_hash"].native) != ("sha256", own_hash):
        raise broken("The signed attributes name another certificate.")
    signed_bytes = signer["signed_attrs"].untag().dump()
    if digest_name == SM3 and signer["signature_algorithm"]["algorithm"].native != SM2_WITH_SM3:
        raise broken("The signature names another algorithm than its key's.")
    verify_signature(certificate, signer["signature"].native, signed_bytes, broken)
    return attributes


def verify_signature(
    certificate: x509.Certificate, signature: bytes, data: bytes, broken: type[ReleaseRefused]
) -> None:
    """Verify a signature over SHA-256, or SM2 with SM3; values must be in DER and between 1 and the order minus 1."""
    try:
        public_key = public_key_of(certificate)
        if isinstance(public_key, Sm2PublicKey):
            public_key.verify(signature, data)
        elif isinstance(public_key, ec.EllipticCurvePublicKey):
            pair = algos.DSASignature.load(signature, strict=True)
            check_der(signature)
            if not all(0 < pair[part].native < _P256_ORDER for part in ("r", "s")):
                raise broken("The ECDSA signature's values are out of range.")
            if pair["s"].native > _P256_ORDER // 2:
                raise broken("The ECDSA signature has the higher of its two values.")
            public_key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        elif isinstance(public_key, rsa.RSAPublicKey):
            public_key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        else:
            raise broken("The certificate's key is of a kind that does not seal.")
    except (InvalidSignature, SignatureInvalid, KeyMisuse, *_PARSING) as error:
        raise broken("The signature does not verify.") from error


def find_certificate(
    signed_data: cms.SignedData, signer: cms.SignerInfo, broken: type[ReleaseRefused]
) -> x509.Certificate:
    """Return the embedded certificate that the signer names by issuer and serial number."""
    for choice in signed_data["certificates"]:
        candidate = choice.chosen
        named = signer["sid"].chosen
        if (candidate.issuer, candidate.serial_number) == (named["issuer"], named["serial_number"].native):
            return x509.load_der_x509_certificate(candidate.dump())
    raise broken("The signer's certificate is not in the signature.")


def check_chain(
    certificate: x509.Certificate,
    *,
    embedded: cms.SignedData,
    anchors: Sequence[x509.Certificate],
    broken: type[ReleaseRefused],
) -> None:
    """Follow issuers through the embedded certificates to an anchor, verifying each signature.

    Raises:
        ReleaseRefused: Of the class given, when no anchor is reached within four steps.
    """
    pool = [x509.load_der_x509_certificate(c.chosen.dump()) for c in embedded["certificates"]]
    current = certificate
    for _ in range(4):
        for anchor in anchors:
            if anchor.subject == current.issuer and _issued(current, anchor):
                return
        above = [c for c in pool if c.subject == current.issuer and c != current and _issued(current, c)]
        if not above:
            break
        current = above[0]
    raise broken("The certificate does not lead to a trust anchor.")


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if not is_issued_by(certificate, issuer):
        return False
    basic = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
    return basic.ca
