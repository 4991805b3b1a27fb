"""The story's application, and everything that a registry may answer about a document."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cert_registry.organisations.types import TypeSlug
from cert_registry.requirements.catalogue import ServiceItems, Support, examine, load_items
from cert_registry.requirements.errors import ItemsMalformed, UnknownServiceItem
from cert_registry.requirements.rules import check_requirements
from cert_registry.requirements.types import (
    DocumentKind,
    HeldEcert,
    RequiredDocument,
    RequirementStatus,
    ServiceItem,
    ServiceItemCode,
)
from cert_registry.types import EcertIdentifier, EcertState
from idp.identity.holder import HolderReference

TYPES = Path(__file__).parents[3] / "cert_registry" / "catalog" / "types"
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ENTERPRISE = HolderReference("h1-enterprise")
PERSON = HolderReference("h1-person")
BUSINESS, TITLE, RECORD = (
    TypeSlug(slug) for slug in ("business-licence", "real-estate-title", "no-criminal-record")
)
NAMES = {BUSINESS: "营业执照", TITLE: "不动产权证书", RECORD: "无犯罪记录证明"}


class Registry:
    """Ecerts by holder; remembers which types it was asked for."""

    def __init__(self, *held: tuple[HolderReference, HeldEcert]) -> None:
        self._held = held
        self.asked: list[TypeSlug] = []

    def held(
        self, references: Sequence[HolderReference], type_slug: TypeSlug, *, now: datetime
    ) -> Sequence[HeldEcert]:
        assert now == NOW
        self.asked.append(type_slug)
        return [
            ecert for holder, ecert in self._held if holder in references and ecert.type_slug == type_slug
        ]

    def is_consent_only(self, type_slug: TypeSlug) -> bool:
        return type_slug == RECORD


def ecert(slug: TypeSlug, state: EcertState = EcertState.VALID, *, valid: bool | None = None) -> HeldEcert:
    return HeldEcert(
        identifier=EcertIdentifier(f"1.2.156.3005.2.{slug}"),
        type_slug=slug,
        type_name=NAMES[slug],
        issuer_name="示例市市场监督管理局",
        state=state,
        valid=state is EcertState.VALID if valid is None else valid,
        valid_until=date(2030, 1, 1),
    )


def document(code: str, *slugs: TypeSlug, kind: DocumentKind = DocumentKind.CERTIFICATE) -> RequiredDocument:
    return RequiredDocument(code=code, name=code, kind=kind, satisfied_by=slugs, legal_basis=("某法",))


def item(code: str, *documents: RequiredDocument, produces: str | None = None) -> ServiceItem:
    return ServiceItem(
        code=ServiceItemCode(code),
        slug=code.lower(),
        name=code,
        produces=TypeSlug(produces) if produces else None,
        documents=documents,
        legal_basis=("某法",),
    )


def ask(wanted: RequiredDocument, *held: HeldEcert) -> tuple[RequirementStatus, str]:
    registry = Registry(*((ENTERPRISE, each) for each in held))
    (answer,) = check_requirements(item("x", wanted), [ENTERPRISE], registry, now=NOW)
    return answer.status, answer.sentence


def test_the_story_two_of_three_need_not_be_submitted() -> None:
    registry = Registry((ENTERPRISE, ecert(BUSINESS)), (PERSON, ecert(TITLE)))
    wanted = load_items().item("SL-002")
    answers = check_requirements(wanted, [ENTERPRISE, PERSON], registry, now=NOW)
    assert [(each.document.name, each.must_submit) for each in answers] == [
        ("营业执照", False),
        ("经营场所使用证明（不动产权证书等）", False),
        ("食品安全管理制度文本", True),
    ]
    assert [len(each.ecerts) for each in answers] == [1, 1, 0]
    assert [each.status for each in answers] == [
        RequirementStatus.HELD,
        RequirementStatus.HELD,
        RequirementStatus.NOT_A_CERTIFICATE,
    ]


def test_a_stranger_holds_nothing() -> None:
    answers = check_requirements(
        load_items().item("SL-002"), [PERSON], Registry((ENTERPRISE, ecert(BUSINESS))), now=NOW
    )
    assert [each.status for each in answers][:2] == [RequirementStatus.NOT_HELD] * 2
    assert all(each.must_submit and not each.ecerts for each in answers)


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (EcertState.PENALLY_REVOKED, "已吊销"),
        (EcertState.SUSPENDED, "已暂扣"),
        (EcertState.EXPIRED, "已失效"),
        (EcertState.CANCELLED, "已注销"),
    ],
)
def test_what_is_held_and_not_valid_must_be_submitted_and_says_why(state: EcertState, word: str) -> None:
    status, sentence = ask(document("d", BUSINESS), ecert(BUSINESS, state))
    assert status is RequirementStatus.HELD_NOT_VALID
    assert word in sentence


def test_a_frozen_certificate_is_not_usable_though_its_state_is_valid() -> None:
    status, sentence = ask(document("d", BUSINESS), ecert(BUSINESS, valid=False))
    assert (status, "目前不可使用" in sentence) == (RequirementStatus.HELD_NOT_VALID, True)


def test_one_valid_certificate_of_any_type_is_enough() -> None:
    revoked = ecert(BUSINESS, EcertState.REVOKED)
    assert ask(document("d", BUSINESS, TITLE), revoked, ecert(TITLE))[0] is RequirementStatus.HELD
    assert ask(document("d", RECORD, TITLE), ecert(TITLE))[0] is RequirementStatus.HELD


@pytest.mark.parametrize("held", [(), (RECORD,)])
def test_whether_a_consent_only_certificate_is_held_is_neither_told_nor_looked_up(
    held: tuple[TypeSlug, ...],
) -> None:
    registry = Registry(*((ENTERPRISE, ecert(slug)) for slug in held))
    answers = check_requirements(
        item("x", document("d", RECORD), document("e", TITLE, RECORD)), [ENTERPRISE], registry, now=NOW
    )
    assert [(each.status, each.ecerts, each.must_submit) for each in answers] == [
        (RequirementStatus.NEEDS_AUTHORISATION, (), False)
    ] * 2
    assert RECORD not in registry.asked


def test_the_shipped_catalogue_is_sound() -> None:
    known = {path.parent.name for path in TYPES.glob("*/type.yaml")}
    findings = examine(load_items(), known_types=known)
    assert (findings.cycles, findings.unsupported, findings.unknown_types) == ((), (), ())
    items = load_items()
    assert items.item("food-business-licence-application") == items.item("SL-002")
    with pytest.raises(UnknownServiceItem):
        items.item("none")


def test_a_cycle_is_reported_with_its_path() -> None:
    catalogue = ServiceItems(
        items=(
            item("A", document("b", TypeSlug("tb")), produces="ta"),
            item(
                "B", document("own", kind=DocumentKind.MATERIAL), document("c", TypeSlug("tc")), produces="tb"
            ),
            item("C", document("a", TypeSlug("ta"), TypeSlug("other")), produces="tc"),
            item("D", document("a", TypeSlug("ta")), produces="td"),
        )
    )
    (cycle,) = examine(catalogue, known_types=["ta", "tb", "tc", "td", "other"]).cycles
    assert cycle.path == ("A", "tb", "B", "tc", "C", "ta", "A")
    assert cycle.avoidable


def test_a_proof_that_needs_itself_is_a_cycle_of_one() -> None:
    catalogue = ServiceItems(items=(item("A", document("a", TypeSlug("ta")), produces="ta"),))
    (cycle,) = examine(catalogue, known_types=["ta"]).cycles
    assert (cycle.path, cycle.avoidable) == (("A", "ta", "A"), False)


def test_documents_without_law_or_registry_and_unknown_types_are_listed() -> None:
    absurd = RequiredDocument(
        code="my-mother-is-my-mother",
        name="证明我妈是我妈",
        kind=DocumentKind.PROOF,
        satisfied_by=(),
        legal_basis=(),
    )
    own = document("own", kind=DocumentKind.MATERIAL)
    findings = examine(
        ServiceItems(items=(item("A", absurd, own, document("x", TypeSlug("tx"))),)), known_types=[]
    )
    assert [(each.item, each.document.code, each.lacks) for each in findings.unsupported] == [
        ("A", "my-mother-is-my-mother", (Support.NO_LAW, Support.NO_REGISTRY))
    ]
    assert findings.unknown_types == (("A", "tx"),)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.integers(0, 5), max_size=3), min_size=1, max_size=6))
def test_a_cycle_is_found_exactly_when_an_item_reaches_itself(needs: list[list[int]]) -> None:
    catalogue = ServiceItems(
        items=tuple(
            item(
                str(number),
                *(document(f"d{need}", TypeSlug(f"t{need}")) for need in set(wanted)),
                produces=f"t{number}",
            )
            for number, wanted in enumerate(needs)
        )
    )
    reach = {number: {need for need in wanted if need < len(needs)} for number, wanted in enumerate(needs)}
    for _ in needs:
        reach = {number: found.union(*(reach[each] for each in found)) for number, found in reach.items()}
    cycles = examine(catalogue, known_types=[]).cycles
    looping = {str(number) for number, found in reach.items() if number in found}
    on_cycles = {code for cycle in cycles for code in cycle.path[::2]}
    assert on_cycles == looping
    assert all(cycle.path[0] == cycle.path[-1] for cycle in cycles)


GOOD = """
code: X
slug: x
name: 某事项
legal_basis: [某法]
documents:
  - {code: a, name: 甲, kind: 材料, legal_basis: [某法]}
"""


@pytest.mark.parametrize(
    "content",
    [
        "code: [",
        GOOD.replace("code: X", "kode: X"),
        GOOD.replace("材料", "别的"),
        GOOD.replace("legal_basis: [某法]\nd", "legal_basis: []\nd"),
        GOOD + "  - {code: a, name: 乙, kind: 材料}\n",
    ],
)
def test_malformed_items_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.yaml").write_text(GOOD, encoding="utf-8")
    assert load_items(tmp_path).item("X").documents[0].satisfied_by == ()
    (tmp_path / "x.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(ItemsMalformed):
        load_items(tmp_path)
    for name in ("x.yaml", "y.yaml"):
        (tmp_path / name).write_text(GOOD, encoding="utf-8")
    with pytest.raises(ItemsMalformed):
        load_items(tmp_path)
