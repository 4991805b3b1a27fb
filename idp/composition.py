"""Wires the real-name provider: the only place in `idp` where adapters meet use cases."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from idp.accounts.client_names import ClientNames
from idp.accounts.life import AccountLife
from idp.accounts.recheck import Recheck
from idp.errors import RegisterUnavailable
from idp.face.http_face import HttpFaceCheck, load_key
from idp.face.simulator import FaceSimulator, people_of
from idp.identity.access_token import AccessTokenVerifier, Caller, JwksSource
from idp.identity.holder import Mac
from idp.identity.resolution import HolderResolver
from idp.keycloak.accounts import AccountSettings, KeycloakAccounts
from idp.keycloak.keeper import AccountDirectory, AccountKeeper
from idp.keycloak.sign_in import ClientSettings, KeycloakSignIn
from idp.links import InProcessLinks
from idp.mobile_ownership import EmbeddedMobileOwnership
from idp.notices import Notices
from idp.number_release import NumberDesk
from idp.number_rights import NumberRights
from idp.ports import Cipher, FaceCheck, MobileOwnership, PopulationRegister, SmsGateway
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
from idp.sms.sign_in import SmsSignIn
from idp.store.account_life import AccountLifeStore
from idp.store.account_orders import AccountOrders
from idp.store.acts import ActBook
from idp.store.database import migrate, open_database
from idp.store.face_checks import FaceChecks
from idp.store.grants import GrantStore
from idp.store.guesses import GuessThrottle
from idp.store.histories import Histories
from idp.store.marks import Marks
from idp.store.number_releases import NumberReleases, StoredProofs
from idp.store.persons import PersonStore
from idp.store.visits import VisitStore
from idp.store.waiting_proofs import WaitingProofs
from idp.store.web_sessions import WebSessions
from idp.store.window_grants import WindowGrants
from idp.strong_proof import StrongProofing
from idp.unconfigured import UnconfiguredMobileOwnership, UnconfiguredSmsGateway
from idp.web.account_life_pages import AccountLifePages
from idp.web.account_pages import AccountPages, person_content
from idp.web.blueprint import create_blueprint
from idp.web.counter_pages import CounterPages, officer_content
from idp.web.number_pages import NumberPages
from idp.web.service import Service
from idp.web.signed_in_pages import SignedInPages
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
    accounts: AccountDirectory | None = None
    face: FaceCheck | None = None


class IdentityProvider:
    """The provider as the service mounts it.

    Attributes:
        blueprint: pages and endpoints under `/idp`.
        service: the parts behind them.
        resolver: in process.
        persons: to unlink and freeze.
        links: what the registry's pages ask of an account's link.
        grants: who may prove people at a counter.
        others: further blueprints, such as the face-check simulator's.
        number_desk: what the release of an ID number works with.
        web_sessions: of the pages behind a sign-in.
        life: what people do with their accounts.
        recheck: asks the register again.
    """

    def __init__(
        self,
        *,
        blueprint: Blueprint,
        service: Service,
        resolver: HolderResolver,
        persons: PersonStore,
        links: InProcessLinks,
        grants: WindowGrants,
        keeper: AccountKeeper,
        others: tuple[Blueprint, ...],
        register: PopulationRegister,
        engine: Engine,
        number_desk: NumberDesk,
        web_sessions: WebSessions,
        life: AccountLife,
        recheck: Recheck,
    ) -> None:
        self.blueprint = blueprint
        self.service = service
        self.resolver = resolver
        self.persons = persons
        self.links = links
        self.grants = grants
        self.others = others
        self.number_desk = number_desk
        self.web_sessions = web_sessions
        self.life = life
        self.recheck = recheck
        self._keeper = keeper
        self._register = register
        self._engine = engine

    def health(self) -> Mapping[str, bool]:
        """Which parts answer; sign-ins go on without the register, new proofs wait."""
        return {"database": self._database_answers(), "population_register": self._register_answers()}

    def sweep(self, *, now: datetime) -> None:
        """Carries out what waits for Keycloak and for the registers; to be called from time to time."""
        self._keeper.carry_out(now=now)
        self.service.proofing.check_waiting(now=now)
        self.recheck.run(now=now)

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
    if settings.face is not None:
        ensure_signing_key(settings.face.key_file)
        if settings.face.simulated:
            ensure_signing_key(settings.face.provider_key_file)


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
    persons, grants, acts = PersonStore(engine, cipher), GrantStore(engine), ActBook(engine)
    windows, links = WindowGrants(engine), InProcessLinks(persons, acts)
    embedded = EmbeddedSmsGateway(engine) if settings.demo and given.gateway is None else None
    gateway = given.gateway or embedded or UnconfiguredSmsGateway()
    register = given.register or LdapPopulationRegister(settings.register)
    parts = ProofParts(
        register=register,
        ownership=given.ownership or _ownership(settings),
        sms=SmsCodes(engine, gateway, Marks(mac), settings.limits),
        guesses=GuessThrottle(engine),
        persons=persons,
        notices=Notices(gateway),
        waiting=WaitingProofs(engine, cipher),
        mac=mac,
        limits=settings.limits,
    )
    accounts, life_store = given.accounts or _accounts(settings), AccountLifeStore(engine, cipher)
    keeper = AccountKeeper(orders=AccountOrders(engine), accounts=accounts, persons=persons, acts=acts)
    life = AccountLife(
        parts, store=life_store, acts=acts, histories=Histories(engine), accounts=accounts, keeper=keeper
    )
    jwks = given.keycloak_jwks or JwksSource.from_url(settings.keycloak_jwks_url)
    verifier = AccessTokenVerifier(settings.keycloak_issuer, jwks)
    resolver = InProcessHolderResolver(verifier, persons, audience=settings.audience)
    secure = settings.issuer.startswith("https:")
    visitor = Visitor(key=read_secret(settings.session_secret_file), secure=secure)
    service = Service(
        settings=settings,
        server=_server(settings, grants, persons, given, clock),
        proofing=Proofing(parts),
        strong=StrongProofing(parts, grants=windows, keeper=keeper),
        sms_sign_in=SmsSignIn(sms=parts.sms, persons=persons, ownership=parts.ownership, marks=Marks(mac)),
        persons=persons,
        acts=acts,
        grants=windows,
        links=links,
        face=given.face or (HttpFaceCheck(settings.face) if settings.face else None),
        face_checks=FaceChecks(engine),
        visits=VisitStore(engine, cipher),
        visitor=visitor,
        resolver=resolver,
        messages=embedded,
        clock=clock,
    )
    signing_in = _SigningIn(settings, WebSessions(engine, cipher), verifier, jwks, visitor, clock)
    desk = NumberDesk(
        verifier=verifier,
        used=StoredProofs(engine),
        rights=NumberRights(settings.number_rights_file),
        releases=NumberReleases(engine),
        persons=persons,
        audience=settings.audience,
    )
    return IdentityProvider(
        blueprint=create_blueprint(
            service, lambda blueprint: _rooms(blueprint, service, signing_in, desk, life)
        ),
        service=service,
        resolver=resolver,
        persons=persons,
        links=links,
        grants=windows,
        keeper=keeper,
        others=_simulators(settings, clock),
        register=register,
        engine=engine,
        number_desk=desk,
        web_sessions=signing_in.sessions,
        life=life,
        recheck=Recheck(
            register=register, persons=persons, store=life_store, notices=parts.notices, keeper=keeper
        ),
    )


@dataclass(frozen=True, slots=True)
class _SigningIn:
    """What the pages behind a sign-in are made with."""

    settings: Settings
    sessions: WebSessions
    verifier: AccessTokenVerifier
    jwks: JwksSource
    visitor: Visitor
    clock: Callable[[], datetime]

    def frame(
        self, name: str, content_of: Callable[[Caller], Mapping[str, str | int | None]], **asked: str
    ) -> SignedInPages:
        """The frame of one client's pages below `/idp/NAME`."""
        settings = self.settings
        client = ClientSettings(
            client_id=f"idp-{name}",
            issuer=settings.keycloak_issuer,
            internal_url=settings.keycloak_internal_url,
            key_file=settings.client_keys_dir / f"idp-{name}.pem",
            audience=settings.audience,
            redirect_uri=f"{settings.issuer}/{name}/auth/callback",
            home_url=f"{settings.issuer.removesuffix('/idp')}/",
        )
        sign_in = KeycloakSignIn(
            client,
            sessions=self.sessions,
            verifier=self.verifier,
            jwks=self.jwks,
            content_of=content_of,
            clock=self.clock,
        )
        return SignedInPages(sign_in, visitor=self.visitor, name=name, path=f"/{name}", asked=asked)


