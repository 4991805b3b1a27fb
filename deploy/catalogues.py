"""Brings the catalogues of pages in step with their sources: `python -m deploy.catalogues`.

Message ids are Chinese texts, from three kinds of source: what templates put through `_` and `{% trans %}`, the Chinese texts of
the Python modules whose sentences pages show, and what certificate types say of themselves (names, titles, hints). New messages
are added without a translation, which the tests refuse until somebody gives one; what nobody asks for any more goes.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import yaml
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT: Final = Path(__file__).resolve().parents[1]
TRANSLATIONS: Final = ROOT / "translations"
_CHINESE: Final = re.compile("[\u2e80-\u2fdf\u3400-\u9fff\uf900-\ufaff]")
_TEMPLATES: Final = ("templates", "cert_registry/web", "verify_api/web", "idp/web")
_SENTENCES: Final = (
    "cert_registry/web/*.py",
    "cert_registry/types.py",
    "cert_registry/check_code.py",
    "cert_registry/checks.py",
    "cert_registry/civil_date.py",
    "cert_registry/delivery.py",
    "cert_registry/errors.py",
    "cert_registry/eseal/office.py",
    "cert_registry/free_text.py",
    "cert_registry/identifier.py",
    "cert_registry/issuance_authority.py",
    "cert_registry/issuance_checking.py",
    "cert_registry/issuance_drafts.py",
    "cert_registry/issuance_log.py",
    "cert_registry/issuance_press.py",
    "cert_registry/issuance_seals.py",
    "cert_registry/issuance_vault.py",
    "cert_registry/lifecycle.py",
    "cert_registry/qr.py",
    "cert_registry/registry.py",
    "cert_registry/catalog/certificate_type.py",
    "cert_registry/catalog/errors.py",
    "cert_registry/catalog/face_schema.py",
    "cert_registry/lints/draft/*.py",
    "cert_registry/organisations/rules.py",
    "cert_registry/seals/types.py",
    "cert_registry/store/drafts.py",
    "cert_registry/store/ecerts.py",
    "cert_registry/store/intents.py",
    "cert_registry/store/replacing.py",
    "cert_registry/store/states.py",
    "idp/accounts/*.py",
    "idp/mobile_number.py",
    "idp/web/*.py",
    "idp/sms/codes.py",
    "idp/identity/citizen_number.py",
    "idp/identity/credit_code.py",
    "idp/identity/person_name.py",
    "idp/store/guesses.py",
    "idp/store/visits.py",
    "verify_api/outcome.py",
    "verify_api/registry_adapter.py",
    "verify_api/throttle.py",
    "verify_api/verification.py",
    "verify_api/validation/byte_ranges.py",
    "verify_api/validation/examination.py",
    "verify_api/validation/judgement.py",
    "verify_api/validation/sentences.py",
    "verify_api/validation/signed_data.py",
    "verify_api/web/public.py",
)
"""Modules whose Chinese texts reach a page."""
_MACHINES_ONLY: Final = (
    "cert_registry/web/api.py",
    "cert_registry/web/api_description.py",
    "cert_registry/web/schemas.py",
)
_PIECES: Final = frozenset(
    {
        "中文",
        "一",
        "\u9fff",
        "锟斤拷",
        "烫烫烫",
        "屯屯屯",
        "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
    }
)
"""Chinese that is no sentence: parts of patterns, traces of broken encodings, a language's own name."""
_TYPES: Final = "cert_registry/catalog/types"


def asked() -> dict[str, set[str]]:
    """Return every message that the sources ask for, with the files that do."""
    found: dict[str, set[str]] = {}
    for source, message in (*_of_templates(), *_of_modules(), *_of_types()):
        found.setdefault(message, set()).add(source)
    return found


def sentences_of(source: str) -> Iterator[str]:
    """Yield the Chinese texts of a Python module that are neither comments nor docstrings.

    Raises:
        SyntaxError: An f-string holds Chinese: its values cannot be told in another language; use `said`.
    """
    tree = ast.parse(source)
    unheard = set(_unheard(tree))
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in unheard else None
        if isinstance(text, str) and _CHINESE.search(text) and text not in _PIECES:
            yield text
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "said":
            template = node.args[0] if node.args else None
            if isinstance(template, ast.Constant) and not _CHINESE.search(str(template.value)):
                yield str(template.value)


