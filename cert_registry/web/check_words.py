"""What was asked of an ecert, and what was answered, in words."""

from typing import Final

CHECK_TITLES: Final = {
    "verify": "查验真伪和状态",
    "compare": "比对",
    "read": "读取",
    "requirements": "查询是否已持有",
    "show": "查看完整内容",
    "export": "导出完整内容",
    "download": "下载",
}

_ANSWER_TITLES: Final = {
    "valid": "登记有效",
    "suspended": "登记暂扣",
    "revoked": "登记已撤销、吊销或注销",
    "expired": "登记已过有效期",
    "not-yet-valid": "登记尚未生效",
    "altered": "文件被改动",
    "unregistered": "登记中没有",
    "unknown": "没有查到",
    "not-ours": "不是本系统的证照",
    "not-checked": "没有核验",
    "TOTAL-PASSED": "印章有效",
    "TOTAL-FAILED": "印章无效",
    "INDETERMINATE": "印章不能确定",
    "NO-SIGNATURE": "文件没有印章",
    "NOT-A-PDF": "不是 PDF 文件",
    "NOT-CHECKED": "没有出示文件",
    "differs": "比对有不一致",
    "held": "已持有，有效",
    "held-not-valid": "已持有，目前无效",
    "not-held": "未持有",
    "not-a-certificate": "不是证照",
    "needs-authorisation": "须本人授权，没有告知",
}


def answer_words(answer: str) -> tuple[str, ...]:
    """The parts of a recorded summary in words; a part that has none is told as it stands."""
    return tuple(_ANSWER_TITLES.get(part, part) for part in answer.split("; "))
