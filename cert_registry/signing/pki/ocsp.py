"""The OCSP responder of the seal CA, with a delegated key.

One certificate a request, as every seal validator asks; a request for several is refused as malformed.

Source: RFC 6960, RFC 9654 (nonce of 1 to 128 octets, echoed), RFC 5019 section 2.2.4 (nextUpdate given).
"""

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from cert_registry.signing.errors import SigningError
from cert_registry.signing.pki.directory import PkiDirectory
from cert_registry.signing.private_keys import builder_key
from cert_registry.signing.token import SigningKey

#: How long an answer may be relied on.
ANSWER_LIFE = timedelta(hours=24)
_MAX_NONCE_BYTES = 128
_OID_NONCE = x509.OCSPNonce.oid


class OcspResponder:
    """Answers for the certificates of one CA.

    Args:
        pki: Certificates and register.
        authority: Short name of the CA.
        key: The delegated responder's key.
        certificate: Its certificate, issued by that CA.
    """

    def __init__(
        self, *, pki: PkiDirectory, authority: str, key: SigningKey, certificate: x509.Certificate
    ) -> None:
        self._pki = pki
        self._authority = authority
        self._issuer = pki.certificate(authority)
        self._key = builder_key(key)
        self.certificate = certificate

    def respond(self, request_der: bytes, *, now: datetime) -> bytes:
        """Answer an OCSPRequest (DER) with an OCSPResponse (DER); a refusal is an answer too."""
        try:
            request = ocsp.load_der_ocsp_request(request_der)
            algorithm = request.hash_algorithm
            name_hash, key_hash = self._issuer_hashes(algorithm)
            nonce = _nonce(request)
        except (ValueError, NotImplementedError, TypeError, x509.UnsupportedGeneralNameType):
            return _unsuccessful(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
        if (request.issuer_name_hash, request.issuer_key_hash) != (name_hash, key_hash):
            return _unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED)
        try:
            return self._answer(request.serial_number, algorithm, nonce=nonce, now=now)
        except SigningError:
            return _unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)

    def answer_for(self, certificate: x509.Certificate, *, now: datetime) -> bytes:
        """Return a response about a certificate of this CA, for embedding; without nonce.

        Raises:
            TokenUnavailable: The token does not answer.
        """
        return self._answer(certificate.serial_number, hashes.SHA256(), nonce=None, now=now)

    def _answer(
        self, serial_number: int, algorithm: hashes.HashAlgorithm, *, nonce: bytes | None, now: datetime
    ) -> bytes:
        register = self._pki.register
        revocation = register.revocation_of(self._authority, serial_number)
        status = ocsp.OCSPCertStatus.GOOD
        if revocation is not None:
            status = ocsp.OCSPCertStatus.REVOKED
        elif not register.is_issued(self._authority, serial_number):
            status = ocsp.OCSPCertStatus.UNKNOWN
        name_hash, key_hash = self._issuer_hashes(algorithm)
        this_update = now.replace(microsecond=0)
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response_by_hash(
                issuer_name_hash=name_hash,
                issuer_key_hash=key_hash,
                serial_number=serial_number,
                algorithm=algorithm,
                cert_status=status,
                this_update=this_update,
                next_update=this_update + ANSWER_LIFE,
                revocation_time=None if revocation is None else revocation.revoked_at,
                revocation_reason=None if revocation is None else x509.ReasonFlags(revocation.reason.value),
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, self.certificate)
            .certificates([self.certificate])
        )
        if nonce is not None:
            builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.DER)

    def _issuer_hashes(self, algorithm: hashes.HashAlgorithm) -> tuple[bytes, bytes]:
        """Return the hashes of CertID: of the CA's name, and of its key without the BIT STRING header."""
        name = hashes.Hash(algorithm)
        name.update(self._issuer.subject.public_bytes())
        key = hashes.Hash(algorithm)
        key.update(self._issuer.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
        return name.finalize(), key.finalize()


def _nonce(request: ocsp.OCSPRequest) -> bytes | None:
    try:
        nonce = request.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        return None
    if not 1 <= len(nonce) <= _MAX_NONCE_BYTES:
        raise ValueError("nonce length")  # RFC 9654 section 2.1: malformedRequest
    return nonce


def _unsuccessful(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)
