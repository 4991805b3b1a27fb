"""The time-stamp authority.

Source: RFC 3161, RFC 5816 (ESSCertIDv2), EN 319 422 (accuracy, policy, no ordering).
"""

import hashlib
from datetime import datetime
from threading import Lock
from typing import ClassVar

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cert_registry.signing.cms_form import CmsForm
from cert_registry.signing.der_writer import OCTET_STRING, SEQUENCE, generalized_time, integer, tlv
from cert_registry.signing.errors import SigningError, TimeStampUnavailable
from cert_registry.signing.pki.clock import ClockWatch, TimeNotAvailable
from cert_registry.signing.pki.register import AuthorityRegister
from cert_registry.signing.seal_key import scheme_of
from cert_registry.signing.strict_der import check_der
from cert_registry.signing.token import SigningKey
from cert_registry.sm2.algorithms import SM3

#: Digest lengths in bytes of the hash algorithms that may be stamped.
_ACCEPTED_HASHES = {"sha256": 32, "sha384": 48, "sha512": 64, SM3: 32}
_SERIALS_AT_ONCE = 1000
_MAX_NONCE_BYTES = 64
_ACCURACY_S = 1
_SHA256 = algos.DigestAlgorithm({"algorithm": "sha256"}).dump()
_GRANTED = tlv(SEQUENCE, integer(0))  # PKIStatusInfo with the status granted


class StampRefused(SigningError):
    """A time-stamp request that is not granted; `failure` is its PKIFailureInfo."""

    code = "time-stamp-refused"

    def __init__(self, failure: str, sentence: str) -> None:
        super().__init__(sentence)
        self.failure = failure


