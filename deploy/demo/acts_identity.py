"""The acts about identity: an impostor is refused, the citizen signs in once for all sites."""

from __future__ import annotations

from dataclasses import replace

from deploy.demo.accounts import person
from deploy.demo.stage import Stage
from deploy.form_client import FormClient, Page, prove_by_name, set_first_password, sign_in_with_password

REALNAME_BUTTON = "实名认证登录"
CITIZEN = "林晓雯"
IMPOSTOR = "周大伟"


def impostor_is_refused(stage: Stage) -> None:
    """Somebody's name and number with another phone: refused, and no account is made."""
    site = stage.configuration.sites["site-a"]
    victim, own_phone = person(CITIZEN), person(IMPOSTOR).mobile
    client = FormClient()
    client.open(f"{site.url}/sign-in")
    client.follow(REALNAME_BUTTON)
    page = prove_by_name(client, stage.configuration.public_url, replace(victim, mobile=own_phone))
    stage.expect(
        not page.url.startswith(site.url), "冒名者知道姓名和号码，但手机号不在本人名下，没有通过实名认证"
    )
    stage.expect(
        victim.number not in page.html and victim.number not in page.url, "页面和网址里没有公民身份号码"
    )
    home = client.open(site.url)
    stage.expect("请先登录" in home.text, "冒名者没有登录成功")


def one_sign_in_for_all_sites(stage: Stage) -> None:
    """The citizen proves who she is, crosses to another site, and signs out of both at once."""
    first, second = stage.configuration.sites["site-a"], stage.configuration.sites["site-b"]
    page = sign_citizen_in(stage, f"{first.url}/sign-in")
    stage.expect(
        page.url.startswith(first.url) and "RN2" in page.text, f"{CITIZEN}在{first.title}登录，实名等级 RN2"
    )
    stage.expect("林**" in page.text and CITIZEN not in page.text, "站点只看到遮蔽后的姓名")
    subject = page.by_id.get("subject")
    page = stage.citizen.open(f"{second.url}/sign-in")
    stage.expect(page.url.startswith(second.url) and "RN2" in page.text, f"进入{second.title}不用再登录")
    stage.expect(page.by_id.get("subject") != subject, "两个站点看到的编号不同，不能互相拼接")
    page = stage.citizen.press("退出登录")
    if not page.url.startswith(second.url) and page.forms:
        page = stage.citizen.press(page.forms[0].buttons[0][2])
    stage.expect("请先登录" in stage.citizen.open(second.url).text, f"在{second.title}退出")
    stage.expect("请先登录" in stage.citizen.open(first.url).text, f"{first.title}也同时退出")


def sign_citizen_in(stage: Stage, start: str) -> Page:
    """Sign the citizen in from a page that asks for it: by real name the first time, by password later."""
    client, password = stage.citizen, stage.accounts.citizen_password()
    citizen = person(CITIZEN)
    page = client.open(start)
    if not page.has_field("username"):
        return page  # signed in already
    page = sign_in_with_password(client, citizen.mobile, password)
    if page.has_field("password"):
        client.open(start)
        client.follow(REALNAME_BUTTON)
        prove_by_name(client, stage.configuration.public_url, citizen)
        page = client.follow("继续")
        if page.has_field("password-new"):
            page = set_first_password(client, password)
    return page
