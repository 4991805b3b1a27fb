"""What the pages work with, in one hand."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from idp.identity.resolution import HolderResolver
from idp.proofing import Proofing
from idp.provider.server import RealnameServer
from idp.settings import Settings
from idp.sms.embedded_gateway import EmbeddedSmsGateway
from idp.store.visits import VisitStore
from idp.web.visitor import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Parts behind the blueprint; `messages` only in a demonstration."""

    settings: Settings
    server: RealnameServer
    proofing: Proofing
    visits: VisitStore
    visitor: Visitor
    resolver: HolderResolver
    messages: EmbeddedSmsGateway | None
    clock: Callable[[], datetime]
