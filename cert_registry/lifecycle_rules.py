"""Which state changes a type allows: the catalogue's data."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from cert_registry.catalog.errors import TypeUnknown

if TYPE_CHECKING:
    from cert_registry.catalog.loading import Catalog
    from cert_registry.types import EcertState, StateOperation


@final
class CatalogueTransitions:
    """`TransitionRules` over the catalogue."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def allows(self, type_code: str, operation: StateOperation, *, state: EcertState) -> bool:
        """Whether the operation is possible from this state."""
        try:
            return self._catalog.type(type_code).allows(operation, state=state) is not None
        except TypeUnknown:
            return False
