from __future__ import annotations

import base64
import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cert_registry.errors import RequestMalformed
from cert_registry.status_list import encode_list, read_status, sign_list
from cert_registry.types import EcertState

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("bits", "values", "lst"),
    [  # draft-ietf-oauth-status-list-21, section 4.1
        (1, [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1], "eNrbuRgAAhcBXQ"),
        (2, [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3], "eNo76fITAAPfAgc"),
    ],
)
def test_vectors_of_the_draft(bits: int, values: list[int], lst: str) -> None:
    assert encode_list(enumerate(values), length=len(values), bits=bits) == lst
    assert [read_status(lst, index, bits=bits) for index in range(len(values))] == values


@given(st.lists(st.integers(0, 3), min_size=4, max_size=64).filter(lambda values: len(values) % 4 == 0))
def test_what_is_written_is_read(values: list[int]) -> None:
    lst = encode_list(enumerate(values), length=len(values))
    assert [read_status(lst, index, bits=2) for index in range(len(values))] == values


@pytest.mark.parametrize("index", [-1, 12])
def test_an_index_outside_is_refused(index: int) -> None:
    with pytest.raises(RequestMalformed):
        read_status("eNo76fITAAPfAgc", index, bits=2)


def test_a_broken_list_is_refused() -> None:
    with pytest.raises(RequestMalformed):
        read_status("AAAA", 0, bits=2)


def test_the_token_tells_states_and_nothing_else() -> None:
    token = sign_list(
        [(0, EcertState.VALID), (5, EcertState.PENALLY_REVOKED), (9, EcertState.SUSPENDED)],
        uri="https://x/status-lists/1",
        length=16,
        x5c=[b"der"],
        sign=lambda _: bytes(64),
        now=NOW,
    )
    header, payload, _ = (
        json.loads(base64.urlsafe_b64decode(part + "==")) if number < 2 else part
        for number, part in enumerate(token.split("."))
    )
    assert header["typ"] == "statuslist+jwt"
    assert payload.keys() == {"sub", "iat", "exp", "ttl", "status_list"}
    lst = payload["status_list"]["lst"]
    assert [read_status(lst, index, bits=2) for index in (0, 5, 9, 15)] == [0, 1, 2, 0]
