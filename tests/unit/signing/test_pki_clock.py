"""The clock is believed only as far as the last stamp and the time servers let it."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sntp_simulator import SntpSimulator, stamp

from cert_registry.signing.errors import ConfigurationError
from cert_registry.signing.pki.clock import ClockPolicy, ClockWatch, TimeNotAvailable, distance
from cert_registry.signing.pki.clock_settings import UNWATCHED, ClockSettings, describe
from cert_registry.signing.pki.register import AuthorityRegister
from cert_registry.signing.pki.sntp import (
    ClockOffset,
    PeerUnavailable,
    SntpPeer,
    moment_of,
    read_answer,
)

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[SntpSimulator]:
    simulator = SntpSimulator()
    yield simulator
    simulator.close()


def peer(simulator: SntpSimulator, timeout_s: float = 20.0) -> SntpPeer:
    return SntpPeer("127.0.0.1", simulator.port, timeout_s=timeout_s)


def test_a_right_clock_is_close_and_a_wrong_one_is_not(server: SntpSimulator) -> None:
    found = peer(server).offset()
    assert abs(found.ahead) <= found.uncertainty + timedelta(milliseconds=50)
    server.ahead_s = -90.0
    found = peer(server).offset()
    assert abs(found.ahead + timedelta(seconds=90)) <= found.uncertainty + timedelta(milliseconds=50)


@pytest.mark.parametrize(
    "lie",
    [
        {"echo": False},
        {"leap": 3},
        {"stratum": 0},
        {"stratum": 16},
        {"mode": 3},
        {"mode": 5},
        {"cut": 47},
        {"cut": 0},
        {"root_dispersion_s": 4.0},
    ],
)
def test_what_cannot_be_believed_is_no_answer(server: SntpSimulator, lie: dict[str, object]) -> None:
    for name, value in lie.items():
        setattr(server, name, value)
    with pytest.raises(PeerUnavailable):
        peer(server).offset()
    assert server.asked == 1


def test_silence_and_closed_ports_are_no_answer(server: SntpSimulator) -> None:
    server.silent = True
    with pytest.raises(PeerUnavailable):
        peer(server, timeout_s=0.2).offset()
    with pytest.raises(PeerUnavailable):
        SntpPeer("no-such-host.invalid", 123).offset()


@given(st.binary(max_size=64))
def test_no_packet_breaks_the_reader(packet: bytes) -> None:
    try:
        read_answer(packet, token=7, sent_at=NOW.timestamp(), took_s=0.1, name="x")
    except PeerUnavailable:
        return


def test_the_era_after_2036_is_told_from_the_first() -> None:
    after = datetime(2036, 2, 7, 7, 0, tzinfo=UTC)  # the 32-bit seconds begin anew at 06:28:16
    assert stamp(after.timestamp()) >> 32 < 10_000
    assert moment_of(stamp(after.timestamp()), near=after + timedelta(days=3)) == after


def test_a_clock_that_went_back_is_refused_also_by_a_new_process(tmp_path: Path) -> None:
    watch = ClockWatch(AuthorityRegister(tmp_path / "authority.db"))
    watch.admit(NOW)
    watch.admit(NOW - timedelta(seconds=1))  # within what is tolerated
    again = ClockWatch(AuthorityRegister(tmp_path / "authority.db"))
    for one in (watch, again):
        with pytest.raises(TimeNotAvailable):
            one.admit(NOW - timedelta(seconds=5))
        with pytest.raises(TimeNotAvailable):
            one.check(NOW - timedelta(seconds=5))
    again.admit(NOW + timedelta(seconds=3))


def test_the_mark_is_never_more_than_a_second_behind(tmp_path: Path) -> None:
    register = AuthorityRegister(tmp_path / "authority.db")
    watch = ClockWatch(register)
    for step in range(60):
        at = NOW + timedelta(milliseconds=137 * step)
        watch.admit(at)
        newest = register.mark("tsa-newest-stamp")
        assert newest is not None
        assert timedelta() <= at - newest < timedelta(seconds=1)


def test_an_operator_can_take_back_a_jump(tmp_path: Path) -> None:
    register = AuthorityRegister(tmp_path / "authority.db")
    watch = ClockWatch(register)
    ahead = NOW + timedelta(days=400)
    watch.admit(ahead)
    with pytest.raises(TimeNotAvailable):
        watch.admit(NOW)
    assert watch.accept(NOW) == ahead
    watch.admit(NOW)
    with pytest.raises(TimeNotAvailable):
        ClockWatch(register).admit(NOW - timedelta(seconds=10))


def test_time_servers_stop_a_clock_that_is_off(tmp_path: Path, server: SntpSimulator) -> None:
    register = AuthorityRegister(tmp_path / "authority.db")
    policy = ClockPolicy(apart=timedelta(seconds=30))
    ClockWatch(register, peers=[peer(server)], policy=policy).admit(datetime.now(UTC))
    server.ahead_s = 300.0
    watch = ClockWatch(register, peers=[peer(server)], policy=policy)
    with pytest.raises(TimeNotAvailable, match="away from the time servers"):
        watch.admit(datetime.now(UTC))
    assert server.asked == 2  # once a watch, not once a stamp
    with pytest.raises(TimeNotAvailable):
        watch.admit(datetime.now(UTC))
    assert server.asked == 2


def test_without_an_answer_the_clock_is_believed_for_a_time(tmp_path: Path, server: SntpSimulator) -> None:
    server.silent = True
    register = AuthorityRegister(tmp_path / "authority.db")
    silent = peer(server, timeout_s=0.2)
    ClockWatch(register, peers=[silent]).admit(datetime.now(UTC))
    impatient = ClockWatch(register, peers=[silent], policy=ClockPolicy(alone=timedelta(microseconds=1)))
    time.sleep(0.01)
    with pytest.raises(TimeNotAvailable, match="No time server"):
        impatient.admit(datetime.now(UTC))


def offset(ahead_s: float, uncertainty_s: float = 0.0) -> ClockOffset:
    return ClockOffset(ahead=timedelta(seconds=ahead_s), uncertainty=timedelta(seconds=uncertainty_s))


@pytest.mark.parametrize(
    ("offsets", "apart_s"),
    [
        ([offset(0.4)], 0.4),
        ([offset(-3, 1)], 2),
        ([offset(0.1), offset(0), offset(900)], 0.1),  # one liar of three
        ([offset(0), offset(900)], 900),  # two that disagree
        ([offset(2, 5)], 0),
    ],
)
def test_most_time_servers_decide(offsets: list[ClockOffset], apart_s: float) -> None:
    assert distance(offsets) == timedelta(seconds=apart_s)


def test_settings_are_read_strictly() -> None:
    assert ClockSettings.read(None) == ClockSettings()
    assert ClockSettings.read(UNWATCHED) is None
    read = ClockSettings.read({"apart_s": 0.5, "peers": ["ntp.example:1123", "[::1]", "10.0.0.1"]})
    assert read is not None
    assert read.policy.apart == timedelta(seconds=0.5)
    assert read.peers == (("ntp.example", 1123), ("::1", 123), ("10.0.0.1", 123))
    for wrong in (
        "off",
        {"apart": 1},
        {"apart_s": 0},
        {"apart_s": True},
        {"peers": "ntp"},
        {"peers": ["a b"]},
        {"peers": ["ntp:99999"]},
    ):
        with pytest.raises(ConfigurationError):
            ClockSettings.read(wrong)


def test_doctor_hears_what_speaks_for_and_against_the_clock(tmp_path: Path, server: SntpSimulator) -> None:
    now = datetime.now(UTC)
    ClockWatch(AuthorityRegister(tmp_path / "authority.db")).admit(now)
    assert "no time servers" in describe(None, tmp_path, now=now)
    section = {"peers": [f"127.0.0.1:{server.port}"], "apart_s": 30}
    assert "1 time servers" in describe(section, tmp_path, now=now)
    assert "not watched" in describe(UNWATCHED, tmp_path, now=now)
    with pytest.raises(TimeNotAvailable):
        describe(None, tmp_path, now=now - timedelta(minutes=1))
    server.ahead_s = 3600
    with pytest.raises(TimeNotAvailable):
        describe(section, tmp_path, now=now)
