"""Which required documents need not be submitted.

For each document, in this order:

1. no certificate can stand for it: it must be submitted
2. a certificate that may be asked for by duty is held and valid: it need not be submitted
3. a type that can stand for it may be asked for only with authorisation: that is the answer, and the registry is
   not asked about that type, so that neither answer nor time tells whether it is held
4. one is held but not valid: it must be submitted, with the reason
5. none is held: it must be submitted
"""

from collections.abc import Sequence
from datetime import datetime

from cert_registry.requirements.ports import HeldEcerts
from cert_registry.requirements.types import (
    HeldEcert,
    RequiredDocument,
    RequirementAnswer,
    RequirementStatus,
    ServiceItem,
)
from cert_registry.types import EcertState
from idp.identity.holder import HolderReference


def check_requirements(
    item: ServiceItem, holders: Sequence[HolderReference], registry: HeldEcerts, *, now: datetime
) -> tuple[RequirementAnswer, ...]:
    """One answer for each document of the item, in its order.

    Args:
        item: what is applied for.
        holders: the applicant, and whoever's certificates may stand in (a legal person and its head).
        registry: read only.
        now: aware.
    """
    return tuple(_answer(document, holders, registry, now) for document in item.documents)


def _answer(
    document: RequiredDocument, holders: Sequence[HolderReference], registry: HeldEcerts, now: datetime
) -> RequirementAnswer:
    # (1): nothing can stand for it
    if not document.satisfied_by:
        return RequirementAnswer(
            document=document,
            status=RequirementStatus.NOT_A_CERTIFICATE,
            ecerts=(),
            sentence="需由申请人提交。",
        )
    by_duty = [slug for slug in document.satisfied_by if not registry.is_consent_only(slug)]
    held = [ecert for slug in by_duty for ecert in registry.held(holders, slug, now=now)]
    valid = tuple(ecert for ecert in held if ecert.valid)
    # (2): held and valid
    if valid:
        status, ecerts, sentence = (
            RequirementStatus.HELD,
            valid,
            f"已持有有效的{valid[0].type_name}，免提交。",
        )
    # (3): only with authorisation
    elif len(by_duty) < len(document.satisfied_by):
        status, ecerts = RequirementStatus.NEEDS_AUTHORISATION, ()
        sentence = "经本人授权后可在线核验；未授权的，由申请人提交。"
    # (4): held, not valid
    elif held:
        status, ecerts = RequirementStatus.HELD_NOT_VALID, tuple(held)
        sentence = f"{_why_not_valid(held[0])}，需提交有效的{document.name}。"
    # (5): not held
    else:
        status, ecerts, sentence = RequirementStatus.NOT_HELD, (), "未查到电子证照，需由申请人提交。"
    return RequirementAnswer(document=document, status=status, ecerts=ecerts, sentence=sentence)


def _why_not_valid(ecert: HeldEcert) -> str:
    if ecert.state is EcertState.VALID:
        return f"{ecert.type_name}目前不可使用"
    return f"{ecert.type_name}已{ecert.state.title}"
