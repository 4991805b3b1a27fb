"""Which language a page is in, and the catalogue that its templates are put through.

The message id is the Chinese text itself: a page without a catalogue, or a message without a translation, is Chinese.
Catalogues are `translations/<language>/LC_MESSAGES/messages.po`, compiled in memory when the process starts.

This is in the lowest room, so that every application that mounts pages can call it; it knows no page.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, has_request_context, request
from markupsafe import Markup

CHINESE = "zh-CN"
CATALOGUES = Path(__file__).resolve().parents[2] / "translations"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Languages:
    """What the pages can be had in: catalogues by language tag, and the blueprints that are wholly in them."""

    catalogues: Mapping[str, gettext.NullTranslations]
    translated: Collection[str]

    def of_page(self) -> str:
        """Return the BCP 47 tag of the page being made; Chinese unless the browser prefers what the page has."""
        if has_request_context() and request.blueprint in self.translated:
            accepted = (tag for tag, quality in request.accept_languages if quality > 0)
            return preferred(accepted, self.catalogues)
        return CHINESE

    def catalogue(self) -> gettext.NullTranslations:
        return self.catalogues.get(self.of_page(), _UNCHANGED)


_UNCHANGED = gettext.NullTranslations()


def install_language(application: Flask, *, translated: Collection[str] = ()) -> None:
    """Give the application's templates `_`, `{% trans %}`, `page_language()` and `not_translated()`.

    Args:
        application: the application, before its first template is read.
        translated: names of the blueprints whose pages the catalogues cover in full; all others are Chinese.
    """
    languages = _Languages(catalogues=read_catalogues(CATALOGUES), translated=frozenset(translated))

    def one(message: str) -> str:
        return languages.catalogue().gettext(message)

    def many(singular: str, plural: str, count: int) -> str:
        return languages.catalogue().ngettext(singular, plural, count)

    environment = application.jinja_env
    environment.add_extension("jinja2.ext.i18n")
    install: Callable[..., None] = environment.install_gettext_callables  # type: ignore[attr-defined] # added by i18n
    install(one, many, newstyle=True)
    environment.globals["page_language"] = languages.of_page
    environment.globals["not_translated"] = lambda: _chinese_within(languages.of_page())


def read_catalogues(directory: Path) -> dict[str, gettext.NullTranslations]:
    """Return the catalogues below a directory by language tag, compiled; fuzzy entries stay Chinese."""
    return {
        path.parents[1].name: _compiled(path) for path in sorted(directory.glob("*/LC_MESSAGES/messages.po"))
    }


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


def _chinese_within(language: str) -> Markup:
    """Mark what the registry says in its own words, within a page in another language (WCAG 2.2, 3.1.2)."""
    return Markup() if language == CHINESE else Markup(' lang="{}"').format(CHINESE)
