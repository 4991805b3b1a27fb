"""The staff directory as a user federation, with exactly the mappers of its file."""

from functools import partial
from typing import Any

from deploy.realm_changes import Action, Reconciler
from deploy.realm_connection import RealmConnection
from deploy.realm_settings import Representation

_MAPPER_TYPE = "org.keycloak.storage.ldap.mappers.LDAPStorageMapper"


def ensure_federations(
    federations: tuple[Representation, ...], connection: RealmConnection, reconciler: Reconciler
) -> None:
    """Creates or mends each directory. Keycloak's own default mappers are taken out: they put cn into firstName."""
    for federation in federations:
        wanted = dict(federation)
        mappers = wanted.pop("mappers")
        realm_id = connection.get()["id"]
        parent = _ensure_component(wanted, realm_id, connection, reconciler)
        if parent is None:
            continue  # only planned
        present = _components(connection, parent, _MAPPER_TYPE)
        for mapper in mappers:
            _ensure_component(mapper | {"providerType": _MAPPER_TYPE}, parent, connection, reconciler)
        for name in sorted(present.keys() - {mapper["name"] for mapper in mappers}):
            mend = partial(connection.delete, "components", present[name]["id"])
            reconciler.note(f"mapper of {wanted['name']}", name, Action.DELETE, mend)


def _ensure_component(
    wanted: Representation, parent: str, connection: RealmConnection, reconciler: Reconciler
) -> str | None:
    name, kind = str(wanted["name"]), str(wanted["providerType"])
    body = wanted | {"parentId": parent, "config": {key: [value] for key, value in wanted["config"].items()}}
    reconciler.ensure(
        "directory" if kind != _MAPPER_TYPE else "directory mapper",
        name,
        current=_components(connection, parent, kind).get(name),
        wanted=body,
        create=lambda new: connection.post("components", body=new),
        update=lambda merged: connection.put("components", merged["id"], body=merged),
    )
    found = _components(connection, parent, kind).get(name)
    return None if found is None else str(found["id"])


def _components(connection: RealmConnection, parent: str, kind: str) -> dict[str, Any]:
    found = connection.get("components", parent=parent, type=kind) or []
    return {component["name"]: component for component in found}
