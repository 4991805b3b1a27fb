"""What stands where a deployment has not configured a part: it says so, and proves nobody."""

from datetime import datetime

from idp.errors import OwnershipUnavailable, SmsRefused
from idp.identity.citizen_number import CitizenNumber
from idp.identity.person_name import NormalisedName
from idp.mobile_number import MobileNumber


class UnconfiguredMobileOwnership:
    """A `MobileOwnership` that never answers."""

    def is_registered_to(self, mobile: MobileNumber, number: CitizenNumber, name: NormalisedName) -> bool:
        """Raises.

        Raises:
            OwnershipUnavailable: `ownership-not-configured`.
        """
        del mobile, number, name
        raise OwnershipUnavailable("没有配置手机号实名核验服务。", code="ownership-not-configured")


class UnconfiguredSmsGateway:
    """An `SmsGateway` that sends nothing: outside a demonstration nobody would see the messages."""

    def send(self, mobile: MobileNumber, text: str, *, now: datetime) -> None:
        """Raises.

        Raises:
            SmsRefused: `gateway`.
        """
        del mobile, text, now
        raise SmsRefused("短信服务暂时不能使用，请稍后再试，或到政务服务窗口办理。", code="gateway")
