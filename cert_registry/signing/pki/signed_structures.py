"""Signing certificates and revocation lists that `cryptography` has built, also with keys that it does not know.

For SM2 a structure is built with a key of the same shape that is thrown away, then the parts that name a key or an
algorithm are written anew and the body is signed by the right key: the extensions have one writer for all profiles.

Source: RFC 5280 sections 4.1 and 5.1; GM/T 0015-2012.
"""

from functools import cache
from typing import Any

from asn1crypto import algos, core, crl, keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from cert_registry.signing.own_signatures import PublicKey
from cert_registry.signing.private_keys import builder_key
from cert_registry.signing.seal_key import scheme_of
from cert_registry.signing.token import SigningKey
from cert_registry.sm2.public_key import Sm2PublicKey


def key_identifier(public_key: PublicKey) -> bytes:
    """Return the key identifier of RFC 5280 section 4.2.1.2 (1), 20 bytes."""
    if isinstance(public_key, Sm2PublicKey):
        return public_key.identifier
    return x509.SubjectKeyIdentifier.from_public_key(public_key).digest


def authority_identifier(public_key: PublicKey) -> x509.AuthorityKeyIdentifier:
    """Return the extension that points to the issuer's key."""
    return x509.AuthorityKeyIdentifier(key_identifier(public_key), None, None)


def sign_certificate(
    builder: x509.CertificateBuilder, *, public_key: PublicKey, issuer_key: SigningKey
) -> x509.Certificate:
    """Return the certificate over `public_key`, signed by the issuer.

    Raises:
        TokenUnavailable: The issuer's token does not answer.
    """
    if not isinstance(public_key, Sm2PublicKey) and not isinstance(issuer_key.public_key, Sm2PublicKey):
        return builder.public_key(public_key).sign(builder_key(issuer_key), hashes.SHA256())
    shaped = builder.public_key(
        _placeholder().public_key() if isinstance(public_key, Sm2PublicKey) else public_key
    )
    built = shaped.sign(_placeholder(), hashes.SHA256()).public_bytes(Encoding.DER)
    value = asn1_x509.Certificate.load(built)
    body = value["tbs_certificate"]
    if isinstance(public_key, Sm2PublicKey):
        body["subject_public_key_info"] = keys.PublicKeyInfo.load(public_key.to_der())
    return x509.load_der_x509_certificate(_signed(value, body, "signature_value", issuer_key))


def sign_crl(builder: x509.CertificateRevocationListBuilder, *, issuer_key: SigningKey) -> bytes:
    """Return the revocation list (DER), signed by the issuer; raises as `sign_certificate`."""
    if not isinstance(issuer_key.public_key, Sm2PublicKey):
        return builder.sign(builder_key(issuer_key), hashes.SHA256()).public_bytes(Encoding.DER)
    built = builder.sign(_placeholder(), hashes.SHA256()).public_bytes(Encoding.DER)
    value = crl.CertificateList.load(built)
    return _signed(value, value["tbs_cert_list"], "signature", issuer_key)


def _signed(value: Any, body: Any, signature_field: str, issuer_key: SigningKey) -> bytes:
    algorithm = algos.SignedDigestAlgorithm({"algorithm": scheme_of(issuer_key.algorithm).signature})
    body["signature"] = algorithm
    value["signature_algorithm"] = algorithm
    value[signature_field] = core.OctetBitString(issuer_key.sign(body.dump()))
    return bytes(value.dump())


@cache
def _placeholder() -> ec.EllipticCurvePrivateKey:
    """Return a key that only shapes structures; nothing that it signed is ever given out."""
    return ec.generate_private_key(ec.SECP256R1())
