"""Legal persons through a real database, a real cipher and a real HMAC."""

import hashlib
import hmac
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cert_registry.legal_persons.errors import LegalPersonRefused, UnknownLegalPerson
from cert_registry.legal_persons.loader import load_legal_persons
from cert_registry.legal_persons.store import LegalPersonStore
from cert_registry.legal_persons.tables import LP_LEGAL_PERSONS
from cert_registry.legal_persons.types import LegalPersonEntry, LegalPersonKind, LegalPersonState, Upsert
from cert_registry.store.engine import open_database
from cert_registry.store.metadata import METADATA
from idp.identity.holder import HolderCodeType, HolderReference, holder_reference

DEMO = Path(__file__).parents[3] / "deploy" / "demo" / "people.yaml"
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LIN = "880102198503150026"
ZHOU = "88010219900101001X"
SPRING = "91990100C000000166"


class Cipher:
    """AES-GCM under one key, as the registry's cipher does it."""

    def __init__(self) -> None:
        self._aead = AESGCM(AESGCM.generate_key(256))

    def encrypt(self, plaintext: bytes, *, associated_data: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._aead.encrypt(nonce, plaintext, associated_data)

    def decrypt(self, ciphertext: bytes, *, associated_data: bytes) -> bytes:
        return self._aead.decrypt(ciphertext[:12], ciphertext[12:], associated_data)


def mac(data: bytes) -> bytes:
    return hmac.new(b"a key of the token", data, hashlib.sha256).digest()


def person(number: str) -> HolderReference:
    return holder_reference(HolderCodeType.CITIZEN_NUMBER, number, mac)


@pytest.fixture
def store(tmp_path: Path) -> LegalPersonStore:
    database = open_database(tmp_path / "registry.db")
    METADATA.create_all(database.engine, tables=[LP_LEGAL_PERSONS])
    return LegalPersonStore(database, cipher=Cipher(), mac=mac)


def entry() -> LegalPersonEntry:
    return LegalPersonEntry(
        unverified_credit_code=SPRING,
        name="示例市春风餐饮有限公司",
        kind=LegalPersonKind.ENTERPRISE,
        state=LegalPersonState.EXISTING,
        unverified_head_number=LIN,
        head_name="林晓雯",
        source="示例市市场监督管理局",
    )


def test_the_demo_loads_once(store: LegalPersonStore) -> None:
    expected = len(yaml.safe_load(DEMO.read_text(encoding="utf-8"))["legal_persons"])
    assert load_legal_persons(store, DEMO, now=NOW)[Upsert.ADDED] == expected
    assert load_legal_persons(store, DEMO, now=LATER) == {
        Upsert.ADDED: 0,
        Upsert.CHANGED: 0,
        Upsert.UNCHANGED: expected,
    }
    found = store.find(SPRING)
    assert (found.name, found.kind, found.updated_at) == (
        "示例市春风餐饮有限公司",
        LegalPersonKind.ENTERPRISE,
        NOW,
    )
    assert store.head_name(SPRING) == "林晓雯"
    assert found.holder_reference == holder_reference(HolderCodeType.CREDIT_CODE, SPRING, mac)
    assert store.by_reference(found.holder_reference) == found
    assert store.known([found.holder_reference, person(LIN)]) == {found.holder_reference}
    assert store.known([]) == frozenset()


def test_the_head_represents_what_exists(store: LegalPersonStore) -> None:
    load_legal_persons(store, DEMO, now=NOW)
    assert SPRING in [each.credit_code for each in store.represented_by(person(LIN))]
    assert "92990100C00000040K" not in [each.credit_code for each in store.represented_by(person(ZHOU))]
    ended = store.represented_by(person(ZHOU), include_ended=True)
    assert LegalPersonState.CANCELLED in [each.state for each in ended]
    assert store.represented_by(person("880102199512120093"), include_ended=True) == ()


def test_a_change_of_head_moves_the_right_to_act(store: LegalPersonStore) -> None:
    assert store.upsert([entry()], now=NOW)[Upsert.ADDED] == 1
    changed = replace(entry(), unverified_head_number=ZHOU, head_name="周大伟")
    assert store.upsert([changed], now=LATER)[Upsert.CHANGED] == 1
    assert store.represented_by(person(LIN)) == ()
    assert [each.updated_at for each in store.represented_by(person(ZHOU))] == [LATER]
    assert store.head_name(SPRING) == "周大伟"
    renamed = replace(changed, head_name="周大维")
    assert store.upsert([renamed], now=LATER)[Upsert.CHANGED] == 1
    assert store.head_name(SPRING) == "周大维"


def test_neither_number_nor_name_of_the_head_is_in_the_file(store: LegalPersonStore, tmp_path: Path) -> None:
    store.upsert([entry()], now=NOW)
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert LIN.encode() not in content
    assert "林晓雯".encode() not in content
    assert LIN not in repr(entry())
    assert "林晓雯" not in repr(store.find(SPRING))


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("unverified_credit_code", SPRING[:-1] + "7", "check-character"),
        ("unverified_credit_code", SPRING[:-1], "length"),
        ("unverified_head_number", LIN[:-1] + "7", "check-character"),
        ("name", " ", "missing-name"),
        ("head_name", "", "missing-name"),
    ],
)
def test_one_bad_entry_refuses_the_lot_without_telling_the_number(
    store: LegalPersonStore, field: str, value: str, reason: str
) -> None:
    with pytest.raises(LegalPersonRefused) as caught:
        store.upsert([entry(), replace(entry(), **{field: value})], now=NOW)  # type: ignore[arg-type]  # by name
    assert reason in caught.value.reason
    assert not value.strip() or value not in str(caught.value)
    with pytest.raises(UnknownLegalPerson):
        store.find(SPRING)


def test_the_unknown(store: LegalPersonStore) -> None:
    for ask in (
        lambda: store.find(SPRING),
        lambda: store.head_name(SPRING),
        lambda: store.by_reference(person(LIN)),
    ):
        with pytest.raises(UnknownLegalPerson):
            ask()


@pytest.mark.parametrize(
    "content", [b"legal_persons: [", b"\xff", b"people: []", b"legal_persons: [{name: x, code: '1'}]", b"[]"]
)
def test_files_of_another_form(store: LegalPersonStore, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "people.yaml").write_bytes(content)
    with pytest.raises(LegalPersonRefused):
        load_legal_persons(store, tmp_path / "people.yaml", now=NOW)
    with pytest.raises(LegalPersonRefused):
        load_legal_persons(store, tmp_path / "none.yaml", now=NOW)
