"""Keys and salts of the realm's clients: made once, kept under var/secrets, never changed by a second start."""

import base64
import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.configuration import Configuration
from deploy.errors import DeployError


class ClientKeyUnusable(DeployError):
    """A client's private key file cannot be read, or is no P-256 key."""

    code = "client-key"


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
        """The client's public key as a JWK set in one line; a missing key pair is made first.

        Raises:
            ClientKeyUnusable: the file is there but is no P-256 private key.
        """
        path = self.keys_dir / f"{client_id}.pem"
        if not path.exists():
            _write_new(path, _new_private_key())
        return json.dumps({"keys": [public_jwk(path)]}, separators=(",", ":"), sort_keys=True)

    def subject_salt(self, client_id: str) -> str:
        """The salt of the client's pairwise subjects; made at first asking."""
        path = self.salts_dir / client_id
        if not path.exists():
            _write_new(path, secrets.token_urlsafe(32).encode())
        return path.read_text(encoding="ascii").strip()


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
