"""`/api/v1` of the verify room: `POST /verifications` and `POST /comparisons`."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request
from pydantic import ValidationError

from cert_registry.problems import problem_response
from cert_registry.web.request_faults import faults_of
from idp.identity.access_token import AccessTokenVerifier, Caller
from idp.identity.errors import AccessTokenRefused
from verify_api import errors
from verify_api.types import Asker, Operation
from verify_api.verification import MAXIMUM_DOCUMENT_BYTES, VerifyRoom, verify
from verify_api.web.problems import PROBLEMS
from verify_api.web.schemas import QuestionBody, answer_json

AUDIENCE = "longzheng-verify"
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentDoor:
    """Who may come in as a department.

    Attributes:
        tokens: Local check of Keycloak's access tokens.
        department_name: Name of a department by its credit code, for the holder's view.
    """

    tokens: AccessTokenVerifier
    department_name: Callable[[str], str]

    def asker(self, scope: str, *, now: datetime) -> Asker:
        """Return the asker of the current request.

        Raises:
            AccessTokenRefused: No token, or one that does not hold, or the scope is missing.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() not in {"bearer", "dpop"} or not token:
            raise AccessTokenRefused("请求没有带上访问令牌。", code="missing")
        caller: Caller = self.tokens.verify(token, audience=AUDIENCE, scope=scope, now=now)
        if not caller.department_code:
            raise AccessTokenRefused("令牌里没有单位代码，不是部门系统的令牌。", code="no-department")
        return Asker(
            client_id=caller.client_id,
            department_code=caller.department_code,
            name=self.department_name(caller.department_code),
        )


def create_api(room: VerifyRoom, door: DepartmentDoor, *, clock: Callable[[], datetime]) -> Blueprint:
    """Return the blueprint, to be mounted at ``/api/v1``."""
    api = Blueprint("verify_api", __name__)

    def answer(operation: Operation) -> Response:
        now = clock()
        asker = door.asker(operation.value, now=now)
        result = verify(room, _read_question(), asker=asker, operation=operation, now=now)
        return _json_response(answer_json(result))

    @api.post("/verifications")
    def verifications() -> Response:
        return answer(Operation.VERIFY)

    @api.post("/comparisons")
    def comparisons() -> Response:
        return answer(Operation.COMPARE)

    @api.errorhandler(errors.CheckError)
    def check_error(error: errors.CheckError) -> Response:
        status, title = PROBLEMS[type(error)]
        response = problem_response(status=status, code=error.code, title=title, detail=error.sentence)
        if isinstance(error, errors.TooManyQuestions):
            response.headers["Retry-After"] = str(error.retry_after_s)
        return response

    @api.errorhandler(AccessTokenRefused)
    def token_refused(error: AccessTokenRefused) -> Response:
        status = {"scope": 403, "keys-unavailable": 503}.get(error.code, 401)
        response = problem_response(
            status=status, code=f"token-{error.code}", title="访问令牌不被接受", detail=str(error)
        )
        word = "insufficient_scope" if status == 403 else "invalid_token"
        response.headers["WWW-Authenticate"] = f'Bearer error="{word}"'
        return response

    return api


def _read_question() -> Any:
    """Return the question of the current request: JSON, or multipart with ``request`` and ``document``."""
    attached: bytes | None = None
    if request.mimetype == "multipart/form-data":
        part = request.files.get("document")
        attached = part.stream.read(MAXIMUM_DOCUMENT_BYTES + 1) if part else None
        body = request.form.get("request", "")
        if not body:
            body = json.dumps(request.form.to_dict())
    elif request.mimetype == "application/json":
        body = request.get_data(as_text=True)
    else:
        raise errors.QuestionRefused("请求应为 application/json 或 multipart/form-data。")
    try:
        return QuestionBody.model_validate_json(body).question(attached)
    except ValidationError as error:
        wrong = "".join(f"{field or 'request'}：{sentence}" for field, sentence in faults_of(error))
        raise errors.QuestionRefused(f"请求内容不对：{wrong}") from error
    except ValueError as error:
        raise errors.QuestionRefused(f"请求内容不对：{error}") from error


def _json_response(body: dict[str, Any]) -> Response:
    response = Response(json.dumps(body, ensure_ascii=False), mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
