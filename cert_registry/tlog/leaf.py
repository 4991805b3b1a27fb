"""What the log holds of an event: 32 bytes that say nothing without the event's salt.

Byte layout of an entry, before hashing::

    domain   UTF-8, no NUL      e.g. "longzheng ecert-issued v1"
    0x00     1 byte             ends the domain
    salt     32 bytes           random for each event
    event    JCS (RFC 8785)     the event, without personal data and without a plain identifier

The entry is the SHA-256 of that; the Merkle tree then hashes the entry again as RFC 6962 says.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, NewType

import rfc8785

from cert_registry.tlog.errors import MalformedNote

LeafEntry = NewType("LeafEntry", bytes)
"""32 bytes: what is appended for one event."""

ENTRY_BYTES = 32
SALT_BYTES = 32


def leaf_entry(domain: str, salt: bytes, event: Mapping[str, Any]) -> LeafEntry:
    """Entry of one event.

    Args:
        domain: what kind of event, with a version; keeps two kinds from ever colliding.
        salt: 32 random bytes, kept by whoever must be able to prove the entry later.
        event: JSON values only.

    Raises:
        MalformedNote: the domain, the salt or the event does not fit the layout.

    Source: design section 5, transparency log; RFC 8785.
    """
    if len(salt) != SALT_BYTES:
        raise MalformedNote(f"a leaf's salt is {SALT_BYTES} bytes, not {len(salt)}")
    if not domain or "\0" in domain:
        raise MalformedNote("a leaf's domain is a text without NUL")
    try:
        canonical = rfc8785.dumps(dict(event))
    except rfc8785.CanonicalizationError as error:
        raise MalformedNote("the event has no canonical JSON form") from error
    return LeafEntry(hashlib.sha256(domain.encode() + b"\0" + salt + canonical).digest())
