"""The embedded register of mobile numbers: who owns which, from the demonstration's people file.

It holds keyed hashes of pairs under a key that lives and dies with the process, never a plain number.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from pathlib import Path

import yaml

from idp.errors import ConfigurationError
from idp.identity.citizen_number import CitizenNumber
from idp.identity.person_name import NormalisedName
from idp.mobile_number import MobileNumber


class EmbeddedMobileOwnership:
    """A `MobileOwnership` over a fixed set of pairs.

    Args:
        pairs: mobile number and ID number, each in its one written form.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._key = secrets.token_bytes(32)
        self._pairs = frozenset(self._hash(mobile, number) for mobile, number in pairs)

    @classmethod
    def from_file(cls, path: Path) -> "EmbeddedMobileOwnership":
        """Reads the demonstration's people.

        Raises:
            ConfigurationError: the file is missing or of another shape.
        """
        try:
            people = yaml.safe_load(path.read_text(encoding="utf-8"))["people"]
            return cls((str(person["mobile"]), str(person["number"])) for person in people)
        except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
            raise ConfigurationError(f"{path} holds no list of people with mobile and number.") from error

    def is_registered_to(self, mobile: MobileNumber, number: CitizenNumber, name: NormalisedName) -> bool:
        """Whether the pair is known; the name is not needed here, an operator's service asks for it."""
        del name
        return self._hash(mobile, number.number) in self._pairs

    def _hash(self, mobile: str, number: str) -> bytes:
        return hmac.new(self._key, f"{mobile}\0{number}".encode("ascii"), hashlib.sha256).digest()