def _unheard(tree: ast.AST) -> Iterator[int]:
    """Ids of the nodes that no page tells: docstrings and patterns."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else ():
            if isinstance(statement, ast.Expr):
                yield id(statement.value)
        if isinstance(node, ast.JoinedStr):
            parts = [part.value for part in node.values if isinstance(part, ast.Constant)]
            if any(_CHINESE.search(str(part)) for part in parts):
                raise SyntaxError(f"line {node.lineno}: Chinese in an f-string; write said(…) instead")
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "compile"
        ):
            yield from (id(inner) for inner in ast.walk(node))
        if isinstance(node, ast.keyword) and node.arg in {"citation", "description"}:  # of lints
            yield id(node.value)


def template() -> bytes:
    """Return what `messages.pot` holds when it is in step: every message with the files that ask for it."""
    return _written(asked(), {})


def update() -> list[str]:
    """Write `messages.pot` and every catalogue anew; return the messages that lack a translation."""
    sources = asked()
    (TRANSLATIONS / "messages.pot").write_bytes(template())
    missing: list[str] = []
    for path in sorted(TRANSLATIONS.glob("*.po")):
        text = path.read_text("utf-8")
        known = {str(one.id): str(one.string) for one in read_po(BytesIO(text.encode())) if one.id}
        header = text.split("\n\n", 1)[0]
        path.write_bytes(header.encode() + b"\n\n" + _written(sources, known))
        missing += [message for message in sources if not known.get(message)]
    return missing


def main(arguments: Sequence[str]) -> int:
    """Update, and print what lacks a translation as JSON; exit 1 when anything does."""
    del arguments
    missing = update()
    if missing:
        sys.stdout.write(json.dumps(missing, ensure_ascii=False, indent=1) + "\n")
    return 1 if missing else 0


def _written(sources: dict[str, set[str]], known: dict[str, str]) -> bytes:
    catalogue = Catalog(locale="en")
    for message, files in sorted(sources.items(), key=lambda one: (min(one[1]), one[0])):
        locations = [(file, 0) for file in sorted(files)]
        catalogue.add(message, known.get(message, ""), locations=locations)
    written = BytesIO()
    write_po(written, catalogue, width=0, omit_header=True, include_lineno=False)
    return written.getvalue()


def _of_templates() -> Iterator[tuple[str, str]]:
    for folder in _TEMPLATES:
        for path in sorted((ROOT / folder).rglob("*.html")):
            for _line, message, _comments, _context in extract_from_file("jinja2", path):
                yield str(path.relative_to(ROOT)), str(message)


def _of_modules() -> Iterator[tuple[str, str]]:
    for pattern in _SENTENCES:
        for path in sorted(ROOT.glob(pattern)):
            name = str(path.relative_to(ROOT))
            if name not in _MACHINES_ONLY:
                for sentence in sentences_of(path.read_text("utf-8")):
                    yield name, sentence


def _of_types() -> Iterator[tuple[str, str]]:
    for folder in sorted((ROOT / _TYPES).iterdir()):
        type_file, schema_file = folder / "type.yaml", folder / "face.schema.json"
        if type_file.is_file():
            document = yaml.safe_load(type_file.read_text("utf-8"))
            for text in (document["name"], document["item"]["name"]):
                yield str(type_file.relative_to(ROOT)), str(text)
            for text in _words_of(json.loads(schema_file.read_text("utf-8"))):
                yield str(schema_file.relative_to(ROOT)), text


def _words_of(schema: Any) -> Iterator[str]:
    """Titles, hints and choices of a face's fields."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key in {"title", "description"} and isinstance(value, str):
                yield value
            elif key == "enum":
                yield from (str(one) for one in value if _CHINESE.search(str(one)))
            else:
                yield from _words_of(value)
    elif isinstance(schema, list):
        for one in schema:
            yield from _words_of(one)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
