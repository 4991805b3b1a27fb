"""The real-name provider with real cryptography, a scripted register, and a clock that the test moves."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bs4 import BeautifulSoup
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey

from idp.composition import Adapters, IdentityProvider, build, prepare_secrets
from idp.errors import AccountsUnavailable, RegisterUnavailable
from idp.identity.access_token import JwksSource
from idp.identity.citizen_number import CitizenNumber
from idp.identity.person_name import NormalisedName
from idp.ports import Comparison
from idp.settings import Settings
from idp.store.acts import Act
from idp.web.language import install_language
from idp.web.service import Service

ROOT = Path(__file__).resolve().parents[3]
REDIRECT = "http://localhost:9/realms/gov/broker/realname/endpoint"
PEOPLE = ROOT / "deploy" / "demo" / "people.yaml"
LIN = {"name": "林晓雯", "number": "880102198503150026", "mobile": "13900000001"}


class Clock:
    """Stands still until moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **delta: int) -> None:
        self.now += timedelta(**delta)


class AesCipher:
    """AES-256-GCM under a key of the test."""

    def __init__(self) -> None:
        self._aead = AESGCM(AESGCM.generate_key(256))

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        nonce = secrets.token_bytes(12)
        return nonce + self._aead.encrypt(nonce, plaintext, associated_data)

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        return self._aead.decrypt(ciphertext[:12], ciphertext[12:], associated_data)


class ScriptedRegister:
    """A register of two rules: what the test scripted for a number, else no such number."""

    def __init__(self) -> None:
        self.names = {LIN["number"]: LIN["name"]}
        self.states: dict[str, Comparison] = {}
        self.down = False
        self.asked = 0

    def compare(self, number: CitizenNumber, name: NormalisedName, *, now: datetime) -> Comparison:
        del now
        self.asked += 1
        if self.down:
            raise RegisterUnavailable("down", code="register-unavailable")
        known = self.names.get(number.number)
        if known is None:
            return Comparison.NO_SUCH_NUMBER
        if known != name.name_key:
            return Comparison.NAME_DIFFERS
        return self.states.get(number.number, Comparison.MATCH)

    def probe(self) -> None:
        if self.down:
            raise RegisterUnavailable("down", code="register-unavailable")


class AccountLedger:
    """Keycloak's accounts as far as the orders go: what was carried out, and whether Keycloak answers."""

    def __init__(self) -> None:
        self.frozen: list[str] = []
        self.refreshed: list[tuple[str, dict[str, str]]] = []
        self.reset: list[str] = []
        self.signed_out: list[str] = []
        self.renamed: list[tuple[str, str]] = []
        self.withdrawn: list[tuple[str, str]] = []
        self.taken: set[str] = set()
        self.acts: tuple[Act, ...] = ()
        self.down = False

    def freeze(self, realname_ref: str) -> tuple[Act, ...]:
        if self.down:
            raise AccountsUnavailable("down", code="keycloak-unreachable")
        self.frozen.append(realname_ref)
        return self.acts

    def refresh(self, realname_ref: str, attributes: dict[str, str]) -> None:
        if self.down:
            raise AccountsUnavailable("down", code="keycloak-unreachable")
        self.refreshed.append((realname_ref, attributes))

    def reset_factors(self, realname_ref: str) -> None:
        if self.down:
            raise AccountsUnavailable("down", code="keycloak-unreachable")
        self.reset.append(realname_ref)

    def sign_out(self, realname_ref: str) -> None:
        if self.down:
            raise AccountsUnavailable("down", code="keycloak-unreachable")
        self.signed_out.append(realname_ref)

    def rename(self, realname_ref: str, username: str) -> None:
        self._answer()
        self.renamed.append((realname_ref, username))

    def name_is_free(self, username: str) -> bool:
        self._answer()
        return username not in self.taken

    def withdraw(self, realname_ref: str, client_id: str) -> None:
        self._answer()
        self.withdrawn.append((realname_ref, client_id))

    def history(self, realname_ref: str) -> tuple[Act, ...]:
        del realname_ref
        self._answer()
        return self.acts

    def _answer(self) -> None:
        if self.down:
            raise AccountsUnavailable("down", code="keycloak-unreachable")


