"""`/api/v1` of the registry: issuances, state changes, required documents. For departments' systems."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from flask import Blueprint, Response, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException

from cert_registry.catalog.errors import TypeUnknown
from cert_registry.checks import Check
from cert_registry.civil_date import civil_date_at
from cert_registry.errors import (
    RegistryError,
    RequestMalformed,
    UnknownCertificateType,
    UnknownIssuance,
)
from cert_registry.issuance import issue
from cert_registry.lifecycle import Actor, StateChange, change_state
from cert_registry.organisations.errors import OrganisationsError
from cert_registry.organisations.rules import authorise
from cert_registry.organisations.types import ClientActor, ClientId, Operation
from cert_registry.problems import problem_for, problem_response
from cert_registry.requirements.errors import RequirementsError
from cert_registry.requirements.rules import check_requirements
from cert_registry.types import (
    ApprovalSystem,
    DepartmentCode,
    EcertIdentifier,
    Holder,
    IntentId,
    IssueOrder,
    StateOperation,
)
from cert_registry.web.api_description import openapi_paths, openapi_schemas
from cert_registry.web.request_faults import faults_of
from cert_registry.web.schemas import IssuanceBody, RequirementBody, StateChangeBody
from idp.identity.citizen_number import parse_citizen_number
from idp.identity.credit_code import parse_credit_code
from idp.identity.errors import AccessTokenRefused, IdentityError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cert_registry.composition import RegistryRooms
    from cert_registry.requirements.types import RequirementAnswer
    from cert_registry.types import EcertSummary
    from idp.identity.access_token import AccessTokenVerifier, Caller

__all__ = ["create_api", "openapi_paths", "openapi_schemas"]

MAXIMUM_BODY_BYTES: Final = 256 * 1024
_Body = TypeVar("_Body", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class _System:
    """A department's system, its token accepted."""

    client_id: str
    department_code: DepartmentCode


def create_api(rooms: RegistryRooms, tokens: AccessTokenVerifier) -> Blueprint:
    """Return the blueprint, to be mounted at ``/api/v1``."""
    api = Blueprint("registry_api", __name__)
    desk = _Desk(rooms, tokens)
    rules: tuple[tuple[str, Callable[..., Response], str], ...] = (
        ("/issuances", desk.create_issuance, "POST"),
        ("/issuances/<issuance_id>", desk.issuance, "GET"),
        ("/ecerts/<identifier>/state-changes", desk.change_state, "POST"),
        ("/requirements/<service_item>/check", desk.check_requirements, "POST"),
    )
    for path, view, method in rules:
        api.add_url_rule(path, view.__name__, view, methods=[method])

    def refused(error: Exception) -> Response:
        return problem_for(error)

    for base in (RegistryError, OrganisationsError, RequirementsError, AccessTokenRefused, Exception):
        api.register_error_handler(base, refused)

    @api.errorhandler(HTTPException)
    def http_refused(error: HTTPException) -> Response:
        return problem_response(
            status=error.code or 500, code=f"http-{error.code}", title=error.name, detail=None
        )

    return api


