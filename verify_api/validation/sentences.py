"""One plain Chinese sentence for each outcome, fit to be read aloud at a counter."""

from __future__ import annotations

from idp.identity.sentence import said
from verify_api.validation.verdicts import Modifications, SubIndication

_SUB = {
    SubIndication.FORMAT_FAILURE: "签名格式不合规定，文件可能被改动",
    SubIndication.HASH_FAILURE: "文件内容在签名之后被改动",
    SubIndication.SIG_CRYPTO_FAILURE: "签名值与签名证书对不上，不是该证书所签",
    SubIndication.REVOKED: "签名证书在签名之前已被吊销",
    SubIndication.EXPIRED: "签名证书在签名之前已经过期",
    SubIndication.NOT_YET_VALID: "签名时签名证书尚未生效",
    SubIndication.SIG_CONSTRAINTS_FAILURE: "签名附带的证书或数据不可靠，无法下结论",
    SubIndication.CHAIN_CONSTRAINTS_FAILURE: "签名证书不能用于签署文件，无法认可",
    SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE: "签名证书的信任链无法核对",
    SubIndication.CRYPTO_CONSTRAINTS_FAILURE: "签名所用的算法已不够安全，无法认可",
    SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE: "签名所用的算法已不够安全，无法认可",
    SubIndication.TIMESTAMP_ORDER_FAILURE: "时间戳的先后次序矛盾，无法下结论",
    SubIndication.NO_SIGNING_CERTIFICATE_FOUND: "找不到签名证书，无法下结论",
    SubIndication.NO_CERTIFICATE_CHAIN_FOUND: "签名证书不是由所信任的机构签发，无法认可",
    SubIndication.REVOKED_NO_POE: "签名证书已被吊销，又无法证明签名在吊销之前",
    SubIndication.REVOKED_CA_NO_POE: "签发机构的证书已被吊销，无法认可",
    SubIndication.OUT_OF_BOUNDS_NO_POE: "核验时签名证书不在有效期内，又无法证明签名在有效期内",
    SubIndication.TRY_LATER: "缺少可用的证书吊销信息，暂时无法下结论",
    SubIndication.SIGNED_DATA_NOT_FOUND: "找不到被签名的内容，无法下结论",
    SubIndication.GENERIC: "验证未能完成，无法下结论",
}

PASSED = "签名有效，文件自签名后未被改动。"
PASSED_LATER = {
    Modifications.NONE: PASSED,
    Modifications.VALIDATION_DATA: "签名有效，签名后只追加了验证资料或时间戳，内容未被改动。",
    Modifications.PERMITTED: "签名有效，签名后只有签名所允许的填写或会签，其余内容未被改动。",
}
NOT_PERMITTED = "签名之后文件被作了不允许的改动。"
NOT_UNDERSTOOD = "签名之后文件有追加内容，无法判断是否属于允许的改动。"
NO_SIGNATURE = "文件没有签名。"
ONLY_USAGE_RIGHTS = "文件没有签名，只带有表单发布者授予阅读软件的使用权。"
VANISHED = "文件里留有签名的痕迹，但签名已被移除或失效，不能当作未签名文件对待。"
NOT_A_PDF = "文件不是 PDF。"
EMPTY = "文件是空的。"
OFD = "文件是 OFD 版式文件，此处不验签。"
UNREADABLE = "PDF 残缺或结构异常，无法读取，不能下结论。"
ENCRYPTED = "PDF 已加密，没有口令无法核验。"
NO_ANCHORS = "没有信任列表，无法确认签名人，不能下结论。"
EMPTY_PLACEHOLDER = "文件里有空白的签名占位，签名并未完成。"
UNUSUAL_HEADER = "文件开头有 PDF 以外的内容，不同软件可能读出不同结果，不能下结论。"
LIMIT_TIME = "验证超过时间限制，已中止，不能下结论。"
LIMIT_MEMORY = "验证超过内存限制，已中止，不能下结论。"
LIMIT_SIZE = "文件超过大小限制，未作验证，不能下结论。"
LIMIT_SIGNATURES = "文件里签名或签名痕迹过多，超过限制，不能下结论。"
LIMIT_OBJECTS = "文件的页数、对象或嵌套超过限制，不能下结论。"
BUSY = "同时验证的文件过多，请稍后再试。"
CRASHED = "验证过程异常中止，不能下结论。"


def for_problem(problem: SubIndication, detail: str = "") -> str:
    """Return the sentence for a sub-indication; `detail` is a Chinese clause that says more."""
    if detail:
        return said("%(sentence)s（%(detail)s）。", sentence=_SUB[problem], detail=detail)
    return said("%(sentence)s。", sentence=_SUB[problem])


def remembered(text: str) -> str:
    """Return a sentence that crossed a process as plain text, made again of its parts, for pages in any language."""
    clause, _, detail = text.removesuffix("。").removesuffix("）").partition("（")
    problem = next((one for one, known in _SUB.items() if known == clause), None)
    made = text if problem is None else for_problem(problem, detail)
    return made if made == text else text
