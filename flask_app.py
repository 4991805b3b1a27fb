"""The composition root: the only place where adapters meet use cases. Nobody imports this module.

`LONGZHENG_ROLES` (default `idp,registry,verify`) mounts only some of the rooms, so that the police side, the key
side and the verifier side can run on separate hosts.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask
from flask_wtf.csrf import CSRFProtect

from cert_registry.catalog.rendering import DEMO_MARK
from cert_registry.composition import RegistryRooms, build_registry
from cert_registry.error_telling import told
from cert_registry.issuance_vault import token_mac
from cert_registry.settings import Settings as RegistrySettings
from cert_registry.signing.keyring import DataCipher as TokenCipher
from cert_registry.signing.pki.blueprint import create_blueprint as create_pki
from cert_registry.signing.pki.licensed import read_licensed
from cert_registry.signing.settings import Settings as SigningSettings
from cert_registry.signing.sm2_services import PKI_PATH
from cert_registry.signing.token import Token
from cert_registry.tlog.web import create_blueprint as create_log
from cert_registry.web.api import create_api as create_registry_api
from cert_registry.web.api import openapi_paths, openapi_schemas
from cert_registry.web.citizen import CitizenRoom, create_citizen_pages
from cert_registry.web.frame import add_errors, add_headers, add_metrics, add_operations
from cert_registry.web.officer import OfficerRoom, create_officer_pages
from cert_registry.web.officer_eseals import create_eseal_pages
from cert_registry.web.seal_pages import create_seal_pages
from cert_registry.web.seal_room import SealPagesRoom
from cert_registry.web.searches import KeptSearches
from cert_registry.web.session_content import officer_session, person_session
from cert_registry.web.sessions import SessionStore
from cert_registry.web.sign_in import SignedIn, SignIn, SignInSettings
from cert_registry.web.status_lists import create_status_lists
from deploy.configuration import Configuration, Mode, load
from deploy.locations import state_directory
from idp import build_identity_provider
from idp.identity.access_token import AccessTokenVerifier, JwksSource
from idp.identity.links import Links
from idp.identity.resolution import HolderResolver
from idp.settings import Settings as IdpSettings
from idp.web.language import install_language
from verify_api.registry_adapter import CheckBook, OrganisationRights, RegistryAdapter
from verify_api.seal_adapter import OwnSealValidator
from verify_api.throttle import AddressThrottle
from verify_api.token_adapter import QrDesk, RevocationLists, TokenReceipts, create_receipt_keys
from verify_api.validation import Limits, TrustAnchors
from verify_api.validation.trust import own_anchors
from verify_api.verification import VerifyRoom
from verify_api.web.api import DepartmentDoor, create_api
from verify_api.web.openapi import build_document, create_openapi
from verify_api.web.public import create_public_pages

ROLES = ("idp", "registry", "verify")
MAXIMUM_REQUEST_BYTES = 32 * 1024 * 1024
_LOGGER = logging.getLogger("longzheng")
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
        install_language(self.application)
        self._csrf = CSRFProtect()
        self._probes: dict[str, Callable[[], object]] = {}
        self._links: Links | None = None
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
        add_operations(self.application, self._probes, self._csrf)

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
        add_headers(application, keycloak=_origin(self._configuration.keycloak.base_url))
        add_errors(application)
        add_metrics(application)

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
        for other in provider.others:
            self.application.register_blueprint(other)
            self._csrf.exempt(other)
        _repeat_in_background("accounts", lambda: provider.sweep(now=utc_now()))
        for name in provider.health():
            self._probes[f"idp.{name}"] = _flag(provider.health, name)
        self._links = provider.links
        return provider.resolver

    def _remote_links(self) -> Links:
        from idp.identity.links_http import HttpLinks  # noqa: PLC0415 - only where idp/ is elsewhere

        url = str(self._configuration.section("registry")["resolver_url"]).removesuffix("/holder")
        return HttpLinks(f"{url}/link")

    def _remote_resolver(self) -> HolderResolver:
        from idp.identity.resolution_http import HttpHolderResolver  # noqa: PLC0415 - only where idp/ is elsewhere

        return HttpHolderResolver(str(self._configuration.section("registry")["resolver_url"]))

    def _mount_registry(self, rooms: RegistryRooms, resolver: HolderResolver) -> None:
        application, configuration = self.application, self._configuration
        sessions = SessionStore(
            configuration.state_dir / "sessions.db", idle=timedelta(minutes=30), longest=timedelta(hours=8)
        )
        portal = self._sign_in("portal", "", "/my", sessions, person_session(resolver))
        desk = self._sign_in("officer-desk", "/officer", "/officer/", sessions, officer_session)
        for sign_in in (portal, desk):
            self._csrf.exempt(sign_in.mount(application))
        officers = OfficerRoom(
            sign_in=desk,
            drafting=rooms.drafting,
            registry=rooms.registry,
            search=rooms.search,
            searches=KeptSearches(configuration.state_dir / "sessions.db", cipher=rooms.cipher),
            lifecycle=rooms.lifecycle,
            checks=rooms.checks,
            catalog=rooms.catalog,
            chart=rooms.charts.chart,
            clock=utc_now,
        )
        application.register_blueprint(
            create_citizen_pages(
                CitizenRoom(
                    sign_in=portal,
                    registry=rooms.registry,
                    delivery=rooms.delivery,
                    checks=rooms.checks,
                    catalog=rooms.catalog,
                    represented=rooms.legal_persons.represented_by,
                    links=self._links or self._remote_links(),
                    clock=utc_now,
                )
            )
        )
        application.register_blueprint(create_officer_pages(officers), url_prefix="/officer")
        application.register_blueprint(
            create_eseal_pages(officers, rooms.eseals), url_prefix="/officer/seals"
        )
        seals = SealPagesRoom(
            seals=rooms.seals,
            uses=rooms.seal_uses,
            catalog=rooms.catalog,
            chart=rooms.charts.chart,
            clock=utc_now,
            mark=DEMO_MARK if self._demo else None,
        )
        application.register_blueprint(create_seal_pages(officers, seals), url_prefix="/officer/seals")
        api = create_registry_api(rooms, self._tokens)
        pki = create_pki(rooms.pki, utc_now)
        self._csrf.exempt(api)
        self._csrf.exempt(pki)
        application.register_blueprint(api, url_prefix="/api/v1")
        application.register_blueprint(pki, url_prefix="/pki")
        if rooms.sm2 is not None:
            sm2 = create_pki(rooms.sm2, utc_now, name="pki-sm2")
            self._csrf.exempt(sm2)
            application.register_blueprint(sm2, url_prefix=PKI_PATH)
        application.register_blueprint(create_log(rooms.log, rooms.settings.tlog_dir))
        _sweep_in_background(rooms)
        _fill_terms_in_background(rooms)

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
        receipts = TokenReceipts(rooms)
        room = VerifyRoom(
            issuer=configuration.public_url,
            registry=RegistryAdapter(registry=rooms.registry, catalog=rooms.catalog),
            rights=OrganisationRights(chart=rooms.charts.chart, catalog=rooms.catalog),
            recorder=CheckBook(checks=rooms.checks),
            validator=OwnSealValidator(
                trust=_with_licensed(own_anchors(Path(section["trust_file"]).parent), rooms),
                revocation_lists=RevocationLists(rooms),
                limits=Limits(
                    seconds=int(section["worker_seconds"]),
                    memory_bytes=int(section["worker_memory_bytes"]),
                    file_bytes=int(section["max_upload_bytes"]),
                    workers=int(section["workers"]),
                ),
            ),
            receipts=receipts,
            qr=QrDesk(rooms, configuration.public_url),
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
        application.register_blueprint(create_receipt_keys(receipts), url_prefix="/api/v1")
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
        self._probes["tsa.clock"] = lambda: rooms.pki.tsa.check(utc_now())


_NOBODY: Any = "1.2.156.3005.2.none"


def _with_licensed(own: TrustAnchors, rooms: RegistryRooms) -> TrustAnchors:
    """Our own anchors, and those of the licensed CAs that seals may have certificates of."""
    licensed = (
        anchor.public_bytes(Encoding.DER)
        for authority in read_licensed(rooms.pki.pki.path)
        for anchor in authority.anchors
    )
    return TrustAnchors(certificates=tuple(dict.fromkeys((*own.certificates, *licensed))), own=own.own)


def _department_name(rooms: RegistryRooms) -> Callable[[str], str]:
    def name(code: str) -> str:
        known = {one.code: one.name for one in rooms.charts.chart().departments}
        return next((found for each, found in known.items() if each == code), code)

    return name


# ── the process ──


def _sweep_in_background(rooms: RegistryRooms) -> None:
    """Finish what a crash left behind, now and from time to time."""
    _repeat_in_background("recovery", rooms.recover)


def _repeat_in_background(name: str, sweep: Callable[[], object]) -> None:
    """Call `sweep` now and every 20 seconds; one that failed is tried again."""

    def repeat() -> None:
        while True:
            try:
                sweep()
            except Exception as error:  # noqa: BLE001 - whatever stopped it, the next sweep tries again
                _LOGGER.error("%s did not finish, it is tried again: %s", name, told(error))  # noqa: TRY400 - no message
            time.sleep(_SWEEP_EVERY_S)

    threading.Thread(target=repeat, name=name, daemon=True).start()


def _fill_terms_in_background(rooms: RegistryRooms) -> None:
    """Give terms to ecerts of before the search index, batch by batch; ends when all have theirs."""

    def fill() -> None:
        while True:
            try:
                if not rooms.filling.fill():
                    return
            except Exception as error:  # noqa: BLE001 - whatever stopped it, it is tried again
                _LOGGER.error("the search index is not complete, it goes on later: %s", told(error))  # noqa: TRY400 - no message
                time.sleep(_SWEEP_EVERY_S)

    threading.Thread(target=fill, name="search-index", daemon=True).start()


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