@dataclass
class World:
    """Everything a test touches."""

    app: Flask
    provider: IdentityProvider
    settings: Settings
    clock: Clock
    register: ScriptedRegister
    keycloak_key: ECKey
    database: Path
    secret: str
    accounts: AccountLedger
    verifiers: dict[FlaskClient, str] = field(default_factory=dict)

    @property
    def service(self) -> Service:
        """Parts behind the pages."""
        return self.provider.service

    def browser(self) -> FlaskClient:
        return self.app.test_client()

    def authorize(self, browser: FlaskClient, **changes: Any) -> Any:
        verifier = secrets.token_urlsafe(48)
        challenge = _b64(hashlib.sha256(verifier.encode()).digest())
        asked = {
            "response_type": "code",
            "client_id": "keycloak",
            "redirect_uri": REDIRECT,
            "scope": "openid",
            "state": "state-1",
            "nonce": "nonce-1",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **changes,
        }
        self.verifiers[browser] = verifier
        asked = {key: value for key, value in asked.items() if value is not None}
        return browser.get("/idp/authorize", query_string=asked)

    def fill(self, browser: FlaskClient, **person: str) -> Any:
        page = browser.get("/idp/proof")
        return browser.post("/idp/proof", data={"csrf_token": token_in(page), **LIN, **person})

    def last_code(self) -> str:
        page = self.browser().get("/idp/operator/sms", headers={"Accept": "application/json"})
        text = page.json["messages"][0]["text"]
        return text.split("验证码 ")[1][:6]

    def enter(self, browser: FlaskClient, code: str) -> Any:
        page = browser.get("/idp/proof/code")
        return browser.post("/idp/proof/code", data={"csrf_token": token_in(page), "code": code})

    def prove(self, browser: FlaskClient, **person: str) -> str:
        """Walks the pages to the outcome; returns its word."""
        assert self.authorize(browser).status_code == 303
        assert self.fill(browser, **person).status_code == 303
        assert self.enter(browser, self.last_code()).status_code == 303
        return outcome_in(browser.get("/idp/proof/outcome"))

    def code(self, browser: FlaskClient, **person: str) -> str:
        assert self.prove(browser, **person) == "proved"
        answer = browser.get("/idp/proof/leave")
        return query(answer.location)["code"]

    def signed_in(self, realname_ref: str, **kept: Any) -> FlaskClient:
        """A browser with a session of one's own account, signed in with a password a moment ago."""
        content = {"realname_ref": realname_ref, "acr": "loa1", "signed_in_s": int(self.clock().timestamp())}
        sessions = self.provider.web_sessions
        handle = sessions.open("idp-account", {**content, **kept, "id_token": "t"}, now=self.clock())
        browser = self.browser()
        browser.set_cookie("lz_idp_account", handle, path="/idp/account")
        return browser

    def redeem(self, browser: FlaskClient, issued_code: str, **changes: Any) -> Any:
        form = {
            "grant_type": "authorization_code",
            "code": issued_code,
            "redirect_uri": REDIRECT,
            "client_id": "keycloak",
            "client_secret": self.secret,
            "code_verifier": self.verifiers.get(browser),
            **changes,
        }
        return self.browser().post("/idp/token", data={k: v for k, v in form.items() if v is not None})

    def access_token(self, realname_ref: str | None, **changes: Any) -> str:
        issued = int(self.clock().timestamp())
        claims = {
            "iss": self.settings.keycloak_issuer,
            "aud": "longzheng-idp",
            "azp": "portal",
            "sub": "s",
            "typ": "Bearer",
            "iat": issued,
            "exp": issued + 300,
            "realname_ref": realname_ref,
            **changes,
        }
        kid = self.keycloak_key.thumbprint()
        return jwt.encode({"alg": "ES256", "kid": kid}, claims, self.keycloak_key, ["ES256"])


MakeWorld = Callable[..., World]


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def query(location: str) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(location).query).items()}


def token_in(page: Any) -> str:
    found = BeautifulSoup(page.data, "html.parser").find("input", {"name": "csrf_token"})
    assert found is not None, page.get_data(as_text=True)
    return str(found["value"])


def outcome_in(page: Any) -> str:
    found = BeautifulSoup(page.data, "html.parser").find(attrs={"data-outcome": True})
    assert found is not None, page.get_data(as_text=True)
    return str(found["data-outcome"])


def section(scratch: Path, **changes: Any) -> dict[str, Any]:
    return {
        "issuer": "http://localhost:8/idp",
        "database_url": f"sqlite:///{scratch / 'idp.db'}",
        "signing_key_file": str(scratch / "secrets" / "signing.pem"),
        "broker_client_id": "keycloak",
        "broker_secret_file": str(scratch / "secrets" / "broker"),
        "session_secret_file": str(scratch / "secrets" / "session"),
        "directory": {
            "url": "ldap://127.0.0.1:1",
            "population_suffix": "ou=population,dc=longzheng",
            "compare_dn": "cn=compare,ou=services,dc=longzheng",
            "compare_password_file": str(scratch / "secrets" / "compare"),
            "rdn_key_file": str(scratch / "secrets" / "rdn"),
        },
        "keycloak_issuer": "http://localhost:9/realms/gov",
        "audience": "longzheng-idp",
        "mobile_register_file": str(PEOPLE),
        "client_keys_dir": str(scratch / "secrets" / "clients"),
        **changes,
    }


def make_world(directory: Path, **changes: Any) -> World:
    settings = Settings.from_mapping(section(directory, **changes))
    prepare_secrets(settings)
    clock, register = Clock(), ScriptedRegister()
    keycloak_key = ECKey.generate_key("P-256")
    published = {**keycloak_key.as_dict(private=False), "kid": keycloak_key.thumbprint(), "use": "sig"}
    jwks = JwksSource(lambda: json.dumps({"keys": [published]}).encode())
    accounts = AccountLedger()
    holder_key = secrets.token_bytes(32)
    provider = build(
        settings,
        mac=lambda message: hmac.new(holder_key, message, hashlib.sha256).digest(),
        cipher=AesCipher(),
        clock=clock,
        adapters=Adapters(register=register, keycloak_jwks=jwks, broker_jwks=jwks, accounts=accounts),
    )
    app = Flask("test", template_folder=str(ROOT / "templates"))
    install_language(app)
    app.testing = True
    app.register_blueprint(provider.blueprint)
    for other in provider.others:
        app.register_blueprint(other)
    secret_file = directory / "secrets" / "broker"
    return World(
        app=app,
        provider=provider,
        settings=settings,
        clock=clock,
        register=register,
        keycloak_key=keycloak_key,
        database=directory / "idp.db",
        accounts=accounts,
        secret=secret_file.read_text() if secret_file.exists() else "",
    )
