"""The form of ``organisations.yaml``; unknown fields are refused."""

from datetime import date
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cert_registry.organisations.errors import ChartRefused

_RoleName = Literal[
    "drafter",
    "signer",
    "checker",
    "operator",
    "auditor",
    "seal-applicant",
    "seal-approver",
    "seal-custodian",
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DepartmentForm(_Strict):
    """One department with its first placement."""

    slug: str
    code: str = Field(min_length=18, max_length=18)
    name: str = Field(min_length=1)
    area_code: str = Field(pattern=r"^[0-9]{6}$")
    level: Literal["province", "city", "county"]
    parent: str | None
    valid_from: date
    valid_to: date | None = None


class StaffForm(_Strict):
    """One member of staff with the roles held from the first day on."""

    staff_id: str = Field(min_length=1)
    name: str = Field(min_length=1)
    department: str
    roles: tuple[_RoleName, ...] = Field(min_length=1)
    valid_from: date
    valid_to: date | None = None


class IssuingForm(_Strict):
    """A right to issue; ``within`` reaches further than the department itself."""

    type: str
    department: str
    within: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


class SealForm(_Strict):
    """A seal that an installation begins with; `seals.bootstrapping` applies for it and has it approved."""

    department: str
    name: str
    kind: Literal["法定名称章", "行政审批专用章", "证照专用章", "法定代表人名章"]
    filing_number: str
    types: tuple[str, ...] = Field(min_length=1)
    usage_limit: int | None = None
    valid_from: date | None = None
    valid_to: date | None = None


class ClientForm(_Strict):
    """A department's system: its scopes apply to each of its types."""

    client_id: str
    department: str
    scopes: tuple[Literal["issue", "push", "requirements", "verify", "compare", "read"], ...]
    types: tuple[str, ...]
    within: str | None = None
    fields: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    valid_from: date | None = None
    valid_to: date | None = None


class OrganisationsForm(_Strict):
    """The whole file."""

    notice: str = ""
    departments: tuple[DepartmentForm, ...]
    staff: tuple[StaffForm, ...] = ()
    issuing: tuple[IssuingForm, ...] = ()
    seals: tuple[SealForm, ...] = ()
    department_clients: tuple[ClientForm, ...] = ()


def read_form(path: Path) -> OrganisationsForm:
    """The file's content, its form checked.

    Raises:
        ChartRefused: unreadable, not YAML, or not of this form; the sentence names each place.
    """
    try:
        return OrganisationsForm.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ChartRefused(f"无法读取 {path.name}。") from error
    except ValidationError as error:
        places = "；".join(".".join(map(str, each["loc"])) + "：" + each["msg"] for each in error.errors())
        raise ChartRefused(f"{path.name} 不合格式：{places}") from error
