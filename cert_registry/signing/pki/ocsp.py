"""The OCSP responder of the seal CA, with a delegated key.

A request without nonce for one certificate is answered by reading one row: the answer was signed before by a job, at a
revocation or when somebody first asked in that way, is not older than half of its life, and says what the register
says at this moment. So a revocation is in the next answer, the token is needed for nonces and unknown numbers
alone, and all processes share what one has signed.

Source: RFC 6960, RFC 9654 (nonce of 1 to 128 octets, echoed), RFC 5019 section 2.2.4 (nextUpdate given).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from asn1crypto import algos, core, ocsp
from cryptography import x509

from cert_registry.signing.errors import AuthorityUnavailable, SigningError
from cert_registry.signing.pki.directory import PkiDirectory
from cert_registry.signing.pki.ocsp_request import OcspRequest, RequestMalformed, read_request
from cert_registry.signing.pki.register import KeptAnswer, Standing
from cert_registry.signing.seal_key import scheme_of
from cert_registry.signing.token import SigningKey
from cert_registry.sm2.public_key import to_asn1

#: How long an answer may be relied on.
ANSWER_LIFE = timedelta(hours=24)
#: A prepared answer that is older is signed again.
_PREPARED_FOR = ANSWER_LIFE / 2
#: How clients name a certificate (RFC 5019 section 2.1.1, RFC 9654): both are prepared.
_FORMS = ("sha1", "sha256")
_AT_ONCE = 50  # certificates; the register is not held for longer than writing their answers takes


@dataclass(frozen=True, slots=True, kw_only=True)
class OcspAnswer:
    """An OCSPResponse; what may be kept by caches tells when it was made and until when it holds."""

    der: bytes
    this_update: datetime | None = None
    next_update: datetime | None = None


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
        self._key = key
        self.certificate = certificate
        self._own = to_asn1(certificate)

    def respond(self, request_der: bytes, *, now: datetime) -> bytes:
        """Answer an OCSPRequest (DER) with an OCSPResponse (DER); a refusal is an answer too."""
        return self.answer(request_der, now=now).der

    def answer(self, request_der: bytes, *, now: datetime) -> OcspAnswer:
        """Answer an OCSPRequest (DER), telling what a cache may do with it."""
        try:
            request = read_request(request_der)
        except RequestMalformed:
            return _unsuccessful("malformed_request")
        if any(not self._is_own(certificate_id) for certificate_id in request.certificates):
            return _unsuccessful("unauthorized")
        try:
            if request.nonce is None and len(request.certificates) == 1:
                return self._prepared(request.certificates[0], now=now)
            return OcspAnswer(der=self._sign(request, now=now))
        except SigningError:
            return _unsuccessful("try_later")

    def answer_for(self, certificate: x509.Certificate, *, now: datetime) -> bytes:
        """Return a fresh response about a certificate of this CA, for embedding; without nonce.

        Raises:
            TokenUnavailable: The token does not answer.
            AuthorityUnavailable: The register cannot be used, or the responder's certificate has ended.
        """
        certificate_id = self._certificate_id("sha256", certificate.serial_number)
        return self._sign(OcspRequest(certificates=(certificate_id,), nonce=None), now=now)

    def prepare(self, *, now: datetime) -> int:
        """Sign answers about every certificate that lacks one, or whose answer is older than half of its life.

        Returns:
            About how many certificates.

        Raises:
            TokenUnavailable: The token does not answer; what was signed before stays.
            AuthorityUnavailable: The register cannot be used, or the responder's certificate has ended.
        """
        register, prepared = self._pki.register, 0
        while numbers := register.without_answers(
            self._authority, forms=len(_FORMS), made_after=now - _PREPARED_FOR, now=now, most=_AT_ONCE
        ):
            made = [
                (number, self._made(self._certificate_id(form, number), now=now))
                for number in numbers
                for form in _FORMS
            ]
            register.keep_answers(self._authority, made)
            prepared += len(numbers)
        return prepared

    def _prepared(self, certificate_id: ocsp.CertId, *, now: datetime) -> OcspAnswer:
        serial_number = certificate_id["serial_number"].native
        register = self._pki.register
        standing, kept = register.standing_and_answer(
            self._authority, serial_number, bytes(certificate_id.dump())
        )
        if kept is None or not kept.made_at <= now < kept.made_at + _PREPARED_FOR:
            kept = self._made(certificate_id, now=now, standing=standing)
            if (
                standing.issued
            ):  # numbers that were never issued are without end: they would fill the register
                register.keep_answers(self._authority, [(serial_number, kept)])
        return OcspAnswer(der=kept.der, this_update=kept.made_at, next_update=kept.made_at + ANSWER_LIFE)

    def _made(
        self, certificate_id: ocsp.CertId, *, now: datetime, standing: Standing | None = None
    ) -> KeptAnswer:
        serial_number = certificate_id["serial_number"].native
        said = standing or self._pki.register.standing_of(self._authority, serial_number)
        request = OcspRequest(certificates=(certificate_id,), nonce=None)
        return KeptAnswer(
            asked=bytes(certificate_id.dump()),
            standing=said,
            made_at=now.replace(microsecond=0),
            der=self._sign(request, now=now, standings=[said]),
        )

    def _sign(
        self, request: OcspRequest, *, now: datetime, standings: Sequence[Standing] | None = None
    ) -> bytes:
        if not self.certificate.not_valid_before_utc <= now <= self.certificate.not_valid_after_utc:
            raise AuthorityUnavailable("The certificate of the OCSP responder is not valid at this time.")
        register = self._pki.register
        known = standings or [
            register.standing_of(self._authority, one["serial_number"].native) for one in request.certificates
        ]
        this_update = now.replace(microsecond=0)
        body: dict[str, object] = {
            "responder_id": ocsp.ResponderId("by_key", self._own.public_key.sha1),
            "produced_at": this_update,
            "responses": [
                _single(one, standing, this_update)
                for one, standing in zip(request.certificates, known, strict=True)
            ],
        }
        if request.nonce is not None:
            extension = {"extn_id": "nonce", "extn_value": core.OctetString(request.nonce)}
            body["response_extensions"] = [extension]
        data = ocsp.ResponseData(body)
        basic = ocsp.BasicOCSPResponse(
            {
                "tbs_response_data": data,
                "signature_algorithm": algos.SignedDigestAlgorithm(
                    {"algorithm": scheme_of(self._key.algorithm).signature}
                ),
                "signature": self._key.sign(data.dump()),
                "certs": [self._own],
            }
        )
        response = ocsp.ResponseBytes({"response_type": "basic_ocsp_response", "response": basic})
        return bytes(ocsp.OCSPResponse({"response_status": "successful", "response_bytes": response}).dump())

    def _is_own(self, certificate_id: ocsp.CertId) -> bool:
        algorithm = certificate_id["hash_algorithm"]["algorithm"].native
        own = self._certificate_id(algorithm, 0)
        names = ("issuer_name_hash", "issuer_key_hash")
        return all(own[name].native == certificate_id[name].native for name in names)

    def _certificate_id(self, algorithm: str, serial_number: int) -> ocsp.CertId:
        """Return a CertID: hashes of the CA's name, and of its key without the BIT STRING header."""
        name = self._issuer.subject.public_bytes()
        key = bytes(to_asn1(self._issuer).public_key["public_key"])
        return ocsp.CertId(
            {
                "hash_algorithm": {"algorithm": algorithm},
                "issuer_name_hash": hashlib.new(algorithm, name).digest(),
                "issuer_key_hash": hashlib.new(algorithm, key).digest(),
                "serial_number": serial_number,
            }
        )


def _single(certificate_id: ocsp.CertId, standing: Standing, this_update: datetime) -> dict[str, object]:
    status = ocsp.CertStatus("good", ocsp.StatusGood())
    if standing.revocation is not None:
        revoked = {
            "revocation_time": standing.revocation.revoked_at,
            "revocation_reason": _reason(standing.revocation.reason.value),
        }
        status = ocsp.CertStatus("revoked", ocsp.RevokedInfo(revoked))
    elif not standing.issued:
        status = ocsp.CertStatus("unknown", ocsp.StatusUnknown())
    return {
        "cert_id": certificate_id,
        "cert_status": status,
        "this_update": this_update,
        "next_update": this_update + ANSWER_LIFE,
    }


def _reason(name: str) -> str:
    """`keyCompromise` as asn1crypto calls it: `key_compromise`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _unsuccessful(status: str) -> OcspAnswer:
    return OcspAnswer(der=bytes(ocsp.OCSPResponse({"response_status": status}).dump()))
