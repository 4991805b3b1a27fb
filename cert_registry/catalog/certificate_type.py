"""A certificate type: everything that differs between one 证照 and another, as values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from cert_registry.catalog.errors import CatalogMalformed, NumberNotMade
from cert_registry.catalog.face_schema import CheckedFace, FaceSchema, require_face
from cert_registry.civil_date import (
    Expiry,
    ValidityRule,
    last_day,
    parse_civil_date,
    parse_expiry,
)
from cert_registry.types import EcertState, Holder, StateOperation
from idp.identity.assurance import RealnameLevel
from idp.identity.sentence import said

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from cert_registry.catalog.schemas import NumberingFile, TypeFile

_TOKEN = re.compile(r"\{([a-z0-9_]+)(?::([1-9]))?\}")
_STATES = {state.title: state for state in EcertState}


class HolderKind(Enum):
    """Who holds certificates of a type. Source: GB/T 36902, CertificateHolderCategory."""

    NATURAL = "natural"
    LEGAL = "legal"
    SEVERAL = "several"


class AccessRule(Enum):
    """Whether a department may ask by its duty, or only with the holder's consent."""

    BY_DUTY = "by-duty"
    CONSENT_ONLY = "consent-only"


class AskOperation(Enum):
    """What may be asked about a certificate."""

    VERIFY = "verify"
    COMPARE = "compare"
    READ = "read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may ask for what.

    Args:
        rule: By duty, or by consent only (then even "none held" is an answer that needs consent).
        by_duty: What a department may ask when its duty covers the type.
        by_consent: What it may ask with the holder's consent.
        required_fields: Paths that every comparison must contain, against probing.
    """

    rule: AccessRule
    by_duty: frozenset[AskOperation]
    by_consent: frozenset[AskOperation]
    required_fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChangeRule:
    """A state change that the type allows.

    Args:
        operation: Which act.
        from_states: From where it is possible.
        legal_bases: Usual legal bases, for the form; another may be written.
    """

    operation: StateOperation
    from_states: frozenset[EcertState]
    legal_bases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """How long certificates of the type are valid.

    Args:
        rules: The usual one first.
        effective_field: Face field of the first day.
        expiry_field: Face field of the last day, or 长期.
    """

    rules: tuple[ValidityRule, ...]
    effective_field: str
    expiry_field: str

    def usual_expiry(self, effective: date) -> Expiry:
        """The last day under the usual rule."""
        return last_day(self.rules[0], effective=effective)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbering:
    """The certificate's own number (not the identifier).

    Args:
        field: Face field that holds it.
        rule: Template of a new number, None when it comes with the application.
        choice_field: Face field that selects `{choice}`.
        choices: What `{choice}` becomes, by that field's value.
    """

    field: str
    rule: str | None
    choice_field: str | None
    choices: Mapping[str, str]

    def make(self, *, sequence: int, year: int, area_code: str, face: Mapping[str, Any]) -> str:
        """A new number under the rule.

        Args:
            sequence: From 1, counted by the caller per issuer, year and type.
            year: Civil year.
            area_code: Six digits of the issuing department's place.
            face: The draft; read only for `{choice}`.

        Raises:
            NumberNotMade: The type has no rule, or the draft lacks the field that selects `{choice}`.
        """
        if self.rule is None:
            raise NumberNotMade("该类型的证号随申请材料取得，不由系统编号。")
        values = {"sequence": str(sequence), "year": str(year), "area": area_code}
        if self.choice_field is not None:
            choice = self.choices.get(str(face.get(self.choice_field)))
            if choice is None:
                raise NumberNotMade(said("请先填写 %(field)s，才能编号。", field=self.choice_field))
            values["choice"] = choice
        head, check, tail = self.rule.partition("{check}")
        made = _TOKEN.sub(lambda token: values[token[1]].zfill(int(token[2] or 1)), head)
        return made + (check_digit(made) if check else "") + tail


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRule:
    """Which seal closes the face and how large it stands there (millimetres)."""

    kind: str
    width_mm: float
    height_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderRule:
    """Where the face names its holders."""

    list_field: str | None
    name_field: str
    number_field: str
    code_type: str
    code_types: Mapping[str, str]

    def holders(self, values: Mapping[str, Any]) -> tuple[Holder, ...]:
        """The holders that a checked face names, in its order."""
        entries = [values] if self.list_field is None else values[self.list_field]
        return tuple(
            Holder(
                code_type=self._code_type(entry),
                number=str(entry[self.number_field]),
                name=str(entry[self.name_field]),
            )
            for entry in entries
        )

    def _code_type(self, entry: Mapping[str, Any]) -> str:
        if self.code_type.startswith("field:"):
            return self.code_types[str(entry[self.code_type.removeprefix("field:")])]
        return self.code_type


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateType:
    """One type of the catalogue; loaded, checked and immutable.

    Args:
        type_code: 21 characters.
        slug: Its folder's name.
        name: 证照类型名称.
        english_name: For an English interface.
        catalogue_class: 证照, 批文 or 证明.
        template_version: Rises when face or schema change.
        define_authority_name: Who defines the type.
        define_authority_code: 18 characters.
        define_authority_level: 省部级 and so on.
        item_name: 关联服务事项.
        item_code: Its code.
        holder_kind: Natural person, legal person, or several.
        holder_rule: Where the face names its holders.
        face: Its fields.
        numbering: The certificate's own number.
        validity: How long.
        statuses: Allowed state changes, by operation.
        seal_kind: Which kind of seal, for example 证照专用章.
        seal_rule: That kind with its size on the face.
        pades_level: `B-LT` and so on.
        signature_profile: `p256`, `rsa-3072` or `sm2`: the kind of key that seals, with its digest.
        when_unstamped: What is done while time stamps or revocation data are not to be had: `wait` with the intent
            stored, or `raise-later`: seal at `B-B` and raise the file's level when they are back.
        required_level: Real-name level that a holder needs to see it.
        access: Who may ask for what.
        legal_basis: Laws that the type rests on.
        template: Typst source of the face.
        directory: The type's folder; a template reads nothing outside it.
        samples: Faces of the samples, by name.
    """

    type_code: str
    slug: str
    name: str
    english_name: str
    catalogue_class: str
    template_version: str
    define_authority_name: str
    define_authority_code: str
    define_authority_level: str
    item_name: str
    item_code: str
    holder_kind: HolderKind
    holder_rule: HolderRule
    face: FaceSchema
    numbering: Numbering
    validity: Validity
    statuses: Mapping[StateOperation, StateChangeRule]
    seal_kind: str
    seal_rule: SealRule
    pades_level: str
    signature_profile: str
    when_unstamped: str
    required_level: RealnameLevel
    access: Access
    legal_basis: tuple[str, ...]
    template: str
    directory: Path
    samples: Mapping[str, Mapping[str, Any]]

    def check_face(self, face: Mapping[str, Any], *, today: date) -> CheckedFace:
        """The face, once every field stands.

        Args:
            face: A draft.
            today: Civil date.

        Raises:
            FaceRefused: One sentence a field, all fields at once.
        """
        return CheckedFace(
            type_code=self.type_code,
            template_version=self.template_version,
            values=require_face(self.face, face, today=today),
        )

    def holders_of(self, face: CheckedFace) -> tuple[Holder, ...]:
        """Who holds the certificate, in the order of the face."""
        return self.holder_rule.holders(face.values)

    def term_of(self, face: CheckedFace) -> tuple[date, Expiry]:
        """First and last day of validity as the face states them."""
        effective = parse_civil_date(face.values[self.validity.effective_field])
        return effective, parse_expiry(face.values[self.validity.expiry_field])

    def certificate_number_of(self, face: CheckedFace) -> str:
        """The certificate's own number (证照编号)."""
        return str(face.values[self.numbering.field])

    def allows(self, operation: StateOperation, *, state: EcertState) -> StateChangeRule | None:
        """The rule under which a state change is possible now, or None."""
        rule = self.statuses.get(operation)
        return rule if rule is not None and state in rule.from_states else None


