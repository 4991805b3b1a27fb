"""The composition root: the only place where adapters meet use cases. Nobody imports this module.

`LONGZHENG_ROLES` (default `idp,registry,verify`) mounts only some of the rooms, so that the police side, the key
side and the verifier side can run on separate hosts.
"""

from __future__ import annotations

import base64
import logging
import os
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Blueprint, Flask, Response, g, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from werkzeug.exceptions import HTTPException

from cert_registry.catalog.errors import QrRefused as RegistryQrRefused
from cert_registry.composition import RegistryRooms, build_registry
from cert_registry.issuance_vault import token_mac
from cert_registry.problems import problem_response
from cert_registry.qr import key_id, verify_qr
from cert_registry.settings import Settings as RegistrySettings
from cert_registry.signing.errors import SigningError
from cert_registry.signing.keyring import DataCipher as TokenCipher
from cert_registry.signing.pki.blueprint import create_blueprint as create_pki
from cert_registry.signing.settings import Settings as SigningSettings
from cert_registry.signing.token import Token
from cert_registry.tlog.web import create_blueprint as create_log
from cert_registry.web.api import create_api as create_registry_api
from cert_registry.web.api import openapi_paths, openapi_schemas
from cert_registry.web.citizen import CitizenRoom, create_citizen_pages
from cert_registry.web.errors import SignInFailed
from cert_registry.web.officer import OfficerRoom, create_officer_pages
from cert_registry.web.sessions import SessionStore
from cert_registry.web.sign_in import SignedIn, SignIn, SignInSettings
from cert_registry.web.status_lists import create_status_lists
from deploy.configuration import Configuration, Mode, load
from deploy.locations import state_directory
from idp import build_identity_provider
from idp.identity.access_token import AccessTokenVerifier, JwksSource
from idp.identity.assurance import AcrLevel
from idp.identity.errors import AccessTokenRefused, NotProved, ResolverUnavailable
from idp.identity.masking import mask_name
from idp.identity.resolution import HolderResolver
from idp.settings import Settings as IdpSettings
from idp.web.language import install_language
from verify_api.errors import PartUnavailable, QrRefused
from verify_api.receipts import b64url
from verify_api.registry_adapter import CheckBook, OrganisationRights, RegistryAdapter
from verify_api.seal_adapter import OwnSealValidator
from verify_api.throttle import AddressThrottle
from verify_api.validation import Limits, TrustAnchors
from verify_api.verification import VerifyRoom
from verify_api.web.api import DepartmentDoor, create_api
from verify_api.web.openapi import build_document, create_openapi
from verify_api.web.public import create_public_pages

ROLES = ("idp", "registry", "verify")
MAXIMUM_REQUEST_BYTES = 32 * 1024 * 1024
_LOGGER = logging.getLogger("longzheng")
_REQUESTS = Counter(
    "longzheng_http_requests_total", "Requests by endpoint and status.", ["endpoint", "status"]
)
_SECONDS = Histogram("longzheng_http_request_seconds", "Seconds to answer, by endpoint.", ["endpoint"])
_SWEEP_EVERY_S = 20
# A token whose files are gone still gives random bytes, so a key is looked for.
_PROBED_KEYS = {"pki": "tsa", "log": "log", "receipts": "receipt", "keys": "holder-mac"}


def utc_now() -> datetime:
    """Return the time; everything below is handed it."""
    return datetime.now(UTC)


def create_application() -> Flask:
    """Build the service from `longzheng.yaml`; gunicorn calls this."""
    configuration = load(state_directory())
    if configuration.token.softhsm_conf is not None:
        os.environ.setdefault("SOFTHSM2_CONF", str(configuration.token.softhsm_conf))
    roles = _roles(os.environ.get("LONGZHENG_ROLES", ",".join(ROLES)))
    return _Composition(configuration, roles).application


