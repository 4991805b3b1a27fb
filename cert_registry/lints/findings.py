"""What a lint is and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from cert_registry.catalog.certificate_type import CertificateType
    from cert_registry.catalog.face_schema import CheckedFace
    from cert_registry.lints.rendered_file import RenderedFile


class Severity(Enum):
    """Whether a finding stops the issue."""

    ERROR = "error"
    WARN = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What draft lints look at.

    Args:
        certificate_type: Its type.
        face: Checked against that type.
        today: Civil date.
    """

    certificate_type: CertificateType
    face: CheckedFace
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """One place where a rule is broken.

    Args:
        field: Path of the face field, or a part of the file.
        sentence: In Chinese; never repeats a value.
    """

    field: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LintFinding:
    """A broken rule.

    Args:
        lint_id: Stable name of the lint.
        severity: Error stops the issue.
        field: Path of the face field, or a part of the file.
        sentence: What to do, in Chinese; never repeats a value.
        citation: What the rule rests on.
    """

    lint_id: str
    severity: Severity
    field: str
    sentence: str
    citation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftLint:
    """A rule over a draft.

    Args:
        lint_id: Stable name, the module's name with hyphens.
        severity: Of its findings.
        citation: What it rests on.
        description: One sentence.
        check: Yields each place where the rule is broken.
    """

    lint_id: str
    severity: Severity
    citation: str
    description: str
    check: Callable[[Draft], Iterable[Broken]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLint:
    """A rule over a rendered file; the arguments are those of `DraftLint`."""

    lint_id: str
    severity: Severity
    citation: str
    description: str
    check: Callable[[RenderedFile], Iterable[Broken]]
