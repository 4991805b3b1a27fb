"""Every Chinese text of a page is in the catalogue, and a page is wholly in one language, which people choose."""

import json
import pickle
import re
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from flask import Flask, render_template
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, nodes

from deploy.catalogues import asked, sentences_of, template
from idp.identity.sentence import said
from idp.web.language import CATALOGUES, CHINESE, install_language, preferred, read_catalogues
from verify_api.validation.sentences import for_problem, remembered
from verify_api.validation.verdicts import SubIndication

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = sorted(
    path
    for folder in ("templates", "cert_registry/web", "verify_api/web", "idp/web")
    for path in (ROOT / folder).rglob("*.html")
)
CJK = re.compile("[\u2e80-\u9fff\u3000-\u303f\uff00-\uffef]")
HAN = re.compile("[\u3400-\u9fff]")
PLACEHOLDER = re.compile(r"%\(\w+\)s")
TAG = re.compile(r"<[^>]*>")
TRANSLATING = {"_", "gettext", "ngettext"}


def bare_texts(source: str) -> list[str]:
    """Texts of a template with Chinese in them that no catalogue is asked for."""
    tree = Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse(source)
    asked = {
        id(argument)
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name in TRANSLATING
        for argument in call.args
    }
    texts = [one.data for one in tree.find_all(nodes.TemplateData)]
    texts += [str(one.value) for one in tree.find_all(nodes.Const) if id(one) not in asked]
    return [one for one in texts if CJK.search(one)]


def catalogue(path: Path) -> Catalog:
    return read_po(BytesIO(path.read_bytes()), abort_invalid=True)


def messages(path: Path) -> dict[str, str]:
    return {str(one.id): str(one.string) for one in catalogue(path) if one.id}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_chinese_is_outside_the_catalogue(template: Path) -> None:
    assert bare_texts(template.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>证照</p>",
        '<p title="证照">x</p>',
        '{{ "证照" if x else _("查验") }}',
        '{% set x = ["证照"] %}',
        '{{ a }}：{{ _("查验") }}',
    ],
)
def test_bare_chinese_is_found(source: str) -> None:
    assert bare_texts(source)


def test_the_catalogues_are_in_step_with_templates_sentences_and_types() -> None:
    """After a change: `var/venv/bin/python -m deploy.catalogues`, then translate what it prints."""
    assert set(asked()) == set(messages(CATALOGUES / "messages.pot"))
    assert (CATALOGUES / "messages.pot").read_bytes() == template()  # also who asks: running changes nothing


def test_a_chinese_text_of_a_module_is_a_message_and_one_with_values_must_be_made_by_said() -> None:
    source = '"""说明"""\nX = "有效"\nY = said("共 %(count)s 条", count=1)\nZ = said("%(a)s%(b)s")\n'
    assert set(sentences_of(source)) == {"有效", "共 %(count)s 条", "%(a)s%(b)s"}
    with pytest.raises(SyntaxError, match="said"):
        list(sentences_of('X = f"共 {count} 条"'))


@pytest.mark.parametrize("language", sorted(read_catalogues(CATALOGUES)))
def test_a_catalogue_is_complete_and_keeps_variables_and_tags(language: str) -> None:
    path = CATALOGUES / f"{language}.po"
    assert not [one.id for one in catalogue(path) if one.id and one.fuzzy]
    translated = messages(path)
    assert set(translated) == set(messages(CATALOGUES / "messages.pot"))
    for chinese, other in translated.items():
        assert other, chinese
        assert other != chinese or not HAN.search(chinese), chinese
        assert sorted(PLACEHOLDER.findall(chinese)) == sorted(PLACEHOLDER.findall(other)), chinese
        assert TAG.findall(chinese) == TAG.findall(other), chinese
        # A message is markup: outside its tags nothing may close an attribute or begin a tag.
        assert not set('<>"&') & set(TAG.sub("", other)), chinese
        assert "%" not in PLACEHOLDER.sub("", other), chinese


@pytest.fixture
def application() -> Flask:
    app = Flask("test", template_folder=str(ROOT / "templates"))
    install_language(app)
    app.add_url_rule(
        "/public", view_func=lambda: render_template("sorry.html", sentence="<甘肃>"), endpoint="p"
    )
    app.add_url_rule(
        "/public/act",
        view_func=lambda: render_template("sorry.html", sentence="没有这个页面。"),
        endpoint="a",
        methods=["POST"],
    )
    return app


def page(application: Flask, address: str, languages: str) -> str:
    return application.test_client().get(address, headers={"Accept-Language": languages}).text


@pytest.mark.parametrize(
    "languages", ["", "zh-CN", "zh-TW,en;q=0.8", "fr", "*", "en;q=0", "zh;q=0.9, en;q=0.8"]
)
def test_a_page_is_chinese_unless_english_comes_first(application: Flask, languages: str) -> None:
    shown = page(application, "/public", languages)
    assert '<html lang="zh-CN">' in shown
    assert "<h1>没有办成</h1>" in shown
    assert '<p class="lead">&lt;甘肃&gt;</p>' in shown
    assert '<a class="language" href="/language/en?back=/public" lang="en" hreflang="en">English</a>' in shown