def _roles(text: str) -> frozenset[str]:
    roles = frozenset(one.strip() for one in text.split(",") if one.strip())
    if not roles or not roles <= set(ROLES):
        raise SystemExit(f"LONGZHENG_ROLES names {', '.join(sorted(roles))}; choose from {', '.join(ROLES)}.")
    return roles


class _Composition:
    """Wires one process; each method mounts one room."""

    def __init__(self, configuration: Configuration, roles: frozenset[str]) -> None:
        self._configuration = configuration
        self._demo = configuration.mode is Mode.DEMO
        self._jwks = JwksSource.from_url(str(configuration.section("registry")["jwks_url"]))
        self._tokens = AccessTokenVerifier(configuration.keycloak.issuer, self._jwks)
        self._signing = SigningSettings.from_mapping(
            configuration.section("token"),
            pki_directory=configuration.pki_dir,
            public_url=configuration.public_url,
        )
        self.application = Flask(__name__, template_folder="templates", static_folder="static")
        # Chinese alone is offered until the sentences made in Python have catalogues too: a page in two languages
        # serves nobody. The templates' English is complete and waits.
        install_language(self.application)
        self._csrf = CSRFProtect()
        self._probes: dict[str, Callable[[], object]] = {}
        self._frame()
        resolver = self._mount_idp() if "idp" in roles else None
        if roles & {"registry", "verify"}:
            rooms = build_registry(
                RegistrySettings.from_mapping(configuration.section("registry"), demo=self._demo),
                signing=self._signing,
                clock=utc_now,
            )
            if "registry" in roles:
                self._mount_registry(rooms, resolver or self._remote_resolver())
            if "verify" in roles:
                self._mount_verify(rooms)
            self._probe_registry(rooms)
        _add_operations(self.application, self._probes, self._csrf)

    # ── the frame ──

    def _frame(self) -> None:
        application = self.application
        secret = Path(self._configuration.section("registry")["session_secret_file"]).read_bytes()
        application.config.update(
            SECRET_KEY=secret,
            SESSION_COOKIE_NAME="lz_flow",
            SESSION_COOKIE_HTTPONLY=True,
            SESSION_COOKIE_SAMESITE="Lax",
            SESSION_COOKIE_SECURE=self._configuration.public_url.startswith("https:"),
            MAX_CONTENT_LENGTH=MAXIMUM_REQUEST_BYTES,
            # A foreign Host header (DNS rebinding) reaches no page.
            TRUSTED_HOSTS=sorted({str(urlsplit(self._configuration.public_url).hostname), "127.0.0.1"}),
            WTF_CSRF_TIME_LIMIT=None,
            WTF_CSRF_SSL_STRICT=False,
        )
        self._csrf.init_app(application)
        application.context_processor(lambda: {"demo_mode": self._demo})
        _add_headers(application, keycloak=_origin(self._configuration.keycloak.base_url))
        _add_errors(application)
        _add_metrics(application)

    # ── rooms ──

    def _mount_idp(self) -> HolderResolver:
        keys = self._signing.open_token("keys")
        provider = build_identity_provider(
            IdpSettings.from_mapping(self._configuration.section("idp")),
            mac=token_mac(keys),
            cipher=TokenCipher(keys, "key-encryption"),
            clock=utc_now,
        )
        self.application.register_blueprint(provider.blueprint)
        self._csrf.exempt(provider.blueprint)  # its pages carry a token of their own, bound to the visit
        for name in provider.health():
            self._probes[f"idp.{name}"] = _flag(provider.health, name)
        return provider.resolver

    def _remote_resolver(self) -> HolderResolver:
        from idp.identity.resolution_http import HttpHolderResolver  # noqa: PLC0415 - only where idp/ is elsewhere

        return HttpHolderResolver(str(self._configuration.section("registry")["resolver_url"]))

    def _mount_registry(self, rooms: RegistryRooms, resolver: HolderResolver) -> None:
        application, configuration = self.application, self._configuration
        sessions = SessionStore(
            configuration.state_dir / "sessions.db", idle=timedelta(minutes=30), longest=timedelta(hours=8)
        )
        portal = self._sign_in("portal", "", "/my", sessions, _person_session(resolver))
        desk = self._sign_in("officer-desk", "/officer", "/officer/", sessions, _officer_session)
        for sign_in in (portal, desk):
            self._csrf.exempt(sign_in.mount(application))
        application.register_blueprint(
            create_citizen_pages(
                CitizenRoom(
                    sign_in=portal,
                    registry=rooms.registry,
                    delivery=rooms.delivery,
                    checks=rooms.checks,
                    catalog=rooms.catalog,
                    represented=rooms.legal_persons.represented_by,
                    clock=utc_now,
                )
            )
        )
        application.register_blueprint(
            create_officer_pages(
                OfficerRoom(
                    sign_in=desk,
                    drafting=rooms.drafting,
                    registry=rooms.registry,
                    lifecycle=rooms.lifecycle,
                    checks=rooms.checks,
                    catalog=rooms.catalog,
                    chart=rooms.charts.chart,
                    clock=utc_now,
                )
            ),
            url_prefix="/officer",
        )
        api = create_registry_api(rooms, self._tokens)
        pki = create_pki(rooms.pki, utc_now)
        self._csrf.exempt(api)
        self._csrf.exempt(pki)
        application.register_blueprint(api, url_prefix="/api/v1")
        application.register_blueprint(pki, url_prefix="/pki")
        application.register_blueprint(create_log(rooms.log, rooms.settings.tlog_dir))
        _sweep_in_background(rooms)

    def _sign_in(
        self,
        client_id: str,
        prefix: str,
        home: str,
        sessions: SessionStore,
        open_session: Callable[[SignedIn, datetime], Mapping[str, Any]],
    ) -> SignIn:
        configuration = self._configuration
        return SignIn(
            SignInSettings(
                client_id=client_id,
                key_file=configuration.client_key_file(client_id),
                issuer=configuration.keycloak.issuer,
                prefix=prefix,
                home=home,
                cookie=f"lz_{client_id.replace('-', '_')}",
                public_url=configuration.public_url,
            ),
            sessions=sessions,
            jwks=self._jwks,
            open_session=open_session,
            clock=utc_now,
        )

    def _mount_verify(self, rooms: RegistryRooms) -> None:
        application, configuration = self.application, self._configuration
        section = configuration.section("verify")
        receipts = _TokenReceipts(rooms)
        room = VerifyRoom(
            issuer=configuration.public_url,
            registry=RegistryAdapter(registry=rooms.registry, catalog=rooms.catalog),
            rights=OrganisationRights(chart=rooms.charts.chart, catalog=rooms.catalog),
            recorder=CheckBook(checks=rooms.checks),
            validator=OwnSealValidator(
                trust=TrustAnchors.own_only(Path(section["trust_file"]).read_bytes()),
                revocation_lists=_revocation_lists(rooms),
                limits=Limits(
                    seconds=int(section["worker_seconds"]),
                    memory_bytes=int(section["worker_memory_bytes"]),
                    file_bytes=int(section["max_upload_bytes"]),
                ),
            ),
            receipts=receipts,
            qr=_QrDesk(rooms, configuration.public_url),
        )
        door = DepartmentDoor(tokens=self._tokens, department_name=_department_name(rooms))
        api = create_api(room, door, clock=utc_now)
        self._csrf.exempt(api)
        application.register_blueprint(api, url_prefix="/api/v1")
        document = build_document(
            public_url=configuration.public_url,
            token_url=f"{configuration.keycloak.issuer}/protocol/openid-connect/token",
            other_paths=openapi_paths(),
            other_schemas=openapi_schemas(),
        )
        application.register_blueprint(create_openapi(document), url_prefix="/api/v1")
        application.register_blueprint(create_public_pages(room, AddressThrottle(), clock=utc_now))
        application.register_blueprint(_receipt_keys(receipts), url_prefix="/api/v1")
        application.register_blueprint(
            create_status_lists(
                rooms.ecerts,
                public_url=configuration.public_url,
                x5c=receipts.x5c,
                sign=receipts.sign,
                clock=utc_now,
            )
        )

    def _probe_registry(self, rooms: RegistryRooms) -> None:
        self._probes["token.seals"] = self._signing.open_token("seals").probe
        for purpose, key in _PROBED_KEYS.items():
            self._probes[f"token.{purpose}"] = _holds(self._signing.open_token(purpose), key)
        self._probes["registry_database"] = lambda: rooms.ecerts.find(_NOBODY)
        self._probes["log"] = rooms.log.newest


