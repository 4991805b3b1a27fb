"""Signed notes: a text, a blank line, and lines with signatures.

Source: C2SP signed-note; key ID = SHA-256(name ‖ 0x0A ‖ type ‖ public key)[:4].

Byte layout of a signature behind ``— name ``, base64 of::

    key ID      4 bytes
    signature   64 bytes for Ed25519 (type 0x01)
"""

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cert_registry.tlog.errors import MalformedNote, NoteNotSigned

ED25519 = b"\x01"
MAX_SIGNATURES = 100
SIGNATURE_MARK = "— "


class NoteSigner(Protocol):
    """One Ed25519 key that signs notes under a name; the key itself may be in a token."""

    @property
    def name(self) -> str:
        """Key name: no blanks, no plus sign."""

    @property
    def key_id(self) -> bytes:
        """4 bytes."""

    @property
    def vkey(self) -> str:
        """Public half as text: name+key ID+key."""

    def sign(self, data: bytes) -> bytes:
        """64 bytes of Ed25519 signature."""


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Bytes of strict, padded, standard base64.

    Raises:
        MalformedNote: not base64, or not the one canonical spelling of those bytes.
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise MalformedNote("not base64") from error
    if encode_base64(data) != text:
        raise MalformedNote("base64 with stray bits")
    return data


def key_id_of(name: str, typed_key: bytes) -> bytes:
    """4 bytes that tell keys of one name apart; ``typed_key`` starts with the algorithm's byte."""
    return hashlib.sha256(name.encode() + b"\n" + typed_key).digest()[:4]


def _check_name(name: str) -> None:
    if not name or "+" in name or any(character.isspace() for character in name):
        raise MalformedNote("a key's name is not empty and holds neither blanks nor a plus sign")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteVerifier:
    """The public half of a note key."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.public_key) != 32:
            raise MalformedNote("an Ed25519 public key is 32 bytes")

    @classmethod
    def from_vkey(cls, text: str) -> "NoteVerifier":
        """Read ``name+hash+base64``.

        Raises:
            MalformedNote: not that form, another algorithm, or the hash belongs to another key.
        """
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise MalformedNote("a verifier key is name+hash+key")
        name, digest, encoded = parts
        typed = decode_base64(encoded)
        if typed[:1] != ED25519:
            raise MalformedNote("only Ed25519 keys (type 1) sign this log")
        verifier = cls(name=name, public_key=typed[1:])
        if verifier.key_id.hex() != digest:
            raise MalformedNote("the verifier key's hash does not belong to its name and key")
        return verifier

    @property
    def key_id(self) -> bytes:
        """4 bytes."""
        return key_id_of(self.name, ED25519 + self.public_key)

    @property
    def vkey(self) -> str:
        """``name+hash+base64``."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(ED25519 + self.public_key)}"

    def check(self, text: bytes, signature: bytes) -> None:
        """Check one Ed25519 signature over ``text``.

        Raises:
            NoteNotSigned: it is not this key's signature.
        """
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text)
        except (InvalidSignature, ValueError) as error:
            raise NoteNotSigned(f"the signature of {self.name} is wrong") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenNoteSigner:
    """A `NoteSigner` whose private key is behind a function, as a token offers it."""

    verifier: NoteVerifier
    sign_bytes: Callable[[bytes], bytes]

    @property
    def name(self) -> str:
        """Key name."""
        return self.verifier.name

    @property
    def key_id(self) -> bytes:
        """4 bytes."""
        return self.verifier.key_id

    @property
    def vkey(self) -> str:
        """Public half as text."""
        return self.verifier.vkey

    def sign(self, data: bytes) -> bytes:
        """64 bytes of Ed25519 signature."""
        return self.sign_bytes(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature line: who claims to have signed, and what they wrote."""

    unverified_name: str
    key_id: bytes
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedNote:
    """A note as it arrived; nothing of it is checked."""

    unverified_text: str
    signatures: tuple[Signature, ...]


def sign_note(text: str, signer: NoteSigner) -> bytes:
    """Signed note over ``text``, which ends in a line feed.

    Raises:
        MalformedNote: the text does not end in a line feed.
    """
    if not text.endswith("\n"):
        raise MalformedNote("a note's text ends in a line feed")
    value = encode_base64(signer.key_id + signer.sign(text.encode()))
    return f"{text}\n{SIGNATURE_MARK}{signer.name} {value}\n".encode()


def parse_note(note: bytes) -> SignedNote:
    """Take a note apart without believing it.

    Raises:
        MalformedNote: not UTF-8, control characters, or lines in the wrong places.
    """
    try:
        text = note.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedNote("a note is UTF-8") from error
    if any(character < " " and character != "\n" for character in text):
        raise MalformedNote("a note holds no control characters")
    body, blank, tail = text.rpartition("\n\n")
    if not blank or not body or not tail.endswith("\n"):
        raise MalformedNote("a note is a text, a blank line, and signature lines")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise MalformedNote(f"a note carries at most {MAX_SIGNATURES} signatures")
    return SignedNote(unverified_text=body + "\n", signatures=tuple(_parse_signature(line) for line in lines))


def _parse_signature(line: str) -> Signature:
    if not line.startswith(SIGNATURE_MARK):
        raise MalformedNote("a signature line starts with a dash and a blank")
    name, blank, encoded = line.removeprefix(SIGNATURE_MARK).partition(" ")
    if not blank:
        raise MalformedNote("a signature line holds a name and a signature")
    _check_name(name)
    value = decode_base64(encoded)
    if len(value) < 5:
        raise MalformedNote("a signature is longer than its key ID")
    return Signature(unverified_name=name, key_id=value[:4], value=value[4:])


def open_note(note: bytes, verifier: NoteVerifier) -> str:
    """Text of a note that ``verifier`` signed.

    Raises:
        MalformedNote: not a note.
        NoteNotSigned: no signature of that key, or a wrong one.
    """
    parsed = parse_note(note)
    text = parsed.unverified_text
    for signature in parsed.signatures:
        if (signature.unverified_name, signature.key_id) == (verifier.name, verifier.key_id):
            verifier.check(text.encode(), signature.value)
            return text
    raise NoteNotSigned(f"{verifier.name} has not signed this note")
