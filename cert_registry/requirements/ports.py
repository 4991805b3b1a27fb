"""What the requirements room needs from outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from cert_registry.organisations.types import TypeSlug
from cert_registry.requirements.types import HeldEcert
from idp.identity.holder import HolderReference


class HeldEcerts(Protocol):
    """The registry, read only."""

    def held(
        self, references: Sequence[HolderReference], type_slug: TypeSlug, *, now: datetime
    ) -> Sequence[HeldEcert]:
        """Effective ecerts of this type that any of the holders has, with their state now; newest first."""

    def is_consent_only(self, type_slug: TypeSlug) -> bool:
        """Whether even "none held" may be told only with the holder's authorisation."""
