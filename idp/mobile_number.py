"""Mobile numbers of the mainland: 11 digits, the first 1, the second 3 to 9."""

import re
import unicodedata
from typing import NewType

from idp.errors import MalformedMobile

MobileNumber = NewType("MobileNumber", str)
_FORM = re.compile(r"1[3-9][0-9]{9}", re.ASCII)


def parse_mobile_number(text: str) -> MobileNumber:
    """A mobile number as typed: spaces, hyphens, full width and +86 are accepted.

    Raises:
        MalformedMobile: `mobile`.
    """
    digits = re.sub(r"[ \-]", "", unicodedata.normalize("NFKC", text).strip())
    digits = re.sub(r"^(\+|00)86", "", digits)
    if not _FORM.fullmatch(digits):
        raise MalformedMobile("请填写 11 位手机号码。", code="mobile")
    return MobileNumber(digits)
