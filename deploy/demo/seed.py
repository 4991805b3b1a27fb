"""Demo data: organisations, legal persons, the officers' phones, and two certificates that are already held.

Everything is added once; running again adds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from cert_registry.civil_date import civil_date_at
from cert_registry.composition import RegistryRooms, build_registry
from cert_registry.issuance_drafts import DraftContent
from cert_registry.legal_persons.loader import load_legal_persons
from cert_registry.organisations.loader import load_organisations
from cert_registry.seals.bootstrapping import found_seals
from cert_registry.settings import Settings as RegistrySettings
from cert_registry.signing.settings import Settings as SigningSettings
from cert_registry.types import DepartmentCode, StaffId
from deploy.configuration import Configuration
from deploy.demo.accounts import DemoAccounts, department_code, legal_person, organisations
from deploy.form_client import FormClient, enrol_phone, sign_in_with_password
from deploy.progress import step
from deploy.window import open_grants
from idp.store.window_grants import WindowGrant

_DEMO = Path(__file__).resolve().parent
ENTERPRISE = "示例市春风餐饮有限公司"
WINDOW_OFFICER = "fan.jing"
PREMISES = "示例市示范区和平路1号一层"


def run(configuration: Configuration) -> None:
    """Fill in what is missing."""
    rooms = open_rooms(configuration)
    with step("Invented organisations and enterprises"):
        with rooms.database.writing() as connection:
            load_organisations(connection, _DEMO / "organisations.yaml")
        load_legal_persons(rooms.legal_persons, _DEMO / "people.yaml", now=_now())
    with step("Seals: applied for, approved by two, equipped"):
        found_seals(rooms.seals, _DEMO / "organisations.yaml", now=_now())
    with step("An officer at a counter"):
        _grant_window(configuration)
    with step("Certificates that are already held"):
        _issue_held(rooms)
    with step("Officers' phones, enrolled under supervision"):
        enrol_staff(configuration)


def _grant_window(configuration: Configuration) -> None:
    grants = open_grants(configuration)
    if grants.all():
        return
    grants.add(
        WindowGrant(
            grant_id=0,
            staff_id=WINDOW_OFFICER,
            department_code=department_code("city-police"),
            office="示例市政务服务中心 3 号窗口",
            valid_from=date(2024, 1, 1),
            valid_to=None,
            basis="示公授〔2024〕1 号",
            granted_by="示例市公安局",
        ),
        now=_now(),
    )


def open_rooms(configuration: Configuration) -> RegistryRooms:
    """The registry's rooms in this process, as the service wires them."""
    return build_registry(
        RegistrySettings.from_mapping(configuration.section("registry"), demo=True),
        signing=SigningSettings.from_mapping(
            configuration.section("token"),
            pki_directory=configuration.pki_dir,
            public_url=configuration.public_url,
        ),
        clock=_now,
    )


def enrol_staff(configuration: Configuration) -> None:
    """Enrol a phone for each officer who has none yet, as a supervisor would at the counter."""
    accounts = DemoAccounts(configuration)
    for officer in organisations()["staff"]:
        staff_id = str(officer["staff_id"])
        if accounts.staff(staff_id) is not None:
            continue
        client = FormClient()
        # Not the officers' pages: without a second factor Keycloak does not let anybody in there.
        client.open(f"{configuration.sites['site-a'].url}/sign-in", action="totp")
        sign_in_with_password(client, staff_id, accounts.staff_password())
        accounts.keep_staff(staff_id, enrol_phone(client).secret)


def _issue_held(rooms: RegistryRooms) -> None:
    today = civil_date_at(_now())
    enterprise = legal_person(ENTERPRISE)
    licence: dict[str, Any] = {
        "credit_code": enterprise["code"],
        "name": ENTERPRISE,
        "kind": "有限责任公司（自然人独资）",
        "representative": enterprise["representative_name"],
        "registered_capital": "壹佰万元整",
        "established_on": "2019-03-15",
        "address": PREMISES,
        "business_scope": "许可项目：餐饮服务。一般项目：食用农产品零售；会议服务。",
        "effective_date": "2019-03-15",
        "expiry_date": "长期",
    }
    _issue(
        rooms,
        slug="business-licence",
        department="city-market",
        officers=("li.wenjing", "gao.yuan"),
        case_number="SYZZ-2019-0001",
        face=licence,
    )
    title: dict[str, Any] = {
        "holders": [{"name": ENTERPRISE, "code_type": "统一社会信用代码", "number": enterprise["code"]}],
        "ownership": "单独所有",
        "location": PREMISES,
        "unit_number": "990100001001GB00001F00010001",
        "right_kind": "国有建设用地使用权/房屋所有权",
        "right_nature": "出让/市场化商品房",
        "use": "商服用地/商业服务",
        "area": "房屋建筑面积：186.40平方米",
        "term": "至2059年6月30日止",
        "effective_date": today.isoformat(),
        "expiry_date": "长期",
    }
    _issue(
        rooms,
        slug="real-estate-title",
        department="city-land",
        officers=("tian.hui", "shi.lei"),
        case_number="BDC-2026-0001",
        face=title,
    )


def _issue(
    rooms: RegistryRooms,
    *,
    slug: str,
    department: str,
    officers: tuple[str, str],
    case_number: str,
    face: Mapping[str, Any],
) -> None:
    certificate_type = rooms.catalog.by_slug(slug)
    issuer = DepartmentCode(department_code(department))
    if any(one.type_code == certificate_type.type_code for one in rooms.registry.issued_by((issuer,))):
        return
    waiting = [
        one
        for one in rooms.drafting.drafts_of((issuer,))
        if one.order.case_number == case_number and one.order.type_code == certificate_type.type_code
    ]
    drafter, signer = officers
    draft = (
        waiting[0]
        if waiting
        else rooms.drafting.create_draft(
            DraftContent(
                type_code=certificate_type.type_code,
                issuer_code=issuer,
                case_number=case_number,
                service_item=certificate_type.item_code,
                unverified_face=face,
            ),
            drafter_id=StaffId(drafter),
            now=_now(),
        )
    )
    rooms.drafting.sign_off(
        draft.draft_id, signer_id=StaffId(signer), expected_revision=draft.revision, now=_now()
    )


def _now() -> datetime:
    return datetime.now(UTC)
