"""The key that signs ID tokens: from a file, or any signer that speaks the same two calls."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from idp.errors import ConfigurationError
from idp.secret_files import read_secret


class TokenSigner(Protocol):
    """Signs claims as ES256."""

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A compact JWS of the claims."""
        ...

    def public_jwk(self) -> dict[str, Any]:
        """The public key with `kid`, `use` and `alg`."""
        ...


class FileTokenSigner:
    """A P-256 key in a PKCS#8 file."""

    def __init__(self, path: Path) -> None:
        try:
            self._key = ECKey.import_key(read_secret(path))
        except (JoseError, ValueError) as error:
            raise ConfigurationError(
                f"{path} holds no PKCS#8 EC key: remove it, run ./longzheng up."
            ) from error
        if self._key.curve_name != "P-256":
            raise ConfigurationError(f"{path} is not a P-256 key: remove it and run ./longzheng up.")
        self._kid = self._key.thumbprint()

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A compact JWS of the claims."""
        return jwt.encode({"alg": "ES256", "kid": self._kid}, dict(claims), self._key, ["ES256"])

    def public_jwk(self) -> dict[str, Any]:
        """The public key, named by its thumbprint (RFC 7638)."""
        public = self._key.as_dict(private=False)
        return {**public, "kid": self._kid, "use": "sig", "alg": "ES256"}
