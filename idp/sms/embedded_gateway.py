"""The embedded SMS gateway: a message is a row that the operator's page shows. Demonstration only."""

from datetime import UTC, datetime

from sqlalchemy import Engine, delete, insert, select

from idp.mobile_number import MobileNumber
from idp.ports import SentMessage
from idp.store.marks import DAY_S, seconds
from idp.store.tables import sms_messages


class EmbeddedSmsGateway:
    """An `SmsGateway` without a phone network."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def send(self, mobile: MobileNumber, text: str, *, now: datetime) -> None:
        """Keeps the message for a day."""
        with self._engine.begin() as connection:
            connection.execute(delete(sms_messages).where(sms_messages.c.at <= seconds(now) - DAY_S))
            connection.execute(insert(sms_messages).values(mobile=mobile, text=text, at=seconds(now)))

    def sent(self, *, limit: int = 50) -> tuple[SentMessage, ...]:
        """The newest messages, newest first."""
        query = select(sms_messages).order_by(sms_messages.c.id.desc()).limit(limit)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(
            SentMessage(
                mobile=row["mobile"], text=row["text"], sent_at=datetime.fromtimestamp(row["at"], UTC)
            )
            for row in rows
        )