def _rooms(
    blueprint: Blueprint, service: Service, signing_in: _SigningIn, desk: NumberDesk, life: AccountLife
) -> None:
    counter = signing_in.frame("counter", officer_content, acr_values="loa2")
    account = signing_in.frame("account", person_content)
    for frame in (counter, account):
        frame.add_to(blueprint)
    CounterPages(service, counter).add_to(blueprint)
    AccountPages(service, account).add_to(blueprint)
    NumberPages(service, account, desk).add_to(blueprint)
    names = ClientNames(signing_in.settings.client_names_file)
    AccountLifePages(service, account, life, names).add_to(blueprint)


def _accounts(settings: Settings) -> AccountDirectory:
    return KeycloakAccounts(
        AccountSettings(
            issuer=settings.keycloak_issuer,
            internal_url=settings.keycloak_internal_url,
            key_file=settings.client_keys_dir / "idp-accounts.pem",
        ),
        claims_of=ClientNames(settings.client_names_file).claims_of,
    )


def _simulators(settings: Settings, clock: Callable[[], datetime]) -> tuple[Blueprint, ...]:
    face = settings.face
    if face is None or not face.simulated or settings.mobile_register_file is None:
        return ()
    simulator = FaceSimulator(
        key=load_key(face.provider_key_file),
        client_id=face.client_id,
        client_key=load_key(face.key_file),
        people=people_of(settings.mobile_register_file),
        page_url=f"{settings.issuer}/simulator/face/camera",
        clock=clock,
    )
    return (simulator.blueprint(),)


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
