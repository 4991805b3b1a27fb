"""Which language a page is in, and the catalogue that its templates and sentences are put through.

The message id is the Chinese text itself: a page without a catalogue, or a message without a translation, is Chinese.
Catalogues are `translations/<language>.po`, compiled in memory when the process starts.

A person's choice stands in a cookie; without one the browser's `Accept-Language` decides. What is not translated is marked
as Chinese within a page in another language (WCAG 2.2, 3.1.2), so that a screen reader reads it right.

This is in the lowest room, so that every application that mounts pages can call it; it knows no page.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Final
from urllib.parse import quote

from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    has_request_context,
    make_response,
    redirect,
    request,
)
from markupsafe import Markup, escape
from werkzeug.exceptions import HTTPException

from idp.identity.sentence import Sentence, in_chinese

CHINESE = "zh-CN"
CATALOGUES = Path(__file__).resolve().parents[2] / "translations"
COOKIE: Final = "lz_language"
_A_YEAR_S: Final = 365 * 24 * 3600
_OWN_NAMES: Final = {CHINESE: "中文", "en": "English"}
_HAN_RUN: Final = re.compile("([\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+)")
_HAN: Final = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Languages:
    """What the pages can be had in: catalogues by language tag."""

    catalogues: Mapping[str, gettext.NullTranslations]

    def of_page(self) -> str:
        """Return the BCP 47 tag of the page being made: what was chosen, else what the browser prefers."""
        if not has_request_context():
            return CHINESE
        chosen = request.cookies.get(COOKIE, "")
        if chosen == CHINESE or chosen in self.catalogues:
            return chosen
        accepted = (tag for tag, quality in request.accept_languages if quality > 0)
        return preferred(accepted, self.catalogues)

    def catalogue(self) -> gettext.NullTranslations:
        return self.catalogues.get(self.of_page(), _UNCHANGED)

    def others(self) -> list[tuple[str, str, str]]:
        """Return tag, own name and address of every other language of the page."""
        return [
            (tag, _OWN_NAMES.get(tag, tag), f"/language/{tag}?back={quote(_page_again(), safe='/')}")
            for tag in (CHINESE, *self.catalogues)
            if tag != self.of_page()
        ]

    def plain(self, text: object) -> str:
        """Return a sentence in the page's language, for attributes and files."""
        if isinstance(text, Sentence):
            values = {name: self._value(value) for name, value in text.values.items()}
            return self._message(text.template) % values
        return self._message(str(text))

    def marked(self, text: object) -> Markup:
        """Return a sentence in the page's language as markup, with what stays Chinese marked so."""
        if self.of_page() == CHINESE:
            return escape(str(text))
        if isinstance(text, Markup):
            return text
        if isinstance(text, Sentence):
            template = self._message(text.template)
            if template == text.template and _HAN.search(template):
                return _as_chinese(str(text))
            return escape(template) % {name: self._marked_value(one) for name, one in text.values.items()}
        told = self._message(str(text))
        if told == str(text):
            return _as_chinese(told) if _HAN.search(told) else escape(told)
        return Markup("").join(
            _as_chinese(part) if _HAN.search(part) else escape(part) for part in _HAN_RUN.split(told)
        )

    def _message(self, text: str) -> str:
        return self.catalogue().gettext(text) if text else ""

    def _value(self, value: object) -> str:
        if self.of_page() == CHINESE:
            return in_chinese(value)
        if isinstance(value, date):
            return format_date(value, "d MMMM y", locale=self.of_page())
        if isinstance(value, tuple):
            return ", ".join(self.plain(one) for one in value)
        return self.plain(value)

    def _marked_value(self, value: object) -> Markup:
        if isinstance(value, tuple):
            return Markup(", ").join(self.marked(one) for one in value)
        return escape(self._value(value)) if isinstance(value, date) else self.marked(value)


_UNCHANGED = gettext.NullTranslations()


def install_language(application: Flask) -> None:
    """Give the application's templates their language, and people a way to choose it.

    Templates get `_`, `{% trans %}`, `page_language()`, `other_languages()`, `as_chinese(text)`, and the
    filters `said` (a sentence or a value,
    as markup) and `said_plain` (the same as text, for attributes).
    """
    languages = _Languages(catalogues=read_catalogues(CATALOGUES))

    def one(message: str) -> str:
        return languages.catalogue().gettext(message)

    def many(singular: str, plural: str, count: int) -> str:
        return languages.catalogue().ngettext(singular, plural, count)

    environment = application.jinja_env
    environment.add_extension("jinja2.ext.i18n")
    install: Callable[..., None] = environment.install_gettext_callables  # type: ignore[attr-defined] # added by i18n
    install(one, many, newstyle=True)
    environment.globals["page_language"] = languages.of_page
    environment.globals["other_languages"] = languages.others
    environment.globals["as_chinese"] = lambda text: (
        _as_chinese(text) if languages.of_page() != CHINESE else text
    )
    environment.filters["said"] = languages.marked
    environment.filters["said_plain"] = languages.plain
    application.register_blueprint(_choice((CHINESE, *languages.catalogues)))


def read_catalogues(directory: Path) -> dict[str, gettext.NullTranslations]:
    """Return the catalogues below a directory by language tag, compiled; fuzzy entries stay Chinese."""
    return {path.stem: _compiled(path) for path in sorted(directory.glob("*.po"))}


def preferred(accepted: Iterable[str], available: Collection[str]) -> str:
    """Return the first accepted language that there is, Chinese among them; any Chinese is ours.

    Args:
        accepted: language tags of `Accept-Language`, best first.
        available: tags of the catalogues.
    """
    for tag in accepted:
        primary = tag.replace("_", "-").split("-")[0].lower()
        if primary == "zh":
            return CHINESE
        if primary in available:
            return primary
    return CHINESE


def _compiled(path: Path) -> gettext.GNUTranslations:
    with path.open("rb") as source:
        catalogue = read_po(source, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _as_chinese(text: str) -> Markup:
    return Markup('<span lang="{}">{}</span>').format(CHINESE, text)


def _choice(tags: Collection[str]) -> Blueprint:
    """The address that keeps a choice: a link, so that it works without scripts."""
    pages = Blueprint("language", __name__)

    @pages.get("/language/<tag>")
    def choose(tag: str) -> Response:
        back = request.args.get("back", "/")
        own = (
            back.startswith("/")
            and not back.startswith(("//", "/\\"))
            and "\\" not in back
            and back.isprintable()
        )
        response = make_response(redirect(back if own else "/", code=303))
        if tag in tags:
            response.set_cookie(
                COOKIE,
                tag,
                max_age=_A_YEAR_S,
                path="/",
                samesite="Lax",
                httponly=True,
                secure=bool(current_app.config.get("SESSION_COOKIE_SECURE")),
            )
        return response

    return pages


def _page_again() -> str:
    """Where a person lands who changes the language: the page itself, or the one that its form came from."""
    path = request.full_path if request.query_string else request.path
    if request.method == "GET":
        return path
    adapter = current_app.url_map.bind("")
    path = request.path
    while path.strip("/"):
        try:
            adapter.match(path, method="GET")
        except HTTPException:
            path = path.rstrip("/").rsplit("/", 1)[0] or "/"
        else:
            return path
    return "/"
