"""Checkpoints: the log's origin, size and root, as a signed note.

Source: C2SP tlog-checkpoint.
"""

import re
from dataclasses import dataclass

from cert_registry.tlog.errors import MalformedNote
from cert_registry.tlog.merkle import Hash
from cert_registry.tlog.note import (
    NoteSigner,
    NoteVerifier,
    decode_base64,
    encode_base64,
    open_note,
    sign_note,
)

DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A tree of ``size`` entries with this root, signed by the log.

    Attributes:
        origin: the log's name.
        size: number of entries.
        root: 32 bytes.
        note: the signed note, byte for byte as published.
    """

    origin: str
    size: int
    root: Hash
    note: bytes


def parse_decimal(text: str) -> int:
    """Strict decimal number without sign, blanks or leading zeros.

    Raises:
        MalformedNote: anything else.
    """
    if not DECIMAL.fullmatch(text):
        raise MalformedNote("a number is written in decimal without leading zeros")
    return int(text)


def parse_hash(text: str) -> Hash:
    """32 bytes in base64.

    Raises:
        MalformedNote: anything else.
    """
    value = decode_base64(text)
    if len(value) != 32:
        raise MalformedNote("a hash is 32 bytes")
    return Hash(value)


def sign_checkpoint(origin: str, size: int, root: Hash, signer: NoteSigner) -> Checkpoint:
    """Checkpoint of this tree; the same tree gives the same bytes (Ed25519 is deterministic)."""
    note = sign_note(f"{origin}\n{size}\n{encode_base64(root)}\n", signer)
    return Checkpoint(origin=origin, size=size, root=root, note=note)


def open_checkpoint(note: bytes, *, origin: str, verifier: NoteVerifier) -> Checkpoint:
    """Checkpoint in ``note`` when the log has signed it.

    Raises:
        MalformedNote: not a checkpoint, or of another log.
        NoteNotSigned: not signed by ``verifier``.
    """
    lines = open_note(note, verifier).split("\n")
    if len(lines) < 4 or lines[0] != origin:
        raise MalformedNote(f"not a checkpoint of {origin}")
    if any(not line for line in lines[3:-1]):
        raise MalformedNote("a checkpoint's extension lines are not empty")
    return Checkpoint(origin=origin, size=parse_decimal(lines[1]), root=parse_hash(lines[2]), note=note)
