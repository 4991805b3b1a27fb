"""Whole registries on real parts for tests: SQLite, SoftHSM keys of a real ceremony, Typst, tiles."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from fixtures_token import CHECKOUT, PUBLIC_URL, ceremony_state, token_settings

from cert_registry.composition import RegistryRooms, build_registry
from cert_registry.organisations.loader import load_organisations
from cert_registry.seals.bootstrapping import found_seals
from cert_registry.seals.types import Channel, SealActor
from cert_registry.settings import Settings
from cert_registry.types import ApprovalSystem, DepartmentCode, IssueOrder, StaffId, TwoPersons

__all__ = ["ceremony_state"]

CITY_MARKET = DepartmentCode("119901000000002037")
DRAFTER, SIGNER = StaffId("li.wenjing"), StaffId("gao.yuan")
ORGANISATIONS = CHECKOUT / "deploy" / "demo" / "organisations.yaml"
TYPES = CHECKOUT / "cert_registry" / "catalog" / "types"
NOW = datetime.now(UTC).replace(microsecond=0)


def open_rooms(
    state: Path,
    directory: Path,
    *,
    module_path: Path | None = None,
    types: Path = TYPES,
    sm2: bool = False,
    demo: bool = True,
    eseal_version: int = 5,
) -> RegistryRooms:
    signing = token_settings(state)
    if module_path is not None:
        signing = replace(signing, module_path=module_path)
    if sm2:
        signing = replace(signing, sm2_key_directory=state / "sm2-keys")
    settings = Settings.from_mapping(
        {
            "database": str(directory / "registry.db"),
            "objects_dir": str(directory / "objects"),
            "tlog_dir": str(directory / "tlog"),
            "pki_dir": str(state / "pki"),
            "public_url": PUBLIC_URL,
            "demo": demo,
            "types_dir": str(types),
            "eseal_version": eseal_version,
        }
    )
    rooms = build_registry(settings, signing=signing, clock=lambda: datetime.now(UTC))
    with rooms.database.writing() as connection:
        load_organisations(connection, ORGANISATIONS)
    found_seals(rooms.seals, ORGANISATIONS, now=datetime.now(UTC))
    return rooms


def sample_face(slug: str = "food-business-licence") -> dict[str, Any]:
    face: dict[str, Any] = json.loads((TYPES / slug / "samples" / "shortest.json").read_text("utf-8"))
    if slug == "food-business-licence":
        del face["licence_number"]  # the type's rule makes it
    return face


def food_order(rooms: RegistryRooms, case_number: str, **changes: object) -> IssueOrder:
    order = IssueOrder(
        type_code=rooms.catalog.by_slug("food-business-licence").type_code,
        issuer_code=CITY_MARKET,
        case_number=case_number,
        service_item="SL-002",
        unverified_face=sample_face(),
        authority=TwoPersons(drafter_id=DRAFTER, signer_id=SIGNER),
    )
    return replace(order, **changes)  # type: ignore[arg-type] # the caller names fields of the order


def approval_system(decision: str = "示例市监许准〔2026〕1号") -> ApprovalSystem:
    return ApprovalSystem(client_id="dept-city-market", department_code=CITY_MARKET, decision=decision)


def later(**amount: int) -> datetime:
    return datetime.now(UTC) + timedelta(**amount)


def on_page(staff_id: str) -> SealActor:
    return SealActor(staff_id=StaffId(staff_id), channel=Channel.PAGE)


def suspend_seal(rooms: RegistryRooms, seal_id: str) -> None:
    rooms.seals.suspend(seal_id, "试验", by=on_page("ji.lan"), now=datetime.now(UTC))


def resume_seal(rooms: RegistryRooms, seal_id: str) -> None:
    for who in ("ji.lan", "xie.qiu"):
        rooms.seals.resume(seal_id, "试验结束", by=on_page(who), now=datetime.now(UTC))
