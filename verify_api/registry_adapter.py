"""The registry, the organisations and the record of checks as the verify room's ports see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from cert_registry.catalog.certificate_type import CertificateType
from cert_registry.catalog.loading import Catalog
from cert_registry.checks import Check, Checks
from cert_registry.civil_date import civil_date_at, end_of_day
from cert_registry.errors import (
    CheckIncomplete,
    LogUnavailable,
    ObjectMissing,
    StoreUnavailable,
    TokenBusyOrGone,
    UnknownEcert,
)
from cert_registry.lifecycle_states import StateAt
from cert_registry.organisations import errors as organisation_errors
from cert_registry.organisations.chart import OrganisationChart
from cert_registry.organisations.rules import authorise, require_fields
from cert_registry.organisations.types import ClientActor, ClientId, TypeSlug
from cert_registry.organisations.types import Operation as OrganisationOperation
from cert_registry.registry import Registry
from cert_registry.tlog.proof import parse_proof
from cert_registry.types import DepartmentCode, EcertIdentifier, EcertState, EcertSummary
from idp.identity.masking import mask_name
from idp.identity.sentence import said
from verify_api.errors import NotEntitled, PartUnavailable, QuestionRefused
from verify_api.types import (
    Answer,
    Asker,
    FieldResult,
    LogPart,
    Operation,
    Outcome,
    Question,
    RegisteredEcert,
    RegisteredState,
)

_OUTCOMES = {
    EcertState.VALID: Outcome.VALID,
    EcertState.SUSPENDED: Outcome.SUSPENDED,
    EcertState.REVOKED: Outcome.REVOKED,
    EcertState.CANCELLED: Outcome.REVOKED,
    EcertState.PENALLY_REVOKED: Outcome.REVOKED,
    EcertState.TRANSFERRED: Outcome.REVOKED,
    EcertState.EXPIRED: Outcome.EXPIRED,
}
_PUBLIC_DEPARTMENT = DepartmentCode("public")
_LEGAL_PERSON = "001"
_AWAY = "登记库暂时读不到，请稍后再查。"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryAdapter:
    """`ports.RegistryReader` over the registry's read side."""

    registry: Registry
    catalog: Catalog

    def by_digest(self, sha256: bytes, *, at: date, now: datetime) -> RegisteredEcert | None:
        """See the port."""
        return self._found(lambda: self.registry.by_file_digest(sha256.hex()), at=at, now=now)

    def by_identifier(
        self, identifier: str, check_code: str, *, at: date, now: datetime
    ) -> RegisteredEcert | None:
        """See the port."""
        return self._found(lambda: self.registry.by_identifier(identifier, check_code), at=at, now=now)

    def log_proof(self, identifier: str) -> LogPart | None:
        """Return the proof of the first leaf that was sequenced: the issue, or the registration of stock."""
        try:
            leaves = self.registry.log_proof(identifier)
        except (LogUnavailable, StoreUnavailable) as error:
            raise PartUnavailable("签发日志暂时读不到，请稍后再查。") from error
        for leaf in leaves:
            if leaf.proof is not None:
                proof = parse_proof(leaf.proof)
                return LogPart(
                    leaf=leaf.leaf_entry,
                    index=proof.index,
                    proof=proof.path,
                    checkpoint=proof.checkpoint_note.decode(),
                    salt=leaf.salt,
                )
        return None

    def document(self, identifier: str) -> bytes | None:
        """See the port."""
        try:
            return self.registry.file_of(identifier)
        except ObjectMissing:
            return None
        except (StoreUnavailable, TokenBusyOrGone) as error:
            raise PartUnavailable(_AWAY) from error

    def raise_alarm(self, *, sha256: bytes, now: datetime) -> None:
        """See the port."""
        self.registry.alarm_unknown_sealed(sha256.hex(), signer="own", now=now)

    def _found(
        self, look_up: Callable[[], EcertSummary], *, at: date, now: datetime
    ) -> RegisteredEcert | None:
        today = civil_date_at(now)
        moment = now if at == today else end_of_day(at) - timedelta(microseconds=1)
        try:
            summary = look_up()
            state = self.registry.state_at(summary.identifier, moment)
            face = self.registry.face_of(summary.identifier)
        except UnknownEcert:
            return None
        except (StoreUnavailable, TokenBusyOrGone) as error:
            raise PartUnavailable(_AWAY) from error
        certificate_type = self.catalog.type(summary.type_code)
        return _registered(summary, certificate_type, face, state)