class _Desk:
    def __init__(self, rooms: RegistryRooms, tokens: AccessTokenVerifier) -> None:
        self._rooms = rooms
        self._tokens = tokens

    def create_issuance(self) -> Response:
        now = self._rooms.clock()
        system = self._system("issue", now)
        body = _body(IssuanceBody)
        key = request.headers.get("Idempotency-Key")
        if key is not None and key != body.case_number:
            raise RequestMalformed(
                "Idempotency-Key 应与 case_number 相同。", findings=[("Idempotency-Key", "与办件编号不同。")]
            )
        order = IssueOrder(
            type_code=self._type_code(body.type),
            issuer_code=DepartmentCode(body.issuer_code or system.department_code),
            case_number=body.case_number,
            service_item=body.service_item,
            unverified_face=body.face,
            authority=ApprovalSystem(
                client_id=system.client_id,
                department_code=system.department_code,
                decision=body.decision,
            ),
            replaces=None if body.replaces is None else EcertIdentifier(body.replaces),
        )
        issued = issue(order, room=self._rooms.issuing, now=now)
        response = _json(
            {
                "issuance_id": issued.intent_id,
                "stage": "delivered",
                "identifier": issued.identifier,
                "check_code": issued.check_code,
                "file_sha256": issued.file_digest,
                "leaf_index": issued.leaf_index,
                "already_issued": issued.already_issued,
            },
            status=200 if issued.already_issued else 201,
        )
        response.headers["Location"] = f"/api/v1/issuances/{issued.intent_id}"
        return response

    def issuance(self, issuance_id: str) -> Response:
        now = self._rooms.clock()
        system = self._system("issue", now)
        found = self._rooms.intents.find(IntentId(issuance_id), requested_by=system.client_id)
        if found is None:
            raise UnknownIssuance("没有这次制证，或不是由本系统提出。")
        intent, stage = found
        answer: dict[str, Any] = {"issuance_id": issuance_id, "stage": stage.value}
        ecert = self._rooms.ecerts.find_by_intent(issuance_id)
        if intent is not None and ecert is not None and stage.value in {"effective", "delivered"}:
            answer |= self._ecert_json(ecert, now) | {"check_code": intent.secrets.check_code}
        return _json(answer)

    def change_state(self, identifier: str) -> Response:
        now = self._rooms.clock()
        system = self._system("issue", now)
        body = _body(StateChangeBody)
        event = change_state(
            StateOperation(body.operation),
            StateChange(
                identifier=EcertIdentifier(identifier),
                reason=body.reason,
                legal_basis=body.legal_basis,
                actor=Actor(
                    actor_id=system.client_id, department_code=system.department_code, is_system=True
                ),
                case_number=body.case_number,
                effective_at=_instant("effective_at", body.effective_at),
                expected_sequence=body.expected_sequence,
            ),
            room=self._rooms.lifecycle,
            now=now,
        )
        return _json(
            {
                "identifier": event.identifier,
                "sequence": event.sequence,
                "operation": event.operation.value,
                "state": {"code": event.state.value, "title": event.state.title},
                "reason": event.reason,
                "legal_basis": event.legal_basis,
                "effective_at": event.effective_at.isoformat(),
                "recorded_at": event.recorded_at.isoformat(),
            },
            status=201,
        )

    def check_requirements(self, service_item: str) -> Response:
        now = self._rooms.clock()
        system = self._system("requirements", now)
        body = _body(RequirementBody)
        authorise(
            self._rooms.charts.chart(),
            ClientActor(client_id=ClientId(system.client_id)),
            Operation.REQUIREMENTS,
            department=system.department_code,
            certificate_type=None,
            on=civil_date_at(now),
        )
        item = self._rooms.items.item(service_item)
        references = [
            self._rooms.holders.reference(_holder(one.code_type, one.number, now)) for one in body.holders
        ]
        answers = check_requirements(item, references, self._rooms.held, now=now)
        self._record(answers, body, item_code=str(item.code), system=system, now=now)
        return _json(
            {
                "service_item": str(item.code),
                "name": item.name,
                "documents": [_answer_json(answer) for answer in answers],
                "must_submit": sum(answer.must_submit for answer in answers),
                "need_not_submit": sum(answer.status.value == "held" for answer in answers),
            }
        )

    # ── parts ──

    def _system(self, scope: str, now: datetime) -> _System:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise AccessTokenRefused("请求没有带上访问令牌。", code="missing")
        caller: Caller = self._tokens.verify(
            token, audience=self._rooms.settings.audience, scope=scope, now=now
        )
        if not caller.department_code:
            raise AccessTokenRefused("令牌里没有单位代码，不是部门系统的令牌。", code="no-department")
        return _System(client_id=caller.client_id, department_code=DepartmentCode(caller.department_code))

    def _type_code(self, named: str) -> str:
        catalog = self._rooms.catalog
        try:
            return (catalog.type(named) if named in catalog.by_code else catalog.by_slug(named)).type_code
        except TypeUnknown as error:
            raise UnknownCertificateType("目录中没有这个证照类型。") from error

    def _ecert_json(self, ecert: EcertSummary, now: datetime) -> dict[str, Any]:
        state = self._rooms.registry.state_at(ecert.identifier, now)
        return {
            "identifier": ecert.identifier,
            "type": ecert.type_code,
            "type_name": ecert.type_name,
            "state": {"code": state.state.value, "title": state.state.title},
            "since": state.since.isoformat(),
            "reason": state.reason,
            "legal_basis": state.legal_basis,
            "file_sha256": ecert.file_digest,
            "valid_from": ecert.valid_from.isoformat(),
            "valid_until": "长期" if ecert.valid_until is None else ecert.valid_until.isoformat(),
        }

    def _record(
        self,
        answers: tuple[RequirementAnswer, ...],
        body: RequirementBody,
        *,
        item_code: str,
        system: _System,
        now: datetime,
    ) -> None:
        """One record for each ecert that the answer rests on, or one without; before the answer leaves."""
        found: list[tuple[EcertIdentifier | None, str]] = [
            (ecert.identifier, answer.status.value) for answer in answers for ecert in answer.ecerts
        ]
        nothing_held = "; ".join(dict.fromkeys(answer.status.value for answer in answers))
        name = self._rooms.authority.department_name(system.department_code)
        for identifier, told in found or [(None, nothing_held)]:
            self._rooms.checks.record_check(
                Check(
                    identifier=identifier,
                    department_code=system.department_code,
                    department_name=name,
                    client_id=system.client_id,
                    officer=body.officer,
                    purpose=body.purpose,
                    service_item=item_code,
                    case_number=body.case_number,
                    legal_basis=body.legal_basis,
                    operation="requirements",
                    answer=told,
                ),
                now=now,
            )


