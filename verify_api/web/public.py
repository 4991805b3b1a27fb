"""The public page `/verify`: anybody checks a PDF, or an identifier with its check code, also from the QR."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response, make_response, render_template, request

from verify_api import errors
from verify_api.throttle import AddressThrottle
from verify_api.types import (
    CIVIL_TIME,
    Answer,
    Asker,
    ByDocument,
    ByIdentifier,
    ByQr,
    Operation,
    Purpose,
    Question,
    Way,
)
from verify_api.verification import MAXIMUM_DOCUMENT_BYTES, VerifyRoom, verify
from verify_api.web.problems import PROBLEMS

PUBLIC = Asker(client_id="public", department_code=None, name="公众查验")
_PURPOSE = Purpose(purpose="公开查验", service_item="public-verify", case_number="public-page")


def create_public_pages(
    room: VerifyRoom, throttle: AddressThrottle, *, clock: Callable[[], datetime]
) -> Blueprint:
    """Return the blueprint, to be mounted at the root."""
    pages = Blueprint("public_verify", __name__, template_folder="templates")

    @pages.get("/verify")
    @pages.get("/VERIFY")  # the QR is upper case, so that its alphanumeric mode holds
    def form() -> str:
        return render_template("verify/form.html", error=None, typed={})

    @pages.post("/verify")
    def ask() -> Response:
        now = clock()
        typed = {
            "identifier": request.form.get("identifier", "").strip(),
            "check_code": request.form.get("check_code", "").strip(),
        }
        try:
            throttle.take(request.remote_addr or "unknown", now=now)
            question = Question(way=_way(typed), purpose=_PURPOSE)
            answer = verify(room, question, asker=PUBLIC, operation=Operation.VERIFY, now=now)
        except errors.CheckError as error:
            response = make_response(render_template("verify/form.html", error=error.sentence, typed=typed))
            response.status_code = PROBLEMS[type(error)][0]
        else:
            response = make_response(
                render_template(
                    "verify/answer.html", answer=answer, asked_at=_civil(now), seal=_seal_rows(answer)
                )
            )
        response.headers["Cache-Control"] = "no-store"
        return response

    @pages.app_template_filter("civil")
    def civil(moment: datetime) -> str:
        return _civil(moment)

    return pages


def _way(typed: dict[str, str]) -> Way:
    document = request.files.get("document")
    if document is not None and document.filename:
        return ByDocument(document=document.stream.read(MAXIMUM_DOCUMENT_BYTES + 1))
    qr = request.form.get("qr", "").strip()
    if qr:
        return ByQr(text=qr)
    if typed["identifier"] and typed["check_code"]:
        return ByIdentifier(
            identifier=unicodedata.normalize("NFKC", typed["identifier"]), check_code=typed["check_code"]
        )
    if typed["identifier"] or typed["check_code"]:
        raise errors.QuestionRefused("证照标识和查验码要一起填写，它们印在证照的二维码旁边。")
    raise errors.QuestionRefused("请选择要查验的 PDF 文件，或者填写证照标识和查验码。")


def _civil(moment: datetime) -> str:
    return moment.astimezone(CIVIL_TIME).strftime("%Y-%m-%d %H:%M:%S")


def _seal_rows(answer: Answer) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for one in answer.seal.signatures:
        rows.append(("印章证书", str(one.get("signer") or "无法读取")))
        rows.append(("盖章时间", str(one.get("signed_at") or "没有可信时间")))
        rows.append(("签名级别", str(one.get("level"))))
        rows.append(("盖章后的改动", _MODIFICATIONS.get(str(one.get("modifications")), "无法判断")))
    return rows


_MODIFICATIONS = {
    "none": "没有改动",
    "validation-data": "只增加了验证数据",
    "permitted": "有允许的改动",
    "not-permitted": "有不允许的改动",
    "not-understood": "有无法判断的改动",
}
