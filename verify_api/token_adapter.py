"""The verify room's narrow ports into tokens: a receipt's signature, the QR key, the revocation lists."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Blueprint, jsonify

from cert_registry.catalog.errors import QrRefused as RegistryQrRefused
from cert_registry.composition import RegistryRooms
from cert_registry.qr import key_id, verify_qr
from cert_registry.signing.errors import SigningError
from cert_registry.signing.pki.directory import SEAL_CA, TSA_CA, succeeds
from cert_registry.signing.pki.licensed import read_licensed
from cert_registry.signing.token import Token
from verify_api.errors import PartUnavailable, QrRefused
from verify_api.receipts import b64url


class TokenReceipts:
    """`ports.ReceiptSigner` over the receipt key in the token."""

    def __init__(self, rooms: RegistryRooms) -> None:
        self._token: Token = rooms.receipts
        certificate = rooms.pki.pki.certificate("receipt")
        self._chain = [
            one.public_bytes(Encoding.DER) for one in (certificate, *rooms.pki.pki.chain(certificate))
        ]
        self.public_key = certificate.public_key()

    @property
    def x5c(self) -> Sequence[bytes]:
        """Chain of the receipt key, DER, leaf first."""
        return tuple(dict.fromkeys(self._chain))

    def sign(self, signing_input: bytes) -> bytes:
        """Return r ‖ s, 64 bytes."""
        try:
            r, s = decode_dss_signature(self._token.sign_ecdsa_p256("receipt", signing_input))
        except SigningError as error:
            raise PartUnavailable("回执签名暂时不可用，没有给出结论，请稍后再查。") from error
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def jwks(self) -> dict[str, Any]:
        """Return the receipt key as a JWK set (RFC 7517)."""
        if not isinstance(self.public_key, ec.EllipticCurvePublicKey):
            raise TypeError("the receipt key is not an elliptic-curve key")
        numbers = self.public_key.public_numbers()
        key = {
            "kty": "EC",
            "crv": "P-256",
            "use": "sig",
            "alg": "ES256",
            "x": b64url(numbers.x.to_bytes(32, "big")),
            "y": b64url(numbers.y.to_bytes(32, "big")),
            "x5c": [base64.b64encode(der).decode() for der in self.x5c],
        }
        return {"keys": [key]}


class QrDesk:
    """`ports.QrReader`: reads a QR text that a browser or a scanner may have re-cased."""

    def __init__(self, rooms: RegistryRooms, public_url: str) -> None:
        self._clock = rooms.clock
        certificate = rooms.pki.pki.certificate("qr")
        public_key = certificate.public_key()
        if not isinstance(public_key, ec.EllipticCurvePublicKey):
            raise TypeError("the QR key is not an elliptic-curve key")
        self._keys = {key_id(certificate.public_bytes(Encoding.DER)): public_key}
        self._address = f"{public_url.upper()}/VERIFY"

    def open(self, text: str) -> Mapping[str, str]:
        """See `verify_api.ports.QrReader`."""
        _, _, fragment = text.partition("#")
        try:
            claims = verify_qr(f"{self._address}#{fragment}", self._keys, now=self._clock()).claims
        except RegistryQrRefused as error:
            raise QrRefused(str(error)) from error
        return {"identifier": claims.identifier, "check_code": str(claims.check_code)}


@dataclass(frozen=True, slots=True)
class RevocationLists:
    """The newest CRLs of the CAs whose certificates stand in sealed files.

    Raises:
        PartUnavailable: They cannot be had; without them no seal is called good.
    """

    rooms: RegistryRooms

    def __call__(self) -> Sequence[bytes]:
        """Return the lists, DER."""
        rooms = self.rooms
        try:
            hierarchies = [(rooms.pki.pki, rooms.pki.crls)]
            if rooms.sm2 is not None:
                hierarchies.append((rooms.sm2.pki, rooms.sm2.crls))
            own = tuple(
                crls.current(name, now=rooms.clock()).der
                for pki, crls in hierarchies
                for name in pki.authorities()
                if succeeds(name, SEAL_CA) or succeeds(name, TSA_CA)
            )
            licensed = read_licensed(rooms.pki.pki.path)
            return (*own, *(der for authority in licensed for der in authority.lists(now=rooms.clock())))
        except SigningError as error:
            raise PartUnavailable("吊销列表暂时取不到，没有给出结论，请稍后再查。") from error


def create_receipt_keys(receipts: TokenReceipts) -> Blueprint:
    """Return the blueprint with the receipt key as a JWK set, to be mounted at ``/api/v1``."""
    blueprint = Blueprint("receipts", __name__)
    blueprint.add_url_rule("/receipts/jwks.json", "jwks", lambda: jsonify(receipts.jwks()))
    return blueprint
