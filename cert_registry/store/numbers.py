"""Running numbers of certificates: per issuer, type and year, one for each case, never given twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from cert_registry.errors import StoreUnavailable
from cert_registry.store.tables import CERTIFICATE_NUMBERS

if TYPE_CHECKING:
    from sqlalchemy import Select

    from cert_registry.store.engine import Database
    from cert_registry.types import IssueKey


@final
class SqlNumbers:
    """The running numbers in SQL."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def sequence_for(self, key: IssueKey, *, year: int) -> int:
        """The running number of this case, given now or found.

        Raises:
            StoreUnavailable: Others took the number five times in a row.
        """
        with self._database.reading() as connection:
            held = connection.scalar(_of_case(key))
        return self.assign(key, year=year) if held is None else int(held)

    def assign(self, key: IssueKey, *, year: int) -> int:
        """As `sequence_for`, where most likely none was given yet.

        Raises:
            StoreUnavailable: Others took the number five times in a row.
        """
        table, of_case = CERTIFICATE_NUMBERS, _of_case(key)
        for _attempt in range(5):
            try:
                with self._database.writing() as connection:
                    held = connection.scalar(of_case)
                    if held is not None:
                        return int(held)
                    last = connection.scalar(
                        select(func.max(table.c.sequence)).where(
                            table.c.issuer_code == key.issuer_code,
                            table.c.type_code == key.type_code,
                            table.c.year == year,
                        )
                    )
                    sequence = 1 if last is None else int(last) + 1
                    connection.execute(
                        insert(table),
                        {
                            "issuer_code": key.issuer_code,
                            "type_code": key.type_code,
                            "year": year,
                            "sequence": sequence,
                            "case_number": key.case_number,
                            "service_item": key.service_item,
                        },
                    )
                    return sequence
            except IntegrityError:  # another process took it (PostgreSQL); look again
                continue
        raise StoreUnavailable("no running number could be had")


def _of_case(key: IssueKey) -> Select[Any]:
    table = CERTIFICATE_NUMBERS
    return select(table.c.sequence).where(
        table.c.issuer_code == key.issuer_code,
        table.c.type_code == key.type_code,
        table.c.case_number == key.case_number,
        table.c.service_item == key.service_item,
    )
