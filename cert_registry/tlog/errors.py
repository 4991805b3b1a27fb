"""What can go wrong with the log: one leaf for each decision that a caller makes."""

from typing import ClassVar


class TlogError(Exception):
    """Base of every error of the transparency log."""

    code: ClassVar[str] = "tlog-error"


class MalformedNote(TlogError):
    """A text that should be a signed note, a checkpoint, a key or a proof file is not one."""

    code = "tlog-malformed"


class NoteNotSigned(TlogError):
    """A note carries no valid signature of the expected key."""

    code = "tlog-not-signed"


class ProofRefused(TlogError):
    """An inclusion or consistency proof does not lead to the stated root."""

    code = "tlog-proof-refused"


class EntryUnknown(TlogError):
    """The entry, index or tree size is not in the log (yet)."""

    code = "tlog-entry-unknown"


class TreeDamaged(TlogError):
    """Tiles and checkpoint contradict each other; nothing is sequenced until a person has looked."""

    code = "tlog-damaged"


class LogRolledBack(TlogError):
    """The log stands below a checkpoint that was already given out.

    Attributes:
        present_size: entries under the checkpoint on disk.
        known_size: entries under the newest checkpoint known elsewhere.
    """

    code = "tlog-rolled-back"

    def __init__(self, message: str, *, present_size: int, known_size: int) -> None:
        """Keep both sizes beside the sentence."""
        super().__init__(message)
        self.present_size = present_size
        self.known_size = known_size


class LogUnavailable(TlogError):
    """Files of the log cannot be read or written now (disk full, permission, missing)."""

    code = "tlog-unavailable"
