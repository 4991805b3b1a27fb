"""The first sentence of an answer: what a clerk can read aloud. The parts below it carry the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify_api.types import CIVIL_TIME, FieldResult, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verify_api.types import ComparedField, RegisteredEcert, RegistryPart, SealPart

_PASSED = "TOTAL-PASSED"
_STATE_SENTENCES = {
    Outcome.VALID: "登记有效",
    Outcome.SUSPENDED: "目前被暂扣，暂时不能使用",
    Outcome.EXPIRED: "已经过了有效期，不再有效",
    Outcome.NOT_YET_VALID: "还没有到生效日期",
}


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
        sentence += f"比对的内容中，{'、'.join(wrong)}与登记不一致。"
    if absent:
        sentence += f"{'、'.join(absent)}没有可供比对的登记内容。"
    if not wrong and not absent:
        sentence += "比对的内容与登记全部一致。"
    return outcome, sentence


def _of_document(seal: SealPart, registry: RegistryPart) -> tuple[Outcome, str]:
    if registry.ecert is not None:
        if seal.verdict not in {_PASSED, "NOT-CHECKED"}:
            return (
                Outcome.NOT_CHECKED,
                f"登记中有这份证照，但电子印章没有通过检查：{seal.reason}请不要采用这份文件。",
            )
        return registry.ecert.state.outcome, _of_registered(registry.ecert)
    if seal.verdict == "NOT-CHECKED":
        return Outcome.UNKNOWN, "没有查到：证照标识或查验码不对，或者登记中没有与它一致的证照。"
    if seal.verdict == "NOT-A-PDF":
        return Outcome.NOT_CHECKED, seal.reason
    if seal.verdict == "TOTAL-FAILED":
        return Outcome.ALTERED, f"这份文件不可信：{seal.reason}请不要采用。"
    if seal.verdict == _PASSED:
        return (
            Outcome.UNREGISTERED,
            "这份文件带有本系统的印章，但登记中没有它，不能采用；已经报警，请保留文件并联系发证机关。",
        )
    if seal.verdict == "NO-SIGNATURE":
        return Outcome.NOT_OURS, "这份文件没有电子印章，登记中也没有它，不是本系统签发的证照。"
    return Outcome.NOT_OURS, f"这份文件不能确认：{seal.reason}登记中也没有它，不是本系统签发的证照。"


def _of_registered(ecert: RegisteredEcert) -> str:
    name = f"{ecert.issuer_name}签发的{ecert.type_name}"
    state = ecert.state
    if state.outcome is Outcome.REVOKED:
        since = f"{state.since.astimezone(CIVIL_TIME):%Y年%-m月%-d日}" if state.since else ""
        because = f"，原因：{state.reason}" if state.reason else ""
        basis = f"，依据：{state.legal_basis}" if state.legal_basis else ""
        return f"{name}已于{since}被{state.state}，不再有效{because}{basis}。"
    sentence = _STATE_SENTENCES[state.outcome]
    if state.outcome is Outcome.VALID and ecert.file_sha256 is None:
        sentence += "（存量证照，原件未加盖电子印章）"
    return f"{name}{sentence}。"
