"""Reading a CMS of our own form for the check before release, strictly and quickly; without the sealer's code.

Only the one form is read, and every length, tag and order in it must be that of DER; what departs from it by a
single byte is left to the general reader (release_cms.py), which refuses it or not. The signatures are verified by
`cryptography`; that a chain leads to an anchor is looked at once for the same certificates and remembered.

Source: RFC 5652 section 5; RFC 3161 section 2.4.2; RFC 5035 section 3; X.690 clause 10.
"""

import functools
import hashlib
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from cert_registry.signing.certificate_keys import der_of
from cert_registry.signing.errors import ReleaseRefused

SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")  # 1.2.840.113549.1.7.2
DATA = bytes.fromhex("06092a864886f70d010701")  # 1.2.840.113549.1.7.1
TST_INFO = bytes.fromhex("060b2a864886f70d0109100104")  # 1.2.840.113549.1.9.16.1.4
_CONTENT_TYPE = bytes.fromhex("06092a864886f70d010903")  # 1.2.840.113549.1.9.3
_MESSAGE_DIGEST = bytes.fromhex("06092a864886f70d010904")  # 1.2.840.113549.1.9.4
_CERTIFICATE_V2 = bytes.fromhex("060b2a864886f70d010910022f")  # 1.2.840.113549.1.9.16.2.47
_STAMP = bytes.fromhex("060b2a864886f70d010910020e")  # 1.2.840.113549.1.9.16.2.14
_SHA256 = bytes.fromhex("300d06096086480165030402010500")  # AlgorithmIdentifier with NULL
_ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
_RSA_SHA256 = bytes.fromhex("300d06092a864886f70d01010b0500")
_VERSION_1, _VERSION_3 = bytes.fromhex("020101"), bytes.fromhex("020103")
_SEQUENCE, _SET, _OCTETS, _INTEGER, _TIME, _TAG_0, _TAG_1 = 0x30, 0x31, 0x04, 0x02, 0x18, 0xA0, 0xA1
_HALF_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 // 2
_MAX_STEPS = 4


class NotThisForm(Exception):
    """The bytes are not of the one form that is read here."""


