"""Real SoftHSM, a real ceremony, the real PKI."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import make_server

from cert_registry.signing.credentials import SealCredentials, load_credentials
from cert_registry.signing.pki.blueprint import create_blueprint
from cert_registry.signing.pki.services import PkiServices, open_pki
from cert_registry.signing.sealing import Sealer
from cert_registry.signing.settings import Settings
from tests.fixtures_token import ceremony_state as ceremony_state  # noqa: PLC0414 - a fixture to hand on
from tests.fixtures_token import signing_settings as signing_settings  # noqa: PLC0414 - likewise
from tests.fixtures_verapdf import verapdf as verapdf  # noqa: PLC0414 - likewise
from tests.peers.dss.harness import eu_dss as eu_dss  # noqa: PLC0414 - likewise


@pytest.fixture(scope="session")
def services(signing_settings: Settings) -> PkiServices:
    return open_pki(signing_settings)


@pytest.fixture(scope="session")
def sealer(services: PkiServices) -> Sealer:
    return Sealer(pki=services.pki, tsa=services.tsa, ocsp=services.ocsp, crls=services.crls)


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def credentials(signing_settings: Settings, services: PkiServices, now: datetime) -> SealCredentials:
    return load_credentials(signing_settings.open_token("seals"), services.pki, "seal-city-market", now=now)


@pytest.fixture(scope="session")
def pki_url(services: PkiServices) -> Iterator[str]:
    app = Flask("pki")
    app.register_blueprint(create_blueprint(services, lambda: datetime.now(UTC)), url_prefix="/pki")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/pki"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def pki_dir(ceremony_state: Path) -> Path:
    return ceremony_state / "pki"