def _answer_json(answer: RequirementAnswer) -> dict[str, Any]:
    return {
        "code": answer.document.code,
        "name": answer.document.name,
        "kind": answer.document.kind.value,
        "status": answer.status.value,
        "must_submit": answer.must_submit,
        "sentence": answer.sentence,
        "ecerts": [
            {
                "type_name": ecert.type_name,
                "issuer_name": ecert.issuer_name,
                "state": {"code": ecert.state.value, "title": ecert.state.title},
                "valid_until": "长期" if ecert.valid_until is None else ecert.valid_until.isoformat(),
            }
            for ecert in answer.ecerts
        ],
    }


def _instant(field: str, unverified: datetime | None) -> datetime | None:
    """An instant in UTC; one without a zone, or that UTC's calendar has not, is refused."""
    if unverified is None:
        return None
    if unverified.tzinfo is None:
        raise RequestMalformed("生效时间须带时区。", findings=[(field, "缺少时区。")])
    try:
        return unverified.astimezone(UTC)
    except OverflowError as error:
        raise RequestMalformed("生效时间不在日历之内。", findings=[(field, "超出日历范围。")]) from error


def _holder(code_type: str, unverified_number: str, now: datetime) -> Holder:
    """A holder whose number is in its one written form."""
    number = unverified_number.strip().upper()
    try:
        if code_type == "111":
            number = parse_citizen_number(number, today=civil_date_at(now)).number
        elif code_type == "001":
            number = parse_credit_code(number).code
    except IdentityError as error:
        raise RequestMalformed("持证主体号码格式不对。", findings=[("holders", str(error))]) from error
    return Holder(code_type=code_type, number=number, name="")


def _body(schema: type[_Body]) -> _Body:
    if request.mimetype != "application/json":
        raise RequestMalformed("请求应为 application/json。")
    content = request.stream.read(MAXIMUM_BODY_BYTES + 1)
    if len(content) > MAXIMUM_BODY_BYTES:
        raise RequestMalformed("请求过大。")
    try:
        return schema.model_validate_json(content)
    except ValidationError as error:
        raise RequestMalformed("请求内容不符合接口格式。", findings=faults_of(error)) from None


def _json(document: dict[str, Any], *, status: int = 200) -> Response:
    response = Response(json.dumps(document, ensure_ascii=False), status=status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
