"""Merkle hashing of RFC 6962 section 2.1, and the shape of its trees; no storage.

Source: RFC 9162 section 2.1 (same hashes as RFC 6962 with SHA-256).
"""

import hashlib
from collections.abc import Sequence
from typing import NewType, Protocol

Hash = NewType("Hash", bytes)
"""32 bytes: the hash of a leaf, a node or a whole tree."""

EMPTY_ROOT = Hash(hashlib.sha256(b"").digest())


def hash_leaf(entry: bytes) -> Hash:
    """SHA-256(0x00 ‖ entry)."""
    return Hash(hashlib.sha256(b"\x00" + entry).digest())


def hash_node(left: bytes, right: bytes) -> Hash:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return Hash(hashlib.sha256(b"\x01" + left + right).digest())


def fold(hashes: Sequence[Hash]) -> Hash:
    """Root of a perfect subtree whose lowest hashes are given; their number is a power of two."""
    level = list(hashes)
    while len(level) > 1:
        level = [hash_node(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


class NodeSource(Protocol):
    """Gives the hashes of perfect subtrees."""

    def node(self, height: int, index: int) -> Hash:
        """Hash over leaves ``index·2^height`` up to, without, ``(index+1)·2^height``."""


def split_point(count: int) -> int:
    """Largest power of two smaller than ``count`` (``count`` ≥ 2)."""
    return 1 << ((count - 1).bit_length() - 1)


def subtree_hash(source: NodeSource, start: int, end: int) -> Hash:
    """MTH of the leaves from ``start`` up to, without, ``end``.

    ``start`` is a multiple of the smallest power of two that is not below ``end - start``, as it is for every
    subtree that RFC 6962 visits.
    """
    count = end - start
    if count == 0:
        return EMPTY_ROOT
    if count & (count - 1) == 0:
        height = count.bit_length() - 1
        return source.node(height, start >> height)
    middle = start + split_point(count)
    return hash_node(subtree_hash(source, start, middle), subtree_hash(source, middle, end))


def inclusion_path(source: NodeSource, index: int, size: int) -> tuple[Hash, ...]:
    """PATH(index, D[size]) of RFC 6962 section 2.1.1, lowest first; ``index`` < ``size``."""
    path: list[Hash] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split_point(end - start)
        if index < middle:
            path.append(subtree_hash(source, middle, end))
            end = middle
        else:
            path.append(subtree_hash(source, start, middle))
            start = middle
    return tuple(reversed(path))


def consistency_path(source: NodeSource, old: int, new: int) -> tuple[Hash, ...]:
    """PROOF(old, D[new]) of RFC 6962 section 2.1.2; 0 ≤ ``old`` ≤ ``new``."""
    if old in (0, new):
        return ()
    path: list[Hash] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + split_point(end - start)
        if old <= middle:
            path.append(subtree_hash(source, middle, end))
            end = middle
        else:
            path.append(subtree_hash(source, start, middle))
            start, whole = middle, False
    if not whole:
        path.append(subtree_hash(source, start, end))
    return tuple(reversed(path))