class _Response(core.Sequence):  # type: ignore[misc] # asn1crypto is untyped
    """TimeStampResp whose token is optional, as RFC 3161 has it and asn1crypto has not."""

    _fields: ClassVar = [
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


class TimeStampAuthority:
    """Stamps digests with one unit's key.

    Args:
        key: The unit's key.
        certificate: Its certificate.
        chain: CAs above it, root last; the root is not sent.
        register: Keeps serial numbers unique over processes and restarts.
        policy_oid: The time-stamp policy.
        clock: Says whether a time may be stamped; None believes every time it is given.
    """

    def __init__(
        self,
        *,
        key: SigningKey,
        certificate: x509.Certificate,
        chain: tuple[x509.Certificate, ...],
        register: AuthorityRegister,
        policy_oid: str,
        clock: ClockWatch | None = None,
    ) -> None:
        self._key = key
        self._scheme = scheme_of(key.algorithm)
        self._clock = clock
        self._not_before = certificate.not_valid_before_utc
        self._not_after = certificate.not_valid_after_utc
        self._certificates = [
            asn1_x509.Certificate.load(c.public_bytes(Encoding.DER)) for c in (certificate, *chain[:-1])
        ]
        self._register = register
        self._policy_oid = policy_oid
        self.certificate = certificate
        self._form = self._cut_form()
        self._policy = core.ObjectIdentifier(policy_oid).dump()
        self._lock = Lock()
        self._serials = iter(range(0))

    def respond(self, request_der: bytes, *, now: datetime) -> bytes:
        """Answer a TimeStampReq (DER) with a TimeStampResp (DER); a refusal is an answer too."""
        try:
            token = self.stamp(_parse(request_der), now=now)
        except StampRefused as refusal:
            return _refusal(refusal.failure, str(refusal))
        except TimeNotAvailable:
            return _refusal("time_not_available", "The time source is not available.")
        except SigningError:
            return _refusal("system_failure", "The time-stamp unit is not available.")
        return tlv(SEQUENCE, _GRANTED, token.dump())

    def stamp(self, request: tsp.TimeStampReq, *, now: datetime) -> cms.ContentInfo:
        """Return a time-stamp token for a parsed request.

        Raises:
            StampRefused: The request is not one that this authority grants.
            TimeStampUnavailable: The unit's certificate has ended, or has not begun.
            TimeNotAvailable: The clock cannot be believed.
            AuthorityUnavailable: The register cannot be used.
            TokenUnavailable: The token does not answer.
        """
        self._check(request)
        nonce = request["nonce"]
        content = self._content(
            request["message_imprint"].dump(),
            b"" if isinstance(nonce, core.Void) else nonce.dump(),
            now=now,
        )
        return cms.ContentInfo.load(self._sign(content, with_certificates=bool(request["cert_req"].native)))

    def stamp_sha256(self, digest: bytes, *, now: datetime) -> bytes:
        """Return a time-stamp token (ContentInfo, DER) over a SHA-256 digest of 32 bytes, with certificates.

        For sealers in this process: what a request with `certReq` and without nonce is answered with.

        Raises:
            TimeStampUnavailable: The unit's certificate has ended, or has not begun.
            TimeNotAvailable: The clock cannot be believed.
            AuthorityUnavailable: The register cannot be used.
            TokenUnavailable: The token does not answer.
        """
        imprint = tlv(SEQUENCE, _SHA256, tlv(OCTET_STRING, digest))
        return self._sign(self._content(imprint, b"", now=now), with_certificates=True)

    @property
    def longest_stamp_bytes(self) -> int:
        """How many bytes the longest token takes that `stamp_sha256` returns."""
        content = self._encoded_content(
            tlv(SEQUENCE, _SHA256, tlv(OCTET_STRING, bytes(32))), b"", serial=1 << 62, now=self._not_after
        )
        attributes = self._form.signed_attributes(bytes(32))
        longest = scheme_of(self._key.algorithm).longest_signature_bytes
        return len(self._form.filled(attributes, bytes(longest), stamped_content=content))

    def _content(self, imprint: bytes, nonce: bytes, *, now: datetime) -> bytes:
        """Return a TSTInfo (DER): version 1, policy, imprint, serial number, time, accuracy, nonce."""
        if not self._not_before <= now <= self._not_after:
            raise TimeStampUnavailable("The certificate of the time-stamp unit is not valid at this time.")
        if self._clock is not None:
            self._clock.admit(now)
        return self._encoded_content(imprint, nonce, serial=self._next_serial(), now=now)

    def _encoded_content(self, imprint: bytes, nonce: bytes, *, serial: int, now: datetime) -> bytes:
        return tlv(
            SEQUENCE,
            integer(1),
            self._policy,
            imprint,
            integer(serial),
            generalized_time(now),
            tlv(SEQUENCE, integer(_ACCURACY_S)),
            nonce,
        )

    def check(self, now: datetime) -> None:
        """Tell whether a request would be stamped now; for health.

        Raises:
            TimeStampUnavailable: The unit's certificate is not valid now.
            TimeNotAvailable: The clock cannot be believed.
            AuthorityUnavailable: The register cannot be used.
        """
        if not self._not_before <= now <= self._not_after:
            raise TimeStampUnavailable("The certificate of the time-stamp unit is not valid at this time.")
        if self._clock is not None:
            self._clock.check(now)

    def _check(self, request: tsp.TimeStampReq) -> None:
        if request["version"].native != "v1":
            raise StampRefused("bad_request", "Only version 1 of the request is known.")
        imprint = request["message_imprint"]
        name = imprint["hash_algorithm"]["algorithm"].native
        expected = _ACCEPTED_HASHES.get(name)
        if expected is None or (name == SM3 and self._scheme.digest != SM3):
            raise StampRefused(
                "bad_alg", "Only SHA-256, SHA-384 and SHA-512 are stamped, SM3 by an SM2 unit."
            )
        if len(imprint["hashed_message"].native) != expected:
            raise StampRefused("bad_data_format", "The digest's length does not fit its algorithm.")
        if request["req_policy"].native not in {None, self._policy_oid}:
            raise StampRefused("unaccepted_policy", "That time-stamp policy is not offered.")
        if request["extensions"].native:
            raise StampRefused("unaccepted_extensions", "No extension of the request is known.")
        nonce = request["nonce"]  # may be left out
        if not isinstance(nonce, core.Void) and len(nonce.contents) > _MAX_NONCE_BYTES:
            raise StampRefused("bad_request", "The nonce is too long.")

    def _next_serial(self) -> int:
        with self._lock:
            serial = next(self._serials, None)
            if serial is None:
                # A block is taken durably in advance; numbers that a crash loses are never used.
                self._serials = iter(self._register.take_numbers("tsa-serial", _SERIALS_AT_ONCE))
                serial = next(self._serials)
            return serial

    def _sign(self, content: bytes, *, with_certificates: bool) -> bytes:
        attributes = self._form.signed_attributes(hashlib.new(self._scheme.digest, content).digest())
        return self._form.filled(
            attributes,
            self._key.sign(attributes),
            stamped_content=content,
            with_certificates=with_certificates,
        )

    def _cut_form(self) -> CmsForm:
        """Encode a token once, with a blank for its digest, and cut the form from it."""
        blank = hashlib.new(self._scheme.digest, b"blank").digest()
        own = self._certificates[0]
        identifier = tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(own.dump()).digest()})
        attributes = cms.CMSAttributes(
            [
                cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}),
                cms.CMSAttribute({"type": "message_digest", "values": [blank]}),
                cms.CMSAttribute(
                    {
                        "type": "signing_certificate_v2",
                        "values": [tsp.SigningCertificateV2({"certs": [identifier]})],
                    }
                ),
            ]
        )
        signer = cms.SignerInfo(
            {
                "version": "v1",
                "sid": cms.SignerIdentifier(
                    "issuer_and_serial_number",
                    cms.IssuerAndSerialNumber({"issuer": own.issuer, "serial_number": own.serial_number}),
                ),
                "digest_algorithm": algos.DigestAlgorithm({"algorithm": self._scheme.digest}),
                "signed_attrs": attributes,
                "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": self._scheme.signature}),
                "signature": b"",
            }
        )
        signed = cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": [algos.DigestAlgorithm({"algorithm": self._scheme.digest})],
                "encap_content_info": {
                    "content_type": "tst_info",
                    "content": core.ParsableOctetString(tlv(SEQUENCE)),
                },
                "certificates": self._certificates,
                "signer_infos": [signer],
            }
        )
        return CmsForm.cut_from(
            cms.ContentInfo({"content_type": "signed_data", "content": signed}), digest=blank
        )


def _parse(request_der: bytes) -> tsp.TimeStampReq:
    try:
        check_der(request_der)
        request = tsp.TimeStampReq.load(request_der, strict=True)
        _ = request.native
    except Exception as error:  # asn1crypto raises builtin errors of many kinds on hostile values
        raise StampRefused("bad_data_format", "That is not a TimeStampReq in DER.") from error
    return request


def _refusal(failure: str, sentence: str) -> bytes:
    status = {"status": "rejection", "status_string": [sentence], "fail_info": {failure}}
    return bytes(_Response({"status": status}).dump())