_NOBODY: Any = "1.2.156.3005.2.none"


# ── sessions ──


def _person_session(resolver: HolderResolver) -> Callable[[SignedIn, datetime], Mapping[str, Any]]:
    def open_session(signed_in: SignedIn, now: datetime) -> Mapping[str, Any]:
        content: dict[str, Any] = {
            "name": str(signed_in.claims.get("name") or "未实名用户"),
            "holder_reference": None,
            "level": "RN0",
            "acr": str(signed_in.claims.get("acr", "")),
        }
        try:
            holder = resolver.resolve(signed_in.access_token, now=now)
        except NotProved:
            return content  # signed in, not proved: the pages lead to the real-name check
        except (ResolverUnavailable, AccessTokenRefused) as error:
            _LOGGER.warning("the holder could not be resolved: %s", error.code)
            raise SignInFailed("实名信息暂时读不到，请稍后再登录。") from error
        content.update(
            name=mask_name(holder.name), holder_reference=holder.holder_reference, level=holder.level.value
        )
        return content

    return open_session


def _officer_session(signed_in: SignedIn, now: datetime) -> Mapping[str, Any]:
    del now
    claims = signed_in.claims
    staff_id, acr = claims.get("staff_id"), claims.get("acr")
    if not staff_id:
        raise SignInFailed("这个账号不是工作人员账号。请用工作人员账号登录，或从首页进入“我的证照”。")
    if acr not in {AcrLevel.LOA2.value, AcrLevel.LOA3.value}:
        raise SignInFailed("工作台要求双因素登录。请先绑定动态口令，再重新登录。")
    return {"staff_id": str(staff_id), "acr": str(acr), "auth_time": claims.get("auth_time")}


