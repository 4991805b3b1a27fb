"""Every Chinese text of a template is in the catalogue, and a page is wholly in one language."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po
from flask import Blueprint, Flask, render_template
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, nodes

from idp.web.language import CATALOGUES, CHINESE, install_language, preferred, read_catalogues

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = sorted(
    path
    for folder in ("templates", "cert_registry/web", "verify_api/web", "idp/web")
    for path in (ROOT / folder).rglob("*.html")
)
CJK = re.compile("[\u2e80-\u9fff\u3000-\u303f\uff00-\uffef]")
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


def test_the_template_of_catalogues_is_what_the_templates_ask_for() -> None:
    asked = {
        message
        for template in TEMPLATES
        for _line, message, _comments, _context in extract_from_file("jinja2", template)
    }
    assert asked == set(messages(CATALOGUES / "messages.pot"))


@pytest.mark.parametrize("language", sorted(read_catalogues(CATALOGUES)))
def test_a_catalogue_is_complete_and_keeps_variables_and_tags(language: str) -> None:
    path = CATALOGUES / language / "LC_MESSAGES" / "messages.po"
    assert not [one.id for one in catalogue(path) if one.id and one.fuzzy]
    translated = messages(path)
    assert set(translated) == set(messages(CATALOGUES / "messages.pot"))
    for chinese, other in translated.items():
        assert other, chinese
        assert sorted(PLACEHOLDER.findall(chinese)) == sorted(PLACEHOLDER.findall(other)), chinese
        assert TAG.findall(chinese) == TAG.findall(other), chinese
        # A message is markup: outside its tags nothing may close an attribute or begin a tag.
        assert not set('<>"&') & set(TAG.sub("", other)), chinese
        assert "%" not in PLACEHOLDER.sub("", other), chinese


@pytest.fixture
def application() -> Flask:
    app = Flask("test", template_folder=str(ROOT / "templates"))
    install_language(app, translated=("public",))
    for name in ("public", "staff"):
        pages = Blueprint(name, __name__)
        pages.add_url_rule(f"/{name}", "page", lambda: render_template("sorry.html", sentence="<没有查到>"))
        app.register_blueprint(pages)
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
    assert '<p class="lead">&lt;没有查到&gt;</p>' in shown


def test_a_translated_page_is_english_and_marks_what_is_not(application: Flask) -> None:
    shown = page(application, "/public", "en-GB,en;q=0.9,zh;q=0.5")
    assert '<html lang="en">' in shown
    assert "<h1>That did not work</h1>" in shown
    assert '<p class="lead" lang="zh-CN">&lt;没有查到&gt;</p>' in shown
    assert not CJK.search(shown.replace("没有查到", ""))


def test_a_page_that_is_not_translated_stays_chinese(application: Flask) -> None:
    assert '<html lang="zh-CN">' in page(application, "/staff", "en")


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
