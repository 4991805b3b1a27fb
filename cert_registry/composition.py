"""Wires the registry's rooms; `flask_app.py` and the command line both come through here."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from cert_registry.archive.renewal import Archive
from cert_registry.archive.store import FileGate, SqlArchive
from cert_registry.catalog.loading import Catalog
from cert_registry.catalog.rendering import DEMO_MARK
from cert_registry.checks import Checks
from cert_registry.delivery import Delivery
from cert_registry.ecert_search import CatalogueFaces, EcertSearch, SearchTerms
from cert_registry.errors import ConfigurationError, RegistryError
from cert_registry.eseal.errors import EsealError
from cert_registry.eseal.opening import open_eseal_office
from cert_registry.ingestion.ingest import StockIngestion
from cert_registry.issuance import IssuingRoom
from cert_registry.issuance_authority import OrganisationsAuthority
from cert_registry.issuance_checking import CatalogueChecker, draft_findings
from cert_registry.issuance_drafts import Drafting
from cert_registry.issuance_log import TileLog
from cert_registry.issuance_press import CataloguePress, QrSigner
from cert_registry.issuance_seals import IndependentRelease, SealLooks, TokenSealDesk
from cert_registry.issuance_stock import HeldInRegistry, KnownDepartments, SqlStockRegistrar
from cert_registry.issuance_vault import (
    ENCRYPTION_KEY,
    KeyedHolders,
    RandomSecrets,
    Representatives,
    StoreCipher,
    token_mac,
)
from cert_registry.legal_persons.store import LegalPersonStore
from cert_registry.lifecycle import LifecycleRoom
from cert_registry.lifecycle_rules import CatalogueTransitions
from cert_registry.organisations.repository import ChartReader
from cert_registry.organisations.types import TypeSlug
from cert_registry.recovery import LeafPusher, recover
from cert_registry.registry import Registry
from cert_registry.requirements.catalogue import ServiceItems, load_items
from cert_registry.seals.book import SqlSeals
from cert_registry.seals.room import SealRoom
from cert_registry.seals.using import SqlSealUses
from cert_registry.settings import Settings
from cert_registry.signing.errors import SigningError
from cert_registry.signing.fast_sealing import FastSealer
from cert_registry.signing.keyring import DataCipher as TokenCipher
from cert_registry.signing.pki.services import open_pki
from cert_registry.signing.sealing import Sealer
from cert_registry.signing.settings import Settings as SigningSettings
from cert_registry.signing.sm2_services import Sm2Services, open_sm2
from cert_registry.store.checks import SqlChecks
from cert_registry.store.deliveries import SqlDeliveries
from cert_registry.store.drafts import SqlDrafts
from cert_registry.store.ecert_listing import SqlEcertListing
from cert_registry.store.ecerts import SqlEcerts
from cert_registry.store.engine import open_database
from cert_registry.store.intents import SqlIntents
from cert_registry.store.migrate import upgrade
from cert_registry.store.numbers import SqlNumbers
from cert_registry.store.objects import DiskObjects
from cert_registry.store.outbox import SqlOutbox
from cert_registry.store.registration import SqlRegistration
from cert_registry.store.replacing import SqlReplacements
from cert_registry.store.states import SqlStates
from cert_registry.store.term_filling import SqlTermFilling
from cert_registry.tlog.log import Log
from cert_registry.tlog.note import NoteVerifier, TokenNoteSigner
from cert_registry.turnstile import Turnstile

if TYPE_CHECKING:
    from collections.abc import Callable

    from cert_registry.eseal.office import EsealOffice
    from cert_registry.recovery import RecoveryReport
    from cert_registry.signing.pki.services import PkiServices
    from cert_registry.signing.token import Token
    from cert_registry.store.engine import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryRooms:
    """Everything of the registry but its Flask blueprints."""

    settings: Settings
    clock: Callable[[], datetime]
    database: Database
    catalog: Catalog
    charts: ChartReader
    authority: OrganisationsAuthority
    legal_persons: LegalPersonStore
    cipher: StoreCipher
    mac: Callable[[bytes], bytes]
    holders: KeyedHolders
    pki: PkiServices
    sm2: Sm2Services | None
    receipts: Token
    log: Log
    ecerts: SqlEcerts
    intents: SqlIntents
    leaves: LeafPusher
    press: CataloguePress
    issuing: IssuingRoom
    drafting: Drafting
    lifecycle: LifecycleRoom
    checks: Checks
    registry: Registry
    search: EcertSearch
    filling: SqlTermFilling
    delivery: Delivery
    ingestion: StockIngestion
    items: ServiceItems
    held: HeldInRegistry
    archive: Archive
    seals: SealRoom
    seal_uses: SqlSealUses
    eseals: EsealOffice

    def recover(self) -> RecoveryReport:
        """Finish what a crash left behind; call at start and from time to time."""
        self.seals.finish(now=self.clock())
        report = recover(self.issuing, intents=self.intents, leaves=self.leaves, now=self.clock())
        for services in (self.pki, self.sm2):
            if services is not None:
                with suppress(SigningError):  # signed by the next sweep, or when somebody asks
                    services.ocsp.prepare(now=self.clock())
        with suppress(SigningError, EsealError):  # made by the next sweep, or when somebody asks for one
            self.eseals.make_missing(now=self.clock())
        with suppress(RegistryError):  # what is below its level waits for the next sweep
            self.archive.raise_lowered(now=self.clock())
        return report


def build_registry(
    settings: Settings, *, signing: SigningSettings, clock: Callable[[], datetime]
) -> RegistryRooms:
    """Open the database (migrating it), the object store, the log and the tokens, and wire the rooms.

    Raises:
        ConfigurationError: A setting cannot work; the sentence says which.
        CatalogMalformed: A certificate type is not whole.
        SigningError: A token or certificate is missing.
        StoreUnavailable: The database does not take writes.
    """
    database = open_database(settings.database)
    upgrade(database)
    catalog = Catalog.load(settings.types_dir)
    keys, receipts = signing.open_token("keys"), signing.open_token("receipts")
    mac = token_mac(keys)
    cipher = StoreCipher(TokenCipher(keys, ENCRYPTION_KEY))
    holders = KeyedHolders(mac)
    charts = ChartReader(database)
    seal_book = SqlSeals(database=database)
    looks = SealLooks(pictures=seal_book.picture, mark=DEMO_MARK if settings.demo else None)
    authority = OrganisationsAuthority(charts=charts, catalog=catalog, seals=seal_book)
    transitions = CatalogueTransitions(catalog)
    legal_persons = LegalPersonStore(database, cipher=cipher, mac=mac)
    ecerts = SqlEcerts(database=database, cipher=cipher, type_name=lambda code: catalog.type(code).name)
    terms = SearchTerms(mac=mac, faces=CatalogueFaces(catalog))
    intents = SqlIntents(database=database, cipher=cipher, random_below=secrets.randbelow)
    objects = DiskObjects(settings.objects_dir, database=database, cipher=cipher)
    outbox = SqlOutbox(database=database)
    log = _open_log(settings, signing.open_token("log"))
    tile_log = TileLog(log)
    leaves = LeafPusher(outbox=outbox, log=tile_log)
    pki = open_pki(signing)
    sm2 = _open_sm2(settings, signing)
    if sm2 is not None:
        pki.seal_equipment.companions.append(sm2)
    press = CataloguePress(
        catalog=catalog,
        departments=authority,
        qr=_qr_signer(pki, receipts),
        public_url=settings.public_url,
        demo=settings.demo,
    )
    issuing = IssuingRoom(
        authority=authority,
        drafts=CatalogueChecker(
            catalog=catalog,
            numbers=SqlNumbers(database=database),
            departments=authority,
            lint=draft_findings,
            mac=mac,
        ),
        intents=intents,
        replacements=SqlReplacements(database=database, rules=transitions, holders=holders),
        registration=SqlRegistration(
            database=database,
            cipher=cipher,
            holders=holders,
            rules=transitions,
            departments=authority,
            terms=terms,
        ),
        secrets=RandomSecrets(mac),
        press=press,
        objects=objects,
        seals=TokenSealDesk(
            sealer=_sealer(pki),
            token=signing.open_token("seals"),
            pki=pki.pki,
            catalog=catalog,
            looks=looks,
            sm2=sm2,
        ),
        release=IndependentRelease(pki=pki.pki, catalog=catalog, looks=looks, sm2=sm2),
        log=tile_log,
        turnstile=Turnstile(),
        groups=database,
    )
    checks = Checks(book=SqlChecks(database=database))
    registry = Registry(
        ecerts=ecerts,
        leaves=outbox,
        objects=objects,
        proofs=tile_log,
        representation=Representatives(legal_persons),
        checks=checks,
        mac=mac,
    )
    return RegistryRooms(
        settings=settings,
        clock=clock,
        database=database,
        catalog=catalog,
        charts=charts,
        authority=authority,
        legal_persons=legal_persons,
        cipher=cipher,
        mac=mac,
        holders=holders,
        pki=pki,
        sm2=sm2,
        receipts=receipts,
        log=log,
        ecerts=ecerts,
        intents=intents,
        leaves=leaves,
        press=press,
        issuing=issuing,
        drafting=Drafting(
            book=SqlDrafts(database=database, cipher=cipher), authority=authority, room=issuing
        ),
        lifecycle=LifecycleRoom(
            authority=authority,
            rules=transitions,
            book=SqlStates(database=database, ecerts=ecerts),
            leaves=leaves,
        ),
        checks=checks,
        registry=registry,
        search=EcertSearch(
            book=SqlEcertListing(database=database, cipher=cipher, ecerts=ecerts),
            terms=terms,
            mac=mac,
            legal_persons=legal_persons,
        ),
        filling=SqlTermFilling(database=database, cipher=cipher, terms=terms),
        delivery=Delivery(registry=registry, book=SqlDeliveries(database=database)),
        ingestion=StockIngestion(
            database,
            certificate_type=catalog.by_slug,
            registrar=SqlStockRegistrar(cipher=cipher, terms=terms),
            holders=legal_persons,
            issuers=KnownDepartments(charts),
            mac=mac,
            leaves=leaves,
        ),
        items=load_items(),
        held=HeldInRegistry(registry=registry, catalog=catalog),
        archive=Archive(
            book=SqlArchive(database=database),
            objects=objects,
            suite=pki,
            sm2=sm2,
            catalog=catalog,
            leaves=leaves,
            gate=FileGate(settings.objects_dir.parent / ".archive-renewal.lock"),
            policy=settings.archive,
        ),
        seals=SealRoom(
            book=seal_book,
            chart=charts.chart,
            places={TypeSlug(one.slug): one.seal_rule for one in catalog.types()},
            equipment=pki.seal_equipment,
            leaves=leaves,
        ),
        seal_uses=SqlSealUses(database=database),
        eseals=open_eseal_office(
            settings,
            seals=seal_book,
            charts=charts,
            keys=signing.open_token("pki"),
            pki=pki.pki,
            stamps=pki.stamps,
            crls=pki.crls,
            sm2=sm2,
        ),
    )


def open_ingestion() -> StockIngestion:
    """The room of stock, for the command line. Raises as `open_registry`."""
    return open_registry().ingestion


def open_registry() -> RegistryRooms:
    """The rooms, wired from `longzheng.yaml` of the state directory; for the command line.

    Raises:
        ConfigurationError: There is no such file, or it cannot be read.
        SigningError: A token or certificate is missing.
    """
    state = Path(os.environ.get("LONGZHENG_VAR") or Path(__file__).resolve().parent.parent / "var")
    try:
        document = yaml.safe_load((state / "longzheng.yaml").read_text(encoding="utf-8"))
        token, registry = document["token"], document["registry"]
        signing = SigningSettings.from_mapping(
            token, pki_directory=document["pki"]["directory"], public_url=document["public_url"]
        )
        demo = document["mode"] == "demo"
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{state}/longzheng.yaml cannot be read: run ./longzheng up first."
        ) from error
    if token.get("softhsm_conf"):
        os.environ.setdefault("SOFTHSM2_CONF", str(token["softhsm_conf"]))
    settings = Settings.from_mapping(registry, demo=demo)
    return build_registry(settings, signing=signing, clock=lambda: datetime.now(UTC))


def _open_log(settings: Settings, token: Token) -> Log:
    public_key = token.public_key("log")
    if not isinstance(public_key, Ed25519PublicKey):
        raise ConfigurationError("The token's key `log` must be an Ed25519 key.")
    raw = public_key.public_bytes_raw()
    settings.tlog_dir.mkdir(parents=True, exist_ok=True)
    return Log(
        settings.tlog_dir,
        settings.log_origin,
        TokenNoteSigner(
            verifier=NoteVerifier(name=settings.log_origin, public_key=raw),
            sign_bytes=lambda message: token.sign_ed25519("log", message),
        ),
        newest_path=settings.newest_checkpoint_file,
    )


def _open_sm2(settings: Settings, signing: SigningSettings) -> Sm2Services | None:
    """The SM2 hierarchy, if it is configured; its development keys are refused outside a demo."""
    if signing.sm2_key_directory is None:
        return None
    if not settings.demo:
        raise ConfigurationError(
            "token.sm2 keeps SM2 keys in software, which is unfit for production: leave it out, or keep the keys"
            " in a certified device."
        )
    return open_sm2(signing, key_directory=signing.sm2_key_directory)


def _sealer(pki: PkiServices) -> Sealer | FastSealer:
    """The fast path, if the time stamps come from our own authority in this process."""
    reference = Sealer(pki=pki.pki, tsa=pki.stamps, ocsp=pki.ocsp, crls=pki.crls)
    return FastSealer(reference, pki.tsa) if pki.stamps is pki.tsa else reference


def _qr_signer(pki: PkiServices, receipts: Token) -> QrSigner:
    return QrSigner(
        signing_certificate=pki.pki.certificate("qr").public_bytes(Encoding.DER),
        sign=lambda message: receipts.sign_ecdsa_p256("qr", message),
    )
