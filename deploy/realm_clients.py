"""Client scopes and clients: found by name, merged, with exactly the mappers and scopes that their files list."""

from functools import partial

from deploy.realm_changes import Action, Reconciler
from deploy.realm_connection import Place, RealmConnection
from deploy.realm_mappers import ensure_mappers
from deploy.realm_settings import Representation
from deploy.site_files import FILE_ATTRIBUTE

_PROTOCOL = {"protocol": "openid-connect"}
# Attributes that Keycloak writes into a client by itself; every other one that no file gives is taken out.
_KEYCLOAKS_OWN = frozenset(
    {
        "client.secret.creation.time",
        "realm_client",
        "backchannel.logout.session.required",
        "backchannel.logout.revoke.offline.tokens",
    }
)
# Clients that Keycloak makes with every realm; `_system` only when it first needs one, as for a log-out without a client.
BUILT_IN = frozenset(
    {
        "_system",
        "account",
        "account-console",
        "admin-cli",
        "broker",
        "realm-management",
        "security-admin-console",
    }
)


def ensure_scopes(
    scopes: tuple[Representation, ...], connection: RealmConnection, reconciler: Reconciler
) -> None:
    """Client scopes, their mappers, and the roles that a client with such a scope may pass on."""
    for scope in scopes:
        wanted = dict(scope)
        mappers = [_PROTOCOL | mapper for mapper in wanted.pop("mappers")]
        realm_roles: list[str] = wanted.pop("realm_roles", [])
        name = str(wanted["name"])
        scope_id = _scope_ids(connection).get(name)
        reconciler.ensure(
            "scope",
            name,
            current=connection.get("client-scopes", scope_id) if scope_id else None,
            wanted=wanted,
            create=lambda body: connection.post("client-scopes", body=body),
            update=lambda body: connection.put("client-scopes", body["id"], body=body),
        )
        scope_id = _scope_ids(connection).get(name)
        if scope_id is None:
            continue  # only planned
        place = connection.at("client-scopes", scope_id)
        ensure_mappers(f"mapper of scope {name}", mappers, place / "protocol-mappers" / "models", reconciler)
        mapped = place / "scope-mappings"
        _ensure_roles_at(f"scope {name}", mapped / "realm", connection.at("roles"), realm_roles, reconciler)


def ensure_clients(
    clients: tuple[Representation, ...], connection: RealmConnection, reconciler: Reconciler
) -> None:
    """Clients, each with its own key, mappers, default and optional scopes."""
    for client in clients:
        wanted = dict(client)
        mappers = [_PROTOCOL | mapper for mapper in wanted.pop("mappers")]
        default = list(wanted.pop("defaultClientScopes"))
        optional = list(wanted.pop("optionalClientScopes", []))
        account_roles = list(wanted.pop("account_roles", []))
        management_roles = list(wanted.pop("realm_management_roles", []))
        client_id = str(wanted["clientId"])
        current = _client(client_id, connection)
        reconciler.ensure(
            "client",
            client_id,
            current=current,
            wanted=_without_additions(wanted, current or {}),
            create=lambda body: connection.post("clients", body=body),
            update=lambda body: connection.put("clients", body["id"], body=body),
        )
        found = current or _client(client_id, connection)
        if found is None:
            continue  # only planned
        place = connection.at("clients", str(found["id"]))
        ensure_mappers(
            f"mapper of client {client_id}", mappers, place / "protocol-mappers" / "models", reconciler
        )
        _ensure_client_scopes(client_id, place / "default-client-scopes", default, reconciler)
        _ensure_client_scopes(client_id, place / "optional-client-scopes", optional, reconciler)
        account = str((_client("account", connection) or {})["id"])
        place, source = (
            place / "scope-mappings" / "clients" / account,
            connection.at("clients", account, "roles"),
        )
        _ensure_roles_at(f"client {client_id}", place, source, account_roles, reconciler)
        if management_roles:
            _ensure_management_roles(str(found["id"]), client_id, management_roles, connection, reconciler)


