import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy import ports
from deploy.configuration import PORT_NAMES
from deploy.errors import BadUsage, PortTaken

STATE = Path("/srv/one")


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        yield listener.getsockname()[1]


def numbers(chosen: ports.Ports) -> list[int]:
    return [getattr(chosen, name) for name in PORT_NAMES]


def test_chosen_ports_differ_and_are_free() -> None:
    chosen = numbers(ports.choose(STATE, asked={}))
    assert len(set(chosen)) == len(PORT_NAMES)
    assert all(ports.is_free(port) for port in chosen)


def test_two_state_directories_do_not_meet_even_before_they_listen() -> None:
    here, there = (set(numbers(ports.choose(Path(path), asked={}))) for path in ("/srv/one", "/srv/two"))
    assert not here & there


def test_a_taken_port_in_the_block_is_stepped_over() -> None:
    first = ports.choose(STATE, asked={})
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", first.keycloak))
        listener.listen(1)
        second = ports.choose(STATE, asked={})
    assert first.keycloak not in numbers(second)


def test_a_port_asked_for_is_taken_as_it_is() -> None:
    free = ports.choose(Path("/srv/other"), asked={}).service
    assert ports.choose(STATE, asked={"service": free}).service == free


def test_a_taken_port_names_its_holder(taken: int) -> None:
    with pytest.raises(
        PortTaken, match=rf"Port {taken} \(service\) is taken .* \(.+, process {os.getpid()}\)"
    ) as caught:
        ports.choose(STATE, asked={"service": taken})
    assert caught.value.exit_code == 3


def test_a_listener_on_ipv6_alone_counts_as_taken() -> None:
    with socket.socket(socket.AF_INET6) as listener:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(("::1", 0))
        listener.listen(1)
        assert not ports.is_free(listener.getsockname()[1])


def test_the_same_port_twice_is_refused() -> None:
    with pytest.raises(BadUsage, match="same port"):
        ports.choose(STATE, asked={"service": 20001, "keycloak": 20001})


def test_options_win_over_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGZHENG_PORT_SERVICE", "8001")
    monkeypatch.setenv("LONGZHENG_PORT_SITE_A", "8002")
    assert ports.asked_for(["service=9001", "site-b=9002"]) == {
        "service": 9001,
        "site_a": 8002,
        "site_b": 9002,
    }


@pytest.mark.parametrize(
    "option", ["service", "service=", "service=0", "service=65536", "service=８０", "nobody=80"]
)
def test_a_wrong_option_is_bad_usage(option: str) -> None:
    with pytest.raises(BadUsage):
        ports.asked_for([option])


@given(text=st.text(max_size=12))
@settings(max_examples=200)
def test_any_option_is_a_port_or_bad_usage(text: str) -> None:
    try:
        asked = ports.asked_for([f"service={text}"])
    except BadUsage:
        return
    assert 0 < asked["service"] < 65536
