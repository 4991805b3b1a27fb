"""What the benchmarks work with: a token of a real ceremony, seals of both algorithms, pages of the catalogue.

Everything lies in a temporary directory; the running system is neither needed nor touched.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.catalogue_pages import CataloguePage, catalogue_pages
from cert_registry.catalog.loading import TYPES_DIRECTORY, Catalog
from cert_registry.catalog.seal_image import SealDesign, draw_seal
from cert_registry.signing.credentials import SealCredentials
from cert_registry.signing.pki.issuing import Subject
from cert_registry.signing.pki.services import PkiServices, open_pki
from cert_registry.signing.seal_field import SealAppearance
from cert_registry.signing.seal_key import KeyAlgorithm
from cert_registry.signing.settings import PURPOSES, Settings
from hsm_sim.ceremony import run
from hsm_sim.softhsm import module_path

PUBLIC_URL = "http://localhost:18080"
ALGORITHMS = {"p256": KeyAlgorithm.ECDSA_P256, "rsa3072": KeyAlgorithm.RSA_3072}
_SUBJECT = Subject(common_name="示例测速章", organisation="示例局", credit_code="119901000000002037")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """A token with seals by algorithm, the PKI, one page of an ordinary licence, and how its seal looks."""

    state: Path
    settings: Settings
    services: PkiServices
    seals: dict[str, SealCredentials]
    page: CataloguePage
    appearance: SealAppearance


@contextmanager
def workbench() -> Iterator[Workbench]:
    """Set up; everything is gone afterwards."""
    with TemporaryDirectory(prefix="longzheng-bench-") as name:
        state = Path(name)
        run(state, PUBLIC_URL)
        settings = token_settings(state)
        services = open_pki(settings)
        now = datetime.now(UTC)
        seals = {
            short: services.seal_authority.equip(
                f"seal-bench-{short}", _SUBJECT, now=now, algorithm=algorithm
            )
            for short, algorithm in ALGORITHMS.items()
        }
        pages = {page.name: page for page in catalogue_pages(Catalog.load(TYPES_DIRECTORY))}
        page = pages["food-business-licence-shortest"]
        picture = draw_seal(SealDesign(name="示例市市场监督管理局", line="证照专用章", mark="样例"))
        yield Workbench(
            state=state,
            settings=settings,
            services=services,
            seals=seals,
            page=page,
            appearance=SealAppearance(
                image_pdf=picture.pdf, place=page.place, alternative_text=picture.alternative_text
            ),
        )


def token_settings(state: Path) -> Settings:
    """Settings for the tokens of a ceremony in `state`."""
    tokens = {
        purpose: {"label": f"lz-{purpose}", "pin_file": str(state / "secrets" / f"pin-lz-{purpose}")}
        for purpose in PURPOSES
    }
    section = {
        "module_path": os.environ.get("LONGZHENG_PKCS11_MODULE") or module_path(),
        "tokens": tokens,
        "tsa_clock": "unwatched",
    }
    return Settings.from_mapping(section, pki_directory=state / "pki", public_url=PUBLIC_URL)
