"""Makes the realm in Keycloak what realm-config/ says: `apply` mends, `plan` only tells.

Order: realm, its own sentences, what accounts hold, roles, scopes, flows, identity providers, the flow bindings, and
only then the removal of flows that nothing refers to any more; clients and the staff directory last.

A thing is found by its natural key, created if absent, and otherwise merged, so that its internal id and whatever
an operator set beside our settings stay. Mappers are the exception: on our scopes, clients and providers they are
exactly those of the files, since a mapper added by hand can put anything into a token.
"""

from pathlib import Path

from deploy.client_names import write_client_names
from deploy.configuration import Configuration
from deploy.number_rights import write_number_rights
from deploy.progress import say
from deploy.realm_changes import Action, Change, Reconciler
from deploy.realm_clients import delete_orphans, ensure_built_in, ensure_clients, ensure_scopes, strangers
from deploy.realm_connection import RealmConnection
from deploy.realm_federation import ensure_federations
from deploy.realm_flows import BuiltFlows, delete_outdated, ensure_flows
from deploy.realm_keys import ClientKeys
from deploy.realm_mappers import ensure_mappers
from deploy.realm_required_actions import ensure_required_actions
from deploy.realm_settings import DIRECTORY, RealmSettings, Representation, merge, read, read_sites
from deploy.site_files import FILE_ATTRIBUTE

__all__ = ["Action", "Change", "apply", "plan", "reconcile_sites", "strange_clients"]

# A first start makes more than a hundred; what one wants to read is the few of a later one.
_SHOWN = 10


def apply(configuration: Configuration) -> None:
    """Brings the running Keycloak to realm-config/; a second call in a row changes nothing.

    Raises:
        KeycloakUnreachable: the admin interface does not answer.
        KeycloakRefused: it refused one of the changes; those before it stand, and a new call goes on from there.
        RealmConfigWrong: a file of realm-config/ is wrong.
    """
    changes = _reconcile(configuration, write=True)
    write_number_rights(configuration, read_sites(configuration, ClientKeys.of(configuration)))
    write_client_names(configuration, read(configuration, ClientKeys.of(configuration)).clients)
    for change in changes[:_SHOWN]:
        say(f"Realm: {change}")
    say(f"Realm {configuration.keycloak.realm}: {len(changes)} changes")


def plan(configuration: Configuration) -> list[Change]:
    """What `apply` would do now; empty when the realm is as its files say. Secrets cannot be read back, so not compared.

    Raises:
        KeycloakUnreachable: the admin interface does not answer.
        RealmConfigWrong: a file of realm-config/ is wrong.
    """
    return _reconcile(configuration, write=False)


def reconcile_sites(
    configuration: Configuration, *, write: bool, directory: Path = DIRECTORY
) -> list[Change]:
    """What `apply` and `plan` do, for the files of `sites/` alone.

    Args:
        configuration: of the installation.
        write: apply, not only plan.
        directory: in place of realm-config/.

    Raises:
        KeycloakUnreachable: the admin interface does not answer.
        KeycloakRefused: it refused a change.
        RealmConfigWrong: a file of realm-config/ is wrong.
        SiteFileWrong: a site's file is wrong.
    """
    clients = read(configuration, ClientKeys.of(configuration), directory=directory).clients
    sites = tuple(client for client in clients if FILE_ATTRIBUTE in client["attributes"])
    reconciler = Reconciler(write=write)
    connection = RealmConnection(configuration)
    ensure_clients(sites, connection, reconciler)
    delete_orphans(clients, connection, reconciler)
    if write:
        write_client_names(configuration, clients)
        write_number_rights(
            configuration, read_sites(configuration, ClientKeys.of(configuration), directory=directory)
        )
    return reconciler.changes


def strange_clients(configuration: Configuration) -> tuple[str, ...]:
    """Clients of the running realm that stand in no file."""
    settings = read(configuration, ClientKeys.of(configuration))
    return strangers(settings.clients, RealmConnection(configuration))