def delete_orphans(
    clients: tuple[Representation, ...], connection: RealmConnection, reconciler: Reconciler
) -> None:
    """Takes out the sites that came from a file which is gone, and no other client."""
    wanted = {client["clientId"] for client in clients}
    for client in connection.get("clients") or []:
        if (client.get("attributes") or {}).get(FILE_ATTRIBUTE) and client["clientId"] not in wanted:
            mend = partial(connection.delete, "clients", str(client["id"]))
            reconciler.note("client", client["clientId"], Action.DELETE, mend)


def strangers(clients: tuple[Representation, ...], connection: RealmConnection) -> tuple[str, ...]:
    """Clients of the realm that no file knows; nobody takes them out, but somebody should know why they are there."""
    known = {client["clientId"] for client in clients} | BUILT_IN
    listed = connection.get("clients") or []
    return tuple(
        sorted(
            client["clientId"]
            for client in listed
            if client["clientId"] not in known and not (client.get("attributes") or {}).get(FILE_ATTRIBUTE)
        )
    )


def _without_additions(wanted: Representation, current: Representation) -> Representation:
    """`wanted`, with everything emptied that somebody set beside it: an attribute or another flow can undo a rule."""
    attributes = wanted.get("attributes", {})
    added = set(current.get("attributes") or {}) - set(attributes) - _KEYCLOAKS_OWN
    flows = current.get("authenticationFlowBindingOverrides") or {}
    return wanted | {
        "attributes": dict.fromkeys(added, "") | attributes,
        "authenticationFlowBindingOverrides": dict.fromkeys(flows, ""),
    }


def _ensure_management_roles(
    internal_id: str, client_id: str, roles: list[str], connection: RealmConnection, reconciler: Reconciler
) -> None:
    """Roles over the realm for a client's service account: granted to the account, and within the client's scope."""
    management = str((_client("realm-management", connection) or {})["id"])
    source = connection.at("clients", management, "roles")
    scope = connection.at("clients", internal_id, "scope-mappings", "clients", management)
    _ensure_roles_at(f"scope of {client_id}", scope, source, roles, reconciler)
    account = connection.get("clients", internal_id, "service-account-user")
    granted = connection.at("users", str(account["id"]), "role-mappings", "clients", management)
    _ensure_roles_at(f"account of {client_id}", granted, source, roles, reconciler)


def ensure_built_in(
    clients: tuple[Representation, ...], connection: RealmConnection, reconciler: Reconciler
) -> None:
    """Settings of the clients that Keycloak makes with every realm; the rest of them stays as it is."""
    for wanted in clients:
        reconciler.ensure(
            "built-in client",
            wanted["clientId"],
            current=_client(wanted["clientId"], connection),
            wanted=wanted,
            create=lambda body: connection.post("clients", body=body),
            update=lambda body: connection.put("clients", body["id"], body=body),
        )


def _client(client_id: str, connection: RealmConnection) -> Representation | None:
    found: list[Representation] = connection.get("clients", clientId=client_id) or []
    return next((client for client in found if client["clientId"] == client_id), None)


def _scope_ids(connection: RealmConnection) -> dict[str, str]:
    return {scope["name"]: scope["id"] for scope in connection.get("client-scopes") or []}


def _ensure_client_scopes(client_id: str, place: Place, wanted: list[str], reconciler: Reconciler) -> None:
    ids = _scope_ids(place.connection)
    present = place.named()
    kind = f"{place.steps[-1]} of {client_id}"
    for name in sorted(present.keys() - set(wanted)):
        reconciler.note(kind, name, Action.DELETE, (place / present[name]["id"]).delete)
    for name in sorted(set(wanted) - present.keys()):
        # A scope without an id is itself only planned.
        reconciler.note(kind, name, Action.CREATE, (place / ids.get(name, "")).put)


def _ensure_roles_at(
    name: str, place: Place, source: Place, wanted: list[str], reconciler: Reconciler
) -> None:
    present = place.named()
    for role in sorted(set(wanted) - present.keys()):
        mend = partial(place.post, [(source / role).get()])
        reconciler.note(f"role of {name}", role, Action.CREATE, mend)
    for role in sorted(present.keys() - set(wanted)):
        mend = partial(place.delete, [present[role]])
        reconciler.note(f"role of {name}", role, Action.DELETE, mend)
