"""A database from before seals had a life: its seals are taken over with their state, uses, an event and a leaf."""

from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from sqlalchemy import text

from cert_registry.organisations.repository import read_revision
from cert_registry.seals.book import SqlSeals
from cert_registry.seals.types import SealAct, SealState
from cert_registry.store.engine import open_database
from cert_registry.store.migrate import alembic_config, upgrade
from cert_registry.store.outbox import SqlOutbox


def test_old_seals_keep_their_state_and_their_uses(tmp_path: Path) -> None:
    database = open_database(tmp_path / "registry.db")
    with database.writing() as connection:
        command.upgrade(alembic_config(connection), "0002")
        connection.execute(
            text(
                "INSERT INTO org_departments (code, slug, name, area_code, level)"
                " VALUES ('119901000000002037', 'city-market', '示例市市场监督管理局', '990100', 'city')"
            )
        )
        for number, state in enumerate(("active", "suspended", "revoked")):
            connection.execute(
                text(
                    "INSERT INTO org_seals (seal_id, department, name, kind, key_label, shape, state, types,"
                    " valid_from) VALUES (:id, '119901000000002037', '章', '证照专用章', :id, 'ring', :state,"
                    " '[\"food-business-licence\"]', '2018-01-01')"
                ),
                {"id": f"seal-{number}", "state": state},
            )
        connection.execute(
            text(
                "INSERT INTO intents (intent_id, issuer_code, case_number, type_code, service_item, identifier,"
                " stage, requested_by, created_at, problem) VALUES ('i', 'x', 'c', 't', 's', 'id', 'sealed',"
                " 'r', '2026-01-01 00:00:00.000000', '')"
            )
        )
        for _ in range(2):  # one document, tried twice
            connection.execute(
                text(
                    "INSERT INTO seal_uses (intent_id, seal_id, rendered_digest, started_at, outcome)"
                    " VALUES ('i', 'seal-0', 'd', '2026-01-01 00:00:00.000000', 'started')"
                )
            )
    upgrade(database)
    book = SqlSeals(database=database)
    seals = book.listed()
    assert [(one.seal_id, one.state, one.used) for one in seals] == [
        ("seal-0", SealState.ACTIVE, 1),
        ("seal-1", SealState.SUSPENDED, 0),
        ("seal-2", SealState.REVOKED, 0),
    ]
    (event,) = book.events(seals[0].seal_id)
    assert event.act is SealAct.TAKE_OVER
    assert event.recorded_at.tzinfo is UTC
    assert (datetime.now(UTC) - event.recorded_at).total_seconds() < 600
    waiting = SqlOutbox(database=database).waiting(10)
    assert [(leaf.subject, leaf.kind) for leaf in waiting] == [(one.seal_id, "seal-changed") for one in seals]
    with database.reading() as connection:
        assert read_revision(connection) == 0
