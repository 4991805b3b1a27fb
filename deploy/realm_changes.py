"""What differs between realm-config/ and a running realm, and the one way of mending it: merged, never replaced."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from deploy.realm_settings import Representation, merge

# Keycloak shows a stored secret so; whether it is still ours cannot be read back.
MASKED = "**********"
# A sentence, not a page: the sentences of a language alone are more than a hundred.
_NAMED = 6
# What of a client may be shown with its values: who reviews a plan decides by these, and none of them is secret.
_OPEN = (
    "name",
    "enabled",
    "rootUrl",
    "redirectUris",
    "webOrigins",
    "attributes.post.logout.redirect.uris",
    "attributes.backchannel.logout.url",
    "attributes.minimum.acr.value",
    "attributes.longzheng.minimum.assurance",
    "attributes.pkce.code.challenge.method",
    "attributes.dpop.bound.access.tokens",
    "attributes.jwks.url",
)


class Action(Enum):
    """What was, or would be, done."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """One field of a client before and after.

    Attributes:
        place: its dotted name.
        now: in the running realm; empty when there is nothing.
        then: after applying.
    """

    place: str
    now: str
    then: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing in the realm that is not as realm-config/ says.

    Attributes:
        kind: realm, client, flow, …
        name: its natural key.
        fields: dotted names of what differs (never values: some are secret); empty unless updated.
        shown: those fields of a client that may be shown with their values.
        mark: digest of what is there and what is wanted, so that a plan and its applying can be held together.
    """

    kind: str
    name: str
    action: Action
    fields: tuple[str, ...] = ()
    shown: tuple[Values, ...] = ()
    mark: str = field(default="", repr=False)

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
        fields = () if current is None else tuple(differences(wanted, current))
        if current is not None and not fields:
            return
        details = {
            "fields": fields,
            "shown": _shown(wanted, current or {}) if kind == "client" else (),
            "mark": _digest(wanted, current),
        }
        if current is None:
            self.note(kind, name, Action.CREATE, lambda: create(wanted), **details)
        else:
            self.note(kind, name, Action.UPDATE, lambda: update(merge(current, wanted)), **details)

    def note(self, kind: str, name: str, action: Action, mend: Callable[[], None], **details: Any) -> None:
        """Records a change and, unless only planning, carries it out; `details` are further attributes of `Change`."""
        self.changes.append(Change(kind=kind, name=name, action=action, **details))
        if self.write:
            mend()


def _shown(wanted: Representation, current: Representation) -> tuple[Values, ...]:
    pairs = ((place, _value(current, place), _value(wanted, place)) for place in _OPEN)
    return tuple(
        Values(place=place, now=_words(now), then=_words(then))
        for place, now, then in pairs
        if then is not None and _words(now) != _words(then)
    )


def _value(representation: Representation, place: str) -> Any:
    head, _, rest = place.partition(".")
    value = representation.get(head)
    return (value or {}).get(rest) if rest else value


def _words(value: Any) -> str:
    return (
        ", ".join(sorted(map(str, value))) if isinstance(value, list) else str("" if value is None else value)
    )


def _digest(*representations: Representation | None) -> str:
    return hashlib.sha256(json.dumps(representations, sort_keys=True, default=str).encode()).hexdigest()


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
