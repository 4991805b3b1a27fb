"""The 查验码: a random secret beside the identifier, which whoever holds the certificate can read.

16 symbols of an alphabet of 26 without look-alikes (75 bits), printed in groups of four. It is not the
identifier's check character, which anyone can compute. The registry keeps a keyed MAC of it, not the code.
"""

from __future__ import annotations

import hmac
import math
import re
import secrets
import unicodedata
from collections.abc import Callable
from typing import NewType

from cert_registry.catalog.errors import CheckCodeRefused

CheckCode = NewType("CheckCode", str)
"""16 symbols, without separators."""

CheckCodeMac = NewType("CheckCodeMac", bytes)
"""32 bytes, as stored."""

Mac = Callable[[bytes], bytes]

ALPHABET = "23456789ACDEFHJKMNPQRTUWXY"  # without 0 O, 1 I L, B 8, S 5 (the letters), Z 2, G 6, V U
LENGTH = 16
ENTROPY_BITS = math.log2(len(ALPHABET)) * LENGTH

_MAXIMUM_TYPED = 64  # characters that are looked at; a person types 16 and a few spaces
_SEPARATORS = re.compile(r"[\s-]+")
_FORM = re.compile(rf"[{ALPHABET}]{{{LENGTH}}}")


def new_check_code(random_below: Callable[[int], int] = secrets.randbelow) -> CheckCode:
    """A fresh code.

    Args:
        random_below: Uniform integers from 0 to below its argument; cryptographic in service.
    """
    return CheckCode("".join(ALPHABET[random_below(len(ALPHABET))] for _ in range(LENGTH)))


def print_check_code(check_code: CheckCode) -> str:
    """The code as it stands on the face: four groups of four."""
    return " ".join(check_code[start : start + 4] for start in range(0, LENGTH, 4))


def parse_check_code(unverified_text: str) -> CheckCode:
    """Read what a person typed: spaces, hyphens, case and full width are forgiven, nothing else.

    Raises:
        CheckCodeRefused: Not 16 symbols of the alphabet.
    """
    if len(unverified_text) > _MAXIMUM_TYPED:
        raise CheckCodeRefused("查验码应为16位。")
    narrow = "".join(_narrow(character) for character in unverified_text)
    folded = _SEPARATORS.sub("", narrow)
    upper = "".join(character.upper() if character.isascii() else character for character in folded)
    if not _FORM.fullmatch(upper):
        raise CheckCodeRefused("查验码应为16位数字和字母，请对照证照核对。")
    return CheckCode(upper)


def _narrow(character: str) -> str:
    """The narrow form of a full-width character; any other character as it is."""
    if unicodedata.east_asian_width(character) == "F":
        return unicodedata.normalize("NFKC", character)
    return character


def check_code_mac(check_code: CheckCode, *, identifier: str, mac: Mac) -> CheckCodeMac:
    """What the registry stores of a code: bound to its identifier, under a key that stays in the token.

    Args:
        check_code: As issued.
        identifier: The ecert's identifier.
        mac: HMAC-SHA-256 under the registry's key.
    """
    message = b"longzheng check code v1\0" + identifier.encode() + b"\0" + check_code.encode()
    return CheckCodeMac(mac(message))


def require_check_code(unverified_text: str, *, identifier: str, stored: CheckCodeMac, mac: Mac) -> CheckCode:
    """The code, once it is shown to be that of the identifier; compared in constant time.

    Raises:
        CheckCodeRefused: Malformed or another code: callers answer as for an unknown identifier.
    """
    check_code = parse_check_code(unverified_text)
    if not hmac.compare_digest(check_code_mac(check_code, identifier=identifier, mac=mac), stored):
        raise CheckCodeRefused("证照标识与查验码不相符。")
    return check_code
