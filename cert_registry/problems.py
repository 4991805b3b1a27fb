"""Errors as RFC 9457 problem details: one table; what is not in it is a 500 without detail."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from flask import Response

from cert_registry import errors
from cert_registry.archive import errors as archive
from cert_registry.error_telling import told
from cert_registry.ingestion import errors as ingestion
from cert_registry.legal_persons import errors as legal_persons
from cert_registry.organisations import errors as organisations
from cert_registry.requirements import errors as requirements
from cert_registry.seals import errors as seals
from idp.identity.errors import AccessTokenRefused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LOGGER = logging.getLogger("longzheng.registry")
_TYPE_BASE: Final = "urn:longzheng:problem:"


@dataclass(frozen=True, slots=True)
class Row:
    """How an error is told: HTTP status, title, and whether its own sentence is for the asker."""

    status: int
    title: str
    tells: bool = True


PROBLEMS: Final[Mapping[type[Exception], Row]] = {
    errors.ConfigurationError: Row(500, "服务配置有误", tells=False),
    errors.NotAuthorised: Row(403, "没有办理权限"),
    errors.SamePerson: Row(403, "制证人与签发人不能是同一人"),
    errors.SealNotUsable: Row(409, "没有可用的印章"),
    errors.UnknownCertificateType: Row(404, "没有这个证照类型"),
    errors.DraftRefused: Row(422, "制证内容未通过检查"),
    errors.UnprintableCharacter: Row(422, "有字符没有可用字形"),
    errors.IdempotencyConflict: Row(409, "同一办件已用其他内容制证"),
    errors.DraftStateConflict: Row(409, "草稿状态已变化"),
    errors.UnknownDraft: Row(404, "没有这份草稿"),
    errors.UnknownIssuance: Row(404, "没有这次制证"),
    errors.SealedFileRejected: Row(503, "盖章结果未通过检验"),
    errors.TokenBusyOrGone: Row(503, "密码设备暂时不可用"),
    errors.UnknownEcert: Row(404, "没有查到相符的证照"),
    errors.LevelNotProved: Row(403, "实名等级不够"),
    errors.TransitionRefused: Row(409, "当前状态不能办理此项变更"),
    errors.ReplacementRefused: Row(409, "被替换的证照已不能换发"),
    errors.StateChangeConflict: Row(409, "状态已被他人变更"),
    errors.TicketRefused: Row(410, "下载链接无效"),
    errors.CheckIncomplete: Row(400, "查验信息不完整"),
    errors.StoreUnavailable: Row(503, "存储暂时不可用", tells=False),
    errors.ObjectMissing: Row(500, "存储的文件不可读", tells=False),
    errors.LogUnavailable: Row(503, "透明日志暂时不可用", tells=False),
    errors.RequestMalformed: Row(400, "请求格式不对"),
    errors.NotSignedIn: Row(401, "访问令牌不被接受"),
    errors.ScopeMissing: Row(403, "令牌没有这项授权范围"),
    organisations.NotAuthorised: Row(403, "没有办理权限"),
    organisations.UnknownOrganisation: Row(404, "没有这个机构"),
    organisations.ChartRefused: Row(500, "机构信息有误", tells=False),
    seals.UnknownSeal: Row(404, "没有这枚印章"),
    seals.SealRightMissing: Row(403, "没有办理权限"),
    seals.TwoPersonsNeeded: Row(403, "须由另一人办理"),
    seals.SealStateConflict: Row(409, "印章当前状态不能办理"),
    seals.ApplicationRefused: Row(422, "印章申请未通过检查"),
    seals.ImageRefused: Row(422, "印模未通过检查"),
    seals.SealUnusable: Row(409, "没有可用的印章"),
    seals.SealKeyUnavailable: Row(503, "密码设备暂时不可用"),
    seals.SealCertificateRefused: Row(422, "签名证书不符"),
    archive.RenewalRunning: Row(409, "归档文件正在续期"),
    archive.NothingGained: Row(409, "此时续期没有作用"),
    archive.StampsUnavailable: Row(503, "时间戳暂时不可用"),
    legal_persons.UnknownLegalPerson: Row(404, "没有这个主体"),
    legal_persons.LegalPersonRefused: Row(422, "主体信息有误"),
    requirements.UnknownServiceItem: Row(404, "没有这个事项"),
    requirements.ItemsMalformed: Row(500, "事项目录有误", tells=False),
    ingestion.FileNotReadable: Row(422, "文件不可读"),
    ingestion.HeaderRefused: Row(422, "表头不符"),
    ingestion.MappingMalformed: Row(500, "归集映射有误", tells=False),
    ingestion.RegistrarFailed: Row(503, "存储暂时不可用", tells=False),
}


def problem_response(
    *,
    status: int,
    code: str,
    title: str,
    detail: str | None = None,
    findings: Sequence[tuple[str, str]] = (),
) -> Response:
    """A problem document (RFC 9457).

    Args:
        status: HTTP status.
        code: Stable; becomes the type URN and the member `code`.
        title: Chinese, the same for every occurrence.
        detail: What the asker can do; holds no personal data.
        findings: Field path and sentence of each fault.
    """
    body: dict[str, Any] = {"type": _TYPE_BASE + code, "title": title, "status": status, "code": code}
    if detail:
        body["detail"] = detail
    if findings:
        body["findings"] = [{"field": field, "sentence": sentence} for field, sentence in findings]
    response = Response(
        json.dumps(body, ensure_ascii=False), status=status, mimetype="application/problem+json"
    )
    response.headers["Cache-Control"] = "no-store"
    if status == 503:
        response.headers["Retry-After"] = "10"
    return response


def problem_for(error: Exception) -> Response:
    """The problem document of an error; the unlisted is a 500 without detail."""
    if isinstance(error, AccessTokenRefused):
        return _token_problem(error)
    row = PROBLEMS.get(type(error))
    if row is None:
        _LOGGER.error("an error that no table lists: %s", told(error))
        return problem_response(status=500, code="internal", title="服务内部错误")
    if row.status >= 500:
        _LOGGER.warning("a request failed: %s", told(error))
    return problem_response(
        status=row.status,
        code=str(getattr(error, "code", "internal")),
        title=row.title,
        detail=str(error) if row.tells else None,
        findings=getattr(error, "findings", ()),
    )


def _token_problem(error: AccessTokenRefused) -> Response:
    """RFC 6750 section 3: 401 `invalid_token`, 403 `insufficient_scope`; 503 when the keys cannot be had."""
    status = {"scope": 403, "keys-unavailable": 503}.get(error.code, 401)
    response = problem_response(
        status=status, code=f"token-{error.code}", title="访问令牌不被接受", detail=str(error)
    )
    if status != 503:
        word = "insufficient_scope" if status == 403 else "invalid_token"
        response.headers["WWW-Authenticate"] = f'Bearer error="{word}"'
    return response
