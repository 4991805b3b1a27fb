"""The states that a file went through, as each signature saw it, and what changed from one to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyhanko.pdf_utils import generic

from verify_api.validation.document import Unreadable, object_offset, open_reader
from verify_api.validation.errors import MalformedSyntax
from verify_api.validation.fields import value_marks
from verify_api.validation.graph import raw_of, resolved
from verify_api.validation.modifications import Change, ChangeClass, changes_between
from verify_api.validation.reachability import Reachability
from verify_api.validation.revisions import points_back, section_starts, unaccounted_bytes
from verify_api.validation.verdicts import Modifications

if TYPE_CHECKING:
    from pyhanko.pdf_utils.reader import PdfFileReader

    from verify_api.validation.examination import Examined

_WHITE = b"\x00\t\n\x0c\r "


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What one signature permits after itself."""

    level: int | None  # DocMDP: 1, 2, 3; None: an approval signature without one
    locked: tuple[str, frozenset[str]] | None  # FieldMDP action and field names


class History:
    """Opens the earlier states and compares each with the next.

    Args:
        data: The file.
        reader: Reader of the whole file.
        signatures: The examined signatures; those in order mark the states.
    """

    def __init__(self, data: bytes, reader: PdfFileReader, signatures: list[Examined]) -> None:
        self._data, self._reader = data, reader
        ends = {
            one.hole.covered_end
            for one in signatures
            if one.hole is not None and (one.refused is None or one.unclear)
        }
        self._ends = sorted(ends | {len(data)})
        self._readers: dict[int, PdfFileReader | None] = {len(data): reader}
        self._steps: dict[int, list[Change]] = {}
        self._reachability = Reachability()
        self._walked: bool | None = None

    def holds(self, one: Examined) -> bool:
        """Tell whether the signature is already part of the state that it covers."""
        if one.hole is None:
            return False
        state = self._state(one.hole.covered_end)
        if state is None:
            return False
        reference = one.field.value_reference or one.field.holder_reference
        if reference is None:
            return False
        try:
            same_place = object_offset(state, reference) == one.offset
        except KeyError:
            return False
        return same_place and (reference.idnum, reference.generation) in value_marks(state)

    def modifications(self, one: Examined) -> Modifications:
        """Return what was changed after the state that a signature covers, by that signature's rules."""
        if one.hole is None or one.hole.covered_end == len(self._data):
            return Modifications.NONE
        end = one.hole.covered_end
        rest = self._data[end:]
        if not rest.strip(_WHITE):
            return Modifications.NOT_UNDERSTOOD
        starts = section_starts(self._data, self._reader)
        if not any(start >= end for start in starts):
            return Modifications.NOT_PERMITTED
        for index, begin in enumerate(self._ends[:-1]):
            self._step(begin, self._ends[index + 1])  # in the order of the file, which is the cheap one
        worst = Modifications.NONE
        rules = rules_of(one)
        for index, begin in enumerate(self._ends[:-1]):
            if begin < end:
                continue
            for change in self._step(begin, self._ends[index + 1]):
                worst = max(worst, classify(change, rules), key=lambda m: m.severity)
        state = self._state(end)
        forked = state is None or section_starts(self._data, state) != [s for s in starts if s < end]
        if worst is Modifications.NONE:
            worst = Modifications.VALIDATION_DATA  # an update that changes nothing that can be reached
        if forked or self._unaccounted(end):
            worst = max(worst, Modifications.NOT_UNDERSTOOD, key=lambda m: m.severity)
        return worst

    def updates_after(self, end: int) -> int:
        """Return how many incremental updates stand after a place in the file."""
        return sum(start >= end for start in section_starts(self._data, self._reader))

    def _unaccounted(self, end: int) -> bool:
        """Walk the bytes once from the first signed state; when all is well there, later states only need less."""
        if self._walked is None:
            self._walked = unaccounted_bytes(self._data, self._ends[0], self._reader) is None
        if self._walked:
            return points_back(end, self._reader)
        return unaccounted_bytes(self._data, end, self._reader) is not None

    def changes(self) -> list[Change]:
        """Return every change of every step, for tests and logs."""
        return [
            change
            for i, begin in enumerate(self._ends[:-1])
            for change in self._step(begin, self._ends[i + 1])
        ]

    def _state(self, end: int) -> PdfFileReader | None:
        if end not in self._readers:
            try:
                self._readers[end] = open_reader(self._data[:end])
            except Unreadable:
                self._readers[end] = None
        return self._readers[end]

    def _step(self, begin: int, end: int) -> list[Change]:
        if begin not in self._steps:
            old, new = self._state(begin), self._state(end)
            unknown = [Change(kind=ChangeClass.UNKNOWN, place="a state that cannot be read")]
            try:
                if old and new:
                    untouched = self._reachability.untouched(old, new)
                    self._steps[begin] = changes_between(old, new, untouched)
                else:
                    self._steps[begin] = unknown
            except MemoryError:
                raise
            except Exception:  # noqa: BLE001 - the reader's many kinds; what cannot be compared is not understood
                self._steps[begin] = unknown
        return self._steps[begin]


