"""Which state changes a type allows: the catalogue's data."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from cert_registry.catalog.errors import TypeUnknown

if TYPE_CHECKING:
    from cert_registry.catalog.loading import Catalog
    from cert_registry.types import EcertState, StateOperation


@final
class CatalogueTransitions:
    """`TransitionRules` and `ReplacementRules` over the catalogue."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def allows(self, type_code: str, operation: StateOperation, *, state: EcertState) -> bool:
        """Whether the operation is possible from this state."""
        try:
            return self._catalog.type(type_code).allows(operation, state=state) is not None
        except TypeUnknown:
            return False

    def legal_basis(self, type_code: str, operation: StateOperation) -> str:
        """The usual legal bases of the operation; empty when the type names none."""
        try:
            rule = self._catalog.type(type_code).statuses.get(operation)
        except TypeUnknown:
            return ""
        return "" if rule is None else "；".join(rule.legal_bases)
