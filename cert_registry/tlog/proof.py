"""Checking proofs, and the `.tlog-proof` text that carries one.

Needs no log and no network: whoever holds an entry, a proof and the log's key can check.

Source: RFC 9162 sections 2.1.3.2 and 2.1.4.2; C2SP tlog-proof.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from cert_registry.tlog.checkpoint import Checkpoint, open_checkpoint, parse_decimal, parse_hash
from cert_registry.tlog.errors import MalformedNote, ProofRefused
from cert_registry.tlog.merkle import EMPTY_ROOT, Hash, hash_leaf, hash_node
from cert_registry.tlog.note import NoteVerifier, decode_base64, encode_base64

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PATH = 63


def _demand_equal(computed: Hash, stated: Hash) -> None:
    if not hmac.compare_digest(computed, stated):
        raise ProofRefused("the proof leads to another root")


def verify_inclusion(*, entry: bytes, index: int, size: int, path: Sequence[Hash], root: Hash) -> None:
    """Check that ``entry`` is number ``index`` of the tree of ``size`` entries with this root.

    Raises:
        ProofRefused: it is not, or the proof is too long or too short.

    Source: RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size:
        raise ProofRefused("the index lies outside the tree")
    place, last, computed = index, size - 1, hash_leaf(entry)
    for sibling in path:
        if last == 0:
            raise ProofRefused("the proof is too long")
        if place & 1 or place == last:
            computed = hash_node(sibling, computed)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            computed = hash_node(computed, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofRefused("the proof is too short")
    _demand_equal(computed, root)


def verify_consistency(*, old: int, old_root: Hash, new: int, new_root: Hash, path: Sequence[Hash]) -> None:
    """Check that the tree of ``new`` entries begins with the tree of ``old`` entries.

    Raises:
        ProofRefused: it does not, or the proof has the wrong length.

    Source: RFC 9162 section 2.1.4.2.
    """
    if not 0 <= old <= new:
        raise ProofRefused("the older tree is larger than the newer")
    if old in (0, new):
        if path:
            raise ProofRefused("nothing is to be proved, yet there is a proof")
        _demand_equal(EMPTY_ROOT if old == 0 else new_root, old_root)
        return
    if not path:
        raise ProofRefused("the proof is empty")
    hashes = [old_root, *path] if old & (old - 1) == 0 else list(path)
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    _climb_both(hashes, place, last, (old_root, new_root))


def _climb_both(hashes: list[Hash], place: int, last: int, roots: tuple[Hash, Hash]) -> None:
    """Steps 5 and 6 of RFC 9162 section 2.1.4.2."""
    older = newer = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ProofRefused("the proof is too long")
        if place & 1 or place == last:
            older, newer = hash_node(sibling, older), hash_node(sibling, newer)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            newer = hash_node(newer, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofRefused("the proof is too short")
    _demand_equal(older, roots[0])
    _demand_equal(newer, roots[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class TlogProof:
    """One inclusion proof with the checkpoint it leads to; nothing of it is checked.

    Attributes:
        index: place of the entry.
        path: inclusion proof, lowest first.
        checkpoint_note: the signed note as published.
        extra: opaque bytes, not covered by the proof.
    """

    index: int
    path: tuple[Hash, ...]
    checkpoint_note: bytes
    extra: bytes = b""

    def to_text(self) -> str:
        """The proof as a `.tlog-proof` file."""
        lines = [HEADER]
        if self.extra:
            lines.append(f"extra {encode_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += [encode_base64(node) for node in self.path]
        return "\n".join(lines) + "\n\n" + self.checkpoint_note.decode()


def parse_proof(text: str) -> TlogProof:
    """Read a `.tlog-proof` file without believing it.

    Raises:
        MalformedNote: not that format.
    """
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or lines.pop(0) != HEADER:
        raise MalformedNote(f"a proof file starts with {HEADER}")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0).removeprefix("extra "))
        if not extra:
            raise MalformedNote("a proof file's extra line is not empty")
    if not lines or not lines[0].startswith("index "):
        raise MalformedNote("a proof file names the entry's index")
    index = parse_decimal(lines.pop(0).removeprefix("index "))
    if len(lines) > MAX_PATH:
        raise MalformedNote(f"an inclusion proof has at most {MAX_PATH} hashes")
    try:
        checkpoint_note = note.encode()
    except UnicodeEncodeError as error:
        raise MalformedNote("a proof file is UTF-8") from error
    path = tuple(parse_hash(line) for line in lines)
    return TlogProof(index=index, path=path, checkpoint_note=checkpoint_note, extra=extra)


def verify_proof(proof: TlogProof, *, entry: bytes, origin: str, verifier: NoteVerifier) -> Checkpoint:
    """Check that the log ``origin`` holds ``entry``; the checkpoint is the evidence.

    Raises:
        MalformedNote: the checkpoint is not one of this log.
        NoteNotSigned: the log did not sign it.
        ProofRefused: the entry is not in that tree at that index.
    """
    checkpoint = open_checkpoint(proof.checkpoint_note, origin=origin, verifier=verifier)
    verify_inclusion(
        entry=entry, index=proof.index, size=checkpoint.size, path=proof.path, root=checkpoint.root
    )
    return checkpoint