def check_digit(text: str) -> str:
    """The MOD 11,10 check digit over the digits of `text`; other characters are skipped.

    Source: ISO 7064:2003 (GB/T 17710), hybrid system MOD 11,10.
    """
    product = 10
    for character in text:
        if not ("0" <= character <= "9"):
            continue
        product = (product + int(character)) % 10 or 10
        product = product * 2 % 11
    return str((11 - product) % 10)


def build_type(  # one place turns the file's words into the domain's
    file: TypeFile,
    *,
    face: FaceSchema,
    validity: Validity,
    template: str,
    directory: Path,
    samples: Mapping[str, Mapping[str, Any]],
) -> CertificateType:
    """A certificate type from its checked file.

    Raises:
        CatalogMalformed: The numbering rule names an unknown token.
    """
    return CertificateType(
        type_code=file.type_code,
        slug=file.slug,
        name=file.name,
        english_name=file.english_name,
        catalogue_class=file.catalogue_class,
        template_version=file.template_version,
        define_authority_name=file.define_authority.name,
        define_authority_code=file.define_authority.code,
        define_authority_level=file.define_authority.level,
        item_name=file.item.name,
        item_code=file.item.code,
        holder_kind=HolderKind(file.holder.kind),
        holder_rule=HolderRule(
            list_field=file.holder.list_field,
            name_field=file.holder.name_field,
            number_field=file.holder.number_field,
            code_type=file.holder.code_type,
            code_types=dict(file.holder.code_types),
        ),
        face=face,
        numbering=_numbering(file.numbering, file.slug),
        validity=validity,
        statuses={
            StateOperation(change.operation): StateChangeRule(
                operation=StateOperation(change.operation),
                from_states=frozenset(_STATES[title] for title in change.from_states),
                legal_bases=tuple(change.legal_bases),
            )
            for change in file.state_changes
        },
        seal_kind=file.seal.kind,
        seal_rule=SealRule(kind=file.seal.kind, width_mm=file.seal.width_mm, height_mm=file.seal.height_mm),
        pades_level=file.seal.pades_level,
        signature_profile=file.seal.signature_profile,
        when_unstamped=file.seal.when_unstamped,
        required_level=RealnameLevel(file.access.required_level),
        access=Access(
            rule=AccessRule(file.access.rule),
            by_duty=frozenset(AskOperation(word) for word in file.access.by_duty),
            by_consent=frozenset(AskOperation(word) for word in file.access.by_consent),
            required_fields=tuple(file.access.required_fields),
        ),
        legal_basis=tuple(file.legal_basis),
        template=template,
        directory=directory,
        samples=samples,
    )


def _numbering(file: NumberingFile, slug: str) -> Numbering:
    known = {"sequence", "year", "area"} | ({"choice"} if file.choice else set())
    named = {token[1] for token in _TOKEN.finditer(file.rule or "")} - {"check"}
    if not named <= known:
        unknown = "、".join(sorted(named - known))
        raise CatalogMalformed(
            f"{slug}/type.yaml", said("编号规则中的 %(unknown)s 不认识。", unknown=unknown)
        )
    return Numbering(
        field=file.field,
        rule=file.rule,
        choice_field=file.choice.field if file.choice else None,
        choices=dict(file.choice.values) if file.choice else {},
    )
