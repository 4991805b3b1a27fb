"""The 电子证照标识 of GB/T 36904: form, check character, strict reading and reading of stock.

Layout, joined by dots:

    1.2.156.3005.2          root of e-certificates
    <type code>             21: credit code of the defining authority (18) and an order (3 digits)
    <issuer code>           18: unified social credit code of the issuing authority
    <serial>                1..64 of 0-9 A-Z; ours is 20 random characters
    <version>               3 digits from 001
    <check character>       ISO 7064 MOD 37,36 over the four parts above, without dots and root
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NewType

from cert_registry.catalog.errors import IdentifierRefused
from idp.identity.sentence import said

if TYPE_CHECKING:
    from collections.abc import Callable

TypeCode = NewType("TypeCode", str)
IssuerCode = NewType("IssuerCode", str)

ROOT = "1.2.156.3005.2"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SERIAL_LENGTH = 20  # characters; 36**20 is 103 bits
MAXIMUM_LENGTH = 160  # characters of a whole identifier that is read at all

_CREDIT_ALPHABET = "0-9A-HJ-NPQRTUWXY"  # GB 32100: no I O S V Z
_TYPE_CODE = re.compile(rf"[{_CREDIT_ALPHABET}]{{18}}[0-9]{{3}}")
_ISSUER_CODE = re.compile(rf"[{_CREDIT_ALPHABET}]{{18}}")
_SERIAL = re.compile(r"[0-9A-Z]{1,64}")
_VERSION = re.compile(r"[0-9]{3}")
_IMPORTED_PART = re.compile(r"[0-9A-Za-z_-]{1,64}")


class IdentifierFlag(Enum):
    """What is unusual about an identifier taken over from another registry."""

    TYPE_CODE_FORM = "type-code-form"
    ISSUER_CODE_FORM = "issuer-code-form"
    SERIAL_FORM = "serial-form"
    VERSION_FORM = "version-form"
    CHECK_CHARACTER = "check-character"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierParts:
    """The parts of a well-formed identifier; its text is `str(parts)`, and its check character holds.

    Args:
        type_code: 21 characters.
        issuer_code: 18 characters.
        serial: 1 to 64 of 0-9 A-Z.
        version: From 1 to 999.
    """

    type_code: TypeCode
    issuer_code: IssuerCode
    serial: str
    version: int

    def __post_init__(self) -> None:
        """Refuse parts that could not be read back.

        Raises:
            IdentifierRefused: A part has the wrong form.
        """
        _require_forms(self.type_code, self.issuer_code, self.serial, f"{self.version:03d}")

    @property
    def check_character(self) -> str:
        """The character that closes the identifier; anyone can compute it, so it proves nothing."""
        return check_character(f"{self.type_code}{self.issuer_code}{self.serial}{self.version:03d}")

    def __str__(self) -> str:
        middle = f"{self.type_code}.{self.issuer_code}.{self.serial}.{self.version:03d}"
        return f"{ROOT}.{middle}.{self.check_character}"

    def next_version(self) -> IdentifierParts:
        """The identifier of the next version of the same ecert (renewal, change, re-issue)."""
        return IdentifierParts(
            type_code=self.type_code,
            issuer_code=self.issuer_code,
            serial=self.serial,
            version=self.version + 1,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedIdentifier:
    """An identifier as another registry wrote it, and what is unusual about it.

    Args:
        text: Exactly as it came, without surrounding space.
        flags: Empty when the strict reading would take it too.
    """

    text: str
    flags: tuple[IdentifierFlag, ...]


def check_character(text: str) -> str:
    """The MOD 37,36 check character of `text`; characters outside 0-9 A-Z are skipped.

    Args:
        text: The four parts joined without dots.

    Returns:
        One of 0-9 A-Z.

    Source: ISO 7064:2003 (GB/T 17710), hybrid system MOD 37,36. Public samples skip `_`.
    """
    product = 36
    for character in text:
        value = ALPHABET.find(character)
        if value < 0:
            continue
        product = (product + value) % 36 or 36  # a sum of 36 stays 36, never 0
        product = product * 2 % 37
    return ALPHABET[(37 - product) % 36]


def new_identifier(
    type_code: str,
    issuer_code: str,
    *,
    version: int = 1,
    random_below: Callable[[int], int] = secrets.randbelow,
) -> IdentifierParts:
    """A fresh identifier with a random serial, so that nothing can be learnt or guessed from it.

    Args:
        type_code: 21 characters.
        issuer_code: 18 characters.
        version: From 1.
        random_below: Uniform integers from 0 to below its argument; cryptographic in service.

    Raises:
        IdentifierRefused: A code has the wrong form.
    """
    serial = "".join(ALPHABET[random_below(36)] for _ in range(SERIAL_LENGTH))
    return IdentifierParts(
        type_code=TypeCode(type_code), issuer_code=IssuerCode(issuer_code), serial=serial, version=version
    )


def parse_identifier(text: str) -> IdentifierParts:
    """Read an identifier strictly: what is read prints as the same text.

    Raises:
        IdentifierRefused: With `rule` one of `length`, `root`, `parts`, `type-code`, `issuer-code`,
            `serial`, `version`, `check-character`.
    """
    type_code, issuer_code, serial, version, check = _split(text)
    _require_forms(type_code, issuer_code, serial, version)
    identifier = IdentifierParts(
        type_code=TypeCode(type_code),
        issuer_code=IssuerCode(issuer_code),
        serial=serial,
        version=int(version),
    )
    if check != identifier.check_character:
        raise IdentifierRefused("check-character", "证照标识的校验位不对，请核对是否抄错。")
    return identifier


def read_imported_identifier(text: str) -> ImportedIdentifier:
    """Read an identifier from stock: flag what is unusual, refuse only what is no identifier at all.

    Raises:
        IdentifierRefused: Not the root and five parts of letters, digits, `_` and `-`.

    Source: real data has region codes as issuers and at least one wrong check character.
    """
    stripped = text.strip()
    parts = _split(stripped)
    if not all(_IMPORTED_PART.fullmatch(part) for part in parts):
        raise IdentifierRefused("parts", "证照标识含有不应出现的字符。")
    type_code, issuer_code, serial, version, check = parts
    broken = {
        IdentifierFlag.TYPE_CODE_FORM: not _TYPE_CODE.fullmatch(type_code),
        IdentifierFlag.ISSUER_CODE_FORM: not _ISSUER_CODE.fullmatch(issuer_code),
        IdentifierFlag.SERIAL_FORM: not _SERIAL.fullmatch(serial),
        IdentifierFlag.VERSION_FORM: not _VERSION.fullmatch(version) or version == "000",
        IdentifierFlag.CHECK_CHARACTER: check != check_character(type_code + issuer_code + serial + version),
    }
    return ImportedIdentifier(text=stripped, flags=tuple(flag for flag, is_set in broken.items() if is_set))


def _split(text: str) -> tuple[str, str, str, str, str]:
    if len(text) > MAXIMUM_LENGTH:
        raise IdentifierRefused("length", "证照标识过长。")
    if not text.startswith(ROOT + "."):
        raise IdentifierRefused("root", said("证照标识应以 %(root)s 开头。", root=ROOT))
    parts = text[len(ROOT) + 1 :].split(".")
    if len(parts) != 5:
        raise IdentifierRefused(
            "parts", "证照标识应由类型代码、颁发机构代码、流水号、版本号和校验位五段组成。"
        )
    type_code, issuer_code, serial, version, check = parts
    return type_code, issuer_code, serial, version, check


def _require_forms(type_code: str, issuer_code: str, serial: str, version: str) -> None:
    if not _TYPE_CODE.fullmatch(type_code):
        raise IdentifierRefused("type-code", "证照类型代码应为21位。")
    if not _ISSUER_CODE.fullmatch(issuer_code):
        raise IdentifierRefused("issuer-code", "证照颁发机构代码应为18位统一社会信用代码。")
    if not _SERIAL.fullmatch(serial):
        raise IdentifierRefused("serial", "流水号应由数字和大写字母组成。")
    if not _VERSION.fullmatch(version) or version == "000":
        raise IdentifierRefused("version", "版本号应为001至999。")