class Reader:
    """Reads DER values one after the other from a piece of bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def value(self, tag: int) -> bytes:
        """Return the contents of the next value, which must have this tag.

        Raises:
            NotThisForm: Another tag, a length that is not the shortest, or bytes are missing.
        """
        data, at = self._data, self._at
        if at + 2 > len(data) or data[at] != tag:
            raise NotThisForm
        length, start = data[at + 1], at + 2
        if length >= 0x80:
            count = length & 0x7F
            encoded = data[start : start + count]
            length = int.from_bytes(encoded)
            start += count
            if not 1 <= count <= 4 or len(encoded) != count or length < 0x80 or encoded[0] == 0:
                raise NotThisForm
        self._at = start + length
        if self._at > len(data):
            raise NotThisForm
        return data[start : self._at]

    def whole(self, tag: int) -> bytes:
        """Return the next value with its tag and length."""
        start = self._at
        self.value(tag)
        return self._data[start : self._at]

    def constant(self, expected: bytes) -> None:
        """Pass over bytes that must be these."""
        if not self._data.startswith(expected, self._at):
            raise NotThisForm
        self._at += len(expected)

    def is_at_end(self) -> bool:
        """Tell whether nothing is left."""
        return self._at == len(self._data)

    def end(self) -> None:
        """Demand that nothing is left."""
        if not self.is_at_end():
            raise NotThisForm


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedForm:
    """What a CMS of our form holds.

    Args:
        certificates: The embedded certificates, DER.
        content: TSTInfo of a time stamp, None in a seal.
        message_digest: As signed.
        certificate_hash: SHA-256 of the signer's certificate, as signed.
        issuer_and_serial: How the signer is named, contents of the SEQUENCE.
        signed: The signed attributes as they were signed.
        algorithm: The signature's AlgorithmIdentifier.
        signature: The signature value.
        stamp: The time-stamp token in the unsigned attributes, if there is one.
    """

    certificates: tuple[bytes, ...]
    content: bytes | None
    message_digest: bytes
    certificate_hash: bytes
    issuer_and_serial: bytes
    signed: bytes
    algorithm: bytes
    signature: bytes
    stamp: bytes | None


def read_signed_form(der: bytes, *, is_stamp: bool) -> SignedForm:
    """Take a CMS apart.

    Raises:
        NotThisForm: It is not of the form of a seal or, with `is_stamp`, of a time-stamp token.
    """
    outer = Reader(der)
    info = Reader(outer.value(_SEQUENCE))
    outer.end()
    info.constant(SIGNED_DATA)
    explicit = Reader(info.value(_TAG_0))
    info.end()
    signed = Reader(explicit.value(_SEQUENCE))
    explicit.end()
    signed.constant(_VERSION_3 if is_stamp else _VERSION_1)
    if signed.value(_SET) != _SHA256:
        raise NotThisForm
    content = _content(Reader(signed.value(_SEQUENCE)), is_stamp=is_stamp)
    embedded = Reader(signed.value(_TAG_0))
    certificates: list[bytes] = []
    while not embedded.is_at_end():
        certificates.append(embedded.whole(_SEQUENCE))
    signers = Reader(signed.value(_SET))
    signed.end()
    signer = Reader(signers.value(_SEQUENCE))
    signers.end()
    signer.constant(_VERSION_1)
    issuer_and_serial = signer.value(_SEQUENCE)
    signer.constant(_SHA256)
    attributes = signer.whole(_TAG_0)
    digest, certificate_hash = _attributes(attributes, TST_INFO if is_stamp else DATA)
    algorithm = signer.whole(_SEQUENCE)
    signature = signer.value(_OCTETS)
    stamp = None if signer.is_at_end() else _stamp(signer)
    signer.end()
    if stamp is not None and is_stamp:
        raise NotThisForm
    return SignedForm(
        certificates=tuple(certificates),
        content=content,
        message_digest=digest,
        certificate_hash=certificate_hash,
        issuer_and_serial=issuer_and_serial,
        signed=bytes((_SET,)) + attributes[1:],
        algorithm=algorithm,
        signature=signature,
        stamp=stamp,
    )


def _content(reader: Reader, *, is_stamp: bool) -> bytes | None:
    reader.constant(TST_INFO if is_stamp else DATA)
    content = None
    if is_stamp:
        explicit = Reader(reader.value(_TAG_0))
        content = explicit.value(_OCTETS)
        explicit.end()
    reader.end()
    return content


def _attributes(encoded: bytes, content_type: bytes) -> tuple[bytes, bytes]:
    """Return message digest and certificate hash; exactly three attributes, in DER's order."""
    reader = Reader(Reader(encoded).value(_TAG_0))
    parts = [reader.whole(_SEQUENCE) for _ in range(3)]
    reader.end()
    if parts != sorted(parts):
        raise NotThisForm
    values: dict[bytes, bytes] = {}
    for part, kind in zip(parts, (_CONTENT_TYPE, _MESSAGE_DIGEST, _CERTIFICATE_V2), strict=True):
        attribute = Reader(Reader(part).value(_SEQUENCE))
        attribute.constant(kind)
        values[kind] = attribute.value(_SET)
        attribute.end()
    if values[_CONTENT_TYPE] != content_type:
        raise NotThisForm
    digest = Reader(values[_MESSAGE_DIGEST])
    message_digest = digest.value(_OCTETS)
    digest.end()
    # SigningCertificateV2 { certs { ESSCertIDv2 { certHash (SHA-256, the default), issuerSerial OPTIONAL } } }
    ids = Reader(Reader(Reader(values[_CERTIFICATE_V2]).value(_SEQUENCE)).value(_SEQUENCE))
    identifier = Reader(ids.value(_SEQUENCE))
    ids.end()
    certificate_hash = identifier.value(_OCTETS)
    if not identifier.is_at_end():
        identifier.value(_SEQUENCE)
        identifier.end()
    return message_digest, certificate_hash