# ── the verify room's adapters that reach into tokens ──


class _TokenReceipts:
    """The receipt key in the token."""

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


class _QrDesk:
    """Reads a QR text that a browser or a scanner may have re-cased."""

    def __init__(self, rooms: RegistryRooms, public_url: str) -> None:
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
            claims = verify_qr(f"{self._address}#{fragment}", self._keys, now=utc_now()).claims
        except RegistryQrRefused as error:
            raise QrRefused(str(error)) from error
        return {"identifier": claims.identifier, "check_code": str(claims.check_code)}


@dataclass(frozen=True, slots=True)
class _RevocationLists:
    rooms: RegistryRooms

    def __call__(self) -> Sequence[bytes]:
        crls = self.rooms.pki.crls
        try:
            return tuple(crls.current(name, now=utc_now()).der for name in ("seal-ca", "tsa-ca"))
        except SigningError as error:
            raise PartUnavailable("吊销列表暂时取不到，没有给出结论，请稍后再查。") from error


def _revocation_lists(rooms: RegistryRooms) -> Callable[[], Sequence[bytes]]:
    return _RevocationLists(rooms)


def _department_name(rooms: RegistryRooms) -> Callable[[str], str]:
    def name(code: str) -> str:
        known = {one.code: one.name for one in rooms.charts.chart().departments}
        return next((found for each, found in known.items() if each == code), code)

    return name


def _receipt_keys(receipts: _TokenReceipts) -> Blueprint:
    blueprint = Blueprint("receipts", __name__)
    blueprint.add_url_rule("/receipts/jwks.json", "jwks", lambda: jsonify(receipts.jwks()))
    return blueprint


# ── the process ──


