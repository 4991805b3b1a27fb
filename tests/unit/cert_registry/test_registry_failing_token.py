"""A batch of issues while the token restarts, fails and hangs: all are issued in the end, none is sealed twice."""

from __future__ import annotations

import functools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from registry_rooms import food_order, open_rooms
from sqlalchemy import func, select

from cert_registry.composition import RegistryRooms
from cert_registry.errors import LogUnavailable, TokenBusyOrGone
from cert_registry.issuance import issue
from cert_registry.store.tables import ECERTS, INTENTS
from cert_registry.types import IssuedEcert
from hsm_sim.failing import FailingToken
from tests.fixtures_failing_token import failing as failing  # noqa: PLC0414 - a fixture to hand on
from tests.fixtures_failing_token import failing_module as failing_module  # noqa: PLC0414 - likewise

pytestmark = pytest.mark.thorough

COUNT = 10


@pytest.mark.filterwarnings(
    # python-pkcs11 ends a search also when its session has gone, and tells of it where nobody can catch it
    "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_the_batch_goes_on_and_nothing_is_sealed_twice(
    failing_module: Path, failing: FailingToken, ceremony_state: Path, tmp_path: Path
) -> None:
    rooms = open_rooms(ceremony_state, tmp_path, module_path=failing_module)

    def until_issued(number: int) -> IssuedEcert:
        for _ in range(60):
            try:
                return issue(food_order(rooms, f"FAIL-{number}"), room=rooms.issuing, now=datetime.now(UTC))
            except (TokenBusyOrGone, LogUnavailable):  # the log's key is in that token too
                time.sleep(0.2)
        raise AssertionError(f"issue {number} was refused to the end")

    def misbehave() -> None:
        errors = functools.partial(failing.fail, "C_Sign", "DEVICE_ERROR")
        for failure in (failing.drop_sessions, errors, failing.remove, failing.spoil):
            time.sleep(0.4)
            failure()
            time.sleep(0.4)
            failing.heal()

    troublemaker = threading.Thread(target=misbehave)
    troublemaker.start()
    with ThreadPoolExecutor(3) as pool:
        issued = list(pool.map(until_issued, range(COUNT)))
    troublemaker.join()
    rooms.recover()
    _check(rooms, issued)


def _check(rooms: RegistryRooms, issued: list[IssuedEcert]) -> None:
    with rooms.database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(INTENTS)) == COUNT
        assert connection.scalar(select(func.count()).select_from(ECERTS)) == COUNT
    assert len({one.identifier for one in issued}) == COUNT
    assert len({one.file_digest for one in issued}) == COUNT
    for number, one in enumerate(issued):
        assert rooms.registry.by_identifier(one.identifier, one.check_code).file_digest == one.file_digest
        again = issue(food_order(rooms, f"FAIL-{number}"), room=rooms.issuing, now=datetime.now(UTC))
        assert again.file_digest == one.file_digest  # the same file, not another seal of it
