"""Every type with every sample is PDF/A-3a and PDF/UA-1, by a validator that is not ours."""

import pytest

from cert_registry.catalog.rendering import render
from tests.fixtures_verapdf import VeraPdf
from tests.unit.catalog.specimens import SAMPLES, SLUGS, specimen

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    made = {f"{slug}-{sample}": specimen(slug, sample) for slug in SLUGS for sample in SAMPLES}
    return {name: render(one.certificate_type, one.face, one.imprint).pdf for name, one in made.items()}


@pytest.mark.parametrize("flavour", ["3a", "ua1"])
def test_every_face_keeps_the_standard(verapdf: VeraPdf, files: dict[str, bytes], flavour: str) -> None:
    assert len(files) == len(SLUGS) * len(SAMPLES)
    assert verapdf.failures(files, flavour) == {}


def test_the_validator_does_say_no(verapdf: VeraPdf, files: dict[str, bytes]) -> None:
    name, pdf = next(iter(files.items()))
    broken = pdf.replace(b"/Marked true", b"/Marked null")
    assert broken != pdf
    assert list(verapdf.failures({name: broken}, "ua1")) == [name]
    assert "no verdict" in verapdf.failures({name: b"not a PDF"}, "3a")[name]