def _registered(
    summary: EcertSummary, certificate_type: CertificateType, face: Mapping[str, Any], state: StateAt
) -> RegisteredEcert:
    values: dict[str, list[str]] = {}
    for leaf in certificate_type.face.walk(face):
        values.setdefault(leaf.field.path, []).append(leaf.value)
    titles = {one.path: one.title for one in certificate_type.face.leaves() if one.comparable}
    holders = certificate_type.holder_rule.holders(face)
    return RegisteredEcert(
        identifier=summary.identifier,
        type_code=summary.type_code,
        type_slug=certificate_type.slug,
        type_name=summary.type_name,
        issuer_code=summary.issuer_code,
        issuer_name=summary.issuer_name,
        holder_names=tuple(
            one.name if one.code_type == _LEGAL_PERSON else mask_name(one.name) for one in holders
        ),
        issued_on=summary.issued_on,
        expires_on=summary.valid_until,
        origin=summary.origin.value,
        file_sha256=bytes.fromhex(summary.file_digest) if summary.file_digest else None,
        sealed_at=summary.recorded_at if summary.sealed else None,
        face={path: found if len(found) > 1 else found[0] for path, found in values.items()},
        field_titles=titles,
        state=_state(state),
    )


def _state(state: StateAt) -> RegisteredState:
    outcome, word = _OUTCOMES[state.state], state.state.title
    if outcome is Outcome.VALID and state.frozen:
        outcome, word = Outcome.SUSPENDED, "冻结"
    if not state.existed or (outcome is Outcome.VALID and state.not_yet_valid):
        outcome, word = Outcome.NOT_YET_VALID, "尚未生效"
    return RegisteredState(
        outcome=outcome,
        state=word,
        reason=state.reason or None,
        legal_basis=state.legal_basis or None,
        since=state.since,
        recorded_at=None,
        replaced_by=state.replaced_by,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationRights:
    """`ports.Rights` over the dated tree: department × type × operation × field."""

    chart: Callable[[], OrganisationChart]
    catalog: Catalog

    def require(
        self, asker: Asker, operation: Operation, ecert: RegisteredEcert, fields: Sequence[str], *, on: date
    ) -> None:
        """See the port."""
        certificate_type = self.catalog.by_slug(ecert.type_slug)
        # Every way into this room shows that the holder presented the certificate (file, code or QR), which is
        # consent; looking up by holder alone is another matter and not offered here.
        offered = certificate_type.access.by_duty | certificate_type.access.by_consent
        if all(one.value != operation.value for one in offered):
            raise NotEntitled(
                said(
                    "%(type)s不提供%(operation)s。", type=certificate_type.name, operation=_TITLES[operation]
                )
            )
        wanted = OrganisationOperation(operation.value)
        try:
            grant = authorise(
                self.chart(),
                ClientActor(client_id=ClientId(asker.client_id)),
                wanted,
                department=DepartmentCode(ecert.issuer_code),
                certificate_type=TypeSlug(ecert.type_slug),
                on=on,
            )
            if fields:
                require_fields(grant, fields)
        except organisation_errors.OrganisationsError as error:
            raise NotEntitled(
                said(
                    "您的单位没有%(operation)s%(type)s的权限：%(reason)s",
                    operation=_TITLES[operation],
                    type=certificate_type.name,
                    reason=str(error),
                )
            ) from error


_TITLES = {Operation.VERIFY: "查验", Operation.COMPARE: "比对"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckBook:
    """`ports.CheckRecorder` over the registry's record of checks."""

    checks: Checks

    def record(
        self, *, question: Question, asker: Asker, answer: Answer, operation: Operation, now: datetime
    ) -> None:
        """See the port."""
        ecert = answer.registry.ecert
        differing = any(one.result is FieldResult.MISMATCH for one in answer.comparison)
        check = Check(
            identifier=EcertIdentifier(ecert.identifier) if ecert else None,
            department_code=DepartmentCode(asker.department_code or _PUBLIC_DEPARTMENT),
            department_name=asker.name,
            client_id=asker.client_id,
            officer=question.purpose.officer or "",
            purpose=question.purpose.purpose,
            service_item=question.purpose.service_item,
            case_number=question.purpose.case_number,
            legal_basis=question.purpose.legal_basis or "",
            operation=operation.value,
            fields=tuple(one.title for one in answer.comparison),
            answer=f"{answer.outcome.value}; {answer.seal.verdict}{_DIFFERING if differing else ''}",
        )
        try:
            self.checks.record_check(check, now=now)
        except CheckIncomplete as error:
            raise QuestionRefused(error.sentence) from error
        except StoreUnavailable as error:
            raise PartUnavailable("查验记录暂时写不进去，没有给出结论，请稍后再查。") from error

    def refused_comparisons(self, *, department: str, identifier: str, since: datetime) -> int:
        """See the port."""
        return self.checks.count(
            EcertIdentifier(identifier),
            department_code=DepartmentCode(department),
            answer_ends=_DIFFERING,
            since=since,
        )


_DIFFERING = "; differs"
