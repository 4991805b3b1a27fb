"""The public page `/verify`: anybody checks a PDF, or an identifier with its check code, also from the QR."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cryptography.x509 import Name
from cryptography.x509.oid import NameOID
from flask import Blueprint, Response, make_response, render_template, request

from cert_registry.web.civil_words import add_filters, civil
from idp.identity.sentence import said
from verify_api import errors
from verify_api.throttle import AddressThrottle
from verify_api.types import (
    Answer,
    Asker,
    ByDocument,
    ByIdentifier,
    ByQr,
    Operation,
    Outcome,
    Purpose,
    Question,
    Way,
)
from verify_api.verification import MAXIMUM_DOCUMENT_BYTES, VerifyRoom, verify
from verify_api.web.problems import PROBLEMS

PUBLIC = Asker(client_id="public", department_code=None, name="公众查验")
_PURPOSE = Purpose(purpose="公开查验", service_item="public-verify", case_number="public-page")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How an outcome is shown: class of the badge, its word, and what the clerk does next."""

    tone: str
    word: str
    next_step: str


_DO_NOT_USE = "不要采用。请保留这份文件，并向发证机关核实；当事人可以登录“我的证照”重新下载原件。"
LOOKS = {
    Outcome.VALID: Look(
        tone="valid",
        word="有效",
        next_step="可以采用。请核对持证主体是不是当事人；需要归档的，保存下面的回执。",
    ),
    Outcome.SUSPENDED: Look(
        tone="suspended", word="暂扣", next_step="暂扣期间不能采用。请当事人联系发证机关。"
    ),
    Outcome.REVOKED: Look(
        tone="revoked", word="已失去效力", next_step="不能采用。请向当事人说明，有疑问可以联系发证机关。"
    ),
    Outcome.EXPIRED: Look(
        tone="expired", word="已过期", next_step="不能采用。请当事人办理延续或者换发后再提交。"
    ),
    Outcome.NOT_YET_VALID: Look(
        tone="suspended", word="尚未生效", next_step="还不能采用。请在生效日期以后再查。"
    ),
    Outcome.ALTERED: Look(tone="altered", word="不可信", next_step=_DO_NOT_USE),
    Outcome.UNREGISTERED: Look(tone="altered", word="不可信", next_step=_DO_NOT_USE),
    Outcome.UNKNOWN: Look(
        tone="unknown",
        word="没有查到",
        next_step="请对照证照再填一次，注意相似的字母和数字。还是查不到的，请向发证机关核实。",
    ),
    Outcome.NOT_OURS: Look(
        tone="not-ours", word="不是本系统的证照", next_step="如果它由别的系统签发，请到签发它的系统查验。"
    ),
    Outcome.NOT_CHECKED: Look(
        tone="unknown",
        word="未能检查",
        next_step="请确认这是从“我的证照”下载的 PDF 原件，再查一次；也可以改用证照标识和查验码。",
    ),
}


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
                    "verify/answer.html",
                    answer=answer,
                    asked_at=civil(now),
                    seal=_seal_rows(answer),
                    look=LOOKS[answer.outcome],
                    state_tone=_state_tone(answer),
                )
            )
        response.headers["Cache-Control"] = "no-store"
        return response

    add_filters(pages)
    return pages


def _state_tone(answer: Answer) -> str:
    """The registry's own word keeps its own look, also beside a document that was altered."""
    ecert = answer.registry.ecert
    return LOOKS[ecert.state.outcome if ecert else answer.outcome].tone


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


def _seal_rows(answer: Answer) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for one in answer.seal.signatures:
        rows.append(("印章证书", _seal_name(str(one.get("signer") or ""))))
        rows.append(("盖章时间", _seal_time(str(one.get("signed_at") or ""))))
        rows.append(("签名级别", str(one.get("level"))))
        rows.append(("盖章后的改动", _MODIFICATIONS.get(str(one.get("modifications")), "无法判断")))
    return rows


def _seal_name(subject: str) -> str:
    """The seal's own name out of a distinguished name (RFC 4514); the whole where it has none."""
    try:
        names = Name.from_rfc4514_string(subject).get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError:
        names = []
    return str(names[0].value) if names else subject or "无法读取"


def _seal_time(text: str) -> str:
    try:
        return said("%(time)s（北京时间）", time=civil(datetime.fromisoformat(text)))
    except ValueError:
        return "没有可信时间"


_MODIFICATIONS = {
    "none": "没有改动",
    "validation-data": "只增加了验证数据",
    "permitted": "有允许的改动",
    "not-permitted": "有不允许的改动",
    "not-understood": "有无法判断的改动",
}
