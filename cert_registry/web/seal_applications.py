"""The pages on which a seal is applied for: fill in, look at it as it will stand on documents, apply."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from flask import Response, abort, g, make_response, request

from cert_registry.catalog.errors import CatalogError
from cert_registry.civil_date import civil_date_at
from cert_registry.organisations.types import Role, TypeSlug
from cert_registry.seals.drawing import image_of
from cert_registry.seals.errors import ApplicationRefused, UnknownSeal
from cert_registry.seals.images import check_picture
from cert_registry.seals.rules import check_application
from cert_registry.seals.types import (
    CertificateSource,
    Seal,
    SealApplication,
    SealId,
    SealKind,
    SealPicture,
)
from cert_registry.types import DepartmentCode
from cert_registry.web.officer_room import page, redirect_to
from cert_registry.web.seal_room import SealPagesRoom, acting_officer

_TYPED: Final = (
    *("department", "name", "kind", "filing_number", "valid_from", "valid_to", "usage_limit"),
    *("reason", "certificate_source", "replaces", "picture_sha256"),
)
_TITLES: Final = {
    "department": "所属部门",
    "name": "印章名称",
    "kind": "种类",
    "filing_number": "公安备案号",
    "types": "可用于的证照类型",
    "valid_from": "启用日期",
    "valid_to": "截止日期",
    "usage_limit": "使用次数上限",
    "picture": "印模文件",
    "reason": "申请理由",
    "replaces": "更换的印章",
}

Typed = dict[str, Any]


class ApplicationDesk:
    """The form and what follows from it."""

    def __init__(self, room: SealPagesRoom) -> None:
        self._room = room

    def form(self) -> str:
        """An empty form, or one that begins with what a seal to be replaced has."""
        typed: Typed = {"types": [], "valid_from": civil_date_at(self._room.clock()).isoformat()}
        if replaces := request.args.get("replaces", ""):
            old = self._room.seals.seen_by(replaces, g.rights.staff_id, now=self._room.clock())
            typed |= {
                "replaces": old.seal_id,
                "department": old.department,
                "name": old.name,
                "kind": old.kind.value,
                "filing_number": old.filing_number,
                "types": sorted(old.types),
                "certificate_source": old.certificate_source.value,
            }
        return self._page(typed)

    def check(self) -> str | Response:
        """Everything is checked, and shown with the seal as it will look; nothing is applied for yet."""
        typed = _typed()
        try:
            picture = self._picture(typed)
            application = self._application(typed, picture)
            image_of(application.name, self._owner(application), picture=picture, mark=self._room.mark)
        except ApplicationRefused as refused:
            return make_response(self._page(typed, refused.sentence, dict(refused.findings)), 422)
        except CatalogError as error:
            return make_response(self._page(typed, "印章不能绘制。", {"name": str(error)}), 422)
        return page(
            "officer/seals/check.html",
            application=application,
            owner=self._owner(application),
            type_names=[one.name for one in self._room.catalog.types() if one.slug in application.types],
            typed=typed,
        )

    def apply(self) -> str | Response:
        """The application is put on record."""
        typed = _typed()
        if request.form.get("change"):
            return self._page(typed)
        try:
            application = self._application(typed, self._kept_picture(typed))
            seal = self._room.seals.apply(application, by=acting_officer(), now=self._room.clock())
        except ApplicationRefused as refused:
            return make_response(self._page(typed, refused.sentence, dict(refused.findings)), 422)
        return redirect_to("seals.seal", seal_id=seal.seal_id)

    def preview(self) -> Response:
        """The seal of an application as it will look, as SVG."""
        sha256 = request.args.get("picture", "")
        department = request.args.get("department", "")
        if department not in self._reach():
            abort(404)
        try:
            image = image_of(
                request.args.get("name", "")[:40],
                self._room.department_name(department),
                picture=self._room.seals.book.picture(sha256) if sha256 else None,
                mark=self._room.mark,
            )
        except (CatalogError, UnknownSeal):
            abort(404)
        return Response(image.svg, mimetype="image/svg+xml")

    # ── parts ──

    def _reach(self) -> tuple[DepartmentCode, ...]:
        return self._room.reach(Role.SEAL_APPLICANT)

    def _owner(self, application: SealApplication) -> str:
        return self._room.department_name(application.department)

    def _picture(self, typed: Typed) -> SealPicture | None:
        """What was uploaded now, else what was uploaded before."""
        upload = request.files.get("picture")
        content = upload.read() if upload is not None else b""
        if not content:
            return self._kept_picture(typed)
        typed["picture_sha256"] = ""
        picture = check_picture(content)
        self._room.seals.book.keep_picture(picture, now=self._room.clock())
        typed["picture_sha256"] = picture.sha256
        return picture

    def _kept_picture(self, typed: Typed) -> SealPicture | None:
        if request.form.get("drop_picture"):
            typed["picture_sha256"] = ""
        if not typed["picture_sha256"]:
            return None
        try:
            return self._room.seals.book.picture(typed["picture_sha256"])
        except UnknownSeal as error:
            typed["picture_sha256"] = ""
            sentence = "上传的印模已过期，请重新选择文件。"
            raise ApplicationRefused("印模未通过检查。", findings=[("picture", sentence)]) from error

    def _application(self, typed: Typed, picture: SealPicture | None) -> SealApplication:
        """What was typed as an application, with every finding at once."""
        today = civil_date_at(self._room.clock())
        findings: list[tuple[str, str]] = []
        if typed["department"] not in self._reach():
            findings.append(("department", "请选择部门。"))
        if typed["kind"] not in [kind.value for kind in SealKind]:
            findings.append(("kind", "请选择种类。"))
        first = _day(typed["valid_from"], "valid_from", findings)
        last = _day(typed["valid_to"], "valid_to", findings) if typed["valid_to"] else None
        limit = _limit(typed["usage_limit"], findings)
        replaced: Seal | None = None
        if typed["replaces"]:
            replaced = self._room.seals.seen_by(typed["replaces"], g.rights.staff_id, now=self._room.clock())
        licensed = typed["certificate_source"] == CertificateSource.LICENSED.value
        application = SealApplication(
            department=DepartmentCode(typed["department"]),
            name=typed["name"],
            kind=SealKind(typed["kind"]) if "kind" not in dict(findings) else SealKind.CERTIFICATE,
            filing_number=typed["filing_number"],
            types=frozenset(TypeSlug(slug) for slug in typed["types"]),
            valid_from=first or today,
            valid_to=last,
            usage_limit=limit,
            reason=typed["reason"],
            picture=picture,
            certificate_source=CertificateSource.LICENSED if licensed else CertificateSource.OWN,
            replaces=SealId(typed["replaces"]) if typed["replaces"] else None,
        )
        try:
            check_application(application, places=self._room.seals.places, replaced=replaced, today=today)
        except ApplicationRefused as refused:
            findings += [one for one in refused.findings if one[0] not in dict(findings)]
        if findings:
            raise ApplicationRefused("印章申请还不完整。", findings=findings)
        return application

    def _page(self, typed: Typed, refused: str = "", wrong: dict[str, str] | None = None) -> str:
        reach = self._reach()
        return page(
            "officer/seals/new.html",
            typed=typed,
            departments=[(code, self._room.department_name(code)) for code in reach],
            kinds=tuple(SealKind),
            types=self._room.catalog.types(),
            refused=refused,
            wrong=wrong or {},
            titles=_TITLES,
        )


def _typed() -> Typed:
    typed: Typed = {name: request.form.get(name, "").strip() for name in _TYPED}
    typed["types"] = request.form.getlist("types")
    return typed


def _day(text: str, field: str, findings: list[tuple[str, str]]) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        findings.append((field, "请填写日期，如 2026-11-22。"))
        return None


def _limit(text: str, findings: list[tuple[str, str]]) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 10):
        findings.append(("usage_limit", "使用次数上限须为1至10亿的整数，不限则留空。"))
        return None
    return int(text)
