"""Codes by themselves: what one is bound to."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from idp.errors import CodeRefused
from idp.mobile_number import MobileNumber
from idp.settings import Limits
from idp.sms.codes import SmsCodes
from idp.sms.embedded_gateway import EmbeddedSmsGateway
from idp.store.database import migrate, open_database
from idp.store.marks import Marks

NOW = datetime(2026, 11, 22, tzinfo=UTC)
OWN, FOREIGN = MobileNumber("13900000009"), MobileNumber("13900000001")


@pytest.fixture
def codes(tmp_path: Path) -> Iterator[tuple[SmsCodes, EmbeddedSmsGateway]]:
    engine = open_database(f"sqlite:///{tmp_path / 'idp.db'}")
    migrate(engine)
    gateway = EmbeddedSmsGateway(engine)
    # A mac that keeps different messages apart is all that is asked of it here.
    yield SmsCodes(engine, gateway, Marks(lambda message: message[-32:]), Limits()), gateway
    engine.dispose()


def test_a_code_sent_to_one_phone_proves_no_other(codes: tuple[SmsCodes, EmbeddedSmsGateway]) -> None:
    sms, gateway = codes
    sms.send("visit", OWN, address="a", now=NOW)
    code = gateway.sent()[0].text.split("验证码 ")[1][:6]
    with pytest.raises(CodeRefused) as refused:
        sms.check("visit", FOREIGN, code, now=NOW)
    assert refused.value.code == "wrong"
    sms.check("visit", OWN, code, now=NOW)
    with pytest.raises(CodeRefused) as refused:
        sms.check("visit", OWN, code, now=NOW)
    assert refused.value.code == "not-sent"
