"""Messages that tell a person what happened to their account; they carry no code and ask for nothing."""

import logging
from datetime import datetime
from enum import Enum

from idp.errors import SmsRefused
from idp.mobile_number import MobileNumber
from idp.ports import SmsGateway

_LOGGER = logging.getLogger(__name__)
_HEAD = "【示例省政务服务】"
_TAIL = "不是本人办理的，请立即到就近政务服务窗口挂失。"


class Notice(Enum):
    """What happened; the values are the sentences."""

    ENTERED_WITH_ANOTHER_PHONE = "有人用另一部手机通过实名核验登录了您的账号。"
    TRIED_WITH_ANOTHER_PHONE = "有人用另一部手机核验您的身份，没有通过。"
    RAISED = "您的实名等级已提升为 RN3，其他设备上的登录已全部退出。"
    DISPLACED = "您名下用本手机号开通的账号已停用：本人已用更强的方式核验了身份。"
    WAITING_MATCHES = "您提交的实名信息已核对一致，请回到网站点“实名认证登录”完成。"
    WAITING_DIFFERS = "您提交的实名信息核对没有通过，请回到网站重新核验，页面会说明原因和办法。"
    FROZEN = "您的账号已按挂失停用，登录已全部结束。恢复使用请带身份证原件到政务服务窗口核验。"
    PHONE_CHANGED = "您账号的手机号已更换，以后请用新手机号登录。"
    NAME_CHANGED = "您账号的姓名已按人口库的登记更新。"
    NAME_DIFFERS_NOW = "人口库中您的登记姓名与账号不一致。请登录后重新实名核验，更新账号的姓名。"
    CONSENT_WITHDRAWN = "您已撤回对一个网站的授权，在该网站的登录已结束。"
    CLOSED = "您的账号已注销，登录已全部结束。"
    DEATH_REPORTED = "人口库登记您的身份已注销，账号已停用。登记有误的，请带身份证原件到政务服务窗口办理。"
    OPENED = "您的身份已核验为 RN3。以后请用本手机号登录。"


class Notices:
    """Sends notices; one that cannot be sent changes nothing else."""

    def __init__(self, gateway: SmsGateway) -> None:
        self._gateway = gateway

    def send(self, mobile: MobileNumber, notice: Notice, *, now: datetime) -> None:
        """Hands a notice over; a refusal is logged by its code."""
        try:
            self._gateway.send(mobile, f"{_HEAD}{notice.value}{_TAIL}", now=now)
        except SmsRefused as error:
            _LOGGER.warning("a notice was not sent: %s", error.code)
