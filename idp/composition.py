"""Wires the real-name provider: the only place in `idp` where adapters meet use cases."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from idp.errors import RegisterUnavailable
from idp.identity.access_token import AccessTokenVerifier, JwksSource
from idp.identity.holder import Mac
from idp.identity.resolution import HolderResolver
from idp.mobile_ownership import EmbeddedMobileOwnership
from idp.ports import Cipher, MobileOwnership, PopulationRegister, SmsGateway
from idp.proofing import Proofing, ProofParts
from idp.provider.broker_client import AssertionAuthentication, BrokerClient
from idp.provider.server import RealnameServer
from idp.provider.signing_key import FileTokenSigner, TokenSigner
from idp.register.ldap_register import LdapPopulationRegister
from idp.resolver import InProcessHolderResolver
from idp.secret_files import ensure_secret, ensure_signing_key, read_secret
from idp.settings import Settings
from idp.sms.codes import SmsCodes
from idp.sms.embedded_gateway import EmbeddedSmsGateway
from idp.store.database import migrate, open_database
from idp.store.grants import GrantStore
from idp.store.guesses import GuessThrottle
from idp.store.marks import Marks
from idp.store.persons import PersonStore
from idp.store.visits import VisitStore
from idp.unconfigured import UnconfiguredMobileOwnership, UnconfiguredSmsGateway
from idp.web.blueprint import create_blueprint
from idp.web.service import Service
from idp.web.visitor import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    """Adapters other than the built-in ones; None takes the built-in one."""

    register: PopulationRegister | None = None
    ownership: MobileOwnership | None = None
    gateway: SmsGateway | None = None
    signer: TokenSigner | None = None
    keycloak_jwks: JwksSource | None = None
    broker_jwks: JwksSource | None = None


class IdentityProvider:
    """The provider as the service mounts it.

    Attributes:
        blueprint: pages and endpoints under `/idp`.
        resolver: in process.
        persons: to unlink and freeze.
    """

    def __init__(
        self,
        *,
        blueprint: Blueprint,
        resolver: HolderResolver,
        persons: PersonStore,
        register: PopulationRegister,
        engine: Engine,
    ) -> None:
        self.blueprint = blueprint
        self.resolver = resolver
        self.persons = persons
        self._register = register
        self._engine = engine

    def health(self) -> Mapping[str, bool]:
        """Which parts answer; sign-ins go on without the register, new proofs wait."""
        return {"database": self._database_answers(), "population_register": self._register_answers()}

    def _database_answers(self) -> bool:
        try:
            with self._engine.connect() as connection:
                connection.execute(text("SELECT 1 FROM persons LIMIT 1"))
        except SQLAlchemyError:
            return False
        return True

    def _register_answers(self) -> bool:
        try:
            self._register.probe()
        except RegisterUnavailable:
            return False
        return True


def prepare_secrets(settings: Settings) -> None:
    """Makes the keys and secrets that are missing; at first start, before `build`."""
    ensure_signing_key(settings.signing_key_file)
    ensure_secret(settings.session_secret_file)
    if settings.broker_secret_file is not None:
        ensure_secret(settings.broker_secret_file)


def build(
    settings: Settings,
    *,
    mac: Mac,
    cipher: Cipher,
    clock: Callable[[], datetime],
    adapters: Adapters | None = None,
) -> IdentityProvider:
    """The provider; brings its database up to date.

    Raises:
        ConfigurationError: a secret or a file is missing.
    """
    given = adapters or Adapters()
    engine = open_database(settings.database_url)
    migrate(engine)
    persons, grants = PersonStore(engine, cipher), GrantStore(engine)
    embedded = EmbeddedSmsGateway(engine) if settings.demo and given.gateway is None else None
    gateway = given.gateway or embedded or UnconfiguredSmsGateway()
    register = given.register or LdapPopulationRegister(settings.register)
    parts = ProofParts(
        register=register,
        ownership=given.ownership or _ownership(settings),
        sms=SmsCodes(engine, gateway, Marks(mac), settings.limits),
        guesses=GuessThrottle(engine),
        persons=persons,
        mac=mac,
        limits=settings.limits,
    )
    jwks = given.keycloak_jwks or JwksSource.from_url(settings.keycloak_jwks_url)
    verifier = AccessTokenVerifier(settings.keycloak_issuer, jwks)
    resolver = InProcessHolderResolver(verifier, persons, audience=settings.audience)
    secure = settings.issuer.startswith("https:")
    service = Service(
        settings=settings,
        server=_server(settings, grants, persons, given, clock),
        proofing=Proofing(parts),
        visits=VisitStore(engine, cipher),
        visitor=Visitor(key=read_secret(settings.session_secret_file), secure=secure),
        resolver=resolver,
        messages=embedded,
        clock=clock,
    )
    return IdentityProvider(
        blueprint=create_blueprint(service),
        resolver=resolver,
        persons=persons,
        register=register,
        engine=engine,
    )


def _ownership(settings: Settings) -> MobileOwnership:
    if settings.mobile_register_file is None:
        return UnconfiguredMobileOwnership()
    return EmbeddedMobileOwnership.from_file(settings.mobile_register_file)


def _server(
    settings: Settings,
    grants: GrantStore,
    persons: PersonStore,
    given: Adapters,
    clock: Callable[[], datetime],
) -> RealnameServer:
    secret = read_secret(settings.broker_secret_file) if settings.broker_secret_file else None
    by_key = settings.broker_jwks_url is not None
    methods = ("private_key_jwt",) if by_key else ("client_secret_post", "client_secret_basic")
    client = BrokerClient(
        client_id=settings.broker_client_id,
        redirect_uris=settings.broker_redirect_uris,
        secret=None if by_key else secret,
        auth_methods=methods,
    )
    signer = given.signer or FileTokenSigner(settings.signing_key_file)
    server = RealnameServer(
        issuer=settings.issuer, client=client, grants=grants, persons=persons, signer=signer, clock=clock
    )
    if settings.broker_jwks_url is not None:
        jwks = given.broker_jwks or JwksSource.from_url(settings.broker_jwks_url)
        audiences = (settings.issuer, f"{settings.issuer}/token")
        server.register_client_auth_method(
            "private_key_jwt", AssertionAuthentication(jwks, grants, audiences, clock)
        )
    return server
