"""A site's file: what is refused and with which sentence, and what Keycloak is told of a good one."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.realm_settings import DIRECTORY
from deploy.site_files import CLAIMS, Site, SiteFileWrong, SiteKind, read_site, representation

GOOD: dict[str, Any] = {
    "site": "land-registry",
    "name": "示例不动产登记网",
    "url": "https://land.example.gov.cn",
    "redirect_uris": ["https://land.example.gov.cn/auth/callback"],
    "log_out": {
        "notify": "https://land.example.gov.cn/auth/backchannel-logout",
        "return_to": ["https://land.example.gov.cn/"],
    },
    "claims": ["name", "realname_level"],
    "minimum": {"assurance": "RN2", "strength": "loa2"},
    "contact": "示例市不动产登记中心 信息科",
    "legal_basis": "《不动产登记暂行条例》第十六条",
}


def site(*, local: bool = False, **changed: Any) -> Site:
    document = {key: value for key, value in (GOOD | changed).items() if value is not None}
    return read_site(document, file="land-registry.yaml", stem="land-registry", local=local)


def test_a_good_file_is_what_it_says() -> None:
    told = representation(site())
    assert told["redirectUris"] == ["https://land.example.gov.cn/auth/callback"]
    assert told["attributes"]["minimum.acr.value"] == "loa2"
    assert told["attributes"]["longzheng.minimum.assurance"] == "RN2"
    assert told["attributes"]["longzheng.file"] == "sites/land-registry.yaml"
    assert (
        told["attributes"]["backchannel.logout.url"] == "https://land.example.gov.cn/auth/backchannel-logout"
    )


def test_no_demand_empties_the_attribute_that_a_hand_may_have_set() -> None:
    told = representation(site(minimum={"assurance": "RN0", "strength": "loa1"}))["attributes"]
    assert (told["minimum.acr.value"], told["longzheng.minimum.assurance"]) == ("", "")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"site": "Land"}, "site"),
        ({"site": "dept-land"}, "site"),
        ({"site": "portal"}, "site"),
        ({"site": "other-name"}, "other-name"),
        ({"name": ""}, "name"),
        ({"name": "名\n字"}, "name"),
        ({"url": "http://land.example.gov.cn"}, "url"),
        ({"url": "https://land.example.gov.cn/"}, "url"),
        ({"url": "https://user@"}, "url"),
        ({"redirect_uris": []}, "redirect_uris"),
        ({"redirect_uris": ["https://land.example.gov.cn/*"]}, "redirect_uris"),
        ({"redirect_uris": ["https://land.example.gov.cn.evil.example/auth"]}, "not below"),
        ({"redirect_uris": ["https://elsewhere.example/auth"]}, "not below"),
        ({"redirect_uris": ["https://land.example.gov.cn/a/../b"]}, "exact"),
        ({"redirect_uris": ["https://land.example.gov.cn/a?x=1"]}, "exact"),
        ({"redirect_uris": ["https://land.example.gov.cn/a#x"]}, "exact"),
        ({"redirect_uris": ["https://land.example.gov.cn/%2e%2e/x"]}, "exact"),
        ({"redirect_uris": "https://land.example.gov.cn/a"}, "list"),
        ({"log_out": None}, "log_out is missing"),
        ({"log_out": {"notify": "https://land.example.gov.cn/x"}}, "return_to"),
        ({"log_out": {"notify": "x", "return_to": ["https://land.example.gov.cn/"]}}, "log_out.notify"),
        ({"claims": ["number"]}, "number"),
        ({"claims": ["name", "name"]}, "different"),
        ({"claims": None}, "claims is missing"),
        ({"legal_basis": None}, "legal_basis"),
        ({"minimum": {"assurance": "RN4", "strength": "loa1"}}, "minimum.assurance"),
        ({"minimum": {"assurance": "RN2", "strength": "loa9"}}, "minimum.strength"),
        ({"minimum": {"assurance": "RN2"}}, "minimum.strength"),
        ({"minimum": None}, "minimum is missing"),
        ({"contact": None}, "contact is missing"),
        ({"kind": "desktop"}, "kind"),
        ({"wildcard": True}, "wildcard"),
        ({"keys": {"jwks_url": "http://elsewhere.example/keys"}}, "https"),
        ({"keys": {"jwks": [{"kty": "EC", "crv": "P-256", "kid": "1", "d": "secret"}]}}, "private key"),
    ],
)
def test_each_fault_is_named(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(SiteFileWrong) as refused:
        site(**changed)
    assert named in str(refused.value)
    assert "land-registry.yaml" in str(refused.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(SiteFileWrong) as refused:
        site(contact=None, name="", claims=["x"])
    assert len(refused.value.faults) >= 3


def test_http_is_for_this_machine_and_a_demonstration_only() -> None:
    local = {
        "url": "http://localhost:15080",
        "redirect_uris": ["http://localhost:15080/auth/callback"],
        "log_out": {"notify": "http://localhost:15080/out", "return_to": ["http://localhost:15080/"]},
    }
    assert site(local=True, **local).url == "http://localhost:15080"
    with pytest.raises(SiteFileWrong):
        site(local=False, **local)


def test_a_native_application_comes_back_to_the_loopback_address_of_its_device() -> None:
    native = {"kind": "native", "url": None, "log_out": None, "redirect_uris": ["http://127.0.0.1/callback"]}
    told = representation(site(**native))
    assert site(**native).kind is SiteKind.NATIVE
    assert told["redirectUris"] == ["http://127.0.0.1/callback"]
    for wrong in (
        "http://localhost/callback",
        "http://127.0.0.1:8000/callback",
        "myapp:/callback",
        "http://127.0.0.1/*",
    ):
        with pytest.raises(SiteFileWrong, match="8252"):
            site(**(native | {"redirect_uris": [wrong]}))


@pytest.mark.parametrize("path", sorted((DIRECTORY / "sites").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_files_of_the_checkout_say_why_and_who(path: Path) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert document["contact"]
    assert document["legal_basis"] or not document["claims"]
    assert set(document["claims"]) <= set(CLAIMS)


texts = st.text(max_size=40) | st.sampled_from(
    ["https://land.example.gov.cn/x", "*", "http://127.0.0.1/", "RN2"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(changed=st.dictionaries(st.sampled_from(sorted(GOOD)), values, max_size=3))
def test_whatever_stands_there_is_refused_or_exact(changed: dict[str, Any]) -> None:
    try:
        read = read_site(GOOD | changed, file="f", stem="land-registry", local=False)
    except SiteFileWrong:
        return
    assert all(
        "*" not in address and address.startswith(("https://", "http://127.0.0.1/"))
        for address in read.redirect_uris
    )
