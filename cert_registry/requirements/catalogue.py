"""The catalogue of service items: loading it, and examining it as a whole.

Examined for cycles (a proof that needs itself, through however many others), for documents that no law or no registry
supports, and for types that nobody knows. Source: design section 5, requirements.
"""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cert_registry.organisations.types import TypeSlug
from cert_registry.requirements.errors import ItemsMalformed, UnknownServiceItem
from cert_registry.requirements.types import DocumentKind, RequiredDocument, ServiceItem, ServiceItemCode

DIRECTORY = Path(__file__).parent / "items"


class _DocumentForm(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    name: str = Field(min_length=1)
    kind: Literal["证照", "证明", "材料"]
    satisfied_by: tuple[str, ...] = ()
    legal_basis: tuple[str, ...] = ()


class _ItemForm(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(min_length=1)
    slug: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    name: str = Field(min_length=1)
    produces: str | None = None
    legal_basis: tuple[str, ...] = Field(min_length=1)
    documents: tuple[_DocumentForm, ...]


class Support(Enum):
    """What a required document lacks."""

    NO_LAW = "no-law"
    NO_REGISTRY = "no-registry"  # a certificate or proof that no certificate type can stand for


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsupportedDocument:
    """A document that is asked for without support."""

    item: ServiceItemCode
    document: RequiredDocument
    lacks: tuple[Support, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementCycle:
    """Items that need each other.

    Attributes:
        path: item, certificate type, item, … and the first item again.
        avoidable: some document on the path can be satisfied by a type that does not lead back.
    """

    path: tuple[str, ...]
    avoidable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueFindings:
    """What is wrong with the catalogue as a whole; empty is sound."""

    cycles: tuple[RequirementCycle, ...]
    unsupported: tuple[UnsupportedDocument, ...]
    unknown_types: tuple[tuple[ServiceItemCode, TypeSlug], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceItems:
    """All service items."""

    items: tuple[ServiceItem, ...]

    def item(self, code: str) -> ServiceItem:
        """The item with this code or slug.

        Raises:
            UnknownServiceItem: there is none.
        """
        for each in self.items:
            if code in {each.code, each.slug}:
                return each
        raise UnknownServiceItem("没有这个服务事项。")


def load_items(directory: Path = DIRECTORY) -> ServiceItems:
    """Every item in ``directory``.

    Raises:
        ItemsMalformed: a file is not of its form, or two items or documents share a code.
    """
    items = tuple(_load(path) for path in sorted(directory.glob("*.yaml")))
    codes = [code for item in items for code in {str(item.code), item.slug}]
    if len(set(codes)) != len(codes):
        raise ItemsMalformed("两个服务事项用了同一编码。")
    return ServiceItems(items=items)


def examine(catalogue: ServiceItems, *, known_types: Collection[str]) -> CatalogueFindings:
    """Findings over the whole catalogue.

    Args:
        catalogue: all items.
        known_types: slugs of the certificate types there are.
    """
    return CatalogueFindings(
        cycles=_cycles(catalogue),
        unsupported=tuple(
            UnsupportedDocument(item=item.code, document=document, lacks=lacks)
            for item in catalogue.items
            for document in item.documents
            if (lacks := _lacks(document))
        ),
        unknown_types=tuple(
            (item.code, slug)
            for item in catalogue.items
            for slug in _types_of(item)
            if slug not in known_types
        ),
    )


def _load(path: Path) -> ServiceItem:
    try:
        form = _ItemForm.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise ItemsMalformed(f"{path.name} 不合格式：{error}") from error
    documents = tuple(
        RequiredDocument(
            code=each.code,
            name=each.name,
            kind=DocumentKind(each.kind),
            satisfied_by=tuple(TypeSlug(slug) for slug in each.satisfied_by),
            legal_basis=each.legal_basis,
        )
        for each in form.documents
    )
    if len({each.code for each in documents}) != len(documents):
        raise ItemsMalformed(f"{path.name}：两份材料用了同一编码。")
    return ServiceItem(
        code=ServiceItemCode(form.code),
        slug=form.slug,
        name=form.name,
        produces=TypeSlug(form.produces) if form.produces else None,
        documents=documents,
        legal_basis=form.legal_basis,
    )


def _lacks(document: RequiredDocument) -> tuple[Support, ...]:
    lacks = []
    if not document.legal_basis:
        lacks.append(Support.NO_LAW)
    if document.kind is not DocumentKind.MATERIAL and not document.satisfied_by:
        lacks.append(Support.NO_REGISTRY)
    return tuple(lacks)


def _types_of(item: ServiceItem) -> list[TypeSlug]:
    wanted = [slug for document in item.documents for slug in document.satisfied_by]
    return list(dict.fromkeys(wanted + ([item.produces] if item.produces else [])))


def _cycles(catalogue: ServiceItems) -> tuple[RequirementCycle, ...]:
    """The shortest way from each item back to itself, each set of items once."""
    producers: dict[TypeSlug, list[ServiceItem]] = {}
    for item in catalogue.items:
        if item.produces:
            producers.setdefault(item.produces, []).append(item)
    found: dict[frozenset[str], RequirementCycle] = {}
    for item in catalogue.items:
        steps = _way_back(item, producers)
        if steps:
            found.setdefault(frozenset(each.code for each, _, _ in steps), _cycle(steps))
    return tuple(found.values())


Step = tuple[ServiceItem, RequiredDocument, TypeSlug]


def _way_back(start: ServiceItem, producers: dict[TypeSlug, list[ServiceItem]]) -> list[Step]:
    """Breadth first, so the first way found is a shortest one; empty when there is none."""
    queue: deque[tuple[ServiceItem, list[Step]]] = deque([(start, [])])
    seen: set[ServiceItemCode] = set()
    while queue:
        item, steps = queue.popleft()
        for document in item.documents:
            for slug in document.satisfied_by:
                way = [*steps, (item, document, slug)]
                for producer in producers.get(slug, []):
                    if producer.code == start.code:
                        return way
                    if producer.code not in seen:
                        seen.add(producer.code)
                        queue.append((producer, way))
    return []


def _cycle(steps: list[Step]) -> RequirementCycle:
    path = [part for item, _, slug in steps for part in (item.code, slug)]
    on_path = {slug for _, _, slug in steps}
    avoidable = any(set(document.satisfied_by) - on_path for _, document, _ in steps)
    return RequirementCycle(path=(*path, steps[0][0].code), avoidable=avoidable)
