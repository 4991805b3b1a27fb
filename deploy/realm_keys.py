"""Keys and salts of the realm's clients: made once, kept under var/secrets, never changed by a second start."""

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.configuration import Configuration
from deploy.errors import DeployError, ExitCode

# A key that is coming stands beside the one in use, and the one that was in use stays until nobody signs with it.
_BESIDE: Final = ("next", "previous")
_MOST_KEYS: Final = 5
_PUBLIC_MEMBERS: Final = {"kty", "crv", "x", "y", "kid", "alg", "use"}
_LOCAL_HOSTS: Final = {"localhost", "127.0.0.1"}


class ClientKeyUnusable(DeployError):
    """A client's private key file cannot be read, or is no P-256 key."""

    code = "client-key"


class PublishedKeysWrong(DeployError):
    """What a file says of a client's public keys cannot be used."""

    code = "published-keys"
    exit_code = ExitCode.BAD_USAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientKeys:
    """The files of all clients.

    Attributes:
        keys_dir: `CLIENT_ID.pem`, PKCS#8, P-256: signs the client's assertions (`private_key_jwt`).
        salts_dir: `CLIENT_ID`, 32 random bytes as base64url: a salt that changed would give every person a new subject.
    """

    keys_dir: Path
    salts_dir: Path

    @classmethod
    def of(cls, configuration: Configuration) -> "ClientKeys":
        """The places that longzheng.yaml names."""
        return cls(
            keys_dir=configuration.client_keys_dir, salts_dir=configuration.secrets_dir / "subject-salts"
        )

    def public_jwks(self, client_id: str) -> str:
        """The client's public keys as a JWK set in one line; a missing key pair is made first.

        Beside `CLIENT_ID.pem` the keys `CLIENT_ID.next.pem` and `CLIENT_ID.previous.pem` are listed when they are there,
        so that a key can be changed without an outage.

        Raises:
            ClientKeyUnusable: the file is there but is no P-256 private key.
        """
        path = self.keys_dir / f"{client_id}.pem"
        if not path.exists():
            _write_new(path, _new_private_key())
        beside = (self.keys_dir / f"{client_id}.{word}.pem" for word in _BESIDE)
        listed = [path, *(other for other in beside if other.exists())]
        return one_line({"keys": [public_jwk(one) for one in listed]})

    def subject_salt(self, client_id: str) -> str:
        """The salt of the client's pairwise subjects; made at first asking."""
        path = self.salts_dir / client_id
        if not path.exists():
            _write_new(path, secrets.token_urlsafe(32).encode())
        return path.read_text(encoding="ascii").strip()


def published_keys(section: object) -> dict[str, str]:
    """The attributes of a client that publishes its keys itself, from `keys:` of its file.

    Args:
        section: `{"jwks_url": "https://…"}`, read by Keycloak whenever it meets a key that it does not know, or
            `{"jwks": [JWK, …]}`, one to five public P-256 keys.

    Raises:
        PublishedKeysWrong: neither, or a private key.
    """
    if not isinstance(section, Mapping) or len(section) != 1 or not set(section) <= {"jwks_url", "jwks"}:
        raise PublishedKeysWrong("keys must hold either jwks_url or jwks, and nothing else.")
    if "jwks_url" in section:
        url = section["jwks_url"]
        parts = urlsplit(url if isinstance(url, str) else "")
        if not parts.hostname or (parts.scheme != "https" and parts.hostname not in _LOCAL_HOSTS):
            raise PublishedKeysWrong("keys.jwks_url must be an https address.")
        return {"use.jwks.url": "true", "use.jwks.string": "false", "jwks.url": str(url), "jwks.string": ""}
    keys = section["jwks"]
    if not isinstance(keys, list) or not 0 < len(keys) <= _MOST_KEYS:
        raise PublishedKeysWrong(f"keys.jwks must be a list of one to {_MOST_KEYS} public keys.")
    for key in keys:
        _check_public(key)
    return {
        "use.jwks.url": "false",
        "use.jwks.string": "true",
        "jwks.url": "",
        "jwks.string": one_line({"keys": [{"use": "sig", "alg": "ES256", **key} for key in keys]}),
    }


def _check_public(key: object) -> None:
    if not isinstance(key, Mapping) or not all(isinstance(value, str) for value in key.values()):
        raise PublishedKeysWrong("keys.jwks holds something that is no key (RFC 7517).")
    if set(key) - _PUBLIC_MEMBERS:
        raise PublishedKeysWrong(
            "keys.jwks may hold the members kty, crv, x, y, kid, alg and use of a public key only; a private key that"
            " stood in a file is no secret any more: make a new one."
        )
    if (key.get("kty"), key.get("crv")) != ("EC", "P-256") or not key.get("kid"):
        raise PublishedKeysWrong("keys.jwks: each key must be EC on P-256 with a kid of its own.")


def one_line(document: Mapping[str, Any]) -> str:
    """JSON in one line, always the same text for the same content."""
    return json.dumps(document, separators=(",", ":"), sort_keys=True)


def public_jwk(path: Path) -> dict[str, str]:
    """The public half of a PEM private key, with its RFC 7638 thumbprint as `kid`.

    Raises:
        ClientKeyUnusable: not readable, or no P-256 private key.
    """
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise ClientKeyUnusable(
            f"{path} cannot be read as a private key: restore it from the backup."
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ClientKeyUnusable(f"{path} is no P-256 key: restore it from the backup.")
    numbers = key.public_key().public_numbers()
    jwk = {"crv": "P-256", "kty": "EC", "x": _coordinate(numbers.x), "y": _coordinate(numbers.y)}
    thumbprint = hashlib.sha256(json.dumps(jwk, separators=(",", ":"), sort_keys=True).encode()).digest()
    return jwk | {"alg": "ES256", "kid": _base64url(thumbprint), "use": "sig"}


def _coordinate(number: int) -> str:
    return _base64url(number.to_bytes(32, "big"))


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _new_private_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_new(path: Path, content: bytes) -> None:
    """Writes a secret whole or not at all; of two writers the first wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(unfinished, path)
    except FileExistsError:
        pass  # another start made it at the same moment; its value stands
    finally:
        unfinished.unlink()
