"""Mappers of a scope, a client or an identity provider: exactly those of the files."""

from deploy.realm_changes import Action, Reconciler
from deploy.realm_connection import Place
from deploy.realm_settings import Representation


def ensure_mappers(kind: str, wanted: list[Representation], place: Place, reconciler: Reconciler) -> None:
    """Creates, mends and removes mappers in the collection at `place` until they are `wanted`."""
    present = place.named()
    for mapper in wanted:
        current = present.pop(mapper["name"], None)
        reconciler.ensure(
            kind,
            mapper["name"],
            current=current,
            wanted=mapper,
            create=place.post,
            update=(place / str(current["id"])).put if current else place.put,
        )
    for name, mapper in present.items():
        reconciler.note(kind, name, Action.DELETE, (place / str(mapper["id"])).delete)
