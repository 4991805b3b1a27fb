"""The 查验码: entropy, what a person may type, the stored MAC."""

import contextlib
import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cert_registry.catalog.errors import CheckCodeRefused
from cert_registry.check_code import (
    ALPHABET,
    ENTROPY_BITS,
    LENGTH,
    check_code_mac,
    new_check_code,
    parse_check_code,
    print_check_code,
    require_check_code,
)

codes = st.text(alphabet=ALPHABET, min_size=LENGTH, max_size=LENGTH)
IDENTIFIER = "1.2.156.3005.2.X"


def token_mac(data: bytes) -> bytes:
    return hmac.digest(b"k" * 32, data, hashlib.sha256)


def test_at_least_sixty_bits_and_no_look_alikes() -> None:
    assert ENTROPY_BITS >= 60
    assert len(set(ALPHABET)) == len(ALPHABET)
    assert not set("01OIL") & set(ALPHABET)
    for first, second in ("8B", "5S", "2Z", "6G", "UV"):
        assert not {first, second} <= set(ALPHABET)


@settings(max_examples=60)
@given(codes)
def test_spaces_case_and_width_are_forgiven(code: str) -> None:
    wide = "".join(chr(ord(character) + 0xFEE0) for character in code)
    assert parse_check_code(code) == code
    assert parse_check_code(f"  {print_check_code(parse_check_code(code)).lower()}\n") == code
    assert parse_check_code("\u3000".join((wide[:4], wide[4:]))) == code
    assert parse_check_code(f"{code[:4]}-{code[4:]}") == code


@settings(max_examples=80)
@given(st.text(max_size=80))
def test_anything_else_is_refused(text: str) -> None:
    with contextlib.suppress(CheckCodeRefused):
        assert len(parse_check_code(text)) == LENGTH


@pytest.mark.parametrize(
    "text", ["", "2222", "0" * 16, "2" * 17, "²" * 16, "2" * 15 + "ſ", " " * 90 + "2" * 16]
)
def test_look_alikes_and_lengths_are_not_mended(text: str) -> None:
    with pytest.raises(CheckCodeRefused):
        parse_check_code(text)


def test_the_mac_binds_the_identifier() -> None:
    code = new_check_code()
    stored = check_code_mac(code, identifier=IDENTIFIER, mac=token_mac)
    assert require_check_code(code.lower(), identifier=IDENTIFIER, stored=stored, mac=token_mac) == code
    with pytest.raises(CheckCodeRefused):
        require_check_code(code, identifier=IDENTIFIER + "Y", stored=stored, mac=token_mac)
    with pytest.raises(CheckCodeRefused):
        require_check_code(new_check_code(), identifier=IDENTIFIER, stored=stored, mac=token_mac)


def test_randomness_is_injected() -> None:
    assert new_check_code(lambda _limit: 0) == "2" * 16
    assert print_check_code(new_check_code(lambda limit: limit - 1)) == "YYYY YYYY YYYY YYYY"
