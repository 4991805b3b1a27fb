"""Terms for the ecerts of before there were any."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, final

from sqlalchemy import delete, func, select

from cert_registry.store.engine import insert_missing
from cert_registry.store.registration import face_binding
from cert_registry.store.tables import ECERT_TERMS, ECERT_TERMS_DUE, ECERTS

if TYPE_CHECKING:
    from cert_registry.ports import DataCipher, TermSource
    from cert_registry.store.engine import Database


@final
class SqlTermFilling:
    """Gives terms to the ecerts that were registered before there was an index.

    The migration lists them; each batch is one transaction, so a crash repeats at most one, and two processes
    at it do no harm.
    """

    def __init__(self, *, database: Database, cipher: DataCipher, terms: TermSource) -> None:
        self._database = database
        self._cipher = cipher
        self._terms = terms

    def fill(self, *, batch: int = 500) -> int:
        """Index some that are due; return how many there were.

        Raises:
            TokenBusyOrGone: A key was due and the token does not answer.
            ObjectMissing: A face is damaged; nothing of the batch is written.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                select(ECERTS.c.identifier, ECERTS.c.issuer_code, ECERTS.c.type_code, ECERTS.c.face_sealed)
                .join(ECERT_TERMS_DUE, ECERT_TERMS_DUE.c.identifier == ECERTS.c.identifier)
                .order_by(ECERT_TERMS_DUE.c.identifier)
                .limit(batch)
            ).all()
        made = [
            (
                row.identifier,
                self._terms.terms_of(issuer_code=row.issuer_code, type_code=row.type_code, face=face),
            )
            for row, face in (
                (
                    row,
                    json.loads(
                        self._cipher.decrypt(row.face_sealed, associated_data=face_binding(row.identifier))
                    ),
                )
                for row in rows
            )
        ]
        if made:
            with self._database.writing() as connection:
                for identifier, terms in made:
                    for term in terms:
                        insert_missing(connection, ECERT_TERMS, term=term, identifier=identifier)
                connection.execute(
                    delete(ECERT_TERMS_DUE).where(ECERT_TERMS_DUE.c.identifier.in_([one for one, _ in made]))
                )
        return len(made)

    def due(self) -> int:
        """How many ecerts have no terms yet."""
        with self._database.reading() as connection:
            return int(connection.scalar(select(func.count()).select_from(ECERT_TERMS_DUE)) or 0)
