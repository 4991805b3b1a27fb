"""The identifier of GB/T 36904: vectors of public samples, the strict reading, the reading of stock."""

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cert_registry.catalog.errors import IdentifierRefused
from cert_registry.identifier import (
    ALPHABET,
    IdentifierFlag,
    check_character,
    new_identifier,
    parse_identifier,
    read_imported_identifier,
)

TYPE_CODE = "11990000000000107Q002"
ISSUER = "119901000000002037"
serials = st.text(alphabet=ALPHABET, min_size=1, max_size=64)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ("11100000MB03271699022" + "340100" + "000000016" + "001", "9"),
        ("062301" + "1101101102" + "0624_001" + "001", "U"),
        ("11100000000013661B006" + "113700000045046442" + "209FA4E88F9E4C878F3E9BED2CE7EA49" + "001", "D"),
    ],
)
def test_check_character_of_public_samples(parts: str, expected: str) -> None:
    assert check_character(parts) == expected


def test_a_sum_of_36_stays_36() -> None:
    # The first step is 36 + 0 = 72 mod 36 = 0, which must count as 36: then 72 mod 37 = 35.
    # "01": (35 + 1) mod 36 = 0 again counts as 36, and 72 mod 37 = 35: check = (37 - 35) mod 36 = 2.
    assert check_character("01") == "2"
    assert check_character("0") == ALPHABET[(37 - 35) % 36]


@settings(max_examples=60)
@given(serial=serials, position=st.integers(0, 200), other=st.sampled_from(ALPHABET))
def test_every_single_wrong_character_is_seen(serial: str, position: int, other: str) -> None:
    text = TYPE_CODE + ISSUER + serial + "001"
    index = position % len(text)
    if text[index] == other:
        return
    assert check_character(text[:index] + other + text[index + 1 :]) != check_character(text)


@settings(max_examples=60)
@given(serial=serials, version=st.integers(1, 999))
def test_what_is_read_prints_as_the_same_text(serial: str, version: int) -> None:
    parts = f"{TYPE_CODE}{ISSUER}{serial}{version:03d}"
    text = f"1.2.156.3005.2.{TYPE_CODE}.{ISSUER}.{serial}.{version:03d}.{check_character(parts)}"
    assert str(parse_identifier(text)) == text
    assert read_imported_identifier(text).flags == ()


@settings(max_examples=80)
@given(st.text(max_size=170))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(IdentifierRefused):
        assert str(parse_identifier(text)) == text


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda text: text.replace("1.2.156.3005.2", "1.2.156.3005.3"), "root"),
        (lambda text: text + ".0", "parts"),
        (lambda text: text + "\n", "check-character"),
        (lambda text: text.lower(), "type-code"),
        (lambda text: text.replace(ISSUER, "340100"), "issuer-code"),
        (lambda text: text.replace(".001.", ".000."), "version"),
        (lambda text: text.replace(".001.", ".１０１."), "version"),
        (lambda text: text[:-1] + ("0" if text[-1] != "0" else "1"), "check-character"),
        (lambda text: text + "0" * 200, "length"),
    ],
)
def test_strict_reading_names_the_rule_broken(change: Callable[[str], str], rule: str) -> None:
    text = str(new_identifier(TYPE_CODE, ISSUER))
    with pytest.raises(IdentifierRefused) as refusal:
        parse_identifier(change(text))
    assert refusal.value.rule == rule


def test_new_identifiers_are_random_and_the_randomness_is_injected() -> None:
    assert str(new_identifier(TYPE_CODE, ISSUER)) != str(new_identifier(TYPE_CODE, ISSUER))
    fixed = new_identifier(TYPE_CODE, ISSUER, random_below=lambda _limit: 35)
    assert fixed.serial == "Z" * 20
    assert fixed.next_version().version == 2
    assert fixed.next_version().serial == fixed.serial


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        (
            "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9",
            (IdentifierFlag.ISSUER_CODE_FORM,),
        ),
        (
            "1.2.156.3005.2.062301.1101101102.0624_001.001.U",
            (IdentifierFlag.TYPE_CODE_FORM, IdentifierFlag.ISSUER_CODE_FORM, IdentifierFlag.SERIAL_FORM),
        ),
        (
            "1.2.156.3005.2.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M",
            (IdentifierFlag.CHECK_CHARACTER,),
        ),
    ],
)
def test_stock_is_flagged_not_refused(text: str, flags: tuple[IdentifierFlag, ...]) -> None:
    assert read_imported_identifier(f" {text}\n").flags == flags


@pytest.mark.parametrize("text", ["", "1.2.156.3005.2", "1.2.156.3005.2.a.b.c.d", "1.2.156.3005.2.a.b.c.d.<"])
def test_stock_that_is_no_identifier_is_refused(text: str) -> None:
    with pytest.raises(IdentifierRefused):
        read_imported_identifier(text)
