"""Settings of the real-name provider, from the sections `idp` and `directory` of longzheng.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from idp.errors import ConfigurationError

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How often things may be asked.

    Attributes:
        sms_cool_down_s: seconds between two messages to one number.
        sms_per_number: messages to one number within 24 hours.
        sms_per_address: messages asked for from one address within 24 hours.
        sms_expiry_s: life of a code.
        sms_attempts: wrong codes before a code is void.
        guesses_per_number: different failed comparisons of one ID number within 24 hours.
        guesses_per_mobile: likewise from one mobile number.
        guesses_per_address: likewise from one address (a counter or a household shares one).
        guesses_per_officer: likewise by one officer at a counter, who is told details.
    """

    sms_cool_down_s: int = 60
    sms_per_number: int = 10
    sms_per_address: int = 60
    sms_expiry_s: int = 300
    sms_attempts: int = 5
    guesses_per_number: int = 5
    guesses_per_mobile: int = 5
    guesses_per_address: int = 20
    guesses_per_officer: int = 30

    @classmethod
    def from_mapping(cls, section: Mapping[str, Any], *, demo: bool) -> "Limits":
        """Limits of the subsection `limits`; a demonstration is walked through more often in a day."""
        lifted = {"sms_cool_down_s": 1, "sms_per_number": 500, "sms_per_address": 5000} if demo else {}
        if demo:
            lifted["guesses_per_address"] = 200
        unknown = set(section) - set(cls.__dataclass_fields__)
        if unknown:
            raise ConfigurationError(f"idp.limits: unknown key {min(unknown)}.")
        for key, value in section.items():
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise ConfigurationError(f"idp.limits.{key} must be a number, 0 or more.")
        return cls(**{**lifted, **section})


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterSettings:
    """How to reach the population register.

    Attributes:
        url: `ldap://` on this machine, else `ldaps://`.
        suffix: of the population tree.
        compare_dn: the account that may only compare.
        password_file: its password.
        rdn_key_file: key of the hash that names an entry.
        timeout_s: for connecting and for each answer.
    """

    url: str
    suffix: str
    compare_dn: str
    password_file: Path
    rdn_key_file: Path
    timeout_s: float

    @classmethod
    def from_mapping(cls, section: Mapping[str, Any]) -> "RegisterSettings":
        """Reads the subsection `directory`."""
        url = text_of(section, "url", "idp.directory.")
        parts = urlsplit(url)
        if parts.scheme != "ldaps" and (parts.scheme != "ldap" or parts.hostname not in _LOCAL):
            raise ConfigurationError("idp.directory.url must be ldaps://, or ldap:// on this machine.")
        return cls(
            url=url,
            suffix=text_of(section, "population_suffix", "idp.directory."),
            compare_dn=text_of(section, "compare_dn", "idp.directory."),
            password_file=path_of(section, "compare_password_file", "idp.directory."),
            rdn_key_file=path_of(section, "rdn_key_file", "idp.directory."),
            timeout_s=float(section.get("timeout_s", 3.0)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceSettings:
    """How to reach the provider of face checks (实人核验).

    Attributes:
        url: of its interface, as this room reaches it.
        client_id: under which the provider knows us.
        key_file: our private key, PKCS#8 EC P-256.
        provider_key_file: the provider's public key, PEM; of the embedded simulator, its private key.
        simulated: whether this room runs the simulator itself; only in a demonstration.
    """

    url: str
    client_id: str
    key_file: Path
    provider_key_file: Path
    simulated: bool

    @classmethod
    def from_mapping(cls, section: Mapping[str, Any], *, demo: bool) -> "FaceSettings":
        """Reads the subsection `face`."""
        url = text_of(section, "url", "idp.face.")
        parts = urlsplit(url)
        if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in _LOCAL):
            raise ConfigurationError("idp.face.url must be https://, or http:// on this machine.")
        simulated = bool(section.get("simulated", False))
        if simulated and not demo:
            raise ConfigurationError(
                "idp.face.simulated: the simulator proves nobody; only in a demonstration."
            )
        return cls(
            url=url,
            client_id=text_of(section, "client_id", "idp.face."),
            key_file=path_of(section, "key_file", "idp.face."),
            provider_key_file=path_of(section, "provider_key_file", "idp.face."),
            simulated=simulated,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the provider is told from outside.

    Attributes:
        issuer: `PUBLIC_URL/idp`, in every ID token.
        database_url: SQLAlchemy URL.
        signing_key_file: PKCS#8 EC P-256; made by `prepare_secrets`.
        broker_client_id: Keycloak as client.
        broker_redirect_uris: exact.
        broker_secret_file: shared with Keycloak, unless `broker_jwks_url` is set.
        broker_jwks_url: Keycloak's keys, for `private_key_jwt`.
        session_secret_file: key of the CSRF tokens.
        register: population register.
        keycloak_issuer: `iss` of access tokens.
        keycloak_jwks_url: their keys.
        audience: `longzheng-idp`.
        mobile_register_file: demonstration: which mobile number is whose; None elsewhere.
        demo: whether messages are shown on the operator's page.
        limits: throttles.
        keycloak_internal_url: where this room reaches Keycloak.
        client_keys_dir: `CLIENT_ID.pem` of this room's own clients at Keycloak.
        face: the face check's provider; None when there is none.
        number_rights_file: which sites may be told an ID number (`idp.number_rights`); None: nobody.
        client_names_file: what people call the sites; None shows their client ids.
    """

    issuer: str
    database_url: str
    signing_key_file: Path
    broker_client_id: str
    broker_redirect_uris: tuple[str, ...]
    broker_secret_file: Path | None
    broker_jwks_url: str | None
    session_secret_file: Path
    register: RegisterSettings
    keycloak_issuer: str
    keycloak_jwks_url: str
    audience: str
    mobile_register_file: Path | None
    demo: bool
    limits: Limits
    keycloak_internal_url: str
    client_keys_dir: Path
    face: FaceSettings | None
    number_rights_file: Path | None
    client_names_file: Path | None

    @classmethod
    def from_mapping(cls, section: Mapping[str, Any]) -> "Settings":
        """Reads the section `idp`.

        Raises:
            ConfigurationError: a key is missing or wrong; the sentence names it.
        """
        issuer = text_of(section, "issuer")
        parts = urlsplit(issuer)
        if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in _LOCAL):
            raise ConfigurationError("idp.issuer must be https://, or http://localhost on this machine.")
        if parts.path != "/idp" or parts.query or parts.fragment:
            raise ConfigurationError("idp.issuer must be the public address followed by /idp.")
        if section.get("sms_gateway", "embedded") != "embedded":
            raise ConfigurationError("idp.sms_gateway: only `embedded` is built in; inject another gateway.")
        keycloak_issuer = text_of(section, "keycloak_issuer")
        internal_url = str(section.get("keycloak_internal_url") or keycloak_issuer.split("/realms/")[0])
        jwks_url = f"{internal_url}{urlsplit(keycloak_issuer).path}/protocol/openid-connect/certs"
        brokers = [f"{keycloak_issuer}/broker/{alias}/endpoint" for alias in ("realname", "realname-fresh")]
        has_secret = "broker_secret_file" in section
        if not has_secret and "broker_jwks_url" not in section:
            raise ConfigurationError("idp: give broker_secret_file or broker_jwks_url.")
        owners = "mobile_register_file" in section
        demo = bool(section.get("demo", owners))
        return cls(
            issuer=issuer,
            database_url=text_of(section, "database_url"),
            signing_key_file=path_of(section, "signing_key_file"),
            broker_client_id=text_of(section, "broker_client_id"),
            broker_redirect_uris=tuple(section.get("broker_redirect_uris") or brokers),
            broker_secret_file=path_of(section, "broker_secret_file") if has_secret else None,
            broker_jwks_url=section.get("broker_jwks_url"),
            session_secret_file=path_of(section, "session_secret_file"),
            register=RegisterSettings.from_mapping(section.get("directory") or {}),
            keycloak_issuer=keycloak_issuer,
            keycloak_jwks_url=jwks_url,
            audience=text_of(section, "audience"),
            mobile_register_file=path_of(section, "mobile_register_file") if owners else None,
            demo=demo,
            limits=Limits.from_mapping(section.get("limits") or {}, demo=demo),
            keycloak_internal_url=internal_url,
            client_keys_dir=path_of(section, "client_keys_dir"),
            face=FaceSettings.from_mapping(section["face"], demo=demo) if section.get("face") else None,
            number_rights_file=path_of(section, "number_rights_file")
            if "number_rights_file" in section
            else None,
            client_names_file=path_of(section, "client_names_file")
            if "client_names_file" in section
            else None,
        )


def text_of(section: Mapping[str, Any], key: str, where: str = "idp.") -> str:
    """A text setting.

    Raises:
        ConfigurationError: missing or not text.
    """
    value = section.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"longzheng.yaml: {where}{key} is missing or is not text.")
    return value


def path_of(section: Mapping[str, Any], key: str, where: str = "idp.") -> Path:
    """An absolute path.

    Raises:
        ConfigurationError: missing or relative.
    """
    path = Path(text_of(section, key, where))
    if not path.is_absolute():
        raise ConfigurationError(f"longzheng.yaml: {where}{key} must be an absolute path.")
    return path