def test_an_english_page_is_english_and_marks_what_is_not(application: Flask) -> None:
    shown = page(application, "/public", "en-GB,en;q=0.9,zh;q=0.5")
    assert '<html lang="en">' in shown
    assert "<h1>That did not work</h1>" in shown
    assert '<p class="lead"><span lang="zh-CN">&lt;甘肃&gt;</span></p>' in shown
    assert 'lang="zh-CN" hreflang="zh-CN">中文</a>' in shown
    assert not CJK.search(shown.replace("甘肃", "").replace("中文", ""))


def test_a_choice_stands_in_a_cookie_and_outweighs_the_browser(application: Flask) -> None:
    browser = application.test_client()
    answer = browser.get("/language/en?back=/public%3Fa%3D1")
    assert (answer.status_code, answer.location) == (303, "/public?a=1")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("lz_language=en;")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert '<html lang="en">' in browser.get("/public", headers={"Accept-Language": "zh-CN"}).text
    browser.get("/language/zh-CN")
    assert '<html lang="zh-CN">' in browser.get("/public", headers={"Accept-Language": "en"}).text
    assert "Set-Cookie" not in browser.get("/language/xx").headers


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/\\evil", "javascript:1", "/a\r\nX: y", ""]
)
def test_a_choice_never_leads_elsewhere(application: Flask, back: str) -> None:
    answer = application.test_client().get("/language/en", query_string={"back": back})
    assert answer.location == "/"


def test_after_a_form_the_choice_leads_to_a_page_that_can_be_read(application: Flask) -> None:
    shown = application.test_client().post("/public/act").text
    assert 'back=/public"' in shown


def test_sentences_with_values_are_told_with_their_values(application: Flask) -> None:
    ended = said(
        "%(issuer)s签发的%(type)s已于%(since)s被%(state)s，不再有效%(because)s%(basis)s。",
        issuer="示例市<局>",
        type="食品经营许可证",
        since=date(2026, 11, 3),
        state="吊销",
        because=said("，原因：%(reason)s", reason="逾期"),
        basis="",
    )
    assert ended == "示例市<局>签发的食品经营许可证已于2026年11月3日被吊销，不再有效，原因：逾期。"
    plain, marked = (application.jinja_env.filters[name] for name in ("said_plain", "said"))
    with application.test_request_context(headers={"Accept-Language": "en"}):
        assert plain(ended) == (
            "The Food business licence issued by 示例市<局> is no longer valid: "
            "Revoked as a penalty since 3 November 2026; reason: 逾期."
        )
        assert '<span lang="zh-CN">示例市&lt;局&gt;</span>' in marked(ended)
        assert marked("有效") == "Valid"
        assert marked("张三") == '<span lang="zh-CN">张三</span>'
        assert plain("") == ""
        assert (
            plain(said("无权使用字段：%(fields)s。", fields=("姓名", "x")))
            == "No right to use these fields: Name, x."
        )
    with application.test_request_context():
        assert plain(ended) == ended
        assert (
            marked(ended)
            == "示例市&lt;局&gt;签发的食品经营许可证已于2026年11月3日被吊销，不再有效，原因：逾期。"
        )


def test_a_sentence_stays_itself_through_errors_json_and_processes() -> None:
    sentence = said("共 %(count)s 条。", count=3)
    assert str(ValueError(sentence)) is sentence
    assert json.dumps(sentence, ensure_ascii=False) == '"共 3 条。"'
    again = pickle.loads(pickle.dumps(sentence))  # noqa: S301 - our own bytes
    assert (again, again.template, again.values) == (sentence, sentence.template, {"count": 3})
    assert remembered(for_problem(SubIndication.HASH_FAILURE, "没有时间戳")).template  # type: ignore[attr-defined]
    for problem in SubIndication:
        for detail in ("", "签名字典残缺"):
            plain = "".join(for_problem(problem, detail))
            assert remembered(plain) == plain
            assert hasattr(remembered(plain), "template")
    assert remembered("文件是空的。") == "文件是空的。"


def test_outside_a_request_texts_are_chinese(application: Flask) -> None:
    with application.app_context():
        assert application.jinja_env.from_string('{{ _("查验") }}').render() == "查验"


def test_variables_are_escaped_within_a_message(application: Flask) -> None:
    with application.test_request_context():
        template = application.jinja_env.from_string(
            '{% autoescape true %}{{ _("第 %(n)s 条", n=n) }}{% endautoescape %}'
        )
        assert template.render(n="<1%>") == "第 &lt;1%&gt; 条"


@given(st.lists(st.text(max_size=12), max_size=5))
def test_any_header_gives_a_language_that_there_is(accepted: list[str]) -> None:
    assert preferred(accepted, {"en"}) in {CHINESE, "en"}
