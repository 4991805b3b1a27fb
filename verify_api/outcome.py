"""The first sentence of an answer: what a clerk can read aloud. The parts below it carry the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.identity.sentence import said
from verify_api.types import CIVIL_TIME, FieldResult, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verify_api.types import ComparedField, RegisteredEcert, RegistryPart, SealPart

_PASSED = "TOTAL-PASSED"
_STATE_SENTENCES = {
    Outcome.VALID: "%(issuer)s签发的%(type)s登记有效。",
    Outcome.SUSPENDED: "%(issuer)s签发的%(type)s目前被暂扣，暂时不能使用。",
    Outcome.EXPIRED: "%(issuer)s签发的%(type)s已经过了有效期，不再有效。",
    Outcome.NOT_YET_VALID: "%(issuer)s签发的%(type)s还没有到生效日期。",
}
_STOCK = "%(issuer)s签发的%(type)s登记有效（存量证照，原件未加盖电子印章）。"
_ENDED = "%(issuer)s签发的%(type)s已于%(since)s被%(state)s，不再有效%(because)s%(basis)s。"
_ENDED_SOMETIME = "%(issuer)s签发的%(type)s已被%(state)s，不再有效%(because)s%(basis)s。"


def conclude(
    seal: SealPart, registry: RegistryPart, comparison: Sequence[ComparedField]
) -> tuple[Outcome, str]:
    """Return the outcome and its sentence.

    The order is the design: an altered document is altered whatever the registry holds; a document under our
    seal that the registry does not know is never valid; what was not checked is never said to be good.
    """
    outcome, sentence = _of_document(seal, registry)
    if not comparison:
        return outcome, sentence
    wrong = [one.title for one in comparison if one.result is FieldResult.MISMATCH]
    absent = [one.title for one in comparison if one.result is FieldResult.NOT_HELD]
    if wrong:
        sentence = _and(sentence, said("比对的内容中，%(fields)s与登记不一致。", fields=tuple(wrong)))
    if absent:
        sentence = _and(sentence, said("%(fields)s没有可供比对的登记内容。", fields=tuple(absent)))
    if not wrong and not absent:
        sentence = _and(sentence, "比对的内容与登记全部一致。")
    return outcome, sentence


def _and(first: str, second: str) -> str:
    return said("%(first)s%(second)s", first=first, second=second)


def _of_document(seal: SealPart, registry: RegistryPart) -> tuple[Outcome, str]:
    if registry.ecert is not None:
        if seal.verdict not in {_PASSED, "NOT-CHECKED"}:
            return (
                Outcome.NOT_CHECKED,
                said(
                    "登记中有这份证照，但电子印章没有通过检查：%(reason)s请不要采用这份文件。",
                    reason=seal.reason,
                ),
            )
        return registry.ecert.state.outcome, _of_registered(registry.ecert)
    if seal.verdict == "NOT-CHECKED":
        return Outcome.UNKNOWN, "没有查到：证照标识或查验码不对，或者登记中没有与它一致的证照。"
    if seal.verdict == "NOT-A-PDF":
        return Outcome.NOT_CHECKED, seal.reason
    if seal.verdict == "TOTAL-FAILED":
        return Outcome.ALTERED, said("这份文件不可信：%(reason)s请不要采用。", reason=seal.reason)
    if seal.verdict == _PASSED:
        return (
            Outcome.UNREGISTERED,
            "这份文件带有本系统的印章，但登记中没有它，不能采用；已经报警，请保留文件并联系发证机关。",
        )
    if seal.verdict == "NO-SIGNATURE":
        return Outcome.NOT_OURS, "这份文件没有电子印章，登记中也没有它，不是本系统签发的证照。"
    return Outcome.NOT_OURS, said(
        "这份文件不能确认：%(reason)s登记中也没有它，不是本系统签发的证照。", reason=seal.reason
    )


def _of_registered(ecert: RegisteredEcert) -> str:
    state = ecert.state
    named = {"issuer": ecert.issuer_name, "type": ecert.type_name}
    if state.outcome is Outcome.REVOKED:
        values: dict[str, object] = {
            **named,
            "state": state.state,
            "because": said("，原因：%(reason)s", reason=state.reason) if state.reason else "",
            "basis": said("，依据：%(basis)s", basis=state.legal_basis) if state.legal_basis else "",
        }
        if state.since is None:
            return said(_ENDED_SOMETIME, **values)
        return said(_ENDED, since=state.since.astimezone(CIVIL_TIME).date(), **values)
    if state.outcome is Outcome.VALID and ecert.file_sha256 is None:
        return said(_STOCK, **named)
    return said(_STATE_SENTENCES[state.outcome], **named)
