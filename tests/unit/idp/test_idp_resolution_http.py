"""The registry's side of resolving a holder, against the real endpoint over TCP."""

import sqlite3
import threading
from collections.abc import Iterator

import pytest
from flask import Flask, Response
from realname_world import World
from werkzeug.serving import BaseWSGIServer, make_server

from idp.identity.assurance import RealnameLevel
from idp.identity.errors import AccessTokenRefused, NotProved, ResolverUnavailable
from idp.identity.resolution_http import HttpHolderResolver
from idp.store.persons import PersonState


def serve(app: Flask) -> Iterator[BaseWSGIServer]:
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def served(world: World) -> Iterator[HttpHolderResolver]:
    for server in serve(world.app):
        yield HttpHolderResolver(f"http://127.0.0.1:{server.server_port}/idp/v1/holder")


def reference_in(world: World) -> str:
    world.code(world.browser())
    database = sqlite3.connect(world.database)
    (reference,) = database.execute("SELECT realname_ref FROM persons").fetchone()
    database.close()
    return str(reference)


def test_both_resolvers_answer_alike(world: World, served: HttpHolderResolver) -> None:
    token = world.access_token(reference_in(world))
    resolved = served.resolve(token, now=world.clock())
    assert resolved == world.provider.resolver.resolve(token, now=world.clock())
    assert (resolved.level, resolved.verified_at) == (RealnameLevel.RN2, world.clock())
    assert resolved.name not in repr(resolved)


def test_refusals_keep_their_codes(world: World, served: HttpHolderResolver) -> None:
    reference = reference_in(world)
    with pytest.raises(AccessTokenRefused) as refused:
        served.resolve(world.access_token(reference, exp=1), now=world.clock())
    assert refused.value.code == "expired"
    world.provider.persons.set_state(reference, PersonState.UNLINKED)
    with pytest.raises(NotProved) as not_proved:
        served.resolve(world.access_token(reference), now=world.clock())
    assert not_proved.value.code == "unlinked"


def test_nobody_there_and_nonsense_are_unavailable(world: World) -> None:
    with pytest.raises(ResolverUnavailable):
        HttpHolderResolver("http://127.0.0.1:1/idp/v1/holder").resolve("t", now=world.clock())
    nonsense = Flask("nonsense")
    nonsense.add_url_rule(
        "/idp/v1/holder",
        "holder",
        lambda: Response('{"level": "RN9"}', mimetype="application/json"),
        methods=["POST"],
    )
    for server in serve(nonsense):
        resolver = HttpHolderResolver(f"http://127.0.0.1:{server.server_port}/idp/v1/holder")
        with pytest.raises(ResolverUnavailable):
            resolver.resolve("t", now=world.clock())
