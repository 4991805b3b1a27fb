"""Required actions of our own jar: registered with the realm, then set as their file says."""

from functools import partial

from deploy.realm_changes import Action, Reconciler
from deploy.realm_connection import RealmConnection
from deploy.realm_settings import Representation


def ensure_required_actions(
    actions: tuple[Representation, ...], connection: RealmConnection, reconciler: Reconciler
) -> None:
    """Registers what is absent and mends what differs; Keycloak's own actions stay as they are."""
    place = connection.at("authentication", "required-actions")
    register = connection.at("authentication", "register-required-action")
    present = {action["alias"]: action for action in place.get() or []}
    for action in actions:
        alias = str(action["alias"])
        if alias not in present:
            mend = partial(register.post, {"providerId": action["providerId"], "name": action["name"]})
            reconciler.note("required action", alias, Action.CREATE, mend)
            if not reconciler.write:
                continue
        reconciler.ensure(
            "required action",
            alias,
            current=(place / alias).get(),
            wanted=action,
            create=(place / alias).put,
            update=(place / alias).put,
        )
