"""`./longzheng bench issue`: the whole of issuing, steps 1 to 10, beside rendering alone.

A registry of its own on SQLite, real tokens and the real log, in a temporary directory.
"""

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.catalogue_pages import catalogue_page_maker
from bench.measure import interleaved, machine, profile, say
from bench.workbench import PUBLIC_URL, workbench
from cert_registry.catalog.loading import TYPES_DIRECTORY
from cert_registry.composition import RegistryRooms, build_registry
from cert_registry.issuance import issue
from cert_registry.issuance_forms import Intent
from cert_registry.organisations.loader import load_organisations
from cert_registry.seals.bootstrapping import found_seals
from cert_registry.settings import Settings
from cert_registry.types import DepartmentCode, IssueOrder, StaffId, TwoPersons

TARGET = 0.5
_ORGANISATIONS = Path(__file__).resolve().parent.parent / "deploy" / "demo" / "organisations.yaml"
_TYPE = "food-business-licence"


def run(*, rounds: int, slot_s: float, with_dss: bool, long: bool) -> dict[str, object]:
    """Measure; returns what `--json` prints. `with_dss` and `long` change nothing here."""
    del with_dss, long
    with workbench() as bench:
        settings = Settings.from_mapping(
            {
                "database": str(bench.state / "registry.db"),
                "objects_dir": str(bench.state / "objects"),
                "tlog_dir": str(bench.state / "tlog"),
                "pki_dir": str(bench.state / "pki"),
                "public_url": PUBLIC_URL,
                "demo": True,
            }
        )
        rooms = build_registry(settings, signing=bench.settings, clock=lambda: datetime.now(UTC))
        with rooms.database.writing() as connection:
            load_organisations(connection, _ORGANISATIONS)
        found_seals(rooms.seals, _ORGANISATIONS, now=datetime.now(UTC))
        cases, steps = _cases(rooms)
        samples = interleaved(cases, rounds=rounds, slot_s=slot_s)
        say("profile")
        rendering, whole = samples["rendering alone"], samples["whole issue"]
        press = samples["press (rendering and lints)"]
        return {
            "machine": machine(),
            "cases": {name: one.to_json() for name, one in samples.items()},
            "rate of the whole issue to that of rendering alone": round(rendering.cpu / whole.cpu, 3),
            "the same by wall time": round(rendering.wall / whole.wall, 3),
            "rate of the whole issue to that of the press": round(press.cpu / whole.cpu, 3),
            "target": TARGET,
            "profile of a whole issue": profile(steps, repeat=10, lines=25),
        }


def _cases(rooms: RegistryRooms) -> tuple[dict[str, Callable[[], object]], Callable[[], object]]:
    numbers = itertools.count(1)
    face: dict[str, Any] = json.loads(
        (TYPES_DIRECTORY / _TYPE / "samples" / "shortest.json").read_text(encoding="utf-8")
    )
    del face["licence_number"]  # the type's rule makes it

    def order() -> IssueOrder:
        return IssueOrder(
            type_code=rooms.catalog.by_slug(_TYPE).type_code,
            issuer_code=DepartmentCode("119901000000002037"),
            case_number=f"BENCH-{next(numbers):08d}",
            service_item="SL-002",
            unverified_face=face,
            authority=TwoPersons(drafter_id=StaffId("li.wenjing"), signer_id=StaffId("gao.yuan")),
        )

    def whole() -> object:
        return issue(order(), room=rooms.issuing, now=datetime.now(UTC))

    def stored() -> Intent:
        room, now, wanted = rooms.issuing, datetime.now(UTC), order()
        reservation = room.intents.reserve(wanted, now=now)
        draft = room.drafts.check(wanted, now=now)
        return room.intents.store(reservation, draft, room.secrets.draw(reservation.identifier), now=now)

    intent = stored()
    marks = itertools.count(1)

    def press() -> object:
        # another check code each time, so that nothing of the page is Typst's to remember whole
        changed = replace(intent.secrets, check_code=_code(next(marks)))
        return rooms.issuing.press.print_intent(replace(intent, secrets=changed))

    pages = catalogue_page_maker(rooms.catalog.by_slug(_TYPE), "shortest")
    cases = {
        "rendering alone": lambda: pages(_code(next(marks))),
        "press (rendering and lints)": press,
        "whole issue": whole,
    }
    return cases, whole


def _code(number: int) -> str:
    return f"{number:016d}".translate(_CODE_DIGITS)


_CODE_DIGITS = str.maketrans("01", "AB")  # the alphabet of check codes has neither


def table(report: dict[str, Any]) -> str:
    """The report for people."""
    lines = ["CPU and wall milliseconds for one ecert (median)", ""]
    for name, told in report["cases"].items():
        lines.append(f"{name:<30}{told['cpu_ms']:>10.2f}{told['wall_ms']:>10.2f}")
    lines += [f"{key}: {value}" for key, value in report.items() if isinstance(value, float)]
    lines += ["", "where a whole issue's time goes (own time)"]
    lines += [f"  {one['own_ms']:.3f} ms  {one['function']}" for one in report["profile of a whole issue"]]
    return "\n".join(lines)
