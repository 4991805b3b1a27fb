"""The officers' pages after issue: one ecert with its history, and changes of state."""

from __future__ import annotations

from typing import Any

from flask import Response, g, make_response, request

from cert_registry.checks import Check
from cert_registry.errors import RequestMalformed, StateChangeConflict, TransitionRefused, UnknownEcert
from cert_registry.lifecycle import Actor, StateChange, change_state
from cert_registry.organisations.types import Operation
from cert_registry.types import EcertIdentifier, EcertSummary, StateOperation
from cert_registry.web.officer_rights import OfficerRights
from cert_registry.web.officer_room import OfficerRoom, page, redirect_to, whole_number
from cert_registry.web.shown_values import shown_values
from cert_registry.web.state_words import (
    EVENT_TITLES,
    OPERATION_HINTS,
    OPERATION_TITLES,
    tone_of,
    word_of,
)

_TYPED = ("operation", "reason", "legal_basis", "case_number")
_FIELD_TITLES = {
    "operation": "办理",
    "reason": "原因",
    "legal_basis": "法律依据",
    "case_number": "案件编号",
    "effective_at": "生效时间",
}


class EcertDesk:
    """The views over what this officer's departments issued."""

    def __init__(self, room: OfficerRoom) -> None:
        self._room = room

    def ecert(self, identifier: str) -> str:
        """One ecert."""
        return self._ecert_page(identifier)

    def show(self, identifier: str) -> str:
        """The face in full, which the holder will see."""
        found = self._issued_here(identifier)
        rights: OfficerRights = g.rights
        self._room.checks.record_check(
            Check(
                identifier=found.identifier,
                department_code=found.issuer_code,
                department_name=found.issuer_name,
                client_id="officer-desk",
                officer=rights.name,
                purpose="发证机关办理业务",
                service_item="officer-desk",
                case_number="officer-desk",
                legal_basis="",
                operation="show",
            ),
            now=self._room.clock(),
        )
        return self._ecert_page(identifier, masked=False)

    def change_state(self, identifier: str) -> str | Response:
        """Suspend, return, revoke, revoke as a penalty or cancel."""
        found = self._issued_here(identifier)
        typed = {name: request.form.get(name, "") for name in _TYPED}
        try:
            operation = StateOperation(typed["operation"])
        except ValueError:
            wrong = {"operation": "请选择要办理的变更。"}
            return make_response(self._ecert_page(identifier, "还不能提交", wrong, typed), 422)
        change = StateChange(
            identifier=EcertIdentifier(identifier),
            reason=typed["reason"],
            legal_basis=typed["legal_basis"],
            case_number=typed["case_number"],
            actor=Actor(actor_id=g.rights.staff_id, department_code=found.issuer_code),
            expected_sequence=whole_number(request.form.get("sequence")),
        )
        try:
            change_state(operation, change, room=self._room.lifecycle, now=self._room.clock())
        except RequestMalformed as refused:
            wrong = dict(refused.findings)
            return make_response(self._ecert_page(identifier, refused.sentence, wrong, typed), 422)
        except (TransitionRefused, StateChangeConflict) as refused:
            return make_response(self._ecert_page(identifier, refused.sentence, {}, typed), 409)
        return redirect_to("officer.ecert", identifier=identifier)

    # ── parts ──

    def _issued_here(self, identifier: str) -> EcertSummary:
        found = self._room.registry.find(identifier)
        if found.issuer_code not in g.rights.codes:
            raise UnknownEcert("没有查到相符的证照。")
        return found

    def _ecert_page(
        self,
        identifier: str,
        refused: str = "",
        wrong: dict[str, str] | None = None,
        typed: dict[str, str] | None = None,
        *,
        masked: bool = True,
    ) -> str:
        found = self._issued_here(identifier)
        state = self._room.registry.state_at(found.identifier, self._room.clock())
        certificate_type = self._room.catalog.type(found.type_code)
        rights: OfficerRights = g.rights
        operations: list[tuple[Any, str, str]] = []
        if rights.may(Operation.CHANGE_STATE, found.issuer_code, certificate_type.slug):
            operations = [
                (rule, OPERATION_TITLES[rule.operation], OPERATION_HINTS[rule.operation])
                for rule in certificate_type.statuses.values()
                if rule.operation in OPERATION_TITLES and state.state in rule.from_states
            ]
        return page(
            "officer/ecert.html",
            ecert=found,
            state=state,
            tone=tone_of(state),
            word=word_of(state),
            history=[
                (event, rights.name_of(event.actor_id))
                for event in reversed(self._room.registry.history_of(identifier))
            ],
            titles=EVENT_TITLES,
            values=shown_values(
                certificate_type.face, self._room.registry.face_of(identifier), masked=masked
            ),
            may_show=masked and bool(certificate_type.face.sensitive_paths()),
            operations=operations,
            bases=sorted({basis for rule, _, _ in operations for basis in rule.legal_bases}),
            refused=refused,
            wrong=wrong or {},
            field_titles=_FIELD_TITLES,
            typed=typed or {},
        )
