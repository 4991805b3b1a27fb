"""What the real-name provider needs from outside, as Protocols."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from idp.identity.citizen_number import CitizenNumber
from idp.identity.person_name import NormalisedName
from idp.mobile_number import MobileNumber


class Comparison(Enum):
    """What the population register says to a name and a number."""

    MATCH = "match"
    NAME_DIFFERS = "name-differs"
    NO_SUCH_NUMBER = "no-such-number"
    DECEASED_OR_CANCELLED = "deceased-or-cancelled"
    DOCUMENT_EXPIRED = "document-expired"


class PopulationRegister(Protocol):
    """The police population register: answers a comparison, gives nothing away."""

    def compare(self, number: CitizenNumber, name: NormalisedName, *, now: datetime) -> Comparison:
        """Whether this is that person's number.

        Raises:
            RegisterUnavailable: no answer can be had; not a verdict on the person.
        """
        ...

    def probe(self) -> None:
        """Does nothing but ask whether the register answers.

        Raises:
            RegisterUnavailable: it does not.
        """
        ...


class MobileOwnership(Protocol):
    """The operators' real-name register of mobile numbers (手机号实名核验)."""

    def is_registered_to(self, mobile: MobileNumber, number: CitizenNumber, name: NormalisedName) -> bool:
        """Whether this mobile number is registered to this person.

        Raises:
            OwnershipUnavailable: no answer can be had.
        """
        ...


class SmsGateway(Protocol):
    """Carries a message to a phone."""

    def send(self, mobile: MobileNumber, text: str, *, now: datetime) -> None:
        """Hands a message over.

        Raises:
            SmsRefused: `gateway`.
        """
        ...


class Cipher(Protocol):
    """Encrypts at rest, authenticated, under a key of the token."""

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        """Ciphertext with its nonce and tag, bound to `associated_data`."""
        ...

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        """The plaintext; raises when anything was changed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceStart:
    """A face check that began.

    Attributes:
        check_id: the provider's name for it.
        page_url: to which the person's browser goes; the camera is there.
    """

    check_id: str
    page_url: str


class FaceCheck(Protocol):
    """A provider of live face comparison with the register's photograph (实人核验)."""

    def begin(
        self, number: CitizenNumber, name: NormalisedName, *, nonce: str, return_url: str, now: datetime
    ) -> FaceStart:
        """Opens a check for one person and one visit.

        Raises:
            FaceUnavailable: no answer can be had.
            FaceRefused: `no-photo`.
        """
        ...

    def confirm(self, check_id: str, *, nonce: str, now: datetime) -> None:
        """Returns when the provider's signed answer says: live, and this person, for this nonce.

        Raises:
            FaceRefused: `different-person`, `not-live`, `not-finished` or `answer`.
            FaceUnavailable: no answer can be had.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message of the embedded gateway.

    Attributes:
        mobile: to whom.
        text: as a phone would show it.
        sent_at: UTC.
    """

    mobile: str
    text: str
    sent_at: datetime
