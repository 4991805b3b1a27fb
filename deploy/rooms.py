"""Doors to what other rooms give to installing and to the command line; imported only when used."""

import importlib
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from deploy.configuration import Configuration
from deploy.errors import DeployError, PartUnhealthy, RoomMissing
from deploy.locations import CHECKOUT, private_directory, state_directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A function or class in a module of another room."""

    module: str
    function: str

    def is_there(self) -> bool:
        """Whether the module is part of this checkout, found without importing it."""
        path = CHECKOUT.joinpath(*self.module.split("."))
        return path.with_suffix(".py").exists() or (path / "__init__.py").exists()

    def open(self) -> Any:
        """The function or class.

        Raises:
            RoomMissing: the module is not part of this checkout.
        """
        if not self.is_there():
            raise RoomMissing(f"{self.module} is not part of this checkout: update the checkout.")
        return getattr(importlib.import_module(self.module), self.function)


CEREMONY = Door(module="hsm_sim.ceremony", function="run")
SM2_CEREMONY = Door(module="hsm_sim.sm2_ceremony", function="run")
HOLDINGS = Door(module="hsm_sim.holdings", function="lost")
DIRECTORY = Door(module="idp.register.directory", function="prepare_directory")
DIRECTORY_SETTINGS = Door(module="idp.register.directory_settings", function="DirectorySettings")
REALM = Door(module="deploy.realm", function="apply")
REALM_PLAN = Door(module="deploy.realm", function="plan")
STRANGE_CLIENTS = Door(module="deploy.realm", function="strange_clients")
STAMPING_CLOCK = Door(module="cert_registry.signing.pki.clock_settings", function="describe")
SEED = Door(module="deploy.demo.seed", function="run")
CIVIL_TIME = timezone(timedelta(hours=8))


def key_ceremony(configuration: Configuration) -> None:
    """Makes what is missing of tokens, keys and certificates; seals come into being in the registry.

    Raises:
        DeployError: the ceremony stopped.
    """
    with _sentences("The key ceremony"):
        CEREMONY.open()(configuration.state_dir, configuration.public_url)
        if configuration.section("token").get("sm2") is not None:
            SM2_CEREMONY.open()(configuration.state_dir, configuration.public_url)


def lost_keys(configuration: Configuration) -> tuple[str, ...]:
    """A sentence for each token or key that pki/ has certificates of and that is not there.

    Raises:
        DeployError: the tokens could not be asked.
    """
    with _sentences("Comparing the tokens with pki/"):
        lost: tuple[str, ...] = HOLDINGS.open()(configuration.state_dir)
        return lost


def stamping_clock(configuration: Configuration) -> str:
    """What speaks for the clock that time stamps are made with.

    Raises:
        DeployError: something speaks against it.
    """
    with _sentences("Comparing the clock with the last time stamp and the time servers"):
        sentence: str = STAMPING_CLOCK.open()(
            configuration.section("token").get("tsa_clock"),
            configuration.pki_dir,
            now=datetime.now(UTC),
        )
        return sentence


def prepare_directory(configuration: Configuration) -> None:
    """Writes slapd's configuration and entries, when their inputs changed. slapd must not be running.

    Raises:
        DeployError: it could not be written.
    """
    with _sentences("Preparing the directory"):
        settings = DIRECTORY_SETTINGS.open().from_mapping(configuration.section("directory"))
        DIRECTORY.open()(settings, today=datetime.now(CIVIL_TIME).date())


def apply_realm(configuration: Configuration) -> None:
    """Brings the running Keycloak to `realm-config/`.

    Raises:
        DeployError: Keycloak refused, or a file is wrong.
    """
    with _sentences("Applying realm-config/"):
        REALM.open()(configuration)


def realm_drift(configuration: Configuration) -> tuple[list[Any], tuple[str, ...]]:
    """What in the running realm is not as realm-config/ says, and the clients that no file knows.

    Raises:
        DeployError: Keycloak does not answer, or a file is wrong.
    """
    with _sentences("Comparing the realm with realm-config/"):
        changes: list[Any] = REALM_PLAN.open()(configuration)
        strangers: tuple[str, ...] = STRANGE_CLIENTS.open()(configuration)
        return changes, strangers


def seed_demo(configuration: Configuration) -> None:
    """Fills in the demo's organisations, people and staff.

    Raises:
        DeployError: a part refused.
    """
    with _sentences("Filling in the demo data"):
        SEED.open()(configuration)


@contextmanager
def _sentences(title: str) -> Iterator[None]:
    """Lets this package's errors pass and turns those of other rooms into one sentence and a log."""
    try:
        yield
    except DeployError:
        raise
    except Exception as error:
        log = private_directory(state_directory() / "log") / "setup.log"
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{title}\n{traceback.format_exc()}\n")
        raise PartUnhealthy(
            f"{title} failed ({type(error).__name__}: {error}): see {log}, mend the cause and run up again;"
            " it goes on from here."
        ) from error