def _sweep_in_background(rooms: RegistryRooms) -> None:
    """Finish what a crash left behind, now and from time to time; a failed sweep is tried again."""

    def sweep() -> None:
        while True:
            try:
                rooms.recover()
            except Exception:
                _LOGGER.exception("recovery did not finish; it is tried again in %s s", _SWEEP_EVERY_S)
            time.sleep(_SWEEP_EVERY_S)

    threading.Thread(target=sweep, name="recovery", daemon=True).start()


def _holds(token: Token, key_label: str) -> Callable[[], object]:
    def probe() -> object:
        if not token.has_key(key_label):
            raise ConnectionError(key_label)
        return None

    return probe


def _flag(health: Callable[[], Mapping[str, bool]], name: str) -> Callable[[], object]:
    def probe() -> object:
        if not health()[name]:
            raise ConnectionError(name)
        return None

    return probe


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _add_headers(application: Flask, *, keycloak: str) -> None:
    # Chromium holds form-action against the redirects that follow a form too: signing out and the real-name
    # check both end at Keycloak.
    policy = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; "
        f"connect-src 'self'; form-action 'self' {keycloak}; base-uri 'none'; frame-ancestors 'none'"
    )

    @application.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Permissions-Policy", "camera=(self), geolocation=(), microphone=()")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if not request.path.startswith(("/static/", "/log/", "/pki/", "/status-lists/", "/api/v1/openapi")):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def _add_errors(application: Flask) -> None:
    def wants_problem() -> bool:
        return request.path.startswith(("/api/", "/log/", "/pki/", "/status-lists/"))

    @application.errorhandler(CSRFError)
    def csrf(error: CSRFError) -> Response:
        del error
        sentence = "这个页面开得太久，或者不是从本站提交的。请返回上一页，刷新后再提交。"
        return make_response(render_template("sorry.html", sentence=sentence), 400)

    @application.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        status = error.code or 500
        sentences = {404: "没有这个页面。", 405: "不能这样访问这个地址。", 413: "提交的内容太大。"}
        sentence = sentences.get(status, "请求没有办成，请返回上一页重试。")
        if wants_problem():
            return problem_response(status=status, code=f"http-{status}", title=sentence, detail=sentence)
        return make_response(render_template("sorry.html", sentence=sentence), status)

    @application.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        # The type and the frames, without the message, which may hold what a person typed.
        frames = "".join(traceback.format_tb(error.__traceback__))
        _LOGGER.error("unexpected %s at %s\n%s", type(error).__name__, request.endpoint, frames)
        sentence = "服务出了问题，已经记录。请稍后再试。"
        if wants_problem():
            return problem_response(status=500, code="internal", title="服务内部错误", detail=sentence)
        return make_response(render_template("sorry.html", sentence=sentence), 500)


def _add_metrics(application: Flask) -> None:
    @application.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @application.after_request
    def count(response: Response) -> Response:
        endpoint = request.endpoint or "none"
        _REQUESTS.labels(endpoint=endpoint, status=str(response.status_code)).inc()
        if "started" in g:
            _SECONDS.labels(endpoint=endpoint).observe(time.perf_counter() - g.started)
        return response


def _add_operations(
    application: Flask, probes: Mapping[str, Callable[[], object]], csrf: CSRFProtect
) -> None:
    operations = Blueprint("operations", __name__)

    @operations.get("/healthz")
    def healthz() -> Response:
        return jsonify({"status": "up"})

    @operations.get("/readyz")
    def readyz() -> Response:
        parts: dict[str, str] = {}
        for name, probe in probes.items():
            try:
                probe()
            except Exception as error:  # noqa: BLE001 - whatever a part raises, it is not ready
                parts[name] = f"down ({type(error).__name__})"
            else:
                parts[name] = "up"
        ready = all(state == "up" for name, state in parts.items() if name != "idp.population_register")
        return make_response(
            jsonify({"status": "ready" if ready else "not-ready", "parts": parts}), 200 if ready else 503
        )

    @operations.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)

    csrf.exempt(operations)
    application.register_blueprint(operations)
