"""`./longzheng bench issue`: the whole of issuing, steps 1 to 10, one by one and in bulk, beside rendering alone.

A registry of its own on SQLite, real tokens and the real log, in a temporary directory. Rendering alone makes the page
that the whole issue makes, with its signed QR code and its twin, each time with another check code.
"""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.measure import Samples, interleaved, machine, profile, say
from bench.workbench import PUBLIC_URL, workbench
from cert_registry.catalog.loading import TYPES_DIRECTORY
from cert_registry.catalog.rendering import render
from cert_registry.check_code import CheckCode
from cert_registry.composition import RegistryRooms, build_registry
from cert_registry.issuance import issue
from cert_registry.issuance_forms import Intent
from cert_registry.issuance_group import LARGEST_GROUP, issue_many
from cert_registry.organisations.loader import load_organisations
from cert_registry.seals.bootstrapping import found_seals
from cert_registry.settings import Settings
from cert_registry.types import DepartmentCode, IssueOrder, StaffId, TwoPersons

TARGET = 0.5
_ORGANISATIONS = Path(__file__).resolve().parent.parent / "deploy" / "demo" / "organisations.yaml"
_TYPE = "food-business-licence"
_ALONE, _PRESS = "rendering alone", "press (rendering and lints)"
_SINGLE, _BULK = "whole issue, one by one", "whole issue, in bulk"


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
        bulk = samples[_BULK] = _each_of(samples[_BULK], LARGEST_GROUP)
        say("profile")
        alone, single, press = samples[_ALONE], samples[_SINGLE], samples[_PRESS]
        return {
            "machine": machine(),
            "cases": {name: one.to_json() for name, one in samples.items()},
            "group": LARGEST_GROUP,
            "rate of the whole issue in bulk to that of rendering alone": round(alone.cpu / bulk.cpu, 3),
            "the same by wall time": round(alone.wall / bulk.wall, 3),
            "rate of the whole issue in bulk to that of the press": round(press.cpu / bulk.cpu, 3),
            "rate one by one to that of rendering alone": round(alone.cpu / single.cpu, 3),
            "rate in bulk to that one by one": round(single.cpu / bulk.cpu, 3),
            "the last by wall time": round(single.wall / bulk.wall, 3),
            "target": TARGET,
            "profile of the whole issue in bulk": _for_each(profile(steps, repeat=1, lines=30)),
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

    def bulk() -> object:
        orders = [order() for _ in range(LARGEST_GROUP)]
        outcomes = list(issue_many(orders, room=rooms.issuing, clock=lambda: datetime.now(UTC)))
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        return outcomes

    cases = {_ALONE: _renderer(rooms, intent, marks), _PRESS: press, _SINGLE: whole, _BULK: bulk}
    return cases, bulk


def _renderer(rooms: RegistryRooms, intent: Intent, marks: Iterator[int]) -> Callable[[], object]:
    """What typesets the intent's own page, as the press does, and nothing else."""
    certificate_type, face, imprint = rooms.press.compose(intent)
    return lambda: render(certificate_type, face, replace(imprint, check_code=CheckCode(_code(next(marks)))))


def _each_of(samples: Samples, count: int) -> Samples:
    """Samples of an operation that makes `count` ecerts, as samples of one."""
    return Samples(
        cpu_ms=[one / count for one in samples.cpu_ms], wall_ms=[one / count for one in samples.wall_ms]
    )


def _for_each(told: list[dict[str, object]]) -> list[dict[str, object]]:
    return [one | {"own_ms": round(float(str(one["own_ms"])) / LARGEST_GROUP, 4)} for one in told]


def _code(number: int) -> str:
    return f"{number:016d}".translate(_CODE_DIGITS)


_CODE_DIGITS = str.maketrans("01", "AB")  # the alphabet of check codes has neither


def table(report: dict[str, Any]) -> str:
    """The report for people."""
    lines = ["CPU and wall milliseconds for one ecert (median)", ""]
    for name, told in report["cases"].items():
        lines.append(f"{name:<30}{told['cpu_ms']:>10.2f}{told['wall_ms']:>10.2f}")
    lines += [f"{key}: {value}" for key, value in report.items() if isinstance(value, float)]
    lines += ["", "where the time of one ecert in bulk goes (own time)"]
    lines += [
        f"  {one['own_ms']:.3f} ms  {one['function']}" for one in report["profile of the whole issue in bulk"]
    ]
    return "\n".join(lines)
