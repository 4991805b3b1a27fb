"""Pages for seals over a whole registry: in English too, and a licensed CA's certificate taken in by a form."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dying_seal_office import applied, approved
from licensed_ca import LicensedCa
from page_rooms import Desk
from test_web_english_pages import leftover

from cert_registry.seals.types import CertificateSource, SealState
from cert_registry.types import DepartmentCode

CITY_LAND = DepartmentCode("119901000000002112")


@pytest.fixture
def english(desk: Desk) -> Iterator[Desk]:
    desk.browser.set_cookie("lz_language", "en")
    yield desk
    desk.browser.delete_cookie("lz_language")


def test_pages_of_seals_in_english(english: Desk) -> None:
    english.sit("mu.chen")
    pages = [
        english.get("/officer/seals"),
        english.get("/officer/seals/new"),
        english.get("/officer/seals/new?replaces=seal-city-market"),
        english.get("/officer/seals/seal-city-market"),
    ]
    # what a filter offers are names of departments, which an option cannot mark
    names = {one.name for one in english.rooms.charts.chart().departments}
    found = sorted({text for page in pages for text in leftover(page)} - names)
    assert found == []


def test_a_forged_form_decides_nothing(desk: Desk) -> None:
    desk.sit("mu.chen")  # of the city's market bureau
    for address in ("/officer/seals/seal-city-land", "/officer/seals/seal-city-land/image.svg"):
        assert desk.browser.get(address).status_code == 404
    for act in ("approve", "suspend", "resume", "revoke"):
        answer = desk.post("/officer/seals/seal-city-land/acts", act=act, reason="x", sure="yes")
        assert answer.status_code == 404, act
    assert desk.post("/officer/seals/seal-city-market/acts", act="activate", reason="x").status_code == 400
    answer = desk.post("/officer/seals/seal-city-market/acts", act="resume", reason="x")
    assert answer.status_code == 403
    assert desk.post("/officer/seals/apply", department=CITY_LAND, name="章").status_code == 422
    assert desk.rooms.seals.book.find("seal-city-land").state is SealState.ACTIVE


@pytest.fixture
def authority(desk: Desk, tmp_path: Path) -> Iterator[LicensedCa]:
    pki = desk.rooms.pki.pki.path
    made = LicensedCa(tmp_path)
    made.configure(pki)
    yield made
    (pki / "licensed-cas.yaml").unlink()


def test_a_licensed_certificate_is_taken_in_by_a_form(desk: Desk, authority: LicensedCa) -> None:
    seal = approved(
        desk.rooms,
        applied(
            desk.rooms, CITY_LAND, name="示例单位授权证照章", certificate_source=CertificateSource.LICENSED
        ),
    )
    address = f"/officer/seals/{seal.seal_id}"
    desk.sit("cen.yu")
    assert "下载证书请求" in desk.get(address)
    asked = desk.browser.get(f"{address}/request")
    assert asked.headers["Content-Disposition"] == f'attachment; filename="{seal.seal_id}.csr"'
    assert asked.data.startswith(b"-----BEGIN CERTIFICATE REQUEST-----")

    def send(content: bytes, reason: str = "机构签发") -> Any:
        form = {"reason": reason, "certificate": (io.BytesIO(content), "seal.pem")}
        return desk.browser.post(f"{address}/certificate", data=form)

    for content, reason, words in (
        (b"", "机构签发", "请选择证书文件"),
        (b"x" * 70_000, "机构签发", "请选择证书文件"),
        (asked.data, "机构签发", "不是一份 PEM 格式的证书"),
        (LicensedCa(authority.directory).certify(asked.data), "机构签发", "证书链不完整"),
        (authority.certify(asked.data), "", "必须填写"),
    ):
        answer = send(content, reason)
        assert answer.status_code == 422
        assert words in answer.text
    authority.configure(desk.rooms.pki.pki.path)  # the stranger had written its own lists there
    assert send(authority.certify(asked.data)).status_code == 303
    assert desk.rooms.seals.book.find(seal.seal_id).state is SealState.ACTIVE
    assert "示例电子认证有限公司签发CA" in desk.get(address)
    assert desk.browser.get(f"{address}/request").status_code == 409