def _reconcile(configuration: Configuration, *, write: bool) -> list[Change]:
    settings = read(configuration, ClientKeys.of(configuration))
    connection = RealmConnection(configuration)
    reconciler = Reconciler(write=write)
    bindings: dict[str, str] = settings.realm.pop("bindings")
    if not _ensure_realm(settings.realm, connection, reconciler):
        return reconciler.changes  # only planned: there is nothing below a realm that does not exist
    _ensure_localizations(settings.localizations, connection, reconciler)
    _ensure_user_profile(settings.user_profile, connection, reconciler)
    ensure_required_actions(settings.required_actions, connection, reconciler)
    _ensure_roles(settings.roles, connection, reconciler)
    ensure_scopes(settings.scopes, connection, reconciler)
    flows = ensure_flows(settings.flows, connection, reconciler)
    _ensure_identity_providers(settings, flows, connection, reconciler)
    _bind({key: flows.alias_of[alias] for key, alias in bindings.items()}, connection, reconciler)
    delete_outdated(flows, connection, reconciler)
    ensure_clients(settings.clients, connection, reconciler)
    delete_orphans(settings.clients, connection, reconciler)
    ensure_built_in(settings.built_in_clients, connection, reconciler)
    ensure_federations(settings.federations, connection, reconciler)
    return reconciler.changes


def _ensure_realm(wanted: Representation, connection: RealmConnection, reconciler: Reconciler) -> bool:
    name = str(wanted["realm"])
    if connection.get() is None:
        reconciler.note("realm", name, Action.CREATE, lambda: connection.create_realm(wanted))
        return reconciler.write
    reconciler.ensure(
        "realm",
        name,
        current=connection.get(),
        wanted=wanted,
        create=connection.create_realm,
        update=lambda body: connection.put(body=body),
    )
    return True


def _ensure_localizations(
    localizations: tuple[Representation, ...], connection: RealmConnection, reconciler: Reconciler
) -> None:
    """Sentences of the sign-in pages by language; those of no file stay as they are."""
    for localization in localizations:
        place = connection.at("localization", localization["locale"])
        reconciler.ensure(
            "localization",
            localization["locale"],
            current=place.get() or {},
            wanted=localization["texts"],
            create=place.post,
            update=place.post,
        )


def _bind(wanted: Representation, connection: RealmConnection, reconciler: Reconciler) -> None:
    reconciler.ensure(
        "bindings",
        connection.realm,
        current=connection.get(),
        wanted=wanted,
        create=connection.create_realm,
        update=lambda body: connection.put(body=body),
    )


def _ensure_user_profile(wanted: Representation, connection: RealmConnection, reconciler: Reconciler) -> None:
    current = connection.get("users", "profile")
    # Attributes that no file lists are taken out, and so are unmanaged ones.
    strict = merge(current, wanted)
    strict.pop("unmanagedAttributePolicy", None)
    unmanaged = {} if "unmanagedAttributePolicy" not in current else {"unmanagedAttributePolicy": None}
    reconciler.ensure(
        "user profile",
        connection.realm,
        current=current,
        wanted=wanted | unmanaged,
        create=lambda body: connection.put("users", "profile", body=body),
        update=lambda _body: connection.put("users", "profile", body=strict),
    )


def _ensure_roles(
    roles: tuple[Representation, ...], connection: RealmConnection, reconciler: Reconciler
) -> None:
    for role in roles:
        reconciler.ensure(
            "role",
            role["name"],
            current=connection.get("roles", role["name"]),
            wanted=role,
            create=lambda body: connection.post("roles", body=body),
            update=lambda body: connection.put("roles", body["name"], body=body),
        )


def _ensure_identity_providers(
    settings: RealmSettings, flows: BuiltFlows, connection: RealmConnection, reconciler: Reconciler
) -> None:
    instances = connection.at("identity-provider", "instances")
    for provider in settings.identity_providers:
        wanted = dict(provider)
        mappers = wanted.pop("mappers")
        wanted["firstBrokerLoginFlowAlias"] = flows.alias_of[wanted.pop("firstBrokerLoginFlow")]
        wanted["postBrokerLoginFlowAlias"] = flows.alias_of[wanted.pop("postBrokerLoginFlow")]
        alias = str(wanted["alias"])
        current = (instances / alias).get()
        reconciler.ensure(
            "identity provider",
            alias,
            current=current,
            wanted=wanted,
            create=instances.post,
            update=(instances / alias).put,
        )
        if current is not None or reconciler.write:
            own = [mapper | {"identityProviderAlias": alias} for mapper in mappers]
            ensure_mappers(f"mapper of {alias}", own, instances / alias / "mappers", reconciler)
