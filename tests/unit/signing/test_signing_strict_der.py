import pytest
from hypothesis import given
from hypothesis import strategies as st

from cert_registry.signing.strict_der import check_der


@pytest.mark.parametrize(
    "good",
    [
        "3003020101",
        "0500",
        "0101ff",
        "02020080",
        "0201ff",
        "3100",
        "a0030c0161",
        "310602010102 0102".replace(" ", ""),
    ],
)
def test_der_is_accepted(good: str) -> None:
    check_der(bytes.fromhex(good))


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "30",
        "300302010100",  # something follows
        "3080020101 0000".replace(" ", ""),  # indefinite length
        "308103020101",  # long form where short would do
        "02020001",  # integer with a leading zero
        "0202ff80",
        "0200",
        "010101",  # boolean neither 00 nor FF
        "1003020101",  # sequence in primitive form
        "2403040161",  # octet string in constructed form
        "3106020102020101",  # unsorted set
        "1f8100",  # high tag number
        "30050201",
    ],
)
def test_everything_else_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        check_der(bytes.fromhex(bad))


def test_deep_nesting_is_refused() -> None:
    value = b"\x05\x00"
    for _ in range(40):
        value = b"\x30" + bytes([len(value)]) + value
    with pytest.raises(ValueError, match="deeply"):
        check_der(value)


@given(st.binary(max_size=60))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    try:
        check_der(data)
    except ValueError:
        return
    assert len(data) >= 2