def rules_of(one: Examined) -> Rules:
    """Read DocMDP and FieldMDP from a signature's references and its field's lock."""
    level: int | None = None
    locked: tuple[str, frozenset[str]] | None = None
    references = resolved(raw_of(one.field.value, "/Reference"))
    for raw in references if isinstance(references, list) else []:
        reference = resolved(raw)
        method = resolved(raw_of(reference, "/TransformMethod"))
        parameters = resolved(raw_of(reference, "/TransformParams"))
        if method == "/DocMDP":
            level = _level(parameters, default=2)
        elif method == "/FieldMDP":
            locked = _locked(parameters)
    lock = resolved(raw_of(one.field.dictionary, "/Lock"))
    if isinstance(lock, generic.DictionaryObject):
        locked = locked or _locked(lock)
        if level is None and "/P" in lock:
            level = _level(lock, default=1)
    return Rules(level=level, locked=locked)


def _level(parameters: object, *, default: int) -> int:
    value = resolved(raw_of(parameters, "/P"))
    if value is None:
        return default
    return int(value) if isinstance(value, int) and value in {1, 2, 3} else 1


def _locked(parameters: object) -> tuple[str, frozenset[str]]:
    action = resolved(raw_of(parameters, "/Action"))
    names = resolved(raw_of(parameters, "/Fields"))
    texts = frozenset(str(resolved(name)) for name in names) if isinstance(names, list) else frozenset()
    return (str(action), texts)


def _is_locked(name: str, locked: tuple[str, frozenset[str]]) -> bool:
    action, names = locked
    named = any(name == other or name.startswith(other + ".") for other in names)
    if action == "/Include":
        return named
    if action == "/Exclude":
        return not named
    return True


def classify(change: Change, rules: Rules) -> Modifications:
    """Say what a change is under the rules of one signature."""
    kind = change.kind
    if kind is ChangeClass.VALIDATION:
        return Modifications.VALIDATION_DATA
    if kind is ChangeClass.FORBIDDEN:
        return Modifications.NOT_PERMITTED
    if kind is ChangeClass.UNKNOWN:
        return Modifications.NOT_UNDERSTOOD
    if rules.level == 1 or (kind is ChangeClass.ANNOTATION and rules.level == 2):
        return Modifications.NOT_PERMITTED
    filled = change.place in {"field filled", "signature field signed"}
    if filled and change.field is not None and rules.locked and _is_locked(change.field, rules.locked):
        return Modifications.NOT_PERMITTED
    if kind is ChangeClass.FORM:
        if change.place == "new visible signature" and rules.level is not None:
            return Modifications.NOT_UNDERSTOOD
        return Modifications.PERMITTED
    return Modifications.NOT_UNDERSTOOD


__all__ = ["History", "MalformedSyntax", "Rules", "classify", "rules_of"]