def _stamp(signer: Reader) -> bytes:
    unsigned = Reader(signer.value(_TAG_1))
    attribute = Reader(unsigned.value(_SEQUENCE))
    unsigned.end()
    attribute.constant(_STAMP)
    values = Reader(attribute.value(_SET))
    attribute.end()
    token = values.whole(_SEQUENCE)
    values.end()
    return token


@dataclass(frozen=True, slots=True, kw_only=True)
class StampForm:
    """What a TSTInfo of our form says: the SHA-256 that was stamped, and when (`YYYYMMDDhhmmssZ`)."""

    imprint: bytes
    time: str


def read_stamp_form(content: bytes) -> StampForm:
    """Take a TSTInfo apart.

    Raises:
        NotThisForm: It is not of the form of our authority's.
    """
    outer = Reader(content)
    reader = Reader(outer.value(_SEQUENCE))
    outer.end()
    reader.constant(_VERSION_1)
    reader.value(0x06)  # policy
    imprint = Reader(reader.value(_SEQUENCE))
    imprint.constant(_SHA256)
    hashed = imprint.value(_OCTETS)
    imprint.end()
    reader.value(_INTEGER)  # serial number
    time = reader.value(_TIME)
    reader.value(_SEQUENCE)  # accuracy
    if not reader.is_at_end():
        reader.value(_INTEGER)  # nonce
    reader.end()
    if len(time) != 15 or not time[:14].isdigit() or time[14:] != b"Z":
        raise NotThisForm
    return StampForm(imprint=hashed, time=time.decode())


def check_form(
    form: SignedForm, certificate: x509.Certificate, *, digest: bytes, broken: type[ReleaseRefused]
) -> None:
    """Check that a certificate's key signed this digest.

    Raises:
        ReleaseRefused: Of the class given.
        NotThisForm: The key or the signer's name is of another kind than is looked at here.
    """
    der = der_of(certificate)
    if form.message_digest != digest:
        raise broken("The signed digest is not that of the content.")
    if form.certificate_hash != hashlib.sha256(der).digest():
        raise broken("The signed attributes name another certificate.")
    if der not in form.certificates:
        raise broken("The signer's certificate is not in the signature.")
    names = Reader(form.issuer_and_serial)
    issuer, serial = names.whole(_SEQUENCE), names.value(_INTEGER)
    names.end()
    if issuer != certificate.issuer.public_bytes() or int.from_bytes(serial) != certificate.serial_number:
        raise NotThisForm
    key = certificate.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and form.algorithm == _ECDSA_SHA256:
            r, s = utils.decode_dss_signature(form.signature)
            if utils.encode_dss_signature(r, s) != form.signature or not 0 < s <= _HALF_ORDER:
                raise broken("The ECDSA signature is not written in the one way that is released.")
            key.verify(form.signature, form.signed, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, rsa.RSAPublicKey) and form.algorithm == _RSA_SHA256:
            key.verify(form.signature, form.signed, padding.PKCS1v15(), hashes.SHA256())
        else:
            raise NotThisForm
    except (InvalidSignature, ValueError) as error:
        raise broken("The signature does not verify.") from error


@functools.lru_cache(maxsize=256)
def leads_to_anchor(der: bytes, embedded: tuple[bytes, ...], anchors: tuple[bytes, ...]) -> bool:
    """Tell whether issuers lead from a certificate through the embedded ones to an anchor, each signature verified.

    The answer depends on these bytes alone, so it is remembered; times are looked at by the caller.
    """
    current = x509.load_der_x509_certificate(der)
    above = [x509.load_der_x509_certificate(one) for one in anchors]
    pool = [x509.load_der_x509_certificate(one) for one in embedded if one != der]
    for _ in range(_MAX_STEPS):
        if any(_issued(current, anchor) for anchor in above):
            return True
        nearer = [one for one in pool if one != current and _issued(current, one)]
        if not nearer:
            return False
        current = nearer[0]
    return False


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if issuer.subject != certificate.issuer:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
