import pytest

from cert_registry.signing.errors import ConfigurationError
from cert_registry.signing.settings import PURPOSES, Settings


def _section(**changes: object) -> dict[str, object]:
    tokens = {purpose: {"label": f"lz-{purpose}", "pin_file": f"/pins/{purpose}"} for purpose in PURPOSES}
    return {"module_path": "/lib.so", "tokens": tokens, **changes}


def _read(section: dict[str, object]) -> Settings:
    return Settings.from_mapping(section, pki_directory="/pki", public_url="http://localhost/")


def test_a_complete_section_is_read_and_the_root_passed_over() -> None:
    section = _section()
    assert isinstance(section["tokens"], dict)
    section["tokens"]["root"] = {"label": "lz-root", "pin_file": "/pins/root"}
    read = _read(section)
    assert set(read.tokens) == set(PURPOSES)
    assert read.public_url == "http://localhost"
    assert read.tsa_policy_oid == "0.4.0.2023.1.1"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"module_path": ""}, "module_path"),
        ({"tokens": None}, "token.tokens"),
        ({"tokens": {}}, "token.tokens.seals"),
        ({"tokens": {"seals": {"label": "", "pin_file": "x"}}}, "token.tokens.seals.label"),
        ({"tokens": {"seals": {"label": "x"}}}, "token.tokens.seals.pin_file"),
        ({"tsa_policy_oid": "policy"}, "tsa_policy_oid"),
        ({"pool": 5}, "token.pool"),
        ({"pool": {"size": 5}}, "token.pool"),
        ({"pool": {"sessions": 0}}, "token.pool.sessions"),
        ({"pool": {"sessions": 2.5}}, "token.pool.sessions"),
        ({"pool": {"waiting": True}}, "token.pool.waiting"),
        ({"pool": {"answer_within_s": 0}}, "token.pool.answer_within_s"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        _read(_section(**changes))


def test_the_pool_s_bounds_are_read() -> None:
    read = _read(_section(pool={"sessions": 4, "waiting": 0, "idle_check_s": 5, "answer_within_s": 2.5}))
    assert (read.pool.sessions, read.pool.waiting, read.pool.idle_check_s) == (4, 0, 5.0)
    assert read.answer_within_s == 2.5
