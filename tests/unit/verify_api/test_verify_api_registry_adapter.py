"""What the verify room says when a part that the registry needs is away."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from cert_registry.catalog.loading import Catalog
from cert_registry.errors import RegistryError, StoreUnavailable, TokenBusyOrGone
from cert_registry.settings import TYPES_DIRECTORY
from verify_api.errors import PartUnavailable
from verify_api.registry_adapter import RegistryAdapter

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = date(2026, 11, 22)


class Away:
    """A registry whose store or token does not answer."""

    def __init__(self, error: RegistryError) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def refuse(*_arguments: object, **_named: object) -> Any:
            raise self._error

        return refuse


@pytest.mark.parametrize("error", [StoreUnavailable("away"), TokenBusyOrGone("away")])
def test_a_part_that_is_away_is_unavailable_and_never_unknown(error: RegistryError) -> None:
    registry: Any = Away(error)
    adapter = RegistryAdapter(registry=registry, catalog=Catalog.load(TYPES_DIRECTORY))
    with pytest.raises(PartUnavailable):
        adapter.by_identifier("1.2.156.3005.2.x", "2222", at=TODAY, now=NOW)
    with pytest.raises(PartUnavailable):
        adapter.by_digest(bytes(32), at=TODAY, now=NOW)
    with pytest.raises(PartUnavailable):
        adapter.document("1.2.156.3005.2.x")
