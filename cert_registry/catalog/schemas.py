"""The form of `type.yaml`: what a certificate type says about itself. Unknown keys are refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_Text = Annotated[str, Field(min_length=1, max_length=400)]
_Operation = Literal["verify", "compare", "read"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AuthorityFile(_Strict):
    """Who defines the type. Source: GB/T 36902, CertificateDefineAuthority…."""

    name: _Text
    code: Annotated[str, Field(pattern=r"^[0-9A-HJ-NPQRTUWXY]{18}$")]
    level: Literal["国家级", "省部级", "地市级", "区县级", "其他"]


class ItemFile(_Strict):
    """The service item that ends with this certificate."""

    name: _Text
    code: _Text


class ChoiceFile(_Strict):
    """A part of a number that depends on a face field."""

    field: _Text
    values: dict[str, str]


class NumberingFile(_Strict):
    """Which field is the certificate's own number, and how a new one is made.

    `rule` is null when the number comes with the application (a credit code).
    """

    field: _Text
    rule: str | None
    choice: ChoiceFile | None = None


class ValidityFile(_Strict):
    """How long; rules joined by `^` as in GB/T 36902, the first one is usual. The fields are face fields."""

    rules: _Text
    effective_field: _Text
    expiry_field: _Text


class StateChangeFile(_Strict):
    """One state change that the type allows, from which states, on what usual grounds."""

    operation: Literal["suspend", "return", "revoke", "penal-revoke", "cancel", "replace"]
    from_states: Annotated[list[Literal["有效", "暂扣", "失效"]], Field(min_length=1)]
    legal_bases: Annotated[list[_Text], Field(min_length=1)]


class SealFile(_Strict):
    """Which seal closes the face, how large it stands there, and how the file is sealed."""

    kind: _Text
    width_mm: Annotated[float, Field(ge=20, le=60)]
    height_mm: Annotated[float, Field(ge=20, le=60)]
    pades_level: Literal["B-B", "B-T", "B-LT", "B-LTA"]
    signature_profile: Literal["p256", "rsa-3072", "sm2"] = "p256"
    when_unstamped: Literal["wait", "raise-later"] = "wait"


class AccessFile(_Strict):
    """Who may ask for what."""

    rule: Literal["by-duty", "consent-only"]
    required_level: Literal["RN1", "RN2", "RN3"]
    by_duty: list[_Operation]
    by_consent: list[_Operation]
    required_fields: Annotated[list[_Text], Field(min_length=1)]


class HolderFile(_Strict):
    """Where the face names its holders: fields of the face, or of each entry of a list.

    `code_type` is a code of GB/T 36903, or `field:<name>` with the codes by printed word under `code_types`.
    """

    kind: Literal["natural", "legal", "several"]
    list_field: _Text | None = None
    name_field: _Text
    number_field: _Text
    code_type: _Text
    code_types: dict[str, Annotated[str, Field(pattern=r"^[0-9]{3}$")]] = {}


class TypeFile(_Strict):
    """A whole `type.yaml`."""

    type_code: Annotated[str, Field(pattern=r"^[0-9A-HJ-NPQRTUWXY]{18}[0-9]{3}$")]
    slug: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
    name: _Text
    english_name: _Text
    catalogue_class: Literal["证照", "批文", "证明"]
    template_version: Annotated[str, Field(pattern=r"^[1-9][0-9]*(\.[0-9]+)*$")]
    define_authority: AuthorityFile
    item: ItemFile
    holder: HolderFile
    numbering: NumberingFile
    validity: ValidityFile
    state_changes: Annotated[list[StateChangeFile], Field(min_length=1)]
    seal: SealFile
    access: AccessFile
    legal_basis: Annotated[list[_Text], Field(min_length=1)]
