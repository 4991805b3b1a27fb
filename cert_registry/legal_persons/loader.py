"""From a file like the demo's ``people.yaml``: its ``legal_persons``, nothing else of it."""

from datetime import datetime
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cert_registry.legal_persons.errors import LegalPersonRefused
from cert_registry.legal_persons.store import LegalPersonStore
from cert_registry.legal_persons.types import LegalPersonEntry, LegalPersonKind, LegalPersonState, Upsert


class _LegalPersonForm(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str = Field(min_length=1)
    code: str
    kind: Literal["企业", "农民专业合作社", "个体工商户", "事业单位", "机关", "社会组织", "其他"]
    state: Literal["存续", "注销", "吊销", "迁出"]
    representative: str
    representative_name: str = Field(min_length=1)
    source: str
    area_code: str = ""
    note: str = ""


class _PeopleForm(BaseModel):
    """The file also holds the population register's people; they are no concern of this room."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    legal_persons: tuple[_LegalPersonForm, ...]


def load_legal_persons(store: LegalPersonStore, path: Path, *, now: datetime) -> dict[Upsert, int]:
    """Take the file's legal persons over; loading again changes nothing.

    Raises:
        LegalPersonRefused: unreadable, of another form, or with a malformed code or number.
        StoreUnavailable: the database did not take the write.
    """
    try:
        form = _PeopleForm.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LegalPersonRefused(f"无法读取 {path.name}。", reason="unreadable") from error
    except ValidationError as error:
        places = "、".join(".".join(map(str, each["loc"])) for each in error.errors())
        raise LegalPersonRefused(f"{path.name} 不合格式：{places}。", reason="form") from error
    return store.upsert((_entry(each) for each in form.legal_persons), now=now)


def _entry(form: _LegalPersonForm) -> LegalPersonEntry:
    return LegalPersonEntry(
        unverified_credit_code=form.code,
        name=form.name,
        kind=LegalPersonKind(form.kind),
        state=LegalPersonState(form.state),
        unverified_head_number=form.representative,
        head_name=form.representative_name,
        source=form.source,
    )
