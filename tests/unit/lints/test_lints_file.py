"""Each file lint: a file on which it fires, and the rendered file on which none does."""

import io
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest

from cert_registry.catalog.errors import RenderingFailed
from cert_registry.catalog.rendering import render
from cert_registry.lints.rendered_file import open_rendered_file, without_space
from cert_registry.lints.running import FILE_LINTS, run_file_lints
from tests.unit.catalog.specimens import SAMPLES, SLUGS, Specimen, specimen


def rendered(made: Specimen) -> bytes:
    return render(made.certificate_type, made.face, made.imprint).pdf


def fired(made: Specimen, pdf: bytes) -> set[str]:
    findings = run_file_lints(
        made.certificate_type,
        made.face,
        pdf=pdf,
        twin=made.imprint.twin,
        check_code=made.imprint.check_code,
    )
    return {finding.lint_id for finding in findings}


def changed(pdf: bytes, change: Callable[[pikepdf.Pdf], None]) -> bytes:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        change(opened)
        saved = io.BytesIO()
        opened.save(saved)
        return saved.getvalue()


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_no_rendered_sample_breaks_a_rule(slug: str, sample: str) -> None:
    made = specimen(slug, sample)
    assert fired(made, rendered(made)) == set()


def attach_another(pdf: pikepdf.Pdf) -> None:
    pdf.attachments["other.txt"] = b"x"


def unembed(pdf: pikepdf.Pdf) -> None:
    for font in pdf.pages[0].Resources.Font.values():
        descriptor = font.DescendantFonts[0].FontDescriptor
        for key in ("/FontFile2", "/FontFile3"):
            if key in descriptor:
                del descriptor[key]


def untag(pdf: pikepdf.Pdf) -> None:
    pdf.Root.MarkInfo.Marked = False


def enlarge(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].mediabox = [0, 0, 600, 900]


def shrink_text(pdf: pikepdf.Pdf) -> None:
    page = pdf.pages[0]
    page.contents_add(pikepdf.Stream(pdf, b"q 0.5 0 0 0.5 0 0 cm"), prepend=True)
    page.contents_add(pikepdf.Stream(pdf, b"Q"))


@pytest.mark.parametrize(
    ("lint_id", "change"),
    [
        ("twin-attached", attach_another),
        ("fonts-embedded", unembed),
        ("tagged-in-chinese", untag),
        ("page-is-a4", enlarge),
        ("text-large-enough", shrink_text),
    ],
)
def test_a_lint_fires_on_a_changed_file(lint_id: str, change: Callable[[pikepdf.Pdf], None]) -> None:
    made = specimen("business-licence")
    assert fired(made, changed(rendered(made), change)) == {lint_id}


def test_a_value_that_only_the_machine_reads_is_found() -> None:
    made = specimen("food-business-licence")
    template = made.certificate_type.template.replace('("经营场所", get("premises")),', "")
    template = template.replace('("住所", get("address")),', "")
    silent = replace(made, certificate_type=replace(made.certificate_type, template=template))
    assert fired(made, rendered(silent)) == {"twin-equals-text"}


def test_another_twin_or_check_code_is_found() -> None:
    made, other = specimen("business-licence"), specimen("business-licence", name="示例市别家餐饮有限公司")
    assert fired(made, rendered(other)) == {"twin-attached", "twin-equals-text"}
    wrong = replace(made, imprint=replace(made.imprint, check_code=made.imprint.check_code[::-1]))
    assert fired(wrong, rendered(made)) == {"imprint-visible"}


def test_every_lint_is_tested_named_and_cited() -> None:
    marks = test_a_lint_fires_on_a_changed_file.pytestmark  # type: ignore[attr-defined] # set by pytest
    tested = {case[0] for mark in marks for case in mark.args[1]}
    tested |= {"twin-equals-text", "imprint-visible"}  # above
    assert tested == {lint.lint_id for lint in FILE_LINTS}
    assert all(lint.citation and lint.description for lint in FILE_LINTS)


def test_what_is_no_pdf_is_an_error_of_ours() -> None:
    with pytest.raises(RenderingFailed):
        fired(specimen("business-licence"), b"not a PDF")


@pytest.mark.parametrize("slug", SLUGS)
def test_the_text_read_back_is_what_poppler_reads(slug: str, tmp_path: Path) -> None:
    made = specimen(slug, "strangest")
    pdf = rendered(made)
    (tmp_path / "ecert.pdf").write_bytes(pdf)
    theirs = subprocess.run(
        ["pdftotext", "-raw", str(tmp_path / "ecert.pdf"), "-"], check=True, capture_output=True, text=True
    ).stdout
    with open_rendered_file(
        made.certificate_type, made.face, pdf=pdf, twin=made.imprint.twin, check_code=""
    ) as opened:
        ours = "".join(run.characters for page in opened.runs for run in page)
    assert sorted(without_space(ours)) == sorted(without_space(theirs))
