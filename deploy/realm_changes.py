"""What differs between realm-config/ and a running realm, and the one way of mending it: merged, never replaced."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from deploy.realm_settings import Representation, merge

# Keycloak shows a stored secret so; whether it is still ours cannot be read back.
MASKED = "**********"
# A sentence, not a page: the sentences of a language alone are more than a hundred.
_NAMED = 6


class Action(Enum):
    """What was, or would be, done."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing in the realm that is not as realm-config/ says.

    Attributes:
        kind: realm, client, flow, …
        name: its natural key.
        fields: dotted names of what differs (never values: some are secret); empty unless updated.
    """

    kind: str
    name: str
    action: Action
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        named = ", ".join(self.fields[:_NAMED])
        more = f" and {len(self.fields) - _NAMED} more" if len(self.fields) > _NAMED else ""
        what = f" ({named}{more})" if self.fields else ""
        return f"{self.action.value} {self.kind} {self.name}{what}"


@dataclass(slots=True, kw_only=True)
class Reconciler:
    """Compares, notes each difference, and mends it unless it only plans."""

    write: bool
    changes: list[Change] = field(default_factory=list)

    def ensure(
        self,
        kind: str,
        name: str,
        *,
        current: Representation | None,
        wanted: Representation,
        create: Callable[[Representation], None],
        update: Callable[[Representation], None],
    ) -> None:
        """Creates what is absent, updates what differs (the rest of it stays), leaves what is right."""
        if current is None:
            self.note(kind, name, Action.CREATE, lambda: create(wanted))
        elif fields := tuple(differences(wanted, current)):
            self.note(kind, name, Action.UPDATE, lambda: update(merge(current, wanted)), fields)

    def note(
        self, kind: str, name: str, action: Action, mend: Callable[[], None], fields: tuple[str, ...] = ()
    ) -> None:
        """Records a change and, unless only planning, carries it out."""
        self.changes.append(Change(kind=kind, name=name, action=action, fields=fields))
        if self.write:
            mend()


def differences(wanted: Any, current: Any, *, at: str = "") -> list[str]:
    """Dotted names of what `wanted` says and `current` does not; what `wanted` leaves out is not compared.

    Lists of named mappings are compared by name and must have the same names; other lists as sets.
    """
    if current in (MASKED, [MASKED]):
        return []
    if isinstance(wanted, Mapping):
        if not isinstance(current, Mapping):
            return [at]
        return [
            found
            for key, value in wanted.items()
            for found in differences(value, current.get(key), at=f"{at}.{key}" if at else str(key))
        ]
    if isinstance(wanted, list):
        return _list_differences(wanted, current or [], at)
    # Keycloak drops empty texts from attribute maps.
    return [] if wanted == current or (wanted == "" and current is None) else [at]


def _list_differences(wanted: list[Any], current: Any, at: str) -> list[str]:
    if all(isinstance(item, Mapping) and "name" in item for item in wanted) and wanted:
        by_name = {item.get("name"): item for item in current}
        if set(by_name) != {item["name"] for item in wanted}:
            return [at]
        return [
            found
            for item in wanted
            for found in differences(item, by_name[item["name"]], at=f"{at}[{item['name']}]")
        ]
    return [] if sorted(map(str, wanted)) == sorted(map(str, current)) else [at]
