"""Names brought to one form, so that the same name typed on two keyboards compares equal.

Version 1 of the key: NFKC; variation selectors and joiners removed; every dot that is used between the
parts of a name becomes U+00B7; spaces beside dots and Han characters removed, others made single; Latin
letters upper case. Variants of Han characters (吕, 呂) stay different: a register decides that, not we.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum
from typing import Final

from idp.identity.errors import MalformedName
from idp.identity.sentence import said

NAME_KEY_VERSION: Final = 1
LONGEST_NAME: Final = 60
MIDDLE_DOT: Final = "\u00b7"

# Dots seen in names of minorities and foreigners, after NFKC: bullet, hyphenation point, dot operators,
# katakana dot, Canadian syllabics dot, word separator dots, black circle.
_DOTS = re.compile("[\u2022\u2027\u2219\u22c5\u30fb\u1427\u2e31\u2e33\u25cf\u16eb\u05c5]")
_INVISIBLE = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef\u200b-\u200f\u2060\ufeff\u00ad]")
_HAN = "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_FULL_STOP_BETWEEN_HAN = re.compile(f"(?<=[{_HAN}])[.。](?=[{_HAN}])")
_SPACE_BESIDE_DOT = re.compile(f" *{MIDDLE_DOT} *")
_SPACE_BESIDE_HAN = re.compile(f"(?<=[{_HAN}]) | (?=[{_HAN}])")


class NameNote(Enum):
    """What was changed on the way to the key."""

    COMPATIBILITY = "compatibility-characters"
    WIDTH = "width"
    MIDDLE_DOT = "middle-dot"
    SPACES = "spaces"
    INVISIBLE = "invisible-characters"
    CASE = "case"


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalisedName:
    """A name in the form in which it is compared.

    Attributes:
        name_key: the compared form.
        version: of the rules above; stored beside every key.
        notes: what was normalised, in order.
    """

    name_key: str
    version: int
    notes: tuple[NameNote, ...]


def normalise_name(text: str) -> NormalisedName:
    """The comparable form of a name.

    Raises:
        MalformedName: `empty`, `too-long` or `character` (control characters, digits, unassigned).
    """
    notes: list[NameNote] = []
    compatible = unicodedata.normalize("NFKC", text)
    if compatible != unicodedata.normalize("NFC", text):
        notes.append(_compatibility_note(text))
    steps = (
        (NameNote.INVISIBLE, lambda name: _INVISIBLE.sub("", name)),
        (NameNote.MIDDLE_DOT, _unify_dots),
        (NameNote.SPACES, _unify_spaces),
        (NameNote.CASE, lambda name: unicodedata.normalize("NFKC", name.upper())),
    )
    key = compatible
    for note, step in steps:
        changed = step(key)
        if changed != key:
            notes.append(note)
        key = changed
    _refuse_strange(key)
    return NormalisedName(name_key=key, version=NAME_KEY_VERSION, notes=tuple(notes))


def _compatibility_note(text: str) -> NameNote:
    wide = all(
        unicodedata.decomposition(char).startswith(("<wide>", "<narrow>"))
        for char in text
        if unicodedata.normalize("NFKC", char) != char
    )
    return NameNote.WIDTH if wide else NameNote.COMPATIBILITY


def _unify_dots(name: str) -> str:
    return _FULL_STOP_BETWEEN_HAN.sub(MIDDLE_DOT, _DOTS.sub(MIDDLE_DOT, name))


def _unify_spaces(name: str) -> str:
    single = re.sub(r"[ \t]+", " ", name).strip()
    return _SPACE_BESIDE_HAN.sub("", _SPACE_BESIDE_DOT.sub(MIDDLE_DOT, single))


def _refuse_strange(key: str) -> None:
    if not key or not any(char.isalpha() for char in key):
        raise MalformedName("请填写姓名。", code="empty")
    if len(key) > LONGEST_NAME:
        raise MalformedName(said("姓名不能超过 %(longest)s 个字。", longest=LONGEST_NAME), code="too-long")
    for char in key:
        category = unicodedata.category(char)
        if category[0] in "LM" or char in f" {MIDDLE_DOT}-'.,〇":
            continue
        raise MalformedName("姓名中有不能识别的字符。", code="character")
