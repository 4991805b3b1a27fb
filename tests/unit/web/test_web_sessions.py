from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cert_registry.web.sessions import SessionStore, WebSession
from cert_registry.web.sign_in import _own_path

NOW = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)
SESSION = WebSession(client_id="portal", subject="s-1", sid="sid-1", content={"name": "林**"})


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore(tmp_path / "s.db", idle=dt.timedelta(minutes=30), longest=dt.timedelta(hours=8))


def test_a_session_is_found_by_its_secret_and_only_for_its_client(store: SessionStore) -> None:
    secret = store.start(SESSION, now=NOW)
    assert store.find(secret, client_id="portal", now=NOW) == SESSION
    assert store.find(secret, client_id="officer-desk", now=NOW) is None
    assert store.find(secret + "x", client_id="portal", now=NOW) is None


def test_the_secret_itself_is_not_kept(store: SessionStore, tmp_path: Path) -> None:
    secret = store.start(SESSION, now=NOW)
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert secret.encode() not in kept


def test_idle_and_old_sessions_end(store: SessionStore) -> None:
    secret = store.start(SESSION, now=NOW)
    assert store.find(secret, client_id="portal", now=NOW + dt.timedelta(minutes=31)) is None
    now = NOW
    while now < NOW + dt.timedelta(hours=8):
        assert store.find(secret, client_id="portal", now=now)
        now += dt.timedelta(minutes=20)
    assert store.find(secret, client_id="portal", now=now) is None


def test_who_was_signed_in_is_known_after_the_session_ran_out_but_not_after_a_sign_out(
    store: SessionStore,
) -> None:
    secret = store.start(SESSION, now=NOW)
    assert store.find(secret, client_id="portal", now=NOW + dt.timedelta(hours=1)) is None
    assert store.lately(secret, client_id="portal") == SESSION
    assert store.lately(secret, client_id="officer-desk") is None
    store.end(secret)
    assert store.lately(secret, client_id="portal") is None


def test_a_logout_notice_ends_the_named_session_only(store: SessionStore) -> None:
    mine = store.start(SESSION, now=NOW)
    other = store.start(WebSession(client_id="portal", subject="s-2", sid="sid-2", content={}), now=NOW)
    assert store.end_by_notice(client_id="portal", sid="sid-1", subject=None) == 1
    assert store.find(mine, client_id="portal", now=NOW) is None
    assert store.find(other, client_id="portal", now=NOW)
    assert store.end_by_notice(client_id="portal", sid=None, subject="s-2") == 1


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil", "https://evil.example", "javascript:1", "", None, "my"]
)
def test_sign_in_never_returns_elsewhere(path: str | None) -> None:
    assert _own_path(path, otherwise="/my") == "/my"


@given(st.text(alphabet="/\\:.@?#ab", max_size=12))
def test_what_is_kept_is_a_path_of_this_site(path: str) -> None:
    kept = _own_path(path, otherwise="/my")
    assert kept.startswith("/")
    assert not kept.startswith(("//", "/\\"))


def test_own_paths_are_kept() -> None:
    assert _own_path("/my/ecerts?x=1", otherwise="/") == "/my/ecerts?x=1"
