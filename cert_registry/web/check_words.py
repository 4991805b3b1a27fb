"""What was asked of an ecert, in words."""

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
