"""The transparency log as issuing and the registry use it; the only place that turns its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from cert_registry.errors import LogUnavailable, UnknownEcert
from cert_registry.signing.errors import SigningError
from cert_registry.tlog.errors import EntryUnknown, TlogError
from cert_registry.tlog.leaf import LeafEntry

if TYPE_CHECKING:
    from cert_registry.tlog.log import Log


@final
class TileLog:
    """`TransparencyLog` and `ProofSource` over the log of tiles."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def sequence(self, leaf_entries: tuple[bytes, ...]) -> tuple[int, ...]:
        """Append each entry once, sign a checkpoint, return their indexes in order.

        Raises:
            LogUnavailable: Nothing or a part was appended; calling again is right.
        """
        entries = tuple(LeafEntry(entry) for entry in leaf_entries)
        try:
            return self._log.sequence(entries)
        except (TlogError, SigningError) as error:
            raise LogUnavailable("the transparency log did not take the leaves") from error

    def proof_text(self, leaf_entry: bytes) -> str:
        """A C2SP tlog-proof of the entry under the newest checkpoint.

        Raises:
            LogUnavailable: The log cannot be read.
            UnknownEcert: The entry is not in the log.
        """
        try:
            return self._log.proof_of(LeafEntry(leaf_entry)).to_text()
        except EntryUnknown as error:
            raise UnknownEcert("该事件尚未入册。") from error
        except TlogError as error:
            raise LogUnavailable("the transparency log cannot be read") from error
