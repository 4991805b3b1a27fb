"""The forms that an order passes through in `issuance.issue`; each can only be made from the one before it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from cert_registry.organisations.types import TypeSlug
    from cert_registry.types import EcertIdentifier, FileDigest, Holder, IntentId, IssueOrder
    from idp.identity.holder import HolderReference


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedDraft:
    """An order whose face fits its type and which passed every lint.

    Attributes:
        face: The face as canonical JSON values, in the order of the type's schema.
        content_mac: Keyed digest (hex) of what the order says, without who says it; two orders with one key
            are the same order when this is equal. Keyed, because faces hold numbers that can be guessed.
    """

    order: IssueOrder
    type_name: str
    issuer_name: str
    holders: tuple[Holder, ...]
    face: Mapping[str, object] = field(repr=False)
    valid_from: date
    valid_until: date | None  # None: 长期
    content_mac: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """An identifier kept for one key; `bound_at` is None until an intent is stored under it."""

    intent_id: IntentId
    identifier: EcertIdentifier
    version: int
    bound_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentSecrets:
    """Random values of one issue."""

    check_code: str = field(repr=False)
    check_code_mac: bytes = field(repr=False)
    salt: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """The permission to sign: stored, bound to its content, its time and its place in the status list."""

    intent_id: IntentId
    identifier: EcertIdentifier
    version: int
    draft: CheckedDraft
    secrets: IntentSecrets
    status_list: int
    status_index: int
    stored_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPlace:
    """Where the visible seal stands: page from 0, a rectangle in points from the lower left corner."""

    page: int
    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedPage:
    """What the press made of an intent."""

    page: bytes = field(repr=False)
    twin: bytes = field(repr=False)
    seal_place: SealPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedIntent:
    """An intent whose page and twin are stored under these digests, never to change."""

    intent: Intent
    page_digest: FileDigest
    twin_digest: FileDigest
    seal_place: SealPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class SealGrant:
    """A seal that may be used for this intent now.

    Attributes:
        type_slug: The certificate type that it was chosen for.
        picture_sha256: Of the picture that was approved with it; None: drawn from its names.
    """

    seal_id: str
    type_slug: TypeSlug
    name: str
    key_label: str
    shape: str
    department_code: str
    department_name: str
    picture_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """What came back from sealing, not yet checked; `sha256` is what the sealer says it made (32 bytes)."""

    content: bytes = field(repr=False)
    sha256: bytes
    level: str  # PAdES level reached: that of the type, or `B-B` where its policy lets it be raised later


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedIntent:
    """An intent whose one sealed file is stored under `file_digest`."""

    rendered: RenderedIntent
    file_digest: FileDigest
    seal_id: str
    level: str | None = None  # None: before levels were recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedEcert:
    """What the registry's row is made of: keyed references of the holders with their code types, and terms."""

    row: Mapping[str, object] = field(repr=False)
    references: tuple[tuple[HolderReference, str], ...]
    terms: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredEcert:
    """A sealed intent with its row and its leaf; the row is `pending` until the leaf is in the log."""

    sealed: SealedIntent
    leaf_id: int
    leaf_entry: bytes
    leaf_index: int | None  # None: not yet sequenced
