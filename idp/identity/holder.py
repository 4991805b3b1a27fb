"""Holder references: how the registry names a holder without keeping a number."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from enum import Enum
from typing import Final, NewType

from idp.identity.errors import MalformedNumber

HolderReference = NewType("HolderReference", str)
Mac = Callable[[bytes], bytes]
"""HMAC-SHA-256 under the holder key, which stays in the token: bytes in, 32 bytes out."""

KEY_VERSION: Final = "h1"
_DOMAIN = b"longzheng holder v1"
_FORM = re.compile(r"h1-[A-Za-z0-9_-]{43}", re.ASCII)


class HolderCodeType(Enum):
    """Types of holder numbers.

    Whatever `parse_citizen_number` accepts is kept under `111`, permits included: the forms cannot collide.

    Source: GB/T 36903, 持证主体代码类型.
    """

    CREDIT_CODE = "001"
    OTHER_ORGANISATION = "099"
    CITIZEN_NUMBER = "111"
    PASSPORT = "414"
    TAIWAN_TRAVEL_PERMIT = "511"
    HK_MACAO_TRAVEL_PERMIT = "516"
    OTHER_PERSON = "999"


def holder_reference(code_type: HolderCodeType, number: str, mac: Mac) -> HolderReference:
    """The reference of a holder: deterministic, and meaningless without the key.

    Args:
        code_type: which register the number belongs to.
        number: already parsed, so in its one written form.
        mac: keyed hash of the token.

    The message is ``longzheng holder v1 ‖ 00 ‖ code type ‖ 00 ‖ number`` in ASCII.
    """
    digest = mac(b"\0".join((_DOMAIN, code_type.value.encode("ascii"), number.encode("utf-8"))))
    encoded = base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
    return HolderReference(f"{KEY_VERSION}-{encoded}")


def parse_holder_reference(text: str) -> HolderReference:
    """A reference as it arrives from outside, its form checked.

    Raises:
        MalformedNumber: `holder-reference`.
    """
    if not _FORM.fullmatch(text):
        raise MalformedNumber("持证主体引用的格式不符。", code="holder-reference")
    return HolderReference(text)
