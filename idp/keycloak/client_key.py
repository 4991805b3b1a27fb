"""This room's own clients at Keycloak prove themselves with a key each (RFC 7523, `private_key_jwt`)."""

import secrets
from datetime import datetime
from pathlib import Path
from typing import Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from idp.errors import ConfigurationError
from idp.secret_files import read_secret

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME_S: Final = 60


class ClientKey:
    """Makes assertions for one client.

    Args:
        client_id: at Keycloak.
        path: PKCS#8 EC P-256.
        audience: Keycloak's issuer.
    """

    def __init__(self, client_id: str, path: Path, *, audience: str) -> None:
        self.client_id = client_id
        self._path = path
        self._audience = audience
        self._key: ECKey | None = None

    def assertion(self, *, now: datetime) -> dict[str, str]:
        """The two parameters of a token request; each assertion is for one use.

        Raises:
            ConfigurationError: the key file holds no key.
        """
        issued = int(now.timestamp())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self._audience,
            "jti": secrets.token_urlsafe(24),
            "iat": issued,
            "exp": issued + LIFETIME_S,
        }
        key = self._loaded()
        signed = jwt.encode({"alg": "ES256", "kid": key.thumbprint()}, claims, key, ["ES256"])
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}

    def _loaded(self) -> ECKey:
        if self._key is None:
            try:
                self._key = ECKey.import_key(read_secret(self._path))
            except (JoseError, ValueError) as error:
                raise ConfigurationError(
                    f"{self._path} holds no PKCS#8 EC key: run ./longzheng up."
                ) from error
        return self._key
