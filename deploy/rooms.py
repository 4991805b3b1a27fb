"""Doors to what other rooms give to installing and to the command line; imported only when used."""

import importlib
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deploy.errors import DeployError, PartUnhealthy, RoomMissing
from deploy.locations import CHECKOUT, private_directory, state_directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A function in a module of another room."""

    module: str
    function: str

    def is_there(self) -> bool:
        """Whether the module is part of this checkout, found without importing it."""
        path = CHECKOUT.joinpath(*self.module.split("."))
        return path.with_suffix(".py").exists() or (path / "__init__.py").exists()

    def open(self) -> Callable[..., Any]:
        """The function.

        Raises:
            RoomMissing: the module is not part of this checkout.
        """
        if not self.is_there():
            raise RoomMissing(f"{self.module} is not part of this checkout: update the checkout.")
        function: Callable[..., Any] = getattr(importlib.import_module(self.module), self.function)
        return function


CEREMONY = Door(module="hsm_sim.ceremony", function="run")
DIRECTORY = Door(module="idp.register.directory", function="prepare_directory")
REALM = Door(module="deploy.realm", function="apply")
SEED = Door(module="deploy.demo.seed", function="run")


def enter(door: Door, title: str, *arguments: object) -> None:
    """Calls a step of setting up.

    Raises:
        DeployError: as the step raised it.
        PartUnhealthy: the step failed otherwise; the sentence names the log that has the traceback.
    """
    function = door.open()
    try:
        function(*arguments)
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
