"""What the pages work with, in one hand."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from idp.identity.resolution import HolderResolver
from idp.links import InProcessLinks
from idp.ports import FaceCheck
from idp.proofing import Proofing
from idp.provider.server import RealnameServer
from idp.settings import Settings
from idp.sms.embedded_gateway import EmbeddedSmsGateway
from idp.sms.sign_in import SmsSignIn
from idp.store.acts import ActBook
from idp.store.face_checks import FaceChecks
from idp.store.persons import PersonStore
from idp.store.visits import VisitStore
from idp.store.window_grants import WindowGrants
from idp.strong_proof import StrongProofing
from idp.web.visitor import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Parts behind the blueprint; `messages` only in a demonstration, `face` only with a provider."""

    settings: Settings
    server: RealnameServer
    proofing: Proofing
    strong: StrongProofing
    sms_sign_in: SmsSignIn
    persons: PersonStore
    acts: ActBook
    grants: WindowGrants
    links: InProcessLinks
    face: FaceCheck | None
    face_checks: FaceChecks
    visits: VisitStore
    visitor: Visitor
    resolver: HolderResolver
    messages: EmbeddedSmsGateway | None
    clock: Callable[[], datetime]
