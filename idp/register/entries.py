"""How a person stands in the directory: names of attributes, and the keyed hash that names the entry.

The RDN is HMAC-SHA-256 of the number under a secret of the register, in hexadecimal: DNs appear in
directory logs, numbers must not. `lzNameKey` is ``version:key``, so that a new rule set can be told apart.
"""

import hashlib
import hmac
from typing import Final

from idp.identity.citizen_number import CitizenNumber
from idp.identity.person_name import NormalisedName

RDN: Final = "lzPersonHash"
NAME_KEY: Final = "lzNameKey"
PERSON_STATE: Final = "lzPersonState"
DOCUMENT_STATE: Final = "lzDocumentState"
OBJECT_CLASS: Final = "lzPerson"
NORMAL: Final = "normal"
VALID: Final = "valid"

_DOMAIN = b"longzheng population register v1\0"


def person_hash(number: CitizenNumber, key: bytes) -> str:
    """The RDN value of a person."""
    return hmac.new(key, _DOMAIN + number.number.encode("ascii"), hashlib.sha256).hexdigest()


def person_dn(number: CitizenNumber, key: bytes, suffix: str) -> str:
    """The entry of a person."""
    return f"{RDN}={person_hash(number, key)},{suffix}"


def name_key_value(name: NormalisedName) -> str:
    """What `lzNameKey` holds for a name."""
    return f"{name.version}:{name.name_key}"
