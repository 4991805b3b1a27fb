"""Reading OCSP requests: strictly, into what the responder needs.

Source: RFC 6960 section 4.1; RFC 9654 section 2.1 (nonce of 1 to 128 octets).
"""

from dataclasses import dataclass

from asn1crypto import core, ocsp

from cert_registry.signing.errors import SigningError
from cert_registry.signing.strict_der import check_der

_MOST_CERTIFICATES = 32
_MAX_NONCE_BYTES = 128
_MAX_SERIAL_BYTES = 21  # RFC 5280: 20 octets, one more for the sign
_HASHES = frozenset({"sha1", "sha256", "sha384", "sha512"})
_NONCE = "1.3.6.1.5.5.7.48.1.2"


class RequestMalformed(SigningError):
    """An OCSP request that is to be answered with malformedRequest."""

    code = "ocsp-request-malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class OcspRequest:
    """Which certificates are asked about, in order, and the nonce."""

    certificates: tuple[ocsp.CertId, ...]
    nonce: bytes | None


def read_request(request_der: bytes) -> OcspRequest:
    """Read an OCSPRequest.

    Raises:
        RequestMalformed: It is not one in DER, asks for nothing or too much, has a critical extension that is
            not known, or a nonce of a wrong length.
    """
    try:
        check_der(request_der)
        body = ocsp.OCSPRequest.load(request_der, strict=True)["tbs_request"]
        nonce = _nonce(body["request_extensions"])
        certificates = tuple(_certificate_id(one) for one in body["request_list"])
    except RequestMalformed:
        raise
    except Exception as error:  # asn1crypto raises builtin errors of many kinds on hostile values
        raise RequestMalformed("That is not an OCSPRequest in DER.") from error
    if not 1 <= len(certificates) <= _MOST_CERTIFICATES:
        raise RequestMalformed(f"A request asks about 1 to {_MOST_CERTIFICATES} certificates.")
    return OcspRequest(certificates=certificates, nonce=nonce)


def _certificate_id(request: ocsp.Request) -> ocsp.CertId:
    for extension in request["single_request_extensions"] or ():
        if extension["critical"].native:
            raise RequestMalformed("A critical extension is not known.")
    found = request["req_cert"]
    algorithm = found["hash_algorithm"]
    if algorithm["algorithm"].native not in _HASHES or algorithm["parameters"].native is not None:
        raise RequestMalformed("The hash algorithm is not known.")
    if len(found["serial_number"].contents) > _MAX_SERIAL_BYTES:
        raise RequestMalformed("The serial number is too long.")
    _ = found["issuer_name_hash"].native, found["issuer_key_hash"].native, found["serial_number"].native
    return found


def _nonce(extensions: ocsp.TBSRequestExtensions) -> bytes | None:
    nonce: bytes | None = None
    if isinstance(extensions, core.Void):
        return None
    for extension in extensions:
        if extension["extn_id"].dotted != _NONCE:
            if extension["critical"].native:
                raise RequestMalformed("A critical extension is not known.")
            continue
        value = extension["extn_value"].parsed
        if nonce is not None or not isinstance(value, core.OctetString):
            raise RequestMalformed("The nonce is not one octet string.")
        nonce = value.native
        if not 1 <= len(nonce) <= _MAX_NONCE_BYTES:
            raise RequestMalformed("The nonce is too short or too long.")
    return nonce
